"""The panel of a day in which a trained model shows where it sees a fault."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gibswatch.errors import GibswatchError
from gibswatch.raster.regions import pixel_area_km2
from gibswatch.raster.scene import Scene
from gibswatch.report.heat_maps import HEAT_STEPS, heat_colours, reduced_heat, step_colour
from gibswatch.report.palette import hex_colour
from gibswatch.report.panels import Panel, Swatch
from gibswatch.report.places import Frame
from gibswatch.types import DayItem

if TYPE_CHECKING:
    from gibswatch.models import LoadedModel

__all__ = ["heat_panel"]

_STEPS = 15
"""Shades of an overlay: with the one of nothing they fill four bits a pixel."""


def heat_panel(model: LoadedModel, item: DayItem, scene: Scene, frame: Frame) -> Panel | None:
    """Show where a model sees a fault on one day.

    Parameters
    ----------
    model : LoadedModel
        One that can say it (`gibswatch.models.explain`).
    item : DayItem
    scene : Scene
        Of that day.
    frame : Frame
        In which its picture is drawn.

    Returns
    -------
    Panel or None
        None where this model did not score the day, or cannot explain it.
    """
    from gibswatch.models.explain import explain  # noqa: PLC0415  (only where a model is given)

    score = item.model
    if score is None or (score.name, score.threshold) != (model.card.model, model.threshold):
        return None
    try:
        heat = explain(model, scene)
    except GibswatchError:  # a picture of another place or size: the report is whole without it
        return None
    rows, cols = heat.values.shape
    size = (min(frame.width, cols), min(frame.height, rows))
    return Panel(
        "seen-by-model",
        f"Model {score.name}: where it sees a fault ({heat.source})",
        "The darker, the more it speaks for one" if score.called else "It does not call the day",
        _overlay(reduced_heat(heat.values, size)),
        _legend(heat.values, frame),
    )


def _overlay(values: NDArray[np.float32]) -> str | None:
    """Encode heat as a PNG of few shades; None where all of it is transparent."""
    steps = np.round(np.clip(values, 0, 1) * _STEPS).astype(np.uint8)
    colours = heat_colours(np.linspace(0, 1, _STEPS + 1, dtype=np.float32))
    if not colours[steps, 3].any():
        return None
    image = Image.frombytes("P", (steps.shape[1], steps.shape[0]), steps.tobytes())
    image.putpalette(colours[:, :3].tobytes())
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True, transparency=colours[:, 3].tobytes(), bits=4)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def _legend(values: NDArray[np.float32], frame: Frame) -> tuple[Swatch, ...]:
    """Name the shades that are there, with their share of the picture's area."""
    area = pixel_area_km2(frame.georeference)
    total = float(area.sum(dtype=np.float64)) or 1.0
    swatches = []
    for step in HEAT_STEPS:
        here = (values >= step.low) & (values < step.high)
        if here.any():
            share = float(area.sum(where=here, dtype=np.float64)) / total
            words = f"{share:.1%}" if share >= 0.0005 else "under 0.1%"
            swatches.append(Swatch(hex_colour(step_colour(step)), step.name, words))
    return tuple(swatches)
