"""A picture as a grid of square patches: features of each, labels down to them, scores back up.

The grid begins at the top left.  Where a side is no whole number of patches, those at the right and
the bottom edge reach beyond the picture; what lies there counts for nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features.definition import CHANNEL_STATISTICS, ORIENTATIONS, PatchDefinition
from gibswatch.features.hog import check_pixels, hog_cells
from gibswatch.features.hue import hue_table
from gibswatch.raster.averaging import NO_DATA_LEVEL
from gibswatch.raster.scene import brightest_channel
from gibswatch.types import BoolArray, ByteArray, FloatArray

__all__ = [
    "patch_features", "patch_grid", "patch_labels", "patch_shares", "pixel_scores",
]  # fmt: skip

_PERCENTILES = (5, 25, 50, 75, 95)


def patch_grid(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Rows and columns of patches over a picture of (rows, cols, ...).

    Examples
    --------
    >>> patch_grid((100, 64, 3), 32)
    (4, 2)
    """
    if side < 1:
        raise UsageError(f"a patch of side {side} holds nothing: give 1 or more")
    return -(-shape[0] // side), -(-shape[1] // side)


def patch_shares(where: BoolArray, side: int) -> NDArray[np.float64]:
    """Share of each patch, of what lies in the picture, that is marked.

    Parameters
    ----------
    where : (rows, cols) ndarray of bool
    side : int
        Of a patch in pixels.

    Returns
    -------
    (patch rows, patch cols) ndarray of float64
        0 to 1.
    """
    starts = [np.arange(0, size, side) for size in where.shape]
    by_row = np.add.reduceat(where.astype(np.int64), starts[0], axis=0)
    counts = np.add.reduceat(by_row, starts[1], axis=1)
    sizes = [np.minimum(side, size - at) for size, at in zip(where.shape, starts, strict=True)]
    return np.asarray(counts / np.outer(*sizes))


def patch_labels(mask: ByteArray, side: int, *, share: float = 0.5) -> ByteArray:
    """Label of each patch by a mask of kinds.

    Parameters
    ----------
    mask : (rows, cols) ndarray of uint8
        `gibswatch.types.Kind` of each pixel, 0 where there is nothing.
    side : int
        Of a patch in pixels.
    share : float
        Of the patch that one kind must cover, over 0 to 1.

    Returns
    -------
    (patch rows, patch cols) ndarray of uint8
        The kind that covers most of the patch if that is at least `share` of it (of two equal ones
        the lower), else 0.

    Raises
    ------
    UsageError
        If `share` or `side` is out of range.
    """
    if not 0.0 < share <= 1.0:
        raise UsageError(f"share {share} of a patch is out of range: give more than 0, at most 1")
    labels = np.zeros(patch_grid(mask.shape, side), np.uint8)
    largest = np.zeros(labels.shape)
    for kind in np.unique(mask[mask > 0]):
        shares = patch_shares(mask == kind, side)
        better = (shares >= share) & (shares > largest)
        labels[better], largest[better] = kind, shares[better]
    return labels


def pixel_scores(scores: FloatArray, shape: tuple[int, int], side: int) -> FloatArray:
    """Scores of patches back to pixels.

    Parameters
    ----------
    scores : (patch rows, patch cols) ndarray of float
    shape : (int, int)
        Rows and columns of the picture.
    side : int
        Of a patch in pixels.

    Returns
    -------
    (rows, cols) ndarray
        Of the same type; each pixel has its patch's score.

    Raises
    ------
    UsageError
        If there are other patches than the picture has.
    """
    if scores.shape != patch_grid(shape, side):
        raise UsageError(
            f"scores of {scores.shape} patches do not fit a picture of {shape} pixels and patches "
            f"of {side}: it has {patch_grid(shape, side)}"
        )
    at = [np.arange(size) // side for size in shape]
    return np.asarray(scores[np.ix_(*at)])


def patch_features(
    pixels: ByteArray, definition: PatchDefinition, usable: BoolArray | None = None
) -> NDArray[np.float32]:
    """Work out the features of every patch.

    Parameters
    ----------
    pixels : (rows, cols, 3) ndarray of uint8
        RGB.
    definition : PatchDefinition
    usable : (rows, cols) ndarray of bool, optional
        Pixels that count; None: all.

    Returns
    -------
    (patch rows, patch cols, definition.length) ndarray of float32
        In the order of `PatchDefinition.names`: share of the usable pixels that are black, 0 to 1
        (0 where none is usable); mean, standard deviation and percentiles of each channel of the
        others, 0 to 255 (0 where there are none); their hues, shares; and the mean gradient of the
        patch by direction, as `gibswatch.features.hog.hog` has it.

    Raises
    ------
    UsageError
        If `pixels` is no RGB picture of bytes.
    """
    check_pixels(pixels)
    side, grid = definition.side, patch_grid(pixels.shape, definition.side)
    beyond = [(0, count * side - size) for count, size in zip(grid, pixels.shape[:2], strict=True)]
    inside = np.ones(pixels.shape[:2], dtype=bool) if usable is None else usable
    counts = inside & (brightest_channel(pixels) > NO_DATA_LEVEL)
    padded = np.pad(pixels, [*beyond, (0, 0)], mode="edge")
    levels, hues = _count(padded, np.pad(counts, beyond), side, definition.bins)
    seen = levels[:, :, 0].sum(axis=-1)
    known = patch_shares(np.pad(inside, beyond), side) * side * side
    out = np.empty((*grid, definition.length), np.float32)
    out[..., 0] = np.where(known > 0, 1.0 - seen / np.maximum(known, 1), 0.0)
    statistics = 1 + 3 * len(CHANNEL_STATISTICS)
    out[..., 1:statistics] = _statistics(levels).reshape(*grid, -1)
    out[..., statistics:-ORIENTATIONS] = hues / np.maximum(seen, 1)[..., np.newaxis]
    out[..., -ORIENTATIONS:] = hog_cells(padded, cell=side)
    return out


def _count(
    pixels: ByteArray, counted: BoolArray, side: int, bins: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each level and each bin of hue occurs in each patch."""
    from gibswatch.features import _kernels  # noqa: PLC0415 (numba takes 0.4 s to import)

    grid = patch_grid(pixels.shape, side)
    levels, hues = np.zeros((*grid, 3, 256), np.int64), np.zeros((*grid, bins), np.int64)
    _kernels.add_patches(pixels, counted.view(np.uint8), side, *hue_table(bins), levels, hues)
    return levels, hues


def _statistics(levels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(..., 3, 7) `CHANNEL_STATISTICS` of counts of levels (..., 3, 256); 0 where none is."""
    count = levels.sum(axis=-1)
    values, number = np.arange(256), np.maximum(count, 1)
    mean = levels @ values / number
    square = levels @ values**2 / number
    std = np.sqrt(np.maximum(square - mean**2, 0.0))
    running = levels.cumsum(axis=-1)
    found = [mean, std]
    for percent in _PERCENTILES:  # the lowest level that so many pixels do not pass
        wanted = np.maximum(np.ceil(count * percent / 100), 1)
        found.append(np.where(count > 0, (running < wanted[..., np.newaxis]).sum(axis=-1), 0))
    return np.stack(found, axis=-1)
