"""Strict decoding: a picture is whole, of the type and size it should be, or it is refused.

JPEG goes through libjpeg-turbo (simplejpeg, warnings are errors, so truncated data raises), then
`jpeg_stream` looks for damage that libjpeg decodes in silence.  PNG goes through Pillow, after
`_containers` has checked what Pillow does not: every checksum, and that there is data for every
row.  Headers are checked before anything is decoded, so an image bomb costs nothing.
"""

from __future__ import annotations

import io
import warnings
import zlib
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, PngImagePlugin

from gibswatch.errors import DecodeError
from gibswatch.raster._containers import check_png_data, jpeg_length, read_png_header
from gibswatch.raster.jpeg_stream import stream_problem
from gibswatch.types import ByteArray, ImageFormat, Kind

__all__ = [
    "MASK_COLOURS",
    "MAX_FILE_PIXELS",
    "decode_picture",
    "encode_mask",
    "encode_picture",
    "picture_format",
    "picture_shape",
    "read_picture",
]

MAX_FILE_PIXELS = 600_000_000
"""Largest picture read from a file: the predecessor's 2km row is 537 million pixels."""

_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

MASK_COLOURS: dict[Kind, tuple[int, int, int]] = {
    Kind.MISSING_EXPECTED: (120, 120, 120),
    Kind.MISSING_UNEXPECTED: (230, 25, 75),
    Kind.MISCOLORATION: (240, 50, 230),
    Kind.EDGE_WARPING: (245, 130, 48),
    Kind.ECLIPSE_MISSING: (0, 90, 200),
    Kind.ECLIPSE_MISCOLORATION: (70, 200, 240),
    Kind.STRIPES: (255, 225, 25),
    Kind.STALE: (60, 180, 75),
    Kind.DUPLICATED_GRANULE: (170, 110, 40),
}
"""RGB in which a mask shows each kind."""


def picture_format(data: bytes) -> ImageFormat | None:
    """Tell the format of `data` by its first bytes, or None if it is neither JPEG nor PNG."""
    if data.startswith(_JPEG_START):
        return "jpg"
    return "png" if data.startswith(_PNG_START) else None


def decode_picture(
    data: bytes,
    *,
    image_format: ImageFormat,
    shape: tuple[int, int] | None = None,
    max_pixels: int = MAX_FILE_PIXELS,
    known: bool = False,
) -> ByteArray:
    """Decode a whole JPEG or PNG, or refuse it.

    Parameters
    ----------
    data : bytes
    image_format : {"jpg", "png"}
        What the picture must be.
    shape : tuple of int, optional
        Rows and columns that it must have.
    max_pixels : int
        Largest number of pixels that is decoded.
    known : bool
        Whether its bytes are those that were checked before, by their SHA-256: then the codes of a
        JPEG are not looked at again.

    Returns
    -------
    ndarray of uint8
        (rows, cols, 3) RGB for JPEG, (rows, cols, 4) RGBA for PNG.

    Raises
    ------
    DecodeError
        If the data is of another type, short, damaged, of another size, or too large.
    """
    found = picture_format(data)
    if found != image_format:
        raise DecodeError(f"not a {_name(image_format)} but {_describe(data)}")
    try:
        pixels = (_decode_jpeg if found == "jpg" else _decode_png)(data, shape, max_pixels)
    except DecodeError:
        raise
    except (ValueError, OSError, SyntaxError, MemoryError, Warning, zlib.error) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DecodeError(f"damaged {_name(image_format)}: {reason}") from error
    if found == "jpg" and not known and (problem := stream_problem(data)):
        raise DecodeError(f"damaged JPEG: {problem}")
    return pixels


def picture_shape(path: Path) -> tuple[int, int] | None:
    """Rows and columns by a picture's header; None if it has none that can be read."""
    try:
        with Image.open(path, formats=["JPEG", "PNG"]) as image:
            return (image.height, image.width)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        return None


def read_picture(path: Path) -> tuple[ByteArray, ImageFormat]:
    """Read and decode a picture from a file; the format is told by its bytes.

    Raises
    ------
    DecodeError
        If the file cannot be read, or is not a whole JPEG or PNG.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DecodeError(f"{path} cannot be read: {error.strerror or error}") from error
    found = picture_format(data)
    if found is None:
        raise DecodeError(f"{path} is no JPEG or PNG but {_describe(data)}")
    try:
        return decode_picture(data, image_format=found), found
    except DecodeError as error:
        raise DecodeError(f"{path}: {error}") from error


def encode_picture(pixels: ByteArray, image_format: ImageFormat, *, quality: int = 95) -> bytes:
    """Encode pixels as JPEG (4:4:4, so that edges of black stay sharp in colour) or as PNG.

    Parameters
    ----------
    pixels : (rows, cols, 3) or (rows, cols, 4) ndarray of uint8
    image_format : {"jpg", "png"}
    quality : int
        Of the JPEG.
    """
    if image_format == "jpg":
        contiguous = np.ascontiguousarray(pixels[..., :3])
        data: bytes = simplejpeg.encode_jpeg(contiguous, quality=quality, colorsubsampling="444")
        return data
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def encode_mask(kinds: ByteArray) -> bytes:
    """Encode a mask as 8-bit palette PNG: index = kind (0 = nothing), in colours one can see."""
    palette = [0, 0, 0] * 256
    for kind, colour in MASK_COLOURS.items():
        palette[3 * kind : 3 * kind + 3] = colour
    image = Image.frombytes("P", (kinds.shape[1], kinds.shape[0]), kinds.tobytes())
    image.putpalette(palette)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _decode_jpeg(data: bytes, shape: tuple[int, int] | None, max_pixels: int) -> ByteArray:
    if not data.endswith(_JPEG_END):
        raise DecodeError("short JPEG: its end marker is missing")
    rows, cols, _, _ = simplejpeg.decode_jpeg_header(data)
    _check_size((rows, cols), shape, max_pixels)
    if jpeg_length(data) != len(data):
        raise DecodeError("damaged JPEG: its end marker stands elsewhere than at its end")
    pixels: ByteArray = simplejpeg.decode_jpeg(data, colorspace="RGB")
    return pixels


def _decode_png(data: bytes, shape: tuple[int, int] | None, max_pixels: int) -> ByteArray:
    if not data.endswith(_PNG_END):
        raise DecodeError("short PNG: its end chunk is missing")
    header = read_png_header(data)
    _check_size((header.rows, header.cols), shape, max_pixels)
    check_png_data(data, header)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Not Image.open: its own limit of pixels is lower than that of the files we read.
        with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
            image.load()
            return _deep_grey(image) if image.mode == "I;16" else np.asarray(image.convert("RGBA"))


def _deep_grey(image: Image.Image) -> ByteArray:
    """Bring 16-bit grey to 8-bit RGBA by its high byte (Pillow would clip it at 255)."""
    grey = np.asarray(image)
    high = (grey >> 8).astype(np.uint8)
    opaque = grey != image.info.get("transparency", -1)
    return np.dstack([high, high, high, np.where(opaque, 255, 0).astype(np.uint8)])


def _check_size(found: tuple[int, int], shape: tuple[int, int] | None, max_pixels: int) -> None:
    if shape is not None and found != shape:
        raise DecodeError(
            f"picture of {found[1]}x{found[0]} pixels where {shape[1]}x{shape[0]} belong"
        )
    if found[0] * found[1] > max_pixels:
        raise DecodeError(
            f"picture of {found[1]}x{found[0]} pixels is over the limit of {max_pixels} pixels"
        )


def _name(image_format: ImageFormat) -> str:
    return {"jpg": "JPEG", "png": "PNG", "mvt": "vector tile"}[image_format]


def _describe(data: bytes) -> str:
    if not data:
        return "empty (0 bytes)"
    found = picture_format(data)
    if found is not None:
        return f"a {_name(found)}"
    text = data[:60].decode("latin-1")
    shown = "".join(c if c.isprintable() else "." for c in text)
    return f"{len(data)} bytes that begin {shown!r}"
