"""Where the satellite is: tables of its passes around one local day, in earth-fixed coordinates.

The same table comes from `gibswatch.sky.orbit` or straight from SGP4 on two-line elements.  All
that follows (`passes`) works from the table alone, with code of its own, so that with
``tracks="tle"`` a benchmark shares no geometry with the detectors that it judges.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.sky.sun import greenwich_sidereal_deg, sun_position
from gibswatch.sky.swath import geocentric_latitude, ground_track, orbit_radius_km
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["Track", "track_of"]

_Doubles = NDArray[np.float64]

STEP_S = 30.0
"""Between samples; cubic interpolation over 220 km of track is good to a metre."""
_MAX_AGE_S = 45 * DAY_S
_JD_2000 = 2451544.5


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Every pass that can touch a local day, numbered by time from 0.

    A pass is one revolution, from the middle of the night side to the next; km and seconds.
    """

    start_s: _Doubles
    """(passes,) seconds since 0 h UTC of the day at the first sample of each pass."""
    position: _Doubles
    """(passes, samples, 3) earth-fixed, `STEP_S` apart."""
    velocity: _Doubles
    """(passes, samples, 3) of the position as the turning Earth sees it."""
    sun: _Doubles
    """(passes, samples, 3) direction to the Sun, earth-fixed."""
    turn_rate: float
    """Radians a second by which the Earth turns under the plane of the orbit."""
    period_s: float

    @property
    def passes(self) -> int:
        """How many."""
        return len(self.start_s)

    def at(self, number: NDArray[np.intp], time_s: _Doubles) -> tuple[_Doubles, _Doubles, _Doubles]:
        """Position, inertial velocity and Sun at times of passes.

        Parameters
        ----------
        number : (n,) ndarray of int
            Pass.
        time_s : (n,) ndarray of float
            Seconds since 0 h UTC of the day; moved into the pass.

        Returns
        -------
        position, velocity, sun : (n, 3) ndarray
            Earth-fixed axes; the velocity is the one that the stars see.
        """
        last = self.position.shape[1] - 2
        place = np.clip((time_s - self.start_s[number]) / STEP_S, 0.0, last + 0.999999)
        index = place.astype(np.intp)
        t = (place - index)[:, np.newaxis]
        p0, p1 = self.position[number, index], self.position[number, index + 1]
        v0, v1 = self.velocity[number, index] * STEP_S, self.velocity[number, index + 1] * STEP_S
        bend, twist = p1 - p0 - v0, 2.0 * (p0 - p1) + v0 + v1
        rest = bend - twist
        position = p0 + t * (v0 + t * (rest + t * twist))
        velocity = (v0 + t * (2.0 * rest + 3.0 * t * twist)) / STEP_S
        velocity = velocity + _turned(position, self.turn_rate)
        sun = self.sun[number, index]
        return position, velocity, sun + t * (self.sun[number, index + 1] - sun)


def _turned(vector: _Doubles, rate: float) -> _Doubles:
    """Cross product of the Earth's rotation with vectors."""
    result = np.zeros_like(vector)
    result[..., 0] = -rate * vector[..., 1]
    result[..., 1] = rate * vector[..., 0]
    return result


def track_of(spec: DaySpec) -> Track:
    """Return the passes around a day, as the specification perturbs them.

    Raises
    ------
    UsageError
        If `tracks` is ``tle`` and no element set of the satellite within 45 days is in the text.
    """
    late = spec.perturbation.local_time_s
    return _track(spec.satellite, spec.day, late, spec.tle if spec.tracks == "tle" else "")


@lru_cache(maxsize=16)
def _track(name: str, day: dt.date, late_s: float, tle: str) -> Track:
    satellite = SATELLITES[name]
    start = day_start_s(day)
    # Local days reach from UTC + 12 h back to UTC - 12 h, and a pass over half a period.
    first, last = start - 0.5 * DAY_S - 6200.0, start + 1.5 * DAY_S + 6200.0
    times = np.arange(first, last, STEP_S)
    if tle:
        position, rate = _by_sgp4(satellite, tle, times, start + 0.5 * DAY_S)
    else:
        position, rate = _by_orbit(satellite, day, times)
    velocity = np.gradient(position, STEP_S, axis=0, edge_order=2)
    velocity[2:-2] = (position[:-4] - 8 * position[1:-3] + 8 * position[3:-1] - position[4:]) / (
        12 * STEP_S
    )
    height = position[:, 2]
    rising = (height[:-1] < 0.0) & (height[1:] >= 0.0)
    falling = (height[:-1] >= 0.0) & (height[1:] < 0.0)
    period = STEP_S * float(np.diff(np.flatnonzero(rising)).mean())
    half = int(period / 2 / STEP_S) + 1
    nodes = np.flatnonzero(rising if satellite.day_node == "ascending" else falling)
    nodes = nodes[(nodes > half + 1) & (nodes < times.size - half - 2)]
    index = nodes[:, np.newaxis] + np.arange(-half, half + 1)
    moments = times + late_s
    position_sun = sun_position(moments)
    angle, rise = (
        np.radians(-position_sun.greenwich_hour_angle_deg),
        np.radians(position_sun.declination_deg),
    )
    sun = np.stack([np.cos(rise) * np.cos(angle), np.cos(rise) * np.sin(angle), np.sin(rise)], 1)
    return Track(
        moments[index[:, 0]] - start, position[index], velocity[index], sun[index], rate, period
    )


def _by_orbit(satellite: Satellite, day: dt.date, times: _Doubles) -> tuple[_Doubles, float]:
    """Positions by the closed-form orbit, and the rate of the Earth under its plane."""
    orbit = anchor_orbit(satellite, day)
    latitude, longitude = ground_track(orbit, times)
    phi, lam = np.radians(geocentric_latitude(latitude)), np.radians(longitude)
    # The argument only sets the radius, where a second of time is worth nothing.
    argument = (times - orbit.node_time_s) / orbit.period_s % 1.0 * 360.0
    radius = orbit_radius_km(orbit, argument)[:, np.newaxis]
    unit = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
    return radius * unit, float(np.radians(orbit.spacing_deg) / orbit.period_s)


def _by_sgp4(
    satellite: Satellite, tle: str, times: _Doubles, middle_s: float
) -> tuple[_Doubles, float]:
    """Positions by SGP4 from the satellite's nearest element set in a text."""
    from sgp4.api import Satrec  # noqa: PLC0415

    lines = [line.strip() for line in tle.splitlines() if line.strip()]
    sets = []
    for first, second in pairwise(lines):
        if first.startswith(f"1 {satellite.number:05d}") and second.startswith("2 "):
            record = Satrec.twoline2rv(first, second)
            epoch = (record.jdsatepoch - _JD_2000 + record.jdsatepochF) * DAY_S
            sets.append((abs(epoch - middle_s), epoch, record))
    if not sets or min(sets)[0] > _MAX_AGE_S:
        found = f"the nearest is {min(sets)[0] / DAY_S:.0f} days away" if sets else "there is none"
        raise UsageError(
            f"no two-line element of {satellite.name} (number {satellite.number}) within "
            f"{_MAX_AGE_S / DAY_S:.0f} days of the day: {found}; give one with the option of the "
            "elements' file"
        )
    record = min(sets, key=lambda one: one[:2])[2]
    errors, teme, _ = record.sgp4_array(np.full(times.shape, _JD_2000), times / DAY_S)
    if np.any(errors):
        raise UsageError(f"the two-line element of {satellite.name} cannot be followed: SGP4 fails")
    angle = np.radians(greenwich_sidereal_deg(times))
    cos, sin = np.cos(angle), np.sin(angle)
    fixed = np.stack(
        [cos * teme[:, 0] + sin * teme[:, 1], cos * teme[:, 1] - sin * teme[:, 0], teme[:, 2]], 1
    )
    return np.asarray(fixed), 7.292115e-5  # IERS, radians a second
