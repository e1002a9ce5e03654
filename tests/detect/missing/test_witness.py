"""Second witnesses: dark sea beside true colour, whole scan lines, the mask layer; its baseline."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.detect import Context, Witness
from gibswatch.detect.baselines import mask_rule
from gibswatch.detect.missing.witness import dark_planes, raw_black, second_witness
from gibswatch.raster import Observation, Scene, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference

_DAY = dt.date(2018, 4, 10)
_TILE = Georeference(4326, -40.0, 20.0, 40 / 256, 40 / 256, 256, 256)
_SEVEN = "MODIS_Terra_CorrectedReflectance_Bands721"
_COLOUR = "MODIS_Terra_CorrectedReflectance_TrueColor"
_NOTHING = np.zeros(_TILE.shape, dtype=bool)


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(SATELLITES["Terra"], _TILE, _DAY)


def _scene(black: BoolArray, layer: str, level: int = 0) -> Scene:
    pixels = np.full((*black.shape, 3), 90, dtype=np.uint8)
    pixels[black] = level
    return scene_from_picture(
        pixels, layer=layer, date=_DAY, image_format="jpg", georeference=_TILE, provenance="test"
    )


def _context(mask: BoolArray | None = None, colour: BoolArray | None = None) -> Context:
    return Context(
        Observation(_DAY, 0.0, 1.0),
        mask_layer=lambda: None if mask is None else Witness("MODIS_Terra_Data_No_Data", mask),
        true_colour=lambda: None if colour is None else Witness(_COLOUR, colour),
    )


def test_true_colour_is_judged_by_its_levels(expected: Expectation) -> None:
    strip = _NOTHING.copy()
    strip[100:102] = True  # too thin for observed black, which is opened
    scene = _scene(strip, _COLOUR, 9)
    dark = dark_planes(scene, _NOTHING, expected, _context())
    np.testing.assert_array_equal(dark.black, strip)
    np.testing.assert_array_equal(raw_black(scene), strip)
    assert dark.edges is _NOTHING


def test_dark_sea_counts_where_true_colour_is_black_too(expected: Expectation) -> None:
    sea, hole = _NOTHING.copy(), _NOTHING.copy()
    sea[50:200, 60:140] = True
    hole[120:160, 100:180] = True
    scene = _scene(sea | hole, _SEVEN)
    dark = dark_planes(scene, sea | hole, expected, _context(colour=hole))
    np.testing.assert_array_equal(dark.black, hole)
    np.testing.assert_array_equal(dark.edges, hole)
    alone = dark_planes(scene, sea | hole, expected, _context())
    assert not alone.black.any()


@pytest.mark.parametrize("with_colour", [False, True])
def test_whole_scan_lines_count_whatever_true_colour_shows(
    expected: Expectation, with_colour: bool
) -> None:
    number = int(np.bincount(expected.pass_index[expected.covered]).argmax())
    seen = (expected.pass_index == number) & expected.covered
    time = expected.time_s - expected.time_s[seen].min()
    hole = seen & (time > 60.0) & (time < 150.0)
    scene = _scene(hole, _SEVEN)
    context = _context(colour=_NOTHING if with_colour else None)
    dark = dark_planes(scene, hole, expected, context)
    assert (dark.black & hole).sum() > 0.9 * hole.sum()
    assert not (dark.black & ~hole).any()


def test_the_mask_layer_says_what_it_has() -> None:
    hole, half = _NOTHING.copy(), _NOTHING.copy()
    hole[20:60, 20:60] = True
    half[20:40, 20:60] = True
    assert second_witness(hole, _context()) == ""
    assert second_witness(hole, _context(hole)).endswith("says no data there too.")
    assert second_witness(hole, _context(half)).endswith("says no data on 50% of it.")
    assert second_witness(hole, _context(_NOTHING)).endswith("the product, not the instrument.")


@pytest.mark.parametrize(("side", "found"), [(1, False), (2, True), (40, True)])
def test_the_mask_rule_counts_pixels_that_disagree(side: int, found: bool) -> None:
    hole = _NOTHING.copy()
    hole[20 : 20 + side, 20 : 20 + side] = True
    scene = _scene(hole, _COLOUR)
    detection = mask_rule.detect(scene, hole, None, _context(_NOTHING))
    assert (detection.score >= 0.5) is found is bool(detection.regions)
    assert f"disagree on {side * side} of 65536 pixels" in detection.note
    assert mask_rule.detect(scene, hole, None, _context(hole)).score == 0.0


def test_the_mask_rule_without_a_mask_layer_says_so() -> None:
    detection = mask_rule.detect(_scene(~_NOTHING, _COLOUR), ~_NOTHING, None, _context())
    assert detection.score == 0.0
    assert "--with-mask" in detection.note
