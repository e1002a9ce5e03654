"""Pictures that another program left: told by their bytes, read whole or refused.

gibs-ml named files after the layer's format whatever gdal_translate wrote, so a GeoTIFF may stand
under a .jpg name; and a gdal_translate that is killed leaves a GeoTIFF which opens, with black in
place of all blocks that were never written.
"""

from __future__ import annotations

import warnings

import numpy as np

from gibswatch.archive.pictures.geotiff import is_tiff
from gibswatch.archive.pictures.store import decode_stored
from gibswatch.errors import DecodeError
from gibswatch.types import ByteArray, ImageFormat

__all__ = ["decode_foreign", "why_black"]

_BLACK_LIMIT = 0.98
"""Share of black that makes a picture a leftover: measured on a killed gdal_translate's GeoTIFF."""
_BLACK_LEVEL = 8
"""Brightest channel of a black pixel, as in `gibswatch.raster.observe`."""


def decode_foreign(data: bytes, image_format: ImageFormat) -> ByteArray:
    """Decode a picture that Gibswatch did not write, or refuse it.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG or TIFF.
    image_format : {"jpg", "png"}
        Of the layer.

    Returns
    -------
    (rows, cols, 3) or (rows, cols, 4) ndarray of uint8
        As the archive reads it.

    Raises
    ------
    DecodeError
        If it is none of them, not whole, or a TIFF with blocks that were never written.
    """
    pixels = decode_stored(data, image_format)
    if is_tiff(data):
        _check_blocks(data)
    return pixels


def why_black(pixels: ByteArray) -> str | None:
    """Say so if a picture is as black as a killed gdal_translate leaves it, else None.

    A PNG layer may well be transparent nearly everywhere (fires are); transparent is not black.
    """
    black = pixels[..., :3].max(axis=2) <= _BLACK_LEVEL
    if pixels.shape[2] == 4:
        black &= pixels[..., 3] > 0
    share = int(np.count_nonzero(black)) / int(black.size)
    if share < _BLACK_LIMIT:
        return None
    return f"{share:.1%} black, as a killed gdal_translate leaves it"


def _check_blocks(data: bytes) -> None:
    """Refuse a TIFF of which blocks are not in the file: GDAL reads them as zeros."""
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415
    from rasterio.io import MemoryFile  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with MemoryFile(data) as file, file.open(driver="GTiff") as source:
                rows, cols = source.block_shapes[0]
                blocks = [
                    f"BLOCK_OFFSET_{col}_{row}"
                    for row in range(-(-source.height // rows))
                    for col in range(-(-source.width // cols))
                ]
                holes = [
                    block
                    for band in source.indexes
                    for block in blocks
                    if source.get_tag_item(block, dm="TIFF", bidx=band) is None
                ]
    except (RasterioError, ValueError, OSError) as error:
        raise DecodeError(f"damaged TIFF: {str(error)[:120]}") from error
    if holes:
        raise DecodeError(
            f"TIFF that was never finished: {len(holes)} of {len(blocks) * source.count} blocks "
            "are missing"
        )
