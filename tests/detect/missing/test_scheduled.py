"""Rolls told from lost granules, strips of scans, tiles and orbits."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.detect.missing.scheduled import scheduled_part, scheduled_parts
from gibswatch.sky import SATELLITES, Expectation, expect
from gibswatch.types import BoolArray, Georeference

GLOBE = Georeference(4326, -180.0, 90.0, 360 / 1024, 180 / 512, 512, 1024)
DAY = dt.date(2018, 3, 27)  # the Moon is 128.3 degrees from the Sun in it


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(SATELLITES["SNPP"], GLOBE, DAY)


def near_window(expected: Expectation, number: int = 0) -> int:
    """Pass that is over the tropics nearest to the window's middle, or the next ones."""
    window = expected.scheduled[0]
    middle = (window.first_s + window.last_s) / 2
    passes = np.unique(expected.pass_index[expected.pass_index >= 2])[2:-2]
    starts = np.array([expected.orbit.node_time(int(p)) for p in passes])
    return int(passes[np.argsort(np.abs(starts - middle))[number]])


def hole(expected: Expectation, number: int, start: float, seconds: float) -> BoolArray:
    """What a span of a pass takes, from `start` seconds after its crossing of the equator."""
    first = expected.orbit.node_time(number) + start
    span = (expected.time_s >= first) & (expected.time_s < first + seconds)
    return np.asarray((expected.pass_index == number) & span & (expected.sza_deg < 80.0))


def test_a_roll_in_its_window_is_explained(expected: Expectation) -> None:
    assert expected.scheduled[0].kind == "lunar-roll"
    gone = hole(expected, near_window(expected), -300.0, 640.0)
    found = scheduled_part(gone, expected)
    assert found is not None
    assert found[0].kind == "lunar-roll"
    assert (found[1] & gone).sum() > 0.95 * gone.sum()


@pytest.mark.parametrize("seconds", [25.0, 150.0, 1500.0])
def test_other_lengths_are_not(expected: Expectation, seconds: float) -> None:
    gone = hole(expected, near_window(expected), -600.0, seconds)
    assert scheduled_part(gone, expected) is None


def test_half_an_orbit_is_not(expected: Expectation) -> None:
    gone = hole(expected, near_window(expected), 0.0, 3000.0)
    assert scheduled_part(gone, expected) is None


def test_whole_granules_far_from_the_moment_are_not(expected: Expectation) -> None:
    gone = hole(expected, near_window(expected, 5), -300.0, 720.0)
    assert scheduled_part(gone, expected) is None
    assert scheduled_part(hole(expected, near_window(expected, 5), -300.0, 640.0), expected)


def test_a_tile_is_not(expected: Expectation) -> None:
    gone = np.zeros(GLOBE.shape, dtype=bool)
    row, col = np.argwhere(hole(expected, near_window(expected), 0.0, 60.0)).mean(axis=0)
    gone[int(row) - 25 : int(row) + 25, int(col) - 25 : int(col) + 25] = True
    assert scheduled_part(gone, expected) is None


def test_a_window_has_one_roll(expected: Expectation) -> None:
    near = hole(expected, near_window(expected), -300.0, 640.0)
    far = hole(expected, near_window(expected, 4), -300.0, 640.0)
    found = scheduled_parts([far, near], expected)
    assert found[0] is None
    assert found[1] is not None


def test_a_day_without_a_window_explains_nothing() -> None:
    plain = expect(SATELLITES["SNPP"], GLOBE, dt.date(2018, 3, 8))
    assert not plain.scheduled
    passes = plain.pass_index[plain.pass_index >= 0]
    gone = hole(plain, int(np.median(passes)), -300.0, 640.0)
    assert gone.sum() > 1000
    assert scheduled_part(gone, plain) is None


def test_a_tile_whose_end_is_hidden_is_not() -> None:
    expectation = expect(SATELLITES["SNPP"], GLOBE, dt.date(2018, 3, 17))
    assert expectation.scheduled[0].kind == "new-moon"
    gone = np.zeros(GLOBE.shape, dtype=bool)
    gone[103:119, 464:481] = True
    assert scheduled_part(gone, expectation) is None
