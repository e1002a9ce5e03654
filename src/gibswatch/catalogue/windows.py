"""From a folder's grid to the pixels and tiles that it needs: arithmetic, nothing else.

A `Grid` is what a person chooses and what the journal records; `plan_grid` turns it, for one
layer's tile matrix set, into a `GridPlan`: the output window, the source tiles that cover it, and
the factor between source and output pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import Literal

from gibswatch.catalogue.grids import (
    TileMatrix,
    TileMatrixSet,
    native_level,
    resolution_row,
    tile_matrix_set,
)
from gibswatch.errors import BoundsError, UnknownGridError
from gibswatch.types import PICTURE_FORMATS, BBox, Epsg, Georeference, PictureFormat

__all__ = [
    "Grid",
    "GridKind",
    "GridPlan",
    "PixelWindow",
    "TileIndex",
    "TileRange",
    "check_bbox",
    "plan_grid",
]

GridKind = Literal["predecessor", "native"]
_SNAP = 1e-6
"""Pixels: a box edge this close to a pixel edge lies on it (6 decimals of a degree do)."""


@dataclass(frozen=True, slots=True, order=True)
class TileIndex:
    """Row and column of a tile in its matrix, counted from the top left."""

    row: int
    col: int


@dataclass(frozen=True, slots=True)
class PixelWindow:
    """Half-open ranges of pixel rows and columns, counted from the matrix's top left corner."""

    row_start: int
    row_stop: int
    col_start: int
    col_stop: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return (self.row_stop - self.row_start, self.col_stop - self.col_start)


@dataclass(frozen=True, slots=True)
class TileRange:
    """A rectangle of tiles, walked row by row; a range, since 31.25m has millions of them."""

    rows: range
    cols: range

    def __len__(self) -> int:
        return len(self.rows) * len(self.cols)

    def __iter__(self) -> Iterator[TileIndex]:
        return (TileIndex(row, col) for row in self.rows for col in self.cols)

    def __contains__(self, tile: object) -> bool:
        return isinstance(tile, TileIndex) and tile.row in self.rows and tile.col in self.cols


@dataclass(frozen=True, slots=True)
class Grid:
    """What one folder holds of a layer: chosen once, recorded in the journal."""

    kind: GridKind
    epsg: Epsg
    tile_resolution: str
    """A name of the predecessor's table, e.g. 16km."""
    bbox: BBox | None = None
    """Part of the projection's extent, or None for all of it; grows to whole pixels, and to whole
    tiles where tiles are kept."""
    tiled: bool = False
    """Kept as tiles (True) or as one stitched picture a day."""
    tile_level: int | None = None
    """Predecessor's kind only: the level whose tiles are fetched; None: the coarsest that is not
    coarser than the output."""
    picture_format: PictureFormat | None = None
    """What a stitched picture or an output tile is stored as; None: the layer's own format."""

    def __str__(self) -> str:
        how = "tiles" if self.tiled else "one picture a day"
        stored = f" as {self.picture_format}" if self.picture_format else ""
        where = f", bbox {self.bbox}" if self.bbox else ""
        level = "" if self.tile_level is None else f" from level {self.tile_level}"
        size = f"{self.tile_resolution}{level}"
        return f"{self.kind} grid at {size}, EPSG:{self.epsg}, {how}{stored}{where}"


@dataclass(frozen=True, slots=True)
class GridPlan:
    """A grid worked out for one tile matrix set."""

    grid: Grid
    matrix_set: TileMatrixSet
    source: TileMatrix
    """The level whose tiles are fetched."""
    pixel_size: float
    """Of the output, in units of the projection."""
    window: PixelWindow
    """Of the output, on the output's own pixel grid over the whole extent."""

    @property
    def scale(self) -> float:
        """Source pixels along one side of an output pixel (1 on a native grid)."""
        return self.pixel_size / self.source.pixel_size

    @property
    def georeference(self) -> Georeference:
        """Where the output's pixels lie."""
        extent = self.matrix_set.extent
        rows, cols = self.window.shape
        return Georeference(
            self.grid.epsg,
            extent.west + self.window.col_start * self.pixel_size,
            extent.north - self.window.row_start * self.pixel_size,
            self.pixel_size,
            self.pixel_size,
            rows,
            cols,
        )

    def source_window(self) -> PixelWindow:
        """Source pixels under the output window, rounded outwards and clipped to the extent."""
        rows, cols = _extent_pixels(self.matrix_set, self.source.pixel_size)
        w, k = self.window, self.scale
        return PixelWindow(
            floor(w.row_start * k + _SNAP),
            min(rows, ceil(w.row_stop * k - _SNAP)),
            floor(w.col_start * k + _SNAP),
            min(cols, ceil(w.col_stop * k - _SNAP)),
        )

    def source_tiles(self) -> TileRange:
        """Tiles of the source level that touch the window."""
        return _tiles_under(self.source_window(), self.source.tile_size)

    def output_tiles(self) -> TileRange:
        """Output tiles (512 pixels a side, 256 in EPSG:3857) that touch the window."""
        return _tiles_under(self.window, self.source.tile_size)


def check_bbox(epsg: Epsg, extent: BBox, bbox: BBox) -> BBox:
    """Return `bbox` if it is a box with an area inside the projection's extent.

    Raises
    ------
    BoundsError
        If it is empty, reversed, not finite, or reaches outside.
    """
    values = bbox.as_tuple()
    unit = "degrees" if epsg == 4326 else "metres"
    if not all(abs(v) < float("inf") for v in values):
        raise BoundsError(f"box {bbox} is not four finite numbers: give W S E N in {unit}")
    if bbox.west >= bbox.east or bbox.south >= bbox.north:
        raise BoundsError(
            f"box {bbox} is empty or reversed: give W S E N with W < E and S < N "
            "(a box over the antimeridian is two boxes)"
        )
    inside = (
        bbox.west >= extent.west - _SNAP
        and bbox.south >= extent.south - _SNAP
        and bbox.east <= extent.east + _SNAP
        and bbox.north <= extent.north + _SNAP
    )
    if not inside:
        raise BoundsError(f"box {bbox} reaches outside EPSG:{epsg}: stay within {extent} ({unit})")
    return bbox


def plan_grid(grid: Grid, matrix_set_id: str) -> GridPlan:
    """Work out which pixels and which source tiles a grid needs.

    Parameters
    ----------
    grid : Grid
    matrix_set_id : str
        The layer's tile matrix set in the grid's projection, e.g. ``250m``.

    Raises
    ------
    UnknownGridError
        If the resolution is unknown, or finer than the layer's own; if the level is none of the
        layer's, or asked for on a native grid; if the picture's format is unknown.
    BoundsError
        If the bbox is not one.
    """
    if grid.picture_format not in (None, *PICTURE_FORMATS):
        raise UnknownGridError(
            f"--format {grid.picture_format!r} is unknown: use one of {', '.join(PICTURE_FORMATS)}"
        )
    matrix_set = tile_matrix_set(grid.epsg, matrix_set_id)
    source, pixel_size = (
        _native_source(grid, matrix_set)
        if grid.kind == "native"
        else _predecessor_source(grid, matrix_set)
    )
    window = _window(grid, matrix_set, pixel_size)
    return GridPlan(grid, matrix_set, source, pixel_size, window)


def _native_source(grid: Grid, matrix_set: TileMatrixSet) -> tuple[TileMatrix, float]:
    if grid.tile_level is not None:
        raise UnknownGridError(
            f"--tile-level {grid.tile_level} belongs to the predecessor's grid: on the native one "
            "--tile-resolution names the level"
        )
    level = native_level(grid.epsg, grid.tile_resolution)
    _refuse_finer(grid, matrix_set, level)
    matrix = matrix_set.matrix(level)
    return matrix, matrix.pixel_size


def _predecessor_source(grid: Grid, matrix_set: TileMatrixSet) -> tuple[TileMatrix, float]:
    """Pick the level that is asked for; else the coarsest that is not coarser than the output.

    Where a layer has none so fine, its finest.
    """
    row = resolution_row(grid.epsg, grid.tile_resolution)
    _refuse_finer(grid, matrix_set, row.tile_level)
    extent = matrix_set.extent
    pixel_size = (extent.east - extent.west) / row.cols
    if grid.tile_level is not None:
        if not 0 <= grid.tile_level <= matrix_set.max_level:
            raise UnknownGridError(
                f"--tile-level {grid.tile_level} is none of the layer's: use 0 to "
                f"{matrix_set.max_level} ({matrix_set.identifier}, EPSG:{grid.epsg})"
            )
        return matrix_set.matrix(grid.tile_level), pixel_size
    for matrix in matrix_set.matrices:
        if matrix.pixel_size <= pixel_size * (1 + 1e-9):
            return matrix, pixel_size
    return matrix_set.matrices[-1], pixel_size


def _refuse_finer(grid: Grid, matrix_set: TileMatrixSet, level: int) -> None:
    if level <= matrix_set.max_level:
        return
    offset = 1 if grid.epsg == 3857 else 0
    finest = _resolution_name(grid.epsg, matrix_set.max_level - offset)
    raise UnknownGridError(
        f"--tile-resolution {grid.tile_resolution} is finer than the layer's own "
        f"({matrix_set.identifier}): use {finest} or coarser"
    )


def _resolution_name(epsg: int, level: int) -> str:
    names = ("16km", "8km", "4km", "2km", "1km", "500m", "250m", "125m", "62.5m", "31.25m")
    first = 2 if epsg in (4326, 3857) else -1
    return names[max(0, min(level - first, len(names) - 1))]


def _window(grid: Grid, matrix_set: TileMatrixSet, pixel_size: float) -> PixelWindow:
    extent = matrix_set.extent
    rows, cols = _extent_pixels(matrix_set, pixel_size)
    if grid.bbox is None:
        return PixelWindow(0, rows, 0, cols)
    box = check_bbox(grid.epsg, extent, grid.bbox)
    step = matrix_set.matrices[0].tile_size if grid.tiled else 1
    unit = pixel_size * step
    return PixelWindow(
        *_cells((extent.north - box.north) / unit, (extent.north - box.south) / unit, rows, step),
        *_cells((box.west - extent.west) / unit, (box.east - extent.west) / unit, cols, step),
    )


def _cells(low: float, high: float, pixels: int, step: int) -> tuple[int, int]:
    """Pixels from the first to behind the last cell of `step` pixels under a range; never none."""
    count = ceil(pixels / step)
    stop = max(1, min(count, ceil(high - _SNAP)))
    start = max(0, min(floor(low + _SNAP), stop - 1))
    return start * step, min(pixels, stop * step)


def _extent_pixels(matrix_set: TileMatrixSet, pixel_size: float) -> tuple[int, int]:
    extent = matrix_set.extent
    return (
        round((extent.north - extent.south) / pixel_size),
        round((extent.east - extent.west) / pixel_size),
    )


def _tiles_under(window: PixelWindow, tile_size: int) -> TileRange:
    return TileRange(
        range(window.row_start // tile_size, -(-window.row_stop // tile_size)),
        range(window.col_start // tile_size, -(-window.col_stop // tile_size)),
    )
