"""Rolls told from lost granules, strips of scans, tiles and orbits."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.detect.missing.scheduled import scheduled_part, scheduled_parts
from gibswatch.detect.missing.spans import is_upright, spans_of
from gibswatch.sky import SATELLITES, Expectation, expect
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.schedule import Window
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


def open_hole(expected: Expectation, number: int, seconds: float) -> BoolArray:
    """A span of a pass that reaches beyond where its neighbours hide the other end."""
    geometry = pass_geometry(
        expected.orbit, expected.georeference, expected.day, sza_limit_deg=90.0, second=True
    )
    alone = (expected.pass_index == number) & (geometry.covered_passes == 1)
    last = float(expected.time_s[alone & (expected.sza_deg < 70.0)].max())
    start = last - seconds - expected.orbit.node_time(number)
    gone = hole(expected, number, start, 4000.0)
    return np.asarray(gone & (geometry.covered_passes == 1))


@pytest.mark.parametrize(("away_h", "explained"), [(16.0, True), (25.0, False)])
def test_a_roll_of_which_one_end_is_hidden_goes_by_its_date(
    expected: Expectation, away_h: float, explained: bool
) -> None:
    number = near_window(expected)
    gone = open_hole(expected, number, 400.0)
    spans = spans_of(gone, expected)
    assert [span.open_ends for span in spans] == [1]
    middle = (spans[0].first_s + spans[0].last_s) / 2
    window = replace(
        expected.scheduled[0],
        first_s=middle + away_h * 3600.0 - 7200.0,
        last_s=middle + away_h * 3600.0 + 7200.0,
    )
    moved = replace(expected, scheduled=(window,))
    assert (scheduled_part(gone, moved) is not None) == explained


@pytest.mark.parametrize(("away_h", "explained"), [(0.0, True), (22.0, True), (26.0, False)])
def test_a_calibration_lies_anywhere_in_its_window(
    expected: Expectation, away_h: float, explained: bool
) -> None:
    gone = open_hole(expected, near_window(expected), 400.0)
    (span,) = spans_of(gone, expected)
    moment = (span.first_s + span.last_s) / 2 + away_h * 3600.0
    window = Window("new-moon", "calibration", 0.1, moment - 86400.0, moment + 86400.0, 0.0)
    moved = replace(expected, scheduled=(window,))
    assert (scheduled_part(gone, moved) is not None) == explained


def test_half_a_minute_is_too_little_to_tell_a_roll_from_a_granule() -> None:
    fine = Georeference(4326, -180.0, 90.0, 360 / 2048, 180 / 1024, 1024, 2048)
    expected = expect(SATELLITES["SNPP"], fine, DAY)
    gone = open_hole(expected, near_window(expected), 40.0)
    (span,) = spans_of(gone, expected)
    assert span.open_ends == 1
    assert 25.0 < span.length_s < 40.0
    assert scheduled_part(gone, expected) is None
    longer = open_hole(expected, near_window(expected), 60.0)
    assert scheduled_part(longer, expected) is not None


def test_a_span_without_ends_is_no_rest_of_a_smaller_hole(expected: Expectation) -> None:
    number = near_window(expected)
    geometry = pass_geometry(
        expected.orbit, expected.georeference, expected.day, sza_limit_deg=90.0, second=True
    )
    dusk = (expected.pass_index == number) & (geometry.covered_passes >= 2)
    dusk &= (expected.sza_deg > 74.0) & (expected.sza_deg < 84.0) & southern(expected)
    assert [span.open_ends for span in spans_of(dusk, expected)] == [2]
    assert scheduled_parts([dusk], expected)[0] is not None
    strip = hole(expected, number, -300.0, 25.0)
    assert scheduled_parts([dusk, strip], expected)[0] is not None
    granules = hole(expected, number, -300.0, 171.0)
    assert scheduled_parts([dusk, granules], expected) == [None, None]


def southern(expected: Expectation) -> BoolArray:
    south = np.zeros(expected.time_s.shape, dtype=bool)
    south[expected.time_s.shape[0] // 2 :] = True
    return south


@pytest.mark.parametrize(("pixels", "upright"), [(9, False), (16, True)])
def test_a_few_pixels_are_no_tile(pixels: int, upright: bool) -> None:
    gone = np.zeros(GLOBE.shape, dtype=bool)
    gone[103 : 103 + pixels, 464 : 464 + pixels] = True
    assert is_upright(gone) == upright
