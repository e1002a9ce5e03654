"""Small records of pictures that tell whether two days show the same pixels.

A record is the mean brightness of cells.  Weather makes them differ from day to day; where a block
of cells is the same on two days, and is not what these places show on other days, one of the two
pictures is likely to be the other's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.raster.scene import Scene
from gibswatch.types import ByteArray

__all__ = ["MANY_CELLS", "alike_cells", "take_likeness", "usual_cells"]

_MOST_CELLS = 64
"""Cells down at most."""
_FEWEST_PX = 4
"""Pixels along a side of a cell at least."""
_DARKEST = 6
_SAME = 2
"""Levels by which the mean of a cell may differ: JPEG of another quality."""
_UNUSUAL = 10
"""Levels from what is usual from which a cell shows weather."""
_UNUSUAL_SHARE = 0.25
"""Of the cells of a block, that have to show weather: a desert is the same on most days."""
_VARIED = 12.0
"""Standard deviation of the cells of a block: snow and thick cloud are all of one white."""
MANY_CELLS = 16
"""Cells of a block that are enough to look at the pixels."""


def take_likeness(scene: Scene) -> ByteArray:
    """Mean brightness of cells, (cells down, cells across) uint8.

    Parameters
    ----------
    scene : Scene
        At most 64 cells down, of at least 4 x 4 pixels.
    """
    rows, cols = scene.pixels.shape[:2]
    side = max(_FEWEST_PX, -(-rows // _MOST_CELLS))
    down, across = rows // side, cols // side
    if not down or not across:
        return np.zeros((0, 0), dtype=np.uint8)
    grey = scene.pixels[: down * side, : across * side, :3].mean(axis=2, dtype=np.float32)
    cells = grey.reshape(down, side, across, side).mean(axis=(1, 3))
    return np.asarray(np.rint(cells), dtype=np.uint8)


def alike_cells(one: ByteArray, other: ByteArray, usual: NDArray[np.float32]) -> int:
    """Count the cells of the largest block that is the same on two days and shows weather.

    Parameters
    ----------
    one, other : (down, across) ndarray of uint8
        Of `take_likeness`.
    usual : (down, across) ndarray
        What is usual there, such as the median over days.
    """
    if one.shape != other.shape or one.shape != usual.shape or not one.size:
        return 0
    first, second = one.astype(np.int16), other.astype(np.int16)
    same = (np.abs(first - second) <= _SAME) & (np.maximum(first, second) > _DARKEST)
    solid = ndimage.binary_opening(same, np.ones((3, 3), dtype=bool))
    if solid.sum() < MANY_CELLS:
        return 0
    labels, count = ndimage.label(solid)
    weather = np.abs(first - usual) >= _UNUSUAL
    numbers = np.arange(1, count + 1)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    shown = np.bincount(labels[weather], minlength=count + 1)[1:]
    varied = np.array([one[labels == n].std() for n in numbers[sizes >= MANY_CELLS]])
    large = sizes >= MANY_CELLS
    real = (shown[large] >= _UNUSUAL_SHARE * sizes[large]) & (varied >= _VARIED)
    return int(sizes[large][real].max(initial=0))


def usual_cells(records: Sequence[ByteArray]) -> NDArray[np.float32]:
    """Median of records of one size over days."""
    return np.asarray(np.median(np.stack(records), axis=0), dtype=np.float32)
