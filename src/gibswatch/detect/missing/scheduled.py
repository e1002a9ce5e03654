"""Holes that the Moon's schedule explains: one pass, all of its width, five to twenty minutes.

A roll towards the Moon, or a calibration at New Moon, takes a span of time from one pass.  What
only that pass can show is then black from one scan line to another.  Lost granules look the same,
but last a whole number of granules; scan lines are shorter, orbits longer, and tiles are not cut
by scans.  What is left is weighed: how near the hole is to the Moon's moment, and how often either
happens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gibswatch.detect.missing.spans import LONGEST_S, Span, is_low, is_upright, spans_of
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.schedule import Window
from gibswatch.types import BoolArray

__all__ = ["scheduled_part", "scheduled_parts"]

_HOUR_S = 3600.0
_DAY_S = 86400.0
_SHORTEST_S = 280.0
"""Five minutes, less by what an edge is uncertain."""
_LEAST_SEEN_S = 40.0
"""Of a span whose other end lies where neighbouring passes hide it: strips of scans and what is
seen of short granules are shorter."""
_GRANULES_S = (360.0, 85.35)
_MOST_GRANULES = 4
"""Lost at one time, as a rule."""
_OPEN_LENGTHS_S, _OPEN_ODDS = (720.0, 900.0), (1.0, 0.02)
"""Twelve minutes are usual: more of it with an end hidden is rather half an orbit."""
_BESIDE = 2
"""Passes to either side that may see the same place near a pole."""
_ALIGNED_ODDS, _UNALIGNED_ODDS = 0.02, 10.0
"""Of a roll against lost granules where a span is a whole number of them, and where it is not: one
roll in thirty is by chance, and all but a few losses are."""
_ROLL_REACH_S = 9.0 * _HOUR_S
"""Standard deviation of a roll's moment from the Moon's.  Announced ones are within an hour, but of
the predecessor's labelled holes 18 of 20 (27 less 7 by chance) are within 7.5 degrees, 15 hours: 9
by a normal curve, which is also what simulated rolls of the tuning years show.  Calibrations at New
Moon lie anywhere in their window."""
_MONTHLY = {"lunar-roll": 0.9, "new-moon": 0.25}
"""Chance that a month has one: 11 of 11 odd months of the labels on the day itself; days that are
labelled as scheduled around New Moon: 4 in 16 odd months."""
_FAULTS_A_DAY = 0.04
"""Holes that no schedule explains: 35 in the 946 labelled days."""
_LEAST_ODDS = 2.0


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
    spans = [[] if is_upright(hole) else spans_of(hole, expectation) for hole in holes]
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


def _refused(
    holes: Sequence[BoolArray], spans: Sequence[Sequence[Span]], expectation: Expectation
) -> dict[int, float]:
    """Passes that have a hole which no manoeuvre can be; its pixels where it is no span at all."""
    refused: dict[int, float] = {}
    for hole, own in zip(holes, spans, strict=True):
        refused |= {s.number: math.inf for s in own if _is_refused(s, expectation.scheduled)}
        if not own:
            passes = expectation.pass_index[hole]
            number = int(np.argmax(np.bincount(passes[passes >= 0], minlength=1)))
            refused[number] = max(refused.get(number, 0.0), float(np.count_nonzero(hole)))
    return refused


def _is_refused(span: Span, windows: Sequence[Window]) -> bool:
    return span.open_ends < 2 and max(_odds(span, window) for window in windows) < _LEAST_ODDS


def _is_rest(span: Span, refused: Mapping[int, float]) -> bool:
    """Whether a span without ends may be the rest of a larger hole that is no manoeuvre."""
    pixels = np.count_nonzero(span.part)
    beside = range(span.number - _BESIDE, span.number + _BESIDE + 1)
    return span.open_ends == 2 and any(refused.get(one, 0.0) > pixels for one in beside)


def _belongs(hole: BoolArray, span: Span, expectation: Expectation) -> bool:
    """Whether a hole is what else a span took from its pass, near the edge of the night."""
    if not span.open_ends or not is_low(hole, expectation):
        return False
    seen = hole & (expectation.pass_index >= 0)
    beside = expectation.pass_index[seen] - span.number
    if not beside.size or np.abs(beside).max() > _BESIDE:
        return False
    time = np.median(expectation.time_s[seen] - beside * expectation.orbit.period_s)
    rest = LONGEST_S - span.length_s
    return bool(span.first_s - rest <= time <= span.last_s + rest)


def _odds(span: Span, window: Window) -> float:
    """Odds that a span is a window's manoeuvre and not lost granules."""
    if not _plausible(span):
        return 0.0
    odds = _MONTHLY[window.kind] * _density(span, window) * _DAY_S / _FAULTS_A_DAY
    if span.open_ends:  # what is hidden makes it longer still
        return odds * float(np.interp(span.length_s, _OPEN_LENGTHS_S, _OPEN_ODDS))
    return odds * (_ALIGNED_ODDS if _is_whole_granules(span) else _UNALIGNED_ODDS)


def _density(span: Span, window: Window) -> float:
    """Share of a window's manoeuvres in a second, at the time of a span."""
    away = (span.first_s + span.last_s - window.first_s - window.last_s) / 2
    if window.kind == "new-moon":
        wide = window.last_s - window.first_s
        return 1.0 / wide if abs(away) <= wide / 2 else 0.0
    curve = math.exp(-0.5 * (away / _ROLL_REACH_S) ** 2)
    return curve / (_ROLL_REACH_S * math.sqrt(2 * math.pi))


def _plausible(span: Span) -> bool:
    """Whether a manoeuvre can last as long."""
    least = _SHORTEST_S if span.open_ends == 0 else _LEAST_SEEN_S
    return least <= span.length_s <= LONGEST_S


def _is_whole_granules(span: Span) -> bool:
    """Whether a span with two ends is one to four granules long."""
    if span.open_ends:
        return False
    within = 1.5 + 0.6 * span.step_s
    counts = range(1, _MOST_GRANULES + 1)
    return any(
        abs(span.length_s - count * length) <= within for length in _GRANULES_S for count in counts
    )
