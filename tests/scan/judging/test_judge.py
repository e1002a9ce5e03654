"""The passes over pictures: whose neighbours are whose, and what a day costs in memory."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from gibswatch.archive.layout import Layout
from gibswatch.raster.observe import Observation
from gibswatch.scan.judging.judge import Sighting, _thinned, day_tasks, fit_sightings
from gibswatch.scan.outputs.rasters import DayFiles
from gibswatch.scan.pictures import ArchivedDay, Picture
from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
TERRA = SATELLITES["Terra"]
START = dt.date(2017, 3, 1)
TILE = Georeference(4326, -36.0, 36.0, 0.140625, 0.140625, 512, 512)
LAYOUT = Layout(Path("data"), LAYER, 4326)


def _day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def _edges(number: int) -> DayEdges:
    covered = pass_geometry(anchor_orbit(TERRA, _day(number)), TILE, _day(number)).covered
    return find_edges(~covered, TILE, _day(number))


def _sighting(number: int, edges: DayEdges | None = None, usable: float = 1.0) -> Sighting:
    day = _day(number)
    picture = Picture(
        ArchivedDay(Path("data"), LAYER, 4326, day), LAYER, f"data/4326/{day}/{LAYER}.jpg",
        "name", {"ok": 50}, LAYOUT.mask(day), DayFiles(LAYOUT, day),
    )  # fmt: skip
    if edges is not None:
        edges = replace(
            edges, day=day, latitude_deg=edges.latitude_deg.copy(),
            longitude_deg=edges.longitude_deg.copy(), is_east=edges.is_east.copy(),
        )  # fmt: skip
    return Sighting(picture, Observation(day, 0.12, usable), edges)


def test_neighbours_are_the_whole_days_within_thirty_the_nearest_first() -> None:
    seen = [_sighting(n, usable=0.5 if n == 39 else 1.0) for n in range(80)]
    tasks = day_tasks(seen, 80, "gibswatch", None)
    days = [o.date for o in tasks[40].neighbours]
    assert days[:3] == [_day(41), _day(38), _day(42)]
    assert set(days) == {_day(n) for n in range(10, 71)} - {_day(40), _day(39)}
    assert [ref.date for ref in tasks[40].nearest] == days[:6]
    assert len(tasks[0].neighbours) == 30
    assert all(task.sky is None for task in tasks)


def test_pictures_that_are_not_asked_for_are_neighbours_and_no_task() -> None:
    seen = [_sighting(5), *(_sighting(n) for n in range(5))]
    (task,) = day_tasks(seen, 1, "gibswatch", None)
    assert [o.date for o in task.neighbours] == [_day(n) for n in (4, 3, 2, 1, 0)]


def test_each_day_is_judged_by_an_orbit_of_the_others() -> None:
    seen = [_sighting(n, _thinned(_edges(n))) for n in range(4)]
    orbits = fit_sightings(seen, LAYER)
    tasks = day_tasks(seen, 4, "gibswatch", orbits)
    for number, task in enumerate(tasks):
        assert task.sky is not None
        assert task.sky.orbit.source == "fit"
        assert task.sky.orbit.valid[0] <= _day(number) <= task.sky.orbit.valid[1]
    assert day_tasks([replace(seen[0], observation=None)], 1, "gibswatch", orbits) == []


def test_two_pictures_of_a_day_give_one_fit() -> None:
    seen = [_sighting(n, _thinned(_edges(n))) for n in (0, 0, 1)]
    orbits = fit_sightings(seen, LAYER)
    assert orbits is not None
    assert orbits.fit is not None
    assert orbits.fit.days == 2


def test_layers_that_are_no_daylight_imagery_have_no_orbit() -> None:
    assert fit_sightings([], "MODIS_Terra_NDVI_8Day") is None
    assert fit_sightings([], "VIIRS_SNPP_DayNightBand_ENCC") is None


def test_thinned_edges_say_the_same() -> None:
    whole = [_edges(n) for n in range(3)]
    thin = [_thinned(edges) for edges in whole]
    assert all(len(edges) > 700 for edges in whole)
    assert all(150 < len(edges) <= 256 for edges in thin)
    assert all(edges.is_east.any() and (~edges.is_east).any() for edges in thin)
    found = [
        fit_sightings([_sighting(n, edges) for n, edges in enumerate(days)], LAYER)
        for days in (whole, thin)
    ]
    assert found[0] is not None
    assert found[1] is not None
    one, other = (orbits.orbit_for(_day(1)).node_lon_deg for orbits in found if orbits)
    assert one == pytest.approx(other, abs=0.1 * TILE.pixel_width)
    assert _thinned(thin[0]) is thin[0]


def test_a_year_of_records_takes_under_three_megabytes() -> None:
    edges = _thinned(_edges(0))
    tracemalloc.start()
    try:
        seen = [_sighting(n, edges) for n in range(365)]
        tasks = day_tasks(seen, 365, "gibswatch", None)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(tasks) == 365
    assert taken < 3e6
