"""Miscoloration: scans, granules or parts of passes whose bands are calibrated unlike the rest.

What is looked for is a span of one pass whose colour differs from what is usual, and steps there at
once along the whole scan line (`steps`); and clusters of pixels of colours that nature does
not have (`scores`), which need no orbit.  A span is filled to what its pass shows in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.colour.prior import read_prior
from gibswatch.detect.colour.scores import Channels, Colours, own_normals, see_colours
from gibswatch.detect.colour.sentences import cluster_sentence, span_sentence
from gibswatch.detect.colour.spans import footprint, merge, scored_spans
from gibswatch.detect.colour.statistics import ColourNormals
from gibswatch.detect.colour.steps import Span
from gibswatch.detect.context import MOST_CLEAN, Context, Detection, Region
from gibswatch.detect.missing.granules import granules_of
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, Kind

__all__ = ["ColourFinding", "detect", "find_colour"]

_GROSS_GREEN, _GROSS_BY_PRIOR = 0.25, 0.45
"""Difference of `green` from which a colour is gross; the packaged prior knows less: real glint and
haze over dark sea differ from it by up to 0.35."""
_ODD_GREEN = 0.06
_GROSS_SHARE = 0.6
"""Of the 3 x 3 pixels around one that are gross, for it to be in a cluster."""
_CLUSTER_PX = 24
_TOUCH_PX = 3
_VOTED_S = 60.0
"""Seconds of strange scan lines from which all of their granule counts as faulty."""
_MOST_CLUSTERS = 12
"""Told one by one; those that are smaller are told together."""


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
        return Detection(min(found.score, MOST_CLEAN), "no part of a pass differs in colour")
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
    strange = _clusters(colours, channels, plane, gross)
    regions, best = [], 0.0
    if expectation is not None:
        placed = normals.places is not None
        spans = scored_spans(scene, expectation, colours, channels, placed=placed)
        best = max((score for _, score in spans), default=0.0)
        seen = _Seen(scene, observed, expectation, colours, channels)
        regions = _parts(spans, seen, plane, strange)
    regions += _rest(strange, regions, scene, observed, expectation)
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
    strange: BoolArray,
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
        gross = _touching(mask, strange)
        surest = max(score, _cluster_score(int(gross.sum())))
        regions.append(_region(mask, mask | gross, surest, replace(span, shift=shift), seen))
    return regions


def _touching(mask: BoolArray, strange: BoolArray) -> BoolArray:
    """Clusters at a footprint: where passes overlap, another one's pixels may be shown there."""
    near = ndimage.binary_dilation(mask, np.ones((3, 3), dtype=bool), iterations=_TOUCH_PX)
    labels, _ = ndimage.label(strange, structure=np.ones((3, 3), dtype=bool))
    met = np.unique(labels[near & strange])
    return np.isin(labels, met[met > 0])


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


def _clusters(
    colours: Colours, channels: Channels, plane: NDArray[np.float32], least: float
) -> BoolArray:
    """Pixels, (rows, cols), of clusters whose colours nature does not have."""
    is_gross = (np.abs(channels.green) >= least * channels.scale) & (channels.far > 0.2)
    gross = colours.plane((is_gross | channels.never).astype(np.float32))
    weight = colours.plane(np.ones_like(channels.green))
    share = ndimage.uniform_filter(gross, 3) / np.maximum(ndimage.uniform_filter(weight, 3), 0.3)
    labels, count = ndimage.label(share >= _GROSS_SHARE, structure=np.ones((3, 3), dtype=bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    large = sizes >= _CLUSTER_PX
    large[0] = False
    step = colours.step
    whole = np.repeat(np.repeat(large[labels], step, axis=0), step, axis=1)
    wide = np.repeat(np.repeat(0.4 * share.astype(np.float32), step, axis=0), step, axis=1)
    found = np.zeros(plane.shape, dtype=bool)
    rows, cols = (min(a, b) for a, b in zip(plane.shape, whole.shape, strict=True))
    found[:rows, :cols] = whole[:rows, :cols]
    plane[:rows, :cols] = wide[:rows, :cols]
    return found


def _rest(
    strange: BoolArray,
    regions: list[Region],
    scene: Scene,
    observed: BoolArray,
    expectation: Expectation | None,
) -> list[Region]:
    """Clusters that no span holds, filled to what their granules show."""
    for region in regions:
        strange = strange & ~region.mask
    granules = None if expectation is None else granules_of(expectation)
    whole = strange
    if expectation is not None and granules is not None:
        whole = strange | (_voted(strange, granules.index, expectation) & ~observed)
    labels, count = ndimage.label(whole, structure=np.ones((3, 3), dtype=bool))
    sizes = np.bincount(labels[strange], minlength=count + 1)
    large = np.flatnonzero(sizes[1:] >= _CLUSTER_PX) + 1
    ordered = large[np.argsort(-sizes[large], kind="stable")]
    parts = [labels == number for number in ordered[:_MOST_CLUSTERS]]
    if ordered.size > _MOST_CLUSTERS:  # what is left is one region: each takes a whole plane
        parts.append(np.isin(labels, ordered[_MOST_CLUSTERS:]))
    found = []
    for mask in parts:
        seen = mask & strange
        names = () if granules is None else granules.names(np.unique(granules.index[seen]))
        reason = cluster_sentence(mask, int(seen.sum()), names, scene.georeference)
        score = _cluster_score(int(seen.sum()))
        found.append(Region(Kind.MISCOLORATION, mask, score, reason, names))
    return found


def _voted(
    strange: BoolArray, index: NDArray[np.int32], expectation: Expectation
) -> BoolArray:
    """What granules show between the first and the last of their strange scan lines.

    All of it where these are far apart: a band that is lost shows on some surfaces only.
    """
    voters = np.bincount(index[strange & (index >= 0)], minlength=int(index.max()) + 1)
    found = np.zeros(strange.shape, dtype=bool)
    for number in np.flatnonzero(voters >= _CLUSTER_PX):
        its = index == number
        time = expectation.time_s[its & strange]
        first, last = float(time.min()), float(time.max())
        if last - first < _VOTED_S:
            its &= (expectation.time_s >= first) & (expectation.time_s <= last)
        found |= its
    return found & expectation.covered


def _cluster_score(pixels: int) -> float:
    """0.5 for the smallest cluster that counts."""
    return pixels / (pixels + _CLUSTER_PX)


def _unusual(colours: Colours, channels: Channels, shape: tuple[int, int]) -> BoolArray:
    """Pixels, (rows, cols), whose own colour is unusual."""
    odd = (np.abs(channels.green) > _ODD_GREEN * channels.scale) | (channels.far > 0)
    plane = colours.plane(odd.astype(np.float32)) > 0
    wide = np.repeat(np.repeat(plane, colours.step, axis=0), colours.step, axis=1)
    found = np.zeros(shape, dtype=bool)
    rows, cols = (min(a, b) for a, b in zip(shape, wide.shape, strict=True))
    found[:rows, :cols] = wide[:rows, :cols]
    return found
