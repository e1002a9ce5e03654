"""Black in the Moon's shadow, and granules that are missing beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from gibswatch.detect.missing.eclipse import eclipse_black
from gibswatch.sky import SATELLITES, Expectation, expect
from gibswatch.types import Georeference

BOX = Georeference(4326, 0.0, 30.0, 0.25, 0.25, 160, 160)


@pytest.fixture(scope="module")
def shaded() -> Expectation:
    """Return an expectation with a round shadow, total in its middle."""
    plain = expect(SATELLITES["SNPP"], BOX, dt.date(2018, 3, 5))
    rows, cols = np.mgrid[:160, :160]
    away = np.hypot(rows - 80, cols - 80)
    shade = np.clip(1.05 - away / 60.0, 0.0, 1.0).astype(np.float32)
    return replace(plain, obscuration=shade, covered=np.ones(BOX.shape, dtype=bool))


def test_the_shadows_black_is_explained(shaded: Expectation) -> None:
    black = shaded.obscuration > 0.7
    assert np.array_equal(eclipse_black(black, shaded), black)


def test_a_missing_granule_elsewhere_is_not(shaded: Expectation) -> None:
    black = shaded.obscuration > 0.7
    hole = np.zeros_like(black)
    hole[:20, :60] = True
    assert np.array_equal(eclipse_black(black | hole, shaded), black)


def test_a_missing_granule_that_the_shadow_touches_is_not(shaded: Expectation) -> None:
    hole = np.zeros(BOX.shape, dtype=bool)
    hole[20:60, 40:120] = True  # up to 0.7 of the Sun is covered at its lower edge
    assert shaded.obscuration[hole].max() > 0.65
    explained = eclipse_black(hole, shaded)
    assert explained.sum() < 0.1 * hole.sum()


def test_a_day_without_an_eclipse_has_nothing_to_explain() -> None:
    plain = expect(SATELLITES["SNPP"], BOX, dt.date(2018, 3, 5))
    assert not eclipse_black(np.ones(BOX.shape, dtype=bool), plain).any()


def test_the_shadow_of_the_other_pass_explains_too() -> None:
    """On 2016-03-09 SNPP saw the total eclipse at 02:14 UTC, and the same sea at 03:54."""
    box = Georeference(4326, 146.0, 20.0, 0.125, 0.125, 96, 96)
    day = expect(SATELLITES["SNPP"], box, dt.date(2016, 3, 9))
    later = day.covered & (day.obscuration == 0.0)
    first = day.obscuration > 0.9
    assert first.any()
    strip = np.zeros(box.shape, dtype=bool)
    strip[40:60, 40:60] = True
    black = first | (later & strip & ndimage.binary_dilation(first, iterations=8))
    assert (black & later).any()
    assert not (black & ~eclipse_black(black, day)).any()
