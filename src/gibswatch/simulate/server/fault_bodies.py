"""Pictures broken on purpose: scrambled, of the wrong type, blank."""

from __future__ import annotations

import gzip
import io
import random
import struct
from functools import lru_cache

import numpy as np
from PIL import Image

from gibswatch.errors import DecodeError
from gibswatch.raster.codec import decode_picture, encode_picture, picture_format
from gibswatch.simulate.server.cut import encode_tile
from gibswatch.types import ImageFormat

__all__ = ["blank_like", "gzipped", "other_type", "scramble"]

_TRIES = 60
_SCAN_START = b"\xff\xda"
_QUANTISATION = b"\xff\xdb"
_BOMB_BYTES = 64 << 20
_FLIPPED = 64
"""Bytes that are overwritten where the picture must not decode."""


def scramble(body: bytes, seed: int, *, decodes: bool) -> bytes:
    """Change bytes inside a JPEG or PNG.

    Parameters
    ----------
    body : bytes
        A whole picture.
    seed : int
        The same seed changes the same bytes.
    decodes : bool
        Whether the result is a whole picture with other pixels, which no check of form can find
        (`decode_picture` takes it), or one that does not decode.

    Returns
    -------
    bytes
        As long as the body, but for PNG that decodes.

    Raises
    ------
    DecodeError
        If the result is to decode, and the body does not.
    """
    image_format = picture_format(body)
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    if image_format is None:
        return bytes(255 - byte for byte in body)
    if not decodes:
        return _break(body, image_format, draw)
    return _garble_jpeg(body, draw) if image_format == "jpg" else _garble_png(body)


def other_type(body: bytes) -> tuple[bytes, str]:
    """Return the same picture as PNG if it is a JPEG, else as JPEG, and its media type.

    Raises
    ------
    DecodeError
        If the body is no picture.
    """
    image_format = picture_format(body)
    if image_format is None:
        raise DecodeError("only pictures have another type: the body is neither JPEG nor PNG")
    pixels = decode_picture(body, image_format=image_format)
    if image_format == "jpg":
        return encode_picture(pixels, "png"), "image/png"
    return encode_tile(pixels, "jpg"), "image/jpeg"


def blank_like(body: bytes) -> bytes:
    """Return a black JPEG or transparent PNG of the same size, as GIBS sends where it has no tile.

    Raises
    ------
    OSError
        If the body is no picture.
    """
    with Image.open(io.BytesIO(body)) as picture:
        cols, rows = picture.size
    pixels = np.zeros((rows, cols, 4), np.uint8)
    return encode_tile(pixels, "jpg" if picture_format(body) == "jpg" else "png")


def gzipped(body: bytes, how: str) -> bytes:
    """Return what is sent as gzip.

    Parameters
    ----------
    body : bytes
    how : {"whole", "broken", "lie", "unsaid", "bomb"}
        The body compressed, half of that, the body as it is, compressed, or 64 MiB of zeros.
    """
    if how == "lie":
        return body
    packed = _bomb() if how == "bomb" else gzip.compress(body, 1, mtime=0)
    return packed[: len(packed) // 2] if how == "broken" else packed


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    return gzip.compress(bytes(_BOMB_BYTES), 1, mtime=0)


def _break(body: bytes, image_format: ImageFormat, draw: random.Random) -> bytes:
    start = body.find(_SCAN_START if image_format == "jpg" else b"IDAT") + 16
    broken = body
    for _ in range(_TRIES):
        changed = bytearray(broken)
        last = max(start + 1, len(body) - 2 - _FLIPPED)
        at = draw.randrange(min(start, len(body) - 3), last)
        stop = min(at + _FLIPPED, len(body) - 2)
        changed[at:stop] = draw.randbytes(stop - at)
        broken = bytes(changed)
        if not _is_whole(broken, image_format):
            return broken
    return broken[: len(broken) // 2] + bytes(len(broken) - len(broken) // 2)


def _garble_jpeg(body: bytes, draw: random.Random) -> bytes:
    """Flip one byte of the coded blocks; if none will do, double the quantisation of one."""
    start = body.find(_SCAN_START) + 14
    before = decode_picture(body, image_format="jpg")
    for _ in range(_TRIES if start < len(body) - 3 else 0):
        changed = bytearray(body)
        at = draw.randrange(start, len(body) - 2)
        changed[at] ^= draw.randrange(1, 256)
        if 0xFF in (changed[at], body[at], body[at - 1]):
            continue  # a marker, or the byte that is stuffed behind one
        try:
            after = decode_picture(bytes(changed), image_format="jpg")
        except DecodeError:
            continue
        if not np.array_equal(before, after):
            return bytes(changed)
    table = body.find(_QUANTISATION) + 5
    return body[:table] + struct.pack("B", body[table] % 250 + 5) + body[table + 1 :]


def _garble_png(body: bytes) -> bytes:
    """Invert the colours of a band: a changed byte alone would not pass the checksums."""
    pixels = decode_picture(body, image_format="png").copy()
    third = max(1, pixels.shape[0] // 3)
    pixels[third : 2 * third, :, :3] ^= 0x55
    pixels[third : 2 * third, :, 3] |= 0x80
    return encode_picture(pixels, "png")


def _is_whole(body: bytes, image_format: ImageFormat) -> bool:
    try:
        decode_picture(body, image_format=image_format)
    except DecodeError:
        return False
    return True
