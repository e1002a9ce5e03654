"""DBSCAN of pixels in compiled code: a few passes over the rows, memory by the number of points.

Imported by `lattice_dbscan`, and never where numba is not installed.  Points lie in row-major order
throughout: their columns in one array, and where each row begins in another.

Core pixels of a row that lie at most eps apart form a segment: they are one cluster, so that
union-find joins segments, not points.  Of the core pixels of one row within eps of a point only the
nearest on either side need to be looked at: others on that side are of the same segment.  Borders
are found by bits: a word holds 64 columns, and the core points before it are known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect._lattice_points import mark_points
from gibswatch.raster._compiled import compiled

__all__ = ["cluster_points", "mark_points"]

_Ints = NDArray[np.int32]
_Longs = NDArray[np.int64]
_Shorts = NDArray[np.uint16]
_Bits = NDArray[np.uint64]


@compiled
def cluster_points(  # noqa: PLR0917 - compiled code takes no keywords
    starts: _Ints,
    columns: _Shorts,
    core_starts: _Ints,
    core_columns: _Shorts,
    cols: int,
    half_widths: _Longs,
    labels: _Ints,
) -> None:
    """Label the points of a mask.

    Parameters
    ----------
    starts, columns, core_starts, core_columns
        From `mark_points`.
    cols : int
        Of the mask.
    half_widths : (reach + 1,) ndarray of int64
        As for `mark_points`.
    labels : (n,) ndarray of int32
        The marks; written: the label of each point in row-major order, -1 for noise.
    """
    widest = half_widths[0]
    segments = _count_segments(core_starts, core_columns, widest)
    segment_starts, begins = _cut_segments(core_starts, core_columns, widest, segments)
    parents = np.arange(segments).astype(np.int32)
    ends = core_columns[begins[1:] - 1]
    for row in range(len(starts) - 1):
        _join_row(row, segment_starts, begins, ends, core_columns, half_widths, parents)
    core_labels = _number(parents, begins)
    bits, ranks = _core_bits(core_starts, core_columns, widest, cols)
    _write_labels(starts, columns, core_starts, core_labels, bits, ranks, half_widths, labels)


@compiled
def _count_segments(core_starts: _Ints, core_columns: _Shorts, widest: int) -> int:
    count = 0
    for row in range(len(core_starts) - 1):
        begin, end = core_starts[row], core_starts[row + 1]
        count += begin < end
        for core in range(begin + 1, end):
            count += np.int64(core_columns[core]) - np.int64(core_columns[core - 1]) > widest
    return count


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
    """Label of each core point: clusters count by their first segment; then one that none has."""
    labels = np.full(begins[-1] + 1, len(parents), np.int32)
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
def _core_bits(
    core_starts: _Ints, core_columns: _Shorts, pad: int, cols: int
) -> tuple[_Bits, _Ints]:
    """Give core points as bits, and how many lie before each word of them.

    A column's bit is `pad` + 64 places further on: no window begins before the row, and the first
    and the last word stay empty.
    """
    rows = len(core_starts) - 1
    width = (cols + 2 * pad) // 64 + 4
    bits = np.zeros((rows, width), np.uint64)
    ranks = np.empty((rows, width), np.int32)
    for row in range(rows):
        begin, end = core_starts[row], core_starts[row + 1]
        ranks[row] = begin
        if begin == end:
            continue
        line, rank = bits[row], ranks[row]
        for core in range(begin, end):
            place = np.uint64(core_columns[core]) + np.uint64(pad + 64)
            line[place >> np.uint64(6)] |= np.uint64(1) << (place & np.uint64(63))
        count = np.int32(begin)
        for word in range(width):
            rank[word] = count
            count += np.int32(_ones(line[word]))
    return bits, ranks


@compiled
def _ones(word: np.uint64) -> np.uint64:
    """How many bits of a word are set; LLVM knows this form, and makes one instruction of it."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    pairs = np.uint64(0x3333333333333333)
    word = (word & pairs) + ((word >> np.uint64(2)) & pairs)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled
def _before(bits: _Bits, ranks: _Ints, row: np.uint64, place: np.uint64) -> np.int32:
    """How many core points lie before a place of a row, of all in row-major order."""
    word = place >> np.uint64(6)
    below = (np.uint64(1) << (place & np.uint64(63))) - np.uint64(1)
    before: np.int32 = ranks[row, word] + np.int32(_ones(bits[row, word] & below))
    return before


@compiled
def _spread(line: _Bits, width: int, spare: _Bits) -> _Bits:
    """Set the places up to a width beside each bit, too; both lines are overwritten."""
    done = 0
    while done < width:
        step = min(2 * done + 1, width - done, 63)
        up, down = np.uint64(step), np.uint64(64 - step)
        before, here, after, wider = line[:-2], line[1:-1], line[2:], spare[1:-1]
        for word in range(len(here)):
            upward = (here[word] << up) | (before[word] >> down)
            wider[word] = here[word] | upward | (here[word] >> up) | (after[word] << down)
        line, spare = spare, line
        done += step
    return line


@compiled
def _write_labels(  # noqa: PLR0917
    starts: _Ints,
    columns: _Shorts,
    core_starts: _Ints,
    core_labels: _Ints,
    bits: _Bits,
    ranks: _Ints,
    half_widths: _Longs,
    labels: _Ints,
) -> None:
    """Write the labels of core points, and the lowest within reach of the others.

    Most of the others are noise: what core points there are in the rows within reach, laid upon
    each other, tells which need to be looked at.
    """
    rows, reach, pad = len(starts) - 1, len(half_widths) - 1, half_widths[0]
    above, spare = np.zeros(bits.shape[1], np.uint64), np.zeros(bits.shape[1], np.uint64)
    near = above
    for row in range(rows):
        first, last = max(0, row - reach), min(rows, row + reach + 1)
        some = core_starts[first] < core_starts[last]
        loose = starts[row + 1] - starts[row] > core_starts[row + 1] - core_starts[row]
        if some and loose:
            above[:] = 0
            for other in range(first, last):
                if core_starts[other] < core_starts[other + 1]:
                    _lay_upon(bits[other], above)
            near = _spread(above, pad, spare)
        core = core_starts[row]
        for point in range(starts[row], starts[row + 1]):
            if labels[point] >= 0:
                labels[point] = core_labels[core]
                core += 1
            elif some:
                place = np.uint64(columns[point]) + np.uint64(pad + 64)
                if (near[place >> np.uint64(6)] >> (place & np.uint64(63))) & np.uint64(1):
                    labels[point] = _lowest(row, place, core_labels, bits, ranks, half_widths)


@compiled
def _lay_upon(line: _Bits, above: _Bits) -> None:
    for word in range(len(above)):
        above[word] |= line[word]


@compiled
def _lowest(  # noqa: PLR0917
    row: int, place: np.uint64, core_labels: _Ints, bits: _Bits, ranks: _Ints, half_widths: _Longs
) -> np.int32:
    """Lowest label of the core points within reach of a point, -1 if there are none.

    Those on one side of it in one row are all of one segment.  No branch: none could be foretold.
    """
    reach, none = len(half_widths) - 1, core_labels[-1]
    lowest = none
    for other in range(max(0, row - reach), min(len(bits), row + reach + 1)):
        width = np.uint64(half_widths[abs(other - row)])
        begin = _before(bits, ranks, np.uint64(other), place - width)
        end = _before(bits, ranks, np.uint64(other), place + width + np.uint64(1))
        label = min(core_labels[begin], core_labels[max(begin, end - np.int32(1))])
        lowest = min(lowest, label if begin < end else none)
    return lowest if lowest < none else np.int32(-1)
