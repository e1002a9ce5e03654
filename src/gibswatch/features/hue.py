"""Hue histograms: colour without texture.

The hue is that of HSV as ``matplotlib.colors.rgb_to_hsv(pixels / 255)`` gives it in double
precision, to the last bit, so that the histogram is that of NASA's gibs-ml (``features.py``) with
`compat`.  Repaired against it: there black pixels, the sky's gaps and night, count as hue 0, red;
here they are left out.  (Greys have hue 0 in both; clouds and ice are nearly, not exactly grey.)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features.hog import check_pixels
from gibswatch.raster.averaging import NO_DATA_LEVEL
from gibswatch.types import ByteArray

__all__ = ["HueTable", "hue_histogram", "hue_table"]

HueTable = tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]
"""What `gibswatch.features._hue_kernels` counts with: table, edges of bins, units."""
_EVERY_LEVEL = -1
_MOST_BINS = 250


def hue_histogram(
    pixels: ByteArray, *, bins: int = 10, compat: bool = False
) -> NDArray[np.float64]:
    """Work out the share of each bin of hue.

    Parameters
    ----------
    pixels : (rows, cols, 3) ndarray of uint8
        RGB.
    bins : int
        1 to 250, of equal width; the first begins at red.
    compat : bool
        As gibs-ml did it, to the last bit: black pixels count, as red.

    Returns
    -------
    (bins,) ndarray of float64
        Shares, 0 to 1, of the pixels that are not black (a channel over
        `gibswatch.raster.averaging.NO_DATA_LEVEL`); zeros where all of them are.

    Raises
    ------
    UsageError
        If `pixels` is no RGB picture of bytes, or `bins` is out of range.
    """
    check_pixels(pixels)
    table, edges, unit = hue_table(bins)
    from gibswatch.features import _hue_kernels  # noqa: PLC0415 (numba takes 0.4 s to import)

    counts = np.zeros(bins, np.int64)
    level = _EVERY_LEVEL if compat else NO_DATA_LEVEL
    flat = np.ascontiguousarray(pixels).reshape(-1)
    _hue_kernels.add_bins(flat, level, table, edges, unit, counts)
    if compat:  # a density and back again, as np.histogram works it out: the last bits differ
        width = np.diff(edges)
        return np.asarray(counts / width / counts.sum() * width)
    return counts / max(int(counts.sum()), 1)


@lru_cache(maxsize=8)
def hue_table(bins: int) -> HueTable:
    """The table for a number of bins, made once.

    Raises
    ------
    UsageError
        If `bins` is not 1 to 250.
    """
    if not 1 <= bins <= _MOST_BINS:
        raise UsageError(f"bins {bins} is out of range: give 1 to {_MOST_BINS}")
    from gibswatch.features import _hue_kernels  # noqa: PLC0415

    table = np.empty(_hue_kernels.CASES, np.uint8)
    edges, unit = np.linspace(0, 255, bins + 1), np.arange(256) / 255
    _hue_kernels.fill_bins(edges, unit, table)
    return table, edges, unit
