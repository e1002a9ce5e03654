"""Histograms of oriented gradients: texture without colour.

For every cell of 8x8 pixels, how strong the gradients are in each of nine bins of direction.

Repaired against NASA's gibs-ml (``features.py``), whose definition `compat` keeps:

=====================  ==================================  ====================================
what                   gibs-ml (``compat=True``)           here
=====================  ==================================  ====================================
grey                   .299 R + .587 G + .144 B (1.03)     .299 R + .587 G + .114 B
gradient               to the next pixel, 0 in the last    central difference, 0 in the first
                       row and column: half a pixel off    and last, as in scikit-image
direction              angle + 90 degrees, of which 0 to   modulo 180 degrees: an edge and its
                       180 count: every gradient that      opposite are one, none is lost
                       points westwards is dropped, due
                       north and south by rounding
picture that is no     refused by an error of shapes       the rest of a cell is left out
whole number of cells  where it is over half a cell
=====================  ==================================  ====================================

The mean over a cell is the same in both: an 8x8 running mean that is read at the middle of each
cell covers that cell exactly.  Unlike Dalal and Triggs (2005), and as gibs-ml, there is no
normalisation over blocks: how strong a gradient is tells a featureless patch from a cloud.

References
----------
N. Dalal, B. Triggs: Histograms of Oriented Gradients for Human Detection, CVPR 2005.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features.definition import ORIENTATIONS
from gibswatch.types import ByteArray

__all__ = ["check_pixels", "hog", "hog_cells"]


def hog(pixels: ByteArray, *, cell: int = 8, compat: bool = False) -> NDArray[np.float64]:
    """Work out the histogram of oriented gradients.

    Parameters
    ----------
    pixels : (rows, cols, 3) ndarray of uint8
        RGB.
    cell : int
        Side of a cell in pixels.
    compat : bool
        As gibs-ml did it; see the module.

    Returns
    -------
    (rows // cell * cols // cell * 9,) ndarray of float64
        Mean magnitude of the gradient, 0 to 361 grey levels a pixel step (twice that distance in a
        central difference), by cell row, cell column and bin of 20 degrees.  Bin 0 holds gradients
        from 0 (eastwards, or westwards) to under 20 degrees, turning clockwise, since rows run
        down.  With `compat` bin 0 begins at due north.

    Raises
    ------
    UsageError
        If `pixels` is no RGB picture of bytes, or smaller than a cell.
    """
    return hog_cells(pixels, cell=cell, compat=compat).ravel()


def hog_cells(pixels: ByteArray, *, cell: int = 8, compat: bool = False) -> NDArray[np.float64]:
    """Do what `hog` does, as (rows // cell, cols // cell, 9) ndarray of float64."""
    check_pixels(pixels)
    rows, cols = pixels.shape[:2]
    if not 1 <= cell <= min(rows, cols):
        raise UsageError(
            f"cell {cell} does not fit a picture of {rows}x{cols} pixels: "
            f"give 1 to {min(rows, cols)}"
        )
    from gibswatch.features import _kernels  # noqa: PLC0415 (numba takes 0.4 s to import)

    lines = np.ascontiguousarray(pixels).reshape(rows, 3 * cols)
    grid = (rows // cell, cols // cell)
    if not compat:
        sums = np.zeros((*grid, ORIENTATIONS))
        _kernels.add_gradients(lines, cell, sums)
        return np.asarray(sums / (1000.0 * cell * cell))
    sums = np.zeros((*grid, ORIENTATIONS + 2))
    # Memory that is not written is not used: few gradients point due north or south.
    places, unsure = np.empty(rows * cols, np.int64), np.empty((rows * cols, 2))
    found = _kernels.add_compat_gradients(lines, cell, _due_limits(), sums, places, unsure)
    more = _settle(places[:found], unsure[:found], grid)
    return np.asarray((sums[..., :ORIENTATIONS] + more) / (cell * cell))


def _settle(
    places: NDArray[np.int64], unsure: NDArray[np.float64], grid: tuple[int, int]
) -> NDArray[np.float64]:
    """Sums of gradients whose bin the last bit of NumPy's own arc tangent decides."""
    across, down = unsure[:, 0], unsure[:, 1]
    degrees, kept = _compat_degrees(across, down)
    at = places[kept] * ORIENTATIONS + (degrees[kept] // 20).astype(np.int64)
    sizes = np.sqrt(across[kept] ** 2 + down[kept] ** 2)
    length = grid[0] * grid[1] * ORIENTATIONS
    sums = np.bincount(at, weights=sizes, minlength=length).astype(np.float64, copy=False)
    return sums.reshape(*grid, ORIENTATIONS)


def _compat_degrees(
    across: NDArray[np.float64], down: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The predecessor's direction, and whether it counts."""
    degrees = np.arctan2(down, across + 1e-15) * (180 / np.pi) + 90
    return degrees, (degrees > 0) & (degrees < 180)


@cache
def _due_limits() -> NDArray[np.float64]:
    """How large gradients due south and due north are that surely count, or surely do not.

    A larger one is nearer to 90 degrees, until rounding takes it there.  Where that is, hangs on
    this machine's arc tangent: it is tried, and what lies between the limits is left unsure.
    """
    sizes, limits = np.geomspace(1e-4, 400.0, 20_000), []
    for down in (sizes, -sizes):
        _, kept = _compat_degrees(np.zeros(len(sizes)), down)
        limits += [0.99 * sizes[~kept].min(initial=400.0), 1.01 * sizes[kept].max(initial=0.0)]
    return np.array(limits)


def check_pixels(pixels: ByteArray) -> None:
    """Refuse what is no RGB picture of bytes.

    Raises
    ------
    UsageError
        Naming the shape and type.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise UsageError(
            f"pixels of shape {pixels.shape} and type {pixels.dtype} are no picture: "
            "give (rows, cols, 3) of uint8"
        )
