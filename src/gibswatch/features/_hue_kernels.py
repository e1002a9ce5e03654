"""Hue histograms in compiled code: by table, with the last bit of the floating point form.

The hue depends on which channel is largest, on the chroma (largest less smallest) and on the
difference of the other two: 195,841 cases, of which nearly all lie in one bin whatever the level of
the smallest channel.  In the others the hue is exactly the edge of two bins and rounding decides:
only they are worked out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster._compiled import compiled
from gibswatch.types import ByteArray

__all__ = ["CASES", "LEFT_OUT", "add_bins", "colour_case", "exact_bin", "fill_bins"]

_Floats = NDArray[np.float64]
CASES = 3 * 2**16 + 1
"""Length of a table; the last place, which no colour has, is that of pixels left out."""
LEFT_OUT = 254
"""In a table: the pixel is not counted; more: rounding decides."""
_DECIDE = 255
_STEP = 4096
"""Pixels whose cases are found at one time, many in one instruction."""


@compiled
def exact_bin(red: int, green: int, blue: int, edges: _Floats, unit: _Floats) -> int:
    """Bin of one colour, step by step as matplotlib and NumPy work it out.

    Parameters
    ----------
    red, green, blue : int
    edges : (bins + 1,) ndarray of float64
        Of hues from 0 to 255.
    unit : (256,) ndarray of float64
        ``level / 255``.
    """
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
    hue = (turn + 1.0 if turn < 0.0 else turn) * 255.0
    bin_ = 0
    while bin_ + 2 < len(edges) and hue >= edges[bin_ + 1]:
        bin_ += 1
    return bin_


@compiled
def colour_case(red: int, green: int, blue: int) -> int:
    """Where a colour stands in a table."""
    r, g, b = np.int32(red), np.int32(green), np.int32(blue)
    top = max(r, g, b)
    chroma = top - min(r, g, b)
    difference, sector = g - b, 0
    if top == g:
        difference, sector = b - r, 1 << 16
    if top == b:
        difference, sector = r - g, 2 << 16
    return int(sector + chroma * (chroma + 1) + difference)


@compiled
def _bin_of(  # noqa: PLR0917 - compiled code takes no keywords
    sector: int, lowest: int, chroma: int, difference: int, edges: _Floats, unit: _Floats
) -> int:
    top, other = lowest + chroma, lowest + abs(difference)
    first, second = (other, lowest) if difference > 0 else (lowest, other)
    if sector == 0:
        return exact_bin(top, first, second, edges, unit)
    if sector == 1:
        return exact_bin(second, top, first, edges, unit)
    return exact_bin(first, second, top, edges, unit)


@compiled
def fill_bins(edges: _Floats, unit: _Floats, table: ByteArray) -> None:
    """Fill a table.

    Parameters
    ----------
    edges, unit
        As for `exact_bin`; up to 250 bins, all of one width.
    table : (CASES,) ndarray of uint8
        Written: the bin of each case, at the largest channel's number times 2**16, plus
        ``chroma * (chroma + 1)``, plus the difference; 254 in the last place and 255 where the
        level of the smallest channel decides.
    """
    bins = len(edges) - 1
    table[:] = LEFT_OUT
    for case in range(3 * 256 * 511):
        sector, chroma, difference = case // (256 * 511), case // 511 % 256, case % 511 - 255
        if abs(difference) > chroma:
            continue
        first = _bin_of(sector, 0, chroma, difference, edges, unit)
        at = (sector << 16) + chroma * (chroma + 1) + difference
        table[at] = first
        on_edge = chroma > 0 and bins * (2 * sector * chroma + difference) % (6 * chroma) == 0
        if on_edge:
            for lowest in range(1, 256 - chroma):
                if _bin_of(sector, lowest, chroma, difference, edges, unit) != first:
                    table[at] = _DECIDE
                    break


@compiled
def _find_cases(flat: ByteArray, level: int, cases: NDArray[np.uint32]) -> None:
    """Write the case of each pixel; the last place of a table where it is not over the level."""
    dark, nowhere = np.int32(level), np.int32(CASES - 1)
    for i in range(len(cases)):
        r, g, b = np.int32(flat[3 * i]), np.int32(flat[3 * i + 1]), np.int32(flat[3 * i + 2])
        top = max(r, g, b)
        chroma = top - min(r, g, b)
        difference, sector = g - b, np.int32(0)
        if top == g:
            difference, sector = b - r, np.int32(1 << 16)
        if top == b:
            difference, sector = r - g, np.int32(2 << 16)
        case = sector + chroma * (chroma + np.int32(1)) + difference
        cases[i] = case if top > dark else nowhere


@compiled
def add_bins(  # noqa: PLR0917 - compiled code takes no keywords
    flat: ByteArray,
    level: int,
    table: ByteArray,
    edges: _Floats,
    unit: _Floats,
    counts: NDArray[np.int64],
) -> None:
    """Count the hues of the pixels that are brighter than a level.

    Parameters
    ----------
    flat : (3 * n,) ndarray of uint8
        R, G, B of each pixel; fewer than 2**32 pixels.
    level : int
        Of the brightest channel; -1 counts every pixel.
    table, edges, unit
        As for `fill_bins`.
    counts : (bins,) ndarray of int64
        Added to.
    """
    cases = np.empty(_STEP, np.uint32)
    # In turn by pixel: a sum that was just written is slow to read, and neighbours are alike.
    sums = np.zeros((4, 256), np.uint32)
    for begin in range(0, len(flat) // 3, _STEP):
        size = min(_STEP, len(flat) // 3 - begin)
        part = flat[3 * begin : 3 * (begin + size)]
        _find_cases(part, level, cases[:size])
        for i in range(size):
            bin_ = table[cases[i]]
            if bin_ == _DECIDE:
                counts[exact_bin(part[3 * i], part[3 * i + 1], part[3 * i + 2], edges, unit)] += 1
            else:
                sums[i & 3, bin_] += np.uint32(1)
    for turn in range(4):
        for bin_ in range(len(counts)):
            counts[bin_] += sums[turn, bin_]
