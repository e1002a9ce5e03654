"""Missing data: every black pixel gets a reason, and what has none is an alert.

The expectation says where night, swath gaps and eclipses make a picture black, set right by the
day's own edges (`explained`); black beyond is a hole (`holes`), scheduled or not.  Where no orbit
is known, or the picture does not fit it, the archive's own days stand in (`climatology`), and the
finding says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gibswatch.detect.baselines import climatology
from gibswatch.detect.context import Context, Detection, Region
from gibswatch.detect.missing.explained import Explained, explain
from gibswatch.detect.missing.granules import Granules, granules_of
from gibswatch.detect.missing.holes import Ground, Hole, find_holes
from gibswatch.detect.missing.scheduled import scheduled_parts
from gibswatch.detect.missing.sentences import (
    clean_note,
    eclipse_sentence,
    hole_sentence,
    roll_sentence,
)
from gibswatch.detect.missing.witness import dark_planes, second_witness
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.fit import has_gaps
from gibswatch.sky.schedule import Window
from gibswatch.types import BoolArray, Kind

__all__ = ["detect"]

_IMAGERY = "CorrectedReflectance"
"""Layers that show every place their satellite sees by day; others have black of their own."""
_KNOWN_SHARE = 0.125
"""Of the spacing of passes: an orbit known worse explains no gap."""
_LEAST_ECLIPSE_PX = 64
_LEAST_REST_PX = 64
"""Of a hole that is scheduled for the most part: what is left must have so many pixels."""
_LEAST_REST = 0.1
"""And so much of what is scheduled."""
_FAINT, _MANY_PX = 0.2, 1000.0
"""Score of a day, and half of it by so many pixels, with black within the tolerance alone."""


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Judge a day by what should be visible.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black (`gibswatch.raster.observed_black`).
    expectation : Expectation or None
        None falls back to the archive's own days.
    context : Context

    Returns
    -------
    Detection
        Regions of kinds 1, 2 and 5, and the reason of every black pixel.
    """
    why = _unknown(scene, expectation)
    if expectation is None or why:
        return _fallback(scene, observed, context, why)
    dark = dark_planes(scene, observed, expectation, context)
    explained = explain(scene, expectation, dark)
    misfit = explained.misfit()
    if misfit is not None:
        why = f"the picture does not fit its date and orbit, {misfit.why}"
        found = _fallback(scene, observed, context, why)
        return replace(found, fits_date=not misfit.wrong_date)
    granules = granules_of(expectation)
    ground = explained.ground()
    holes, score = find_holes(ground, granules)
    regions = _regions(explained, holes, granules, context)
    reasons = explained.reasons(dark.black | observed, regions)
    faults = [region.score for region in regions if region.kind.is_fault]
    note = clean_note(reasons, scene.georeference, regions)
    return Detection(
        score=max(faults) if faults else _clean_score(ground, score),
        note=note,
        regions=tuple(regions),
        reasons=reasons,
    )


def _unknown(scene: Scene, expectation: Expectation | None) -> str:
    """Why nothing can be expected of a picture; empty if something can."""
    if _IMAGERY not in scene.layer:
        return "the layer is not imagery of whole swaths"
    if expectation is None:
        return "no orbit is known"
    orbit = expectation.orbit
    if has_gaps(orbit.record) and orbit.longitude_sigma_deg > _KNOWN_SHARE * orbit.spacing_deg:
        return f"no orbit is known: {orbit.note or 'its longitude is uncertain'}"
    return ""


def _clean_score(ground: Ground, score: float) -> float:
    """Rank days without faults: by the largest piece of evidence, then by black near an edge.

    A hole that is scheduled counts for nothing: it is no sign of a fault.
    """
    near = int((ground.black & ~ground.explained).sum())
    return max(score, _FAINT * near / (near + _MANY_PX))


def _fallback(scene: Scene, observed: BoolArray, context: Context, why: str) -> Detection:
    found = climatology.detect(scene, observed, None, context)
    note = f"{found.note} ({why}; the archive's own days stand in)"
    sentence = f"Missing data: {note}."
    regions = tuple(replace(region, reason=sentence) for region in found.regions)
    return replace(found, note=note, regions=regions)


def _regions(
    explained: Explained, holes: Sequence[Hole], granules: Granules, context: Context
) -> list[Region]:
    """Turn holes and shadow into findings, largest first."""
    regions: list[Region] = []
    scheduled = scheduled_parts([hole.mask for hole in holes], explained.expectation)
    for hole, found in zip(holes, scheduled, strict=True):
        planned, rest = _planned(explained, hole, granules, found)
        regions.extend(planned)
        if rest is not None:
            names = granules.names(hole.granules)
            sentence = hole_sentence(rest, explained.expectation, names)
            sentence += second_witness(rest, context)
            kind = Kind.MISSING_UNEXPECTED
            regions.append(Region(kind, rest, hole.score, sentence, names))
    shade = explained.eclipse
    if shade.sum() >= _LEAST_ECLIPSE_PX:
        sentence = eclipse_sentence(shade, explained.expectation)
        regions.append(Region(Kind.ECLIPSE_MISSING, shade, 1.0, sentence))
    return sorted(regions, key=lambda region: -int(region.mask.sum()))


def _planned(
    explained: Explained,
    hole: Hole,
    granules: Granules,
    found: tuple[Window, BoolArray] | None,
) -> tuple[list[Region], BoolArray | None]:
    """Part a hole into what is scheduled and the rest, None if there is none to speak of."""
    if found is None:
        return [], hole.mask
    window, part = found
    names = granules.names(np.unique(granules.index[part]))
    sentence = roll_sentence(part, explained.expectation, window, names)
    region = Region(Kind.MISSING_EXPECTED, part, hole.score, sentence, names)
    rest = hole.mask & ~part
    if rest.sum() < max(_LEAST_REST_PX, _LEAST_REST * part.sum()):
        return [region], None
    return [region], rest
