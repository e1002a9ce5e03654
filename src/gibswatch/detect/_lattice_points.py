"""Which points of a mask are core for DBSCAN, in compiled code.

Imported by `_lattice_kernels`, and never where numba is not installed.  Points lie in row-major
order: their columns in one array, and where each row begins in another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster._compiled import compiled
from gibswatch.types import ByteArray

__all__ = ["mark_points"]

_Ints = NDArray[np.int32]
_Longs = NDArray[np.int64]
_Shorts = NDArray[np.uint16]
_Sums = NDArray[np.uint16] | NDArray[np.uint8]
_RUN_GAP = 128
"""Columns without a point that end a run."""
_RUN_STEP = 16
"""Points of a run that are passed over at one time where they lie close."""


@compiled
def mark_points(  # noqa: PLR0917 - compiled code takes no keywords
    mask: ByteArray,
    words: NDArray[np.uint64],
    half_widths: _Longs,
    min_samples: int,
    marks: _Ints,
    columns: _Shorts,
    core_columns: _Shorts,
) -> tuple[_Ints, _Ints]:
    """Find the points of a mask, and mark those that are core.

    Parameters
    ----------
    mask : (rows, cols) ndarray of uint8
        0 or 1; contiguous; fewer than 65,535 columns.
    words : (rows * cols // 8,) ndarray of uint64
        The same memory, eight pixels at a time; little-endian.
    half_widths : (reach + 1,) ndarray of int64
        Of the disk of radius eps, by the distance in rows; the disk has fewer than 65,535 pixels.
    min_samples : int
    marks : (n,) ndarray of int32
        Written: 0 for each core point, -1 for others.
    columns : (n + 8,) ndarray of uint16
        Written: the column of each point; the last 8 are scratch.
    core_columns : (n + 1,) ndarray of uint16
        Written: the columns of core points.

    Returns
    -------
    starts, core_starts : (rows + 1,) ndarray of int32
        Where each row begins among the points, and among the core points.
    """
    starts = _find_points(mask, words, columns)
    kinds = len(_disk_columns(half_widths)[0]) + 1
    shape = kinds, mask.shape[1] + 2 * half_widths[0]
    if 2 * (2 * half_widths + 1).sum() < 256:
        few = np.zeros(shape, np.uint8)
        core_starts = _mark_core(
            mask, starts, columns, half_widths, min_samples, few, marks, core_columns
        )
    else:
        many = np.zeros(shape, np.uint16)
        core_starts = _mark_core(
            mask, starts, columns, half_widths, min_samples, many, marks, core_columns
        )
    return starts, core_starts


@compiled
def _find_points(mask: ByteArray, words: NDArray[np.uint64], columns: _Shorts) -> _Ints:
    """Write the column of each point, and up to 7 more places; give where each row begins."""
    rows, cols = mask.shape
    flat = mask.reshape(rows * cols)
    places = _places()
    starts = np.zeros(rows + 1, np.int32)
    found, row, row_begin = 0, 0, 0
    for word in range(len(words) + 1):
        if word < len(words) and words[word] == 0:
            continue
        begin, end = 8 * word, min(8 * word + 8, rows * cols)
        if begin == end:
            continue
        while begin - row_begin >= cols:
            row += 1
            row_begin += cols
            starts[row] = found
        if word < len(words) and end - row_begin <= cols:
            byte = (words[word] * np.uint64(0x0102040810204080)) >> np.uint64(56)
            line, column = places[byte], np.uint16(begin - row_begin)
            here = columns[found : found + 8]
            for i in range(8):
                here[i] = column + line[i]
            found += line[8]
            continue
        for i in range(begin, end):
            while i - row_begin >= cols:
                row += 1
                row_begin += cols
                starts[row] = found
            columns[found] = i - row_begin  # overwritten by the next point if this is none
            found += flat[i]
    starts[row + 1 :] = found
    return starts


@compiled
def _places() -> _Shorts:
    """Give the places of the bits of each byte, and their number as the ninth."""
    places = np.zeros((256, 9), np.uint16)
    for byte in range(256):
        for bit in range(8):
            if byte >> bit & 1:
                places[byte, places[byte, 8]] = bit
                places[byte, 8] += 1
    return places


@compiled
def _disk_columns(half_widths: _Longs) -> tuple[_Longs, _Longs]:
    """Give the different half heights of the disk's columns, and which of them each column has."""
    heights = np.zeros(half_widths[0] + 1, np.int64)
    for apart in range(len(half_widths)):
        heights[: half_widths[apart] + 1] = apart
    kinds = np.zeros(len(heights), np.int64)
    for i in range(1, len(heights)):
        kinds[i] = kinds[i - 1] + (heights[i] != heights[i - 1])
    different = np.empty(kinds[-1] + 1, np.int64)
    different[kinds] = heights
    return different, kinds


@compiled
def _mark_core(  # noqa: PLR0917
    mask: ByteArray,
    starts: _Ints,
    columns: _Shorts,
    half_widths: _Longs,
    min_samples: int,
    sums: _Sums,
    marks: _Ints,
    core_columns: _Shorts,
) -> _Ints:
    """Mark core points with 0 and others with -1, by the sums of the columns of the disk.

    For each half height that a column of the disk has, the sums of all columns of the picture go
    down with the row; they begin and end a half width beside the picture, so that no disk has to
    be cut at its edge.  `sums` (kinds + 1, cols + 2 * half width) is empty, and holds the counts of
    a row in its last line.  Columns of core points are written; given is where each row begins.
    """
    (rows, cols), reach, pad = mask.shape, len(half_widths) - 1, half_widths[0]
    heights, kinds = _disk_columns(half_widths)
    counts = sums[len(heights)]
    core_starts, found = np.zeros(rows + 1, np.int32), 0
    for row in range(-reach, rows):
        for kind in range(len(heights)):
            line = sums[kind, pad : pad + cols]
            enters, leaves = row + heights[kind], row - heights[kind] - 1
            if 0 <= enters < rows and starts[enters] < starts[enters + 1]:
                _add_line(mask[enters], line)
            if leaves >= 0 and starts[leaves] < starts[leaves + 1]:
                _take_line(mask[leaves], line)
        if row < 0:
            continue
        begin = starts[row]
        while begin < starts[row + 1]:
            end = _end_of_run(columns, begin, starts[row + 1])
            first = np.int64(columns[begin])
            span = np.int64(columns[end - 1]) + 1 - first
            _count_run(sums, kinds, first, counts[:span])
            for point in range(begin, end):
                is_core = int(counts[np.int64(columns[point]) - first] >= min_samples)
                marks[point] = is_core - 1
                core_columns[found] = columns[point]  # overwritten by the next one if this is none
                found += is_core
            begin = end
        core_starts[row + 1] = found
    return core_starts


@compiled
def _end_of_run(columns: _Shorts, begin: int, end: int) -> int:
    """End of the points of a row that lie in each other's neighbourhood."""
    point = begin
    while point + 1 < end:
        ahead = min(point + _RUN_STEP, end - 1)
        if np.int64(columns[ahead]) - np.int64(columns[point]) > _RUN_GAP:
            ahead = point + 1  # a gap may lie in between
            if np.int64(columns[ahead]) - np.int64(columns[point]) > _RUN_GAP:
                return ahead
        point = ahead
    return end


@compiled
def _count_run(sums: _Sums, kinds: _Longs, first: int | np.int64, counts: _Sums) -> None:
    """Count the points in the disk around each place of a run of columns."""
    span, pad = len(counts), len(kinds) - 1
    _copy(sums[kinds[0], first + pad : first + pad + span], counts)
    for aside in range(1, pad + 1):
        line = sums[kinds[aside]]
        left, right = first + pad - aside, first + pad + aside
        _add_two(line[left : left + span], line[right : right + span], counts)


@compiled
def _copy(line: _Sums, counts: _Sums) -> None:
    for i in range(len(counts)):
        counts[i] = line[i]


@compiled
def _add_two(one: _Sums, other: _Sums, counts: _Sums) -> None:
    for i in range(len(counts)):
        counts[i] += one[i] + other[i]


@compiled
def _add_line(pixels: ByteArray, sums: _Sums) -> None:
    for i in range(len(pixels)):
        sums[i] += pixels[i]


@compiled
def _take_line(pixels: ByteArray, sums: _Sums) -> None:
    for i in range(len(pixels)):
        sums[i] -= pixels[i]
