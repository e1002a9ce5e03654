"""The default method: all kinds of faults of a day, each with one cause, as one detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gibswatch.detect.causes import one_cause_each
from gibswatch.detect.colour import rule as colour
from gibswatch.detect.colour.others import settle_by_others
from gibswatch.detect.context import Context, Detection, Region, clean_score
from gibswatch.detect.missing import rule as missing
from gibswatch.detect.shadow import find_shadow
from gibswatch.detect.stale.rule import find_stale
from gibswatch.detect.swath.rule import find_swath_faults
from gibswatch.detect.warp.rule import find_warps
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray

__all__ = ["detect"]

_IMAGERY = "CorrectedReflectance"
"""Layers whose pixels are those of a scene."""
_WHOLE = 0.9
"""Share of a picture that stale pixels must take for nothing else to be looked for."""


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
        Regions of all kinds, no two faults over each other, and the reason of every black pixel.
    """
    imagery = _IMAGERY in scene.layer and scene.pixels.shape[2] >= 3
    stale = find_stale(scene, observed, expectation, context.alike()) if imagery else []
    if stale and stale[0].mask.mean() >= _WHOLE:
        return _other_day(stale[0])
    found = missing.detect(scene, observed, expectation, context)
    if not imagery or not found.fits_date:
        return _joined(found, stale, found.score, "")
    trusted = expectation if found.reasons is not None else None
    shown = colour.detect(scene, observed, trusted, context)
    shown = settle_by_others(shown, scene, observed, trusted, context)
    more: list[Region] = [*stale, *shown.regions]
    score = max(found.score, shown.score)
    if trusted is not None:
        swath, evidence = find_swath_faults(scene, observed, trusted)
        warps, off = find_warps(scene, observed, trusted, context.clear_sky())
        shadow = find_shadow(scene, observed, trusted)
        more += [*swath, *warps, *([] if shadow is None else [shadow])]
        score = max(score, *_scores((swath, evidence), (warps, off)))
    return _joined(found, more, score, f"; {shown.note}")


def _scores(*found: tuple[Sequence[Region], float]) -> list[float]:
    """Evidence as scores: under the threshold where nothing was found."""
    return [evidence if regions else clean_score(evidence) for regions, evidence in found]


def _joined(found: Detection, more: Sequence[Region], score: float, note: str) -> Detection:
    """Add what is found to what is missing."""
    regions = one_cause_each([*found.regions, *more])
    faults = [region.score for region in regions if region.kind.is_fault]
    best = max([score, *faults]) if faults else clean_score(min(score, 1.0))
    return replace(found, score=best, note=f"{found.note}{note}", regions=regions)


def _other_day(region: Region) -> Detection:
    """A picture that is another day's: it says nothing of its own."""
    whole = replace(region, mask=np.ones_like(region.mask))
    return Detection(region.score, "another day's picture", (whole,), fits_date=False)
