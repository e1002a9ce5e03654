"""Hues of pixels, and how often each is seen.

The hue is a whole number from 0 to 359: ``int(360 * h)`` with h, from 0 to 1, as
``matplotlib.colors.rgb_to_hsv(pixels / 255)`` gives it in double precision, to the last bit.  Of
two equally bright channels blue goes before green and green before red; greys have hue 0.  (Where
the exact hue is a whole number, rounding can make it the one below, as there.  NASA's gibs-ml ran
the same formula on whole levels in single precision, which takes 1.4 % of all colours to a
neighbouring degree.)

Two ways that give the same hues: compiled code with tables (`_kernels`), and NumPy in strips
where numba cannot be loaded.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.types import BoolArray, ByteArray

__all__ = ["HUES", "count_hues", "hues", "hues_by_numpy"]

HUES = 360
_STRIP_PIXELS = 2**16
"""Pixels that the NumPy way works on at one time: 10 MB."""
_KINDS = 360 + 3005
"""Of cases, for the compiled way's tables: one a hue, and those in which rounding decides."""


def hues(pixels: ByteArray) -> NDArray[np.uint16]:
    """Give the hue of every pixel.

    Parameters
    ----------
    pixels : (rows, cols, 3) or (rows, cols, 4) ndarray of uint8
        RGB; a fourth band is left out.

    Returns
    -------
    (rows, cols) ndarray of uint16
        0 to 359.

    Raises
    ------
    UsageError
        If `pixels` is no picture of bytes.

    Examples
    --------
    >>> hues(np.array([[[255, 0, 0], [0, 255, 0], [9, 9, 9]]], dtype=np.uint8))
    array([[  0, 120,   0]], dtype=uint16)
    """
    flat = _flat(pixels)
    found = np.empty(len(flat) // 3, dtype=np.uint16)
    kernels = _compiled_kernels()
    if kernels is not None:
        kernels.fill_hues(flat, *_tables(), found)
    else:
        for begin in range(0, len(found), _STRIP_PIXELS):
            strip = flat[3 * begin : 3 * (begin + _STRIP_PIXELS)].reshape(-1, 3)
            found[begin : begin + _STRIP_PIXELS] = hues_by_numpy(strip)
    return found.reshape(pixels.shape[:2])


def count_hues(pixels: ByteArray, counted: BoolArray | None = None) -> NDArray[np.int64]:
    """Count how many pixels have each hue.

    Parameters
    ----------
    pixels : (rows, cols, 3) or (rows, cols, 4) ndarray of uint8
        RGB; a fourth band is left out.
    counted : (rows, cols) ndarray of bool, optional
        Pixels that count; all by default.

    Returns
    -------
    (360,) ndarray of int64

    Raises
    ------
    UsageError
        If `pixels` is no picture of bytes, or `counted` has another shape.
    """
    if counted is not None and counted.shape != pixels.shape[:2]:
        raise UsageError(f"counted {counted.shape} must have the shape of {pixels.shape[:2]}")
    flat = _flat(pixels)
    which = np.empty(0, bool) if counted is None else np.ascontiguousarray(counted).reshape(-1)
    counts = np.zeros(HUES, dtype=np.int64)
    kernels = _compiled_kernels()
    if kernels is not None and len(flat) < 2**32:
        kernels.add_hues(flat, which.view(np.uint8), *_tables(), counts)
        return counts
    for begin in range(0, len(flat) // 3, _STRIP_PIXELS):
        strip = flat[3 * begin : 3 * (begin + _STRIP_PIXELS)].reshape(-1, 3)
        found = hues_by_numpy(strip)
        if counted is not None:
            found = found[which[begin : begin + _STRIP_PIXELS]]
        counts += np.bincount(found, minlength=HUES)
    return counts


def hues_by_numpy(colours: ByteArray) -> NDArray[np.uint16]:
    """Give the hues of colours by the formula: what the tables are made to agree with.

    Parameters
    ----------
    colours : (n, 3) ndarray of uint8

    Returns
    -------
    (n,) ndarray of uint16

    References
    ----------
    A. R. Smith (1978), Color Gamut Transform Pairs, SIGGRAPH '78: the hexcone's hue.
    """
    red, green, blue = (colours / 255.0).T
    top = np.maximum(np.maximum(red, green), blue)
    chroma = top - np.minimum(np.minimum(red, green), blue)
    divisor = np.where(chroma > 0, chroma, 1.0)
    turn = np.where(top == red, (green - blue) / divisor, 0.0)
    turn = np.where(top == green, 2.0 + (blue - red) / divisor, turn)
    turn = np.where(top == blue, 4.0 + (red - green) / divisor, turn)
    turn = np.where(chroma > 0, turn / 6.0, 0.0)
    return np.asarray(np.where(turn < 0, turn + 1.0, turn) * HUES).astype(np.uint16)


def _flat(pixels: ByteArray) -> ByteArray:
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype != np.uint8:
        raise UsageError(f"no picture of bytes: {pixels.dtype} of shape {pixels.shape}")
    return np.ascontiguousarray(pixels[..., :3]).reshape(-1)


@cache
def _compiled_kernels() -> ModuleType | None:
    try:
        from gibswatch.detect.hues import _kernels  # noqa: PLC0415 (numba takes 0.4 s to import)
    except ImportError:
        return None
    return _kernels


@cache
def _tables() -> tuple[NDArray[np.uint16], NDArray[np.uint16], ByteArray]:
    """Tables of the compiled way, 0.5 MB; made once a process, in 20 ms."""
    from gibswatch.detect.hues import _kernels  # noqa: PLC0415

    kinds, lower = np.zeros(3 << 16, dtype=np.uint16), np.zeros(_KINDS, dtype=np.uint16)
    higher = np.zeros(32 * _KINDS, dtype=np.uint8)
    used = _kernels.fill_tables(np.arange(256) / 255.0, kinds, lower, higher)
    if used != _KINDS:
        raise RuntimeError(f"{used} kinds of hues, not {_KINDS}: this is no IEEE 754 arithmetic")
    return kinds, lower, higher
