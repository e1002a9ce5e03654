"""Tiles to one picture: placed on the source level's pixels, then brought to the output's.

No-data is kept apart when pixels are averaged: an output pixel is the mean of the imagery under it
where imagery covers at least half of it, else the mean of the black, so that an edge of black stays
an edge and no value is invented.  Layers whose colours are values of a colour map (PNG) are never
averaged: the nearest source pixel is taken.
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.raster.averaging import area_average
from gibswatch.raster.scene import STATE_CODES
from gibswatch.types import ByteArray, ImageFormat, TileState

__all__ = ["Mosaic"]

IndexArray = NDArray[np.intp]
_FIRST, _LAST = 1e-6, 1 - 1e-6
"""Just inside the edges of an output pixel."""
_RANK = np.full(len(STATE_CODES), 2, dtype=np.uint8)
"""How bad a state is, by its code."""
_RANK[STATE_CODES["ok"]], _RANK[STATE_CODES["server-empty"]] = 0, 1
_STRIP_ROWS = 512
"""Output rows averaged at one time: bounds the memory of a large picture."""


class Mosaic:
    """The tiles of one day, placed as they arrive.

    Parameters
    ----------
    plan : GridPlan
    image_format : {"jpg", "png"}
        Decides the number of bands (3 or 4) and how pixels are resampled.
    """

    def __init__(self, plan: GridPlan, image_format: ImageFormat) -> None:
        self._plan = plan
        self._format = image_format
        self._window = plan.source_window()
        self._canvas: ByteArray | None = None
        self._tiles = plan.source_tiles()
        shape = (len(self._tiles.rows), len(self._tiles.cols))
        self._state: ByteArray = np.full(shape, STATE_CODES["failed"], dtype=np.uint8)

    def place(self, tile: TileIndex, pixels: ByteArray | None, state: TileState) -> None:
        """Put one tile where it belongs, clipped to the window; without pixels only its state.

        Parameters
        ----------
        tile : TileIndex
        pixels : (tile_size, tile_size, bands) ndarray of uint8, or None
        state : TileState
        """
        if tile not in self._tiles:
            return
        at = (tile.row - self._tiles.rows.start, tile.col - self._tiles.cols.start)
        self._state[at] = STATE_CODES[state]
        if pixels is None:
            return
        size, w = self._plan.source.tile_size, self._window
        top, left = tile.row * size, tile.col * size
        rows = slice(max(top, w.row_start), min(top + size, w.row_stop))
        cols = slice(max(left, w.col_start), min(left + size, w.col_stop))
        inner = (
            slice(rows.start - w.row_start, rows.stop - w.row_start),
            slice(cols.start - w.col_start, cols.stop - w.col_start),
        )
        self._pixels[inner] = pixels[
            rows.start - top : rows.stop - top, cols.start - left : cols.stop - left
        ]

    @property
    def _pixels(self) -> ByteArray:
        """The source pixels, made when the first are placed: a reader may want states alone."""
        if self._canvas is None:
            bands = 3 if self._format == "jpg" else 4
            self._canvas = np.zeros((*self._window.shape, bands), dtype=np.uint8)
        return self._canvas

    @property
    def all_ok(self) -> bool:
        """Whether every tile is `ok`."""
        return bool((self._state == STATE_CODES["ok"]).all())

    def picture(self) -> tuple[ByteArray, ByteArray]:
        """Return the output picture and the state of each of its pixels.

        Returns
        -------
        pixels : (rows, cols, bands) ndarray of uint8
        state : (rows, cols) ndarray of uint8
            As `states` has it.
        """
        return self.pixels(), self.states()

    def pixels(self) -> ByteArray:
        """Return the output picture: (rows, cols, bands) ndarray of uint8."""
        if self._plan.scale == 1.0:
            return self._pixels
        if self._takes_nearest:
            return self._pixels[np.ix_(*self._source_indices(0.5))]
        return self._averaged()

    def states(self) -> ByteArray:
        """Return the state of each output pixel.

        Returns
        -------
        (rows, cols) ndarray of uint8
            `STATE_CODES`; that of the worst source pixel under an averaged one: any that is not
            usable before `server-empty`, and that before `ok`.
        """
        if self.all_ok:
            return np.full(self._plan.window.shape, STATE_CODES["ok"], dtype=np.uint8)
        rows, cols = self._tile_indices(0.5)
        state: ByteArray = self._state[np.ix_(rows, cols)]
        if self._takes_nearest:
            return state
        edges = [self._tile_indices(where) for where in (_FIRST, _LAST)]
        for row_edge, _ in edges:
            for _, col_edge in edges:
                corner = self._state[np.ix_(row_edge, col_edge)]
                state = np.where(_RANK[corner] > _RANK[state], corner, state)
        return state

    @property
    def _takes_nearest(self) -> bool:
        return self._format == "png" or self._plan.scale <= 1.0

    def _tile_indices(self, where: float) -> tuple[IndexArray, IndexArray]:
        """Rows and columns in the table of tiles under a point of each output pixel."""
        rows, cols = self._source_indices(where)
        size, w, tiles = self._plan.source.tile_size, self._window, self._tiles
        return (
            (rows + w.row_start) // size - tiles.rows.start,
            (cols + w.col_start) // size - tiles.cols.start,
        )

    def _source_indices(self, where: float) -> tuple[IndexArray, IndexArray]:
        """Source rows and columns under a point of each output pixel; 0 is its first edge."""
        out, src, k = self._plan.window, self._window, self._plan.scale
        rows = np.floor((np.arange(out.row_start, out.row_stop) + where) * k).astype(np.intp)
        cols = np.floor((np.arange(out.col_start, out.col_stop) + where) * k).astype(np.intp)
        limit = np.array(src.shape) - 1
        return (
            np.clip(rows - src.row_start, 0, limit[0]),
            np.clip(cols - src.col_start, 0, limit[1]),
        )

    def _averaged(self) -> ByteArray:
        out, src, k = self._plan.window, self._window, self._plan.scale
        result = np.empty((*out.shape, self._pixels.shape[2]), dtype=np.uint8)
        col_edges = np.arange(out.col_start, out.col_stop + 1) * k - src.col_start
        for start in range(out.row_start, out.row_stop, _STRIP_ROWS):
            stop = min(start + _STRIP_ROWS, out.row_stop)
            first = max(floor(start * k), src.row_start)
            last = min(ceil(stop * k), src.row_stop)
            strip = self._pixels[first - src.row_start : last - src.row_start]
            row_edges = np.arange(start, stop + 1) * k - first
            result[start - out.row_start : stop - out.row_start] = area_average(
                strip, row_edges, col_edges
            )
        return result
