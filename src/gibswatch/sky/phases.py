"""`DayPhase`: where one day's gaps put the satellite's passes, as one number.

Longitudes of successive passes differ by the spacing S; from day to day the local calendar day
moves on by 360 degrees.  So the longitude L at which any pass of local day d crosses the equator in
daylight gives the same phase, ``(L - 360 d) mod S``, while the satellite keeps to its grid; away
from it the phase drifts by a few tenths of a degree a day, and the drift tells the true spacing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.edges import DayEdges
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.swath import Side, edge_longitudes
from gibswatch.types import BoolArray

__all__ = [
    "FEWEST_EDGES",
    "DayPhase",
    "crossing_offset_deg",
    "implied_crossings",
    "measure_phase",
    "wrap_to",
]

_Floats = NDArray[np.float64]

FEWEST_EDGES = 20
"""A day with fewer edges that agree says nothing."""
_BIN_DEG = 0.25
_NEAR_DEG = (1.0, 0.3, 0.2)
"""Reach, round by round, within which edges count towards the middle."""
_NEAR_PIXELS = 1.5
"""The reach is never under this many pixels."""
_LATITUDES_FOR_TILT_DEG = 15.0
_SIDES: tuple[tuple[Side, bool], ...] = (("east", True), ("west", False))


@dataclass(frozen=True, slots=True)
class DayPhase:
    """What the edges of one day say of the orbit."""

    day: dt.date
    phase_deg: float
    """Longitude at which a pass crosses the equator at longitude 0 of the local day in daylight,
    less 360 degrees a day since the year 1; modulo the spacing that it is counted by."""
    width_deg: float
    """By how much the swath's half-width at the equator is more than the shape's, in degrees of
    longitude; NaN where only one kind of edge was seen."""
    tilt: float
    """Slope of what is left over, degrees of longitude a degree of latitude; NaN if unknown."""
    edges: int
    """Edges that agree."""
    agreeing: float
    """Share of all edges that agree, 0-1."""
    pixel_deg: float


def crossing_offset_deg(orbit: Orbit) -> float:
    """Longitude of the daylight crossing of the equator, less that of the ascending node before."""
    return 0.0 if orbit.record.day_node == "ascending" else 180.0 - orbit.spacing_deg / 2


def implied_crossings(edges: DayEdges, orbit: Orbit) -> _Floats:
    """Longitude at which the pass of each edge crosses the equator in daylight, not wrapped.

    Parameters
    ----------
    edges : DayEdges
    orbit : Orbit
        Gives the shape of the swath; its own place does not matter.

    Returns
    -------
    (n,) ndarray of float
    """
    base = replace(orbit, node_lon_deg=-crossing_offset_deg(orbit))
    latitudes, which = np.unique(edges.latitude_deg, return_inverse=True)
    offset = np.empty(len(edges))
    for side, is_east in _SIDES:
        chosen = edges.is_east == is_east
        at_zero = edge_longitudes(base, 0, latitudes, side)
        offset[chosen] = at_zero[which[chosen]]
    return np.asarray(edges.longitude_deg - offset)


def measure_phase(
    edges: DayEdges,
    orbit: Orbit,
    *,
    spacing_deg: float,
    drift: float = 0.0,
    width_deg: float = 0.0,
) -> DayPhase | None:
    """Find the phase that most edges agree on.

    Parameters
    ----------
    edges : DayEdges
    orbit : Orbit
        The shape of the swath.
    spacing_deg : float
        What phases are counted by; the true spacing may be a little other.
    drift : float
        Degrees a day by which the phase moves, as far as it is known: the passes of a day see
        different values of it.
    width_deg : float
        By how much the half-width is more than the shape's, where the day shows one kind of edge
        only and cannot tell.

    Returns
    -------
    DayPhase or None
        None if too few edges agree.
    """
    if len(edges) < FEWEST_EDGES:
        return None
    crossing = implied_crossings(edges, orbit)
    unwrapped = crossing * (1.0 + drift / 360.0) - 360.0 * edges.day.toordinal()
    middle = _mode(unwrapped % spacing_deg, spacing_deg)
    off = wrap_to(unwrapped - middle, spacing_deg)
    reach, width = 0.0, float("nan")
    for near in _NEAR_DEG:
        reach = max(near, _NEAR_PIXELS * edges.pixel_deg)
        shift, width = _centre(off, edges.is_east, reach, width_deg)
        middle, off = middle + shift, off - shift
    beside = width_deg if np.isnan(width) else width
    off -= np.where(edges.is_east, beside, -beside)
    agree = np.abs(off) < reach
    count = int(agree.sum())
    if count < FEWEST_EDGES:
        return None
    return DayPhase(
        edges.day,
        float(middle % spacing_deg),
        width,
        _slope(edges.latitude_deg[agree], off[agree], edges.is_east[agree]),
        count,
        count / len(edges),
        edges.pixel_deg,
    )


def wrap_to(values: _Floats, span: float) -> _Floats:
    """Bring values to -span/2..span/2."""
    return np.asarray((values + span / 2) % span - span / 2)


def _centre(off: _Floats, is_east: BoolArray, reach: float, width: float) -> tuple[float, float]:
    """Middle between the medians of both kinds of edges, and half of what is between them."""
    near = np.abs(off) < reach
    east, west = off[is_east & near], off[~is_east & near]
    if len(east) and len(west):
        one, other = float(np.median(east)), float(np.median(west))
        return (one + other) / 2, (one - other) / 2
    if len(east):
        return float(np.median(east)) - width, float("nan")
    if len(west):
        return float(np.median(west)) + width, float("nan")
    return 0.0, float("nan")


def _mode(values: _Floats, span: float) -> float:
    """Middle of the fullest three bins of a circular histogram."""
    bins = max(8, round(span / _BIN_DEG))
    counts = np.bincount((values / span * bins).astype(np.intp) % bins, minlength=bins)
    smooth = counts + np.roll(counts, 1) + np.roll(counts, -1)
    return float((np.argmax(smooth) + 0.5) * span / bins)


def _slope(latitude: _Floats, off: _Floats, is_east: BoolArray) -> float:
    """Slope over latitude, both kinds of edges with a level of their own."""
    if len(latitude) < 3 * FEWEST_EDGES or np.ptp(latitude) < _LATITUDES_FOR_TILT_DEG:
        return float("nan")
    north = np.array(latitude)
    rest = np.array(off)
    for kind in (is_east, ~is_east):
        if kind.any():
            north[kind] -= north[kind].mean()
            rest[kind] -= rest[kind].mean()
    spread = float(north @ north)
    return float(north @ rest) / spread if spread > 0.0 else float("nan")
