"""Damaged JPEG blocks as they show in pixels: bands of eight rows whose colours jump.

Where bytes are lost the levels of all blocks after it go wrong, row of blocks by row of blocks, up
to the edge of the tile.  In the picture that is a step along a whole row between blocks, with
nothing like it between the rows within.  Clouds, coasts and stripes step between any rows; those of
a single row between blocks prove nothing, since one row in eight is one.  So several are asked for,
one below the other.

It needs the lattice: pixels of tiles as they were encoded.  Once a picture is resampled its blocks
lie anywhere, and nothing is said of them.  One level that is wrong once, and carried on to the end
of the tile, makes one step alone: it is told by the codes (`jpeg_stream`), not here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.raster.scene import brightest_channel
from gibswatch.types import BoolArray, ByteArray, Georeference

__all__ = ["BLOCK", "DamagedBlocks", "damaged_blocks", "lattice_row"]

BLOCK = 8
"""Rows of a JPEG block."""
_PIECE = 16
"""Columns that are averaged; a window has two such pieces, so windows overlap by half."""
_WITHIN = 8
"""Rows of blocks, one below the other, among which steps are counted."""
_STEPS = 5
"""So many of them must step: undamaged ones at hand have 4 at most, of some 1,500 days."""
_LEVELS = 8.0
"""A step: of the mean over a window, in levels of brightness, R-G or B-G."""
_TIMES = 1.5
"""And of the largest step between the rows within the two blocks that meet there."""
_DARK = 12
"""Level of the brightest channel up to which a pixel may be black, and does not count."""
_NORTH = {4326: 90.0, 3413: 4194304.0, 3031: 4194304.0, 3857: 20037508.342789244}
"""Upper edge of the tile grids, in units of the projection."""
_Sums = NDArray[np.int32]
_Means = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DamagedBlocks:
    """Where a picture has damaged blocks."""

    rows: slice
    cols: slice
    steps: int
    """Rows of blocks among eight that step."""


def lattice_row(georeference: Georeference) -> int:
    """First row of a picture at which blocks of the service's tiles begin, 0 to 7."""
    down = (_NORTH[georeference.epsg] - georeference.north) / georeference.pixel_height
    return -round(down) % BLOCK


def damaged_blocks(pixels: ByteArray, *, first_row: int = 0) -> DamagedBlocks | None:
    """Find the place where most rows of blocks step.

    Parameters
    ----------
    pixels : (rows, cols, 3) ndarray of uint8
        Of a JPEG.
    first_row : int
        At which blocks begin (`lattice_row`).

    Returns
    -------
    DamagedBlocks or None
        None if the blocks are sound, or none can be told.
    """
    part = pixels[first_row:]
    bands, pieces = part.shape[0] // BLOCK, part.shape[1] // _PIECE
    if bands < _STEPS + 1 or pieces < 2:
        return None
    means, lit = _window_means(part[: bands * BLOCK, : pieces * _PIECE])
    stepped = _stepped(means, lit)
    if stepped is None:
        return None
    counts = ndimage.uniform_filter1d(
        stepped.astype(np.float32), _WITHIN, axis=0, mode="constant", origin=-(_WITHIN // 2)
    )
    counts = np.rint(counts * _WITHIN).astype(np.int64)
    band, window = np.unravel_index(int(np.argmax(counts)), counts.shape)
    most = int(counts[band, window])
    if most < _STEPS:
        return None
    return _place(counts >= _STEPS, stepped, first_row, most)


def _window_means(pixels: ByteArray) -> tuple[_Means, BoolArray]:
    """Means over windows of 32 columns, of each row.

    Returns
    -------
    means : (3, bands, 8, windows) ndarray of float32
        Brightness, R-G and B-G of what is not black.
    lit : (bands, windows) ndarray of bool
        Where at least half of every row is not black.
    """
    rows, cols = pixels.shape[:2]
    pieces = cols // _PIECE
    light = brightest_channel(pixels) > _DARK
    count = light.reshape(rows, pieces, _PIECE).sum(axis=2, dtype=np.int32)
    red, green, blue = (
        _in_pairs((pixels[..., band] * light).reshape(rows, pieces, _PIECE).sum(2, dtype=np.int32))
        for band in range(3)
    )
    both = _in_pairs(count)
    lit = both.reshape(rows // BLOCK, BLOCK, -1).min(axis=1) >= _PIECE
    planes = np.stack([(red + 2 * green + blue) / 4, red - green, blue - green])
    means = (planes / np.maximum(both, 1)).astype(np.float32)
    return means.reshape(3, rows // BLOCK, BLOCK, -1), np.asarray(lit)


def _in_pairs(sums: _Sums) -> _Sums:
    return sums[:, :-1] + sums[:, 1:]


def _stepped(means: _Means, lit: BoolArray) -> BoolArray | None:
    """Where a row of blocks is set off from the one above, (bands, windows).

    None for a picture that is enlarged: within its blocks it has no steps anywhere.
    """
    inner = np.abs(np.diff(means, axis=2)).max(axis=2)
    if not lit.any() or np.mean(inner.max(axis=0)[lit] == 0) > 0.5:
        return None
    step = np.abs(means[:, 1:, 0] - means[:, :-1, -1])
    around = np.maximum(inner[:, 1:], inner[:, :-1])
    steps = ((step > _LEVELS) & (step > _TIMES * (around + 1.0))).any(axis=0)
    result = np.zeros(lit.shape, dtype=bool)
    result[1:] = steps & lit[1:] & lit[:-1]
    return result


def _place(found: BoolArray, stepped: BoolArray, first_row: int, most: int) -> DamagedBlocks:
    """Box of the steps that were counted."""
    reach = ndimage.maximum_filter1d(found, _WITHIN, axis=0, origin=_WITHIN // 2 - 1)
    bands, windows = np.nonzero(reach & stepped)
    rows = slice(int(first_row + BLOCK * bands.min()), int(first_row + BLOCK * (bands.max() + 1)))
    cols = slice(int(_PIECE * windows.min()), int(_PIECE * (windows.max() + 2)))
    return DamagedBlocks(rows, cols, most)
