"""The outer form of a JPEG or PNG: what decoders pass over in silence is checked here.

libjpeg stops at the first end marker and does not look behind it.  Pillow reads neither the
checksums of a PNG's image data nor whether there is data for every row: missing rows come out
black, which must never happen to a picture in which black is what one looks for.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from gibswatch.errors import DecodeError

__all__ = ["PngHeader", "check_png_data", "jpeg_length", "read_png_header"]

_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd8\xff\x01])")
"""A marker with a length, or the end: no stuffed byte, restart, start, filler or TEM."""
_JPEG_END = b"\xd9"

_PNG_SIGNATURE_BYTES = 8
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples a pixel by colour type (PNG specification, 11.2.2)."""
_ADAM7 = (
    (0, 8, 0, 8),
    (0, 8, 4, 8),
    (4, 8, 0, 4),
    (0, 4, 2, 4),
    (2, 4, 0, 2),
    (0, 2, 1, 2),
    (1, 2, 0, 1),
)
"""First row, row step, first column, column step of each pass of an interlaced PNG (8.2)."""
_INFLATE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PngHeader:
    """The IHDR chunk."""

    rows: int
    cols: int
    bits: int
    """Of one sample."""
    samples: int
    """Of one pixel."""
    interlaced: bool

    @property
    def data_bytes(self) -> int:
        """Length of the inflated image data: each row of each pass has one byte for its filter."""
        passes = _ADAM7 if self.interlaced else ((0, 1, 0, 1),)
        total = 0
        for first_row, row_step, first_col, col_step in passes:
            rows = -(-(self.rows - first_row) // row_step)
            cols = -(-(self.cols - first_col) // col_step)
            if rows > 0 and cols > 0:
                total += rows * (1 + -(-cols * self.samples * self.bits // 8))
        return total


def jpeg_length(data: bytes) -> int:
    """Length of the first JPEG in `data` up to and with its end marker, or -1 if it has no end."""
    position = 2
    while match := _JPEG_MARKER.search(data, position):
        if match[1] == _JPEG_END:
            return match.end()
        position = match.end() + max(2, int.from_bytes(data[match.end() : match.end() + 2], "big"))
    return -1


def read_png_header(data: bytes) -> PngHeader:
    """Read the size and kind of a PNG from its first chunk.

    Raises
    ------
    DecodeError
        If the chunk is not a header, or its numbers are none that PNG knows.
    """
    start = _PNG_SIGNATURE_BYTES + 8
    if data[start - 4 : start] != b"IHDR" or len(data) < start + 13:
        raise DecodeError("damaged PNG: it does not begin with its header")
    cols, rows, bits, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", data, start)
    if not (rows and cols and colour in _PNG_SAMPLES and interlace in (0, 1)):
        raise DecodeError("damaged PNG: its header is not one")
    return PngHeader(rows, cols, bits, _PNG_SAMPLES[colour], interlace == 1)


def check_png_data(data: bytes, header: PngHeader) -> None:
    """Check every chunk's checksum, and that the image data fills the picture exactly.

    Raises
    ------
    DecodeError
        If a chunk is damaged or cut, or if image data is missing or left over.
    """
    expected = header.data_bytes
    inflater = zlib.decompressobj()
    inflated = 0
    for kind, body in _png_chunks(data):
        if kind != b"IDAT":
            continue
        pending: bytes | memoryview = body
        more = -1
        while more and inflated <= expected and not inflater.eof:
            more = len(inflater.decompress(pending, _INFLATE_BYTES))
            pending = inflater.unconsumed_tail
            inflated += more
    if inflated != expected or not inflater.eof:
        raise DecodeError(
            f"damaged PNG: {inflated} bytes of image data, or not even its end, "
            f"where {expected} belong"
        )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view = memoryview(data)
    position = _PNG_SIGNATURE_BYTES
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if end > len(data):
            raise DecodeError("damaged PNG: a chunk reaches over its end")
        kind = data[position + 4 : position + 8]
        checksum = int.from_bytes(data[end - 4 : end], "big")
        if zlib.crc32(view[position + 4 : end - 4]) != checksum:
            raise DecodeError(f"damaged PNG: the checksum of its {kind!r} chunk is wrong")
        yield kind, view[position + 8 : end - 4]
        position = end
        if kind == b"IEND" and position != len(data):
            raise DecodeError("damaged PNG: data behind its end chunk")
