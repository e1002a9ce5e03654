"""Simulated days for the embedded server: every tile made when it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

import numpy as np

from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set, tile_matrix_sets
from gibswatch.errors import UsageError
from gibswatch.raster.codec import decode_picture
from gibswatch.simulate.days.day import picture_bytes
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.simulate.server.cache import CACHE_BYTES, PictureCache
from gibswatch.types import ByteArray, Georeference

__all__ = ["SimulatedSource", "tile_georeference"]

_Key = tuple[dt.date, int, float, int, int]
_NO_DATA = np.zeros(0, np.uint8)


class SimulatedSource:
    """Tiles of one simulated layer in every projection; safe to use from many threads.

    A tile is a picture of its own, not a cutting: its pixels are those of the whole day at the
    tile's own resolution, so that any level and projection can be asked for at the cost of a tile.

    Parameters
    ----------
    specify : Callable[[date], DaySpec]
        What a day follows from; the same for the same day.
    days : Collection of date
        Days that can be asked for, at least one.
    cache_bytes : int
        Encoded tiles are kept up to this size together.

    Raises
    ------
    UsageError
        If there are no days.
    """

    def __init__(
        self,
        specify: Callable[[dt.date], DaySpec],
        days: Collection[dt.date],
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        if not days:
            raise UsageError("no days to serve: give at least one date")
        self._specify = specify
        self._days = frozenset(days)
        self._tiles: PictureCache[_Key] = PictureCache(self._make, cache_bytes)

    def days(self) -> frozenset[dt.date]:
        """Days that can be asked for."""
        return self._days

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        """Make and encode one tile, or take it from the cache; None if it has no data at all."""
        data = self._tiles.get((day, epsg, matrix.pixel_size, row, col))
        return data.tobytes() if data.size else None

    def _make(self, key: _Key) -> ByteArray:
        """Encode a tile, as an array of its bytes, which the cache can count."""
        day, epsg, pixel_size, row, col = key
        spec = self._specify(day)
        data = picture_bytes(spec, tile_georeference(epsg, pixel_size, row, col))
        pixels = decode_picture(data, image_format=spec.image_format)
        values = pixels[..., 3] if spec.image_format == "png" else pixels
        return np.frombuffer(data, np.uint8) if values.any() else _NO_DATA


def tile_georeference(epsg: int, pixel_size: float, row: int, col: int) -> Georeference:
    """Where the pixels of a tile lie; edge tiles of EPSG:4326 hang over the globe.

    Parameters
    ----------
    epsg : {4326, 3413, 3031, 3857}
    pixel_size : float
        Degrees for EPSG:4326, else metres.
    row, col : int

    Examples
    --------
    >>> tile_georeference(4326, 0.0703125, 2, 4).bbox
    BBox(west=-36.0, south=-18.0, east=0.0, north=18.0)
    """
    matrix_set = tile_matrix_set(epsg, tile_matrix_sets(epsg)[0])
    corner, size = matrix_set.extent, matrix_set.matrices[0].tile_size
    return Georeference(
        matrix_set.epsg,
        corner.west + col * size * pixel_size,
        corner.north - row * size * pixel_size,
        pixel_size,
        pixel_size,
        size,
        size,
    )
