"""Strips: together they are the whole mosaic, each given once, as soon as it can be."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibswatch.catalogue.windows import Grid, GridPlan, TileIndex, plan_grid
from gibswatch.raster.mosaic import Mosaic
from gibswatch.raster.strips import STRIP_ROWS, Strip, StripMosaic, strip_plans
from gibswatch.types import BBox, ByteArray, ImageFormat, TileState

STATES: tuple[TileState, ...] = ("ok", "ok", "server-empty", "absent", "wrong-date")
NARROW = BBox(-20, -70, 20, 70)


def plans() -> dict[str, GridPlan]:
    return {
        "averaged": plan_grid(Grid("predecessor", 4326, "16km", NARROW), "250m"),
        "averaged tiles": plan_grid(Grid("predecessor", 4326, "16km", NARROW, True), "250m"),
        "enlarged": plan_grid(Grid("predecessor", 4326, "16km", NARROW, tile_level=2), "250m"),
        "finer": plan_grid(Grid("predecessor", 4326, "16km", NARROW, tile_level=4), "250m"),
        "native": plan_grid(Grid("native", 4326, "8km", NARROW), "250m"),
        "polar": plan_grid(Grid("predecessor", 3413, "16km"), "250m"),
        "mercator": plan_grid(
            Grid("native", 3857, "16km", BBox(-9e6, -9e6, 0, 9e6)), "GoogleMapsCompatible_Level6"
        ),
    }


PLANS = plans()


def picture_of(plan: GridPlan, tile: TileIndex, image_format: ImageFormat) -> ByteArray:
    size, bands = plan.source.tile_size, 3 if image_format == "jpg" else 4
    rng = np.random.default_rng([tile.row, tile.col])
    pixels = rng.integers(0, 256, (size, size, bands), dtype=np.uint8)
    pixels[: rng.integers(1, size)] = 0
    return pixels


@settings(deadline=None, max_examples=12)
@given(st.sampled_from(sorted(PLANS)), st.sampled_from(["jpg", "png"]), st.randoms())
def test_strips_are_the_whole_in_any_order(
    name: str, image_format: ImageFormat, random: Random
) -> None:
    plan = PLANS[name]
    whole, strips = Mosaic(plan, image_format), StripMosaic(plan, image_format)
    tiles = list(plan.source_tiles())
    random.shuffle(tiles)
    never = set(tiles[: random.randrange(0, 3)])
    given_out: list[Strip] = []
    for tile in tiles:
        if tile in never:
            continue
        state = random.choice(STATES)
        usable = state in ("ok", "server-empty")
        pixels = picture_of(plan, tile, image_format) if usable else None
        whole.place(tile, pixels, state)
        given_out.extend(strips.place(tile, pixels, state))
    given_out.extend(strips.rest())
    assert list(strips.rest()) == []
    given_out.sort(key=lambda strip: strip.first_row)
    assert [strip.first_row for strip in given_out] == list(
        range(0, plan.window.shape[0], STRIP_ROWS)
    )
    pixels, states = whole.picture()
    np.testing.assert_array_equal(np.concatenate([s.pixels() for s in given_out]), pixels)
    np.testing.assert_array_equal(np.concatenate([s.states() for s in given_out]), states)


def test_a_strip_is_given_with_its_last_tile_and_let_go() -> None:
    plan = PLANS["averaged"]
    strips = StripMosaic(plan, "jpg")
    open_at_most = 0
    ended: list[tuple[int, int]] = []
    for tile in plan.source_tiles():
        finished = strips.place(tile, picture_of(plan, tile, "jpg"), "ok")
        ended.extend((strip.first_row, tile.row) for strip in finished)
        open_at_most = max(open_at_most, len(strips._open))
    assert len(ended) == len(strip_plans(plan)) > 2
    for (first_row, row), part in zip(ended, strip_plans(plan), strict=True):
        assert first_row == part.window.row_start - plan.window.row_start
        assert row == part.source_tiles().rows[-1]
    assert open_at_most <= 2
    assert list(strips.rest()) == []


def test_a_tile_counts_once_and_one_outside_never() -> None:
    plan = PLANS["averaged"]
    strips = StripMosaic(plan, "jpg")
    tiles = list(plan.source_tiles())
    for _ in range(3):
        assert list(strips.place(tiles[0], None, "failed")) == []
        assert list(strips.place(TileIndex(99, 99), None, "ok")) == []
    finished = [strip for tile in tiles[1:] for strip in strips.place(tile, None, "failed")]
    assert len(finished) == len(strip_plans(plan))


@pytest.mark.parametrize("name", sorted(PLANS))
def test_strips_of_tiles_begin_on_tiles(name: str) -> None:
    plan = PLANS[name]
    parts = strip_plans(plan)
    assert sum(part.window.shape[0] for part in parts) == plan.window.shape[0]
    if plan.grid.tiled:
        assert all(part.window.row_start % plan.source.tile_size == 0 for part in parts)
