"""Tiles to one picture: where they go, what is clipped, and what averaging must not invent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio import Affine
from rasterio.warp import Resampling, reproject

from gibswatch.catalogue.windows import Grid, GridPlan, TileIndex, plan_grid
from gibswatch.raster.averaging import area_average, overlap_matrix
from gibswatch.raster.mosaic import Mosaic
from gibswatch.raster.scene import STATE_CODES
from gibswatch.types import BBox, ByteArray, ImageFormat

GLOBE = plan_grid(Grid("native", 4326, "16km"), "250m")
HALVED = plan_grid(Grid("predecessor", 3413, "16km"), "250m")


def flat(level: int, bands: int = 3) -> ByteArray:
    return np.full((512, 512, bands), level, dtype=np.uint8)


def filled(plan: GridPlan, pixels: ByteArray, image_format: ImageFormat) -> Mosaic:
    """Return a mosaic with the same pixels in every tile."""
    mosaic = Mosaic(plan, image_format)
    for tile in plan.source_tiles():
        mosaic.place(tile, pixels, "ok")
    return mosaic


def test_tiles_go_to_their_place_and_edges_are_clipped() -> None:
    mosaic = Mosaic(GLOBE, "jpg")
    for number, tile in enumerate(GLOBE.source_tiles()):
        mosaic.place(tile, flat(10 * number + 10), "ok")
    pixels, state = mosaic.picture()
    assert pixels.shape == (1280, 2560, 3)
    assert (state == STATE_CODES["ok"]).all()
    for number, tile in enumerate(GLOBE.source_tiles()):
        part = pixels[tile.row * 512 : tile.row * 512 + 512, tile.col * 512 : tile.col * 512 + 512]
        assert part.size > 0
        assert (part == 10 * number + 10).all()


def test_a_tile_that_overhangs_keeps_its_upper_left_part() -> None:
    gradient = np.broadcast_to(np.arange(512)[:, np.newaxis, np.newaxis] // 2, (512, 512, 3))
    plan = plan_grid(Grid("native", 4326, "16km"), "16km")
    mosaic = Mosaic(plan, "jpg")
    mosaic.place(TileIndex(2, 4), gradient.astype(np.uint8), "ok")
    pixels, _ = mosaic.picture()
    np.testing.assert_array_equal(pixels[1024:, 2048:], gradient[:256, :512])


def test_a_box_cuts_tiles() -> None:
    plan = plan_grid(Grid("native", 4326, "8km", BBox(-10, -5, 10, 5)), "250m")
    mosaic = Mosaic(plan, "jpg")
    ramp = np.arange(512 * 512).reshape(512, 512)
    world = {tile: ramp + 7 * tile.row + 13 * tile.col for tile in plan.source_tiles()}
    for tile, values in world.items():
        mosaic.place(tile, np.repeat(values[..., np.newaxis], 3, 2).astype(np.uint8), "ok")
    mosaic.place(TileIndex(0, 0), flat(255), "ok")  # outside: nothing happens
    pixels, _ = mosaic.picture()
    w = plan.window
    for row, col in ((w.row_start, w.col_start), (w.row_stop - 1, w.col_stop - 1)):
        value = world[TileIndex(row // 512, col // 512)][row % 512, col % 512]
        assert pixels[row - w.row_start, col - w.col_start, 0] == value % 256


def test_the_state_of_each_pixel_is_its_tiles() -> None:
    mosaic = Mosaic(GLOBE, "jpg")
    mosaic.place(TileIndex(0, 0), flat(9), "ok")
    mosaic.place(TileIndex(0, 1), None, "absent")
    mosaic.place(TileIndex(1, 0), flat(7), "suspect")
    pixels, state = mosaic.picture()
    assert (state[:512, :512] == STATE_CODES["ok"]).all()
    assert (state[:512, 512:1024] == STATE_CODES["absent"]).all()
    assert (state[512:1024, :512] == STATE_CODES["suspect"]).all()
    assert (state[1024:] == STATE_CODES["failed"]).all()
    assert (pixels[:512, 512:1024] == 0).all()
    assert (pixels[512:1024, :512] == 7).all()


def test_states_follow_when_pixels_are_averaged() -> None:
    mosaic = Mosaic(HALVED, "jpg")
    mosaic.place(TileIndex(0, 0), flat(90), "ok")
    mosaic.place(TileIndex(1, 1), flat(50), "wrong-date")
    pixels, state = mosaic.picture()
    assert pixels.shape == (512, 512, 3)
    assert (state[:256, :256] == STATE_CODES["ok"]).all()
    assert (state[256:, 256:] == STATE_CODES["wrong-date"]).all()
    assert (state[:256, 256:] == STATE_CODES["failed"]).all()
    assert (pixels[:256, :256] == 90).all()


def test_png_is_never_averaged() -> None:
    stripes = flat(0, 4)
    stripes[:, ::2] = 200
    pixels, _ = filled(HALVED, stripes, "png").picture()
    assert set(np.unique(pixels)) <= {0, 200}
    assert pixels.shape == (512, 512, 4)


def test_a_coarse_layer_is_enlarged_by_its_nearest_pixels() -> None:
    plan = plan_grid(Grid("predecessor", 4326, "16km"), "16km")
    noise = np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    pixels, state = filled(plan, noise, "jpg").picture()
    assert pixels.shape == (2048, 4096, 3)
    assert (state == STATE_CODES["ok"]).all()
    for row, col in ((0, 0), (1, 1), (100, 1000), (2047, 4095)):
        source = int((row + 0.5) * 0.625) % 512, int((col + 0.5) * 0.625) % 512
        assert (pixels[row, col] == noise[source]).all()


def test_strips_join_without_a_seam() -> None:
    plan = plan_grid(Grid("predecessor", 4326, "16km", BBox(-60, -30, 60, 30)), "250m")
    noise = np.random.default_rng(2).integers(20, 256, (512, 512, 3), dtype=np.uint8)
    pixels, _ = filled(plan, noise, "jpg").picture()
    source = plan.source_window()
    w = plan.window
    tiled = np.tile(noise, (source.row_stop // 512 + 1, source.col_stop // 512 + 1, 1))
    cut = tiled[source.row_start : source.row_stop, source.col_start : source.col_stop]
    whole = area_average(
        cut,
        np.arange(w.row_start, w.row_stop + 1) * plan.scale - source.row_start,
        np.arange(w.col_start, w.col_stop + 1) * plan.scale - source.col_start,
    )
    assert w.shape[0] > 512
    np.testing.assert_array_equal(pixels, whole)


@pytest.mark.parametrize("scale", [1.25, 2.0, 2.5, 3.7])
def test_the_average_is_gdals(scale: float) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.integers(20, 256, (150, 200, 3), dtype=np.uint8)
    rows, cols = int(150 / scale), int(200 / scale)
    ours = area_average(pixels, np.arange(rows + 1) * scale, np.arange(cols + 1) * scale)
    theirs = np.zeros((3, rows, cols), dtype=np.uint8)
    reproject(
        np.ascontiguousarray(pixels.transpose(2, 0, 1)),
        theirs,
        src_transform=Affine(10, 0, 5000, 0, -10, 9000),
        dst_transform=Affine(10 * scale, 0, 5000, 0, -10 * scale, 9000),
        src_crs="EPSG:3857",
        dst_crs="EPSG:3857",
        resampling=Resampling.average,
    )
    difference = np.abs(ours.astype(int) - theirs.transpose(1, 2, 0))
    assert difference.max() <= 1


@given(st.floats(1.0, 4.0), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_black_and_imagery_are_never_mixed(scale: float, edge: int, seed: int) -> None:
    pixels = np.zeros((40, 40, 3), dtype=np.uint8)
    mask = np.random.default_rng(seed).random((40, 40)) < 0.5
    mask[:, :edge] = False
    pixels[mask] = 255
    cells = int(40 / scale)
    edges = np.arange(cells + 1) * scale
    averaged = area_average(pixels, edges, edges)
    assert set(np.unique(averaged)) <= {0, 255}


def test_a_cell_is_imagery_from_half_of_it_on() -> None:
    pixels = np.zeros((2, 4, 3), dtype=np.uint8)
    pixels[0, 0] = 100
    pixels[:, 2] = (100, 60, 20)
    averaged = area_average(pixels, np.array([0.0, 2.0]), np.array([0.0, 2.0, 4.0]))
    assert averaged.tolist() == [[[0, 0, 0], [100, 60, 20]]]


def test_faint_ringing_counts_as_black() -> None:
    pixels = np.full((2, 2, 3), 8, dtype=np.uint8)
    pixels[0, 0] = 100
    edges = np.array([0.0, 2.0])
    assert area_average(pixels, edges, edges).tolist() == [[[8, 8, 8]]]


def test_overlaps_are_the_lengths_that_cells_share_with_pixels() -> None:
    shares = overlap_matrix(np.array([0.0, 1.5, 2.0, 4.0]), 4)
    wanted = np.array([[1, 0.5, 0, 0], [0, 0.5, 0, 0], [0, 0, 1, 1]])
    assert np.array_equal(shares.toarray(), wanted)


def test_a_cell_that_goes_beyond_the_pixels_has_what_is_inside() -> None:
    shares = overlap_matrix(np.array([0.0, 2.5, 5.0]), 4)
    assert np.array_equal(shares.toarray(), [[1, 1, 0.5, 0], [0, 0, 0.5, 1]])
