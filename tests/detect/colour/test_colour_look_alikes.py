"""What looks like miscoloration and is none: drawn pictures of an Earth that is only itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.colour.rule import find_colour
from gibswatch.detect.colour.scores import observe_scene
from gibswatch.detect.colour.statistics import ColourNormals, learn_normals
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.places import pixel_places
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference

_DAY = dt.date(2018, 4, 10)
_SNPP = SATELLITES["SNPP"]
_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 720, 180 / 360, 360, 720)
_LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))
_Bands = NDArray[np.floating[Any]]
_Draw = Callable[[_Bands, Expectation], _Bands]


def _earth(seed: int) -> _Bands:
    """Reflectances, (3, rows, cols), of a day: sea, a desert, ice caps and clouds."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.0, 1.0, (45, 90))
    cloud = np.clip(ndimage.zoom(coarse, 8, order=1), 0, 1) ** 2
    lon, lat = np.broadcast_arrays(*pixel_places(_GLOBE))
    ground = np.empty((3, *_GLOBE.shape))
    ground[:] = np.array([0.04, 0.06, 0.09])[:, None, None]
    desert = (lon > -10) & (lon < 40) & (lat > 15) & (lat < 30)
    ground[:, desert] = np.array([0.42, 0.30, 0.18])[:, None]
    ground[:, np.abs(lat) > 65] = 0.75
    stack = ground * (1 - cloud) + 0.85 * cloud
    return np.asarray(stack * np.exp(rng.normal(0.0, 0.02, stack.shape)))


def _scene(bands: _Bands, expected: Expectation) -> Scene:
    shown = np.rint(np.interp(np.clip(bands, 0, 1.1) / 1.1 * 255, *_KNOTS)).astype(np.uint8)
    pixels = np.moveaxis(shown, 0, -1).copy()
    pixels[~expected.covered] = 0
    return scene_from_picture(
        pixels, layer=_LAYER, date=_DAY, image_format="jpg", georeference=_GLOBE, provenance="test"
    )


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(_SNPP, _GLOBE, _DAY, anchor_orbit(_SNPP, _DAY))


@pytest.fixture(scope="module")
def normals(expected: Expectation) -> ColourNormals:
    scenes = [_scene(_earth(seed), expected) for seed in range(1, 7)]
    return learn_normals(observe_scene(scene, observe(scene)[1]) for scene in scenes)


def _towards(
    bands: _Bands, share: NDArray[np.floating[Any]], colour: tuple[float, float, float]
) -> _Bands:
    return np.asarray(bands * (1 - share) + np.array(colour)[:, None, None] * share)


def _blob(lon0: float, lat0: float, radius: float) -> NDArray[np.floating[Any]]:
    lon, lat = np.broadcast_arrays(*pixel_places(_GLOBE))
    return np.asarray(np.exp(-(((lon - lon0) / radius) ** 2) - ((lat - lat0) / radius) ** 2))


def _glint(bands: _Bands, expected: Expectation) -> _Bands:
    """The Sun's mirror image: brighter, a little warmer."""
    share = np.nan_to_num(np.exp(-((expected.glint_deg / 12.0) ** 2))) * 0.5
    return _towards(bands, share, (0.36, 0.36, 0.35))


def _snow(bands: _Bands, expected: Expectation) -> _Bands:
    return _towards(bands, 0.95 * (_blob(-100.0, 50.0, 14.0) > 0.4), (0.82, 0.84, 0.86))


def _more_desert(bands: _Bands, expected: Expectation) -> _Bands:
    return _towards(bands, 0.8 * (_blob(-110.0, 32.0, 5.0) > 0.4), (0.42, 0.30, 0.18))


def _shallow_water(bands: _Bands, expected: Expectation) -> _Bands:
    """The banks of the Bahamas: cyan."""
    return _towards(bands, 0.7 * (_blob(-77.0, 24.0, 2.0) > 0.4), (0.07, 0.20, 0.24))


def _dust(bands: _Bands, expected: Expectation) -> _Bands:
    return _towards(bands, 0.6 * _blob(-25.0, 18.0, 12.0), (0.34, 0.28, 0.20))


def _smoke(bands: _Bands, expected: Expectation) -> _Bands:
    return _towards(bands, 0.6 * _blob(100.0, 60.0, 10.0), (0.26, 0.26, 0.30))


def _bow_tie(bands: _Bands, expected: Expectation) -> _Bands:
    """Scan lines that overlap towards the edges: every second row is shifted by two pixels."""
    twisted = bands.copy()
    edge = expected.view_zenith_deg > 55.0
    twisted[:, 1::2] = np.where(edge[1::2], np.roll(bands, 2, axis=2)[:, 1::2], bands[:, 1::2])
    return twisted


def _dateline(bands: _Bands, expected: Expectation) -> _Bands:
    """A day lies between both sides of the date line: other clouds begin there."""
    other = _earth(77)
    return np.asarray(np.where(np.arange(_GLOBE.cols) > 600, other, bands))


@pytest.mark.parametrize(
    "draw",
    [_glint, _snow, _more_desert, _shallow_water, _dust, _smoke, _bow_tie, _dateline],
)
@pytest.mark.parametrize("known", [True, False], ids=["normals", "own"])
def test_what_nature_does_is_clean(
    expected: Expectation, normals: ColourNormals, draw: _Draw, known: bool
) -> None:
    scene = _scene(draw(_earth(50), expected), expected)
    black = observe(scene)[1]
    found = find_colour(scene, black, expected, normals if known else None)
    assert found.known
    assert not found.regions
    assert not find_colour(scene, black, None, normals if known else None).regions


@pytest.mark.parametrize("most", [0.3, 0.7, 0.95])
def test_the_shadow_of_the_moon_is_never_miscoloration(
    expected: Expectation, normals: ColourNormals, most: float
) -> None:
    """Light falls to 1 less what is covered, redder in its middle, over many thousand km."""
    covered = most * _blob(0.0, 10.0, 25.0)
    light = np.stack([1 - covered, 1 - 1.02 * covered, 1 - 1.04 * covered])
    scene = _scene(_earth(51) * np.clip(light, 0.0, 1.0), expected)
    shaded = replace(expected, obscuration=covered.astype(np.float32))
    assert not find_colour(scene, observe(scene)[1], shaded, normals).regions
    assert not find_colour(scene, observe(scene)[1], shaded, None).regions


def _fault(expected: Expectation) -> BoolArray:
    number = int(expected.pass_index[180, 360])
    near = np.abs(expected.time_s - float(expected.time_s[180, 360])) < 180.0
    return np.asarray(near & (expected.pass_index == number) & expected.covered)


def test_a_weak_gain_among_them_is_found(expected: Expectation, normals: ColourNormals) -> None:
    """The same Earth with a granule whose green is a tenth too low: not everything is clean."""
    fault = _fault(expected)
    bands = _dust(_glint(_earth(52), expected), expected)
    bands[1, fault] *= 0.9
    scene = _scene(bands, expected)
    found = find_colour(scene, observe(scene)[1], expected, normals)
    union = np.any([region.mask for region in found.regions], axis=0)
    assert (union & fault).sum() > 0.8 * (union | fault).sum()
