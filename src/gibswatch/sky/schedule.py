"""Manoeuvres and calibrations that the Moon sets: what may be missing on purpose, and when.

VIIRS looks at the Moon through its space view at one phase angle (51 deg, the Moon waxing), for
which the satellite rolls for twelve minutes; Earth scenes of that time are lost.  The elongation is
that of four rolls which NOAA announced (2015-01-30 08:22, 2015-12-21 13:36, 2019-12-07 19:54,
2021-04-23 09:06 UTC).  Dark scenes of the day/night band are calibrated around New Moon.

Months without a roll and the probabilities were read from the odd months of the predecessor's
labels alone; ``benchmarks/quality/labels_explained.py`` prints what they explain in the even ones.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from gibswatch.sky.moon import elongation_moment_s, nearest_lunation
from gibswatch.sky.timescale import DAY_S, datetime_at, day_start_s

__all__ = ["ROLL_ELONGATION_DEG", "ScheduleKind", "Window", "scheduled_windows"]

ScheduleKind = Literal["lunar-roll", "new-moon"]

ROLL_ELONGATION_DEG = 128.3
"""Of the Moon at a roll: the mean of the four announced ones, 127.9 to 128.7."""

_VIIRS = frozenset({"SNPP", "NOAA-20", "NOAA-21"})
_NO_ROLL_MONTHS = frozenset({7, 8, 9})
_ROLL_S = 720.0
_ROLL_SPREAD_S = 2 * 3600.0  # the announced ones are within 0.9 h; an orbit is 1.7 h
# An afternoon orbit crosses the equator at 13:30: the local day ends 1.5 h after the UTC day.
_AFTERNOON_LAG_S = 1.5 * 3600.0
# Share of days, by their distance from the day of the moment, that the odd months show (Laplace's
# rule): 11 of 11 rolls on the day, 2 on the eve, 1 on the morrow; New Moon 4 of 48.
_ROLL_PROBABILITY = {-1: 0.2, 0: 0.92, 1: 0.15}
_NEW_MOON_PROBABILITY = 0.1


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in which a scheduled gap may lie."""

    kind: ScheduleKind
    why: str
    """One sentence for a person."""
    probability: float
    """That this local day has such a gap, 0-1."""
    first_s: float
    """Epoch seconds, the earliest moment of the manoeuvre."""
    last_s: float
    """The latest."""
    duration_s: float
    """How long the manoeuvre itself lasts; 0 where that is not known."""


def scheduled_windows(satellite: str, day: dt.date) -> tuple[Window, ...]:
    """What the Moon schedules for a satellite on a local day; likeliest first.

    Parameters
    ----------
    satellite : str
        Name, e.g. ``SNPP``; only the satellites with VIIRS have such days.
    day : datetime.date
        Local calendar day, as GIBS cuts its pictures.

    Examples
    --------
    >>> [(w.kind, w.probability) for w in scheduled_windows("SNPP", dt.date(2015, 12, 21))]
    [('lunar-roll', 0.92)]
    """
    if satellite not in _VIIRS:
        return ()
    windows = [*_rolls(day), *_new_moons(day)]
    return tuple(sorted(windows, key=lambda window: -window.probability))


def _rolls(day: dt.date) -> list[Window]:
    moment, away = _nearest(ROLL_ELONGATION_DEG, day)
    month = datetime_at(moment).month
    if away not in _ROLL_PROBABILITY or month in _NO_ROLL_MONTHS:
        return []
    why = (
        f"monthly lunar calibration: the Moon is {ROLL_ELONGATION_DEG:g} deg from the Sun at "
        f"{_clock(moment)} UTC, when VIIRS is rolled to it for some 12 minutes"
    )
    first, last = moment - _ROLL_SPREAD_S, moment + _ROLL_SPREAD_S
    return [Window("lunar-roll", why, _ROLL_PROBABILITY[away], first, last, _ROLL_S)]


def _new_moons(day: dt.date) -> list[Window]:
    moment, away = _nearest(0.0, day)
    if abs(away) > 1:
        return []
    why = f"calibration in the dark of the New Moon of {_clock(moment)} UTC"
    first, last = moment - DAY_S, moment + DAY_S
    return [Window("new-moon", why, _NEW_MOON_PROBABILITY, first, last, 0.0)]


def _nearest(elongation_deg: float, day: dt.date) -> tuple[float, int]:
    """Moment of an elongation that is nearest to a day, and the day minus its local day."""
    start = day_start_s(day)
    noon = start + DAY_S / 2
    lunation = nearest_lunation(noon - elongation_deg / 360.0 * 29.530588861 * DAY_S)
    moment = elongation_moment_s(elongation_deg, lunation)
    return moment, round(start / DAY_S) - int((moment - _AFTERNOON_LAG_S) // DAY_S)


def _clock(moment_s: float) -> str:
    return datetime_at(moment_s).strftime("%Y-%m-%d %H:%M")
