"""Pictures that carry no information: of one colour, or of a few, where imagery has thousands.

Black is left out: what shows no imagery is told by `observe` and by the states of the tiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster.scene import brightest_channel
from gibswatch.types import ByteArray

__all__ = ["FEW_COLOURS", "blankness"]

FEW_COLOURS = 16
"""So many colours are a blank picture with some noise of its encoding; real pictures of 500 km and
more have thousands."""
_DARK = 12
"""Level of the brightest channel up to which a pixel may be black."""
_LIT_SHARE = 0.05
"""Of a picture that must be over black, or it is a matter of missing data."""
_STRAY = 0.001
"""Share of pixels that may have other colours."""
_FIRST_LOOK = 64
"""Rows and columns, evenly spread, that tell nearly every picture."""
_Colours = NDArray[np.uint32]


def blankness(pixels: ByteArray) -> str:
    """Say in half a sentence why a picture carries no information.

    Parameters
    ----------
    pixels : (rows, cols, 3) ndarray of uint8

    Returns
    -------
    str
        Empty if it does, or if nearly all of it is black.

    Examples
    --------
    >>> blankness(np.full((8, 8, 3), 255, dtype=np.uint8))
    'all of it is of one colour, RGB 255 255 255'
    """
    rows, cols = (max(1, size // _FIRST_LOOK) for size in pixels.shape[:2])
    if not _few(_lit(pixels[::rows, ::cols])):
        return ""
    colours = _lit(pixels)
    if colours.size < _LIT_SHARE * pixels.shape[0] * pixels.shape[1]:
        return ""
    values, counts = np.unique(colours, return_counts=True)
    order = np.argsort(-counts)
    needed = int(np.searchsorted(np.cumsum(counts[order]), (1 - _STRAY) * colours.size)) + 1
    if needed == 1:
        return f"all of it is of one colour, RGB {_in_words(int(values[order[0]]))}"
    if needed <= FEW_COLOURS:
        return f"it has {needed} colours in all, where imagery has thousands"
    return ""


def _lit(pixels: ByteArray) -> _Colours:
    """Colours of the pixels that are not black, as one number each."""
    wide = pixels[brightest_channel(pixels) > _DARK].astype(np.uint32)
    return np.asarray((wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2])


def _few(colours: _Colours) -> bool:
    """Whether the pixels of a first look leave it open: strays among them are not many."""
    _, counts = np.unique(colours, return_counts=True)
    return int((counts > 1).sum()) <= FEW_COLOURS and counts.size <= 4 * FEW_COLOURS


def _in_words(colour: int) -> str:
    return f"{colour >> 16} {colour >> 8 & 255} {colour & 255}"
