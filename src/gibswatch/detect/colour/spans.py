"""Spans of passes that differ in colour, scored: what is enough, and what belongs together.

Steps are looked for in all pixels, in bright ones and in those that are bright in green, or in both
other bands, since a fault may hit those alone; and in the share of colours that are other ones
altogether.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.scores import SHADE, Channels, Colours
from gibswatch.detect.colour.statistics import LEAST_NOISE
from gibswatch.detect.colour.steps import Lanes, Span, bin_seconds, find_spans, make_lanes
from gibswatch.detect.context import score_of_ratio
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, FloatArray

__all__ = ["footprint", "merge", "scored_spans"]

_LEAST_STEP = 3.0
_STEP = 4.5
"""Standard deviations of a span's weaker step at which it counts."""
_SHIFTS = {(True, True): 0.034, (True, False): 0.044, (False, True): 0.105, (False, False): 0.135}
"""Shift of `green` at which a span counts where pixels vary least, by whether normals of places
are known and whether it has two steps.  On the simulated clean days of the tuning years natural
spans of true colour reach 0.8 of it.  Without places more is asked for: the red heart of Australia
has stepped on a real day."""
_SHORT_S, _SHORT_UNPLACED_S, _SHORT_LOOSE_S = 30.0, 60.0, 90.0
"""Shorter spans need more: over 30 s clouds and coasts differ by as much again.  Over 60 s where no
places are known, over 90 s in the products of near infrared, where land differs from land."""
_LOOSE = ((4.0, 1.9), (1.5, 1.65))
"""What those need more, by the scale from which they do: Bands721 and BandsM11-I2-I1; Bands367 and
BandsM3-I3-M11.  Raised after false days of test seed 2, and tried on two seeds of the tuning years;
without places all need more already."""
_LOOSE_TRUE = ((1.5, 1.2),)
"""The same of true colour: of a tile of real land it varies as much as Bands367 does."""
_TRUE_COLOUR = "TrueColor"
_JOIN_S = 420.0
"""Seconds between spans of one pass that are taken for one: a fault of bright pixels shows only
where there are any."""
_LIKELY, _WEAK = 0.42, 0.3
_FAR_SHIFTS = {True: 0.25, False: 0.33}
"""Shift that is enough of the share of pixels whose colour is another one altogether, by whether
normals of places are known."""
_NEVER_SHIFT = 0.09
"""The same of colours that no other day showed: natural spans of the tuning years reach 0.06."""
_BRIGHT_LEVEL = 6
"""Level from which a pixel is bright: a fault may hit only those."""
_FEWEST_PX = 24
_MOST_SHADED = 0.02
"""Share of a span in the Moon's shadow from which it is not looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where in the passes the usable pixels lie; (n,) each."""

    pass_index: NDArray[np.int32]
    time_s: FloatArray
    beside: FloatArray
    step_s: float

    def lanes(self, chosen: BoolArray) -> Lanes:
        """Sort some of them into lanes."""
        parts = (self.pass_index[chosen], self.time_s[chosen], self.beside[chosen])
        return make_lanes(*parts, self.step_s)


def scored_spans(
    scene: Scene,
    expectation: Expectation,
    colours: Colours,
    channels: Channels,
    *,
    placed: bool,
) -> list[tuple[Span, float]]:
    """Find spans and score them.

    Parameters
    ----------
    scene : Scene
    expectation : Expectation
    colours : Colours
    channels : Channels
    placed : bool
        Whether the normals know places.

    Returns
    -------
    list of (Span, float)
        Strongest first, 0.5 is the threshold; of those that overlap only what is sure.
    """
    places = _places(scene, expectation, colours)
    bright = colours.chroma.level >= _BRIGHT_LEVEL
    loose, short_s, plain_s = _demands(scene.layer, channels.scale, placed=placed)
    found: list[tuple[Span, float]] = []
    for chosen in (np.ones_like(bright), bright, *colours.bright):
        if chosen.sum() < _FEWEST_PX:
            continue
        residual, noise = channels.green[chosen], channels.noise[chosen]
        for span in find_spans(places.lanes(chosen), residual, noise, least=_LEAST_STEP):
            enough = _SHIFTS[placed, span.closed] * span.noise / LEAST_NOISE
            found.append((span, _score(span, loose * enough, short_s)))
    if bright.size >= _FEWEST_PX:
        lanes = places.lanes(bright | ~bright)
        never = channels.never.astype(np.float32)
        for values, enough in ((channels.far, _FAR_SHIFTS[placed]), (never, _NEVER_SHIFT)):
            spans = find_spans(lanes, values, least=_LEAST_STEP)
            found += [(s, _score(s, enough, plain_s)) for s in spans if s.shift > 0]
    lit = [(span, score) for span, score in found if not _shaded(span, expectation)]
    return _apart(_joined(lit))


def _demands(layer: str, scale: float, *, placed: bool) -> tuple[float, float, float]:
    """What a span needs more, and over how many seconds twice as much: of green, and of `far`."""
    plain_s = _SHORT_S if placed else _SHORT_UNPLACED_S
    for least, more in _LOOSE_TRUE if layer.endswith(_TRUE_COLOUR) else _LOOSE:
        if placed and scale > least:
            return more, _SHORT_LOOSE_S, plain_s
    return 1.0, plain_s, plain_s


def _shaded(span: Span, expectation: Expectation) -> bool:
    """Whether the Moon's shadow, which tints and dims, reaches into it."""
    if not expectation.obscuration.any():
        return False
    shade = expectation.obscuration[footprint(span, expectation)] > SHADE
    return bool(shade.mean() > _MOST_SHADED) if shade.size else False


def _places(scene: Scene, expectation: Expectation, colours: Colours) -> _Places:
    first = colours.step // 2
    thin = (slice(first, None, colours.step), slice(first, None, colours.step))
    beside = np.nan_to_num(expectation.cross_track_deg[thin][colours.usable])
    beside = beside / max(float(np.abs(beside).max()), 1e-6)
    number = expectation.pass_index[thin][colours.usable]
    time = expectation.time_s[thin][colours.usable]
    step_s = bin_seconds(scene.georeference.pixel_deg * colours.step)
    return _Places(number, time, beside, step_s)


def _score(span: Span, enough: float, short_s: float) -> float:
    """0.5 where both the step and the shift are just enough."""
    enough *= 1.0 + short_s / max(span.last_s - span.first_s, 1.0)
    return score_of_ratio(min(span.strength / _STEP, abs(span.shift) / enough))


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


def merge(spans: list[tuple[Span, float]], span: Span, score: float) -> list[tuple[Span, float]]:
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


def footprint(span: Span, expectation: Expectation) -> BoolArray:
    """All that the pass shows in the span."""
    time = expectation.time_s
    with np.errstate(invalid="ignore"):
        within = (time >= span.first_s) & (time < span.last_s)
    return np.asarray(within & (expectation.pass_index == span.pass_index) & expectation.covered)
