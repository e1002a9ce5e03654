"""How much of the Sun is gone at most in a satellite's pictures of a day, without any picture.

The swaths of a day are sampled every half degree or so, which takes milliseconds; whoever needs
every pixel asks for the expectation of a scene.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from gibswatch.sky.obscuration import eclipse_between, obscuration
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.sun import solar_zenith
from gibswatch.sky.swath import half_width_deg, swath_point
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["EclipseView", "largest_obscuration"]

_DARKEST_ZENITH_DEG = 86.0  # beyond it pictures are cut off
_STEP_S = 10.0
_ACROSS = 61


@dataclass(frozen=True, slots=True)
class EclipseView:
    """The pixel of a day at which most of the Sun is covered."""

    share: float
    """Of the Sun's disc area, 0-1."""
    lon_deg: float
    lat_deg: float
    time_s: float
    """Epoch seconds of its overpass."""


def largest_obscuration(orbit: Orbit, day: dt.date) -> EclipseView | None:
    """Find where a satellite sees the Sun covered most on a local calendar day.

    Parameters
    ----------
    orbit : Orbit
        Good for that day.
    day : datetime.date
        Local calendar day, cut at +-180 degrees, as GIBS cuts its pictures.

    Returns
    -------
    EclipseView or None
        None where the Moon covers nothing that is seen in daylight.
    """
    start = day_start_s(day)
    eclipse = eclipse_between(start - DAY_S / 2, start + 1.5 * DAY_S)
    if eclipse is None:
        return None
    times = np.arange(eclipse.first_s, eclipse.last_s, _STEP_S)
    argument = (times - orbit.node_time_s) / orbit.period_s * 360.0
    turns, along = np.divmod(argument, 360.0)
    widest = half_width_deg(orbit, along, 0.0) - 0.05  # the ground is nearer to the poles: inside
    beside = widest[:, np.newaxis] * np.linspace(-1.0, 1.0, _ACROSS)
    lat, lon = swath_point(orbit, turns[:, np.newaxis], along[:, np.newaxis], beside)
    moment = np.broadcast_to(times[:, np.newaxis], lon.shape)
    local = moment + lon * 240.0 - start  # 240 s of local time a degree
    seen = (local >= 0) & (local < DAY_S)
    seen &= solar_zenith(lon, lat, moment) <= _DARKEST_ZENITH_DEG
    share = np.where(seen, obscuration(lon, lat, moment), 0.0)
    best = np.unravel_index(int(np.argmax(share)), share.shape)
    if share[best] <= 0:
        return None
    return EclipseView(float(share[best]), float(lon[best]), float(lat[best]), float(moment[best]))
