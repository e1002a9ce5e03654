"""Fitted orbits: against masks drawn from known ones, and against real tiles of 2023."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.sky.eras import Era
from gibswatch.sky.fit import FitRefused, OrbitFit, fit_orbits, has_gaps
from gibswatch.sky.orbit import Orbit, anchor_orbit, wrap_degrees
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.phases import crossing_offset_deg
from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.sky.timescale import DAY_S, day_start_s
from gibswatch.sky.tle import orbit_from_tle
from gibswatch.types import BoolArray, Georeference

TERRA, AQUA = SATELLITES["Terra"], SATELLITES["Aqua"]
START = dt.date(2023, 3, 1)
TILE = Georeference(4326, -36.0, 18.0, 36 / 256, 36 / 256, 256, 256)
ARCTIC = Georeference(4326, -36.0, 90.0, 36 / 256, 36 / 256, 256, 256)
COARSE = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 640)

Curve = Callable[[int], float]
"""From the number of a day to the longitude of the crossing near longitude 0, before wrapping."""


def drifting(number: int) -> float:
    return 0.45 * number + 1e-4 * number**2


def true_orbit(number: int, curve: Curve = drifting, satellite: Satellite = TERRA) -> Orbit:
    """Orbit of day `number`; the phase of the gaps follows the curve."""
    day = START + dt.timedelta(days=number)
    drift = min(curve(number + 1) - curve(number), curve(number) - curve(number - 1), key=abs)
    shape = anchor_orbit(satellite, day)
    counted_by = satellite.spacing_deg
    spacing = counted_by / (1.0 + drift / 360.0)
    at_zero = (curve(number) + 360.0 * number + counted_by / 2) % counted_by - counted_by / 2
    crossing = at_zero / (1.0 + drift / 360.0)
    half_turn = 0.0 if satellite.day_node == "ascending" else 0.5
    local_time = 10.0 / 24 if satellite is TERRA else 13.5 / 24
    period = 240.0 * spacing
    noon = day_start_s(day) + DAY_S * (local_time - crossing / 360.0)
    orbit = replace(shape, spacing_deg=spacing, period_s=period, semi_major_km=7077.0)
    return replace(
        orbit,
        node_time_s=noon - half_turn * period,
        node_lon_deg=wrap_degrees(crossing - crossing_offset_deg(orbit)),
    )


def drawn(
    number: int,
    curve: Curve = drifting,
    satellite: Satellite = TERRA,
    place: Georeference = TILE,
) -> BoolArray:
    """Mask of a day, by the forward model of `pass_geometry`, with specks of dark sea."""
    orbit = true_orbit(number, curve, satellite)
    day = START + dt.timedelta(days=number)
    black = ~pass_geometry(orbit, place, day).covered
    rng = np.random.default_rng(number)
    return np.asarray(black ^ (rng.random(place.shape) < 0.002))


def edges_of(
    numbers: Sequence[int],
    curve: Curve = drifting,
    satellite: Satellite = TERRA,
    place: Georeference = TILE,
) -> list[DayEdges]:
    return [
        find_edges(drawn(n, curve, satellite, place), place, START + dt.timedelta(days=n))
        for n in numbers
    ]


def fitted(edges: Sequence[DayEdges], prior: Orbit | None = None) -> OrbitFit:
    fit = fit_orbits(edges, TERRA, prior=prior)
    assert isinstance(fit, OrbitFit), fit
    return fit


def error_deg(orbit: Orbit | None, number: int, curve: Curve = drifting) -> float:
    """Difference of the crossings near longitude 0."""
    assert orbit is not None
    truth = true_orbit(number, curve, orbit.record)
    mine, other = (o.node_lon_deg + crossing_offset_deg(o) for o in (orbit, truth))
    return (mine - other + orbit.spacing_deg / 2) % orbit.spacing_deg - orbit.spacing_deg / 2


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def test_leave_one_out_and_forecast() -> None:
    fit = fitted(edges_of(range(20)))
    assert [len(era.phases) for era in fit.eras] == [20]
    for n in range(20):
        orbit = fit.orbit_for(day(n), without={day(n)})
        assert abs(error_deg(orbit, n)) < 0.03  # a fifth of a pixel
        assert orbit is not None
        assert orbit.source == "fit"
        assert orbit.spacing_deg == pytest.approx(true_orbit(n).spacing_deg, abs=0.002)
        assert orbit.longitude_sigma_deg < 0.05
    inside, ahead = fit.orbit_for(day(10)), fit.orbit_for(day(27))
    assert abs(error_deg(ahead, 27)) < 0.15
    assert inside is not None
    assert ahead is not None
    assert ahead.longitude_sigma_deg > inside.longitude_sigma_deg
    assert fit.orbit_for(day(60)) is None
    assert fit.orbit_for(day(10), without={day(n) for n in range(20)}) is None


def test_the_half_width_and_the_inclination_are_found() -> None:
    """Drawn with 7077 km and the grid's inclination; the grid's own altitude is 5 km higher."""
    edges = edges_of(range(8), place=Georeference(4326, -36.0, 18.0, 36 / 512, 36 / 512, 512, 512))
    orbit = fitted(edges).orbit_for(day(4))
    assert orbit is not None
    assert orbit.inclination_deg == pytest.approx(true_orbit(4).inclination_deg, abs=0.02)
    assert orbit.semi_major_km == pytest.approx(7075.5, abs=1.0)
    assert orbit.half_angle_deg == pytest.approx(55.02, abs=0.02)  # makes up for 1.5 km


def test_all_passes_of_a_globe_are_where_they_were_drawn() -> None:
    fit = fitted(edges_of(range(4), place=COARSE))
    orbit = fit.orbit_for(day(3))
    assert abs(error_deg(orbit, 3)) < 0.05
    assert orbit is not None
    expected = ~pass_geometry(orbit, COARSE, day(3)).covered
    truth = ~pass_geometry(true_orbit(3), COARSE, day(3)).covered
    tropics = slice(115, 205)
    assert (expected & truth)[tropics].sum() / (expected | truth)[tropics].sum() > 0.95


def test_two_days_and_a_stale_spacing() -> None:
    fit = fitted(edges_of([4, 5]))
    assert abs(error_deg(fit.orbit_for(day(6)), 6)) < 0.1
    assert fit.eras[0].shape.spacing_deg == pytest.approx(true_orbit(4).spacing_deg, abs=0.003)


def test_one_day_tells_its_own_passes_and_says_how_little_of_others() -> None:
    fit = fitted(edges_of([4]))
    own, later = fit.orbit_for(day(4)), fit.orbit_for(day(7))
    assert abs(error_deg(own, 4)) < 0.05
    assert later is not None
    assert abs(error_deg(later, 7)) < 3 * later.longitude_sigma_deg
    assert later.longitude_sigma_deg > 1.0  # the grid was left: its spacing is of no use
    assert "1 day of imagery" in later.note
    assert fit.orbit_for(day(14)) is None


def test_half_of_the_days_are_missing() -> None:
    numbers = sorted(np.random.default_rng(3).choice(40, 20, replace=False).tolist())
    fit = fitted(edges_of(numbers))
    assert [len(era.phases) for era in fit.eras] == [20]
    errors = [error_deg(fit.orbit_for(day(n), without={day(n)}), n) for n in range(40)]
    assert max(map(abs, errors)) < 0.1


def manoeuvred(number: int) -> float:
    """On day 12 the satellite jumps back by 0.8 degree and drifts the other way."""
    return 0.45 * number if number < 12 else 0.45 * 12 - 0.8 - 0.2 * (number - 12)


def test_a_manoeuvre_in_the_middle_begins_an_era() -> None:
    edges = edges_of(range(24), manoeuvred)
    fit = fitted(edges)
    assert [era.first for era in fit.eras] == [day(0), day(12)]
    assert fit.eras[0].last == day(11)
    for n in (2, 8, 9, 14, 18, 23):
        orbit = fit.orbit_for(day(n), without={day(n)})
        assert abs(error_deg(orbit, n, manoeuvred)) < 0.05
    before = fit.eras[0].shape.spacing_deg - fit.eras[1].shape.spacing_deg
    assert before == pytest.approx(-0.65 / 360 * 24.72, abs=0.005)


@pytest.mark.parametrize("jump", [0.8, 1.89])
def test_a_new_curve_that_crosses_the_old_one(jump: float) -> None:
    def crossing(number: int) -> float:
        return 0.47 * number if number < 12 else 0.47 * 12 - jump + 0.94 * (number - 12)

    fit = fitted(edges_of(range(24), crossing))
    assert [era.first for era in fit.eras] == [day(0), day(12)]
    assert not any(era.outliers for era in fit.eras)
    errors = [error_deg(fit.orbit_for(day(n)), n, crossing) for n in range(24)]
    assert max(map(abs, errors)) < 0.1


def test_a_day_off_the_curve_is_an_outlier_and_starts_no_era() -> None:
    edges = edges_of(range(12))
    edges[6] = replace(edges[6], longitude_deg=edges[6].longitude_deg + 2.0)
    fit = fitted(edges)
    assert [era.outliers for era in fit.eras] == [(day(6),)]
    assert abs(error_deg(fit.orbit_for(day(6)), 6)) < 0.05


@pytest.mark.parametrize("odd", [0, 11])
def test_an_outlier_may_be_the_first_or_the_last_day(odd: int) -> None:
    edges = edges_of(range(12))
    edges[odd] = replace(edges[odd], longitude_deg=edges[odd].longitude_deg + 6.0)
    fit = fitted(edges)
    assert [era.outliers for era in fit.eras] == [(day(odd),)]
    assert abs(error_deg(fit.orbit_for(day(odd)), odd)) < 0.1


def test_a_day_with_a_missing_pass() -> None:
    edges = []
    for n in range(9):
        mask = drawn(n)
        if n == 4:  # the pass over the middle of the tile is not there
            orbit = true_orbit(4)
            geometry = pass_geometry(orbit, TILE, day(4))
            numbers, counts = np.unique(geometry.pass_index, return_counts=True)
            mask |= geometry.pass_index == numbers[np.argmax(counts)]
            assert mask.mean() > 0.4
        edges.append(find_edges(mask, TILE, day(n)))
    fit = fitted(edges)
    for without in ((), {day(4)}):
        assert abs(error_deg(fit.orbit_for(day(4), without=without), 4)) < 0.05
    assert all(abs(fit.residual_px(phase)) < 0.5 for era in fit.eras for phase in era.phases)


def test_only_polar_tiles_say_that_they_cannot() -> None:
    refused = fit_orbits(edges_of(range(5), place=ARCTIC), TERRA)
    assert isinstance(refused, FitRefused)
    assert "no picture shows gaps" in refused.reason


def test_no_days_at_all() -> None:
    assert isinstance(fit_orbits([], TERRA), FitRefused)


@pytest.mark.parametrize(("drawn_of", "asked"), [(TERRA, AQUA), (AQUA, TERRA)])
def test_a_wrong_satellite_says_so(drawn_of: Satellite, asked: Satellite) -> None:
    refused = fit_orbits(edges_of(range(6), satellite=drawn_of), asked)
    assert isinstance(refused, FitRefused)
    assert refused.satellite == asked.name
    assert f"as those of {drawn_of.name}: these are its gaps" in refused.reason


def test_viirs_has_no_gaps() -> None:
    assert [name for name, satellite in SATELLITES.items() if has_gaps(satellite)] == [
        "Terra",
        "Aqua",
    ]
    refused = fit_orbits(edges_of(range(3)), SATELLITES["SNPP"])
    assert isinstance(refused, FitRefused)
    assert "VIIRS overlap" in refused.reason


def test_gaps_that_do_not_move_are_no_satellites() -> None:
    first = edges_of([0])[0]
    same = [replace(first, day=day(n)) for n in range(8)]
    refused = fit_orbits(same, TERRA)
    assert isinstance(refused, FitRefused)
    assert "do not move" in refused.reason


def test_specks_are_no_gaps() -> None:
    rng = np.random.default_rng(5)
    noise = [
        replace(
            edges,
            longitude_deg=rng.uniform(-36, 0, len(edges)),
            latitude_deg=rng.uniform(-18, 18, len(edges)),
        )
        for edges in edges_of(range(3))
    ]
    refused = fit_orbits(noise, TERRA)
    assert isinstance(refused, FitRefused)
    assert "these are not its gaps" in refused.reason


def test_a_prior_gives_the_local_time_and_imagery_the_longitude() -> None:
    wrong = replace(
        true_orbit(0), source="tle", node_lon_deg=true_orbit(0).node_lon_deg + 0.7, time_sigma_s=2.0
    )
    fit = fitted(edges_of([0]), prior=wrong)
    orbit = fit.orbit_for(day(1))
    assert abs(error_deg(orbit, 1)) < 0.2  # of one day: the prior's spacing is a fair one
    assert orbit is not None
    assert orbit.time_sigma_s == 2.0
    mine = orbit.node_time_s + 240.0 * orbit.node_lon_deg
    given = wrong.node_time_s + 240.0 * wrong.node_lon_deg
    half = DAY_S / 2
    assert abs((mine - given + half) % DAY_S - half) < 5.0
    assert "two-line" in orbit.note


def test_a_fit_is_the_same_for_days_in_any_order() -> None:
    edges = edges_of(range(6))
    assert fitted(edges) == fitted(edges[::-1])


def test_what_cannot_be_asked() -> None:
    edges = edges_of([0])
    with pytest.raises(ValueError, match="given twice"):
        fit_orbits([*edges, *edges], TERRA)
    with pytest.raises(ValueError, match="of Aqua, not of Terra"):
        fit_orbits(edges, TERRA, prior=anchor_orbit(AQUA, START))


def test_newer_days_take_the_place_of_older_ones() -> None:
    edges = edges_of(range(20))
    old, new = fitted(edges[:14]), fitted(edges[10:])
    both = old.joined(new)
    assert [(era.first, era.last) for era in both.eras] == [(day(0), day(9)), (day(10), day(19))]
    assert both.days == 20
    assert abs(error_deg(both.orbit_for(day(5), without={day(5)}), 5)) < 0.05
    inside = new.joined(fitted(edges[12:15]))
    assert [era.first for era in inside.eras] == [day(10), day(12), day(15)]
    assert old.joined(replace(new, eras=())) == old
    with pytest.raises(ValueError, match="cannot join"):
        old.joined(replace(new, satellite="Aqua"))


def test_years_apart_are_eras_of_their_own() -> None:
    on_grid: Curve = lambda number: 0.0  # noqa: E731
    edges = [*edges_of([0, 1, 2], on_grid), *edges_of([400], on_grid)]
    fit = fitted(edges)
    assert [era.first for era in fit.eras] == [day(0), day(400)]
    assert all(isinstance(era, Era) for era in fit.eras)
    assert abs(error_deg(fit.orbit_for(day(400)), 400, on_grid)) < 0.05


def _benchmark() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks/quality/orbit_fit.py"
    spec = importlib.util.spec_from_file_location("orbit_fit", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["orbit_fit"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


class Tiles:
    """The real tiles of 2023."""

    def __init__(self, folder: Path) -> None:
        self.benchmark = _benchmark()
        self.pictures: list[Any] = self.benchmark.read_tiles(folder)
        self.normal = [p for p in self.pictures if p.day != self.benchmark.FAULTY]

    def agreements(self, orbits: Mapping[dt.date, Orbit]) -> list[Any]:
        normal = [p for p in self.normal if p.day in orbits]
        return [self.benchmark.compare(p, orbits[p.day]) for p in normal]

    def crossing_rms(self, orbits: Mapping[dt.date, Orbit]) -> float:
        errors = self.benchmark.crossing_errors_deg(self.pictures, orbits)
        assert len(errors) > 0.9 * len(orbits)
        return float(np.sqrt(np.mean(np.square(list(errors.values())))))


@pytest.fixture(scope="module")
def tiles(real_data: Path) -> Tiles:
    return Tiles(real_data / "real" / "terra_tile_2023" / "TrueColor")


@pytest.mark.realdata
def test_real_tiles_leave_one_out(tiles: Tiles) -> None:
    orbits = tiles.benchmark.leave_one_out(tiles.pictures)
    assert len(orbits) == 227
    assert tiles.crossing_rms(orbits) < 0.005  # issue 5 asks for 0.1
    found = tiles.agreements(orbits)
    iou = [each.iou for each in found]
    assert np.median(iou) >= 0.985
    assert np.percentile(iou, 5) >= 0.985  # issue 5 asks for 0.97
    blocks = np.concatenate([each.edge_px for each in found])
    assert np.percentile(blocks, 99) <= 1.0
    assert np.percentile(np.concatenate([each.row_px for each in found]), 99) <= 1.3
    # 2023-07-16 misses scans, a strip of 0.86 % of the tile; no other day has 0.05 %.
    odd = [p.day for p, each in zip(tiles.normal, found, strict=True) if each.unexplained >= 0.05]
    assert odd == [dt.date(2023, 7, 16)]
    assert max(each.wrongly_explained for each in found) < 0.5


@pytest.mark.realdata
def test_real_tiles_from_the_days_before_only(tiles: Tiles) -> None:
    orbits = tiles.benchmark.causal(tiles.pictures[100:160])
    assert len(orbits) == 58
    assert tiles.crossing_rms(orbits) < 0.01
    iou = [each.iou for each in tiles.agreements(orbits)]
    assert np.median(iou) >= 0.985
    assert np.percentile(iou, 5) >= 0.985


@pytest.mark.realdata
def test_real_tiles_from_two_days_and_a_stale_spacing(tiles: Tiles) -> None:
    orbits = tiles.benchmark.causal(tiles.normal[120:180], days=2)
    iou = [each.iou for each in tiles.agreements(orbits)]
    assert np.median(iou) >= 0.98
    assert np.percentile(iou, 5) >= 0.98


@pytest.mark.realdata
def test_a_day_that_misses_half_says_nothing_and_disturbs_nothing(tiles: Tiles) -> None:
    faulty = tiles.benchmark.FAULTY
    fit = fitted([p.edges for p in tiles.pictures[200:]])
    assert faulty not in {phase.day for era in fit.eras for phase in era.phases}
    assert fit.orbit_for(faulty) == fit.orbit_for(faulty, without={faulty})


@pytest.mark.realdata
def test_real_elements_agree_with_the_fit(tiles: Tiles, real_data: Path) -> None:
    """Terra's element set of 2023-06-21: science.md says within 0.1-0.55 pixel."""
    lines = (real_data / "tle.txt").read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("1 25994U 99068A   23172"))
    when = dt.date(2023, 6, 21)
    given = orbit_from_tle(lines[first : first + 2], when)
    orbit = fitted([p.edges for p in tiles.pictures], prior=given).orbit_for(when)
    assert orbit is not None
    mine, other = (o.node_lon_deg + crossing_offset_deg(o) for o in (orbit, given))
    half = orbit.spacing_deg / 2
    assert abs((mine - other + half) % orbit.spacing_deg - half) < 0.05
    assert orbit.spacing_deg == pytest.approx(given.spacing_deg, abs=0.002)


@pytest.mark.realdata
def test_level_0_and_days_of_the_globe(real_data: Path) -> None:
    benchmark = _benchmark()
    data = real_data / "real"
    low = [
        benchmark.read_black(p, benchmark.ZOOM_0, 12)
        for p in sorted((data / "terra_z0_2017").glob("*.png"))
    ]
    fit = fitted([p.edges for p in low])
    for picture in low:
        orbit = fit.orbit_for(picture.day, without={picture.day})
        black, _ = benchmark.tropical(picture.black, benchmark.ZOOM_0, picture.day, orbit)
        assert black >= 0.70
    for name in ("2020-09-12.png", "2022-09-12.png"):
        path = data / "global_days" / f"MODIS_Terra_CorrectedReflectance_TrueColor_{name}"
        place = Georeference(4326, -180.0, 90.0, 360 / 2048, 180 / 1024, 1024, 2048)
        picture = benchmark.read_black(path, place, 8)
        orbit = fitted([picture.edges]).orbit_for(picture.day)
        black, covered = benchmark.tropical(picture.black, place, picture.day, orbit)
        assert black >= 0.85
        assert covered >= 0.985
