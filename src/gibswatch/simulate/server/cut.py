"""Cutting tiles out of a picture of the same projection, and encoding them as GIBS does."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Literal

import numpy as np
import simplejpeg
from PIL import Image

from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set, tile_matrix_sets
from gibswatch.raster.averaging import overlap_matrix
from gibswatch.types import ByteArray, FloatArray, Georeference

__all__ = [
    "RasterFormat",
    "blank_tile",
    "cut_tile",
    "encode_data",
    "encode_tile",
    "globe_place",
    "sample_axes",
]

RasterFormat = Literal["jpg", "png"]

_JPEG_QUALITY = 85


def cut_tile(
    picture: ByteArray, matrix: TileMatrix, row: int, col: int, place: Georeference | None = None
) -> ByteArray:
    """Cut one tile out of a picture of the same projection.

    Parameters
    ----------
    picture : (rows, cols, 3 or 4) ndarray of uint8
        North up.  No data where all of RGB is 0, or alpha is 0.
    matrix : TileMatrix
        Of the picture's projection.
    row, col : int
    place : Georeference, optional
        Where the picture lies; the whole globe in EPSG:4326 by default.

    Returns
    -------
    (tile_size, tile_size, 3 or 4) ndarray of uint8
        0 in every channel beyond the picture.

    Notes
    -----
    Where the tile is coarser than the picture its pixels are means of those with data, where it is
    finer the nearest.
    """
    where = place or globe_place(picture)
    corner = tile_matrix_set(where.epsg, tile_matrix_sets(where.epsg)[0]).extent
    size, step = matrix.tile_size, matrix.pixel_size
    halves = np.arange(2 * size + 1) / 2  # edges and centres of the tile's pixels in turn
    down = (row * size + halves) * step + (where.north - corner.north)
    across = (col * size + halves) * step - (where.west - corner.west)
    return sample_axes(picture, down / where.pixel_height, across / where.pixel_width)


def globe_place(picture: ByteArray) -> Georeference:
    """Where the pixels of a picture of the whole globe (EPSG:4326) lie."""
    rows, cols = picture.shape[:2]
    return Georeference(4326, -180.0, 90.0, 360.0 / cols, 180.0 / rows, rows, cols)


def sample_axes(picture: ByteArray, down: FloatArray, across: FloatArray) -> ByteArray:
    """Sample a picture where rows and columns can be looked up apart.

    Parameters
    ----------
    picture : (rows, cols, 3 or 4) ndarray of uint8
    down : (2 m + 1,) ndarray
        Rows of the picture (0 at its top edge) at the edges and centres, in turn, of m pixels that
        are wanted; ascending.
    across : (2 n + 1,) ndarray
        The same for columns.

    Returns
    -------
    (m, n, 3 or 4) ndarray of uint8
        0 where the centre is outside the picture.
    """
    out = np.zeros((down.size // 2, across.size // 2, picture.shape[2]), np.uint8)
    rows, cols = _inside(down, picture.shape[0]), _inside(across, picture.shape[1])
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return out
    down = down[2 * rows.start : 2 * rows.stop + 1]
    across = across[2 * cols.start : 2 * cols.stop + 1]
    coarser = max(_coarsest(down), _coarsest(across)) > 1 + 1e-9
    out[rows, cols] = (_mean_of_valid if coarser else _nearest)(picture, down, across)
    return out


def encode_tile(pixels: ByteArray, image_format: RasterFormat) -> bytes:
    """Encode a tile as GIBS does: JPEG with 4:2:0 chroma, or PNG with alpha."""
    if image_format == "jpg":
        data: bytes = simplejpeg.encode_jpeg(
            np.ascontiguousarray(pixels[..., :3]), _JPEG_QUALITY, "RGB", "420"
        )
        return data
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_data(pixels: ByteArray, image_format: RasterFormat) -> bytes | None:
    """Encode a tile, or return None if it has no data: all black (JPEG) or transparent (PNG)."""
    data = pixels[..., 3] if image_format == "png" else pixels
    return encode_tile(pixels, image_format) if data.any() else None


@lru_cache(maxsize=8)
def blank_tile(image_format: RasterFormat, size: int) -> bytes:
    """Return the tile that GIBS sends where it has none: black (JPEG) or transparent (PNG)."""
    return encode_tile(np.zeros((size, size, 4), np.uint8), image_format)


def _inside(halves: FloatArray, limit: int) -> slice:
    """Pixels whose centres lie inside the picture."""
    centres = halves[1::2]
    return slice(
        int(np.count_nonzero(centres < 0)),
        int(np.count_nonzero(centres < limit)),
    )


def _coarsest(halves: FloatArray) -> float:
    return float(np.diff(halves[::2]).max())


def _nearest(picture: ByteArray, down: FloatArray, across: FloatArray) -> ByteArray:
    rows, cols = down[1::2].astype(np.intp), across[1::2].astype(np.intp)
    return picture[rows[:, None], cols]


def _mean_of_valid(picture: ByteArray, down: FloatArray, across: FloatArray) -> ByteArray:
    row_edges = down[::2].clip(0, picture.shape[0])
    col_edges = across[::2].clip(0, picture.shape[1])
    top, bottom = int(row_edges[0]), int(np.ceil(row_edges[-1]))
    left, right = int(col_edges[0]), int(np.ceil(col_edges[-1]))
    part = picture[top:bottom, left:right]
    by_row = overlap_matrix(row_edges - top, bottom - top)
    by_col = overlap_matrix(col_edges - left, right - left)
    valid = part[..., 3] > 0 if part.shape[2] == 4 else part.any(axis=2)
    weight = (by_col @ (by_row @ valid.astype(np.float32)).T).T
    out = np.zeros((*weight.shape, part.shape[2]), np.uint8)
    for channel in range(part.shape[2]):
        values = np.where(valid, part[..., channel], 0).astype(np.float32)
        total = (by_col @ (by_row @ values).T).T
        mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 1e-4)
        out[..., channel] = np.rint(mean)
    return out
