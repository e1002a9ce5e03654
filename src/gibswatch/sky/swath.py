"""Where a satellite looks: ground track, half-width of the swath, its edges.

All of it follows from one circle in the plane of the orbit.  A point at argument ``u`` along the
track and at angle ``eta`` beside it (seen from the Earth's centre, positive to the left of the
flight) has the direction ``(cos eta cos u, cos eta sin u, sin eta)`` there; tilted by the
inclination, and turned by the Earth's rotation since the node, it is a place on Earth.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibswatch.sky.orbit import Orbit

__all__ = [
    "SECOND_HARMONIC_KM",
    "Side",
    "earth_radius_km",
    "edge_longitudes",
    "elapsed_turns",
    "geocentric_latitude",
    "geodetic_latitude",
    "ground_track",
    "half_width_deg",
    "orbit_radius_km",
    "swath_point",
]

Side = Literal["east", "west"]
_Floats = NDArray[np.float64]

_FLATTENING = 1 / 298.257223563
"""Of WGS 84."""
_AXES_SQUARED = (1.0 - _FLATTENING) ** 2
_EQUATOR_KM = 6378.137
_POLE_SHORTER_KM = 21.385
"""By how much the radius shrinks towards the poles (WGS 84)."""
SECOND_HARMONIC_KM = 1.55
"""Amplitude of the radius over twice the argument: the pull of the Earth's flattening."""


def geocentric_latitude(latitude: ArrayLike) -> _Floats:
    """Turn geodetic latitude (of maps) into geocentric latitude; degrees."""
    phi = np.radians(np.asarray(latitude, dtype=np.float64))
    result = np.degrees(np.arctan2(_AXES_SQUARED * np.sin(phi), np.cos(phi)))
    return np.asarray(result)


def geodetic_latitude(latitude: ArrayLike) -> _Floats:
    """Turn geocentric latitude into geodetic latitude (of maps); degrees."""
    phi = np.radians(np.asarray(latitude, dtype=np.float64))
    result = np.degrees(np.arctan2(np.sin(phi), _AXES_SQUARED * np.cos(phi)))
    return np.asarray(result)


def earth_radius_km(geocentric: ArrayLike) -> _Floats:
    """Distance of the ground from the Earth's centre at a geocentric latitude in degrees."""
    sine = np.sin(np.radians(np.asarray(geocentric, dtype=np.float64)))
    return np.asarray(_EQUATOR_KM - _POLE_SHORTER_KM * sine**2)


def orbit_radius_km(orbit: Orbit, argument: ArrayLike) -> _Floats:
    """Distance of the satellite from the Earth's centre.

    Parameters
    ----------
    orbit : Orbit
    argument : array_like
        Degrees along the orbit from its ascending node.

    Notes
    -----
    The orbits are frozen: their perigee stays over the north, so the radius is a function of the
    argument alone.  Without its eccentricity a swath is 8-10 km wrong in altitude, 0.2 degree in
    width.
    """
    u = np.radians(np.asarray(argument, dtype=np.float64))
    north = np.sin(u) * np.sin(np.radians(orbit.inclination_deg))
    radius = orbit.semi_major_km - orbit.eccentricity_km * north
    return np.asarray(radius + SECOND_HARMONIC_KM * np.cos(2 * u))


def elapsed_turns(orbit: Orbit, argument_rad: ArrayLike) -> _Floats:
    """Share of the period that has passed since the ascending node.

    Parameters
    ----------
    orbit : Orbit
    argument_rad : array_like
        Radians along the orbit from its ascending node.

    Notes
    -----
    By the equation of the centre to first order, the perigee in the far north: the satellite is
    faster there, and at the descending node 4.4 s ahead of an even motion.
    """
    u = np.asarray(argument_rad, dtype=np.float64)
    ahead = 2.0 * orbit.eccentricity_km / orbit.semi_major_km * (1.0 - np.cos(u))
    return np.asarray((u - ahead) / (2 * np.pi))


def half_width_deg(orbit: Orbit, argument: ArrayLike, geocentric: ArrayLike) -> _Floats:
    """Angle at the Earth's centre from the track to the swath's edge, degrees.

    Parameters
    ----------
    orbit : Orbit
    argument : array_like
        Degrees along the orbit.
    geocentric : array_like
        Geocentric latitude of the edge, degrees.
    """
    ratio = orbit_radius_km(orbit, argument) / earth_radius_km(geocentric)
    scan = np.radians(orbit.half_angle_deg)
    return np.asarray(np.degrees(np.arcsin(np.minimum(ratio * np.sin(scan), 1.0)) - scan))


def swath_point(
    orbit: Orbit, pass_index: ArrayLike, argument: ArrayLike, eta: ArrayLike
) -> tuple[_Floats, _Floats]:
    """Place of a point of a swath.

    Parameters
    ----------
    orbit : Orbit
    pass_index : array_like of int
        Number of the ascending node that `argument` counts from.
    argument, eta : array_like
        Degrees along the track, and beside it (positive to the left of the flight).

    Returns
    -------
    latitude, longitude : ndarray
        Geodetic degrees; longitude -180..180.
    """
    u, beside = np.radians(argument), np.radians(eta)
    x = np.cos(beside) * np.cos(u)
    y = np.cos(beside) * np.sin(u)
    z = np.sin(beside)
    tilt = np.radians(orbit.inclination_deg)
    east = y * np.cos(tilt) - z * np.sin(tilt)
    north = y * np.sin(tilt) + z * np.cos(tilt)
    latitude = np.degrees(np.arcsin(np.clip(north, -1.0, 1.0)))
    turned = np.asarray(pass_index) + elapsed_turns(orbit, u)
    longitude = orbit.node_lon_deg + np.degrees(np.arctan2(east, x)) - turned * orbit.spacing_deg
    return geodetic_latitude(latitude), np.asarray((longitude + 180.0) % 360.0 - 180.0)


def ground_track(orbit: Orbit, times: ArrayLike) -> tuple[_Floats, _Floats]:
    """Point under the satellite.

    Parameters
    ----------
    orbit : Orbit
    times : array_like
        Epoch seconds.

    Returns
    -------
    latitude, longitude : ndarray
        Geodetic degrees; longitude -180..180.
    """
    turns = (np.asarray(times, dtype=np.float64) - orbit.node_time_s) / orbit.period_s
    number = np.floor(turns)
    turns = turns - number
    argument = turns
    for _ in range(3):  # each step leaves 0.2 %
        argument = argument + turns - elapsed_turns(orbit, 2 * np.pi * argument)
    return swath_point(orbit, number, argument * 360.0, 0.0)


def edge_longitudes(
    orbit: Orbit,
    pass_index: ArrayLike,
    latitudes: ArrayLike,
    side: Side,
    *,
    ascending: bool | None = None,
) -> _Floats:
    """Longitudes at which a swath's edge crosses given latitudes.

    Parameters
    ----------
    orbit : Orbit
    pass_index : array_like of int
        Number of the pass; broadcast against `latitudes`.
    latitudes : array_like
        Geodetic degrees.
    side : {"east", "west"}
        Which edge.
    ascending : bool, optional
        The half of the revolution; by default the one in daylight.

    Returns
    -------
    ndarray
        Degrees, -180..180; NaN where the edge does not reach the latitude.
    """
    if ascending is None:
        ascending = orbit.record.day_node == "ascending"
    geocentric = geocentric_latitude(latitudes)
    # Both imagers fly north-north-west by day or south-south-west: left is west going north.
    sign = 1.0 if (side == "west") == ascending else -1.0
    tilt = np.radians(orbit.inclination_deg)
    north = np.sin(np.radians(geocentric))
    argument = np.where(ascending, geocentric, 180.0 - geocentric)
    eta = np.zeros_like(geocentric)
    for _ in range(4):  # the half-width depends on the argument weakly: 1e-6 degree after three
        eta = sign * half_width_deg(orbit, argument, geocentric)
        beside = np.radians(eta)
        sine = (north - np.sin(beside) * np.cos(tilt)) / (np.cos(beside) * np.sin(tilt))
        with np.errstate(invalid="ignore"):
            rising = np.degrees(np.arcsin(sine))
        argument = rising if ascending else np.asarray(180.0 - rising)
    return swath_point(orbit, pass_index, argument, eta)[1]
