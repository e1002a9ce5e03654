"""What a JPEG's own codes say against it, where every decoder is content with them.

A wrong byte in the coded data need not be noticed: the codes fall back into step, and libjpeg
shows what comes out.  Two things come of it that no encoder makes: a block with more than 64
coefficients, and coefficients beyond those of any picture, since the level of each block is told
as a difference to the one before and one wrong difference moves all that follow.

Read are baseline and extended sequential JPEGs of 8 bits in one scan, as GIBS serves them; nothing
is said of others, nor where numba is not installed (its code is a hundred times slower without).

References
----------
ITU-T Recommendation T.81, annexes B (markers), C (codes) and F.2 (sequential decoding).
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

__all__ = ["stream_problem"]

_LARGEST = 1024
"""Of a coefficient of 8 x 8 pixels of 8 bits, but for its rounding.  Of 454 real tiles the largest
is 1026."""
_OVERSHOT = 1280
"""Of the level of brightness: some encoders (MozJPEG) overshoot white beside sharp edges."""
_FRAMES = (0xC0, 0xC1)
"""Baseline and extended sequential."""
_WORDS = {
    2: "a block has more than 64 coefficients",
    3: "a block has a coefficient that no picture has",
}
"""By the problems of `_jpeg_kernels`; a code that does not exist is libjpeg's to refuse."""


@dataclass
class _Header:
    """What the segments before the coded data say."""

    start: int = 0
    """Of the coded data."""
    rows: int = 0
    cols: int = 0
    parts: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Components: identifier, blocks across and down in a unit, quantisation table."""
    scan: dict[int, int] = field(default_factory=dict)
    """By component: the numbers of its two code tables, four bits each."""
    tables: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    steps: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    restart: int = 0


class _Kernels:
    """The compiled code, loaded once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried = False
        self._kernels: ModuleType | None = None

    def get(self) -> ModuleType | None:
        """Return it, or None where numba cannot be loaded."""
        with self._lock:
            if not self._tried:
                self._tried = True
                try:
                    from gibswatch.raster import _jpeg_kernels  # noqa: PLC0415 (loads numba)
                except ImportError:
                    return None
                self._kernels = _jpeg_kernels
            return self._kernels


_KERNELS = _Kernels()


def stream_problem(data: bytes) -> str:
    """Say in half a sentence what is wrong with the codes of a JPEG that decodes.

    Parameters
    ----------
    data : bytes
        A whole JPEG.

    Returns
    -------
    str
        Empty if nothing is, or if it cannot be told.

    Examples
    --------
    >>> stream_problem(b"no JPEG")
    ''
    """
    try:
        header = _read_header(data)
    except (IndexError, KeyError, ValueError, struct.error):
        return ""
    kernels = _KERNELS.get()
    if header is None or kernels is None:
        return ""
    across = max(part[1] for part in header.parts)
    down = max(part[2] for part in header.parts)
    units = -(-header.cols // (8 * across))
    problem, unit = kernels.walk(
        np.frombuffer(data, np.uint8)[header.start :],
        np.stack([header.tables[header.scan[part[0]] >> 4] for part in header.parts]),
        np.stack([header.tables[16 | (header.scan[part[0]] & 15)] for part in header.parts]),
        np.stack(
            [_most(header.steps[part[3]], number) for number, part in enumerate(header.parts)]
        ),
        np.array([part[1] * part[2] for part in header.parts]),
        units * -(-header.rows // (8 * down)),
        header.restart,
    )
    words = _WORDS.get(problem, "")
    return words and f"{words} (row {8 * down * (unit // units)})"


def _most(steps: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Largest magnitudes of a component's coefficients; see `_jpeg_kernels.walk`."""
    most = _LARGEST // steps + 1
    over = _OVERSHOT // steps[0] + 1 if number == 0 else most[0]
    return np.concatenate(([over], most[1:], most[:1]))


def _read_header(data: bytes) -> _Header | None:
    """Read all segments up to the coded data; None of a JPEG of another process."""
    header = _Header()
    for marker, body, end in _segments(data):
        if marker == 0xDB:
            _read_steps(header, body)
        elif marker == 0xC4:
            _read_tables(header, body)
        elif 0xC0 <= marker <= 0xCF:
            if marker not in _FRAMES or body[0] != 8:
                return None
            _read_frame(header, body)
        elif marker == 0xDD:
            header.restart = int.from_bytes(body[:2], "big")
        elif marker == 0xDA:
            header.scan = {body[1 + 2 * i]: body[2 + 2 * i] for i in range(body[0])}
            header.start = end
    whole = header.parts and all(
        part[0] in header.scan
        and header.scan[part[0]] >> 4 in header.tables
        and 16 | (header.scan[part[0]] & 15) in header.tables
        and part[3] in header.steps
        for part in header.parts
    )
    return header if whole and header.rows else None


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, content and end of each segment, up to the first start of a scan."""
    place = 2
    while True:
        while data[place] == 0xFF and data[place + 1] == 0xFF:
            place += 1
        marker, (length,) = data[place + 1], struct.unpack_from(">H", data, place + 2)
        if data[place] != 0xFF or length < 2:
            raise ValueError("no marker where one belongs")
        end = place + 2 + length
        yield marker, data[place + 4 : end], end
        if marker == 0xDA:
            return
        place = end


def _read_steps(header: _Header, body: bytes) -> None:
    """Read quantisation tables, of 8 or 16 bits."""
    while body:
        wide = body[0] >> 4
        steps = np.frombuffer(body, ">u2" if wide else np.uint8, 64, 1).astype(np.int64)
        header.steps[body[0] & 15] = np.maximum(steps, 1)
        body = body[1 + steps.size * (2 if wide else 1) :]


def _read_tables(header: _Header, body: bytes) -> None:
    """Read code tables as what each 16 bits begin with (see `_jpeg_kernels.walk`)."""
    while body:
        counts, symbols = body[1:17], body[17 : 17 + sum(body[1:17])]
        table = np.full(1 << 16, -1, dtype=np.int32)
        code, used = 0, 0
        for length, count in enumerate(counts, start=1):
            for _ in range(count):
                first = code << (16 - length)
                table[first : first + (1 << (16 - length))] = (length << 8) | symbols[used]
                code, used = code + 1, used + 1
            code <<= 1
        header.tables[body[0]] = table
        body = body[17 + used :]


def _read_frame(header: _Header, body: bytes) -> None:
    """Read the size and the components; one alone is coded block by block."""
    header.rows, header.cols, count = struct.unpack_from(">HHB", body, 1)
    for start in range(6, 6 + 3 * count, 3):
        name, sampling, table = body[start : start + 3]
        across, down = (sampling >> 4, sampling & 15) if count > 1 else (1, 1)
        header.parts.append((name, max(across, 1), max(down, 1), table))
