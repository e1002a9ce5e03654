"""Tests of pictures and planes as addresses."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from gibswatch.raster.scene import scene_from_picture
from gibswatch.report.pictures import Budget, jpeg_address, overlay_address, reduced_codes
from gibswatch.types import ByteArray, Georeference

_PLACE = Georeference(4326, -180.0, 90.0, 3.6, 3.6, 50, 100)


def _decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2])))


def _codes() -> ByteArray:
    codes = np.zeros((40, 80), dtype=np.uint8)
    codes[10:20] = 1
    codes[20:30, 5:40] = 8
    codes[35:] = 255
    return codes


def test_an_overlay_has_the_colours_of_its_codes_and_is_else_transparent() -> None:
    address = overlay_address(_codes(), {1: (10, 20, 30), 8: (255, 0, 0), 7: (1, 1, 1)})
    assert address is not None
    image = _decoded(address)
    assert image.mode == "P"
    pixels = np.asarray(image.convert("RGBA"))
    assert tuple(pixels[15, 3]) == (10, 20, 30, 255)
    assert tuple(pixels[25, 10]) == (255, 0, 0, 255)
    assert pixels[0, 0, 3] == pixels[38, 0, 3] == 0
    assert len(address) < 400


def test_an_overlay_of_nothing_is_none() -> None:
    assert overlay_address(_codes(), {3: (1, 2, 3)}) is None


def test_sixteen_colours_and_more_keep_apart() -> None:
    codes = np.arange(1, 21, dtype=np.uint8)[np.newaxis, :].repeat(4, axis=0)
    address = overlay_address(codes, {n: (10 * n, 255 - 10 * n, n) for n in range(1, 21)})
    assert address is not None
    pixels = np.asarray(_decoded(address).convert("RGB"))
    assert tuple(pixels[0, 19]) == (200, 55, 20)
    assert tuple(pixels[0, 2]) == (30, 225, 3)


@pytest.mark.parametrize("size", [(80, 40), (37, 19), (10, 5)])
def test_a_reduced_plane_keeps_a_single_pixel_of_a_fault(size: tuple[int, int]) -> None:
    codes = _codes()
    codes[33, 71] = 9
    small = reduced_codes(codes, size, (9,))
    assert small.shape == size[::-1]
    assert (small == 9).sum() == 1
    assert set(np.unique(small)) == {0, 1, 8, 9, 255}


def test_a_jpeg_shows_the_window_asked_for() -> None:
    pixels = np.zeros((50, 100, 3), dtype=np.uint8)
    pixels[20:30, 40:60] = (200, 100, 50)
    scene = scene_from_picture(
        pixels, layer="L", date=None, image_format="jpg", georeference=_PLACE, provenance=""
    )
    image = _decoded(jpeg_address(scene, (40, 20), (20, 30, 40, 60)))
    assert image.size == (40, 20)
    assert np.asarray(image).reshape(-1, 3).mean(axis=0) == pytest.approx([200, 100, 50], abs=3)


def test_a_transparent_pixel_is_black() -> None:
    pixels = np.full((50, 100, 4), 255, dtype=np.uint8)
    pixels[:, :50, 3] = 0
    scene = scene_from_picture(
        pixels, layer="L", date=None, image_format="png", georeference=_PLACE, provenance=""
    )
    shown = np.asarray(_decoded(jpeg_address(scene, (100, 50))))
    assert shown[:, :45].max() < 8
    assert shown[:, 55:].min() > 247


def test_a_budget_closes_by_bytes_or_by_days() -> None:
    by_bytes, by_days = Budget(100, 9), Budget(100, 2)
    by_bytes.spend("x" * 60, None)
    open_at_first = by_bytes.is_open
    by_bytes.spend("x" * 60)
    assert (open_at_first, by_bytes.is_open) == (True, False)
    by_days.spend()
    by_days.spend()
    assert not by_days.is_open
