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
_TAN_20, _TAN_40 = math.tan(math.radians(20)), math.tan(math.radians(40))
_TAN_60, _TAN_80 = math.tan(math.radians(60)), math.tan(math.radians(80))
_TAN_10, _TAN_30 = math.tan(math.radians(10)), math.tan(math.radians(30))
_TAN_50, _TAN_70 = math.tan(math.radians(50)), math.tan(math.radians(70))


@compiled
def _fill_grey(pixels: ByteArray, grey: _Floats) -> None:
    """Thousandths of a grey level of one row, whole numbers."""
    for col in range(len(grey)):
        red, green, blue = (
            np.int32(pixels[3 * col]),
            np.int32(pixels[3 * col + 1]),
            np.int32(pixels[3 * col + 2]),
        )
        grey[col] = np.int32(299) * red + np.int32(587) * green + np.int32(114) * blue


@compiled
def _fill_gradients(
    above: _Floats, row: _Floats, below: _Floats, size: _Floats, turn: ByteArray
) -> None:
    """Magnitude and bin of 20 degrees of each gradient of a row; a direction is as its opposite.

    All numbers are whole and the tangents are not, so no rounding can take a gradient over the edge
    of a bin: a whole number under 510,000 is no nearer to a multiple of them than 1e-6.
    """
    last = len(row) - 1
    for col in range(last + 1):
        left, right = max(col - 1, 0), min(col + 1, last)
        across = row[right] - row[left]
        down = below[col] - above[col]
        if col in {0, last}:
            across = 0.0
        size[col] = math.sqrt(across * across + down * down)
        x, y = abs(across), abs(down)
        bin_ = (
            np.uint8(y >= _TAN_20 * x)
            + np.uint8(y >= _TAN_40 * x)
            + np.uint8(y >= _TAN_60 * x)
            + np.uint8(y >= _TAN_80 * x)
        )
        turn[col] = np.uint8(8) - bin_ if across * down < 0.0 else bin_


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
    grey = np.empty((3, cols))
    size, turn = np.empty(cols), np.empty(cols, np.uint8)
    _fill_grey(pixels[0], grey[0])
    for row in range(cells.shape[0] * cell):
        if row + 1 < rows:
            _fill_grey(pixels[row + 1], grey[(row + 1) % 3])
        inside = 0 < row < rows - 1
        above = grey[(row - 1) % 3] if inside else grey[row % 3]
        below = grey[(row + 1) % 3] if inside else grey[row % 3]
        _fill_gradients(above, grey[row % 3], below, size, turn)
        sums = cells[row // cell]
        for number in range(cells.shape[1]):
            for col in range(number * cell, (number + 1) * cell):
                sums[number, turn[col]] += size[col]


@compiled
def _fill_compat_grey(pixels: ByteArray, grey: _Floats) -> None:
    for col in range(len(grey)):
        red, green, blue = (
            np.float64(pixels[3 * col]),
            np.float64(pixels[3 * col + 1]),
            np.float64(pixels[3 * col + 2]),
        )
        grey[col] = 0.299 * red + 0.587 * green + 0.144 * blue


@compiled
def _compat_turn(across: float, down: float) -> int:
    """Bin of a gradient that points eastwards: of its angle from -90 to 90 degrees."""
    y = abs(down)
    steps = (
        int(y >= _TAN_10 * across)
        + int(y >= _TAN_30 * across)
        + int(y >= _TAN_50 * across)
        + int(y >= _TAN_70 * across)
    )
    return 4 + steps if down > 0.0 else 4 - steps


@compiled
def add_compat_gradients(
    pixels: ByteArray, cell: int, cells: _Floats, places: NDArray[np.int64], unsure: _Floats
) -> int:
    """Add up the predecessor's gradients of each cell.

    Parameters
    ----------
    pixels, cell
        As for `add_gradients`.
    cells : (cell rows, cell cols, 9) ndarray of float64
        Zeros; written: sums of magnitudes in levels.
    places : (n,) ndarray of int64
        Written: the cell of each gradient that is not added, since it is so near to due north or
        south that the last bit of an arc tangent decides; room for every pixel.
    unsure : (n, 2) ndarray of float64
        Written: these gradients, eastwards and southwards.

    Returns
    -------
    int
        How many these are.
    """
    rows, cols = pixels.shape[0], pixels.shape[1] // 3
    grey = np.empty((2, cols))
    found = 0
    _fill_compat_grey(pixels[0], grey[0])
    for row in range(cells.shape[0] * cell):
        here, below = grey[row % 2], grey[(row + 1) % 2]
        if row + 1 < rows:
            _fill_compat_grey(pixels[row + 1], below)
        for col in range(cells.shape[1] * cell):
            across = here[col + 1] - here[col] if col + 1 < cols else 0.0
            down = below[col] - here[col] if row + 1 < rows else 0.0
            if across + 1e-15 < -1e-9 * abs(down) or (across == 0.0 and down == 0.0):
                continue
            if across <= 1e-9 * abs(down):
                places[found] = row // cell * cells.shape[1] + col // cell
                unsure[found, 0], unsure[found, 1] = across, down
                found += 1
                continue
            size = math.sqrt(across * across + down * down)
            cells[row // cell, col // cell, _compat_turn(across, down)] += size
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
