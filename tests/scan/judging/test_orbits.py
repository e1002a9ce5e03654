"""Which orbit a scan judges by, and what it keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gibswatch.archive.fits import fits_path
from gibswatch.archive.layout import Layout
from gibswatch.errors import UsageError
from gibswatch.scan.judging.orbits import layer_orbits
from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
VIIRS = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
TERRA = SATELLITES["Terra"]
START = dt.date(2017, 3, 1)
TILE = Georeference(4326, -36.0, 18.0, 36 / 256, 36 / 256, 256, 256)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def edges_of(numbers: Sequence[int]) -> list[DayEdges]:
    """Gaps on the 16-day grid."""
    found = []
    for n in numbers:
        covered = pass_geometry(anchor_orbit(TERRA, day(n)), TILE, day(n)).covered
        found.append(find_edges(~covered, TILE, day(n)))
    return found


def elements(real_data: Path, start: str) -> tuple[str, dt.date]:
    """Two-line elements whose first line begins so, and their day."""
    lines = (real_data / "tle.txt").read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(start))
    year, of_year = 2000 + int(lines[first][18:20]), float(lines[first][20:32])
    on = dt.date(year, 1, 1) + dt.timedelta(days=int(of_year) - 1)
    return "\n".join(lines[first : first + 2]), on


def no_edges(on: dt.date) -> DayEdges:
    return DayEdges(on, 0.1, np.empty(0), np.empty(0), np.empty(0, dtype=bool))


def test_a_layer_of_no_satellite_has_no_orbits() -> None:
    assert layer_orbits([], "MODIS_Combined_Value-Added_AOD") is None


def test_a_fit_by_the_other_days_is_kept_for_the_next_scan(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    orbits = layer_orbits(edges_of(range(6)), LAYER, layout=layout)
    assert orbits is not None
    assert orbits.notes == ()
    assert orbits.orbit_for(day(3)).source == "fit"
    assert fits_path(layout).is_file()
    again = layer_orbits([], LAYER, layout=layout)
    assert again is not None
    assert again.orbit_for(day(3)) == orbits.orbit_for(day(3))
    later = layer_orbits(edges_of([6, 7]), LAYER, layout=layout)
    assert later is not None
    assert later.fit is not None
    assert later.fit.days == 8


def test_far_from_every_picture_the_grid_is_taken(tmp_path: Path) -> None:
    orbits = layer_orbits(edges_of(range(3)), LAYER)
    assert orbits is not None
    assert orbits.orbit_for(day(200)).source == "anchor"
    assert list(tmp_path.iterdir()) == []


def test_viirs_says_why_it_is_not_fitted() -> None:
    orbits = layer_orbits(edges_of(range(3)), VIIRS)
    assert orbits is not None
    assert "overlap" in orbits.notes[0]
    assert orbits.orbit_for(day(0)).source == "anchor"


def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    fits_path(layout).parent.mkdir(parents=True)
    fits_path(layout).write_text("{")
    orbits = layer_orbits(edges_of(range(3)), LAYER, layout=layout)
    assert orbits is not None
    assert "damaged" in orbits.notes[0]
    assert orbits.orbit_for(day(1)).source == "fit"
    assert fits_path(layout).read_text() == "{"


@pytest.mark.realdata
def test_elements_of_another_satellite_are_refused(real_data: Path) -> None:
    text, on = elements(real_data, "1 27424U 02022A   16057")
    with pytest.raises(UsageError, match="of Aqua, the layer is of Terra"):
        layer_orbits([no_edges(on)], LAYER, tle=text)


@pytest.mark.realdata
def test_elements_stand_in_where_imagery_says_nothing(real_data: Path) -> None:
    text, on = elements(real_data, "1 25994U 99068A   23172")
    orbits = layer_orbits([no_edges(on)], LAYER, tle=text)
    assert orbits is not None
    assert "no picture shows gaps" in orbits.notes[0]
    assert orbits.orbit_for(on).source == "tle"
    assert orbits.orbit_for(on + dt.timedelta(days=100)).source == "anchor"
    year = [no_edges(on + dt.timedelta(days=n)) for n in range(300)]
    assert layer_orbits(year, LAYER, tle=text) is not None  # the first day is near enough


@pytest.mark.realdata
def test_elements_give_the_time_and_imagery_the_longitude(real_data: Path) -> None:
    text, on = elements(real_data, "1 25994U 99068A   17118")
    numbers = range((on - START).days - 2, (on - START).days + 3)
    orbits = layer_orbits(edges_of(numbers), LAYER, tle=text)
    assert orbits is not None
    orbit = orbits.orbit_for(on)
    assert orbit.source == "fit"
    assert "local time by a two-line element set" in orbit.note
    assert orbit.time_sigma_s < 5.0
