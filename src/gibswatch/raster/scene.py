"""`Scene`: the picture of one layer on one day, with the truth about each of its pixels."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gibswatch.types import (
    TILE_STATES,
    BoolArray,
    ByteArray,
    Georeference,
    ImageFormat,
    TileState,
)

__all__ = [
    "STATE_CODES",
    "Scene",
    "brightest_channel",
    "scene_from_picture",
    "single_value",
    "usable_states",
]

STATE_CODES: MappingProxyType[TileState, int] = MappingProxyType(
    {state: code for code, state in enumerate(TILE_STATES)}
)
"""What a value of `Scene.state` means."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One picture: rows run southwards, columns eastwards."""

    layer: str
    date: dt.date | None
    image_format: ImageFormat
    pixels: ByteArray
    """(rows, cols, 3) RGB of a JPEG layer, or (rows, cols, 4) RGBA of a PNG layer; uint8."""
    state: ByteArray
    """(rows, cols) uint8: `STATE_CODES` of the tile that each pixel came from."""
    georeference: Georeference
    provenance: str
    """Where the pixels came from: a path or an address."""

    def __post_init__(self) -> None:
        shape = self.georeference.shape
        if self.pixels.shape[:2] != shape or self.state.shape != shape:
            raise ValueError(
                f"pixels {self.pixels.shape} and state {self.state.shape} must have the "
                f"georeference's shape {shape}"
            )

    @property
    def usable(self) -> BoolArray:
        """(rows, cols) bool: pixels that may become findings (`ok` and `server-empty`)."""
        return usable_states(self.state)


def usable_states(state: ByteArray) -> BoolArray:
    """Where a state is one whose pixels may become findings: `ok` or `server-empty`."""
    empty = STATE_CODES["server-empty"]
    return np.asarray((state == STATE_CODES["ok"]) | (state == empty))


def scene_from_picture(
    pixels: ByteArray,
    *,
    layer: str,
    date: dt.date | None,
    image_format: ImageFormat,
    georeference: Georeference,
    provenance: str,
) -> Scene:
    """Make a scene of a whole picture, every pixel of which is `ok`."""
    state = np.full(pixels.shape[:2], STATE_CODES["ok"], dtype=np.uint8)
    return Scene(layer, date, image_format, pixels, state, georeference, provenance)


def brightest_channel(pixels: ByteArray) -> ByteArray:
    """Largest of R, G and B of each pixel, as (rows, cols) ndarray of uint8.

    Three whole planes at a time: ten times faster than a maximum over an axis of length 3.
    """
    by_two: ByteArray = np.maximum(pixels[..., 0], pixels[..., 1])
    return np.maximum(by_two, pixels[..., 2], out=by_two)


def single_value(pixels: ByteArray) -> bool:
    """Whether every pixel is the same, as in the blank tiles of a server.

    Parameters
    ----------
    pixels : (rows, cols, bands) ndarray of uint8

    Notes
    -----
    A picture is nearly always told by its first row or its diagonal; only the others are read.
    """
    first = pixels[0, 0]
    corner = min(pixels.shape[:2])
    diagonal = np.arange(corner)
    if (pixels[0] != first).any() or (pixels[diagonal, diagonal] != first).any():
        return False
    return bool((pixels == first).all())
