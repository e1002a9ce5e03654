"""Averaging by area in compiled code: whole numbers all the way, so that no sum depends on order.

Imported by `averaging` when it is worth the time that numba takes to load, and never where numba is
not installed.  Weights are overlaps in parts of a source pixel (quarters for a scale of 5/4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster._compiled import compiled
from gibswatch.types import ByteArray

__all__ = ["average_cells", "average_five_to_four"]

_Weights = NDArray[np.int64]


@compiled
def _nearest(total: int, area: int) -> int:
    """Divide and round to nearest, halves to even, as `numpy.rint` does."""
    quotient = (2 * total + area) // (2 * area)
    if (2 * total + area) % (2 * area) == 0 and quotient % 2 == 1:
        quotient -= 1
    return quotient


@compiled
def _average_one(  # noqa: PLR0917 - compiled code takes no keywords
    pixels: ByteArray,
    corner: tuple[int, int],
    row_weights: _Weights,
    col_weights: _Weights,
    no_data_level: int,
    cell: ByteArray,
) -> None:
    """Write one output pixel: the mean of the imagery if that is half of it, else of the rest."""
    data_area = area = 0
    data_0 = data_1 = data_2 = all_0 = all_1 = all_2 = 0
    for i in range(len(row_weights)):
        for j in range(len(col_weights)):
            weight = row_weights[i] * col_weights[j]
            if weight == 0:  # beyond the pixels there may be none to read
                continue
            pixel = pixels[corner[0] + i, corner[1] + j]
            red, green, blue = np.int64(pixel[0]), np.int64(pixel[1]), np.int64(pixel[2])
            area += weight
            all_0 += weight * red
            all_1 += weight * green
            all_2 += weight * blue
            if max(red, green, blue) > no_data_level:
                data_area += weight
                data_0 += weight * red
                data_1 += weight * green
                data_2 += weight * blue
    if 2 * data_area >= area:
        cell[0] = _nearest(data_0, data_area)
        cell[1] = _nearest(data_1, data_area)
        cell[2] = _nearest(data_2, data_area)
    else:
        cell[0] = _nearest(all_0 - data_0, area - data_area)
        cell[1] = _nearest(all_1 - data_1, area - data_area)
        cell[2] = _nearest(all_2 - data_2, area - data_area)


@compiled
def average_cells(  # noqa: PLR0917
    pixels: ByteArray,
    rows: NDArray[np.int64],
    row_weights: _Weights,
    cols: NDArray[np.int64],
    col_weights: _Weights,
    no_data_level: int,
    out: ByteArray,
) -> None:
    """Average any cells.

    Parameters
    ----------
    pixels : (height, width, 3) ndarray of uint8
    rows, cols : (n,) ndarray of int64
        First source pixel of each cell.
    row_weights, col_weights : (n, taps) ndarray of int64
        Overlap of the cell with that pixel and those after it; 0 beyond the last.
    no_data_level : int
        Brightest channel up to which a pixel is black.
    out : (len(rows), len(cols), 3) ndarray of uint8
        Written.
    """
    for row in range(len(rows)):
        for col in range(len(cols)):
            corner = (rows[row], cols[col])
            cell = out[row, col]
            _average_one(pixels, corner, row_weights[row], col_weights[col], no_data_level, cell)


@compiled
def average_five_to_four(  # noqa: PLR0917
    pixels: ByteArray,
    rows: NDArray[np.int64],
    row_weights: _Weights,
    first_col: int,
    col_weights: _Weights,
    no_data_level: int,
    out: ByteArray,
) -> None:
    """Average 5 source pixels to 4, the scale of the predecessor's grid in EPSG:4326.

    Four output columns always lie over five source columns in the same way.  A cell that is all
    imagery or all black is a plain mean, which whole rows of are summed at one time; only the
    cells in which both meet are done one by one.  25 parts a cell: no mean is ever a half.

    Parameters
    ----------
    pixels : (height, width, 3) ndarray of uint8
        Contiguous.
    rows, row_weights
        As for `average_cells`, two weights each that sum to 5.
    first_col : int
        Source column at whose left edge the first cell begins.
    col_weights : (4, 2) ndarray of int64
        4 1, 3 2, 2 3, 1 4.
    no_data_level : int
    out : (len(rows), 4 n, 3) ndarray of uint8
        Contiguous; written.
    """
    width = pixels.shape[1]
    flat = pixels.reshape(pixels.shape[0], 3 * width)
    written = out.reshape(out.shape[0], 3 * out.shape[1])
    groups = out.shape[1] // 4
    sums = np.empty(3 * width, np.uint16)
    marks = np.empty(width, np.uint16)
    seen = marks[first_col:]
    level, none = np.uint8(no_data_level), np.uint16(0)
    for row in range(len(rows)):
        upper, lower = flat[rows[row]], flat[rows[row] + 1]
        u, v = np.uint16(row_weights[row, 0]), np.uint16(row_weights[row, 1])
        for i in range(3 * width):
            sums[i] = np.uint16(u * np.uint16(upper[i]) + v * np.uint16(lower[i]))
        for c in range(width):
            i = 3 * c
            above = max(upper[i], upper[i + 1], upper[i + 2]) > level
            below = max(lower[i], lower[i + 1], lower[i + 2]) > level
            marks[c] = np.uint16((u if above else none) + (v if below else none))
        _plain_means(sums[3 * first_col :], groups, written[row])
        for group in range(groups):
            c = 5 * group
            data = seen[c] + seen[c + 1] + seen[c + 2] + seen[c + 3] + seen[c + 4]
            if data in (0, 25):
                continue
            for k in range(4):
                corner = (rows[row], first_col + c + k)
                cell = out[row, 4 * group + k]
                _average_one(pixels, corner, row_weights[row], col_weights[k], no_data_level, cell)


@compiled
def _plain_means(sums: NDArray[np.uint16], groups: int, out: ByteArray) -> None:
    # Every index counts from 0: with an offset the compiler cannot rule out negative ones, which
    # count from the end, and checks each.
    half, area = np.uint32(12), np.uint32(25)
    two, three, four = np.uint32(2), np.uint32(3), np.uint32(4)
    for group in range(groups):
        for band in range(3):
            i, o = 15 * group + band, 12 * group + band
            a, b, c = np.uint32(sums[i]), np.uint32(sums[i + 3]), np.uint32(sums[i + 6])
            d, e = np.uint32(sums[i + 9]), np.uint32(sums[i + 12])
            out[o] = (four * a + b + half) // area
            out[o + 3] = (three * b + two * c + half) // area
            out[o + 6] = (two * c + three * d + half) // area
            out[o + 9] = (d + four * e + half) // area
