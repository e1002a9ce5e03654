"""Where a model sees a fault, laid over the picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gibswatch.raster.scene import Scene
from gibswatch.report.heat_bands import Key, with_band
from gibswatch.report.palette import Colour
from gibswatch.scan.model_scores import number_words
from gibswatch.types import ByteArray, ModelScore

if TYPE_CHECKING:
    from gibswatch.models.explain import HeatMap

__all__ = [
    "HEAT_STEPS",
    "MOST_PX",
    "HeatStep",
    "heat_colours",
    "heat_picture",
    "reduced_heat",
    "step_colour",
]

MOST_PX = 1600
"""Longer side of a picture of heat, at most, without the words under it."""


@dataclass(frozen=True, slots=True)
class HeatStep:
    """A name for some of the heat."""

    name: str
    low: float
    high: float
    """Not part of it any more."""


HEAT_STEPS = (
    HeatStep("weak", 0.25, 0.5),
    HeatStep("clear", 0.5, 0.8),
    HeatStep("strong", 0.8, 1.01),
)
"""What legends name: from where the colours begin, and from where days begin to be called."""

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


def heat_picture(scene: Scene, heat: HeatMap, score: ModelScore | None = None) -> bytes:
    """Lay the heat over the picture, pixel on pixel.

    Parameters
    ----------
    scene : Scene
    heat : HeatMap
        Of its shape.
    score : ModelScore, optional
        What the model says of the day; then a band under the picture tells it, and what the
        colours mean.

    Returns
    -------
    bytes
        PNG, RGB; reduced so that its longer side has `MOST_PX` pixels at most, never enlarged.  A
        band comes to this, and a picture narrower than its words has white beside it.

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
    if score is not None:
        image = with_band(image, _words(scene, heat, score), _keys())
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def _words(scene: Scene, heat: HeatMap, score: ModelScore) -> list[str]:
    """Say what the picture shows; nothing of what kind a fault is, for heat does not know it."""
    called, side = ("called", "over") if score.called else ("not called", "not over")
    reached, threshold = number_words(score.score), number_words(score.threshold)
    if heat.values.max(initial=0.0) >= HEAT_STEPS[0].low:
        told = "Colour: how much a place speaks for a fault, of whatever kind"
    else:
        told = "No place speaks enough for a fault to be coloured"
    return [
        f"{scene.layer}, {scene.date or 'no date'}",
        f"Model {score.name}: {called}, score {reached}, {side} its threshold of {threshold}",
        f"{told} ({heat.source})",
    ]


def _keys() -> list[Key]:
    """Say what the colours mean."""
    return [Key(step_colour(step), f"{step.name}: heat from {step.low:g}") for step in HEAT_STEPS]


def step_colour(step: HeatStep) -> Colour:
    """Give a step the colour that legends show: that of its middle, not seen through.

    Parameters
    ----------
    step : HeatStep
    """
    middle = np.array([(step.low + step.high) / 2], np.float32)
    red, green, blue, _ = heat_colours(middle)[0].tolist()
    return red, green, blue


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
