"""Where the Sun stands, in NumPy: declination, hour angle, zenith and azimuth, and Sun glint.

Formulas: J. Meeus, *Astronomical Algorithms*, 2nd ed., ch. 12 (sidereal time) and 25 (Sun, low
accuracy, 0.01 deg).  No refraction, and the Sun's parallax (0.0024 deg) is left out.  Latitudes are
geodetic, so that a zenith angle is measured from the normal of the ellipsoid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gibswatch.types import FloatArray

__all__ = [
    "SunAngles",
    "SunPosition",
    "delta_t_s",
    "glint_angle",
    "greenwich_sidereal_deg",
    "solar_angles",
    "solar_zenith",
    "sun_position",
]

_DELTA_T_YEARS = (2000.0, 2005.0, 2010.0, 2015.0, 2020.0, 2025.0)
_DELTA_T_S = (63.83, 64.69, 66.07, 67.64, 69.36, 69.14)  # observed, IERS and USNO
_J2000_S = 43200.0  # J2000 is noon of the day that epoch seconds begin with
_DAY_S = 86400.0
_CENTURY_S = 36525.0 * _DAY_S
_KNOT_S = 1800.0  # between knots the Sun's motion bends by less than 1e-5 deg
_ROWS = 65536  # pixels worked on at once: their temporaries stay in the processor's cache


class SunPosition(NamedTuple):
    """The Sun as seen from the Earth's centre, equator and equinox of date."""

    declination_deg: FloatArray
    greenwich_hour_angle_deg: FloatArray
    """West of Greenwich, 0-360."""
    distance_au: FloatArray


class SunAngles(NamedTuple):
    """The Sun as seen from places on the ground."""

    zenith_deg: FloatArray
    azimuth_deg: FloatArray
    """From north over east, -180..180."""


def delta_t_s(time_s: FloatArray | float) -> FloatArray:
    """Terrestrial minus universal time in seconds; after 2025 as in 2025."""
    years = 2000.0 + np.asarray(time_s, dtype=np.float64) / (365.25 * _DAY_S)
    return np.asarray(np.interp(years, _DELTA_T_YEARS, _DELTA_T_S))


def greenwich_sidereal_deg(time_s: FloatArray | float) -> FloatArray:
    """Apparent sidereal time at Greenwich, degrees, not reduced to a circle (Meeus 12.4).

    Parameters
    ----------
    time_s : ndarray of float
        Epoch seconds (since 2000-01-01 UTC; UT1 is within 0.9 s of it, 0.004 deg).
    """
    seconds = np.asarray(time_s, dtype=np.float64) - _J2000_S
    century = seconds / _CENTURY_S
    node = np.radians(125.04 - 1934.136 * century)
    equinoxes = -0.00478 * np.cos(np.radians(23.44)) * np.sin(node)
    mean = 280.46061837 + 360.98564736629 * (seconds / _DAY_S) + 0.000387933 * century**2
    return np.asarray(mean + equinoxes)


def sun_position(time_s: FloatArray | float) -> SunPosition:
    """Apparent declination, Greenwich hour angle and distance of the Sun.

    Parameters
    ----------
    time_s : ndarray of float, any shape
        Epoch seconds.

    Returns
    -------
    SunPosition
        Arrays of that shape; within 0.01 deg over 2000-2030.
    """
    seconds = np.asarray(time_s, dtype=np.float64)
    t = (seconds + delta_t_s(seconds) - _J2000_S) / _CENTURY_S
    anomaly = np.radians(357.52911 + t * (35999.05029 - 0.0001537 * t))
    centre = (
        (1.914602 - t * (0.004817 + 0.000014 * t)) * np.sin(anomaly)
        + (0.019993 - 0.000101 * t) * np.sin(2 * anomaly)
        + 0.000289 * np.sin(3 * anomaly)
    )
    eccentricity = 0.016708634 - 0.000042037 * t
    true_anomaly = anomaly + np.radians(centre)
    distance = 1.000001018 * (1 - eccentricity**2) / (1 + eccentricity * np.cos(true_anomaly))
    node = np.radians(125.04 - 1934.136 * t)
    longitude = np.radians(
        280.46646 + t * (36000.76983 + 0.0003032 * t) + centre - 0.00569 - 0.00478 * np.sin(node)
    )
    obliquity = np.radians(23.439291 - 0.0130042 * t + 0.00256 * np.cos(node))
    ascension = np.degrees(np.arctan2(np.cos(obliquity) * np.sin(longitude), np.cos(longitude)))
    declination = np.degrees(np.arcsin(np.sin(obliquity) * np.sin(longitude)))
    hour_angle = np.mod(greenwich_sidereal_deg(seconds) - ascension, 360.0)
    return SunPosition(declination, hour_angle, distance)


def solar_zenith(
    lon_deg: FloatArray | float, lat_deg: FloatArray | float, time_s: FloatArray | float
) -> FloatArray:
    """Zenith angle of the Sun's centre at places and times.

    Parameters
    ----------
    lon_deg, lat_deg, time_s : ndarray of float
        Degrees (latitude geodetic) and epoch seconds; broadcast against each other.

    Returns
    -------
    ndarray of float64
        Degrees, 0-180, within 0.02 of the ephemerides; NaN where a time is.
    """
    return _by_parts(lon_deg, lat_deg, time_s, azimuth=False).zenith_deg


def solar_angles(
    lon_deg: FloatArray | float, lat_deg: FloatArray | float, time_s: FloatArray | float
) -> SunAngles:
    """Zenith angle and azimuth of the Sun's centre; parameters as for `solar_zenith`."""
    return _by_parts(lon_deg, lat_deg, time_s, azimuth=True)


def glint_angle(
    sun_zenith_deg: FloatArray,
    sun_azimuth_deg: FloatArray,
    view_zenith_deg: FloatArray,
    view_azimuth_deg: FloatArray,
) -> FloatArray:
    """Angle between the view and the Sun's mirror image in flat water.

    Parameters
    ----------
    sun_zenith_deg, sun_azimuth_deg, view_zenith_deg, view_azimuth_deg : ndarray of float
        Degrees, as seen from the pixel, towards the Sun and towards the satellite.

    Returns
    -------
    ndarray of float
        Degrees; 0 is the centre of the glint, and under about 20 the sea is bright.

    Examples
    --------
    >>> float(glint_angle(np.array(30.0), np.array(90.0), np.array(30.0), np.array(-90.0)).round(3))
    0.0
    """
    sun, view = np.radians(sun_zenith_deg), np.radians(view_zenith_deg)
    relative = np.radians(np.subtract(sun_azimuth_deg, view_azimuth_deg))
    cosine = np.cos(sun) * np.cos(view) - np.sin(sun) * np.sin(view) * np.cos(relative)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _by_parts(
    lon_deg: FloatArray | float,
    lat_deg: FloatArray | float,
    time_s: FloatArray | float,
    *,
    azimuth: bool,
) -> SunAngles:
    """Work through the pixels part by part; the Sun itself is worked out once for all of them."""
    lon, lat, time = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (lon_deg, lat_deg, time_s))
    )
    shape = lon.shape
    zenith = np.full(lon.size, np.nan)
    bearing = np.full(lon.size if azimuth else 0, np.nan)
    lon, lat, time = lon.ravel(), lat.ravel(), time.ravel()
    for start in range(0, lon.size, _ROWS):
        part = slice(start, start + _ROWS)
        declination, hour_angle = _sun_between_knots(time[part])
        hour = np.radians(hour_angle + lon[part])
        north, height = np.radians(lat[part]), np.radians(declination)
        sin_lat, cos_lat, cos_hour = np.sin(north), np.cos(north), np.cos(hour)
        sin_dec, cos_dec = np.sin(height), np.cos(height)
        cosine = sin_lat * sin_dec + cos_lat * cos_dec * cos_hour
        zenith[part] = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        if azimuth:
            northward = cos_lat * sin_dec - sin_lat * cos_dec * cos_hour
            bearing[part] = np.degrees(np.arctan2(-cos_dec * np.sin(hour), northward))
    return SunAngles(zenith.reshape(shape), bearing.reshape(shape if azimuth else (0,)))


def _sun_between_knots(time_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Declination and Greenwich hour angle, in degrees: exact for few times, else interpolated."""
    finite = time_s[np.isfinite(time_s)]
    if finite.size == 0:
        return np.full_like(time_s, np.nan), np.full_like(time_s, np.nan)
    first, last = float(finite.min()), float(finite.max())
    count = int((last - first) // _KNOT_S) + 2
    if count >= time_s.size:
        exact = sun_position(time_s)
        return exact.declination_deg, exact.greenwich_hour_angle_deg
    knots = first + np.arange(count) * _KNOT_S
    sun = sun_position(knots)
    angle = np.unwrap(sun.greenwich_hour_angle_deg, period=360.0)
    return (
        np.interp(time_s, knots, sun.declination_deg),
        np.interp(time_s, knots, angle),
    )
