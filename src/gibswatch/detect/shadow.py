"""The Moon's shadow where imagery shows: darker and redder than usual, and no fault (code 6)."""

from __future__ import annotations

import numpy as np

from gibswatch.detect.colour.statistics import log_reflectance
from gibswatch.detect.context import Region
from gibswatch.detect.words import area_words, place_words
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, Kind

__all__ = ["find_shadow"]

_LEAST = 0.35
"""Obscuration from which a person sees it: a third of the light is a small step."""
_CLEAR = 0.05
_FEWEST_PX = 64


def find_shadow(
    scene: Scene, observed: BoolArray, expectation: Expectation | None
) -> Region | None:
    """Find where the Moon's shadow lies over imagery.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black: what of it the shadow explains has code 5.
    expectation : Expectation or None

    Returns
    -------
    Region or None
        Of kind 6, by predicted obscuration; its sentence has the measured darkening.
    """
    if expectation is None or not expectation.obscuration.any():
        return None
    shade = expectation.obscuration
    lit = expectation.covered & ~observed & (scene.state == STATE_CODES["ok"])
    mask = lit & (shade >= _LEAST)
    if mask.sum() < _FEWEST_PX:
        return None
    most = float(shade[mask].max())
    place = f"{area_words(mask, scene.georeference)} {place_words(mask, scene.georeference)}"
    reason = f"Eclipse: the Moon hides up to {most:.0%} of the Sun, {place}"
    dark = _darkening(scene, lit, mask, expectation)
    if dark is not None:
        reason += f"; the picture is {dark:.0%} darker there than beside the shadow"
    return Region(Kind.ECLIPSE_MISCOLORATION, mask, 1.0, f"{reason}.")


def _darkening(
    scene: Scene, lit: BoolArray, mask: BoolArray, expectation: Expectation
) -> float | None:
    """By how much the shadow is darker than the same rows of the picture out of it."""
    rows = np.asarray(mask.any(axis=1))
    beside = lit & (expectation.obscuration < _CLEAR) & rows[:, np.newaxis]
    if beside.sum() < _FEWEST_PX:
        return None
    inside, outside = (
        float(np.mean(log_reflectance(scene.pixels[..., :3][part]))) for part in (mask, beside)
    )
    return max(0.0, float(-np.expm1(inside - outside)))
