"""The default method: what is missing and why, and which colours are wrong, as one detection."""

from __future__ import annotations

from dataclasses import replace

from gibswatch.detect.colour import rule as colour
from gibswatch.detect.colour.others import settle_by_others
from gibswatch.detect.context import Context, Detection
from gibswatch.detect.missing import rule as missing
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray

__all__ = ["detect"]

_IMAGERY = "CorrectedReflectance"
"""Layers whose colours are those of a scene."""


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Judge a day by what should be visible and by how it should look.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black (`gibswatch.raster.observed_black`).
    expectation : Expectation or None
        None leaves the archive's own days to say what is missing, and the pixels alone to say
        which colours are wrong.
    context : Context

    Returns
    -------
    Detection
        Regions of kinds 1, 2, 3 and 5, and the reason of every black pixel.
    """
    found = missing.detect(scene, observed, expectation, context)
    if _IMAGERY not in scene.layer or scene.pixels.shape[2] < 3 or not found.fits_date:
        return found
    trusted = expectation if found.reasons is not None else None
    shown = colour.detect(scene, observed, trusted, context)
    shown = settle_by_others(shown, scene, observed, trusted, context)
    regions = sorted([*found.regions, *shown.regions], key=lambda region: -int(region.mask.sum()))
    return replace(
        found,
        score=max(found.score, shown.score),
        note=f"{found.note}; {shown.note}",
        regions=tuple(regions),
    )
