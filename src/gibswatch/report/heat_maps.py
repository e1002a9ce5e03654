"""Where a model sees a fault, laid over the picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gibswatch.raster.scene import Scene
from gibswatch.types import ByteArray

if TYPE_CHECKING:
    from gibswatch.models.explain import HeatMap

__all__ = ["MOST_PX", "heat_colours", "heat_picture", "reduced_heat"]

MOST_PX = 1600
"""Longer side of a picture of heat, at most."""

_STOPS = (0.0, 0.25, 0.4, 0.7, 1.0)
_COLOURS = (
    (255, 236, 90, 0),
    (255, 236, 90, 0),
    (255, 214, 50, 110),
    (250, 96, 60, 145),
    (205, 0, 150, 170),
)
"""Red, green, blue and opacity at `_STOPS`: each darker than the one before, so that the order is
seen without colour too.  None of them is a colour of sea, land, cloud or night, and the picture
shows through the strongest.  Under the second stop normal days would be speckled."""


def heat_picture(scene: Scene, heat: HeatMap) -> bytes:
    """Lay the heat over the picture, pixel on pixel.

    Parameters
    ----------
    scene : Scene
    heat : HeatMap
        Of its shape.

    Returns
    -------
    bytes
        PNG, RGB; reduced so that its longer side has `MOST_PX` pixels at most, never enlarged.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    rows, cols = scene.state.shape
    if heat.values.shape != (rows, cols):
        raise ValueError(f"heat of {heat.values.shape} does not lie on a picture of {rows, cols}")
    scale = min(1.0, MOST_PX / max(rows, cols))
    size = (max(1, round(cols * scale)), max(1, round(rows * scale)))
    pixels = scene.pixels
    if pixels.shape[2] == 4:  # what is transparent is black, as in the report
        pixels = pixels[..., :3] * (pixels[..., 3:] > 0)
    image = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BOX)
    over = Image.fromarray(heat_colours(reduced_heat(heat.values, size)))
    image.paste(over, mask=over.getchannel("A"))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def reduced_heat(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Bring heat to another size: means of what a pixel stands for.

    Parameters
    ----------
    values : (rows, cols) ndarray of float32
    size : (int, int)
        Width and height of the result.
    """
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float32)


def heat_colours(values: NDArray[np.float32]) -> ByteArray:
    """Give heat its colours.

    Parameters
    ----------
    values : ndarray of float32
        0-1.

    Returns
    -------
    (..., 4) ndarray of uint8
        RGBA; transparent where nothing speaks for a fault.
    """
    levels = np.linspace(0, 1, 256)
    columns = [np.interp(levels, _STOPS, channel) for channel in zip(*_COLOURS, strict=True)]
    table = np.round(np.stack(columns, axis=1)).astype(np.uint8)
    index = np.round(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
    found: ByteArray = table[index]
    return found
