"""Gaps between swaths: where the orbit puts them, set right by the day's own edges.

The orbit comes from other days, so that a fault cannot hide itself.  It leaves the place of the
passes uncertain by a pixel or two, and the half-width of the swath breathes by a third of a pixel
and depends on the product and the zoom.  Both are taken from the edges that the day shows: medians
over the rows of each edge, then over the edges, bounded, so that a hole beside a gap moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import REASON_CODES
from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.fit import has_gaps
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.phases import crossing_offset_deg, implied_crossings, wrap_to
from gibswatch.sky.places import is_separable, pixel_places, places_at
from gibswatch.sky.swath import (
    earth_radius_km,
    edge_longitudes,
    geocentric_latitude,
    half_width_deg,
    orbit_radius_km,
)
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import BoolArray

__all__ = ["Gaps", "expected_gaps", "rim_depth_km"]

_Floats = NDArray[np.float64]

_TROPICS_DEG = 45.0
"""Gaps close at 28.6 degrees; beyond this latitude nothing is looked for."""
_WIDTH_SHARE = 0.015
"""Of the half-width: how much a day's own may differ from the orbit's."""
_MEASURED_SHARE = 0.004
"""Of the half-width: what is left where the day has shown it."""
_SIGMAS = 3.0
"""Standard deviations of the orbit's longitude by which the day may shift it."""
_FEWEST_ROWS = 8
"""Of one edge of one pass; with fewer it has no say."""
_FEWEST_EDGES = 24
"""Of all passes, for the day to have a say."""
_LEAST_TOLERANCE_PX = 1.5
_REASON_GAP = REASON_CODES["swath gap"]
_KM_PER_DEGREE = 111.2
"""On a great circle of the Earth."""


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """The swath gaps of one day."""

    plane: BoolArray
    """(rows, cols): no pass sees the pixel."""
    tolerance_px: float
    """Black up to here beside a gap says nothing."""
    shift_deg: float
    """By how much the day's passes lie east of the orbit's, degrees of longitude."""
    width_deg: float
    """By how much the half-width at the equator is more than the orbit's, degrees of longitude."""
    edges: int
    """Rows of edges that the day showed."""
    agreeing: float
    """Share of them that lie where they should, after the correction; NaN with too few."""

    def on_rim(self, expectation: Expectation, where: BoolArray) -> BoolArray:
        """Mark those of some pixels that a slightly narrower swath would not show.

        Parameters
        ----------
        expectation : Expectation
        where : (rows, cols) ndarray of bool

        Returns
        -------
        (rows, cols) ndarray of bool
        """
        g, orbit = expectation.georeference, expectation.orbit
        pixel_km = g.pixel_height * _KM_PER_DEGREE if g.epsg == 4326 else g.pixel_height / 1000.0
        share = _WIDTH_SHARE if np.isnan(self.agreeing) else _MEASURED_SHARE
        margin = self.tolerance_px * pixel_km + share * _half_width(orbit) * _KM_PER_DEGREE
        rim = np.zeros_like(where)
        rim[where] = rim_depth_km(expectation, where) < margin
        return rim


def expected_gaps(expectation: Expectation, black: BoolArray) -> Gaps:
    """Say where the gaps of a day lie.

    Parameters
    ----------
    expectation : Expectation
        Of the day, by an orbit that other days gave.
    black : (rows, cols) ndarray of bool
        Observed black.

    Returns
    -------
    Gaps
        Of instruments without gaps, and in polar maps: what the expectation says.
    """
    georeference = expectation.georeference
    plane = np.asarray(expectation.reason == _REASON_GAP)
    if not is_separable(georeference) or not has_gaps(expectation.orbit.record):
        return Gaps(plane, _LEAST_TOLERANCE_PX, 0.0, 0.0, 0, float("nan"))
    orbit = expectation.orbit
    edges = find_edges(black, georeference, expectation.day)
    shift, width, agreeing, spread = _correction(edges, expectation)
    plane = _painted(expectation, plane, shift, width)
    if np.isnan(agreeing):  # the day says nothing: what the orbit and the width leave open
        open_deg = 2.0 * np.hypot(
            orbit.longitude_sigma_deg, 0.5 * _WIDTH_SHARE * _half_width(orbit)
        )
    else:
        open_deg = 2.0 * spread
    pixel = edges.pixel_deg
    tolerance = min(max(_LEAST_TOLERANCE_PX, 0.75 + open_deg / pixel), 6.0)
    return Gaps(plane, tolerance, shift, width, len(edges), agreeing)


def _half_width(orbit: Orbit) -> float:
    """Of the swath on the equator, degrees of longitude."""
    east, west = (edge_longitudes(orbit, 0, 0.0, side) for side in ("east", "west"))
    return float((east - west) % 360.0) / 2.0


def _correction(edges: DayEdges, expectation: Expectation) -> tuple[float, float, float, float]:
    """Shift and width of the day in degrees, share of edges that agree, and their spread."""
    nothing = (0.0, 0.0, float("nan"), float("nan"))
    if len(edges) < _FEWEST_EDGES:
        return nothing
    pixel, orbit = edges.pixel_deg, expectation.orbit
    widest = _WIDTH_SHARE * _half_width(orbit) + pixel
    furthest = max(_SIGMAS * orbit.longitude_sigma_deg, pixel)
    reach = min(widest + furthest + pixel, 0.25 * orbit.spacing_deg)
    off, number = _offsets(edges, expectation)
    near = np.abs(off) < reach
    east = _middle(off, number, near & edges.is_east)
    west = _middle(off, number, near & ~edges.is_east)
    shift, width = _parted(east, west, furthest, widest)
    left = off - shift - np.where(edges.is_east, width, -width)
    agreeing = np.abs(left) < max(2.0 * pixel, 0.15)
    if not agreeing.any():
        return 0.0, 0.0, 0.0, 0.0
    spread = 1.4826 * float(np.median(np.abs(left[agreeing])))
    return shift, width, float(agreeing.mean()), spread


def _offsets(edges: DayEdges, expectation: Expectation) -> tuple[_Floats, NDArray[np.intp]]:
    """How far east of its place each edge lies, degrees, and the number of its pass."""
    orbit = expectation.orbit
    beside = implied_crossings(edges, orbit) - _first_crossing(expectation)
    number = np.rint(beside / orbit.spacing_deg)
    return beside - number * orbit.spacing_deg, number.astype(np.intp)


def _middle(off: _Floats, number: NDArray[np.intp], wanted: BoolArray) -> float:
    """Median over passes of the median over rows; NaN if no pass shows enough rows."""
    medians = [
        float(np.median(off[chosen]))
        for n in np.unique(number[wanted])
        if (chosen := wanted & (number == n)).sum() >= _FEWEST_ROWS
    ]
    return float(np.median(medians)) if medians else float("nan")


def _parted(east: float, west: float, furthest: float, widest: float) -> tuple[float, float]:
    """Part what both kinds of edges say into a shift and a width, bounded."""
    if np.isnan(east) and np.isnan(west):
        return 0.0, 0.0
    if np.isnan(east) or np.isnan(west):  # one kind cannot tell: by how uncertain each is
        seen, sign = (west, -1.0) if np.isnan(east) else (east, 1.0)
        share = furthest**2 / (furthest**2 + widest**2)
        shift, width = seen * share, sign * seen * (1.0 - share)
    else:
        shift, width = (east + west) / 2, (east - west) / 2
    return float(np.clip(shift, -furthest, furthest)), float(np.clip(width, -widest, widest))


def _painted(expectation: Expectation, plane: BoolArray, shift: float, width: float) -> BoolArray:
    """Paint the tropics anew, row by row, with the corrected orbit."""
    g, orbit = expectation.georeference, expectation.orbit
    longitude, latitude = places_at(g, np.arange(g.rows), np.arange(g.cols))
    rows = np.flatnonzero(np.abs(latitude) < _TROPICS_DEG)
    if not len(rows):
        return plane
    base = replace(orbit, node_lon_deg=-crossing_offset_deg(orbit))
    wider = replace(base, half_angle_deg=base.half_angle_deg + 0.05)
    step = float(
        wrap_to(
            edge_longitudes(wider, 0, 0.0, "east") - edge_longitudes(base, 0, 0.0, "east"), 360.0
        )
    )
    base = replace(base, half_angle_deg=base.half_angle_deg + 0.05 * width / step)
    east = edge_longitudes(base, 0, latitude[rows], "east")
    west = edge_longitudes(base, 0, latitude[rows], "west")
    first = _first_crossing(expectation) + shift
    turns = (longitude[np.newaxis, :] - first - west[:, np.newaxis]) / orbit.spacing_deg
    covered = np.mod(turns, 1.0) <= ((east - west) / orbit.spacing_deg)[:, np.newaxis]
    painted = plane.copy()
    part = expectation.reason[rows]
    painted[rows] = np.where((part == 0) | (part == _REASON_GAP), ~covered, plane[rows])
    return painted


def _first_crossing(expectation: Expectation) -> float:
    """Longitude of the crossing of pass 0, counted so that it lies in the local day."""
    orbit = expectation.orbit
    half_turn = 0.0 if orbit.record.day_node == "ascending" else 0.5
    time = orbit.node_time_s + half_turn * orbit.period_s
    lowest = (day_start_s(expectation.day) - time) / 240.0
    crossing = orbit.node_lon_deg + crossing_offset_deg(orbit)
    return lowest + float((crossing - lowest) % 360.0)


def rim_depth_km(expectation: Expectation, where: BoolArray) -> _Floats:
    """How far inside of its swath each of some pixels lies, on the ground.

    Parameters
    ----------
    expectation : Expectation
    where : (rows, cols) ndarray of bool
        n pixels that a pass sees.

    Returns
    -------
    (n,) ndarray of float
        Kilometres from the edge of the pass that sees it steepest; NaN where there is none.
    """
    orbit = expectation.orbit
    latitude = geocentric_latitude(pixel_places(expectation.georeference)[1][where])
    sine = np.sin(np.radians(latitude)) / np.sin(np.radians(orbit.inclination_deg))
    argument = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    if orbit.record.day_node == "descending":
        argument = 180.0 - argument
    ratio = orbit_radius_km(orbit, argument) / earth_radius_km(latitude)
    view = np.radians(expectation.view_zenith_deg[where].astype(np.float64))
    beside = np.degrees(view - np.arcsin(np.sin(view) / ratio))
    return np.asarray((half_width_deg(orbit, argument, latitude) - beside) * _KM_PER_DEGREE)
