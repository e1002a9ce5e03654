"""Hues in compiled code: by table, with the last bit of the floating point form.

The hue depends on which channel is largest, on the chroma (largest less smallest) and on the
difference of the other two: 195,841 cases.  Where 60 times difference over chroma is no whole
number, its whole part is the same however it is computed, and the case leads to one of 360 kinds.
Where it is one, rounding can take the floating point form to the degree below, by the level of the
smallest channel; each such case (3,005) is a kind of its own, with a bit for each of 256 levels.
The tables are kept small, since reading them is what takes the time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster._compiled import compiled
from gibswatch.types import ByteArray, FloatArray

__all__ = ["add_hues", "fill_hues", "fill_tables"]

_Counts = NDArray[np.int64]
_Table = NDArray[np.uint16]
_STEP = 4096
"""Pixels whose cases are found at one time, many in one instruction."""


@compiled
def _hue(red: int, green: int, blue: int, unit: FloatArray) -> int:
    """Hue of one colour as `counting.hues_by_numpy` computes it, step by step."""
    top = max(red, green, blue)
    chroma = unit[top] - unit[min(red, green, blue)]
    if chroma == 0.0:
        return 0
    if top == blue:
        turn = 4.0 + (unit[red] - unit[green]) / chroma
    elif top == green:
        turn = 2.0 + (unit[blue] - unit[red]) / chroma
    else:
        turn = (unit[green] - unit[blue]) / chroma
    turn = turn / 6.0
    return int((turn + 1.0 if turn < 0.0 else turn) * 360.0)


@compiled
def _colour_hue(sector: int, lowest: int, chroma: int, difference: int, unit: FloatArray) -> int:
    top = lowest + chroma
    other = lowest + abs(difference)
    first, second = (other, lowest) if difference > 0 else (lowest, other)
    if sector == 0:
        return _hue(top, first, second, unit)
    if sector == 1:
        return _hue(second, top, first, unit)
    return _hue(first, second, top, unit)


@compiled
def fill_tables(unit: FloatArray, kinds: _Table, lower: _Table, higher: ByteArray) -> int:
    """Fill the tables.

    Parameters
    ----------
    unit : (256,) ndarray of float64
        ``level / 255``.
    kinds : (3 * 2**16,) ndarray of uint16
        Written: the kind of each case, at the largest channel's number times 2**16, plus
        ``chroma * (chroma + 1)``, plus the difference.
    lower : (n,) ndarray of uint16
        Written: the hue of each kind, the lower one where there are two.
    higher : (32 * n,) ndarray of uint8
        Zeros; written: a bit for each level, set where the hue is the higher one.

    Returns
    -------
    int
        Number of kinds.
    """
    lower[:360] = np.arange(360)
    used = 360
    for case in range(3 * 256 * 511):
        sector, chroma, difference = case // (256 * 511), case // 511 % 256, case % 511 - 255
        if abs(difference) > chroma:
            continue
        low = high = _colour_hue(sector, 0, chroma, difference, unit)
        if chroma > 0 and 60 * difference % chroma == 0:
            for lowest in range(256 - chroma):
                hue = _colour_hue(sector, lowest, chroma, difference, unit)
                low, high = min(low, hue), max(high, hue)
        at = (sector << 16) + chroma * (chroma + 1) + difference
        kinds[at] = low
        if low < high and used < len(lower):
            kinds[at] = used
            lower[used] = low
            for lowest in range(256 - chroma):
                if _colour_hue(sector, lowest, chroma, difference, unit) == high:
                    higher[32 * used + lowest // 8] |= 1 << lowest % 8
            used += 1
    return used


@compiled
def _find_cases(flat: ByteArray, cases: NDArray[np.uint32], lowest: ByteArray) -> None:
    """Write the case of each pixel, and the level of its smallest channel."""
    for i in range(len(lowest)):
        red, green, blue = (
            np.int32(flat[3 * i]),
            np.int32(flat[3 * i + 1]),
            np.int32(flat[3 * i + 2]),
        )
        top = max(red, green, blue)
        low = min(red, green, blue)
        difference, sector = green - blue, 0
        if top == green:
            difference, sector = blue - red, 1 << 16
        if top == blue:
            difference, sector = red - green, 2 << 16
        chroma = top - low
        cases[i] = sector + chroma * (chroma + 1) + difference
        lowest[i] = low


@compiled
def _bit(higher: ByteArray, kind: np.uint32, level: np.uint32) -> np.uint32:
    """1 where the hue of a kind is the higher one; unsigned, since such indices need no check."""
    byte = np.uint32(higher[np.uint64((kind << np.uint32(5)) | (level >> np.uint32(3)))])
    return (byte >> (level & np.uint32(7))) & np.uint32(1)


@compiled
def fill_hues(
    flat: ByteArray, kinds: _Table, lower: _Table, higher: ByteArray, hues: _Table
) -> None:
    """Write the hue of each pixel.

    Parameters
    ----------
    flat : (3 * n,) ndarray of uint8
        R, G, B of each pixel.
    kinds, lower, higher
        From `fill_tables`.
    hues : (n,) ndarray of uint16
        Written.
    """
    cases, lowest = np.empty(_STEP, np.uint32), np.empty(_STEP, np.uint8)
    for begin in range(0, len(hues), _STEP):
        size = min(_STEP, len(hues) - begin)
        _find_cases(flat[3 * begin : 3 * (begin + size)], cases[:size], lowest[:size])
        for i in range(size):
            kind = np.uint32(kinds[cases[i]])
            hues[begin + i] = lower[kind] + _bit(higher, kind, np.uint32(lowest[i]))


@compiled
def add_hues(  # noqa: PLR0917 - compiled code takes no keywords
    flat: ByteArray,
    counted: ByteArray,
    kinds: _Table,
    lower: _Table,
    higher: ByteArray,
    counts: _Counts,
) -> None:
    """Count the hues of the pixels that are to be counted.

    Parameters
    ----------
    flat, kinds, lower, higher
        As for `fill_hues`; fewer than 2**32 pixels.
    counted : (n,) ndarray of uint8
        0 or 1; empty if every pixel counts.
    counts : (360,) ndarray of int64
        Added to.
    """
    cases, lowest = np.empty(_STEP, np.uint32), np.empty(_STEP, np.uint8)
    # In turn by pixel: a sum that was just written is slow to read, and neighbours are alike.
    sums = np.zeros(4 << 13, np.uint32)
    for begin in range(0, len(flat) // 3, _STEP):
        size = min(_STEP, len(flat) // 3 - begin)
        _find_cases(flat[3 * begin : 3 * (begin + size)], cases[:size], lowest[:size])
        weights = counted[begin : begin + size]
        for i in range(size):
            kind = np.uint32(kinds[cases[i]])
            turn = np.uint32(i & 3) << np.uint32(13)
            bin_ = turn | (kind << np.uint32(1)) | _bit(higher, kind, np.uint32(lowest[i]))
            sums[bin_] += np.uint32(weights[i]) if len(weights) else np.uint32(1)
    for at in range(len(sums)):
        if sums[at]:
            counts[lower[at % (1 << 13) // 2] + at % 2] += sums[at]
