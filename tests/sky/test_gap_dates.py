"""Dates from the place of the gaps: on the 16-day grid and beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.sky.gap_dates import fits_gaps, gap_dates, gap_offset_deg
from gibswatch.sky.orbit import Orbit, anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference

TERRA = SATELLITES["Terra"]
DAY = dt.date(2017, 1, 4)
TILE = Georeference(4326, -36.0, 18.0, 36 / 256, 36 / 256, 256, 256)


def grid(day: dt.date) -> Orbit:
    return anchor_orbit(TERRA, day)


@pytest.fixture(scope="module")
def edges() -> DayEdges:
    covered = pass_geometry(grid(DAY), TILE, DAY).covered
    return find_edges(~covered, TILE, DAY)


def test_gaps_lie_where_their_day_puts_them(edges: DayEdges) -> None:
    assert abs(gap_offset_deg(edges, grid(DAY), DAY)) < 0.05
    assert fits_gaps(edges, DAY, grid(DAY))
    assert gap_dates(edges, DAY, grid) is None


@pytest.mark.parametrize("step", [-7, -1, 2, 8, 15])
def test_every_other_day_of_sixteen_is_told(edges: DayEdges, step: int) -> None:
    other = DAY + dt.timedelta(days=step)
    wrong = gap_dates(edges, other, grid)
    assert wrong is not None
    assert abs(wrong.offset_deg) > 1.5
    assert DAY in wrong.likely
    assert {abs((day - DAY).days) % 16 for day in wrong.likely} == {0}
    assert gap_dates(edges, other + dt.timedelta(days=16 - step), grid) is None


def test_offsets_do_not_depend_on_the_day_that_edges_name(edges: DayEdges) -> None:
    later = DAY + dt.timedelta(days=3)
    renamed = replace(edges, day=later)
    same = gap_offset_deg(renamed, grid(later), later)
    assert same == pytest.approx(gap_offset_deg(edges, grid(later), later), abs=1e-6)


def test_an_orbit_that_is_not_known_says_nothing(edges: DayEdges) -> None:
    other = DAY + dt.timedelta(days=1)
    vague = replace(grid(other), longitude_sigma_deg=0.5)
    assert gap_dates(edges, other, lambda _day: vague) is None
    assert gap_dates(edges, other, lambda _day: None) is None
    assert not fits_gaps(edges, DAY, vague)


def test_edges_of_no_gaps_say_nothing() -> None:
    places = np.random.default_rng(3)
    count = 300
    scattered = DayEdges(
        DAY,
        0.14,
        places.uniform(-18, 18, count),
        places.uniform(-36, 0, count),
        places.random(count) < 0.5,
    )
    assert np.isnan(gap_offset_deg(scattered, grid(DAY), DAY))
    assert gap_dates(scattered, DAY + dt.timedelta(days=1), grid) is None
