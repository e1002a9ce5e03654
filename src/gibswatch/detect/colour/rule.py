"""Miscoloration: scans, granules or parts of passes whose bands are calibrated unlike the rest.

What is looked for is a span of one pass whose colour differs from what is usual, and steps there at
once along the whole scan line (`steps`); and clusters of pixels of colours that nature does
not have (`scores`), which need no orbit.  A span is filled to what its pass shows in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.clusters import Strange, find_clusters
from gibswatch.detect.colour.prior import read_prior
from gibswatch.detect.colour.scores import Channels, Colours, own_normals, see_colours
from gibswatch.detect.colour.sentences import span_sentence
from gibswatch.detect.colour.spans import footprint, merge, scored_spans
from gibswatch.detect.colour.statistics import ColourNormals
from gibswatch.detect.colour.steps import Span
from gibswatch.detect.context import Context, Detection, Region, clean_score
from gibswatch.detect.missing.granules import granules_of
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, Kind

__all__ = ["ColourFinding", "detect", "find_colour"]

_GROSS_GREEN, _GROSS_BY_PRIOR = 0.25, 0.45
"""Difference of `green` from which a colour is gross; the packaged prior knows less: real glint and
haze over dark sea differ from it by up to 0.35."""
_ODD_GREEN = 0.06


@dataclass(frozen=True, slots=True, eq=False)
class ColourFinding:
    """What is found in one picture."""

    regions: tuple[Region, ...]
    score: float
    """0-1, 0.5 is the threshold."""
    plane: NDArray[np.float32]
    """(rows, cols) score of every pixel."""
    visible: BoolArray
    """(rows, cols): the part of the regions whose colour itself is unusual."""
    known: bool = True
    """Whether there was anything to compare with."""


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Judge the colours of a day.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation or None
        None leaves the pixels alone to tell.
    context : Context
        Where it has no usual colours, they are those of the day's own passes, or of the product
        where the picture shows too few of them (`read_prior`).

    Returns
    -------
    Detection
        Regions of kind 3.
    """
    found = find_colour(scene, observed, expectation, context.colour_normals())
    if not found.known:
        return Detection(0.0, "too little imagery to say which colours are usual")
    if not found.regions:
        return Detection(clean_score(found.score), "no part of a pass differs in colour")
    area = sum(int(region.mask.sum()) for region in found.regions)
    note = f"{len(found.regions)} parts of passes differ in colour, {area} pixels"
    return Detection(found.score, note, found.regions)


def find_colour(
    scene: Scene,
    observed: BoolArray,
    expectation: Expectation | None,
    normals: ColourNormals | None = None,
) -> ColourFinding:
    """Find what differs in colour; see `detect`."""
    shape = scene.georeference.shape
    plane = np.zeros(shape, dtype=np.float32)
    visible = np.zeros(shape, dtype=bool)
    colours = see_colours(scene, observed, expectation)
    passes = None if expectation is None else _thin(expectation.pass_index, colours)
    normals = normals or own_normals(colours, passes)
    gross = _GROSS_GREEN
    if normals is None:
        normals, gross = read_prior(scene.layer), _GROSS_BY_PRIOR
    if normals is None or not colours.longitude.size:
        return ColourFinding((), 0.0, plane, visible, known=False)
    channels = colours.channels(normals)
    strange = find_clusters(colours, channels, plane, gross)
    regions, best = [], 0.0
    if expectation is not None:
        placed = normals.places is not None
        spans = scored_spans(scene, expectation, colours, channels, placed=placed)
        best = max((score for _, score in spans), default=0.0)
        seen = _Seen(scene, observed, expectation, colours, channels)
        regions = _parts(spans, seen, plane, strange)
    regions += strange.regions(regions, scene, observed, expectation)
    best = max([best, *(region.score for region in regions)])
    for region in regions:
        np.maximum(plane, np.where(region.mask, np.float32(region.score), 0), out=plane)
        visible |= region.mask
    visible &= _unusual(colours, channels, shape)
    ordered = sorted(regions, key=lambda region: -int(region.mask.sum()))
    return ColourFinding(tuple(ordered), best, plane, visible)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What spans become regions with."""

    scene: Scene
    observed: BoolArray
    expectation: Expectation
    colours: Colours
    channels: Channels


def _parts(
    spans: list[tuple[Span, float]],
    seen: _Seen,
    plane: NDArray[np.float32],
    strange: Strange,
) -> list[Region]:
    """Regions of the spans that are enough, with the clusters that touch them.

    The plane takes the scores of all.
    """
    merged: list[tuple[Span, float]] = []
    for span, score in spans:
        mask = footprint(span, seen.expectation) & ~seen.observed
        np.maximum(plane, np.where(mask, np.float32(score), 0), out=plane)
        if score >= 0.5 and mask.any():
            merged = merge(merged, span, score)
    regions = []
    for span, score in merged:
        mask = footprint(span, seen.expectation) & ~seen.observed
        step = seen.colours.step
        inside = mask[step // 2 :: step, step // 2 :: step][seen.colours.usable]
        shift = float(seen.channels.green[inside].mean()) if inside.any() else 0.0
        near = strange.touching(mask)
        surest = max(score, strange.score(near))
        regions.append(_region(mask, mask | near, surest, replace(span, shift=shift), seen))
    return regions


def _thin(plane: NDArray[np.int32], colours: Colours) -> NDArray[np.int32]:
    first = colours.step // 2
    return plane[first :: colours.step, first :: colours.step][colours.usable]


def _region(mask: BoolArray, whole: BoolArray, score: float, span: Span, seen: _Seen) -> Region:
    """Make the region `whole`, whose granules are those of the footprint `mask`."""
    granules = granules_of(seen.expectation)
    names = granules.names(np.unique(granules.index[mask]))
    scene = seen.scene
    reason = span_sentence(whole, span, names, scene.georeference, scene.layer)
    return Region(Kind.MISCOLORATION, whole, score, reason, names)


def _unusual(colours: Colours, channels: Channels, shape: tuple[int, int]) -> BoolArray:
    """Pixels, (rows, cols), whose own colour is unusual."""
    odd = (np.abs(channels.green) > _ODD_GREEN * channels.scale) | (channels.far > 0)
    return colours.widen(colours.plane(odd.astype(np.float32)), shape) > 0
