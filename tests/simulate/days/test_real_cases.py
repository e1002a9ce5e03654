"""Days that were: miscoloured granules, an eclipse, an orbit missing, a roll towards the Moon."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.faults.draw import draw_day
from gibswatch.simulate.days.faults.plan import read_plan
from gibswatch.simulate.days.spec import SimulatedDay
from gibswatch.sky.timescale import epoch_s
from gibswatch.types import Georeference, Kind

PLANS = Path(__file__).resolve().parents[3] / "benchmarks" / "plans"
GLOBE = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 640)


def planned(name: str, satellite: str, day: dt.date, seed: int = 3) -> SimulatedDay:
    plan = read_plan(PLANS / f"{name}.toml")
    spec = draw_day(seed, satellite, "TrueColor", day, faults=plan, invented=True)
    # The local time of the real satellite, so that announced times hit what they hit.
    return simulate_day(
        replace(spec, perturbation=replace(spec.perturbation, local_time_s=0.0)), GLOBE
    )


def test_2016_04_12_has_miscoloured_granules_and_wedges_at_tile_edges() -> None:
    day = planned("snpp-2016-04-12", "SNPP", dt.date(2016, 4, 12))
    assert day.truth.codes == (Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION)
    colour = (day.truth.label == Kind.MISCOLORATION) & day.truth.visible
    rgb = day.drawn[colour].astype(int)
    magenta = (rgb[:, 0] > rgb[:, 1] + 40) & (rgb[:, 2] > rgb[:, 1] + 40)
    assert magenta.sum() > 300
    wedges = day.truth.label == Kind.MISSING_UNEXPECTED
    edges = [round((lon + 180.0) / 0.5625) for lon in (-90.0, 90.0, 162.0)]
    for edge in edges:
        assert wedges[:, edge - 1].any()
        assert not wedges[:, edge].any()


@pytest.mark.parametrize("satellite", ["SNPP", "Terra"])
def test_2017_08_21_is_dark_over_north_america_and_nowhere_else(satellite: str) -> None:
    day = planned("eclipse-2017-08-21", satellite, dt.date(2017, 8, 21))
    truth = day.truth
    assert Kind.ECLIPSE_MISCOLORATION in truth.codes
    assert all(not code.is_fault for code in truth.codes)
    rows, cols = np.nonzero(truth.label)
    longitude, latitude = -180.0 + 0.5625 * cols, 90.0 - 0.5625 * rows
    assert -145.0 < longitude.min() < longitude.max() < -20.0
    assert -5.0 < latitude.min() < latitude.max() < 75.0
    assert truth.obscuration.max() > 0.9
    bright = day.drawn.max(axis=-1)
    deep = truth.obscuration > 0.85
    around = (truth.obscuration == 0) & (truth.coverage > 0)
    assert np.median(bright[deep]) < 0.7 * np.median(bright[around])
    assert not truth.visible.any()


def test_the_day_before_the_eclipse_has_none() -> None:
    day = planned("eclipse-2017-08-21", "SNPP", dt.date(2017, 8, 20))
    assert day.truth.codes == ()
    assert not day.truth.obscuration.any()


def test_an_orbit_that_is_missing_is_one_pass_from_pole_to_pole() -> None:
    day = planned("snpp-orbit-missing", "SNPP", dt.date(2018, 3, 20))
    hole = day.truth.label == Kind.MISSING_UNEXPECTED
    rows, cols = np.nonzero(hole)
    assert day.truth.codes == (Kind.MISSING_UNEXPECTED,)
    assert np.ptp(rows) * 0.5625 > 100.0
    widths = [np.ptp(cols[rows == row]) * 0.5625 for row in range(150, 170)]
    assert max(widths) < 32.0
    assert day.truth.substituted.any()
    assert hole[160, round(200.0 / 0.5625)]


def test_a_roll_is_where_it_was_announced_and_no_fault() -> None:
    day = planned("snpp-lunar-roll-2015-12-21", "SNPP", dt.date(2015, 12, 21))
    (region,) = day.truth.regions
    assert day.truth.codes == (Kind.MISSING_EXPECTED,)
    assert region.substituted_pixels > 0
    first = epoch_s(dt.datetime(2015, 12, 21, 13, 30, 44, tzinfo=dt.UTC))
    clean = simulate_day(replace(day.spec, faults=()), GLOBE).truth
    hit = (clean.time_s >= first) & (clean.time_s < first + 720.0)
    assert np.array_equal(hit, day.truth.region == 1)
