"""Tiles cut out of a globe, and blank tiles."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from gibswatch.catalogue.grids import tile_matrix_set
from gibswatch.simulate.server.cut import blank_tile, cut_tile, encode_tile

SET = tile_matrix_set(4326, "250m")


def ramp(rows: int = 360) -> np.ndarray:
    """Row in the first channel, column in the second (both in 1/255 of the globe), 200 in blue."""
    picture = np.full((rows, 2 * rows, 3), 200, np.uint8)
    picture[..., 0] = np.linspace(1, 255, rows)[:, None]
    picture[..., 1] = np.linspace(1, 255, 2 * rows)
    return picture


def test_finer_tile_takes_the_nearest_pixels() -> None:
    globe = ramp()
    tile = cut_tile(globe, SET.matrix(4), 4, 7)
    size = SET.matrix(4).pixel_size
    for row, col in ((0, 0), (100, 300), (511, 511)):
        lat_row = int((4 * 512 + row + 0.5) * size / 0.5)
        lon_col = int((7 * 512 + col + 0.5) * size / 0.5)
        assert (tile[row, col] == globe[lat_row, lon_col]).all()


def test_coarser_tile_is_the_area_mean() -> None:
    random = np.random.default_rng(1)
    globe = random.integers(30, 255, (1280, 2560, 3)).astype(np.uint8)  # level 2's own pixels
    tile = cut_tile(globe, SET.matrix(1), 0, 1)
    part = globe[:1024, 1024:2048].reshape(512, 2, 512, 2, 3).mean(axis=(1, 3))
    assert np.abs(tile - part).max() <= 0.51


def test_means_leave_no_data_out() -> None:
    globe = np.full((1280, 2560, 3), 90, np.uint8)
    globe[:, 1:1024] = 0  # all but the first column of the tile has no data
    tile = cut_tile(globe, SET.matrix(1), 0, 0)
    assert (tile[:, 0] == 90).all()
    assert (tile[:, 1:] == 0).all()


@pytest.mark.parametrize(
    ("tile", "shape"),
    [
        ((0, 0, 0), (320, 512)),
        ((0, 0, 1), (320, 128)),
        ((1, 1, 2), (128, 256)),
        ((2, 2, 4), (256, 512)),
    ],
)
@pytest.mark.parametrize("height", [64, 400, 2000])
def test_overhang_is_black(tile: tuple[int, int, int], shape: tuple[int, int], height: int) -> None:
    level, row, col = tile
    globe = np.full((height, 2 * height, 3), 99, np.uint8)
    pixels = cut_tile(globe, SET.matrix(level), row, col)
    inside = np.zeros((512, 512), np.bool_)
    inside[: shape[0], : shape[1]] = True
    assert np.array_equal(pixels.max(axis=2) > 0, inside)
    assert (pixels[inside] == 99).all()


def test_tiles_join_without_a_seam() -> None:
    globe = ramp(640)
    whole = cut_tile(globe, SET.matrix(0), 0, 0)
    quarter = cut_tile(globe, SET.matrix(1), 0, 0)
    small = quarter.reshape(256, 2, 256, 2, 3).mean(axis=(1, 3))
    assert np.abs(whole[:256, :256] - small).max() <= 1.01


@pytest.mark.parametrize("size", [256, 512])
def test_blank_tiles_are_one_value(size: int) -> None:
    jpeg = simplejpeg.decode_jpeg(blank_tile("jpg", size))
    assert jpeg.shape == (size, size, 3)
    assert jpeg.max() == 0
    with Image.open(io.BytesIO(blank_tile("png", size))) as png:
        assert png.mode == "RGBA"
        assert png.size == (size, size)
        assert np.asarray(png).max() == 0


def test_png_keeps_every_value() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 4)).astype(np.uint8)
    with Image.open(io.BytesIO(encode_tile(pixels, "png"))) as png:
        assert np.array_equal(np.asarray(png), pixels)
