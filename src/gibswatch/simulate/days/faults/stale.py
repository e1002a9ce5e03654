"""What happens to finished tiles: another day's pixels, damaged JPEG blocks, tiles without data."""

from __future__ import annotations

import numpy as np

from gibswatch.simulate.days.composite import TILE_SIZES, tile_numbers
from gibswatch.simulate.days.faults.missing import tile_of
from gibswatch.simulate.days.spec import FaultSpec, generator
from gibswatch.types import BoolArray, ByteArray, Georeference

__all__ = ["damage_blocks", "tile_mask"]

_BLOCK = 8


def tile_mask(fault: FaultSpec, georeference: Georeference) -> BoolArray:
    """Mark the pixels of a picture that lie in a fault's part of its tile.

    Parameters
    ----------
    fault : FaultSpec
        Of a tile, with its place; ``wrong-day`` is all of the picture.
    georeference : Georeference
    """
    if fault.kind == "wrong-day" or fault.place is None:
        return np.ones(georeference.shape, dtype=bool)
    tile = tile_of(fault.place, georeference.epsg)
    rows, cols = tile_numbers(georeference)
    size = TILE_SIZES[georeference.epsg]
    left, top, right, bottom = fault.part
    g = georeference
    # Every tile begins at a multiple of its size.
    down = -(g.north - (np.arange(g.rows) + 0.5) * g.pixel_height) / size % 1.0
    across = (g.west + (np.arange(g.cols) + 0.5) * g.pixel_width) / size % 1.0
    in_rows = (rows == tile[0]) & (down >= top) & (down < bottom)
    in_cols = (cols == tile[1]) & (across >= left) & (across < right)
    return np.asarray(in_rows[:, np.newaxis] & in_cols[np.newaxis, :])


def damage_blocks(picture: ByteArray, mask: BoolArray, *, seed: int, place: object) -> ByteArray:
    """Return a picture in which a run of JPEG blocks went wrong, within a mask.

    Parameters
    ----------
    picture : (rows, cols, 3) ndarray of uint8
    mask : (rows, cols) ndarray of bool
        The damaged part of a tile.
    seed : int
    place : object
        Which damage it is.

    Notes
    -----
    A wrong code shifts the direct current of all blocks after it: colours jump and smear to the
    right until the next restart.
    """
    drawn = generator(seed, "jpeg", place)
    result = picture.copy()
    rows = np.flatnonzero(mask.any(axis=1))
    cols = np.flatnonzero(mask.any(axis=0))
    if rows.size == 0 or cols.size == 0:
        return result
    for top in range(int(rows[0]), int(rows[-1]) + 1, _BLOCK):
        part = (slice(top, min(top + _BLOCK, int(rows[-1]) + 1)), slice(cols[0], cols[-1] + 1))
        jump = drawn.normal(0.0, 60.0, 3)
        begins = int(drawn.integers(0, max(1, cols.size // 2)))
        block = result[part].astype(np.float32)
        smear = block[:, begins : begins + 1]
        block[:, begins:] = 0.4 * block[:, begins:] + 0.6 * smear + jump.astype(np.float32)
        result[part] = np.clip(block, 0.0, 255.0).astype(np.uint8)
    return np.where(mask[..., np.newaxis], result, picture)
