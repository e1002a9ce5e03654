"""Averaging by area, imagery and black kept apart.

Two ways that give the same pixels: sparse matrices, which take any edges, and compiled code
(`_kernels`), fifty times faster, for edges on sixteenths of a source pixel, as all of GIBS's grids
have them.  Where numba cannot be loaded the sparse way is taken, without a word.
"""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gibswatch.raster.scene import brightest_channel
from gibswatch.types import ByteArray, FloatArray

__all__ = ["NO_DATA_LEVEL", "area_average", "overlap_matrix", "sparse_average"]

NO_DATA_LEVEL = 8
"""max(R, G, B) up to which a source pixel counts as black when it is averaged."""
_PARTS = 16
"""Parts of a source pixel on which the edges must lie for the compiled way."""
_LARGEST_IN_SINGLE = 1024.0
"""Source pixels in a cell up to which sums of sixteenths of them are exact as float32."""
_WORTH_LOADING_CELLS = 2_000_000
"""Cells averaged in this process before numba is loaded: 0.5 s, as long as the sparse way takes."""
IntArray = NDArray[np.int64]


class _Compiled:
    """The compiled code, loaded once enough has been averaged for it to pay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells = 0
        self._tried = False
        self._kernels: ModuleType | None = None

    def for_cells(self, count: int) -> ModuleType | None:
        """The kernels for so many more cells; None where they do not pay or cannot be loaded."""
        with self._lock:
            self._cells += count
            if not self._tried and self._cells >= _WORTH_LOADING_CELLS:
                self._tried = True
                self._kernels = _load()
            return self._kernels


def _load() -> ModuleType | None:
    try:
        from gibswatch.raster import _kernels  # noqa: PLC0415 (numba takes 0.4 s to import)
    except ImportError:
        return None
    return _kernels


_COMPILED = _Compiled()


def area_average(pixels: ByteArray, row_edges: FloatArray, col_edges: FloatArray) -> ByteArray:
    """Average pixels over cells, imagery and black kept apart.

    Parameters
    ----------
    pixels : (rows, cols, 3) ndarray of uint8
    row_edges, col_edges : (n + 1,) ndarray of float
        Edges of the output cells, in source pixels from the top left, increasing.

    Returns
    -------
    (len(row_edges) - 1, len(col_edges) - 1, 3) ndarray of uint8
        Mean by covered area of the source pixels over `NO_DATA_LEVEL` where those cover at least
        half of the cell, else the mean of the others; rounded to nearest, halves to even.
    """
    parts = _in_parts(row_edges), _in_parts(col_edges)
    if pixels.shape[2] == 3 and parts[0] is not None and parts[1] is not None:
        kernels = _COMPILED.for_cells((len(row_edges) - 1) * (len(col_edges) - 1))
        if kernels is not None:
            return _compiled_average(kernels, pixels, parts[0], parts[1])
    return sparse_average(pixels, row_edges, col_edges)


def sparse_average(pixels: ByteArray, row_edges: FloatArray, col_edges: FloatArray) -> ByteArray:
    """Do what `area_average` does by sparse matrices, for any edges and any number of bands."""
    largest = np.diff(row_edges).max(initial=0) * np.diff(col_edges).max(initial=0)
    precision: type[np.floating[Any]] = np.float32 if largest <= _LARGEST_IN_SINGLE else np.float64
    by_row = overlap_matrix(row_edges, pixels.shape[0]).astype(precision)
    by_col = overlap_matrix(col_edges, pixels.shape[1]).astype(precision)

    def total(plane: FloatArray) -> FloatArray:
        return np.asarray((by_col @ (by_row @ plane).T).T)

    has_data = brightest_channel(pixels) > NO_DATA_LEVEL
    data_area = total(has_data.astype(precision))
    area = total(np.ones_like(has_data, dtype=precision))
    take_data = data_area >= 0.5 * area
    weight = np.where(take_data, data_area, area - data_area)
    averaged = np.empty((*weight.shape, pixels.shape[2]), dtype=np.uint8)
    for band in range(pixels.shape[2]):
        plane = pixels[..., band].astype(precision)
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


def _in_parts(edges: FloatArray) -> IntArray | None:
    """Edges in sixteenths of a pixel, or None if they do not lie on those."""
    scaled = np.asarray(edges, dtype=np.float64) * _PARTS
    rounded = np.rint(scaled)
    return rounded.astype(np.int64) if np.array_equal(scaled, rounded) else None


def _compiled_average(
    kernels: ModuleType, pixels: ByteArray, row_parts: IntArray, col_parts: IntArray
) -> ByteArray:
    pixels = np.ascontiguousarray(pixels)
    out = np.empty((len(row_parts) - 1, len(col_parts) - 1, 3), dtype=np.uint8)
    rows, row_weights = _overlaps(row_parts, pixels.shape[0])
    cols, col_weights = _overlaps(col_parts, pixels.shape[1])
    whole = 0
    if _is_five_to_four(row_parts, pixels.shape[0]) and (
        _is_five_to_four(col_parts, pixels.shape[1]) and col_parts[0] % _PARTS == 0
    ):
        whole = out.shape[1] // 4 * 4
        fifths = (row_weights // 4, int(cols[0]), col_weights[:4] // 4)
        part = np.empty((len(rows), whole, 3), dtype=np.uint8) if whole < out.shape[1] else out
        kernels.average_five_to_four(pixels, rows, *fifths, NO_DATA_LEVEL, part)
        out[:, :whole] = part
    rest = cols[whole:], col_weights[whole:]
    kernels.average_cells(pixels, rows, row_weights, *rest, NO_DATA_LEVEL, out[:, whole:])
    return out


def _is_five_to_four(parts: IntArray, size: int) -> bool:
    """Whether every cell is 5/4 of a pixel long, begins on a quarter, and lies inside."""
    quarters = _PARTS // 4
    inside = parts[-1] <= size * _PARTS and parts[0] % quarters == 0
    return bool(inside and len(parts) > 4 and (np.diff(parts) == 5 * quarters).all())


def _overlaps(parts: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """First source pixel of each cell, and its overlap with that one and those after it."""
    low, high = parts[:-1, np.newaxis], np.minimum(parts[1:, np.newaxis], size * _PARTS)
    first = parts[:-1] // _PARTS
    taps = int(np.max(-(-high // _PARTS) - low // _PARTS, initial=1))
    left = (first[:, np.newaxis] + np.arange(taps)) * _PARTS
    shared = np.minimum(left + _PARTS, high) - np.maximum(left, low)
    return first, np.maximum(shared, 0)
