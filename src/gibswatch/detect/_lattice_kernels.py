"""DBSCAN of pixels in compiled code: a few passes over the rows, memory by the number of points.

Imported by `lattice_dbscan`, and never where numba is not installed.  Points lie in row-major order
throughout: their columns in one array, and where each row begins in another.

Core pixels of a row that lie at most eps apart form a segment: they are one cluster, so that
union-find joins segments, not points.  Of the core pixels of one row within eps of a point only the
nearest on either side need to be looked at: others on that side are of the same segment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect._compiled import compiled
from gibswatch.types import ByteArray

__all__ = ["cluster_pixels"]

_Ints = NDArray[np.int32]
_Longs = NDArray[np.int64]
_Shorts = NDArray[np.uint16]


@compiled
def cluster_pixels(
    mask: ByteArray,
    words: NDArray[np.uint64],
    half_widths: _Longs,
    min_samples: int,
    labels: _Ints,
) -> None:
    """Label the pixels of a mask.

    Parameters
    ----------
    mask : (rows, cols) ndarray of uint8
        0 or 1; contiguous; fewer than 65,535 columns.
    words : (rows * cols // 8,) ndarray of uint64
        The same memory, eight pixels at a time.
    half_widths : (reach + 1,) ndarray of int64
        Of the disk of radius eps, by the distance in rows; the disk has fewer than 65,535 pixels.
    min_samples : int
    labels : (n,) ndarray of int32
        Written: the label of each point in row-major order, -1 for noise.
    """
    columns = np.empty(len(labels) + 1, np.uint16)
    starts = _find_points(mask, words, columns)
    _mark_core(mask, starts, columns, half_widths, min_samples, labels)
    core_columns = np.empty(len(labels), np.uint16)
    widest = half_widths[0]
    core_starts, segments = _gather_core(starts, columns, labels, widest, core_columns)
    segment_starts, begins = _cut_segments(core_starts, core_columns, widest, segments)
    parents = np.arange(segments).astype(np.int32)
    ends = core_columns[begins[1:] - 1]
    for row in range(len(starts) - 1):
        _join_row(row, segment_starts, begins, ends, core_columns, half_widths, parents)
    core_labels = _number(parents, begins)
    _write_labels(starts, columns, core_starts, core_columns, core_labels, half_widths, labels)


@compiled
def _find_points(mask: ByteArray, words: NDArray[np.uint64], columns: _Shorts) -> _Ints:
    """Write the column of each point; give where each row begins."""
    rows, cols = mask.shape
    flat = mask.reshape(rows * cols)
    starts = np.zeros(rows + 1, np.int32)
    found, row, row_begin = 0, 0, 0
    for word in range(len(words) + 1):
        if word < len(words) and words[word] == 0:
            continue
        for i in range(8 * word, min(8 * word + 8, rows * cols)):
            while i - row_begin >= cols:
                row += 1
                row_begin += cols
                starts[row] = found
            columns[found] = i - row_begin  # overwritten by the next point if this is none
            found += flat[i]
    starts[row + 1 :] = found
    return starts


@compiled
def _mark_core(  # noqa: PLR0917
    mask: ByteArray,
    starts: _Ints,
    columns: _Shorts,
    half_widths: _Longs,
    min_samples: int,
    marks: _Ints,
) -> None:
    """Mark core points with 0 and others with -1, by row prefix sums over the disk.

    The sums of the last rows are kept in a ring; each begins a half width before the first column,
    so that no window has to be cut at the picture's edge.  They may overflow: differences do not.
    """
    (rows, cols), reach, pad = mask.shape, len(half_widths) - 1, half_widths[0]
    height = min(rows, 2 * reach + 1)
    sums = np.zeros((height, cols + 2 * pad + 1), np.uint16)
    counts = np.empty(cols, np.uint16)
    for ahead in range(rows + reach):
        if ahead < rows and starts[ahead] < starts[ahead + 1]:
            _sum_row(mask[ahead], pad, sums[ahead % height])
        row = ahead - reach
        if row < 0 or starts[row] == starts[row + 1]:
            continue
        first = np.int64(columns[starts[row]])
        span = np.int64(columns[starts[row + 1] - 1]) + 1 - first
        counts[:span] = 0
        for other in range(max(0, row - reach), min(rows, row + reach + 1)):
            if starts[other] < starts[other + 1]:
                width = half_widths[abs(other - row)]
                line = sums[other % height, first + pad - width :]
                _add_windows(line, line[2 * width + 1 :], counts[:span])
        for point in range(starts[row], starts[row + 1]):
            enough = counts[np.int64(columns[point]) - first] >= min_samples
            marks[point] = 0 if enough else -1


@compiled
def _sum_row(pixels: ByteArray, pad: int, sums: _Shorts) -> None:
    """Write how many points lie before each column; the pad before the first stays 0."""
    count = sums[0]
    for i in range(len(pixels)):
        count += pixels[i]
        sums[i + pad + 1] = count
    for i in range(pad + 1 + len(pixels), len(sums)):
        sums[i] = count


@compiled
def _add_windows(before: _Shorts, after: _Shorts, counts: _Shorts) -> None:
    """Add the points of a row's windows, every column's: quicker than those of points alone."""
    for i in range(len(counts)):
        counts[i] += after[i] - before[i]


@compiled
def _gather_core(
    starts: _Ints, columns: _Shorts, marks: _Ints, widest: int, core_columns: _Shorts
) -> tuple[_Ints, int]:
    """Write the columns of core points; give where each row begins, and the number of segments."""
    core_starts = np.zeros(len(starts), np.int32)
    found = segments = 0
    for row in range(len(starts) - 1):
        for point in range(starts[row], starts[row + 1]):
            if marks[point] < 0:
                continue
            core_columns[found] = columns[point]
            first = found == core_starts[row]
            if first or np.int64(columns[point]) - np.int64(core_columns[found - 1]) > widest:
                segments += 1
            found += 1
        core_starts[row + 1] = found
    return core_starts, segments


@compiled
def _cut_segments(
    core_starts: _Ints, core_columns: _Shorts, widest: int, segments: int
) -> tuple[_Ints, _Ints]:
    """Give the first segment of each row, and the first core point of each segment."""
    segment_starts = np.zeros(len(core_starts), np.int32)
    begins = np.empty(segments + 1, np.int32)
    count = 0
    for row in range(len(core_starts) - 1):
        for core in range(core_starts[row], core_starts[row + 1]):
            first = core == core_starts[row]
            if first or np.int64(core_columns[core]) - np.int64(core_columns[core - 1]) > widest:
                begins[count] = core
                count += 1
        segment_starts[row + 1] = count
    begins[count] = core_starts[-1]
    return segment_starts, begins


@compiled
def _root(parents: _Ints, segment: int) -> int:
    while parents[segment] != segment:
        parents[segment] = parents[parents[segment]]
        segment = parents[segment]
    return segment


@compiled
def _join_row(  # noqa: PLR0917 - compiled code takes no keywords
    row: int,
    segment_starts: _Ints,
    begins: _Ints,
    ends: _Shorts,
    core_columns: _Shorts,
    half_widths: _Longs,
    parents: _Ints,
) -> None:
    """Join the segments of a row with those of the rows above that they touch.

    The root of a set is its first segment in row-major order, which numbers it.
    """
    reach = min(len(half_widths) - 1, row)
    lows = segment_starts[row - reach : row + 1][::-1].copy()
    for segment in range(segment_starts[row], segment_starts[row + 1]):
        root = _root(parents, segment)
        for apart in range(1, reach + 1):
            width, high = half_widths[apart], segment_starts[row - apart + 1]
            begin = np.int64(core_columns[begins[segment]]) - width
            end = np.int64(ends[segment]) + width
            while lows[apart] < high and ends[lows[apart]] < begin:
                lows[apart] += 1
            for other in range(lows[apart], high):
                if core_columns[begins[other]] > end:
                    break
                if parents[other] == root:  # mostly so: the nearest rows come first
                    continue
                other_root = _root(parents, other)
                if other_root != root and _touch(segment, other, begins, core_columns, width):
                    parents[max(root, other_root)] = min(root, other_root)
                    root = min(root, other_root)


@compiled
def _touch(one: int, other: int, begins: _Ints, core_columns: _Shorts, width: int) -> bool:
    """Whether two segments hold a pair of points no more than a width of columns apart."""
    i, j = begins[one], begins[other]
    while i < begins[one + 1] and j < begins[other + 1]:
        apart = np.int64(core_columns[i]) - np.int64(core_columns[j])
        if abs(apart) <= width:
            return True
        if apart < 0:
            i = _first_from(core_columns, i + 1, begins[one + 1], core_columns[j] - width)
        else:
            j = _first_from(core_columns, j + 1, begins[other + 1], core_columns[i] - width)
    return False


@compiled
def _first_from(columns: _Shorts, low: int, high: int, wanted: int | np.int64) -> int:
    """First place from `low` on whose column is at least as wanted, `high` if there is none."""
    step = 1
    while low + step <= high and columns[low + step - 1] < wanted:
        low += step
        step *= 2
    high = min(high, low + step - 1)
    while low < high:
        middle = (low + high) // 2
        if columns[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _number(parents: _Ints, begins: _Ints) -> _Ints:
    """Label of each core point: clusters count by their first segment."""
    labels = np.empty(begins[-1], np.int32)
    numbers = np.empty(len(parents), np.int32)
    count = 0
    for segment in range(len(parents)):
        root = _root(parents, segment)
        if root == segment:
            numbers[segment] = count
            count += 1
        numbers[segment] = numbers[root]
        labels[begins[segment] : begins[segment + 1]] = numbers[segment]
    return labels


@compiled
def _write_labels(  # noqa: PLR0917
    starts: _Ints,
    columns: _Shorts,
    core_starts: _Ints,
    core_columns: _Shorts,
    core_labels: _Ints,
    half_widths: _Longs,
    labels: _Ints,
) -> None:
    """Write the labels of core points, and the lowest within reach of the others."""
    rows, reach = len(starts) - 1, len(half_widths) - 1
    loose = np.empty(np.diff(starts).max() if rows else 0, np.int32)
    for row in range(rows):
        count, core = 0, core_starts[row]
        for point in range(starts[row], starts[row + 1]):
            if labels[point] < 0:
                loose[count] = point
                count += 1
            else:
                labels[point] = core_labels[core]
                core += 1
        for other in range(max(0, row - reach), min(rows, row + reach + 1)):
            if count == 0 or core_starts[other] == core_starts[other + 1]:
                continue
            width = half_widths[abs(other - row)]
            within = core_starts[other], core_starts[other + 1]
            _label_loose(loose[:count], columns, within, core_columns, core_labels, width, labels)


@compiled
def _label_loose(  # noqa: PLR0917
    loose: _Ints,
    columns: _Shorts,
    within: tuple[int, int],
    core_columns: _Shorts,
    core_labels: _Ints,
    width: int,
    labels: _Ints,
) -> None:
    """Lower the labels of a row's other points to those of one row of core points."""
    at = within[0]
    for point in loose:
        column = np.int64(columns[point])
        at = _first_from(core_columns, at, within[1], column)
        for core in range(max(at - 1, within[0]), min(at + 1, within[1])):
            near = abs(np.int64(core_columns[core]) - column) <= width
            if near and (labels[point] < 0 or core_labels[core] < labels[point]):
                labels[point] = core_labels[core]
