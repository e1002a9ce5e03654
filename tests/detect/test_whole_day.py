"""The default method finds what is missing and which colours are wrong at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gibswatch.detect.context import Context
from gibswatch.detect.whole_day import detect
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2018, 4, 10)
_SNPP = SATELLITES["SNPP"]
_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 720, 180 / 360, 360, 720)
_LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(_SNPP, _GLOBE, _DAY, anchor_orbit(_SNPP, _DAY))


def _granule(expected: Expectation, column: int) -> BoolArray:
    """What one pass shows in six minutes around the equator."""
    near = np.abs(expected.time_s - float(expected.time_s[180, column])) < 180.0
    return np.asarray(near & (expected.pass_index == expected.pass_index[180, column]))


def _scene(expected: Expectation, *, lost: BoolArray, tinted: BoolArray) -> Scene:
    rng = np.random.default_rng(11)
    cloud = np.kron(rng.uniform(0.0, 1.0, (45, 90)), np.ones((8, 8))) ** 2
    sea = np.stack([np.full(cloud.shape, v) for v in (0.04, 0.06, 0.09)])
    bands: NDArray[np.float64] = sea * (1 - cloud) + 0.85 * cloud
    bands = bands * np.exp(rng.normal(0.0, 0.02, bands.shape))
    bands[1, tinted] *= 0.5
    shown = np.rint(np.interp(np.clip(bands, 0, 1.1) / 1.1 * 255, *_KNOTS)).astype(np.uint8)
    pixels = np.moveaxis(shown, 0, -1).copy()
    pixels[~expected.covered | lost] = 0
    return scene_from_picture(
        pixels, layer=_LAYER, date=_DAY, image_format="jpg", georeference=_GLOBE, provenance="test"
    )


def test_a_day_can_have_both(expected: Expectation) -> None:
    lost, tinted = _granule(expected, 180), _granule(expected, 480)
    scene = _scene(expected, lost=lost, tinted=tinted)
    observation, black = observe(scene)
    found = detect(scene, black, expected, Context(observation))
    kinds = {region.kind: region for region in found.regions}
    assert set(kinds) == {Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION}
    assert kinds[Kind.MISSING_UNEXPECTED].mask[lost].mean() > 0.9
    assert kinds[Kind.MISCOLORATION].mask[tinted].mean() > 0.9
    assert not (kinds[Kind.MISCOLORATION].mask & black).any()
    assert found.score == max(region.score for region in found.regions)
    assert found.reasons is not None


def test_a_clean_day_says_so_of_both(expected: Expectation) -> None:
    nothing = np.zeros(_GLOBE.shape, dtype=bool)
    scene = _scene(expected, lost=nothing, tinted=nothing)
    observation, black = observe(scene)
    found = detect(scene, black, expected, Context(observation))
    assert found.regions == ()
    assert found.score < 0.5
    assert "is black" in found.note
    assert "no part of a pass differs in colour" in found.note


def test_colours_of_layers_that_are_no_imagery_are_their_own(expected: Expectation) -> None:
    nothing = np.zeros(_GLOBE.shape, dtype=bool)
    scene = _scene(expected, lost=nothing, tinted=_granule(expected, 480))
    other = replace(scene, layer="VIIRS_SNPP_DayNightBand_ENCC")
    observation, black = observe(other)
    found = detect(other, black, expected, Context(observation))
    assert all(region.kind is not Kind.MISCOLORATION for region in found.regions)
    assert "colour" not in found.note
