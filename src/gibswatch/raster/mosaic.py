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
from scipy import sparse

from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.raster.scene import STATE_CODES, brightest_channel
from gibswatch.types import ByteArray, FloatArray, ImageFormat, TileState

__all__ = ["NO_DATA_LEVEL", "Mosaic", "area_average", "overlap_matrix"]

NO_DATA_LEVEL = 8
"""max(R, G, B) up to which a source pixel counts as black when it is averaged."""
IndexArray = NDArray[np.intp]
_FIRST, _LAST = 1e-6, 1 - 1e-6
"""Just inside the edges of an output pixel."""
_STRIP_ROWS = 256
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
        bands = 3 if image_format == "jpg" else 4
        self._pixels: ByteArray = np.zeros((*self._window.shape, bands), dtype=np.uint8)
        self._state: ByteArray = np.full(self._window.shape, STATE_CODES["failed"], dtype=np.uint8)

    def place(self, tile: TileIndex, pixels: ByteArray | None, state: TileState) -> None:
        """Put one tile where it belongs, clipped to the window; without pixels only its state.

        Parameters
        ----------
        tile : TileIndex
        pixels : (tile_size, tile_size, bands) ndarray of uint8, or None
        state : TileState
        """
        size, w = self._plan.source.tile_size, self._window
        top, left = tile.row * size, tile.col * size
        rows = slice(max(top, w.row_start), min(top + size, w.row_stop))
        cols = slice(max(left, w.col_start), min(left + size, w.col_stop))
        if rows.start >= rows.stop or cols.start >= cols.stop:
            return
        inner = (
            slice(rows.start - w.row_start, rows.stop - w.row_start),
            slice(cols.start - w.col_start, cols.stop - w.col_start),
        )
        self._state[inner] = STATE_CODES[state]
        if pixels is not None:
            self._pixels[inner] = pixels[
                rows.start - top : rows.stop - top, cols.start - left : cols.stop - left
            ]

    def picture(self) -> tuple[ByteArray, ByteArray]:
        """Return the output picture and the state of each of its pixels.

        Returns
        -------
        pixels : (rows, cols, bands) ndarray of uint8
        state : (rows, cols) ndarray of uint8
            As `states` has it.
        """
        if self._plan.scale == 1.0:
            return self._pixels, self._state
        if self._format == "png" or self._plan.scale < 1.0:
            return self._pixels[np.ix_(*self._source_indices(0.5))], self.states()
        return self._averaged(), self.states()

    def states(self) -> ByteArray:
        """Return the state of each output pixel.

        Returns
        -------
        (rows, cols) ndarray of uint8
            `STATE_CODES`; `ok` only where every source pixel under an averaged one is.
        """
        if self._plan.scale == 1.0:
            return self._state
        rows, cols = self._source_indices(0.5)
        state: ByteArray = self._state[np.ix_(rows, cols)]
        if self._format == "png" or self._plan.scale < 1.0:
            return state
        edges = [self._source_indices(where) for where in (_FIRST, _LAST)]
        for row_edge, _ in edges:
            for _, col_edge in edges:
                corner = self._state[np.ix_(row_edge, col_edge)]
                state = np.where(corner == STATE_CODES["ok"], state, corner)
        return state

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
        for start in range(out.row_start, out.row_stop, _STRIP_ROWS):
            stop = min(start + _STRIP_ROWS, out.row_stop)
            first = max(floor(start * k), src.row_start)
            last = min(ceil(stop * k), src.row_stop)
            strip = self._pixels[first - src.row_start : last - src.row_start]
            row_edges = np.arange(start, stop + 1) * k - first
            col_edges = np.arange(out.col_start, out.col_stop + 1) * k - src.col_start
            result[start - out.row_start : stop - out.row_start] = area_average(
                strip, row_edges, col_edges
            )
        return result


def area_average(pixels: ByteArray, row_edges: FloatArray, col_edges: FloatArray) -> ByteArray:
    """Average pixels over cells, imagery and black kept apart.

    Parameters
    ----------
    pixels : (rows, cols, bands) ndarray of uint8
    row_edges, col_edges : (n + 1,) ndarray of float
        Edges of the output cells, in source pixels from the top left, increasing.

    Returns
    -------
    (len(row_edges) - 1, len(col_edges) - 1, bands) ndarray of uint8
        Mean by covered area of the source pixels over `NO_DATA_LEVEL` where those cover at least
        half of the cell, else the mean of the others; rounded to nearest.
    """
    by_row = overlap_matrix(row_edges, pixels.shape[0])
    by_col = overlap_matrix(col_edges, pixels.shape[1])

    def total(plane: FloatArray) -> FloatArray:
        return np.asarray((by_col @ (by_row @ plane).T).T)

    has_data = brightest_channel(pixels) > NO_DATA_LEVEL
    data_area = total(has_data.astype(np.float32))
    area = total(np.ones_like(has_data, dtype=np.float32))
    take_data = data_area >= 0.5 * area
    weight = np.where(take_data, data_area, area - data_area)
    averaged = np.empty((*weight.shape, pixels.shape[2]), dtype=np.uint8)
    for band in range(pixels.shape[2]):
        plane = pixels[..., band].astype(np.float32)
        data_sum = total(plane * has_data)
        chosen = np.where(take_data, data_sum, total(plane) - data_sum)
        averaged[..., band] = np.rint(np.clip(chosen / weight, 0, 255))
    return averaged


def overlap_matrix(edges: FloatArray, size: int) -> sparse.csr_array:
    """Length of each cell's overlap with each of `size` source pixels.

    Parameters
    ----------
    edges : (n + 1,) ndarray of float
        Edges of the cells, in source pixels from the first one's, increasing; from 0 on.
    size : int

    Returns
    -------
    (n, size) csr_array of float32
        0 where less than 1e-9 is shared.
    """
    low, high = edges[:-1, np.newaxis], np.minimum(edges[1:, np.newaxis], size)
    reach = int(np.ceil(np.max(high - np.floor(low)))) if len(low) else 0
    columns = np.floor(low).astype(np.intp) + np.arange(reach)
    shared = np.minimum(columns + 1, high) - np.maximum(columns, low)
    shared = np.where((shared > 1e-9) & (columns < size), shared, 0).astype(np.float32)
    starts = np.arange(len(low) + 1) * reach
    within = columns.clip(0, size - 1)
    return sparse.csr_array((shared.ravel(), within.ravel(), starts), shape=(len(low), size))
