"""Tests of the two baselines: the predecessor's hole rule and Worldview's kiosk rule."""

from __future__ import annotations

import numpy as np
import pytest

from gibswatch.detect import METHODS, Context, Detection, get_method
from gibswatch.detect.baselines import black_share, hole_rule
from gibswatch.errors import UsageError
from gibswatch.raster import Observation, scene_from_picture
from gibswatch.types import ByteArray, Georeference, ImageFormat

_NO_CONTEXT = Context(Observation(None, 0.0, 1.0))


def _judge(
    module: object, pixels: ByteArray, image_format: ImageFormat = "jpg", degrees: float = 0.1
) -> Detection:
    rows, cols = pixels.shape[:2]
    scene = scene_from_picture(
        pixels,
        layer="VIIRS_SNPP_CorrectedReflectance_TrueColor",
        date=None,
        image_format=image_format,
        georeference=Georeference(4326, 0.0, 20.0, degrees, degrees, rows, cols),
        provenance="test",
    )
    black = np.zeros((rows, cols), dtype=bool)
    detection = module.detect(scene, black, None, _NO_CONTEXT)  # type: ignore[attr-defined]
    assert isinstance(detection, Detection)
    return detection


def _bright(rows: int = 200, cols: int = 300) -> ByteArray:
    return np.full((rows, cols, 3), 90, dtype=np.uint8)


@pytest.mark.parametrize(
    ("hole", "found"),
    [
        ((slice(80, 100), slice(100, 130)), True),
        ((slice(80, 84), slice(100, 104)), True),  # as small as the 4x4 erosion lets through
        ((slice(80, 83), slice(100, 160)), False),  # thinner than 4 pixels
        ((slice(0, 40), slice(100, 130)), False),  # hangs on the top edge
        ((slice(180, 200), slice(100, 130)), False),  # hangs on the bottom edge
        ((slice(13, 30), slice(100, 130)), True),  # grown to one row short of the top edge
        ((slice(12, 30), slice(100, 130)), False),  # grown to the top edge
        ((slice(80, 100), slice(0, 20)), True),  # the left edge does not count
    ],
)
def test_hole_rule_counts_what_hangs_on_no_edge(hole: tuple[slice, slice], found: bool) -> None:
    pixels = _bright()
    pixels[hole] = 0
    detection = _judge(hole_rule, pixels)
    assert bool(detection.regions) is found
    assert (detection.score >= 0.5) is found
    if found:
        mask = detection.regions[0].mask
        assert mask[hole].all()
        assert mask.sum() == mask[hole].sum()


def test_hole_rule_joins_holes_that_are_near() -> None:
    pixels = _bright()
    pixels[60:70, 50:60] = pixels[60:70, 75:85] = pixels[60:70, 150:160] = 0
    assert _judge(hole_rule, pixels).note.startswith("2 black hole(s)")


@pytest.mark.parametrize(("cols", "found"), [(48, False), (52, True)])
def test_hole_rule_calls_a_large_share_a_large_hole(cols: int, found: bool) -> None:
    pixels = _bright()
    pixels[:, :cols] = 0  # from top to bottom: hangs on both edges; 0.165 of 300 is 49.5
    detection = _judge(hole_rule, pixels)
    assert bool(detection.regions) is found
    assert ("large hole" in detection.note) is found


def test_hole_rule_takes_only_exact_black() -> None:
    pixels = _bright()
    pixels[80:100, 100:130] = 2
    assert not _judge(hole_rule, pixels).regions


def test_hole_rule_brings_a_globe_to_the_size_it_was_made_for() -> None:
    pixels = _bright(256, 512)
    pixels[100:120, 100:130] = 0
    detection = _judge(hole_rule, pixels, degrees=360 / 512)
    assert detection.regions[0].mask.shape == (256, 512)
    inner = detection.regions[0].mask[102:118, 102:128]
    assert inner.all()


@pytest.mark.parametrize(("rows", "found"), [(95, False), (100, True), (140, True)])
def test_black_share_takes_half_of_the_pixels(rows: int, found: bool) -> None:
    pixels = _bright()
    pixels[:rows] = 29
    detection = _judge(black_share, pixels)
    assert detection.score == pytest.approx(rows / 200)
    assert bool(detection.regions) is found


def test_black_share_counts_what_is_transparent() -> None:
    pixels = np.full((100, 100, 4), 255, dtype=np.uint8)
    pixels[:60, :, 3] = 0
    assert _judge(black_share, pixels, "png").regions


def test_methods_are_a_table_and_an_unknown_one_is_named() -> None:
    names = [
        "gibswatch", "climatology", "gibs-ml", "gibs-ml-deviation", "gibs-ml-mask", "black-share",
    ]  # fmt: skip
    assert list(METHODS) == names
    with pytest.raises(UsageError, match=rf"'best' is not one of {', '.join(names)}"):
        get_method("best")
