"""The share of the Sun's disc that the Moon covers, at every pixel at its own time.

The Moon and the Sun come from astronomy-engine (arc seconds, no data files) at a few moments of an
eclipse and are polynomials of time in between; what a pixel sees is worked out from its own place
on the ellipsoid.  A day without an eclipse anywhere is refused by the argument of latitude of its
New Moon (J. Meeus, *Astronomical Algorithms*, 2nd ed., ch. 49 and 54): a few microseconds.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from gibswatch.sky.moon import (
    elongation_moment_s,
    mean_new_moon_s,
    moon_and_sun_km,
    nearest_lunation,
)
from gibswatch.sky.sun import greenwich_sidereal_deg
from gibswatch.types import FloatArray

__all__ = ["Eclipse", "disc_overlap", "eclipse_between", "obscuration", "shadow_axis"]

_DAY_S = 86400.0
_EARTH_KM = 6378.137  # WGS 84
_FLATTENING = 1 / 298.257223563
_SUN_KM = 696_000.0  # IAU 1976, as the almanacs' eclipses use
_MOON_KM = 0.2725076 * _EARTH_KM  # IAU 1982, mean limb
_HALF_SPAN_S = 5 * 3600.0  # the penumbra is on the Earth for at most 3.2 h before and after
_FIT_STEP_S = 900.0
_SIDEREAL_DEG_A_HOUR = 360.98564736629 / 24
_NEW_MOON_LIMIT_S = 0.62 * _DAY_S  # a true New Moon from the mean one: 0.6 d at most
_PART = 32768


@dataclass(frozen=True, slots=True, eq=False)
class Eclipse:
    """A solar eclipse somewhere on Earth: places of Sun and Moon while it lasts."""

    peak_s: float
    """Epoch seconds: the axis of the shadow is closest to the Earth's centre."""
    first_s: float
    """The penumbra is not on the Earth before."""
    last_s: float
    """Nor after."""
    axis_distance: float
    """Of the axis from the Earth's centre at the peak, in Earth radii (the size of gamma)."""
    moon_km: FloatArray
    """(7, 3) coefficients, highest power first, of x, y, z in hours since the peak.

    Geocentric, equator and equinox of date.
    """
    sun_km: FloatArray
    """(3, 3) coefficients of the Sun."""
    sidereal_deg: float
    """Apparent sidereal time at Greenwich at the peak."""


def eclipse_between(first_s: float, last_s: float) -> Eclipse | None:
    """Return the solar eclipse that is somewhere on Earth in a span of time, if there is one.

    Parameters
    ----------
    first_s, last_s : float
        Epoch seconds, at most 20 days apart.

    Raises
    ------
    ValueError
        If they are further apart: there could be two.
    """
    if last_s - first_s > 20 * _DAY_S:
        raise ValueError("eclipses are looked for in at most 20 days at a time")
    lunation = nearest_lunation((first_s + last_s) / 2)
    margin = _NEW_MOON_LIMIT_S + _HALF_SPAN_S
    if not first_s - margin <= mean_new_moon_s(lunation) <= last_s + margin:
        return None
    eclipse = _eclipse_of(lunation)
    if eclipse is None or eclipse.first_s > last_s or eclipse.last_s < first_s:
        return None
    return eclipse


def obscuration(lon_deg: FloatArray, lat_deg: FloatArray, time_s: FloatArray) -> FloatArray:
    """Share of the Sun's disc area covered by the Moon.

    Parameters
    ----------
    lon_deg, lat_deg, time_s : ndarray of float
        Degrees (latitude geodetic, height 0) and epoch seconds, NaN where nothing is seen;
        broadcast against each other.

    Returns
    -------
    ndarray of float32
        0-1, within 0.01 of the ephemerides; 0 where the Sun is more than a degree under the
        horizon.
    """
    lon, lat, time = np.broadcast_arrays(lon_deg, lat_deg, time_s)
    share = np.zeros(time.shape, dtype=np.float32)
    if time.size == 0:
        return share
    first, last = (float(bound.reduce(time, axis=None)) for bound in (np.fmin, np.fmax))
    eclipse = eclipse_between(first, last) if np.isfinite([first, last]).all() else None
    if eclipse is None:
        return share
    chosen = np.nonzero((time >= eclipse.first_s) & (time <= eclipse.last_s))
    for start in range(0, chosen[0].size, _PART):
        part = tuple(axis[start : start + _PART] for axis in chosen)
        places = lon[part].astype(np.float64), lat[part].astype(np.float64)
        share[part] = _share_seen(eclipse, *places, time[part])
    return share


def shadow_axis(eclipse: Eclipse, time_s: float) -> tuple[float, float] | None:
    """Longitude and geodetic latitude where the axis of the shadow meets the ground.

    Returns
    -------
    tuple of float or None
        Degrees; None while the axis misses the Earth.
    """
    hours = (time_s - eclipse.peak_s) / 3600.0
    moon, sun = (
        np.array([np.polyval(of_axis, hours) for of_axis in coefficients.T])
        for coefficients in (eclipse.moon_km, eclipse.sun_km)
    )
    squash = np.array([1.0, 1.0, 1.0 / (1.0 - _FLATTENING)])  # makes the ellipsoid a sphere
    start, way = moon * squash, (moon - sun) * squash
    way = way / np.linalg.norm(way)
    half, rest = float(start @ way), float(start @ start) - _EARTH_KM**2
    if half * half < rest:
        return None
    x, y, z = start - (half + np.sqrt(half * half - rest)) * way
    turned = eclipse.sidereal_deg + _SIDEREAL_DEG_A_HOUR * hours
    lon = np.degrees(np.arctan2(y, x)) - turned
    lat = np.degrees(np.arctan2(z / (1.0 - _FLATTENING), np.hypot(x, y)))
    return (float((lon + 180.0) % 360.0 - 180.0), float(lat))


def disc_overlap(distance: FloatArray, sun: FloatArray, moon: FloatArray) -> FloatArray:
    """Share of the Sun's disc that a disc of radius `moon` covers; all three in one unit.

    Examples
    --------
    >>> one = np.ones(3)
    >>> disc_overlap(np.array([2.0, 0.0, 1.0]), one, one).round(4).tolist()
    [0.0, 1.0, 0.391]
    """
    inside = np.minimum(1.0, (moon / sun) ** 2)
    apart = np.clip(distance, np.abs(sun - moon) + 1e-12, sun + moon)
    of_sun = np.clip((apart**2 + sun**2 - moon**2) / (2 * apart * sun), -1, 1)
    of_moon = np.clip((apart**2 + moon**2 - sun**2) / (2 * apart * moon), -1, 1)
    half_kite = of_sun * np.sqrt(1 - of_sun**2) + (moon / sun) ** 2 * of_moon * np.sqrt(
        1 - of_moon**2
    )
    lens = (np.arccos(of_sun) + (moon / sun) ** 2 * np.arccos(of_moon) - half_kite) / np.pi
    return np.asarray(np.where(distance <= np.abs(sun - moon), inside, np.maximum(lens, 0.0)))


def _share_seen(
    eclipse: Eclipse, lon_deg: FloatArray, lat_deg: FloatArray, time_s: FloatArray
) -> FloatArray:
    """Obscuration of a few pixels within the time of an eclipse.

    Single precision holds the Moon's distance to 0.03 km, angles to a tenth of an arc second.
    """
    hours = ((time_s - eclipse.peak_s) / 3600.0).astype(np.float32)
    turned = lon_deg + eclipse.sidereal_deg + _SIDEREAL_DEG_A_HOUR * hours
    ground = _ground_km(np.remainder(turned, 360.0).astype(np.float32), lat_deg)
    moon, sun = _polynomials(eclipse.moon_km, hours), _polynomials(eclipse.sun_km, hours)
    lowest = -np.sin(np.radians(1.0)) * _EARTH_KM * np.linalg.norm(eclipse.sun_km[-1])
    day = np.flatnonzero(np.einsum("ij,ij->j", ground, sun) > lowest)
    to_moon, to_sun = moon[:, day] - ground[:, day], sun[:, day] - ground[:, day]
    moon_km = np.sqrt(np.einsum("ij,ij->j", to_moon, to_moon))
    sun_km = np.sqrt(np.einsum("ij,ij->j", to_sun, to_sun))
    chord = to_moon / moon_km - to_sun / sun_km  # of the unit sphere: exact for small angles too
    apart = np.sqrt(np.einsum("ij,ij->j", chord, chord))
    touched = np.flatnonzero(apart < _SUN_KM / sun_km + _MOON_KM / moon_km)
    share = np.zeros(time_s.size, dtype=np.float32)
    share[day[touched]] = disc_overlap(
        2 * np.arcsin(apart[touched] / 2),
        np.arcsin(_SUN_KM / sun_km[touched]),
        np.arcsin(_MOON_KM / moon_km[touched]),
    )
    return share


def _ground_km(angle_deg: FloatArray, lat_deg: FloatArray) -> FloatArray:
    """Places on the ellipsoid, `angle_deg` east of the equinox: (3, n) km, float32."""
    angle, lat = np.radians(angle_deg), np.radians(lat_deg.astype(np.float32))
    sine = np.sin(lat)
    normal = _EARTH_KM / np.sqrt(1 - _FLATTENING * (2 - _FLATTENING) * sine**2)
    across = normal * np.cos(lat)
    up = normal * (1 - _FLATTENING) ** 2 * sine
    return np.stack([across * np.cos(angle), across * np.sin(angle), up])


def _polynomials(coefficients: FloatArray, hours: FloatArray) -> FloatArray:
    """Evaluate three polynomials by Horner's rule: (3, n), in the precision of `hours`."""
    rows = coefficients.astype(hours.dtype)
    value = np.repeat(rows[0][:, np.newaxis], hours.size, axis=1)
    for row in rows[1:]:
        value *= hours
        value += row[:, np.newaxis]
    return value


@functools.lru_cache(maxsize=64)
def _eclipse_of(lunation: int) -> Eclipse | None:
    """Work out the eclipse of a New Moon, if it has one."""
    argument = np.radians(160.7108 + 390.67050284 * lunation)  # Moon's argument of latitude
    if abs(float(np.sin(argument))) > 0.36:  # Meeus, ch. 54: no eclipse can happen
        return None
    peak = elongation_moment_s(0.0, lunation)
    for _ in range(2):
        knots = peak + np.arange(-_HALF_SPAN_S, _HALF_SPAN_S + 1.0, _FIT_STEP_S)
        moon, sun = moon_and_sun_km(knots)
        axis = moon - sun
        axis /= np.linalg.norm(axis, axis=1)[:, np.newaxis]
        along = np.einsum("ij,ij->i", moon, axis)
        distance = np.linalg.norm(moon - along[:, np.newaxis] * axis, axis=1)
        square = np.polyfit((knots - peak) / 3600.0, distance**2, 2)
        peak -= 3600.0 * float(square[1] / (2 * square[0]))
    least = float(square[2] - square[1] ** 2 / (4 * square[0]))
    closest = max(least, 0.0) ** 0.5
    # Radius of the penumbra where the axis is closest to the Earth's centre.
    cone = (_SUN_KM + _MOON_KM) / float(np.linalg.norm(moon - sun, axis=1).mean())
    reach = _EARTH_KM + _MOON_KM + cone * (float(np.abs(along).mean()) + _EARTH_KM)
    if closest > reach:
        return None
    half_s = 3600.0 * float(np.sqrt((reach**2 - closest**2) / square[0])) + 60.0
    hours = (knots - peak) / 3600.0
    return Eclipse(
        peak,
        peak - half_s,
        peak + half_s,
        closest / _EARTH_KM,
        np.polyfit(hours, moon, 6),
        np.polyfit(hours, sun, 2),
        float(greenwich_sidereal_deg(peak)),
    )
