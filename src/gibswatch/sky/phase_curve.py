"""A smooth curve through the phases of the days around one day."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.phases import DayPhase

__all__ = ["CAUSAL_DAYS", "REACH_DAYS", "DriftGuess", "PhaseCurve", "curve_at"]

WINDOW_DAYS = 8
"""Days to either side that a curve is drawn through."""
CAUSAL_DAYS = 5
"""Days that are extrapolated from, by a straight line."""
REACH_DAYS = 16
"""How far from the days that are known a curve is still followed."""
_FLOOR_DEG = 0.003
"""Scatter of phases under which nothing is believed: 0.04 pixel of 0.07 degree."""
_FLOOR_PIXELS = 0.05
_BEND_DEG = 2e-4
"""Degrees a day squared: how a straight line goes wrong beyond the days that it is drawn through.
16 days ahead it makes 0.8 pixel of 0.07 degree on Terra in 2023."""
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class DriftGuess:
    """How fast the phase moves, as far as it is known before it is measured."""

    drift: float
    """Degrees a day."""
    sigma: float
    """Standard deviation of it."""


@dataclass(frozen=True, slots=True)
class PhaseCurve:
    """What the phases around one day say of it."""

    phase: float
    """Degrees, not wrapped."""
    drift: float
    """Degrees a day."""
    sigma: float
    """Standard deviation of the phase."""
    width: float
    """Median of the days' `width_deg`; 0 where none knows it."""


def curve_at(
    phases: Sequence[DayPhase], day: dt.date, without: Collection[dt.date], guess: DriftGuess
) -> PhaseCurve | None:
    """Put a low polynomial through the phases around a day, robustly.

    Parameters
    ----------
    phases : sequence of DayPhase
        Of one era, by day, not wrapped.
    day : datetime.date
    without : collection of datetime.date
        Days that must not be used.
    guess : DriftGuess
        Used where a single day is known.

    Returns
    -------
    PhaseCurve or None
        A parabola over 8 days to either side where there are days on both; else a straight line
        through the five nearest.  None if no day within 16 is known.
    """
    reach = dt.timedelta(days=2 * REACH_DAYS)
    first = bisect_left(phases, day - reach, key=lambda p: p.day)
    last = bisect_right(phases, day + reach, key=lambda p: p.day)
    near = _near([p for p in phases[first:last] if p.day not in without], day)
    if not near:
        return None
    known = [p.width_deg for p in near if np.isfinite(p.width_deg)]
    width = float(np.median(known)) if known else 0.0
    floor = max(_FLOOR_DEG, _FLOOR_PIXELS * float(np.median([p.pixel_deg for p in near])))
    if len(near) == 1:
        ahead = (day - near[0].day).days
        phase = near[0].phase_deg + guess.drift * ahead
        return PhaseCurve(phase, guess.drift, float(np.hypot(floor, guess.sigma * ahead)), width)
    return _polynomial(near, day, floor, width)


def _near(known: Sequence[DayPhase], day: dt.date) -> list[DayPhase]:
    """Phases that the curve stands on: from both sides, or the last from one."""
    inside = [p for p in known if abs((p.day - day).days) <= WINDOW_DAYS]
    if any(p.day < day for p in inside) and any(p.day > day for p in inside):
        return inside
    by_distance = sorted(known, key=lambda p: abs((p.day - day).days))[:CAUSAL_DAYS]
    if not by_distance or abs((by_distance[0].day - day).days) > REACH_DAYS:
        return []
    return sorted(by_distance, key=lambda p: p.day)


def _polynomial(near: Sequence[DayPhase], day: dt.date, floor: float, width: float) -> PhaseCurve:
    t = np.array([(p.day - day).days for p in near], dtype=np.float64)
    y = np.array([p.phase_deg for p in near])
    degree = 2 if len(near) > 5 and t[0] < 0 < t[-1] else 1
    design = np.vander(t, degree + 1, increasing=True)
    weight, scale = np.ones(len(y)), floor
    found: NDArray[np.float64] = np.zeros(degree + 1)
    for _ in range(_ROUNDS):
        found = np.asarray(
            np.linalg.lstsq(design * weight[:, np.newaxis], y * weight, rcond=None)[0]
        )
        off = np.abs(y - design @ found)
        scale = max(1.4826 * float(np.median(off)), floor)
        weight = 1.0 / np.sqrt(1.0 + (off / (3.0 * scale)) ** 2)
    leverage = float(np.linalg.pinv(design.T @ design)[0, 0])
    beyond = max(0.0, t[0], -t[-1])
    sigma = float(np.hypot(scale * np.sqrt(1.0 + leverage), _BEND_DEG * beyond**2))
    return PhaseCurve(float(found[0]), float(found[1]), sigma, width)
