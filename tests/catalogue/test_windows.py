"""Windows and tiles: the design's figures, and properties that hold for every box."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.grids import tile_matrix_set
from gibswatch.catalogue.windows import (
    Grid,
    GridPlan,
    PixelWindow,
    TileIndex,
    TileRange,
    check_bbox,
    plan_grid,
)
from gibswatch.errors import BoundsError, UnknownGridError
from gibswatch.types import BBox, Epsg

FINEST = {4326: "31.25m", 3413: "31.25m", 3031: "250m", 3857: "GoogleMapsCompatible_Level12"}
NAMES = ("16km", "8km", "4km", "2km", "1km", "500m", "250m")


@st.composite
def boxes(draw: st.DrawFn, extent: BBox) -> BBox:
    """A box inside the extent, from slivers to all of it, its edges often on pixel edges."""
    eighths = st.integers(0, 1024).map(lambda n: n / 1024)
    share = st.one_of(st.floats(0, 1), eighths)
    west, east = sorted((draw(share), draw(share)))
    south, north = sorted((draw(share), draw(share)))
    width, height = extent.east - extent.west, extent.north - extent.south
    box = BBox(
        extent.west + west * width,
        extent.south + south * height,
        extent.west + east * width,
        extent.south + north * height,
    )
    return box if box.west < box.east and box.south < box.north else extent


@st.composite
def plans(draw: st.DrawFn) -> GridPlan:
    epsg: Epsg = draw(st.sampled_from([4326, 3413, 3031, 3857]))
    kind = "native" if epsg == 3857 else draw(st.sampled_from(["native", "predecessor"]))
    first = 1 if kind == "native" and epsg in (3413, 3031) else 0
    extent = tile_matrix_set(epsg, FINEST[epsg]).extent
    grid = Grid(
        kind,  # type: ignore[arg-type]
        epsg,
        draw(st.sampled_from(NAMES[first:])),
        draw(st.none() | boxes(extent)),
        draw(st.booleans()),
    )
    return plan_grid(grid, FINEST[epsg])


@given(plans())
def test_the_window_covers_the_box_inside_the_extent(plan: GridPlan) -> None:
    extent = plan.matrix_set.extent
    box = plan.grid.bbox or extent
    covered = plan.georeference.bbox
    slack = 2e-6 * plan.pixel_size
    assert covered.west <= box.west + slack
    assert covered.east >= box.east - slack
    assert covered.south <= box.south + slack
    assert covered.north >= box.north - slack
    assert covered.west >= extent.west - slack
    assert covered.east <= extent.east + slack
    assert covered.south >= extent.south - slack
    assert covered.north <= extent.north + slack
    assert min(plan.window.shape) >= 1


@given(plans())
def test_the_window_is_no_larger_than_it_must_be(plan: GridPlan) -> None:
    box = plan.grid.bbox
    if box is None:
        return
    unit = plan.pixel_size * (plan.source.tile_size if plan.grid.tiled else 1)
    rows, cols = plan.window.shape
    assert cols * plan.pixel_size < box.east - box.west + 2 * unit + 1e-6
    assert rows * plan.pixel_size < box.north - box.south + 2 * unit + 1e-6


@given(plans())
def test_tiles_cover_their_windows_and_none_is_idle(plan: GridPlan) -> None:
    _check_tiles(plan.source_tiles(), plan.source_window(), plan.source.tile_size)
    _check_tiles(plan.output_tiles(), plan.window, plan.source.tile_size)
    tiles = plan.source_tiles()
    assert tiles.rows.start >= 0
    assert tiles.cols.start >= 0
    assert tiles.rows.stop <= plan.source.matrix_rows
    assert tiles.cols.stop <= plan.source.matrix_cols


def _check_tiles(tiles: TileRange, window: PixelWindow, size: int) -> None:
    for span, start, stop in (
        (tiles.rows, window.row_start, window.row_stop),
        (tiles.cols, window.col_start, window.col_stop),
    ):
        assert span.start * size <= start < (span.start + 1) * size
        assert (span.stop - 1) * size < stop <= span.stop * size


@given(plans())
def test_source_pixels_lie_under_all_of_the_output(plan: GridPlan) -> None:
    source, k = plan.source_window(), plan.scale
    assert source.row_start <= plan.window.row_start * k + 1e-5
    assert source.row_stop >= plan.window.row_stop * k - 1e-5
    assert source.col_start <= plan.window.col_start * k + 1e-5
    assert source.col_stop >= plan.window.col_stop * k - 1e-5
    assert min(source.shape) >= 1


@given(plans())
def test_native_is_not_resampled_and_tiled_is_whole_tiles(plan: GridPlan) -> None:
    if plan.grid.kind == "native":
        assert plan.scale == 1.0
        assert plan.source_window() == plan.window
    if plan.grid.tiled and plan.grid.bbox:
        assert plan.window.row_start % plan.source.tile_size == 0
        assert plan.window.col_start % plan.source.tile_size == 0


def test_predecessors_16km() -> None:
    plan = plan_grid(Grid("predecessor", 4326, "16km"), "250m")
    assert plan.source.level == 3
    assert plan.window.shape == (2048, 4096)
    assert plan.scale == 1.25
    assert len(plan.source_tiles()) == 50
    assert len(plan.output_tiles()) == 32


def test_one_native_tile() -> None:
    plan = plan_grid(Grid("native", 4326, "8km", BBox(-36, -18, 0, 18)), "250m")
    assert plan.source.level == 3
    assert list(plan.source_tiles()) == [TileIndex(2, 4)]
    assert plan.window == PixelWindow(1024, 1536, 2048, 2560)


def test_native_level_2_of_the_globe() -> None:
    plan = plan_grid(Grid("native", 4326, "16km"), "250m")
    assert plan.window.shape == (1280, 2560)
    assert len(plan.source_tiles()) == 15


@pytest.mark.parametrize("epsg", [3413, 3031])
def test_polar_16km_is_level_0_halved(epsg: Epsg) -> None:
    plan = plan_grid(Grid("predecessor", epsg, "16km"), "250m")
    assert (plan.source.level, plan.scale, plan.window.shape) == (0, 2.0, (512, 512))
    assert len(plan.source_tiles()) == 4


def test_a_layer_that_is_too_coarse_is_enlarged() -> None:
    plan = plan_grid(Grid("predecessor", 4326, "16km"), "16km")
    assert (plan.source.level, plan.scale) == (2, 0.625)
    assert plan.window.shape == (2048, 4096)
    assert len(plan.source_tiles()) == 15


@pytest.mark.parametrize(
    ("kind", "epsg", "resolution", "matrix_set", "finest"),
    [
        ("native", 4326, "125m", "250m", "250m"),
        ("predecessor", 4326, "125m", "250m", "250m"),
        ("predecessor", 4326, "1km", "2km", "2km"),
        ("native", 4326, "8km", "16km", "16km"),
        ("native", 3413, "250m", "1km", "1km"),
        ("predecessor", 3031, "250m", "500m", "500m"),
        ("native", 3857, "250m", "GoogleMapsCompatible_Level6", "2km"),
        ("native", 3857, "8km", "GoogleMapsCompatible_Level3", "16km"),
    ],
)
def test_finer_than_native_names_the_finest(
    kind: str, epsg: Epsg, resolution: str, matrix_set: str, finest: str
) -> None:
    with pytest.raises(UnknownGridError, match=rf"finer than the layer's own .*use {finest} or"):
        plan_grid(Grid(kind, epsg, resolution), matrix_set)  # type: ignore[arg-type]
    coarser = plan_grid(Grid(kind, epsg, finest), matrix_set)  # type: ignore[arg-type]
    assert coarser.source.level == coarser.matrix_set.max_level


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (BBox(10, 0, -10, 5), "empty or reversed"),
        (BBox(0, 5, 10, 0), "empty or reversed"),
        (BBox(170, 0, -170, 5), "antimeridian is two boxes"),
        (BBox(0, 0, 0, 5), "empty or reversed"),
        (BBox(0, 5, 10, 5), "empty or reversed"),
        (BBox(-181, 0, 0, 5), "reaches outside EPSG:4326"),
        (BBox(0, 0, 180.1, 5), "reaches outside"),
        (BBox(0, 0, 1, 91), "reaches outside"),
        (BBox(0, -90.5, 1, 0), "reaches outside"),
        (BBox(NAN, 0, 1, 1), "not four finite numbers"),
        (BBox(0, 0, 1, NAN), "not four finite numbers"),
        (BBox(-INF, 0, 1, 1), "not four finite numbers"),
        (BBox(0, 0, INF, 1), "not four finite numbers"),
    ],
)
def test_boxes_that_are_none(box: BBox, message: str) -> None:
    with pytest.raises(BoundsError, match=message):
        plan_grid(Grid("native", 4326, "8km", box), "250m")


def test_polar_boxes_are_metres() -> None:
    extent = tile_matrix_set(3413, "250m").extent
    assert check_bbox(3413, extent, BBox(-1e6, -1e6, 1e6, 1e6)).east == 1e6
    with pytest.raises(BoundsError, match=r"stay within .*metres"):
        check_bbox(3413, extent, BBox(0, 0, 5e6, 1e6))


def test_the_thinnest_box_has_one_pixel() -> None:
    for west in (-180.0, -36.0, 0.0, 179.9999999999):
        for south in (-90.0, 0.0, 89.9999999999):
            box = BBox(west, south, west + 1e-10, south + 1e-10)
            plan = plan_grid(Grid("native", 4326, "250m", box), "250m")
            assert plan.window.shape == (1, 1)
            assert len(plan.source_tiles()) == 1


def test_a_tile_range_is_walked_row_by_row() -> None:
    tiles = TileRange(range(1, 3), range(4, 6))
    walked = [TileIndex(1, 4), TileIndex(1, 5), TileIndex(2, 4), TileIndex(2, 5)]
    assert list(tiles) == walked == sorted(walked)
    assert len(tiles) == 4
    assert TileIndex(2, 5) in tiles
    assert TileIndex(3, 5) not in tiles
    assert "tile" not in tiles


@pytest.mark.parametrize(
    ("level", "scale", "tiles"), [(0, 0.15625, 2), (2, 0.625, 15), (3, 1.25, 50), (5, 5.0, 800)]
)
def test_the_level_that_is_asked_for(level: int, scale: float, tiles: int) -> None:
    """16km from level 2 is what the predecessor read: 15 tiles, enlarged."""
    plan = plan_grid(Grid("predecessor", 4326, "16km", tile_level=level), "250m")
    assert (plan.source.level, plan.scale, len(plan.source_tiles())) == (level, scale, tiles)
    assert plan.window.shape == (2048, 4096)
    free = plan_grid(Grid("predecessor", 4326, "16km"), "250m")
    assert plan.georeference == free.georeference


@pytest.mark.parametrize("level", [-1, 9, 100])
def test_a_level_that_the_layer_does_not_have(level: int) -> None:
    with pytest.raises(UnknownGridError, match=rf"--tile-level {level} is none .* use 0 to 8"):
        plan_grid(Grid("predecessor", 4326, "16km", tile_level=level), "250m")


def test_a_native_grid_takes_no_level() -> None:
    with pytest.raises(UnknownGridError, match="--tile-level 2 belongs to the predecessor's grid"):
        plan_grid(Grid("native", 4326, "16km", tile_level=2), "250m")


def test_a_format_that_there_is_none_of() -> None:
    with pytest.raises(UnknownGridError, match="--format 'gif' is unknown: use one of jpg, png"):
        plan_grid(Grid("native", 4326, "16km", picture_format="gif"), "250m")  # type: ignore[arg-type]


def test_a_grid_of_an_older_journal_lacks_the_new_fields() -> None:
    old = {"kind": "predecessor", "epsg": 4326, "tile_resolution": "16km", "tiled": True}
    grid = Grid(**old, bbox=None)  # type: ignore[arg-type]
    assert grid == Grid("predecessor", 4326, "16km", tiled=True)
    assert (grid.tile_level, grid.picture_format) == (None, None)


def test_a_grid_says_what_it_is() -> None:
    grid = Grid("native", 4326, "8km", BBox(-36, -18, 0, 18), tiled=True)
    assert str(grid) == "native grid at 8km, EPSG:4326, tiles, bbox -36 -18 0 18"
    assert str(Grid("predecessor", 3413, "16km")).endswith("one picture a day")
    special = Grid("predecessor", 4326, "16km", tile_level=2, picture_format="cog")
    assert str(special) == (
        "predecessor grid at 16km from level 2, EPSG:4326, one picture a day as cog"
    )
