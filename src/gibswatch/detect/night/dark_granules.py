"""Granules that were left out because they are mostly dark: the rule behind them, from one day.

Where a place is seen by several passes it shows imagery unless all of the granules that had light
are left out.  So the brightest of them counts: black places are parted from lit ones by the solar
zenith angle in the middle of that granule, one number for the whole edge.  The length of the
granules and the moment at which one begins are tried through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.missing.granules import nadir_zenith_deg
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import BoolArray, FloatArray

__all__ = ["DarkGranules", "Evidence", "Timeline", "fit_dark_granules", "make_timeline"]

_Singles = NDArray[np.float32]
_FIRST_DEG, _LAST_DEG, _STEP_DEG = 60.0, 120.0, 0.1
_BINS = round((_LAST_DEG - _FIRST_DEG) / _STEP_DEG)
_LIMITS_DEG = (74.0, 98.0)
_LEAST_SPREAD_DEG = 0.25
"""The middle of a granule is known to this: normals of ellipsoid and sphere differ by 0.2."""
_COARSE = 16
_PURE = 0.7
_LIGHT_COUNTS = 2.0
"""Imagery in a granule that is left out counts for more than black in one that is not: it cannot
be, but granules that are missing beside the night can."""
_FEWEST_PASSES = 3
_TIMELINE_STEP_S = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Solar zenith angle under the satellite, at even steps of the orbit's time."""

    first_s: float
    zenith_deg: FloatArray

    def at(self, time_s: FloatArray) -> FloatArray:
        """Interpolate; seconds since 0 h UTC of the day."""
        place = (np.asarray(time_s, dtype=np.float64) - self.first_s) / _TIMELINE_STEP_S
        return np.interp(place, np.arange(self.zenith_deg.size), self.zenith_deg)

    def of_granules(self, time_s: _Singles, length_s: float, phase_s: float) -> _Singles:
        """Angle in the middle of the granules in which moments lie."""
        number = np.floor((time_s - np.float32(phase_s)) * np.float32(1.0 / length_s))
        number = number.astype(np.int32)
        if not number.size:
            return np.empty(0, np.float32)
        first = int(number.min())
        count = int(number.max()) - first + 1
        middles = (first + np.arange(count) + 0.5) * length_s + phase_s
        return np.asarray(self.at(middles).astype(np.float32)[number - first])


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Sampled places that have light, and the passes that see them with it."""

    first: NDArray[np.intp]
    """Number of the first look at each place; looks lie in the order of places."""
    time_s: _Singles
    """(looks,) seconds since 0 h UTC of the day."""
    number: NDArray[np.int32]
    """(looks,) pass."""
    black: BoolArray
    """(places,)"""
    weight: FloatArray
    """(places,)"""


@dataclass(frozen=True, slots=True)
class DarkGranules:
    """Which granules are left out."""

    limit_deg: float
    """Those with more in the middle."""
    spread_deg: float
    length_s: float
    phase_s: float
    """Seconds after 0 h UTC of the day at which one begins."""


def make_timeline(expectation: Expectation, time_s: _Singles, late_s: float) -> Timeline:
    """Work out the Sun under the satellite around some moments, every pass `late_s` later."""
    first = float(time_s.min()) - 900.0
    steps = int((float(time_s.max()) + 900.0 - first) / _TIMELINE_STEP_S) + 2
    begin = day_start_s(expectation.day) + first
    moments = begin + np.arange(steps, dtype=np.float64) * _TIMELINE_STEP_S
    return Timeline(first, nadir_zenith_deg(expectation.orbit, moments, late_s=late_s))


def fit_dark_granules(
    evidence: Evidence, timeline: Timeline, lengths_s: Sequence[float]
) -> DarkGranules | None:
    """Find the rule by which granules are left out.

    Parameters
    ----------
    evidence : Evidence
    timeline : Timeline
    lengths_s : sequence of float
        Lengths of granules to try.

    Returns
    -------
    DarkGranules or None
        None where black is not explained by any: too few passes, or places with imagery beyond.
    """
    if evidence.weight[evidence.black].sum() <= 0.0 or evidence.black.all():
        return None
    tried = [_best_phase(evidence, timeline, length) for length in lengths_s]
    _, length, phase = min(tried)
    worst = timeline.of_granules(evidence.time_s, length, phase)
    brightest = np.minimum.reduceat(worst, evidence.first)
    _, limit, spread = _part(brightest, evidence)
    if not _is_a_rule(brightest > limit, brightest, worst, evidence):
        return None
    return DarkGranules(limit, spread, length, phase)


def _best_phase(
    evidence: Evidence, timeline: Timeline, length: float
) -> tuple[float, float, float]:
    """Cost, length and phase of the best beginning of granules of a length."""

    def cost(phase: float) -> float:
        angle = timeline.of_granules(evidence.time_s, length, phase)
        return _part(np.minimum.reduceat(angle, evidence.first), evidence)[0]

    step = length / _COARSE
    found = [(cost(n * step), n * step) for n in range(_COARSE)]
    for _ in range(3):
        step /= 2.0
        middle = min(found)[1]
        found += [(cost(middle + side * step), middle + side * step) for side in (-1.0, 1.0)]
    best, phase = min(found)
    return best, length, phase


def _part(angle: _Singles, evidence: Evidence) -> tuple[float, float, float]:
    """Part black from lit places by an angle: weight on the wrong side, limit, its spread."""
    index = ((angle - _FIRST_DEG) / _STEP_DEG).astype(np.int32).clip(0, _BINS - 1)
    signed = np.where(evidence.black, evidence.weight, -_LIGHT_COUNTS * evidence.weight)
    balance = np.bincount(index, weights=signed, minlength=_BINS)
    light = _LIGHT_COUNTS * float(evidence.weight[~evidence.black].sum())
    # A limit behind bin n - 1: black before it and light behind it are on the wrong side.
    wrong = light + np.concatenate([[0.0], np.cumsum(balance)])
    low, high = (round((limit - _FIRST_DEG) / _STEP_DEG) for limit in _LIMITS_DEG)
    allowed = wrong[low : high + 1]
    best = np.flatnonzero(allowed <= allowed.min() + 1e-9)
    # Equal limits lie in one gap between granules, the first of them.
    stop = best[0] + np.flatnonzero(np.diff(np.append(best, best[-1] + 2)) > 1)[0]
    limit = _LIMITS_DEG[0] + _STEP_DEG * float(best[0] + stop) / 2
    spread = max(_STEP_DEG * float(stop - best[0]) / 2, _LEAST_SPREAD_DEG)
    return float(allowed.min()), limit, spread


def _is_a_rule(
    dropped: BoolArray, brightest: _Singles, angle: _Singles, evidence: Evidence
) -> bool:
    """Whether what is left out is black, and of several passes."""
    weight = evidence.weight
    black = float(weight[dropped & evidence.black].sum())
    if black <= 0.0 or black < _PURE * float(weight[dropped].sum()):
        return False
    counts = np.diff(np.append(evidence.first, angle.size))
    own = (angle <= np.repeat(brightest, counts)) & np.repeat(dropped & evidence.black, counts)
    per_pass = np.bincount(evidence.number[own])
    return int((per_pass >= max(3, 0.02 * per_pass.max())).sum()) >= _FEWEST_PASSES
