"""Tiles of GIBS's other projections, drawn from a picture of the globe (EPSG:4326).

GIBS reprojects its EPSG:3857 tiles on the fly from EPSG:4326 and cuts them at 85.051129 degrees
(gibs-api-docs, OnEarth); its polar tiles are made from the granules, which a globe stands in for
here.  The polar grids end at 38.8 degrees in their corners, so the other hemisphere is never on
them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set, tile_matrix_sets
from gibswatch.simulate.server.cut import cut_tile, sample_axes
from gibswatch.types import BoolArray, ByteArray, FloatArray

__all__ = ["coarsening", "globe_tile", "project_tile", "shrink"]

_Doubles = NDArray[np.float64]

_METRES_PER_DEGREE = 111319.49079327358  # on the WGS 84 equator
_TABLE_STEP_M = 1000.0
_TABLE_END_M = 6_000_000.0  # corner of the grids: 5,931,642 m


def globe_tile(
    globe: Callable[[int], ByteArray],
    epsg: int,
    matrix: TileMatrix,
    row: int,
    col: int,
) -> ByteArray:
    """Draw one tile of any projection from a globe.

    Parameters
    ----------
    globe : Callable[[int], ndarray]
        Returns the globe, shrunk by the factor that it is given (1: as it is; else `shrink`).
    epsg : int
    matrix : TileMatrix
    row, col : int

    Returns
    -------
    (tile_size, tile_size, 3 or 4) ndarray of uint8
        0 in every channel beyond the globe.
    """
    picture = globe(1)
    if epsg == 4326:
        return cut_tile(picture, matrix, row, col)
    factor = coarsening(picture.shape[0], epsg, matrix)
    return project_tile(picture if factor == 1 else globe(factor), epsg, matrix, row, col)


def project_tile(globe: ByteArray, epsg: int, matrix: TileMatrix, row: int, col: int) -> ByteArray:
    """Draw one tile of EPSG:3857, 3413 or 3031 from a picture of the globe.

    Parameters
    ----------
    globe : (rows, cols, 3 or 4) ndarray of uint8
        180 x 360 degrees, north up.  No data where all of RGB is 0, or alpha is 0.
    epsg : {3857, 3413, 3031}
    matrix : TileMatrix
    row, col : int

    Returns
    -------
    (tile_size, tile_size, 3 or 4) ndarray of uint8
        The globe's pixel under each pixel's centre; in EPSG:3857 the mean of those with data where
        the tile is coarser than the globe.
    """
    extent = tile_matrix_set(epsg, tile_matrix_sets(epsg)[0]).extent
    halves = np.arange(2 * matrix.tile_size + 1) / 2  # edges and centres of the pixels in turn
    x = extent.west + (col * matrix.tile_size + halves) * matrix.pixel_size
    y = extent.north - (row * matrix.tile_size + halves) * matrix.pixel_size
    if epsg == 3857:
        return _mercator(globe, x, y, extent.east / np.pi)
    return _polar(globe, x[1::2], y[1::2], epsg)


def coarsening(globe_rows: int, epsg: int, matrix: TileMatrix) -> int:
    """By how much (a power of two) a globe is to be shrunk before a tile is drawn from it.

    So that the work for a tile does not grow with the globe, and so that the pixels of coarse polar
    tiles are means too.
    """
    if epsg == 4326:
        return 1
    globe_pixel = 180.0 / globe_rows * _METRES_PER_DEGREE
    fit = int(max(1.0, matrix.pixel_size / globe_pixel))
    factor: int = 1 << (fit.bit_length() - 1)
    return max(1, factor // 2) if epsg == 3857 else factor


def shrink(globe: ByteArray, factor: int) -> ByteArray:
    """Shrink a picture of the globe; pixels are means of those that have data."""
    while factor > 1 and globe.shape[0] % 2 == globe.shape[1] % 2 == 0:
        globe, factor = _halve(globe), factor // 2
    if factor == 1:
        return globe
    sides = [max(1, round(side / factor)) for side in globe.shape[:2]]
    down, across = (
        np.linspace(0.0, whole, 2 * side + 1)
        for whole, side in zip(globe.shape[:2], sides, strict=True)
    )
    return sample_axes(globe, down, across)


def _halve(globe: ByteArray) -> ByteArray:
    """Take means of two by two pixels; a channel at a time, which is several times faster."""
    quarters = [globe[r::2, c::2] for r in (0, 1) for c in (0, 1)]
    has_data = [_has_data(quarter) for quarter in quarters]
    count = np.sum(has_data, axis=0, dtype=np.float32)
    share = np.divide(1.0, count, out=np.zeros_like(count), where=count > 0)
    out = np.empty(quarters[0].shape, np.uint8)
    for channel in range(globe.shape[2]):
        total = np.zeros(share.shape, np.uint16)
        for quarter, valid in zip(quarters, has_data, strict=True):
            total += quarter[..., channel] * valid
        out[..., channel] = total * share + np.float32(0.5)
    return out


def _has_data(part: ByteArray) -> BoolArray:
    if part.shape[2] == 4:
        return part[..., 3] > 0
    return (part[..., 0] | part[..., 1] | part[..., 2]) > 0


def _mercator(globe: ByteArray, x: FloatArray, y: FloatArray, radius: float) -> ByteArray:
    """Longitude depends on the column alone, latitude on the row alone (the inverse on a sphere).

    References
    ----------
    EPSG Guidance Note 7-2, 3.2.1.2 (Popular Visualisation Pseudo Mercator, method 1024).
    """
    lat, lon = np.degrees(np.arctan(np.sinh(y / radius))), np.degrees(x / radius)
    rows, cols = globe.shape[:2]
    return sample_axes(globe, (90.0 - lat) * (rows / 180.0), (lon + 180.0) * (cols / 360.0))


def _polar(globe: ByteArray, x: FloatArray, y: FloatArray, epsg: int) -> ByteArray:
    """Longitude is the direction from the pole, latitude depends on the distance alone."""
    lat = np.interp(np.hypot(x, y[:, None]), *_latitudes(epsg))
    down, meridian = (-y, -45.0) if epsg == 3413 else (y, 0.0)
    east_of_180 = np.degrees(np.arctan2(x, down[:, None])) + (meridian + 180.0)
    rows, cols, channels = globe.shape
    at_row = ((90.0 - lat) * (rows / 180.0)).astype(np.intp).clip(0, rows - 1)
    at_col = np.floor(east_of_180 * (cols / 360.0)).astype(np.intp) % cols
    pixels: ByteArray = np.take(
        globe.reshape(rows * cols, channels), at_row * cols + at_col, axis=0
    )
    return pixels


@lru_cache(maxsize=2)
def _latitudes(epsg: int) -> tuple[FloatArray, FloatArray]:
    """Distances from the pole (m) and their latitudes, by PROJ.

    Straight lines between them are exact to a centimetre.
    """
    from pyproj import Transformer  # noqa: PLC0415 - takes a tenth of a second

    distances: _Doubles = np.arange(0.0, _TABLE_END_M + _TABLE_STEP_M, _TABLE_STEP_M)
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    _, lats = to_degrees.transform(np.zeros_like(distances), distances)
    return distances, np.asarray(lats)
