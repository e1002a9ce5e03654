"""Longitude and latitude of pixels, for every projection that GIBS serves."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibswatch.types import BoolArray, Georeference

__all__ = ["inside", "is_separable", "pixel_places", "places_at"]

_Floats = NDArray[np.float64]
_MERCATOR_RADIUS_M = 6378137.0


def is_separable(georeference: Georeference) -> bool:
    """Whether latitude is a function of the row alone and longitude of the column alone."""
    return georeference.epsg in (4326, 3857)


def places_at(
    georeference: Georeference, rows: ArrayLike, cols: ArrayLike
) -> tuple[_Floats, _Floats]:
    """Place of the centre of pixels, which may lie outside of the picture.

    Parameters
    ----------
    georeference : Georeference
    rows, cols : array_like
        Pixel numbers, broadcast against each other; fractions and negative ones are fine.

    Returns
    -------
    longitude, latitude : ndarray
        Geodetic degrees.  EPSG:4326 and 3857: not wrapped, so that they run on evenly over +-180
        and (4326) over the poles; for these the two arrays keep the shapes of `cols` and `rows`.
    """
    g = georeference
    x = g.west + (np.asarray(cols, dtype=np.float64) + 0.5) * g.pixel_width
    y = g.north - (np.asarray(rows, dtype=np.float64) + 0.5) * g.pixel_height
    if g.epsg == 4326:
        return x, y
    if g.epsg == 3857:
        latitude = np.degrees(np.arctan(np.sinh(y / _MERCATOR_RADIUS_M)))
        return np.degrees(x / _MERCATOR_RADIUS_M), latitude
    from pyproj import Transformer  # noqa: PLC0415  (0.1 s that only polar pictures pay)

    to_degrees = Transformer.from_crs(g.epsg, 4326, always_xy=True)
    across, down = np.broadcast_arrays(x, y)
    longitude, latitude = to_degrees.transform(across, down)
    return np.asarray(longitude), np.asarray(latitude)


@lru_cache(maxsize=4)
def pixel_places(georeference: Georeference) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Longitude and latitude of every pixel's centre.

    Returns
    -------
    longitude, latitude : (rows, cols) ndarray of float32, read-only
        Geodetic degrees; views on one row and one column where the projection allows it.
    """
    g = georeference
    rows, cols = np.arange(g.rows)[:, np.newaxis], np.arange(g.cols)[np.newaxis, :]
    longitude, latitude = (part.astype(np.float32) for part in places_at(g, rows, cols))
    return np.broadcast_to(longitude, g.shape), np.broadcast_to(latitude, g.shape)


def inside(georeference: Georeference) -> BoolArray:
    """Mark the pixels that lie on the globe: edge tiles of EPSG:4326 hang over it."""
    g = georeference
    marked = np.ones(g.shape, dtype=bool)
    if is_separable(g):
        longitude, latitude = places_at(g, np.arange(g.rows), np.arange(g.cols))
        marked &= (np.abs(latitude) < 90.0)[:, np.newaxis]
        marked &= (np.abs(longitude) < 180.0)[np.newaxis, :]
    return marked
