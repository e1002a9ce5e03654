"""`Era`: days on which a satellite kept to one smooth curve, between two manoeuvres.

Where the phase leaves its curve on two days, one after the other, a new era begins; on one day
alone it is an outlier.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gibswatch.sky.orbit import Orbit
from gibswatch.sky.phase_curve import CAUSAL_DAYS, REACH_DAYS, DriftGuess, PhaseCurve, curve_at
from gibswatch.sky.phases import DayPhase, wrap_to
from gibswatch.sky.swath import edge_longitudes

__all__ = ["Era", "breaks", "reshape", "split_eras", "true_spacing"]

_TRUSTED_SIGMA_DEG = 1.0
"""An orbit whose longitude is known better than this also tells how fast its phase moves."""
_DRIFT_SIGMA = (0.02, 0.5)
"""Standard deviation of a prior's drift, degrees a day: of one that is trusted, and of a lost one.
Terra's was 0.45 off its grid's in 2023."""
_DRIFT_LIMIT = (0.2, 1.5)
"""By how much, in degrees a day, a second day may be off the first."""
_STEP_DEG = 0.07
"""A phase is off its curve by more than this, or a pixel, at a manoeuvre."""
_INCLINATION_DEG = 0.3
"""The satellites are kept, or were left to drift, within this of their inclination."""
_DAYS_FOR_TILT = 3


@dataclass(frozen=True, slots=True)
class Era:
    """Days on which the satellite kept to one smooth curve."""

    shape: Orbit
    """Period, altitude and inclination; its place does not matter."""
    phases: tuple[DayPhase, ...]
    """By day; phases run on without jumps (not modulo the spacing)."""
    outliers: tuple[dt.date, ...] = ()
    """Days whose phase lies off the curve, left out."""

    @property
    def first(self) -> dt.date:
        """First day."""
        return self.phases[0].day

    @property
    def last(self) -> dt.date:
        """Last day."""
        return self.phases[-1].day

    def days_from(self, day: dt.date) -> int:
        """How many days a day lies outside of the era; 0 within."""
        return max((self.first - day).days, (day - self.last).days, 0)

    def between(self, after: dt.date | None, before: dt.date | None) -> Era | None:
        """The days of the era after one day and before another; None if there are none."""
        start, stop = after or dt.date.min, before or dt.date.max
        phases = tuple(phase for phase in self.phases if start < phase.day < stop)
        odd = tuple(day for day in self.outliers if start < day < stop)
        return replace(self, phases=phases, outliers=odd) if phases else None

    def curve(
        self, day: dt.date, spacing_deg: float, without: Collection[dt.date] = ()
    ) -> PhaseCurve | None:
        """Curve around a day; see `gibswatch.sky.phase_curve.curve_at`."""
        return curve_at(self.phases, day, without, drift_guess(self.shape, spacing_deg))


def true_spacing(counted_by: float, drift: float) -> float:
    """Spacing of the passes, if phases counted by another one drift."""
    return counted_by / (1.0 + drift / 360.0)


def drift_guess(shape: Orbit, counted_by: float) -> DriftGuess:
    """What an orbit's spacing says of the drift of its phase."""
    trusted = shape.longitude_sigma_deg < _TRUSTED_SIGMA_DEG
    drift = 360.0 * (counted_by / shape.spacing_deg - 1.0)
    return DriftGuess(drift, _DRIFT_SIGMA[0 if trusted else 1])


def split_eras(
    phases: Sequence[DayPhase], shapes: Mapping[dt.date, Orbit], spacing_deg: float
) -> tuple[Era, ...]:
    """Cut days into eras; phases are unwrapped within each.

    Parameters
    ----------
    phases : sequence of DayPhase
        By day.
    shapes : mapping of datetime.date to Orbit
        What each phase was measured with.
    spacing_deg : float
        What phases are counted by.
    """
    eras: list[Era] = []
    for group in _groups(phases):
        kept: list[DayPhase] = [group[0]]
        odd: list[dt.date] = []
        waiting: DayPhase | None = None
        for phase in group[1:]:
            shape = shapes[phase.day]
            moved = _follow(kept, phase, shape, spacing_deg)
            second = _follow([waiting], phase, shape, spacing_deg) if waiting else None
            if moved is not None:
                odd += [waiting.day] if waiting else []
                kept.append(moved)
                waiting = None
            elif waiting is not None and second is not None:
                eras.append(Era(shapes[kept[0].day], tuple(kept), tuple(odd)))
                kept, odd, waiting = [waiting, second], [], None
            else:
                odd += [waiting.day] if waiting else []
                waiting = phase
        odd += [waiting.day] if waiting else []
        eras.append(Era(shapes[kept[0].day], tuple(kept), tuple(odd)))
    by_day = {phase.day: phase for phase in phases}
    return _without_stray_days(_with_late_starts_moved(eras, by_day, spacing_deg))


def breaks(eras: Sequence[Era]) -> int:
    """How often neighbouring days were not on one curve."""
    jumps = sum(1 for a, b in itertools.pairwise(eras) if (b.first - a.last).days <= REACH_DAYS)
    return jumps + sum(len(era.outliers) for era in eras)


def reshape(era: Era, spacing_deg: float) -> Era:
    """Take period, altitude and inclination from what the phases of an era say."""
    shape = era.shape
    tilts = [p.tilt for p in era.phases if np.isfinite(p.tilt)]
    if len(tilts) >= _DAYS_FOR_TILT:
        usual = shape.record.inclination_deg
        tilted = shape.inclination_deg + float(np.median(tilts)) / _tilt_per_degree(shape)
        limits = usual - _INCLINATION_DEG, usual + _INCLINATION_DEG
        shape = replace(shape, inclination_deg=float(np.clip(tilted, *limits)))
    steps = [
        (b.phase_deg - a.phase_deg) / (b.day - a.day).days
        for a, b in itertools.pairwise(era.phases)
    ]
    if not steps:
        return replace(era, shape=shape)
    spacing = true_spacing(spacing_deg, float(np.median(steps)))
    grown = (spacing / shape.record.spacing_deg) ** (2.0 / 3.0)  # Kepler's third law
    shape = replace(
        shape,
        spacing_deg=spacing,
        period_s=240.0 * spacing,
        semi_major_km=shape.record.semi_major_km * grown,
    )
    return replace(era, shape=shape)


def _groups(phases: Sequence[DayPhase]) -> list[list[DayPhase]]:
    """Cut where days are missing for so long that no curve reaches over."""
    groups: list[list[DayPhase]] = []
    for phase in phases:
        if groups and (phase.day - groups[-1][-1].day).days <= REACH_DAYS:
            groups[-1].append(phase)
        else:
            groups.append([phase])
    return groups


def _follow(
    kept: Sequence[DayPhase], phase: DayPhase, shape: Orbit, spacing: float
) -> DayPhase | None:
    """Return the phase, unwrapped, if it goes on from those before; else None."""
    last = kept[-CAUSAL_DAYS:]
    t = np.array([(p.day - phase.day).days for p in last], dtype=np.float64)
    y = np.array([p.phase_deg for p in last])
    gap = float(np.abs(t).min())
    step = max(phase.pixel_deg, _STEP_DEG)
    if len(last) > 2:
        drift, limit = float(np.median(np.diff(y) / np.diff(t))), step * (1.0 + gap / 4.0)
    else:
        drift = drift_guess(shape, spacing).drift
        trusted = shape.longitude_sigma_deg < _TRUSTED_SIGMA_DEG
        limit = step + _DRIFT_LIMIT[0 if trusted else 1] * gap
        if len(last) == 2:
            drift = float((y[1] - y[0]) / (t[1] - t[0]))
    said = float(np.median(y - drift * t))
    off = float(wrap_to(np.asarray(phase.phase_deg - said), spacing))
    if abs(off) > min(limit, spacing / 3.0):
        return None
    return replace(phase, phase_deg=said + off)


def _with_late_starts_moved(
    eras: Sequence[Era], by_day: Mapping[dt.date, DayPhase], spacing: float
) -> list[Era]:
    """Give an era the days before it that lie on its curve, from an outlier of the last era on.

    A new curve may cross the old one: days after the manoeuvre then look as if nothing was.
    """
    result = list(eras)
    for n in range(1, len(result)):
        before, after = result[n - 1], result[n]
        if len(after.phases) < 3 or after.days_from(before.last) > REACH_DAYS:
            continue
        tail = sorted({*(p.day for p in before.phases), *before.outliers}, reverse=True)
        moved: list[DayPhase] = []
        taken = 0
        for day in tail[:CAUSAL_DAYS]:
            near = [*reversed(moved), *after.phases][:CAUSAL_DAYS]
            phase = _follow(near, by_day[day], after.shape, spacing)
            if phase is None:
                break
            moved.append(phase)
            taken = len(moved) if day in before.outliers else taken
        left = before.between(None, moved[taken - 1].day) if taken else None
        if left is not None:
            grown = (*reversed(moved[:taken]), *after.phases)
            result[n - 1 : n + 1] = [left, replace(after, phases=grown)]
    return result


def _without_stray_days(eras: Sequence[Era]) -> tuple[Era, ...]:
    """A single day beside an era is an outlier of that era."""
    kept: list[Era] = []
    stray: list[dt.date] = []
    for era in eras:
        beside = [e for e in eras if e is not era and len(e.phases) > 1]
        if len(era.phases) == 1 and any(e.days_from(era.first) <= REACH_DAYS for e in beside):
            stray += [era.first, *era.outliers]
        else:
            kept.append(era)
    for day in stray:
        at = min(range(len(kept)), key=lambda n: kept[n].days_from(day))
        kept[at] = replace(kept[at], outliers=tuple(sorted({*kept[at].outliers, day})))
    return tuple(kept)


def _tilt_per_degree(orbit: Orbit) -> float:
    """Slope over latitude that one degree more of inclination gives the edges."""
    steeper = replace(orbit, inclination_deg=orbit.inclination_deg + 0.1)
    at = np.array([-15.0, 15.0])
    change = edge_longitudes(steeper, 0, at, "east") - edge_longitudes(orbit, 0, at, "east")
    return float(np.diff(wrap_to(change, 360.0))[0]) / 30.0 / 0.1
