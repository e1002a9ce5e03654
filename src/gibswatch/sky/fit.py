"""An orbit from the gaps of many days: one phase a day, a smooth curve through the phases.

Around each day a low polynomial goes through the phases of the days near it (``DayPhase``); its
value gives the longitudes of the passes, its slope the true spacing and, since the satellite keeps
its local time, the period (240 s a degree).  The half-width of the swath breathes with the orbit's
perigee and is taken from the same days.  Where the phase leaves its curve the satellite was
manoeuvred: a new era begins there.

Local times cannot be seen in gaps; they are those of the prior orbit.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gibswatch.sky.edges import DayEdges
from gibswatch.sky.eras import Era, breaks, reshape, split_eras, true_spacing
from gibswatch.sky.orbit import Orbit, anchor_orbit, wrap_degrees
from gibswatch.sky.phase_curve import PhaseCurve
from gibswatch.sky.phases import (
    FEWEST_EDGES,
    DayPhase,
    crossing_offset_deg,
    measure_phase,
    wrap_to,
)
from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.sky.swath import edge_longitudes
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["FitRefused", "OrbitFit", "fit_orbits", "has_gaps"]

_ROUNDS = 3
"""Of measuring with the spacing, the period and the inclination that the last round found."""
_AGREEING = 0.5
"""Least share of edges that must lie as the satellite's would, by the median over days."""
_WHOLE_DAYS = 4
"""From so many days on it is asked whether they lie on a curve."""
_USELESS_SIGMA = 0.125
"""Share of the spacing; an orbit whose longitude is known worse explains nothing."""


@dataclass(frozen=True, slots=True)
class FitRefused:
    """Why no orbit could be fitted, as one sentence."""

    satellite: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrbitFit:
    """Orbits of one satellite, from imagery."""

    satellite: str
    spacing_deg: float
    """What phases are counted by: the spacing of the satellite's 16-day grid."""
    eras: tuple[Era, ...]
    """By day."""

    @property
    def days(self) -> int:
        """Number of days that the fit stands on."""
        return sum(len(era.phases) for era in self.eras)

    def orbit_for(self, day: dt.date, *, without: Collection[dt.date] = ()) -> Orbit | None:
        """Return the orbit of a day.

        Parameters
        ----------
        day : datetime.date
        without : collection of datetime.date
            Days that must not be used, for instance the day itself where it is to be judged.

        Returns
        -------
        Orbit or None
            None if no day is near enough to tell the longitude to an eighth of the spacing.
        """
        for era, curve in self._curves(day, without):
            if curve.sigma < _USELESS_SIGMA * self.spacing_deg:
                return _orbit_at(self, era, day, curve)
        return None

    def residual_px(self, phase: DayPhase) -> float:
        """How far a day's phase lies from what the other days say.

        Parameters
        ----------
        phase : DayPhase
            One of an era's.

        Returns
        -------
        float
            Pixels of its picture; NaN if no other day is near.
        """
        for _, curve in self._curves(phase.day, {phase.day}):
            off = wrap_to(np.asarray(phase.phase_deg - curve.phase), self.spacing_deg)
            return float(off) / phase.pixel_deg
        return float("nan")

    def joined(self, newer: OrbitFit) -> OrbitFit:
        """Return this fit with the days of a newer one put in the place of its own.

        Raises
        ------
        ValueError
            If the other fit is another satellite's.
        """
        if newer.satellite != self.satellite:
            raise ValueError(f"a fit of {newer.satellite} cannot join one of {self.satellite}")
        if not newer.eras:
            return self
        first, last = newer.eras[0].first, newer.eras[-1].last
        before = [part for era in self.eras if (part := era.between(None, first))]
        after = [part for era in self.eras if (part := era.between(last, None))]
        return replace(self, eras=(*before, *newer.eras, *after))

    def _curves(self, day: dt.date, without: Collection[dt.date]) -> list[tuple[Era, PhaseCurve]]:
        """Curves of the eras that reach to a day, the nearest era's first."""
        near = sorted(self.eras, key=lambda era: era.days_from(day))
        curves = ((era, era.curve(day, self.spacing_deg, without)) for era in near)
        return [(era, curve) for era, curve in curves if curve is not None]


def has_gaps(satellite: Satellite) -> bool:
    """Whether the satellite's swaths leave gaps at the equator: VIIRS's overlap."""
    orbit = replace(anchor_orbit(satellite, satellite.launch), node_lon_deg=0.0)
    west = edge_longitudes(orbit, 0, 0.0, "west")
    width = (edge_longitudes(orbit, 0, 0.0, "east") - west) % 360.0
    return bool(width < orbit.spacing_deg)


def fit_orbits(
    days: Sequence[DayEdges], satellite: Satellite, *, prior: Orbit | None = None
) -> OrbitFit | FitRefused:
    """Fit the orbit of a satellite to the gaps that its pictures show.

    Parameters
    ----------
    days : sequence of DayEdges
        In any order; at most one a day.
    satellite : Satellite
    prior : Orbit, optional
        Gives local time and shape, for instance by a two-line element; by default the satellite's
        16-day grid.

    Returns
    -------
    OrbitFit or FitRefused
        Refused where there are no gaps, or gaps that are not this satellite's.

    Raises
    ------
    ValueError
        If a day is given twice, or the prior is another satellite's.
    """
    _check(days, satellite, prior)
    if not has_gaps(satellite):
        why = f"the swaths of {satellite.instrument} overlap and leave no gaps"
        return _refused(satellite, why)
    seen = sorted((day for day in days if len(day) >= FEWEST_EDGES), key=lambda day: day.day)
    if not seen:
        return _refused(satellite, "no picture shows gaps between swaths under 45 degrees latitude")
    fit, agreeing = _rounds(seen, satellite, prior)
    if agreeing < _AGREEING:
        reason = f"only {agreeing:.0%} of the edges lie as those of {satellite.name} would"
        return _refused(satellite, reason + _whose(seen, satellite))
    if _is_torn(fit):
        return _refused(satellite, "the gaps do not move from day to day as its would")
    return fit


def _check(days: Sequence[DayEdges], satellite: Satellite, prior: Orbit | None) -> None:
    ordered = sorted(day.day for day in days)
    for one, other in itertools.pairwise(ordered):
        if one == other:
            raise ValueError(f"the edges of {one} are given twice")
    if prior is not None and prior.satellite != satellite.name:
        raise ValueError(f"the prior orbit is of {prior.satellite}, not of {satellite.name}")


def _rounds(
    seen: Sequence[DayEdges], satellite: Satellite, prior: Orbit | None
) -> tuple[OrbitFit, float]:
    """Measure, draw the curves, and measure again with what they say."""
    start = prior or anchor_orbit(satellite, seen[len(seen) // 2].day)
    fit, agreeing = OrbitFit(satellite.name, satellite.spacing_deg, ()), 0.0
    for _ in range(_ROUNDS):
        shapes: dict[dt.date, Orbit] = {}
        phases = [_measure(fit, day, start, shapes) for day in seen]
        agreeing = float(np.median([phase.agreeing if phase else 0.0 for phase in phases]))
        known = [phase for phase in phases if phase is not None]
        if agreeing < _AGREEING:
            break
        eras = split_eras(known, shapes, fit.spacing_deg)
        fit = replace(fit, eras=tuple(reshape(era, fit.spacing_deg) for era in eras))
        if _is_torn(fit):
            break
    return fit, agreeing


def _is_torn(fit: OrbitFit) -> bool:
    """Whether the days lie on no curve: the black moves otherwise than gaps do."""
    return fit.days >= _WHOLE_DAYS and 3 * breaks(fit.eras) > fit.days


def _measure(
    fit: OrbitFit, edges: DayEdges, start: Orbit, shapes: dict[dt.date, Orbit]
) -> DayPhase | None:
    """Measure one day by what is known so far; write down with which shape."""
    shape, drift, width = start, 0.0, 0.0
    for era, curve in fit._curves(edges.day, ())[:1]:  # noqa: SLF001  (its own class)
        shape, drift, width = era.shape, curve.drift, curve.width
    shapes[edges.day] = shape
    local = replace(shape, spacing_deg=true_spacing(fit.spacing_deg, drift)) if drift else shape
    return measure_phase(edges, local, spacing_deg=fit.spacing_deg, drift=drift, width_deg=width)


def _whose(seen: Sequence[DayEdges], satellite: Satellite) -> str:
    """Name the satellite that the edges fit, if there is one."""
    for other in SATELLITES.values():
        if other is not satellite and has_gaps(other):
            _, agreeing = _rounds(seen, other, None)
            if agreeing >= _AGREEING:
                return f", but {agreeing:.0%} as those of {other.name}: these are its gaps"
    return ": these are not its gaps"


def _refused(satellite: Satellite, reason: str) -> FitRefused:
    return FitRefused(satellite.name, f"no orbit of {satellite.name} can be fitted: {reason}")


def _orbit_at(fit: OrbitFit, era: Era, day: dt.date, curve: PhaseCurve) -> Orbit:
    """Make the orbit of one day."""
    shape = replace(era.shape, spacing_deg=true_spacing(fit.spacing_deg, curve.drift))
    at_zero = float(wrap_to(np.asarray(curve.phase + 360.0 * day.toordinal()), fit.spacing_deg))
    crossing = at_zero / (1.0 + curve.drift / 360.0)
    period = 240.0 * shape.spacing_deg
    half_turn = 0.0 if shape.record.day_node == "ascending" else 0.5
    local_time, time_sigma, whose = _local_time(shape, day)
    time = day_start_s(day) + DAY_S * (local_time - crossing / 360.0)
    days = f"{len(era.phases)} day{'s' if len(era.phases) > 1 else ''}"
    reach = dt.timedelta(days=1)
    return replace(
        shape,
        node_time_s=time - half_turn * period,
        node_lon_deg=wrap_degrees(crossing - crossing_offset_deg(shape)),
        period_s=period,
        half_angle_deg=shape.half_angle_deg + _scan_angle(shape, curve.width),
        valid=(day - reach, day + reach),
        source="fit",
        longitude_sigma_deg=curve.sigma,
        time_sigma_s=time_sigma,
        note=f"longitude fitted to the gaps of {days} of imagery, local time by {whose}",
    )


def _scan_angle(shape: Orbit, width_deg: float) -> float:
    """Scan angle by which a swath is wider whose half-width is, in degrees of longitude."""
    if not width_deg:
        return 0.0
    wider = replace(shape, half_angle_deg=shape.half_angle_deg + 0.1)
    step = edge_longitudes(wider, 0, 0.0, "east") - edge_longitudes(shape, 0, 0.0, "east")
    return 0.1 * width_deg / float(wrap_to(step, 360.0))


def _local_time(shape: Orbit, day: dt.date) -> tuple[float, float, str]:
    """Local solar time of the daylight crossing in days, 0-1; its sigma in seconds; and by what."""
    if shape.source == "tle":
        orbit, sigma, whose = shape, shape.time_sigma_s, "a two-line element set"
    else:
        orbit = anchor_orbit(shape.record, day)
        sigma, whose = shape.record.anchor.time_sigma_s, "the table of the satellite"
    half_turn = 0.0 if orbit.record.day_node == "ascending" else 0.5
    seconds = orbit.node_time_s + half_turn * orbit.period_s
    longitude = orbit.node_lon_deg + crossing_offset_deg(orbit)
    return (seconds / DAY_S + longitude / 360.0) % 1.0, sigma, whose
