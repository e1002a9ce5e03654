"""Cutting EPSG:4326 tiles out of a picture of the globe, and encoding them as GIBS does."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Literal

import numpy as np
import simplejpeg
from PIL import Image
from scipy import sparse

from gibswatch.catalogue.grids import TileMatrix
from gibswatch.types import ByteArray, FloatArray

__all__ = ["RasterFormat", "blank_tile", "cut_tile", "encode_tile"]

RasterFormat = Literal["jpg", "png"]

_JPEG_QUALITY = 85


def cut_tile(globe: ByteArray, matrix: TileMatrix, row: int, col: int) -> ByteArray:
    """Cut one EPSG:4326 tile out of a picture of the globe.

    Parameters
    ----------
    globe : (rows, cols, 3 or 4) ndarray of uint8
        180 x 360 degrees, north up.  No data where all of RGB is 0, or alpha is 0.
    matrix : TileMatrix
    row, col : int

    Returns
    -------
    (tile_size, tile_size, 3 or 4) ndarray of uint8
        0 in every channel beyond the globe, where the tile overhangs it.
    """
    size, step = matrix.tile_size, matrix.pixel_size * globe.shape[1] / 360.0
    row_edges = (row * size + np.arange(size + 1)) * (matrix.pixel_size * globe.shape[0] / 180.0)
    col_edges = (col * size + np.arange(size + 1)) * step
    shrink = _mean_of_valid if step > 1 else _nearest
    out = np.zeros((size, size, globe.shape[2]), np.uint8)
    rows, cols = _inside(row_edges, globe.shape[0]), _inside(col_edges, globe.shape[1])
    if rows and cols:
        out[:rows, :cols] = shrink(globe, row_edges[: rows + 1], col_edges[: cols + 1])
    return out


def encode_tile(pixels: ByteArray, image_format: RasterFormat) -> bytes:
    """Encode a tile as GIBS does: JPEG with 4:2:0 chroma, or PNG with alpha."""
    if image_format == "jpg":
        data: bytes = simplejpeg.encode_jpeg(
            np.ascontiguousarray(pixels[..., :3]), _JPEG_QUALITY, "RGB", "420"
        )
        return data
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


@lru_cache(maxsize=8)
def blank_tile(image_format: RasterFormat, size: int) -> bytes:
    """Return the tile that GIBS sends where it has none: black (JPEG) or transparent (PNG)."""
    return encode_tile(np.zeros((size, size, 4), np.uint8), image_format)


def _inside(edges: FloatArray, limit: int) -> int:
    """Count the pixels whose centres lie inside the globe."""
    centres = (edges[:-1] + edges[1:]) / 2
    return int(np.count_nonzero(centres < limit))


def _nearest(
    globe: ByteArray,
    row_edges: FloatArray,
    col_edges: FloatArray,
) -> ByteArray:
    rows = ((row_edges[:-1] + row_edges[1:]) / 2).astype(np.intp)
    cols = ((col_edges[:-1] + col_edges[1:]) / 2).astype(np.intp)
    return globe[rows[:, None], cols]


def _mean_of_valid(
    globe: ByteArray,
    row_edges: FloatArray,
    col_edges: FloatArray,
) -> ByteArray:
    top, bottom = int(row_edges[0]), min(globe.shape[0], int(np.ceil(row_edges[-1])))
    left, right = int(col_edges[0]), min(globe.shape[1], int(np.ceil(col_edges[-1])))
    part = globe[top:bottom, left:right]
    down = _overlaps(row_edges - top, bottom - top)
    across = _overlaps(col_edges - left, right - left)
    valid = part[..., 3] > 0 if part.shape[2] == 4 else part.any(axis=2)
    weight = (across @ (down @ valid.astype(np.float32)).T).T
    out = np.zeros((*weight.shape, part.shape[2]), np.uint8)
    for channel in range(part.shape[2]):
        values = np.where(valid, part[..., channel], 0).astype(np.float32)
        total = (across @ (down @ values).T).T
        mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 1e-4)
        out[..., channel] = np.rint(mean)
    return out


def _overlaps(edges: FloatArray, length: int) -> sparse.csr_array:
    """Length that each interval between `edges` shares with each of `length` unit pixels."""
    pixels = np.arange(length)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return sparse.csr_array(np.maximum(shared, 0).astype(np.float32))
