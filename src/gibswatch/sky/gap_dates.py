"""Which day the gaps of a picture are those of: they move by a known step from day to day.

On its 16-day grid a satellite's gaps lie in one of 16 places, a sixteenth of the spacing apart, and
every day of 16 has its own; so where the orbit is known to a fraction of a degree, a date that is
wrong by one to fifteen days shows.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gibswatch.sky.edges import DayEdges
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.phases import crossing_offset_deg, measure_phase, wrap_to
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["GapDates", "fits_gaps", "gap_dates", "gap_offset_deg"]

_CYCLE_DAYS = 16
"""After so many days the gaps lie where they lay."""
_FEWEST_EDGES = 60
_AGREEING = 0.5
"""Least share of the edges that must lie as the satellite's would."""
_WELL_KNOWN_DEG = 0.2
"""Standard deviation of an orbit's longitude up to which it tells days apart: a sixteenth of the
spacing is 1.5 degrees."""
_WRONG_FROM_DEG = 1.0
_SIGMAS = 5.0
_PIXELS = 3.0
_RIGHT_SIGMAS = 3.0


@dataclass(frozen=True, slots=True)
class GapDates:
    """What the gaps of a picture say against its date."""

    offset_deg: float
    """How far east of their place on the day the gaps lie."""
    likely: tuple[dt.date, ...]
    """Days within 15 days of it whose gaps these are, nearest first: two on the 16-day grid."""


def gap_offset_deg(edges: DayEdges, orbit: Orbit, day: dt.date) -> float:
    """How far east of where an orbit puts them the gaps of a picture lie.

    Parameters
    ----------
    edges : DayEdges
    orbit : Orbit
        Of the day.
    day : datetime.date
        Local day to compare with; the one that `edges` names does not matter.

    Returns
    -------
    float
        Degrees of longitude at the equator, up to half the spacing to either side; NaN where the
        edges do not lie as the satellite's would.
    """
    spacing = orbit.spacing_deg
    phase = measure_phase(edges, orbit, spacing_deg=spacing)
    if phase is None or phase.edges < _FEWEST_EDGES or phase.agreeing < _AGREEING:
        return float("nan")
    half_turn = 0.0 if orbit.record.day_node == "ascending" else 0.5
    crossing = orbit.node_lon_deg + crossing_offset_deg(orbit)
    moment = (orbit.node_time_s + half_turn * orbit.period_s - day_start_s(day)) / DAY_S
    days_later = math.floor(moment + crossing / 360.0)
    seen = phase.phase_deg + 360.0 * edges.day.toordinal()
    return float(wrap_to(np.asarray(seen - (crossing - 360.0 * days_later)), spacing))


def gap_dates(
    edges: DayEdges, day: dt.date, orbit_of: Callable[[dt.date], Orbit | None]
) -> GapDates | None:
    """Say whether the gaps of a picture speak against its date.

    Parameters
    ----------
    edges : DayEdges
    day : datetime.date
        The date that the picture is said to have.
    orbit_of : callable
        Gives the orbit of a day, by anything but the picture itself; None where it is not known.

    Returns
    -------
    GapDates or None
        None where the gaps fit the day, or the orbit is not known well enough to say.
    """
    orbit = orbit_of(day)
    if orbit is None or orbit.longitude_sigma_deg > _WELL_KNOWN_DEG:
        return None
    offset = gap_offset_deg(edges, orbit, day)
    slack = max(_WRONG_FROM_DEG, _SIGMAS * orbit.longitude_sigma_deg, _PIXELS * edges.pixel_deg)
    if not abs(offset) > slack:
        return None
    steps = sorted(range(1 - _CYCLE_DAYS, _CYCLE_DAYS), key=abs)
    others = (day + dt.timedelta(days=step) for step in steps)
    likely = tuple(other for other in others if fits_gaps(edges, other, orbit_of(other)))
    return GapDates(offset, likely)


def fits_gaps(edges: DayEdges, day: dt.date, orbit: Orbit | None) -> bool:
    """Whether the gaps of a picture lie where a well-known orbit puts them on a day."""
    if orbit is None or orbit.longitude_sigma_deg > _WELL_KNOWN_DEG:
        return False
    off = abs(gap_offset_deg(edges, orbit, day))
    return off <= _RIGHT_SIGMAS * orbit.longitude_sigma_deg + edges.pixel_deg
