"""`Orbit`: one satellite's ground track around one day, and where the record comes from.

The model: ascending node m is crossed at ``node_time_s + m * period_s`` and at longitude
``node_lon_deg - m * spacing_deg``; between nodes the satellite runs around a circle that is tilted
by the inclination while the Earth turns under it at an even rate.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["Orbit", "OrbitSource", "anchor_orbit", "wrap_degrees"]

OrbitSource = Literal["anchor", "tle", "fit"]

_LEAVES_DEG_PER_DAY = 0.2
"""How fast the grid's longitude becomes useless once a satellite has left it: Terra's nodes of
2023-06-21, 253 days later, lie 6.4 degrees from it by public elements, but a change of 6 s in the
period alone makes 0.36 degree a day."""
_KEPT_DAYS = 16
"""An anchor's orbit is good for this many days to either side; its local time drifts slowly."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """The passes of one satellite around one day."""

    satellite: str
    """Name, a key of `gibswatch.sky.satellites.SATELLITES`."""
    node_time_s: float
    """Epoch seconds of ascending node 0."""
    node_lon_deg: float
    """Longitude of ascending node 0, degrees east."""
    spacing_deg: float
    """Degrees westwards from a node to the next."""
    period_s: float
    """Seconds from a node to the next."""
    inclination_deg: float
    semi_major_km: float
    half_angle_deg: float
    """Scan angle at the edges of the swath, from nadir."""
    valid: tuple[dt.date, dt.date]
    """First and last day that the record is good for."""
    source: OrbitSource
    longitude_sigma_deg: float
    """Standard deviation of the nodes' longitudes on the valid days."""
    time_sigma_s: float
    """Standard deviation of the nodes' times on the valid days."""
    eccentricity_km: float = 10.0
    """How much nearer to the Earth's centre the satellite flies in the far north than the mean."""
    note: str = ""
    """What a reader should know of it, as one sentence."""

    @property
    def record(self) -> Satellite:
        """What is constant about the satellite."""
        return SATELLITES[self.satellite]

    def node_time(self, pass_index: int) -> float:
        """Epoch seconds of ascending node `pass_index`."""
        return self.node_time_s + pass_index * self.period_s

    def node_longitude(self, pass_index: int) -> float:
        """Longitude of ascending node `pass_index`, -180..180."""
        return wrap_degrees(self.node_lon_deg - pass_index * self.spacing_deg)

    def counted_from(self, pass_index: int) -> Orbit:
        """Return the same orbit with ascending node `pass_index` as its node 0."""
        return replace(
            self,
            node_time_s=self.node_time(pass_index),
            node_lon_deg=self.node_longitude(pass_index),
        )


def wrap_degrees(longitude: float) -> float:
    """Bring a longitude to -180..180 (180 itself becomes -180)."""
    return (longitude + 180.0) % 360.0 - 180.0


def anchor_orbit(satellite: Satellite, day: dt.date) -> Orbit:
    """Return the orbit of a satellite by its 16-day grid.

    Parameters
    ----------
    satellite : Satellite
    day : datetime.date
        Node 0 is the first ascending node of this UTC day.

    Returns
    -------
    Orbit
        Good to about 0.1 degree while the satellite keeps to its grid.  After it has left it the
        note says so, and the sigma of the longitude grows to that of knowing nothing.
    """
    anchor = satellite.anchor
    late = _local_time_shift(satellite, day)
    start = day_start_s(day)
    index = math.ceil((start - anchor.time_s - late) / satellite.nodal_period_s)
    unknown = satellite.spacing_deg / math.sqrt(12.0)
    sigma, note = anchor.longitude_sigma_deg, ""
    if anchor.left_grid is not None and day >= anchor.left_grid:
        days = (day - anchor.left_grid).days
        sigma = min(sigma + _LEAVES_DEG_PER_DAY * days, unknown)
        note = (
            f"{satellite.name} left its 16-day grid about {anchor.left_grid}: "
            "fit the orbit from imagery, or give a two-line element"
        )
    elif sigma >= 0.5 * unknown:
        note = f"where {satellite.name} is on its grid is uncertain: fit the orbit from imagery"
    margin = dt.timedelta(days=_KEPT_DAYS)
    return Orbit(
        satellite=satellite.name,
        node_time_s=anchor.time_s + late + index * satellite.nodal_period_s,
        node_lon_deg=wrap_degrees(anchor.lon_deg - index * satellite.spacing_deg),
        spacing_deg=satellite.spacing_deg,
        period_s=satellite.nodal_period_s,
        inclination_deg=satellite.inclination_deg,
        semi_major_km=satellite.semi_major_km,
        half_angle_deg=sum(satellite.scan_half_angle_deg) / 2,
        valid=(day - margin, day + margin),
        source="anchor",
        longitude_sigma_deg=sigma,
        time_sigma_s=anchor.time_sigma_s + 240.0 * max(0.0, sigma - 1.0),
        eccentricity_km=satellite.eccentricity_km,
        note=note,
    )


def _local_time_shift(satellite: Satellite, day: dt.date) -> float:
    """Seconds by which the nodes of a day are later than the anchor's steps say."""
    knots = satellite.anchor.local_time_s
    if not knots:
        return 0.0
    days = [day_start_s(knot) / DAY_S for knot, _ in knots]
    return float(np.interp(day_start_s(day) / DAY_S, days, [late for _, late in knots]))
