"""The night edge: fitted to drawn edges, and to the simulator's."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from gibswatch.detect.night.terminator import Terminator, dark_by_nature, fit_terminator
from gibswatch.simulate.days.composite import Mosaic, compose, tile_numbers
from gibswatch.simulate.days.faults.missing import dark_gaps
from gibswatch.simulate.days.passes import make_nodes, node_fields
from gibswatch.simulate.days.spec import DaySpec, Perturbation
from gibswatch.simulate.days.tracks import track_of
from gibswatch.sky import SATELLITES, Expectation, expect
from gibswatch.types import BoolArray, Georeference

GLOBE = Georeference(4326, -180.0, 90.0, 360 / 640, 180 / 320, 320, 640)
NORTH = Georeference(3413, -4194304.0, 4194304.0, 32768.0, 32768.0, 256, 256)


@lru_cache
def simulated_black(
    satellite: str, day: dt.date, georeference: Georeference, **how: float
) -> BoolArray:
    """Return where the simulator's passes show nothing."""
    spec = DaySpec(satellite, "TrueColor", day, 1, perturbation=Perturbation(**how))  # type: ignore[arg-type]
    track = track_of(spec)
    fields = node_fields(track, make_nodes(georeference), spec)
    tiles = tile_numbers(georeference)
    mosaic = Mosaic(georeference, fields, spec.perturbation, spec.seed, spec.day, tiles)
    return ~compose(mosaic, dark_gaps(track, spec)).covered


def fitted(black: BoolArray, expected: Expectation) -> tuple[Terminator, BoolArray, BoolArray]:
    found = fit_terminator(expected, black, np.ones(black.shape, dtype=bool))
    return (found, *dark_by_nature(expected, found))


@pytest.mark.parametrize(("georeference", "cut"), [(GLOBE, 85.8), (NORTH, 87.0)])
def test_a_plain_cut_is_found(georeference: Georeference, cut: float) -> None:
    day = dt.date(2018, 2, 20)
    expected = expect(SATELLITES["SNPP"], georeference, day)
    black = simulated_black("SNPP", day, georeference, sza_cut_deg=cut, local_time_s=120.0)
    found, natural, undecided = fitted(black, expected)
    assert found.certain
    assert found.cut_deg == pytest.approx(cut, abs=0.15)
    assert found.dark_granule_deg is None
    assert (black & ~natural & ~undecided).sum() < 10
    assert (natural & ~black).sum() < 0.01 * natural.sum()
    assert (undecided & black).sum() < 0.05 * black.sum()


@pytest.mark.parametrize(
    ("satellite", "length", "limit"), [("Terra", 300.0, 84.5), ("SNPP", 85.35, 84.0)]
)
def test_dark_granules_that_are_left_out_are_found(
    satellite: str, length: float, limit: float
) -> None:
    day = dt.date(2018, 12, 9)
    expected = expect(SATELLITES[satellite], GLOBE, day)
    how = {"granule_s": length, "dark_granule_deg": limit, "local_time_s": -130.0}
    black = simulated_black(satellite, day, GLOBE, **how)
    found, natural, undecided = fitted(black, expected)
    assert found.dark_granule_deg == pytest.approx(limit, abs=1.0)
    assert found.granule_s == length
    low = expected.sza_deg > 60.0  # not the gaps of the tropics
    assert (black & ~natural & ~undecided & low).sum() < 10
    assert (natural & ~black).sum() < 0.01 * natural.sum()


def test_a_missing_granule_beside_the_night_is_not_night() -> None:
    day = dt.date(2018, 12, 9)
    expected = expect(SATELLITES["Terra"], GLOBE, day)
    how = {"granule_s": 300.0, "dark_granule_deg": 84.5, "local_time_s": -130.0}
    black = simulated_black("Terra", day, GLOBE, **how)
    middle = np.median(expected.pass_index[expected.pass_index >= 0])
    hole = (expected.pass_index == middle) & (expected.sza_deg > 66.0) & expected.covered & ~black
    assert hole.sum() > 150
    found, natural, undecided = fitted(black | hole, expected)
    assert found.dark_granule_deg == pytest.approx(84.5, abs=1.0)
    assert (hole & natural).sum() < 0.02 * hole.sum()
    assert (hole & undecided).sum() < 0.25 * hole.sum()


def test_a_picture_without_an_edge_gets_the_usual_cut() -> None:
    day = dt.date(2018, 3, 5)
    box = Georeference(4326, -20.0, 20.0, 0.5, 0.5, 80, 80)
    expected = expect(SATELLITES["Terra"], box, day)
    found, natural, undecided = fitted(np.zeros(box.shape, dtype=bool), expected)
    assert not found.certain
    assert found.cut_deg == 86.5
    assert not natural.any()
    assert not undecided.any()


def test_what_was_not_sent_says_nothing() -> None:
    day = dt.date(2018, 2, 20)
    expected = expect(SATELLITES["SNPP"], GLOBE, day)
    black = np.ones(GLOBE.shape, dtype=bool)
    assert not fit_terminator(expected, black, np.zeros(GLOBE.shape, dtype=bool)).certain
    assert not fit_terminator(expected, black, black).certain


def test_a_map_that_is_cut_off_at_the_poles_decides_nothing_there() -> None:
    day = dt.date(2018, 9, 12)
    expected = expect(SATELLITES["Terra"], GLOBE, day)
    black = simulated_black("Terra", day, GLOBE)
    rows = round(5.0 / GLOBE.pixel_height)
    black = black.copy()
    black[:rows] = True
    found, natural, undecided = fitted(black, expected)
    assert found.cap_north_deg == pytest.approx(85.0, abs=0.7)
    assert (natural | undecided)[:rows].all()
    assert found.cut_deg == pytest.approx(86.5, abs=0.2)


def test_an_uncertain_rule_leaves_granules_undecided() -> None:
    day = dt.date(2018, 12, 9)
    expected = expect(SATELLITES["Terra"], GLOBE, day)
    sure = Terminator(86.5, 0.1, 84.0, 300.0, certain=True, note="")
    natural, _ = dark_by_nature(expected, sure)
    less, undecided = dark_by_nature(expected, replace(sure, certain=False))
    assert (natural & ~less).any()
    assert (undecided | less)[natural].all()
