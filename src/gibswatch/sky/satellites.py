"""The five satellites of the daily true colour: orbit, instrument, and place on the 16-day grid.

A ground track that repeats every 16 days is one longitude and one time: `Anchor`.  The anchors, the
periods and the local times are those of public two-line elements (``docs/sky.md`` has the list);
the altitudes are a least-squares fit to them through SGP4, which leaves 0.1-0.5 km.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["SATELLITES", "Anchor", "DayNode", "Satellite", "satellite_of"]

DayNode = Literal["descending", "ascending"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """One ascending node on the 16-day grid, and how the satellite has kept to it."""

    time_s: float
    """Epoch seconds of the node."""
    lon_deg: float
    """Its longitude."""
    longitude_sigma_deg: float
    """How well the grid is kept: standard deviation of the node's longitude."""
    time_sigma_s: float
    """Standard deviation of the node's time, once `local_time_s` is added."""
    left_grid: dt.date | None = None
    """First day on which the grid no longer holds."""
    local_time_s: tuple[tuple[dt.date, float], ...] = ()
    """Days and how much later than at the anchor the satellite crossed the equator, in seconds of
    local time; straight lines between, constant outside."""


@dataclass(frozen=True, slots=True)
class Satellite:
    """What is constant about a satellite and its imager."""

    name: str
    instrument: str
    number: int
    """NORAD catalogue number, as in its two-line elements."""
    launch: dt.date
    """Day of launch: there is no imagery before."""
    day_node: DayNode
    """On which half of its revolution it flies in daylight."""
    inclination_deg: float
    repeat_orbits: int
    """Revolutions in 16 days."""
    semi_major_km: float
    """Mean distance from the Earth's centre while on the grid."""
    eccentricity_km: float
    """How much nearer to the centre it flies over the north than the mean (frozen orbit)."""
    scan_half_angle_deg: tuple[float, float]
    """Scan angle at the east and at the west edge of the swath, from nadir."""
    granule_s: float
    """Length of a granule; granules begin at multiples of it, counted from midnight UTC."""
    anchor: Anchor

    @property
    def nodal_period_s(self) -> float:
        """Seconds from one ascending node to the next, on the grid."""
        return 16 * 86400.0 / self.repeat_orbits

    @property
    def spacing_deg(self) -> float:
        """Degrees westwards from one ascending node to the next, on the grid."""
        return 16 * 360.0 / self.repeat_orbits


_D = dt.date
_MODIS_SCAN = (55.0, 55.0)
_VIIRS_SCAN = (56.17, 56.17)
_TERRA = Anchor(
    time_s=509026072.8,
    lon_deg=155.607,
    longitude_sigma_deg=0.15,
    time_sigma_s=120.0,
    left_grid=_D(2022, 10, 11),
    local_time_s=(
        (_D(2020, 1, 1), 0.0),
        (_D(2022, 10, 1), -900.0),
        (_D(2023, 6, 21), -1494.0),
        (_D(2023, 12, 2), -1940.0),
        (_D(2025, 12, 1), -5400.0),
    ),
)
_AQUA = Anchor(
    time_s=509840576.2,
    lon_deg=-131.796,
    longitude_sigma_deg=0.15,
    time_sigma_s=180.0,
    left_grid=_D(2022, 1, 1),
    local_time_s=((_D(2021, 7, 1), 0.0), (_D(2023, 2, 1), 555.0), (_D(2026, 8, 1), 8055.0)),
)
_SNPP = Anchor(
    time_s=565941974.3,
    lon_deg=109.707,
    longitude_sigma_deg=0.12,
    time_sigma_s=120.0,
    local_time_s=((_D(2015, 1, 10), 413.0), (_D(2017, 12, 7), 0.0)),
)
_NOAA20 = Anchor(
    time_s=711145722.4,
    lon_deg=-105.883,
    longitude_sigma_deg=0.12,
    time_sigma_s=120.0,
)
# No public element of NOAA-21 is at hand: half a spacing beside NOAA-20 at the same local time, and
# uncertain by all of a spacing (its standard deviation if nothing is known is spacing / sqrt(12)).
_NOAA21 = Anchor(
    time_s=711145722.4 + 3044.93,
    lon_deg=-105.883 - 12.6872,
    longitude_sigma_deg=7.3,
    time_sigma_s=1760.0,
)


def _viirs(name: str, number: int, launch: dt.date, anchor: Anchor) -> Satellite:
    return Satellite(
        name=name,
        instrument="VIIRS",
        number=number,
        launch=launch,
        day_node="ascending",
        inclination_deg=98.72,
        repeat_orbits=227,
        semi_major_km=7206.4,
        eccentricity_km=8.3,
        scan_half_angle_deg=_VIIRS_SCAN,
        granule_s=360.0,
        anchor=anchor,
    )


def _modis(
    name: str, number: int, launch: dt.date, anchor: Anchor, *, day_node: DayNode, incl: float
) -> Satellite:
    return Satellite(
        name=name,
        instrument="MODIS",
        number=number,
        launch=launch,
        day_node=day_node,
        inclination_deg=incl,
        repeat_orbits=233,
        semi_major_km=7082.1,
        eccentricity_km=10.0,
        scan_half_angle_deg=_MODIS_SCAN,
        granule_s=300.0,
        anchor=anchor,
    )


SATELLITES: Mapping[str, Satellite] = MappingProxyType(
    {
        satellite.name: satellite
        for satellite in (
            _modis("Terra", 25994, _D(1999, 12, 18), _TERRA, day_node="descending", incl=98.20),
            _modis("Aqua", 27424, _D(2002, 5, 4), _AQUA, day_node="ascending", incl=98.21),
            _viirs("SNPP", 37849, _D(2011, 10, 28), _SNPP),
            _viirs("NOAA-20", 43013, _D(2017, 11, 18), _NOAA20),
            _viirs("NOAA-21", 54234, _D(2022, 11, 10), _NOAA21),
        )
    }
)
"""By name."""

_PREFIXES = {
    "MODIS_Terra_": "Terra",
    "MODIS_Aqua_": "Aqua",
    "VIIRS_SNPP_": "SNPP",
    "VIIRS_NOAA20_": "NOAA-20",
    "VIIRS_NOAA21_": "NOAA-21",
}


def satellite_of(identifier: str) -> Satellite | None:
    """Return the satellite of a layer, by its identifier; None where it has not one of the five.

    Layers of several satellites (``MODIS_Combined_...``) have none.

    >>> satellite_of("VIIRS_NOAA20_CorrectedReflectance_TrueColor").name
    'NOAA-20'
    """
    for prefix, name in _PREFIXES.items():
        if identifier.startswith(prefix):
            return SATELLITES[name]
    return None
