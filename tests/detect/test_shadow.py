"""The Moon's shadow over imagery: code 6, with predicted obscuration and measured darkening."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.detect.shadow import find_shadow
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference, Kind

_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 512, 180 / 256, 256, 512)
_SNPP = SATELLITES["SNPP"]
_ECLIPSE, _NONE = dt.date(2017, 8, 21), dt.date(2017, 8, 1)


def _expected(day: dt.date) -> Expectation:
    return expect(_SNPP, _GLOBE, day, anchor_orbit(_SNPP, day))


def _scene(expected: Expectation, level: int = 160) -> Scene:
    pixels = np.full((*_GLOBE.shape, 3), float(level))
    pixels *= np.clip(1.0 - expected.obscuration, 0.1, 1.0)[..., np.newaxis]
    pixels[~expected.covered] = 0
    return scene_from_picture(
        pixels.astype(np.uint8), layer="VIIRS_SNPP_CorrectedReflectance_TrueColor",
        date=expected.day, image_format="jpg", georeference=_GLOBE, provenance="test",
    )  # fmt: skip


def test_the_shadow_of_a_day_of_an_eclipse_is_told() -> None:
    expected = _expected(_ECLIPSE)
    scene = _scene(expected)
    region = find_shadow(scene, observe(scene)[1], expected)
    assert region is not None
    assert region.kind is Kind.ECLIPSE_MISCOLORATION
    assert not region.kind.is_fault
    assert (expected.obscuration[region.mask] >= 0.35).all()
    assert region.reason.startswith("Eclipse: the Moon hides up to ")
    share = int(region.reason.split("the picture is ")[1].split("%")[0])
    assert 40 < share < 99


def test_black_belongs_to_another_code() -> None:
    expected = _expected(_ECLIPSE)
    scene = _scene(expected)
    dark = expected.obscuration > 0.6
    region = find_shadow(scene, dark, expected)
    assert region is not None
    assert not (region.mask & dark).any()


@pytest.mark.parametrize("least", [0.0, 0.3])
def test_no_shadow_is_told_where_little_is_hidden(least: float) -> None:
    expected = _expected(_NONE)
    shade = np.full(_GLOBE.shape, np.float32(least))
    assert (
        find_shadow(_scene(expected), ~expected.covered, replace(expected, obscuration=shade))
        is None
    )
    assert find_shadow(_scene(expected), ~expected.covered, None) is None
