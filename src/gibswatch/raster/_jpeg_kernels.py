"""The walk through the Huffman codes of a JPEG in compiled code: values are looked at, not kept.

Imported by `jpeg_stream`, and never where numba is not installed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster._compiled import compiled
from gibswatch.types import ByteArray

__all__ = ["FINE", "OUT_OF_RANGE", "TOO_MANY", "UNKNOWN", "walk"]

FINE, UNKNOWN, TOO_MANY, OUT_OF_RANGE = 0, 1, 2, 3
"""What is wrong with a block: nothing; no such code, or no restart where one is due; values past
the 64th; a coefficient that no picture has."""

_POSITION, _BITS, _COUNT = 0, 1, 2
"""Slots of a reader: the next byte, the bits that wait, and how many these are."""
_Numbers = NDArray[np.int64]
_Tables = NDArray[np.int32]


@compiled
def _fill(data: ByteArray, reader: _Numbers) -> None:
    """Take bytes until 40 bits wait: a code and its value have 32 at most; zeros from a marker."""
    while reader[_COUNT] < 40:
        value = np.int64(0)
        position = reader[_POSITION]
        if position + 1 < data.size:
            value = np.int64(data[position])
            if value != 255:
                reader[_POSITION] += 1
            elif data[position + 1] == 0:
                reader[_POSITION] += 2
            else:
                value = np.int64(0)
        reader[_BITS] = ((reader[_BITS] << 8) | value) & 0xFFFFFFFFFFFF
        reader[_COUNT] += 8


@compiled
def _symbol(data: ByteArray, reader: _Numbers, table: NDArray[np.int32]) -> int:
    """Take one code; -1 if there is none such."""
    _fill(data, reader)
    entry = table[(reader[_BITS] >> (reader[_COUNT] - 16)) & 0xFFFF]
    if entry < 0:
        return -1
    reader[_COUNT] -= entry >> 8
    return int(entry & 255)


@compiled
def _value(reader: _Numbers, size: int) -> int:
    """Take the number that follows a code (ITU-T T.81, F.12)."""
    if size == 0:
        return 0
    reader[_COUNT] -= size
    bits = (reader[_BITS] >> reader[_COUNT]) & ((1 << size) - 1)
    return int(bits) if bits >= 1 << (size - 1) else int(bits) - (1 << size) + 1


@compiled
def _alternating(
    data: ByteArray, reader: _Numbers, table: NDArray[np.int32], most: _Numbers
) -> int:
    """Take the 63 alternating coefficients of a block."""
    place = 1
    while place < 64:
        symbol = _symbol(data, reader, table)
        if symbol < 0:
            return UNKNOWN
        size = symbol & 15
        if size == 0 and symbol != 0xF0:
            return FINE
        place += symbol >> 4
        if place > 63:
            return TOO_MANY
        if abs(_value(reader, size)) > most[place]:
            return OUT_OF_RANGE
        place += 1
    return FINE


@compiled
def _restart(data: ByteArray, reader: _Numbers) -> bool:
    """Step over a restart marker, if there is one."""
    position = reader[_POSITION]
    while position + 1 < data.size and data[position] == 255 and data[position + 1] == 255:
        position += 1
    if position + 1 >= data.size or data[position] != 255 or data[position + 1] & 0xF8 != 0xD0:
        return False
    reader[:] = 0
    reader[_POSITION] = position + 2
    return True


@compiled
def walk(  # noqa: PLR0917 - compiled code takes no keywords
    data: ByteArray,
    direct: _Tables,
    alternating: _Tables,
    most: _Numbers,
    blocks: _Numbers,
    units: int,
    restart: int,
) -> tuple[int, int]:
    """Go through all blocks of one scan, and stop at the first that is wrong.

    Parameters
    ----------
    data : (n,) ndarray of uint8
        From the first coded byte on.
    direct, alternating : (components, 65536) ndarray of int32
        By the next 16 bits: 256 times the length of the code, plus its symbol; -1 if there is none.
    most : (components, 65) ndarray of int64
        Largest magnitude of each coefficient, in units of its quantisation, in the order of the
        stream; the first is of levels over the middle, the last of those under it.
    blocks : (components,) ndarray of int64
        Blocks of each component in one unit.
    units : int
        Number of minimum coded units.
    restart : int
        Units between restarts; 0 for none.

    Returns
    -------
    problem : int
        `FINE`, `UNKNOWN`, `TOO_MANY` or `OUT_OF_RANGE`.
    unit : int
        Number of the unit with the problem.
    """
    reader = np.zeros(3, dtype=np.int64)
    level = np.zeros(blocks.size, dtype=np.int64)
    for unit in range(units):
        if restart > 0 and unit > 0 and unit % restart == 0:
            if not _restart(data, reader):
                return UNKNOWN, unit
            level[:] = 0
        for part in range(blocks.size):
            for _ in range(blocks[part]):
                size = _symbol(data, reader, direct[part])
                if size < 0 or size > 15:
                    return UNKNOWN, unit
                level[part] += _value(reader, size)
                if level[part] > most[part, 0] or level[part] < -most[part, 64]:
                    return OUT_OF_RANGE, unit
                problem = _alternating(data, reader, alternating[part], most[part])
                if problem != FINE:
                    return problem, unit
    return FINE, units
