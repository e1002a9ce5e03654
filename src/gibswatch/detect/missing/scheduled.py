"""Holes that the Moon's schedule explains: one pass, all of its width, five to twenty minutes.

A roll towards the Moon, or a calibration at New Moon, takes a span of time from one pass.  What
only that pass can show is then black from one scan line to another.  Lost granules look the same,
but last a whole number of granules; scan lines are shorter, orbits longer, and tiles are not cut
by scans.  What is left is weighed: how near the hole is to the Moon's moment, and how often either
happens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from gibswatch.sky.expectation import UNDECIDED_FROM_DEG, Expectation
from gibswatch.sky.passes import PassGeometry, pass_geometry
from gibswatch.sky.schedule import Window
from gibswatch.types import BoolArray, FloatArray

__all__ = ["scheduled_part", "scheduled_parts"]

_HOUR_S = 3600.0
_DAY_S = 86400.0
_SHORTEST_S, _LONGEST_S = 280.0, 1260.0
"""Five to twenty minutes, less and more by what an edge is uncertain."""
_LEAST_SEEN_S = 40.0
"""Of a span whose other end lies where neighbouring passes hide it."""
_GRANULES_S = (360.0, 85.35)
_MOST_GRANULES = 4
"""Lost at one time, as a rule."""
_SPEED_KM_S = 6.76
"""Of the point under a satellite with VIIRS: the Earth's girth in a nodal period."""
_KM_PER_DEGREE = 111.32
_WHOLE = 0.85
"""Share of what only the pass can show that is black within the span."""
_SHARP_PX = 3.0
"""Pixels along the track within which the black begins over all of the width."""
_OPEN_LENGTHS_S = (720.0, 900.0)
"""Twelve minutes are usual: more of it with an end hidden is rather half an orbit."""
_FEWEST = 24
_TIP = 0.1
"""Share of its greatest width under which what only a pass can show is too narrow for an edge."""
_MARGIN_KM = 25.0
_LOW_SUN_DEG, _HIDDEN_DEG = 84.0, 72.0
_BESIDE = 2
"""Passes to either side that may see the same place near a pole."""
_DIM = 0.2
"""Share of low Sun (over 75 degrees) around an end from which it may be the night's."""
_ALIGNED_ODDS, _UNALIGNED_ODDS = 0.02, 10.0
"""Of a roll against lost granules where a span is a whole number of them, and where it is not: one
roll in thirty is by chance, and all but a few losses are."""

_STRAIGHT = 0.8
"""Share of the length of a hole's box on which it ends within two pixels of it."""
_REACH_S = {"lunar-roll": 7.0 * _HOUR_S, "new-moon": 10.0 * _HOUR_S}
"""Standard deviation of a manoeuvre's moment from the Moon's.  Announced rolls are within an hour,
but of the predecessor's labelled holes 18 of 20 (27 less 7 by chance) are within 7.5 degrees: less
the width of a day that is 3-4 degrees, 6-8 hours."""
_MONTHLY = {"lunar-roll": 0.9, "new-moon": 0.14}
"""Chance that a month has one: 11 of 11 odd months of the labels on the day itself; of the days
around New Moon 4 of 48, three days each, less the 2 that other faults make."""
_FAULTS_A_DAY = 0.04
"""Holes that no schedule explains: 35 in the 946 labelled days."""
_LEAST_ODDS = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class _Span:
    """A hole as a span of time of one pass."""

    first_s: float
    last_s: float
    open_ends: int
    """How many of its ends lie where other passes hide them."""
    step_s: float
    """Time that the satellite needs for a pixel."""
    part: BoolArray
    """The hole's pixels within it."""
    number: int
    """Pass."""

    @property
    def length_s(self) -> float:
        return self.last_s - self.first_s


def scheduled_part(hole: BoolArray, expectation: Expectation) -> tuple[Window, BoolArray] | None:
    """Say which manoeuvre explains a hole, and how much of it.

    Parameters
    ----------
    hole : (rows, cols) ndarray of bool
        One connected hole.
    expectation : Expectation

    Returns
    -------
    tuple of Window and ndarray, or None
        The window, and the (rows, cols) part of the hole that it explains; None if none does.

    See Also
    --------
    scheduled_parts : for all holes of a day, as a window has at most one manoeuvre.
    """
    return scheduled_parts([hole], expectation)[0]


def scheduled_parts(
    holes: Sequence[BoolArray], expectation: Expectation
) -> list[tuple[Window, BoolArray] | None]:
    """Say which holes of a day a manoeuvre explains: of each window the likeliest one.

    Parameters
    ----------
    holes : sequence of (rows, cols) ndarray of bool
        Connected holes.
    expectation : Expectation

    Returns
    -------
    list
        For each hole as `scheduled_part` says.
    """
    found: list[tuple[Window, BoolArray] | None] = [None] * len(holes)
    if not expectation.scheduled:
        return found
    spans = [[] if _is_upright(hole) else _spans(hole, expectation) for hole in holes]
    refused = _refused(holes, spans, expectation)
    for window in expectation.scheduled:
        best = max(
            (
                (span.open_ends < 2, _odds(span, window), number)
                for number, own in enumerate(spans)
                for span in own
                if found[number] is None and not _is_rest(span, refused)
                if _odds(span, window) >= _LEAST_ODDS
            ),
            default=None,
        )
        if best is None:
            continue
        chosen = best[2]
        span = max(spans[chosen], key=lambda one: _odds(one, window))
        found[chosen] = (window, span.part)
        for number, hole in enumerate(holes):
            if found[number] is None and _belongs(hole, span, expectation):
                found[number] = (window, hole)
    return found


def _is_upright(hole: BoolArray) -> bool:
    """Whether a hole ends along a row and along a column: tiles do, scans and swaths do not."""
    rows, cols = _box(hole)
    part = hole[rows, cols]
    height, width = hole.shape
    sides = (
        (rows.start > 0, part[:2]),
        (rows.stop < height, part[-2:]),
        (cols.start > 0, part[:, :2].T),
        (cols.stop < width, part[:, -2:].T),
    )
    top, bottom, left, right = (
        inside and float(line.any(axis=0).mean()) >= _STRAIGHT for inside, line in sides
    )
    return (top or bottom) and (left or right)


def _refused(
    holes: Sequence[BoolArray], spans: Sequence[Sequence[_Span]], expectation: Expectation
) -> set[int]:
    """Passes that have a hole which no manoeuvre can be."""
    refused = set()
    for hole, own in zip(holes, spans, strict=True):
        if not own:
            passes = expectation.pass_index[hole]
            refused.add(int(np.argmax(np.bincount(passes[passes >= 0], minlength=1))))
        for span in own:
            odds = (_odds(span, window) for window in expectation.scheduled)
            if span.open_ends < 2 and max(odds) < _LEAST_ODDS:
                refused.add(span.number)
    return refused


def _is_rest(span: _Span, refused: set[int]) -> bool:
    """Whether a span without ends may be the rest of what is no manoeuvre."""
    return span.open_ends == 2 and any(abs(span.number - one) <= _BESIDE for one in refused)


def _belongs(hole: BoolArray, span: _Span, expectation: Expectation) -> bool:
    """Whether a hole is what else a span took from its pass, near the edge of the night."""
    if not span.open_ends or not _is_low(hole, expectation):
        return False
    seen = hole & (expectation.pass_index >= 0)
    beside = expectation.pass_index[seen] - span.number
    if not beside.size or np.abs(beside).max() > _BESIDE:
        return False
    time = np.median(expectation.time_s[seen] - beside * expectation.orbit.period_s)
    rest = _LONGEST_S - span.length_s
    return bool(span.first_s - rest <= time <= span.last_s + rest)


def _is_low(hole: BoolArray, expectation: Expectation) -> bool:
    """Whether the Sun is low over a hole."""
    sza = expectation.sza_deg[hole]
    return bool(sza.size) and float(np.nanmedian(sza)) > _HIDDEN_DEG


def _odds(span: _Span, window: Window) -> float:
    """Odds that a span is a window's manoeuvre and not lost granules."""
    if not _plausible(span):
        return 0.0
    away = (span.first_s + span.last_s - window.first_s - window.last_s) / 2
    sigma = _REACH_S[window.kind]
    density = math.exp(-0.5 * (away / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    odds = _MONTHLY[window.kind] * density * _DAY_S / _FAULTS_A_DAY
    if span.open_ends:  # what is hidden makes it longer still
        return odds * float(np.interp(span.length_s, _OPEN_LENGTHS_S, (1.0, _ALIGNED_ODDS)))
    return odds * (_ALIGNED_ODDS if _is_whole_granules(span) else _UNALIGNED_ODDS)


def _plausible(span: _Span) -> bool:
    """Whether a manoeuvre can last as long."""
    least = _SHORTEST_S if span.open_ends == 0 else _LEAST_SEEN_S
    return least <= span.length_s <= _LONGEST_S


def _is_whole_granules(span: _Span) -> bool:
    """Whether a span with two ends is one to four granules long."""
    if span.open_ends:
        return False
    within = 1.5 + 0.6 * span.step_s
    counts = range(1, _MOST_GRANULES + 1)
    return any(
        abs(span.length_s - count * length) <= within for length in _GRANULES_S for count in counts
    )


def _spans(hole: BoolArray, expectation: Expectation) -> list[_Span]:
    """Spans of time of single passes that a hole is made of."""
    rows, cols = _box(hole)
    passes = expectation.pass_index[rows, cols][hole[rows, cols]]
    counts = np.bincount(passes[passes >= 0])
    tried = [_span(hole, expectation, int(n)) for n in np.flatnonzero(counts >= _FEWEST)]
    spans = [
        span
        for span in tried
        if span is not None and (span.open_ends < 2 or _is_low(span.part, expectation))
    ]  # cut off by the picture or the day, half an orbit would look the same
    hidden = None if spans else _hidden_span(hole, expectation)
    return spans if hidden is None else [hidden]


def _hidden_span(hole: BoolArray, expectation: Expectation) -> _Span | None:
    """Return the span of a hole near the night edge, where other passes hide both of its ends."""
    geometry = _geometry(expectation)
    second = geometry.second_index
    if second is None or not _is_low(hole, expectation):
        return None
    pairs = np.concatenate([geometry.pass_index[hole], second[hole]])
    number = int(np.argmax(np.bincount(pairs[pairs >= 0], minlength=1)))
    involved = hole & ((geometry.pass_index == number) | (second == number))
    if np.count_nonzero(involved) < _WHOLE * np.count_nonzero(hole):
        return None
    late = (expectation.pass_index[involved] - number) * expectation.orbit.period_s
    first, last = np.nanpercentile(expectation.time_s[involved] - late, (5.0, 95.0))
    step = _step_s(expectation)
    return _Span(float(first), float(last), 2, step, hole, number)


def _span(hole: BoolArray, expectation: Expectation, number: int) -> _Span | None:
    """Find the span of a pass in which it is black over all that only it can show."""
    geometry = _geometry(expectation)
    alone = (geometry.pass_index == number) & (geometry.covered_passes == 1)
    alone = _eroded(alone, _margin_px(expectation)) & (geometry.solar_zenith_deg < _LOW_SUN_DEG)
    if np.count_nonzero(hole & alone) < _FEWEST:
        return None
    time, black = geometry.time_s[alone], hole[alone]
    dim = geometry.solar_zenith_deg[alone] > UNDECIDED_FROM_DEG
    step = _step_s(expectation)
    first = float(time.min())
    bins = ((time - first) / step).astype(np.intp)
    count = np.bincount(bins)
    share = np.bincount(bins, weights=black) / np.maximum(count, 1)
    known = count >= 3
    run = _longest(share >= 0.5, known)
    if run is None or share[run][known[run]].mean() < _WHOLE:
        return None
    fewest = max(3.0, _TIP * 8.0 * float(count.max()))
    ends = []
    for near, rising in ((first + run.start * step, True), (first + run.stop * step, False)):
        beside = np.abs(time - near) < 4.0 * step
        hidden = dim[beside].mean() > _DIM  # other passes, or this one, may be dark there
        moment, is_open = (
            (near, True) if hidden else _edge(time, black, near, step, fewest, rising=rising)
        )
        if moment is None:
            return None
        ends.append((moment, is_open))
    (begin, open_begin), (end, open_end) = ends
    mine = hole & (expectation.pass_index == number)
    least = end - _LONGEST_S if open_begin else begin - 2 * step
    most = begin + _LONGEST_S if open_end else end + 2 * step
    own = mine & (expectation.time_s >= least) & (expectation.time_s <= most)
    if np.count_nonzero(mine) > 1.25 * np.count_nonzero(own):
        return None
    part = own if np.count_nonzero(own) < _MOSTLY * np.count_nonzero(hole) else hole
    return _Span(begin, end, int(open_begin) + int(open_end), step, part, number)


_MOSTLY = 0.8
"""Share of a hole in one span from which all of it is: the rest are its borders."""


def _longest(black: BoolArray, known: BoolArray) -> slice | None:
    """Longest run of black bins, over bins that say nothing."""
    wanted = black | ~known
    edges = np.diff(np.concatenate([[0], wanted.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    weight = [int((black & known)[a:b].sum()) for a, b in zip(starts, stops, strict=True)]
    if not weight or max(weight) == 0:
        return None
    chosen = int(np.argmax(weight))
    inside = np.flatnonzero((black & known)[starts[chosen] : stops[chosen]])
    return slice(int(starts[chosen] + inside[0]), int(starts[chosen] + inside[-1]) + 1)


def _edge(
    time: FloatArray,
    black: BoolArray,
    near: float,
    step: float,
    fewest: float,
    *,
    rising: bool,
) -> tuple[float | None, bool]:
    """Find the moment at which black begins (`rising`) or ends; whether it is hidden.

    The moment is None where the change is not along a scan line.
    """
    reach = 8.0 * step
    beyond = (
        (time < near) & (time > near - reach) if rising else (time > near) & (time < near + reach)
    )
    if np.count_nonzero(beyond & ~black) < fewest:
        return near, True
    chosen = np.abs(time - near) < reach
    order = np.argsort(time[chosen])
    moments, dark = time[chosen][order], black[chosen][order]
    lit_before, dark_after = ~dark if rising else dark, dark if rising else ~dark
    right = np.concatenate([[0], np.cumsum(lit_before)]) + np.concatenate(
        [np.cumsum(dark_after[::-1])[::-1], [0]]
    )
    best = int(np.argmax(right))
    wrong = moments.size - int(right[best])
    per_step = moments.size * step / (2.0 * reach)
    if wrong > _SHARP_PX * per_step:
        return None, False
    moment = (moments[max(best - 1, 0)] + moments[min(best, moments.size - 1)]) / 2
    return float(moment), False


def _eroded(mask: BoolArray, pixels: int) -> BoolArray:
    """Take away the outer pixels: the neighbours' swaths may be a hundredth wider."""
    rows, cols = _box(mask)
    result = np.zeros_like(mask)
    result[rows, cols] = ndimage.binary_erosion(
        mask[rows, cols], np.ones((1, 2 * pixels + 1)), border_value=1
    )
    return result


def _margin_px(expectation: Expectation) -> int:
    return math.ceil(_MARGIN_KM / (_step_s(expectation) * _SPEED_KM_S))


def _step_s(expectation: Expectation) -> float:
    """Seconds that the satellite needs for a pixel."""
    g = expectation.georeference
    km = g.pixel_height * _KM_PER_DEGREE if g.epsg == 4326 else g.pixel_height / 1000.0
    return max(km / _SPEED_KM_S, 1.0)


def _box(mask: BoolArray) -> tuple[slice, slice]:
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)


@lru_cache(maxsize=1)
def _geometry(expectation: Expectation) -> PassGeometry:
    """Return the passes of a day with how many see each pixel."""
    e = expectation
    return pass_geometry(e.orbit, e.georeference, e.day, sza_limit_deg=90.0, second=True)
