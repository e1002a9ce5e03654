"""Gradients, hues and statistics of patches in compiled code.

Imported inside functions, since numba takes 0.4 s to load; each kernel is tried against NumPy in
the tests.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gibswatch.features._hue_kernels import LEFT_OUT, colour_case, exact_bin
from gibswatch.raster._compiled import compiled
from gibswatch.types import ByteArray

__all__ = ["add_compat_gradients", "add_gradients", "add_patches"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int32]
_Bins = NDArray[np.uint32]
_DROPPED, _UNSURE = np.int32(9), np.int32(10)
"""Bins of the predecessor's gradients that are none of the nine."""
_TAN_20, _TAN_40 = math.tan(math.radians(20)), math.tan(math.radians(40))
_TAN_60, _TAN_80 = math.tan(math.radians(60)), math.tan(math.radians(80))
_TAN_10, _TAN_30 = math.tan(math.radians(10)), math.tan(math.radians(30))
_TAN_50, _TAN_70 = math.tan(math.radians(50)), math.tan(math.radians(70))


@compiled
def _fill_grey(pixels: ByteArray, grey: _Ints) -> None:
    """Thousandths of a grey level of one row, mirrored at both ends; one place more at each."""
    inner = grey[1:-1]
    for col in range(len(inner)):
        red, green, blue = (
            np.int32(pixels[3 * col]),
            np.int32(pixels[3 * col + 1]),
            np.int32(pixels[3 * col + 2]),
        )
        inner[col] = np.int32(299) * red + np.int32(587) * green + np.int32(114) * blue
    last = len(inner) - 1
    grey[0], grey[-1] = inner[min(1, last)], inner[max(last - 1, 0)]


@compiled
def _fill_gradients(  # noqa: PLR0917 - compiled code takes no keywords
    left: _Ints, right: _Ints, above: _Ints, below: _Ints, size: _Floats, turn: _Bins
) -> None:
    """Magnitude and bin of 20 degrees of each gradient of a row; a direction is as its opposite.

    Every slice is read from its begin, so that many gradients are worked out in one instruction.
    Differences are whole numbers under 255,001, and no ratio of two such is as near to a tangent
    here as rounding reaches.
    """
    for col in range(len(size)):
        across = np.float64(right[col] - left[col])
        down = np.float64(below[col] - above[col])
        size[col] = math.sqrt(across * across + down * down)
        x, y = abs(across), abs(down)
        steps = (
            np.int32(y >= _TAN_20 * x)
            + np.int32(y >= _TAN_40 * x)
            + np.int32(y >= _TAN_60 * x)
            + np.int32(y >= _TAN_80 * x)
        )
        turn[col] = np.int32(8) - steps if across * down < 0.0 else steps


@compiled
def _add_row(size: _Floats, turn: _Bins, cell: int, sums: _Floats) -> None:
    """Add the gradients of a row to the sums of its cells."""
    for number in range(len(sums)):
        of_cell = sums[number]
        for col in range(number * cell, (number + 1) * cell):
            of_cell[turn[col]] += size[col]


@compiled
def add_gradients(pixels: ByteArray, cell: int, cells: _Floats) -> None:
    """Add up the gradients of each cell by direction.

    Parameters
    ----------
    pixels : (rows, 3 * cols) ndarray of uint8
        R, G, B of each pixel; contiguous.
    cell : int
        Side of a cell in pixels.
    cells : (cell rows, cell cols, 9) ndarray of float64
        Zeros; written: sums of magnitudes in thousandths of a grey level.
    """
    rows, cols = pixels.shape[0], pixels.shape[1] // 3
    grey = np.empty((3, cols + 2), np.int32)
    size, turn = np.empty(cols), np.empty(cols, np.uint32)
    _fill_grey(pixels[0], grey[0])
    for row in range(cells.shape[0] * cell):
        if row + 1 < rows:
            _fill_grey(pixels[row + 1], grey[(row + 1) % 3])
        inside = 0 < row < rows - 1
        above = grey[(row - 1) % 3] if inside else grey[row % 3]
        below = grey[(row + 1) % 3] if inside else grey[row % 3]
        here = grey[row % 3]
        _fill_gradients(here[:-2], here[2:], above[1:-1], below[1:-1], size, turn)
        _add_row(size, turn, cell, cells[row // cell])


@compiled
def _fill_compat_grey(pixels: ByteArray, grey: _Floats) -> None:
    """Grey levels of one row, the last one twice."""
    inner = grey[:-1]
    for col in range(len(inner)):
        red, green, blue = (
            np.float64(pixels[3 * col]),
            np.float64(pixels[3 * col + 1]),
            np.float64(pixels[3 * col + 2]),
        )
        inner[col] = 0.299 * red + 0.587 * green + 0.144 * blue
    grey[-1] = inner[-1]


@compiled
def _fill_compat_gradients(  # noqa: PLR0917
    here: _Floats, right: _Floats, below: _Floats, due: _Floats, size: _Floats, turn: _Bins
) -> None:
    """Magnitude and bin of each gradient of a row, by its angle from -90 to 90 degrees.

    The tenth bin takes those that do not count, the eleventh those of which that is not sure.
    """
    for col in range(len(size)):
        across, down = right[col] - here[col], below[col] - here[col]
        size[col] = math.sqrt(across * across + down * down)
        y = abs(down)
        steps = (
            np.int32(y >= _TAN_10 * across)
            + np.int32(y >= _TAN_30 * across)
            + np.int32(y >= _TAN_50 * across)
            + np.int32(y >= _TAN_70 * across)
        )
        bin_ = np.int32(4) + steps if down > 0.0 else np.int32(4) - steps
        kept, dropped = (due[0], due[1]) if down > 0.0 else (due[2], due[3])
        if across == 0.0:
            unsure = kept < y < dropped
            bin_ = _DROPPED if y >= dropped else bin_
        else:
            unsure = abs(across) <= 1e-9 * y
        bin_ = _UNSURE if unsure else bin_
        turn[col] = _DROPPED if across < -1e-9 * y else bin_


@compiled
def add_compat_gradients(  # noqa: PLR0917
    pixels: ByteArray,
    cell: int,
    due: _Floats,
    cells: _Floats,
    places: NDArray[np.int64],
    unsure: _Floats,
) -> int:
    """Add up the predecessor's gradients of each cell.

    Parameters
    ----------
    pixels, cell
        As for `add_gradients`.
    due : (4,) ndarray of float64
        Magnitudes up to which a gradient due south surely counts, and from which it surely does
        not; the same two of gradients due north.
    cells : (cell rows, cell cols, 11) ndarray of float64
        Zeros; written: sums of magnitudes in levels; the last two are none of the nine bins.
    places : (n,) ndarray of int64
        Written: the cell of each gradient that is not in a bin, since it is so near to due north or
        south that the last bit of an arc tangent decides; room for every pixel.
    unsure : (n, 2) ndarray of float64
        Written: these gradients, eastwards and southwards.

    Returns
    -------
    int
        How many these are.
    """
    rows, cols = pixels.shape[0], pixels.shape[1] // 3
    grey = np.empty((2, cols + 1))
    size, turn = np.empty(cols), np.empty(cols, np.uint32)
    found = 0
    _fill_compat_grey(pixels[0], grey[0])
    for row in range(cells.shape[0] * cell):
        here = grey[row % 2]
        below = here
        if row + 1 < rows:
            below = grey[(row + 1) % 2]
            _fill_compat_grey(pixels[row + 1], below)
        _fill_compat_gradients(here[:-1], here[1:], below[:-1], due, size, turn)
        _add_row(size, turn, cell, cells[row // cell])
        for col in range(cells.shape[1] * cell):
            if turn[col] == _UNSURE and size[col] > 0.0:
                places[found] = row // cell * cells.shape[1] + col // cell
                unsure[found, 0] = here[col + 1] - here[col]
                unsure[found, 1] = below[col] - here[col]
                found += 1
    return found


@compiled
def add_patches(  # noqa: PLR0917 - compiled code takes no keywords
    pixels: ByteArray,
    counted: ByteArray,
    side: int,
    bins_of: ByteArray,
    edges: _Floats,
    unit: _Floats,
    levels: NDArray[np.int64],
    hues: NDArray[np.int64],
) -> None:
    """Count the levels and hues of each patch.

    Parameters
    ----------
    pixels : (patch rows * side, patch cols * side, 3) ndarray of uint8
    counted : (patch rows * side, patch cols * side) ndarray of uint8
        1 where a pixel is imagery, else 0.
    side : int
    bins_of, edges, unit
        From `gibswatch.features.hue`.
    levels : (patch rows, patch cols, 3, 256) ndarray of int64
        Zeros; written: how often each level occurs in each channel.
    hues : (patch rows, patch cols, bins) ndarray of int64
        Zeros; written.
    """
    for row in range(pixels.shape[0]):
        for col in range(pixels.shape[1]):
            if not counted[row, col]:
                continue
            pixel = pixels[row, col]
            at = (row // side, col // side)
            for band in range(3):
                levels[at[0], at[1], band, pixel[band]] += 1
            bin_ = bins_of[colour_case(pixel[0], pixel[1], pixel[2])]
            if bin_ > LEFT_OUT:
                bin_ = exact_bin(pixel[0], pixel[1], pixel[2], edges, unit)
            hues[at[0], at[1], bin_] += 1
