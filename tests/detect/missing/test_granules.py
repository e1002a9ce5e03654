"""Granules: which one shows a pixel, and what they are called."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.detect.missing.granules import granules_of
from gibswatch.sky import SATELLITES, expect
from gibswatch.types import Georeference

GLOBE = Georeference(4326, -180.0, 90.0, 360 / 256, 180 / 128, 128, 256)
DAY = dt.date(2018, 3, 5)


def test_every_pixel_with_a_pass_has_the_granule_of_its_time() -> None:
    expected = expect(SATELLITES["Terra"], GLOBE, DAY)
    found = granules_of(expected)
    seen = expected.pass_index >= 0
    assert np.array_equal(found.index >= 0, seen)
    late = expected.time_s[seen] - found.start_s[found.index[seen]]
    assert late.min() >= 0.0
    assert late.max() < 300.0
    assert np.array_equal(found.pass_index[found.index[seen]], expected.pass_index[seen])
    assert np.all(found.start_s % 300.0 == 0.0)


def test_the_sun_at_the_middle_is_that_of_its_pixels() -> None:
    expected = expect(SATELLITES["Terra"], GLOBE, DAY)
    found = granules_of(expected)
    middle = found.start_s[found.index] + 150.0
    near = (found.index >= 0) & (expected.view_zenith_deg < 6.0)
    near &= np.abs(expected.time_s - middle) < 15.0
    assert near.sum() > 10
    apart = expected.sza_deg[near] - found.centre_sza_deg[found.index[near]]
    assert np.abs(apart).max() < 2.5


def test_names_are_start_times_in_order() -> None:
    expected = expect(SATELLITES["SNPP"], GLOBE, DAY)
    found = granules_of(expected)
    names = found.names(np.array([5, 0, 5, -1]))
    assert len(names) == 2
    assert list(names) == sorted(names)
    assert all(name.endswith("Z") and len(name) == 17 for name in names)
    short = granules_of(expected, 85.35)
    assert short.start_s.size > 3 * found.start_s.size
    assert any(len(name) == 20 for name in short.names(range(5)))


def test_a_length_must_be_positive() -> None:
    expected = expect(SATELLITES["SNPP"], GLOBE, DAY)
    with pytest.raises(ValueError, match="positive"):
        granules_of(expected, 0.0)
