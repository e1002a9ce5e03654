"""Where the Moon stands: its elongation, the moments of a given one, and its place in space.

astronomy-engine (VSOP87 and a lunar series, arc seconds, no data files) is asked for single
moments; whoever needs the Moon at every pixel puts a polynomial through a few of them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from gibswatch.sky.sun import delta_t_s
from gibswatch.types import FloatArray

if TYPE_CHECKING:
    from astronomy import Time

__all__ = [
    "elongation_moment_s",
    "mean_new_moon_s",
    "moon_and_sun_km",
    "moon_elongation",
    "nearest_lunation",
]

_AU_KM = 149_597_870.7
_DAY_S = 86400.0
_J2000_S = 43200.0
_SYNODIC_D = 29.530588861
_ELONGATION_A_DAY = 360.0 / _SYNODIC_D


def moon_elongation(time_s: float) -> float:
    """Ecliptic longitude of the Moon minus that of the Sun, 0-360 degrees.

    0 is New Moon, 90 first quarter, 180 Full Moon; 110-150 is the waxing Moon after it.
    """
    from astronomy import MoonPhase  # noqa: PLC0415 - takes 20 ms, and few days need it

    return float(MoonPhase(_astronomy_time(time_s)))


def mean_new_moon_s(lunation: int) -> float:
    """Epoch seconds of a mean New Moon; number 0 is that of 2000-01-06 (Meeus 49.1).

    The true one is at most 15 hours away.
    """
    century = lunation / 1236.85
    days = 5.09766 + _SYNODIC_D * lunation + 0.00015437 * century**2
    return days * _DAY_S + _J2000_S


def nearest_lunation(time_s: float) -> int:
    """Number of the mean New Moon that is nearest to a moment."""
    return round((time_s - mean_new_moon_s(0)) / _DAY_S / _SYNODIC_D)


@functools.lru_cache(maxsize=256)
def elongation_moment_s(elongation_deg: float, lunation: int) -> float:
    """Epoch seconds at which the Moon has an elongation, in a lunation.

    Parameters
    ----------
    elongation_deg : float
        0-360.
    lunation : int
        As of `mean_new_moon_s`; elongations grow from that New Moon on.
    """
    moment = mean_new_moon_s(lunation) + elongation_deg / _ELONGATION_A_DAY * _DAY_S
    for _ in range(6):
        off = (moon_elongation(moment) - elongation_deg + 180.0) % 360.0 - 180.0
        moment -= off / _ELONGATION_A_DAY * _DAY_S
    return moment


def moon_and_sun_km(moments_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Moon and apparent Sun, geocentric, equator and equinox of the middle moment.

    Parameters
    ----------
    moments_s : (n,) ndarray of float
        Epoch seconds, within a day or so of each other.

    Returns
    -------
    tuple of two (n, 3) ndarray of float64
        Kilometres.
    """
    from astronomy import Body, GeoMoon, GeoVector, Rotation_EQJ_EQD  # noqa: PLC0415

    times = [_astronomy_time(float(moment)) for moment in moments_s]
    rotation = np.array(Rotation_EQJ_EQD(times[len(times) // 2]).rot)
    moons = [GeoMoon(time) for time in times]
    suns = [GeoVector(Body.Sun, time, aberration=True) for time in times]
    moon, sun = (
        _AU_KM * np.array([[v.x, v.y, v.z] for v in vectors]) @ rotation
        for vectors in (moons, suns)
    )
    return moon, sun


def _astronomy_time(moment_s: float) -> Time:
    """astronomy-engine's time, by our own delta T (its own runs 8 s ahead by 2029)."""
    from astronomy import Time  # noqa: PLC0415

    return Time.FromTerrestrialTime((moment_s + float(delta_t_s(moment_s)) - _J2000_S) / _DAY_S)
