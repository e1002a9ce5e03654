"""Pixels and planes as small ``data:`` addresses, and how many of them a page may hold."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from gibswatch.raster.scene import Scene
from gibswatch.report.palette import Colour
from gibswatch.types import BoolArray, ByteArray

__all__ = ["Budget", "Window", "jpeg_address", "overlay_address", "reduced_codes"]

Window = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""

_QUALITY = 78


class Budget:
    """How many bytes of pictures a page may still take.

    Parameters
    ----------
    most_bytes : int
    most_days : int
        Days that may be shown with pictures.
    """

    def __init__(self, most_bytes: int, most_days: int) -> None:
        self._bytes, self._days = most_bytes, most_days

    @property
    def is_open(self) -> bool:
        """Whether another day may be shown with pictures."""
        return self._bytes > 0 and self._days > 0

    def spend(self, *addresses: str | None) -> None:
        """Count the pictures of one day."""
        self._bytes -= sum(len(address) for address in addresses if address)
        self._days -= 1


def jpeg_address(
    scene: Scene, size: tuple[int, int], window: Window | None = None, quality: int = _QUALITY
) -> str:
    """Encode a picture, or a part of it, as a JPEG in a ``data:`` address.

    Parameters
    ----------
    scene : Scene
    size : (int, int)
        Width and height of the result in pixels.
    window : Window, optional
        Part of the picture; the whole by default.
    quality : int
        Of the JPEG.
    """
    top, bottom, left, right = window or (0, *scene.state.shape[:1], 0, scene.state.shape[1])
    pixels = scene.pixels[top:bottom, left:right]
    if pixels.shape[2] == 4:
        pixels = pixels[..., :3] * (pixels[..., 3:] > 0)
    enlarged = size[0] > pixels.shape[1]
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX
    image = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, how)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality, optimize=True, progressive=True)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def overlay_address(codes: ByteArray, colours: Mapping[int, Colour]) -> str | None:
    """Encode a plane of codes as a PNG that is transparent where a code has no colour.

    Parameters
    ----------
    codes : (rows, cols) ndarray of uint8
    colours : mapping of int to (red, green, blue)

    Returns
    -------
    str or None
        None where nothing has a colour.
    """
    listed = sorted(set(np.unique(codes).tolist()) & set(colours))
    if not listed:
        return None
    table = np.zeros(256, dtype=np.uint8)
    palette = [0, 0, 0]
    for index, code in enumerate(listed, start=1):
        table[code] = index
        palette += colours[code]
    indexes = table[codes]
    image = Image.frombytes("P", (codes.shape[1], codes.shape[0]), indexes.tobytes())
    image.putpalette(palette)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True, transparency=0, bits=_bits(len(listed) + 1))
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def reduced_codes(codes: ByteArray, size: tuple[int, int], keep: tuple[int, ...]) -> ByteArray:
    """Reduce a plane of codes: the nearest pixel, but codes of `keep` wherever any pixel has one.

    So a fault of three pixels is still seen in a picture an eighth as wide.

    Parameters
    ----------
    codes : (rows, cols) ndarray of uint8
    size : (int, int)
        Width and height of the result.
    keep : tuple of int
        The last wins.
    """
    width, height = size
    rows = ((np.arange(height) + 0.5) * codes.shape[0] / height).astype(np.intp)
    cols = ((np.arange(width) + 0.5) * codes.shape[1] / width).astype(np.intp)
    small: ByteArray = codes[np.ix_(rows, cols)]
    if width >= codes.shape[1]:
        return small
    for code in keep:
        wanted = codes == code
        if wanted.any():
            small[_any_of(wanted, size)] = code
    return small


def _any_of(mask: BoolArray, size: tuple[int, int]) -> BoolArray:
    """Where any of the pixels that a reduced one stands for is marked."""
    width, height = size
    top = np.arange(height) * mask.shape[0] // height
    left = np.arange(width) * mask.shape[1] // width
    by_rows = np.logical_or.reduceat(mask, top, axis=0)
    return np.asarray(np.logical_or.reduceat(by_rows, left, axis=1))


def _bits(colours: int) -> int:
    return 1 if colours <= 2 else 2 if colours <= 4 else 4 if colours <= 16 else 8
