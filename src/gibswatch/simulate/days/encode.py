"""Pictures as GIBS serves them: JPEG with 4:2:0 chroma, and palette PNG of the mask layers."""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from PIL import Image

from gibswatch.raster.codec import decode_picture
from gibswatch.types import BoolArray, ByteArray

__all__ = ["NO_DATA_COLOUR", "decode_jpeg", "encode_jpeg", "encode_no_data", "no_data_picture"]

NO_DATA_COLOUR = (202, 170, 86)
"""Of no data in MODIS_Terra_Data_No_Data and MODIS_Aqua_Data_No_Data (GIBS colormap)."""


def encode_jpeg(rgb: ByteArray, quality: int) -> bytes:
    """Encode RGB as GIBS does: baseline, 4:2:0.

    Parameters
    ----------
    rgb : (rows, cols, 3) ndarray of uint8
    quality : int
    """
    data: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(rgb), quality=quality, colorsubsampling="420"
    )
    return data


def decode_jpeg(data: bytes) -> ByteArray:
    """Decode what `encode_jpeg` made."""
    return decode_picture(data, image_format="jpg")


def encode_no_data(covered: BoolArray) -> bytes:
    """Encode a mask layer: transparent black where there is data, brown where there is none.

    Parameters
    ----------
    covered : (rows, cols) ndarray of bool
    """
    index = np.where(covered, 0, 1).astype(np.uint8)
    image = Image.frombytes("P", (index.shape[1], index.shape[0]), index.tobytes())
    image.putpalette([0, 0, 0, *NO_DATA_COLOUR])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=bytes([0, 255]))
    return buffer.getvalue()


def no_data_picture(covered: BoolArray) -> ByteArray:
    """Return the pixels of a mask layer, (rows, cols, 4) RGBA; parameter as of `encode_no_data`."""
    picture = np.zeros((*covered.shape, 4), dtype=np.uint8)
    picture[~covered] = (*NO_DATA_COLOUR, 255)
    return picture
