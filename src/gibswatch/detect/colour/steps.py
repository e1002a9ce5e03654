"""Spans of a pass whose colour steps away and back: the mark of a faulty granule.

Nature changes along a track too, but not along a whole scan line at once.  A pass is cut into bins
of time and strips beside the track; a step is what most strips share, against the steps of the
whole picture; a span is a step and its opposite, with the same shift in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.types import FloatArray

__all__ = ["Lanes", "Span", "bin_seconds", "find_spans", "make_lanes"]

_Doubles = NDArray[np.float64]

STRIPS = 16
_FEWEST_STRIPS = 6
_WINDOWS_S = (5.0, 20.0, 60.0)
"""To either side of a step."""
_CLIP = 3.5
"""Standard deviations to which one strip counts."""
_ENOUGH = 60.0
"""Pixels beyond which more of a strip say nothing new, as neighbours are alike."""
_SPEED_KM_S = 6.75
_KM_PER_DEGREE = 111.32


@dataclass(frozen=True, slots=True)
class Span:
    """A part of one pass."""

    pass_index: int
    first_s: float
    """Epoch seconds."""
    last_s: float
    strength: float
    """Of the weaker of its two steps, in standard deviations."""
    shift: float
    """Inside less outside."""
    closed: bool
    """Whether it has two steps: else it reaches to an end of the pass's imagery."""
    noise: float = 1.0
    """By how much pixels vary there by nature, as given to `find_spans`."""


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """Pixels by pass, bin of time and strip."""

    start_s: _Doubles
    """(passes,) epoch seconds of the first bin."""
    step_s: float
    shape: tuple[int, int]
    """Passes, bins."""
    cell: NDArray[np.int64]
    """(n,) of each pixel."""
    count: _Doubles
    """(passes, bins, strips)"""


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Running sums along the passes: (passes, bins + 1, strips), or (bins + 1,) of one pass."""

    count: _Doubles
    weight: _Doubles
    total: _Doubles
    """Of weighted differences."""

    def profile(self, number: int) -> _Sums:
        """Of one pass over all strips."""
        return _Sums(
            self.count[number].sum(axis=1), self.weight[number].sum(axis=1),
            self.total[number].sum(axis=1),
        )  # fmt: skip


def bin_seconds(pixel_deg: float) -> float:
    """Seconds in which a satellite moves by a pixel, at least 2.5."""
    return max(2.5, pixel_deg * _KM_PER_DEGREE / _SPEED_KM_S)


def make_lanes(
    pass_index: NDArray[np.int32], time_s: FloatArray, beside: FloatArray, step_s: float
) -> Lanes:
    """Sort pixels into lanes.

    Parameters
    ----------
    pass_index : (n,) ndarray of int
    time_s : (n,) ndarray of float
        Epoch seconds.
    beside : (n,) ndarray of float
        Place beside the track as a share of the half-width, -1 to 1.
    step_s : float
        Length of a bin.
    """
    passes = int(pass_index.max()) + 1
    start = np.full(passes, np.inf)
    np.minimum.at(start, pass_index, time_s)
    start = np.where(np.isfinite(start), np.floor(start / step_s) * step_s, 0.0)
    place = np.floor((time_s - start[pass_index]) / step_s).astype(np.int64)
    bins = int(place.max()) + 1
    strip = np.clip((beside + 1.0) * (STRIPS / 2), 0, STRIPS - 1).astype(np.int64)
    cell = (pass_index.astype(np.int64) * bins + place) * STRIPS + strip
    count = np.bincount(cell, minlength=passes * bins * STRIPS).astype(np.float64)
    return Lanes(start, step_s, (passes, bins), cell, count.reshape(passes, bins, STRIPS))


def find_spans(
    lanes: Lanes,
    residual: FloatArray,
    noise: FloatArray | None = None,
    *,
    least: float,
    most: int = 12,
) -> list[Span]:
    """Find spans of other colour, strongest first.

    Parameters
    ----------
    lanes : Lanes
    residual : (n,) ndarray
        Differences from what is usual.
    noise : (n,) ndarray, optional
        By how much each varies by nature; what varies less says more.
    least : float
        Standard deviations that both steps need.
    most : int
        Spans at most.
    """
    weight = np.ones(lanes.cell.shape) if noise is None else 1.0 / np.square(noise)
    sums = _Sums(
        _running(lanes.count), _running(_binned(lanes, weight)),
        _running(_binned(lanes, weight * residual)),
    )  # fmt: skip
    windows = sorted({max(1, round(s / lanes.step_s)) for s in _WINDOWS_S})
    steps = {window: _steps(sums, window) for window in windows}
    found: list[Span] = []
    for number in range(lanes.shape[0]):
        found += _spans_of(lanes, sums, steps, number, least)
    return _apart(sorted(found, key=_rank, reverse=True))[:most]


def _rank(span: Span) -> float:
    """Strength, up to where every step is one, times shift: two steps are worth more."""
    return min(span.strength, 8.0) * abs(span.shift / span.noise) * (1.0 if span.closed else 0.75)


def _binned(lanes: Lanes, values: FloatArray) -> _Doubles:
    flat: _Doubles = np.bincount(lanes.cell, values, lanes.count.size).astype(np.float64)
    return flat.reshape(lanes.count.shape)


def _running(values: _Doubles) -> _Doubles:
    """Sums from the first bin on, with a 0 before it."""
    first = np.zeros((values.shape[0], 1, values.shape[2]))
    return np.concatenate([first, values.cumsum(axis=1)], axis=1)


def _steps(sums: _Sums, window: int) -> _Doubles:
    """(passes, bins + 1): standard deviations by which the colour steps at the start of a bin."""
    count = sums.count
    edge = np.arange(count.shape[1])
    before, after = np.maximum(edge - window, 0), np.minimum(edge + window, edge[-1])
    (left, right), (before_w, after_w), (before_t, after_t) = (
        (values - values[:, before], values[:, after] - values)
        for values in (count, sums.weight, sums.total)
    )
    fewest = 0.7 * window
    valid = (left >= fewest) & (right >= fewest)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = after_t / after_w - before_t / before_w
        weight = np.sqrt(np.minimum(1.0 / (1.0 / left + 1.0 / right), _ENOUGH))
        weight /= np.sqrt(left / before_w + right / after_w)
    step, weight = np.where(valid, step, 0.0), np.where(valid, weight, 0.0)
    if not valid.any():
        return np.zeros(count.shape[:2])
    usual = np.median(np.abs(step[valid] * weight[valid])) / 0.6745
    sized = np.clip(step * weight / max(usual, 1e-6), -_CLIP, _CLIP)
    size = np.sqrt((weight**2).sum(axis=2))
    joint = (sized * weight).sum(axis=2) / np.maximum(size, 1e-9)
    counted = valid.sum(axis=2) >= _FEWEST_STRIPS
    joint[~counted] = 0.0
    scale = np.median(np.abs(joint[counted])) / 0.6745 if counted.any() else 0.0
    return np.asarray(joint / (scale or 1.0))  # 0 where nearly nothing steps: strips are enough


def _spans_of(
    lanes: Lanes,
    sums: _Sums,
    steps: dict[int, _Doubles],
    number: int,
    least: float,
) -> list[Span]:
    """Pairs of opposite steps of a pass."""
    found = []
    profile = sums.profile(number)
    start = lanes.start_s[number]
    there = np.flatnonzero(np.diff(profile.count) > 0)
    if not there.size:
        return []
    ends = (int(there[0]), int(there[-1]) + 1)
    for window, everything in steps.items():
        step = everything[number]
        for sign in (1.0, -1.0):
            ups, downs = _peaks(sign * step, least), _peaks(-sign * step, least)
            pairs = [(up, down) for up in ups for down in downs[downs > up]]
            pairs += [(up, ends[1]) for up in ups] + [(ends[0], down) for down in downs]
            for up, down in pairs:
                shift = _shift(profile, int(up), int(down), window)
                if shift is None or shift * sign <= 0:
                    continue
                noise = _noise(profile, int(up), int(down), window)
                sizes = [sign * step[up]] if up != ends[0] else []
                sizes += [-sign * step[down]] if down != ends[1] else []
                first, last = (float(start + lanes.step_s * edge) for edge in (up, down))
                found.append(
                    Span(
                        number, first, last, float(min(sizes)), shift, len(sizes) == 2,
                        noise,
                    )
                )  # fmt: skip
    return found


def _peaks(values: _Doubles, least: float) -> NDArray[np.intp]:
    """Places of local maxima over a threshold."""
    inner = values[1:-1]
    high = (inner >= least) & (inner >= values[:-2]) & (inner > values[2:])
    return np.flatnonzero(high) + 1


def _noise(profile: _Sums, up: int, down: int, window: int) -> float:
    """By how much pixels vary on both sides of both steps."""
    reach = max(window, 3)
    last = profile.count.size - 1
    places = (
        (max(up - reach, 0), up), (up, min(up + reach, down)),
        (max(down - reach, up), down), (down, min(down + reach, last)),
    )  # fmt: skip
    variances = []
    for first, stop in places:
        weight = profile.weight[stop] - profile.weight[first]
        if weight > 0:
            variances.append(float((profile.count[stop] - profile.count[first]) / weight))
    return float(np.sqrt(_mean_of(variances)))


def _shift(profile: _Sums, up: int, down: int, window: int) -> float | None:
    """By how much the colour inside differs from both sides.

    None if it does so in parts only, or if it is the sides that are unusual.
    """
    count, total = profile.weight, profile.total
    reach = max(window, 3)
    last = count.size - 1

    def mean(first: int, stop: int) -> float:
        first, stop = max(first, 0), min(stop, last)
        n = count[stop] - count[first]
        return float((total[stop] - total[first]) / n) if n > 0 else np.nan

    sides = (mean(up - reach, up), mean(down, down + reach))
    edges = (mean(up, min(up + reach, down)), mean(max(down - reach, up), down))
    outside = _mean_of(sides)
    near = _mean_of([e for e, side in zip(edges, sides, strict=True) if np.isfinite(side)])
    amplitude = near - outside
    if not np.isfinite(amplitude) or amplitude == 0.0:
        return None
    if abs(outside) > 0.5 * abs(near) or near * amplitude < 0:
        return None
    inner_n = np.diff(count[up : down + 1])
    there = inner_n > 0
    inner = np.diff(total[up : down + 1])[there] / inner_n[there]
    share = np.mean((inner - outside) / amplitude > 0.4) if there.any() else 0.0
    return float(amplitude) if share >= 0.6 else None


def _mean_of(values: Sequence[float]) -> float:
    """Mean of what is not NaN."""
    there = [value for value in values if np.isfinite(value)]
    return sum(there) / len(there) if there else float("nan")


def _apart(spans: list[Span]) -> list[Span]:
    """Keep the strongest of those that overlap."""
    kept: list[Span] = []
    for span in spans:
        if all(
            span.pass_index != other.pass_index
            or span.last_s <= other.first_s
            or span.first_s >= other.last_s
            for other in kept
        ):
            kept.append(span)
    return kept
