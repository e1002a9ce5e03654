"""Faults in the satellite's own view: a granule's scene again, and stripes along the scans."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.missing.granules import granules_of
from gibswatch.detect.swath.duplicate import find_duplicates
from gibswatch.detect.swath.pixels import SwathPixels, swath_pixels
from gibswatch.detect.swath.rule import find_swath_faults
from gibswatch.detect.swath.stripe import find_stripes
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2018, 4, 10)
_SNPP = SATELLITES["SNPP"]
_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 1024, 180 / 512, 512, 1024)
_STEP_S = 5.8


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(_SNPP, _GLOBE, _DAY, anchor_orbit(_SNPP, _DAY))


def _weather(seed: int) -> NDArray[np.float64]:
    """Reflectance of clouds of many sizes, (rows, cols)."""
    rng = np.random.default_rng(seed)
    total = np.zeros(_GLOBE.shape)
    for size in (1, 2, 4, 8, 16):
        total += (
            size**0.7
            * ndimage.gaussian_filter(rng.normal(size=total.shape), size, mode="wrap")
            * size
        )
    return np.asarray(np.clip(0.3 + 0.25 * total / total.std(), 0.03, 1.0))


def _scene(reflectance: NDArray[np.float64], expected: Expectation) -> Scene:
    knots = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))
    grey = np.rint(np.interp(np.clip(reflectance, 0, 1.1) / 1.1 * 255, *knots)).astype(np.uint8)
    pixels = np.repeat(grey[..., np.newaxis], 3, axis=2)
    pixels[~expected.covered] = 0
    return scene_from_picture(
        pixels, layer="VIIRS_SNPP_CorrectedReflectance_TrueColor", date=_DAY, image_format="jpg",
        georeference=_GLOBE, provenance="test",
    )  # fmt: skip


def _pixels(scene: Scene, expected: Expectation) -> SwathPixels:
    found = swath_pixels(scene, observe(scene)[1], expected)
    assert found is not None
    return found


def _granule(expected: Expectation) -> BoolArray:
    index = granules_of(expected).index
    return np.asarray((index == index[256, 512]) & expected.covered)


def _doubled(weather: NDArray[np.float64], expected: Expectation, back: int) -> NDArray[np.float64]:
    """Show in one granule what the satellite saw `back` granules earlier, place for place."""
    target = _granule(expected)
    grid_time, pixels = expected.time_s, _pixels(_scene(weather, expected), expected)
    beside = np.full(_GLOBE.shape, np.nan)
    usable = expected.covered & (expected.sza_deg < 82.0) & ~observe(_scene(weather, expected))[1]
    beside[usable] = pixels.beside
    number = expected.pass_index[256, 512]
    its = usable & (expected.pass_index == number)
    source = np.column_stack([grid_time[its] / _STEP_S, beside[its] * 40.0])
    from scipy.spatial import cKDTree

    wanted = target & usable
    places = np.column_stack([(grid_time[wanted] - 360.0 * back) / _STEP_S, beside[wanted] * 40.0])
    _, nearest = cKDTree(source).query(places)
    shown = weather.copy()
    shown[wanted] = weather[its][nearest]
    return shown


def test_pixels_are_those_in_daylight_with_a_pass(expected: Expectation) -> None:
    pixels = _pixels(_scene(_weather(1), expected), expected)
    assert pixels.pass_index.min() >= 0
    assert np.abs(pixels.beside).max() <= 1.0
    assert pixels.beside.min() < -0.95
    assert pixels.beside.max() > 0.95
    grid = pixels.grid(_STEP_S, 64)
    assert grid.count.sum() == pixels.value.size
    assert grid.total.sum() == pytest.approx(pixels.value.sum(dtype=np.float64), rel=1e-4)


def test_a_picture_that_shows_next_to_nothing_has_none(expected: Expectation) -> None:
    dark = _scene(np.zeros(_GLOBE.shape), expected)
    assert swath_pixels(dark, observe(dark)[1], expected) is None
    assert find_swath_faults(dark, observe(dark)[1], expected) == ([], 0.0)


@pytest.mark.parametrize("back", [1, 2])
def test_a_granule_that_shows_an_earlier_scene_is_found(expected: Expectation, back: int) -> None:
    scene = _scene(_doubled(_weather(2), expected, back), expected)
    best = find_duplicates(_pixels(scene, expected), _SNPP, _STEP_S)[0]
    truth = _granule(expected)
    assert best.ratio > 1.0
    assert best.lag_s == pytest.approx(360.0 * back, abs=_STEP_S)
    assert best.pass_index == expected.pass_index[256, 512]
    times = expected.time_s[truth]
    assert best.first_s == pytest.approx(times.min(), abs=60.0)
    assert best.last_s == pytest.approx(times.max(), abs=60.0)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_weather_alone_is_no_granule_again(expected: Expectation, seed: int) -> None:
    found = find_duplicates(_pixels(_scene(_weather(seed), expected), expected), _SNPP, _STEP_S)
    assert max(one.ratio for one in found) < 1.0


@pytest.mark.parametrize(("period_s", "granules"), [(14.0, 1), (30.0, 3)])
def test_stripes_of_ten_percent_are_found(
    expected: Expectation, period_s: float, granules: int
) -> None:
    weather, index = _weather(5), granules_of(expected).index
    its = (index >= index[256, 512]) & (index < index[256, 512] + granules) & expected.covered
    wave = 1.0 + 0.12 * np.sin(2 * np.pi * expected.time_s / period_s)
    scene = _scene(np.where(its, weather * np.nan_to_num(wave, nan=1.0), weather), expected)
    best = find_stripes(_pixels(scene, expected), _STEP_S)[0]
    assert best.ratio > 1.0
    assert best.period_s == pytest.approx(period_s, rel=0.1)
    times = expected.time_s[its]
    assert best.first_s == pytest.approx(times.min(), abs=90.0)
    assert best.last_s == pytest.approx(times.max(), abs=90.0)
    assert 0.05 < best.depth < 0.2


def test_square_stripes_are_told_by_their_whole_period(expected: Expectation) -> None:
    weather, index = _weather(5), granules_of(expected).index
    its = (index >= index[256, 512]) & (index < index[256, 512] + 3) & expected.covered
    wave = 1.0 + 0.1 * np.sign(np.sin(2 * np.pi * expected.time_s / 30.0))
    scene = _scene(np.where(its, weather * np.nan_to_num(wave, nan=1.0), weather), expected)
    best = find_stripes(_pixels(scene, expected), _STEP_S)[0]
    assert best.period_s == pytest.approx(30.0, rel=0.1)
    assert best.depth > 0.05


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_weather_alone_has_no_stripes(expected: Expectation, seed: int) -> None:
    found = find_stripes(_pixels(_scene(_weather(seed), expected), expected), _STEP_S)
    assert max(one.ratio for one in found) < 1.0


def test_rows_of_cloud_that_are_no_scans_are_no_stripes(expected: Expectation) -> None:
    """Waves of cloud over half of the swath's width."""
    weather = _weather(6)
    half = np.zeros(_GLOBE.shape, dtype=bool)
    half[200:300, 505:515] = True
    wave = 1.0 + 0.3 * np.sign(np.sin(np.arange(512)[:, np.newaxis] * 2 * np.pi / 3))
    found = find_stripes(
        _pixels(_scene(np.where(half, weather * wave, weather), expected), expected), _STEP_S
    )
    assert max(one.ratio for one in found) < 1.0


def test_findings_say_what_where_and_how_sure(expected: Expectation) -> None:
    shown = _doubled(_weather(2), expected, 1)
    scene = _scene(shown, expected)
    regions, score = find_swath_faults(scene, observe(scene)[1], expected)
    (region,) = [region for region in regions if region.kind is Kind.DUPLICATED_GRANULE]
    truth = _granule(expected)
    assert (region.mask & truth).sum() > 0.7 * (region.mask | truth).sum()
    assert region.granules
    assert region.reason.startswith("Duplicated granule: the pass at granule")
    assert "s earlier again" in region.reason
    assert score == pytest.approx(region.score)
    assert score > 0.5
    clean = _scene(_weather(2), expected)
    none, evidence = find_swath_faults(clean, observe(clean)[1], expected)
    assert not none
    assert 0.0 < evidence < 0.5


def test_a_short_picture_has_no_spectrum(expected: Expectation) -> None:
    pixels = _pixels(_scene(_weather(2), expected), expected)
    few = pixels.time_s < pixels.time_s.min() + 100.0
    part = replace(
        pixels, pass_index=pixels.pass_index[few], time_s=pixels.time_s[few],
        beside=pixels.beside[few], value=pixels.value[few],
    )  # fmt: skip
    assert find_stripes(part, _STEP_S) == []
