"""`Orbit` from a two-line element set, by SGP4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.sky.orbit import Orbit, wrap_degrees
from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.sky.sun import greenwich_sidereal_deg
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["MAX_AGE_DAYS", "orbit_from_tle"]

MAX_AGE_DAYS = 45
"""An older element set is refused: an orbit manoeuvre would be likely in between."""
_FRESH_SIGMA_DEG = 0.03
_SIGMA_DEG_PER_DAY = 0.01
"""Growth of the node's longitude error: two elements of Terra in 2023 disagree by 0.1-0.55 pixel of
0.07 degree within some days."""
_JD_2000 = 2451544.5
_STEP_S = 20.0
_CIRCLE_DEG = 0.2
"""Scatter of nodes about even steps above which the elements are of no orbit such as these."""


def orbit_from_tle(text: str | Sequence[str], day: dt.date) -> Orbit:
    """Return the orbit of a day by a two-line element set.

    Parameters
    ----------
    text : str or sequence of str
        The two lines, with a line of the name before them or without; of several sets the one
        nearest to the day.
    day : datetime.date
        Node 0 is the first ascending node of this UTC day.

    Returns
    -------
    Orbit
        Its satellite is told by the catalogue number.

    Raises
    ------
    UsageError
        If no set can be read, a checksum is wrong, the satellite is none of the five, or the set
        is over 45 days from the day.
    """
    lines = text.splitlines() if isinstance(text, str) else list(text)
    sets = [_checked(first, second) for first, second in _pairs(lines)]
    if not sets:
        raise UsageError(
            "no two-line element set found: two lines of 69 characters, '1 25994U ...' and "
            "'2 25994 ...', are needed"
        )
    numbers = {number for number, *_ in sets}
    if len(numbers) > 1:
        names = ", ".join(str(number) for number in sorted(numbers))
        raise UsageError(f"the element sets are of several satellites ({names}): give one's")
    middle = day_start_s(day) + 0.5 * DAY_S
    number, first, second, epoch = min(sets, key=lambda one: abs(one[3] - middle))
    satellite = _satellite(number)
    age = abs(epoch - middle) / DAY_S
    if age > MAX_AGE_DAYS:
        raise UsageError(
            f"the element set of {satellite.name} is {age:.0f} days from {day}, at most "
            f"{MAX_AGE_DAYS} can be bridged: give a nearer one"
        )
    return _orbit(satellite, first, second, day, age)


def _pairs(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Neighbouring lines 1 and 2."""
    clean = [line.strip() for line in lines if line.strip()]
    return [
        (first, second)
        for first, second in pairwise(clean)
        if first.startswith("1 ") and second.startswith("2 ")
    ]


def _checked(first: str, second: str) -> tuple[int, str, str, float]:
    """Satellite number, both lines, epoch seconds; raises if they are not what they claim."""
    for line in (first, second):
        if len(line) != 69 or not line.isascii():
            raise UsageError(f"an element line has 69 characters, not {len(line)}: {line[:80]!r}")
        total = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
        if line[68] != str(total % 10):
            raise UsageError(f"wrong checksum {line[68]!r}, {total % 10} is right, in {line!r}")
    try:
        number, other = int(first[2:7]), int(second[2:7])
        year, day = int(first[18:20]), float(first[20:32])
    except ValueError as err:
        raise UsageError(f"an element line cannot be read: {first!r}") from err
    if number != other:
        raise UsageError(f"the two lines are of satellites {number} and {other}")
    if not 1.0 <= day < 367.0:
        raise UsageError(f"{day:g} is no day of a year, in {first!r}")
    january = day_start_s(dt.date(2000 + year if year < 57 else 1900 + year, 1, 1))
    return number, first, second, january + (day - 1.0) * DAY_S


def _satellite(number: int) -> Satellite:
    for satellite in SATELLITES.values():
        if satellite.number == number:
            return satellite
    known = ", ".join(f"{s.name} {s.number}" for s in SATELLITES.values())
    raise UsageError(f"satellite number {number} is none of: {known}")


def _orbit(satellite: Satellite, first: str, second: str, day: dt.date, age: float) -> Orbit:
    """Lay even steps through the nodes of a day and a half."""
    try:
        from sgp4.api import Satrec  # noqa: PLC0415
    except ImportError as err:
        raise MissingExtraError(
            "a two-line element set needs the package sgp4: pip install sgp4"
        ) from err
    record = Satrec.twoline2rv(first, second)
    start = day_start_s(day)
    times, longitudes = _nodes(record, start - 0.25 * DAY_S, start + 1.25 * DAY_S)
    if times.size < 3:
        raise UsageError(f"the element set of {satellite.name} has no nodes on {day}: {first!r}")
    index = np.arange(times.size) - int(np.searchsorted(times, start))
    period, node_time = np.polyfit(index, times, 1)
    spacing, node_lon = np.polyfit(index, longitudes, 1)
    scatter = float(np.abs(longitudes - (node_lon + spacing * index)).max())
    if scatter > _CIRCLE_DEG or abs(period / satellite.nodal_period_s - 1.0) > 0.02:
        raise UsageError(
            f"the element set gives {satellite.name} a period of {period:.0f} s and nodes uneven "
            f"by {scatter:.2f} degrees: it is not its orbit"
        )
    grown = (period / satellite.nodal_period_s) ** (2.0 / 3.0)  # Kepler's third law
    return Orbit(
        satellite=satellite.name,
        node_time_s=float(node_time),
        node_lon_deg=wrap_degrees(float(node_lon)),
        spacing_deg=-float(spacing),
        period_s=float(period),
        inclination_deg=float(np.degrees(record.inclo)),
        semi_major_km=satellite.semi_major_km * float(grown),
        half_angle_deg=sum(satellite.scan_half_angle_deg) / 2,
        valid=(day, day),
        source="tle",
        longitude_sigma_deg=_FRESH_SIGMA_DEG + _SIGMA_DEG_PER_DAY * age,
        time_sigma_s=1.0 + 2.0 * age,
        eccentricity_km=satellite.eccentricity_km,
        note=f"two-line element set {age:.0f} days away",
    )


def _nodes(
    record: Any, first_s: float, last_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Epoch seconds and unwrapped longitudes of the ascending nodes in a span."""
    times = np.arange(first_s, last_s, _STEP_S)
    errors, places, _ = record.sgp4_array(np.full(times.shape, _JD_2000), times / DAY_S)
    if np.any(errors):
        return np.empty(0), np.empty(0)
    height = places[:, 2]
    before = np.flatnonzero((height[:-1] < 0.0) & (height[1:] >= 0.0))
    part = height[before] / (height[before] - height[before + 1])
    ascension = np.unwrap(np.degrees(np.arctan2(places[:, 1], places[:, 0])), period=360.0)
    inertial = ascension[before] + part * (ascension[before + 1] - ascension[before])
    crossing = times[before] + part * _STEP_S
    longitude = np.unwrap(inertial - greenwich_sidereal_deg(crossing), period=360.0)
    return crossing, longitude
