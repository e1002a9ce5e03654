"""Granules and swath edges off their place, found by the colours of clear days."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.missing.granules import granules_of
from gibswatch.detect.swath.pixels import from_track_km, swath_pixels
from gibswatch.detect.warp.cells import GranuleCells, SwathCells, granules_in, swath_cells
from gibswatch.detect.warp.clear_sky import ClearSky, colour_planes, every_pixel
from gibswatch.detect.warp.edges import edge_evidence, edge_warps
from gibswatch.detect.warp.evidence import Displacement, best_runs
from gibswatch.detect.warp.offset import offset_evidence, offsets
from gibswatch.detect.warp.rule import find_warps
from gibswatch.detect.warp.spread import rest_of_evidence
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2018, 4, 10)
_SNPP = SATELLITES["SNPP"]
_BOX = Georeference(4326, -20.0, 60.0, 0.2, 0.2, 400, 450)
_KM_PER_PIXEL = 0.2 * 111.3
_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))
_LAND, _SEA = (0.16, 0.12, 0.07), (0.03, 0.05, 0.09)

Floats = NDArray[np.float64]


def _noise(seed: int, size: float) -> Floats:
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=_BOX.shape), size, mode="wrap")
    return np.asarray(field / field.std())


def _surface() -> Floats:
    """Reflectance of land and sea, (rows, cols, 3)."""
    land = (_noise(1, 6.0) + 0.5 * _noise(2, 2.5) > 0.0)[..., np.newaxis]
    return np.where(land, _LAND, _SEA)


def _weather(seed: int, cover: float = 0.0) -> Floats:
    """Reflectance of grey clouds, (rows, cols, 1)."""
    cloud = np.clip(_noise(seed, 5.0) + 0.6 * _noise(seed + 1000, 1.5) + cover, 0.0, 2.0)
    return np.asarray(cloud[..., np.newaxis] * 0.3)


def _scene(reflectance: Floats, day: dt.date, covered: BoolArray) -> Scene:
    level = np.interp(np.clip(reflectance, 0, 1.1) / 1.1 * 255, *_KNOTS)
    pixels = np.rint(level).astype(np.uint8)
    pixels[~covered] = 0
    return scene_from_picture(
        pixels, layer="VIIRS_SNPP_CorrectedReflectance_TrueColor", date=day, image_format="jpg",
        georeference=_BOX, provenance="test",
    )  # fmt: skip


def _shown(reflectance: Floats, where: BoolArray, down: Floats, right: Floats) -> Floats:
    """Show at some pixels what lies so many rows and columns away."""
    rows, cols = np.nonzero(where)
    row = np.clip(np.rint(rows + down[where]), 0, _BOX.rows - 1).astype(int)
    col = np.clip(np.rint(cols + right[where]), 0, _BOX.cols - 1).astype(int)
    changed = reflectance.copy()
    changed[rows, cols] = reflectance[row, col]
    return changed


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(_SNPP, _BOX, _DAY, anchor_orbit(_SNPP, _DAY))


@pytest.fixture(scope="module")
def clear(expected: Expectation) -> ClearSky:
    found = ClearSky(_BOX)
    for n in range(1, 6):
        scene = _scene(_surface() + _weather(10 + n), _DAY + dt.timedelta(days=n), expected.covered)
        found.add(scene, observe(scene)[1])
    return found


def _granule(expected: Expectation) -> BoolArray:
    index = granules_of(expected).index
    sizes = np.bincount(index[expected.covered & (index >= 0)])
    return np.asarray((index == sizes.argmax()) & expected.covered)


def _off(expected: Expectation, km: float, bearing_deg: float) -> Scene:
    """A day of which one granule is displaced; the bearing is that of its imagery."""
    away, bearing = km / _KM_PER_PIXEL, math.radians(bearing_deg)
    down, right = np.full(_BOX.shape, math.cos(bearing)), np.full(_BOX.shape, -math.sin(bearing))
    true = _surface() + _weather(30)
    return _scene(
        _shown(true, _granule(expected), away * down, away * right), _DAY, expected.covered
    )


def _found(scene: Scene, expected: Expectation, clear: ClearSky) -> tuple[list[str], BoolArray]:
    black = observe(scene)[1]
    regions, score = find_warps(scene, black, expected, clear.without(scene, black))
    assert (score >= 0.5) == bool(regions)
    assert all(region.kind is Kind.EDGE_WARPING for region in regions)
    union = np.zeros(_BOX.shape, dtype=bool)
    for region in regions:
        union |= region.mask
    return [region.reason for region in regions], union


def test_a_day_on_its_place_has_none(expected: Expectation, clear: ClearSky) -> None:
    reasons, mask = _found(
        _scene(_surface() + _weather(30), _DAY, expected.covered), expected, clear
    )
    assert not reasons
    assert not mask.any()


@pytest.mark.parametrize("bearing_deg", [0.0, 100.0, 225.0])
def test_a_granule_off_its_place_is_found(
    expected: Expectation, clear: ClearSky, bearing_deg: float
) -> None:
    reasons, mask = _found(_off(expected, 150.0, bearing_deg), expected, clear)
    truth = _granule(expected)
    assert len(reasons) == 1
    assert (mask & truth).sum() > 0.9 * (mask | truth).sum()
    told = float(reasons[0].partition(" lies ")[2].partition(" km off")[0])
    # To the west it is less: a column is of 22 km at the equator alone.
    assert 100.0 <= told <= 180.0
    assert reasons[0].startswith("Edge warping: the pass at granule")
    assert "there its colours are those of clear days" in reasons[0]


def test_imagery_off_northward_lies_ahead_of_an_ascending_pass(
    expected: Expectation, clear: ClearSky
) -> None:
    (reason,), _ = _found(_off(expected, 150.0, 0.0), expected, clear)
    ahead, _, aside = reason.partition("(")[2].partition(" km ahead")
    assert float(ahead) == pytest.approx(150.0, abs=30.0)
    assert "and" in aside


def test_edges_that_warp_are_found(expected: Expectation, clear: ClearSky) -> None:
    away = np.nan_to_num(from_track_km(expected.cross_track_deg, _SNPP))
    reach = np.abs(away).max()
    grown = np.clip((np.abs(away) / reach - 0.4) / 0.6, 0.0, None) ** 2
    across = np.sign(np.gradient(away, axis=1)) * np.sign(away)
    toward = -across * grown * 300.0 / _KM_PER_PIXEL
    granule = _granule(expected)
    shown = _shown(_surface() + _weather(30), granule, np.zeros(_BOX.shape), toward)
    reasons, mask = _found(_scene(shown, _DAY, expected.covered), expected, clear)
    assert reasons
    assert "is displaced outwards towards its edges" in reasons[0]
    assert (mask & granule).sum() > 0.9 * mask.sum()
    assert not (mask & (np.abs(away) < 0.3 * reach)).any()


def test_under_closed_clouds_nothing_is_said(expected: Expectation, clear: ClearSky) -> None:
    true = np.full((*_BOX.shape, 3), 0.6) + _weather(30)
    granule, ones = _granule(expected), np.full(_BOX.shape, 7.0)
    reasons, _ = _found(
        _scene(_shown(true, granule, ones, ones), _DAY, expected.covered), expected, clear
    )
    assert not reasons


def test_without_clear_sky_or_pixels_nothing_is_said(expected: Expectation) -> None:
    scene = _off(expected, 150.0, 0.0)
    black = observe(scene)[1]
    assert find_warps(scene, black, expected, None) == ([], 0.0)
    planes = np.zeros((2, *_BOX.shape), dtype=np.float32)
    assert find_warps(scene, np.ones_like(black), expected, planes) == ([], 0.0)


def test_clear_sky_is_that_of_the_other_days(expected: Expectation) -> None:
    clear, scenes = ClearSky(_BOX), []
    for n in range(4):
        scene = _scene(_surface() + _weather(40 + n), _DAY + dt.timedelta(days=n), expected.covered)
        scenes.append(scene)
        clear.add(scene, observe(scene)[1])
    without = ClearSky(_BOX)
    for scene in scenes[1:]:
        without.add(scene, observe(scene)[1])
    black = observe(scenes[0])[1]
    mine, its = clear.without(scenes[0], black), without.without(scenes[0], black)
    assert mine is not None
    assert its is not None
    np.testing.assert_array_equal(np.isnan(mine), np.isnan(its))
    np.testing.assert_allclose(mine, its, atol=2e-3)
    other = replace(scenes[1], georeference=replace(_BOX, west=0.0))
    without.add(other, black)  # another grid: left out
    assert without.without(other, black) is None
    np.testing.assert_array_equal(without.without(scenes[0], black), its)


def test_clouds_hardly_show_in_it(expected: Expectation, clear: ClearSky) -> None:
    bare = _scene(_surface(), _DAY, expected.covered)
    found, colours = clear.without(bare, observe(bare)[1]), colour_planes(bare)
    assert found is not None
    lit = expected.covered & np.isfinite(found[0])
    assert np.corrcoef(found[0][lit], colours[0][lit])[0, 1] > 0.95
    one = _scene(_surface() + _weather(11), _DAY, expected.covered)
    assert np.corrcoef(colour_planes(one)[0][lit], colours[0][lit])[0, 1] < 0.9


def test_two_days_are_too_few(expected: Expectation) -> None:
    clear = ClearSky(_BOX)
    for n in range(3):
        scene = _scene(_surface(), _DAY + dt.timedelta(days=n), expected.covered)
        clear.add(scene, observe(scene)[1])
    black = observe(scene)[1]
    assert clear.without(scene, black) is None
    assert clear.without(replace(scene, date=_DAY - dt.timedelta(days=1)), black) is not None


@pytest.mark.parametrize(("degrees", "every"), [(0.2, 1), (0.0703125, 2), (0.0439453125, 3)])
def test_fine_pictures_are_thinned(degrees: float, every: int) -> None:
    picture = Georeference(4326, 0.0, 10.0, degrees, degrees, 64, 64)
    assert every_pixel(picture) == every
    metric = replace(picture, epsg=3413, pixel_height=degrees * 111_320, pixel_width=1e3)
    assert every_pixel(metric) == every


def _cells(expected: Expectation, scene: Scene, clear: ClearSky) -> SwathCells:
    black = observe(scene)[1]
    pixels, planes = swath_pixels(scene, black, expected), clear.without(scene, black)
    assert pixels is not None
    assert planes is not None
    return swath_cells(scene, pixels, planes, _SNPP, 0.2)


def test_correlations_are_those_of_the_definition(expected: Expectation, clear: ClearSky) -> None:
    """Fourier transforms against sums over the cells that two parts share."""
    cells = _cells(expected, _off(expected, 150.0, 100.0), clear)
    granules = granules_in(cells, _SNPP.granule_s)
    found = offset_evidence(cells, granules)
    number = int(found.max(axis=1).argmax())
    granule, evidence = granules[number], found[number]
    reach = (round(math.sqrt(evidence.size)) - 1) // 2

    def likelihood(along: int, beside: int) -> float:
        lines = np.arange(granule.first, granule.last) + along
        beams = np.arange(cells.now.shape[3]) + beside
        on, within = (lines >= 0) & (lines < cells.now.shape[2]), (beams >= 0)
        within &= beams < cells.now.shape[3]
        total = 0.0
        for colour in range(2):
            now = cells.now[colour, granule.pass_index, granule.first : granule.last]
            then = cells.clear[colour, granule.pass_index][np.ix_(lines[on], beams[within])]
            mine = now[np.ix_(on, within)]
            both = np.isfinite(mine) & np.isfinite(then)
            r = (mine[both] * then[both]).sum() / math.sqrt(
                (mine[both] ** 2).sum() * (then[both] ** 2).sum()
            )
            whole = np.isfinite(now) & np.isfinite(
                cells.clear[colour, granule.pass_index, granule.first : granule.last]
            )
            total += -0.5 * math.log1p(-(max(r, 0.0) ** 2)) * whole.sum() / 6.0
        return total

    still = max(likelihood(*step) for step in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)))
    best = int(evidence.argmax())
    along, beside = best // (2 * reach + 1) - reach, best % (2 * reach + 1) - reach
    assert evidence[best] == pytest.approx(likelihood(along, beside) - still, rel=1e-3)
    moved = offsets(cells.cell_km)[best]
    assert moved.ahead_km == pytest.approx(-along * cells.cell_km)
    assert moved.left_km == pytest.approx(-beside * cells.cell_km)
    assert rest_of_evidence(cells, granule, moved) > 0.5
    assert rest_of_evidence(cells, granule, Displacement()) == 0.0


def test_each_warp_has_its_evidence(expected: Expectation, clear: ClearSky) -> None:
    cells = _cells(expected, _off(expected, 150.0, 100.0), clear)
    granules = granules_in(cells, _SNPP.granule_s)
    assert edge_evidence(cells, granules).shape == (len(granules), len(edge_warps()))
    assert offset_evidence(cells, granules).shape == (len(granules), len(offsets(cells.cell_km)))


def test_granules_in_a_row_are_told_together() -> None:
    granules = [GranuleCells(0, n, 10 * n, 10 * n + 10) for n in (5, 6, 8)]
    granules.append(GranuleCells(1, 9, 90, 100))
    one, other = Displacement(ahead_km=50.0), Displacement(left_km=90.0)
    evidence = np.array([[9.0, 1.0], [8.0, 3.0], [7.0, 2.0], [0.5, 0.9]], dtype=np.float32)
    first, second = best_runs(granules, evidence, [one, other], 5.0)
    assert [granule.number for granule in first.granules] == [5, 6]
    assert first.displacement is one
    assert first.evidence == pytest.approx(17.0)
    assert [granule.number for granule in second.granules] == [8]
    assert len(best_runs(granules, evidence, [one, other], 10.0)) == 1
