"""Miscoloration: scans, granules or parts of passes whose bands are calibrated unlike the rest.

What is looked for is a span of one pass whose colour differs from what is usual, and steps there at
once along the whole scan line (`colour_steps`); and clusters of pixels of colours that nature does
not have (`colour_scores`), which need no orbit.  A span is filled to what its pass shows in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.colour_prior import read_prior
from gibswatch.detect.colour_scores import Channels, Colours, own_normals, see_colours
from gibswatch.detect.colour_statistics import LEAST_NOISE, ColourNormals
from gibswatch.detect.colour_steps import Span, bin_seconds, find_spans, make_lanes
from gibswatch.detect.context import Context, Detection, Region
from gibswatch.detect.missing.granules import granules_of
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.passes import pass_geometry
from gibswatch.types import BoolArray, Kind

__all__ = ["ColourFinding", "detect", "find_colour"]

_LEAST_STEP = 3.0
_STEP = 4.5
"""Standard deviations of a span's weaker step at which it counts."""
_SHIFTS = {(True, True): 0.034, (True, False): 0.044, (False, True): 0.065, (False, False): 0.085}
"""Shift of `green` at which a span counts where pixels vary least, by whether normals of places
are known and whether it has two steps.  On the simulated clean days of the tuning years natural
spans of true colour reach 0.8 of it."""
_SHORT_S, _SHORT_LOOSE_S = 30.0, 90.0
"""Shorter spans need more: over 30 s clouds and coasts differ by as much again.  Over 90 s in the
products of near infrared, where land differs from land."""
_LOOSE = ((4.0, 1.5), (1.5, 1.2))
"""What those need more, by the scale from which they do."""
_JOIN_S = 420.0
"""Seconds between spans of one pass that are taken for one: a fault of bright pixels shows only
where there are any."""
_LIKELY, _WEAK = 0.42, 0.3
_FAR_SHIFT = 0.25
"""The same of the share of pixels whose colour is another one altogether."""
_BRIGHT_LEVEL = 6
"""Level from which a pixel is bright: a fault may hit only those."""
_METRES_PER_DEGREE = 111_320.0
_GROSS_GREEN, _GROSS_BY_PRIOR = 0.25, 0.45
"""Difference of `green` from which a colour is gross; the packaged prior knows less: real glint and
haze over dark sea differ from it by up to 0.35."""
_ODD_GREEN = 0.06
_GROSS_SHARE = 0.6
"""Of the 3 x 3 pixels around one that are gross, for it to be in a cluster."""
_CLUSTER_PX = 24
_MOST_CLEAN = 0.49


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
    scene: Scene,
    observed: BoolArray,
    expectation: Expectation | None,
    context: Context,
    normals: ColourNormals | None = None,
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
    normals : ColourNormals, optional
        Of the archive; by default what is usual on the day's own passes, or in the product where
        the picture shows too few of them (`read_prior`).

    Returns
    -------
    Detection
        Regions of kind 3.
    """
    found = find_colour(scene, observed, expectation, normals)
    if not found.known:
        return Detection(0.0, "too little imagery to say which colours are usual")
    if not found.regions:
        return Detection(min(found.score, _MOST_CLEAN), "no part of a pass differs in colour")
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
        merged: list[tuple[Span, float]] = []
        for span, score in _spans(
            scene, expectation, colours, channels, placed=normals.places is not None
        ):
            best = max(best, score)
            mask = _footprint(span, expectation) & ~observed
            np.maximum(plane, np.where(mask, np.float32(score), 0), out=plane)
            if score >= 0.5 and mask.any():
                merged = _merged(merged, span, score)
        for span, score in merged:
            mask = _footprint(span, expectation) & ~observed
            shown = mask[colours.step // 2 :: colours.step, colours.step // 2 :: colours.step]
            inside = shown[colours.usable]
            shift = float(channels.green[inside].mean()) if inside.any() else 0.0
            told = replace(span, shift=shift)
            regions.append(_region(mask, score, told, expectation))
    regions += _rest(strange, regions, expectation)
    best = max([best, *(region.score for region in regions)])
    for region in regions:
        np.maximum(plane, np.where(region.mask, np.float32(region.score), 0), out=plane)
        visible |= region.mask
    visible &= _unusual(colours, channels, shape)
    ordered = sorted(regions, key=lambda region: -int(region.mask.sum()))
    return ColourFinding(tuple(ordered), best, plane, visible)


def _thin(plane: NDArray[np.int32], colours: Colours) -> NDArray[np.int32]:
    first = colours.step // 2
    return plane[first :: colours.step, first :: colours.step][colours.usable]


def _spans(
    scene: Scene,
    expectation: Expectation,
    colours: Colours,
    channels: Channels,
    *,
    placed: bool,
) -> list[tuple[Span, float]]:
    """Spans with their scores, those that are enough and do not overlap first."""
    geometry = pass_geometry(
        expectation.orbit, scene.georeference, expectation.day,
        sza_limit_deg=expectation.sza_cut_deg,
    )  # fmt: skip
    first = colours.step // 2
    thin = (slice(first, None, colours.step), slice(first, None, colours.step))
    beside = np.nan_to_num(geometry.cross_track_deg[thin][colours.usable])
    beside = beside / max(float(np.abs(beside).max()), 1e-6)
    number = expectation.pass_index[thin][colours.usable]
    time = expectation.time_s[thin][colours.usable]
    size = scene.georeference.pixel_height * colours.step
    step_s = bin_seconds(size if scene.georeference.epsg == 4326 else size / _METRES_PER_DEGREE)
    bright = colours.chroma.level >= _BRIGHT_LEVEL
    everything = np.ones_like(bright)
    loose = next((more for scale, more in _LOOSE if channels.scale > scale), None)
    found: list[tuple[Span, float]] = []
    for chosen, is_far in (
        (everything, False), (bright, False), *((b, False) for b in colours.bright),
        (everything, True),
    ):  # fmt: skip
        if chosen.sum() < _CLUSTER_PX:
            continue
        lanes = make_lanes(number[chosen], time[chosen], beside[chosen], step_s)
        residual, noise = channels.green[chosen], channels.noise[chosen]
        if is_far:
            residual, noise = channels.far[chosen], None
        for span in find_spans(lanes, residual, noise, least=_LEAST_STEP):
            enough = _SHIFTS[placed, span.closed] * span.noise / LEAST_NOISE
            enough = _FAR_SHIFT if is_far else enough
            if span.shift > 0 or not is_far:
                found.append((span, _score(span, enough, loose=None if is_far else loose)))
    return _apart(_joined(found))


def _score(span: Span, enough: float, *, loose: float | None) -> float:
    """0.5 where both the step and the shift are just enough."""
    short_s = _SHORT_LOOSE_S if loose else _SHORT_S
    enough *= (loose or 1.0) * (1.0 + short_s / max(span.last_s - span.first_s, 1.0))
    ratio = min(span.strength / _STEP, abs(span.shift) / enough)
    return ratio / (1.0 + ratio)


def _joined(found: list[tuple[Span, float]]) -> list[tuple[Span, float]]:
    """Add to spans of one pass and one sign that show a fault in parts the whole of it."""
    whole = []
    for span, score in found:
        alike = [
            (other, s) for other, s in found
            if other.pass_index == span.pass_index and other.shift * span.shift > 0 and other.closed
        ]  # fmt: skip
        sure = [other for other, s in alike if s >= _LIKELY]
        if (
            score < 0.5
            or not span.closed
            or max(o.first_s for o in sure) < min(o.last_s for o in sure)
        ):
            continue  # all of them overlap: one span is enough
        first, last = span.first_s, span.last_s
        weak = sorted((o for o, s in alike if s >= _WEAK), key=lambda o: o.first_s)
        for other in [*weak, *reversed(weak)]:
            if other.first_s <= last + _JOIN_S and other.last_s >= first - _JOIN_S:
                first, last = min(first, other.first_s), max(last, other.last_s)
        whole.append((replace(span, first_s=first, last_s=last), score))
    return sorted([*found, *whole], key=lambda pair: -pair[1])


def _apart(found: list[tuple[Span, float]]) -> list[tuple[Span, float]]:
    """Drop what overlaps what is stronger, unless it is sure and its ends are as well."""
    kept: list[tuple[Span, float]] = []
    for span, score in found:
        near = [other for other, _ in kept if _overlap(span, other)]
        if not near or (score >= 0.5 and (span.closed or not any(o.closed for o in near))):
            kept.append((span, score))
    return kept


def _overlap(one: Span, other: Span) -> bool:
    within = one.last_s > other.first_s and one.first_s < other.last_s
    return one.pass_index == other.pass_index and within


def _merged(spans: list[tuple[Span, float]], span: Span, score: float) -> list[tuple[Span, float]]:
    """Add a span; those that it overlaps become one with it, told as the strongest."""
    whole, kept = (span, score), []
    for other, other_score in spans:
        mine = whole[0]
        if not _overlap(other, mine):
            kept.append((other, other_score))
            continue
        teller = other if other_score > whole[1] else mine
        first, last = min(mine.first_s, other.first_s), max(mine.last_s, other.last_s)
        whole = (replace(teller, first_s=first, last_s=last), max(whole[1], other_score))
    return [*kept, whole]


def _footprint(span: Span, expectation: Expectation) -> BoolArray:
    """All that the pass shows in the span."""
    time = expectation.time_s
    with np.errstate(invalid="ignore"):
        within = (time >= span.first_s) & (time < span.last_s)
    return np.asarray(within & (expectation.pass_index == span.pass_index) & expectation.covered)


def _region(mask: BoolArray, score: float, span: Span, expectation: Expectation) -> Region:
    granules = granules_of(expectation)
    names = granules.names(np.unique(granules.index[mask]))
    way = "higher" if span.shift > 0 else "lower"
    reason = (
        f"Miscoloration: for {span.last_s - span.first_s:.0f} s the colour of one pass differs "
        f"from what is usual, green against red and blue by {abs(np.expm1(span.shift)):.0%} {way}, "
        f"and it steps there along the whole scan line ({span.strength:.1f} standard deviations)."
    )
    return Region(Kind.MISCOLORATION, mask, score, reason, names)


def _clusters(
    colours: Colours, channels: Channels, plane: NDArray[np.float32], least: float
) -> BoolArray:
    """Pixels, (rows, cols), of clusters whose colours nature does not have."""
    is_gross = (np.abs(channels.green) >= least * channels.scale) & (channels.far > 0.2)
    gross = colours.plane(is_gross.astype(np.float32))
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
    strange: BoolArray, regions: list[Region], expectation: Expectation | None
) -> list[Region]:
    """Clusters that no span holds."""
    for region in regions:
        strange = strange & ~region.mask
    labels, count = ndimage.label(strange, structure=np.ones((3, 3), dtype=bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    granules = None if expectation is None else granules_of(expectation)
    found = []
    for number in np.flatnonzero(sizes[1:] >= _CLUSTER_PX) + 1:
        mask = labels == number
        names = () if granules is None else granules.names(np.unique(granules.index[mask]))
        size = int(sizes[number])
        reason = f"Miscoloration: {size} pixels have a colour that is not seen elsewhere."
        score = size / (size + _CLUSTER_PX)
        found.append(Region(Kind.MISCOLORATION, mask, score, reason, names))
    return found


def _unusual(colours: Colours, channels: Channels, shape: tuple[int, int]) -> BoolArray:
    """Pixels, (rows, cols), whose own colour is unusual."""
    odd = (np.abs(channels.green) > _ODD_GREEN * channels.scale) | (channels.far > 0)
    plane = colours.plane(odd.astype(np.float32)) > 0
    wide = np.repeat(np.repeat(plane, colours.step, axis=0), colours.step, axis=1)
    found = np.zeros(shape, dtype=bool)
    rows, cols = (min(a, b) for a, b in zip(shape, wide.shape, strict=True))
    found[:rows, :cols] = wide[:rows, :cols]
    return found
