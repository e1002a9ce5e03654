"""Bands of eight rows whose colours jump are damaged blocks; nothing that nature does is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gibswatch.raster.blockiness import damaged_blocks, lattice_row
from gibswatch.raster.codec import decode_picture, encode_picture
from gibswatch.types import ByteArray, Georeference

ROWS, COLS = 256, 384


def clouds(seed: int = 3) -> ByteArray:
    """White clouds over a dark sea, in all sizes."""
    drawn = np.random.default_rng(seed)
    noise = sum(ndimage.gaussian_filter(drawn.normal(size=(ROWS, COLS)), s) * s for s in (1, 4, 16))
    shade = np.clip(60 + 200 * noise, 20, 255)
    return np.dstack([shade, 0.9 * shade + 10, 0.8 * shade + 40]).clip(0, 255).astype(np.uint8)


def banded(pixels: ByteArray, height: int = 8, top: int = 64, bands: int = 8) -> ByteArray:
    """Shift the level of bands of rows, from some column to the edge of the tile."""
    drawn = np.random.default_rng(11)
    result = pixels.copy()
    for row in range(top, top + height * bands, height):
        part = result[row : row + height, 128 + int(drawn.integers(64)) : 256]
        shifted = part.astype(np.float32) + drawn.normal(0, 60, 3).astype(np.float32)
        part[:] = shifted.clip(0, 255).astype(np.uint8)
    return decode_picture(encode_picture(result, "jpg"), image_format="jpg")


def test_damaged_blocks_are_found_where_they_are() -> None:
    found = damaged_blocks(banded(clouds()))
    assert found is not None
    assert found.steps >= 5
    assert 56 <= found.rows.start <= 80
    assert 104 <= found.rows.stop <= 144
    assert found.cols.start >= 112
    assert found.cols.stop <= 288


@pytest.mark.parametrize("seed", range(6))
def test_clouds_are_sound(seed: int) -> None:
    pixels = decode_picture(encode_picture(clouds(seed), "jpg", quality=75), image_format="jpg")
    assert damaged_blocks(pixels) is None


def test_bands_of_another_height_or_off_the_lattice_are_not_blocks() -> None:
    for height in (5, 6, 10, 12):
        assert damaged_blocks(banded(clouds(), height)) is None
    off = banded(clouds(), top=67)
    assert damaged_blocks(off) is None
    assert damaged_blocks(off, first_row=3) is not None


def test_two_bands_are_no_proof() -> None:
    assert damaged_blocks(banded(clouds(), bands=2)) is None


def test_an_enlarged_picture_is_nothing_but_blocks() -> None:
    small = clouds()[::8, ::8]
    assert damaged_blocks(np.kron(small, np.ones((8, 8, 1), np.uint8))) is None


def test_a_step_to_black_is_no_step() -> None:
    pixels = clouds()
    for row in range(64, 128, 16):
        pixels[row : row + 8, 128:256] = 0
    assert damaged_blocks(pixels) is None


@pytest.mark.parametrize("shape", [(1, 1), (8, 400), (60, 20), (48, 32), (0, 0)])
def test_small_pictures_have_nothing_to_tell(shape: tuple[int, int]) -> None:
    assert damaged_blocks(np.full((*shape, 3), 90, dtype=np.uint8)) is None


def test_the_lattice_of_a_window_begins_where_its_tiles_do() -> None:
    whole = Georeference(4326, -180.0, 90.0, 0.140625, 0.140625, 1280, 2560)
    assert lattice_row(whole) == 0
    lower = Georeference(4326, -36.0, 90.0 - 13 * 0.140625, 0.140625, 0.140625, 100, 100)
    assert lattice_row(lower) == 3
    polar = Georeference(3413, -4194304.0, 4194304.0, 8192.0, 8192.0, 1024, 1024)
    assert lattice_row(polar) == 0
