"""Pixels as features: cut and averaged as plain NumPy would, and their records in a card."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import (
    PatchPixels,
    PicturePixels,
    patch_grid,
    patch_pixels,
    picture_pixels,
    standard_shape,
)
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.types import Georeference

GLOBE = Georeference(4326, -180.0, 90.0, 1.0, 1.0, 180, 360)


def scene_of(pixels: NDArray[np.uint8], image_format: Any = "jpg") -> Scene:
    rows, cols = pixels.shape[:2]
    return scene_from_picture(
        pixels, layer="A_Layer", date=dt.date(2023, 1, 1), image_format=image_format,
        georeference=Georeference(4326, -180.0, 90.0, 0.5, 0.5, rows, cols), provenance="made up",
    )  # fmt: skip


def noise(rows: int, cols: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(rows).integers(30, 256, (rows, cols, channels), dtype=np.uint8)


@settings(max_examples=20)
@given(st.integers(1, 100), st.integers(1, 100), st.sampled_from([32, 40]))
def test_patches_are_slices_whose_last_pixels_go_on(rows: int, cols: int, side: int) -> None:
    pixels = noise(rows, cols)
    found = patch_pixels(scene_of(pixels), PatchPixels(side))
    grid = patch_grid(pixels.shape, side)
    assert found.shape == (grid[0] * grid[1], side, side, 3)
    for number, (row, col) in enumerate(np.ndindex(*grid)):
        down, across = (
            np.minimum(np.arange(at * side, (at + 1) * side), size - 1)
            for at, size in ((row, rows), (col, cols))
        )
        np.testing.assert_array_equal(found[number], pixels[np.ix_(down, across)])


def test_a_picture_is_averaged_block_by_block() -> None:
    pixels = noise(96, 192)
    definition = PicturePixels(32, 64)
    found = picture_pixels(scene_of(pixels), definition)
    assert (found.shape, found.size) == ((32, 64, 3), definition.length)
    assert found.dtype == np.uint8
    blocks = pixels.reshape(32, 3, 64, 3, 3).mean(axis=(1, 3))
    assert np.abs(found - blocks).max() <= 1


def test_a_picture_of_that_size_stays_as_it_is() -> None:
    pixels = noise(32, 64)
    found = picture_pixels(scene_of(pixels), PicturePixels(32, 64))
    np.testing.assert_array_equal(found, pixels)


def test_black_and_what_a_layer_leaves_out_are_black() -> None:
    pixels = noise(96, 96, 4)
    pixels[..., 3] = 255
    pixels[:48, :48, 3] = 0
    pixels[48:, 48:, :3] = 0
    found = picture_pixels(scene_of(pixels, "png"), PicturePixels(32, 32))
    assert (found[:16, :16] == 0).all()
    assert (found[16:, 16:] == 0).all()
    assert (found[:16, 16:] > 20).all()
    (first, *_) = patch_pixels(scene_of(pixels, "png"), PatchPixels())
    assert (first == 0).all()


def test_only_a_globe_goes_round() -> None:
    assert PicturePixels.of(GLOBE, 256) == PicturePixels(128, 256, wraps=True)
    part = Georeference(4326, -180.0, 90.0, 1.0, 1.0, 180, 359)
    assert not PicturePixels.of(part, 256).wraps
    pole = Georeference(3413, -4194304.0, 4194304.0, 8192.0, 8192.0, 1024, 1024)
    assert PicturePixels.of(pole, 256) == PicturePixels(256, 256)


@pytest.mark.parametrize(
    ("shape", "longer", "expected"),
    [((180, 360), 64, (32, 64)), ((10, 1000), 100, (32, 100)), ((512, 256), 512, (512, 256))],
)
def test_standard_shape_keeps_the_ratio(
    shape: tuple[int, int], longer: int, expected: tuple[int, int]
) -> None:
    assert standard_shape(shape, longer) == expected


@pytest.mark.parametrize("definition", [PicturePixels(40, 64, wraps=True), PatchPixels(48)])
def test_records_come_back_from_json(definition: PicturePixels | PatchPixels) -> None:
    document = definition.to_json()
    assert type(definition).from_json(document) == definition
    for change in ({"more": 1}, {"version": "1"}, {"version": True}):
        with pytest.raises(UsageError, match="the card was changed; train the model again"):
            type(definition).from_json(document | change)
    for name in document.keys() - {"of"}:
        with pytest.raises(UsageError, match="is no description of"):
            type(definition).from_json({n: v for n, v in document.items() if n != name})
    with pytest.raises(UsageError, match="pixels of version 9, this Gibswatch makes version 1"):
        type(definition).from_json(document | {"version": 9})


@pytest.mark.parametrize("side", [31, 4097, 0, -5])
def test_sides_out_of_range_are_refused(side: int) -> None:
    for make in (lambda: PatchPixels(side), lambda: PicturePixels(64, side)):
        with pytest.raises(UsageError, match=f"a side of {side} pixels is out of range: give 32"):
            make()
    for value in (64.0, "64", None, [64]):
        with pytest.raises(UsageError, match="the card was changed"):
            PatchPixels.from_json({"of": "patch-pixels", "side": value, "version": 1})
