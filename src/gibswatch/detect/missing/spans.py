"""A hole as spans of time of single passes: from when to when a satellite showed nothing.

Only what one pass alone can show tells when it went black: elsewhere the passes beside it hide a
part.  An end that lies where other passes, or the night, hide it is open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from gibswatch.sky.expectation import UNDECIDED_FROM_DEG, Expectation
from gibswatch.sky.passes import PassGeometry, pass_geometry
from gibswatch.types import BoolArray, FloatArray

__all__ = ["LONGEST_S", "Span", "is_low", "is_upright", "spans_of"]

LONGEST_S = 1260.0
"""Twenty minutes, the longest manoeuvre, and more by what an edge is uncertain."""
_SPEED_KM_S = 6.76
"""Of the point under a satellite with VIIRS: the Earth's girth in a nodal period."""
_KM_PER_DEGREE = 111.32
_WHOLE = 0.85
"""Share of what only the pass can show that is black within the span."""
_MOSTLY = 0.8
"""Share of a hole in one span from which all of it is: the rest are its borders."""
_SHARP_PX = 3.0
"""Pixels along the track within which the black begins over all of the width."""
_FEWEST = 24
_TIP = 0.1
"""Share of its greatest width under which what only a pass can show is too narrow for an edge."""
_MARGIN_KM = 25.0
_LOW_SUN_DEG, _HIDDEN_DEG = 84.0, 72.0
_DIM = 0.2
"""Share of low Sun (over 75 degrees) around an end from which it may be the night's."""
_STRAIGHT = 0.8
"""Share of the length of a hole's box on which it ends within two pixels of it."""
_LEAST_TILE_PX = 12
"""Of a side: of smaller holes the two outer lines are a third, and say nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Span:
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
        """Of what can be seen of it."""
        return self.last_s - self.first_s


def spans_of(hole: BoolArray, expectation: Expectation) -> list[Span]:
    """Spans of time of single passes that a hole is made of.

    Parameters
    ----------
    hole : (rows, cols) ndarray of bool
        One connected hole.
    expectation : Expectation

    Returns
    -------
    list of Span
        Empty where the hole does not begin and end along scan lines.
    """
    rows, cols = _box(hole)
    passes = expectation.pass_index[rows, cols][hole[rows, cols]]
    counts = np.bincount(passes[passes >= 0])
    tried = [_span(hole, expectation, int(n)) for n in np.flatnonzero(counts >= _FEWEST)]
    spans = [
        span
        for span in tried
        if span is not None and (span.open_ends < 2 or is_low(span.part, expectation))
    ]  # cut off by the picture or the day, half an orbit would look the same
    hidden = None if spans else _hidden_span(hole, expectation)
    return spans if hidden is None else [hidden]


def is_upright(hole: BoolArray) -> bool:
    """Whether a hole ends along a row and along a column: tiles do, scans and swaths do not."""
    rows, cols = _box(hole)
    part = hole[rows, cols]
    if min(part.shape) < _LEAST_TILE_PX:
        return False
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


def is_low(hole: BoolArray, expectation: Expectation) -> bool:
    """Whether the Sun is low over a hole."""
    sza = expectation.sza_deg[hole]
    return bool(sza.size) and float(np.nanmedian(sza)) > _HIDDEN_DEG


def _hidden_span(hole: BoolArray, expectation: Expectation) -> Span | None:
    """Return the span of a hole near the night edge, where other passes hide both of its ends."""
    geometry = _geometry(expectation)
    second = geometry.second_index
    if second is None or not is_low(hole, expectation):
        return None
    pairs = np.concatenate([geometry.pass_index[hole], second[hole]])
    number = int(np.argmax(np.bincount(pairs[pairs >= 0], minlength=1)))
    involved = hole & ((geometry.pass_index == number) | (second == number))
    if np.count_nonzero(involved) < _WHOLE * np.count_nonzero(hole):
        return None
    late = (expectation.pass_index[involved] - number) * expectation.orbit.period_s
    first, last = np.nanpercentile(expectation.time_s[involved] - late, (5.0, 95.0))
    step = _step_s(expectation)
    return Span(float(first), float(last), 2, step, hole, number)


def _span(hole: BoolArray, expectation: Expectation, number: int) -> Span | None:
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
    least = end - LONGEST_S if open_begin else begin - 2 * step
    most = begin + LONGEST_S if open_end else end + 2 * step
    own = mine & (expectation.time_s >= least) & (expectation.time_s <= most)
    if np.count_nonzero(mine) > 1.25 * np.count_nonzero(own):
        return None
    part = own if np.count_nonzero(own) < _MOSTLY * np.count_nonzero(hole) else hole
    return Span(begin, end, int(open_begin) + int(open_end), step, part, number)


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
