"""What is missing on purpose: rolls towards the Moon and calibrations at New Moon.

The dates come from code of the simulator's own, a short series for the Moon's elongation with
jitter, so that a detector's schedule is tried against something other than itself.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import numpy as np

from gibswatch.simulate.days.spec import FaultKind, FaultSpec, generator
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["afternoon_longitude", "elongation_deg", "scheduled_faults"]

_SYNODIC_D = 29.530588861
_DEGREES_A_DAY = 360.0 / _SYNODIC_D
_NEW_MOON_S = (5.0 + 18 / 24 + 14 / 1440) * DAY_S
"""New Moon of 2000-01-06 18:14 UTC (any almanac)."""
_ROLL_DEG, _ROLL_SIGMA_DEG, _ROLL_ABSENT = 128.0, 4.0, 0.25
"""Of 27 labelled VIIRS holes with the Moon at 110-150 degrees 21 are in 120-135."""
_DARK_SIGMA_DEG, _DARK_ABSENT = 6.0, 0.6
_NO_ROLLS = (7, 8, 9)
"""Months without a roll: a choice.  NOAA's notices that we know of lie between October and June; a
roll of a few degrees cannot reach the Moon in every season."""
_SHORTEST_S, _LONGEST_S = 300.0, 1200.0


def elongation_deg(time_s: float) -> float:
    """Moon's ecliptic longitude minus the Sun's, 0-360, by the largest terms of the lunar theory.

    Parameters
    ----------
    time_s : float
        Epoch seconds.

    Notes
    -----
    Within half a degree (Meeus, *Astronomical Algorithms*, ch. 47, seven terms), an hour of time.
    """
    days = time_s / DAY_S - 0.5
    d = np.radians(297.8502 + 12.19074912 * days)
    sun, moon = np.radians(357.5291 + 0.98560028 * days), np.radians(134.9634 + 13.06499295 * days)
    node = np.radians(93.2721 + 13.22935024 * days)
    moon_longer = (
        6.289 * np.sin(moon)
        + 1.274 * np.sin(2 * d - moon)
        + 0.658 * np.sin(2 * d)
        + 0.214 * np.sin(2 * moon)
        - 0.185 * np.sin(sun)
        - 0.114 * np.sin(2 * node)
    )
    sun_longer = 1.915 * np.sin(sun) + 0.020 * np.sin(2 * sun)
    return float((np.degrees(d) + moon_longer - sun_longer) % 360.0)


def scheduled_faults(seed: int, satellite: str, day: dt.date) -> tuple[FaultSpec, ...]:
    """Return the manoeuvres of a local day; only VIIRS has any.

    Parameters
    ----------
    seed : int
    satellite : str
    day : datetime.date

    Returns
    -------
    tuple of FaultSpec
        Of kinds ``roll`` and ``new-moon``, with their moments in daylight.
    """
    if SATELLITES[satellite].instrument != "VIIRS":
        return ()
    noon = day_start_s(day) + DAY_S / 2
    month = round((noon - _NEW_MOON_S) / DAY_S / _SYNODIC_D)
    found = []
    for lunation in (month - 1, month, month + 1):
        for kind in ("roll", "new-moon"):
            moment = _moment(seed, satellite, kind, lunation)
            # An afternoon orbit sees local noon of the date line's west first: 12 h to either side.
            if moment is None or _local_day(moment) != day:
                continue
            drawn = generator(seed, satellite, kind, lunation, "length")
            seconds = round(float(drawn.uniform(_SHORTEST_S, _LONGEST_S)), 1)
            found.append(FaultSpec(kind, day, time_s=moment, seconds=seconds))
    return tuple(found)


def afternoon_longitude(time_s: float) -> float:
    """Longitude, -180 to 180, at which it is 13:30 local time: where a VIIRS crosses the equator.

    Parameters
    ----------
    time_s : float
        Epoch seconds.
    """
    hours = time_s / 3600.0 % 24.0
    return ((13.5 - hours) * 15.0 + 180.0) % 360.0 - 180.0


def _local_day(moment: float) -> dt.date:
    """Local date where an afternoon satellite crosses the equator."""
    longitude = afternoon_longitude(moment)
    return dt.date(2000, 1, 1) + dt.timedelta(days=int((moment + 240.0 * longitude) // DAY_S))


@lru_cache(maxsize=4096)
def _moment(seed: int, satellite: str, kind: FaultKind, lunation: int) -> float | None:
    """Epoch seconds of a manoeuvre, or None in a month without it."""
    drawn = generator(seed, satellite, kind, lunation)
    absent, jitter = drawn.random(), drawn.normal()
    is_roll = kind == "roll"
    if absent < (_ROLL_ABSENT if is_roll else _DARK_ABSENT):
        return None
    target = (_ROLL_DEG + _ROLL_SIGMA_DEG * jitter) if is_roll else _DARK_SIGMA_DEG * jitter
    moment = _NEW_MOON_S + (lunation + target / 360.0) * _SYNODIC_D * DAY_S
    for _ in range(5):
        off = (elongation_deg(moment) - target + 180.0) % 360.0 - 180.0
        moment -= off / _DEGREES_A_DAY * DAY_S
    in_month = (dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=moment)).month
    return None if is_roll and in_month in _NO_ROLLS else moment
