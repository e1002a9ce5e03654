"""Passes over a coarse lattice of pixels: what is smooth is worked out there and interpolated.

Between the nodes of a lattice whose step is under 1.5 degrees, the scan angle at which a pass sees
a pixel, the time at which it does, and the Sun's cosine are all but straight.  Each is worked out
exactly at the nodes that a pass comes near to, and is NaN elsewhere.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.orbit import Orbit
from gibswatch.sky.places import is_separable, places_at
from gibswatch.sky.sun import sun_position
from gibswatch.sky.swath import (
    SECOND_HARMONIC_KM,
    earth_radius_km,
    geocentric_latitude,
    half_width_deg,
    orbit_radius_km,
)
from gibswatch.sky.timescale import DAY_S, day_start_s
from gibswatch.types import BoolArray, Georeference

__all__ = ["Lattice", "Sky", "SunLine", "lattice_passes", "lattice_step", "sun_line"]

_Floats = NDArray[np.float64]
_Singles = NDArray[np.float32]

_STEP_DEG = 1.45
_LARGEST_STEP = 32
_METRES_PER_DEGREE = 111_320.0
_BESIDE_DEG = 3.0
"""Nodes are worked out up to this angle beside a swath: the next node is two degrees away at most,
and the middle of a gap 2.3 at the equator."""
_DARK_ZENITH_DEG = 108.0
"""Nothing is worked out where the Sun is lower: 18 degrees under the horizon."""


@dataclass(frozen=True, slots=True)
class SunLine:
    """The Sun over the hours of one local day; straight lines of time are within 0.005 degree."""

    hour_angle_deg: tuple[float, float]
    """Greenwich hour angle at 0 h UTC of the day, and its rate per second."""
    sine: tuple[float, float]
    """Of the declination, and its rate."""
    cosine: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Nodes at every `step`-th pixel centre; the last ones may lie beyond the picture."""

    step: int
    step_deg: float
    """The same on the ground."""
    longitude: _Floats
    """(nodes down, nodes across) degrees; not wrapped in EPSG:4326 and 3857."""
    latitude: _Floats
    """Geodetic."""
    day_cut: BoolArray
    """(cells down, cells across): the antimeridian or a pole lies in the cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """What each pass of a day does at the nodes."""

    lattice: Lattice
    orbit: Orbit
    """With node 0 as the first of these passes: the passes are numbered from 0."""
    fields: _Singles
    """(4, passes, nodes down, nodes across), NaN where a pass is far or it is night:

    0. angle beside the track, positive to the left, as a share of the swath's half-width there;
    1. time, seconds since 0 h UTC of the day;
    2. and 3. east and north part of the difference between the unit vectors of the view and of the
       Sun's mirror image.
    """
    sun: _Singles
    """(passes, nodes down, nodes across): cosine of the solar zenith angle."""
    ratio: _Singles
    """(nodes down, nodes across): satellite's distance from the Earth's centre over the ground's,
    on the half of the revolution in daylight."""
    half_width: _Singles
    """(nodes down, nodes across) radians, from the Earth's centre, on that half."""


@dataclass(frozen=True, slots=True, eq=False)
class _Query:
    """What is asked of the passes."""

    orbit: Orbit
    lattice: Lattice
    passes: int
    """How many, from number 0."""
    day: dt.date
    guess: _Floats
    """Degrees at each node: argument of the daylight half of the track at its latitude."""
    limit_deg: float
    """How far beside the track, seen from the Earth's centre, it is followed."""


def lattice_step(georeference: Georeference) -> int:
    """Largest power of two of pixels that spans under 1.45 degrees."""
    size = _pixel_deg(georeference)
    step = 1
    while step < _LARGEST_STEP and 2 * step * size <= _STEP_DEG:
        step *= 2
    return step


def _pixel_deg(georeference: Georeference) -> float:
    """Size of a pixel on the ground, at most, in degrees of a great circle."""
    size = max(georeference.pixel_width, georeference.pixel_height)
    return size if georeference.epsg == 4326 else size / _METRES_PER_DEGREE


def make_lattice(georeference: Georeference) -> Lattice:
    """Lay a lattice over a picture."""
    g = georeference
    step = lattice_step(g)
    rows = np.arange(math.ceil(max(g.rows - 1, 1) / step) + 1)[:, np.newaxis] * step
    cols = np.arange(math.ceil(max(g.cols - 1, 1) / step) + 1)[np.newaxis, :] * step
    longitude, latitude = np.broadcast_arrays(*places_at(g, rows, cols))
    cut = np.zeros((longitude.shape[0] - 1, longitude.shape[1] - 1), dtype=bool)
    if not is_separable(g):
        corners = [longitude[:-1, :-1], longitude[1:, :-1], longitude[:-1, 1:], longitude[1:, 1:]]
        cut = np.ptp(np.stack(corners), axis=0) > 90.0
    return Lattice(step, step * _pixel_deg(g), longitude, latitude, cut)


@lru_cache(maxsize=64)
def sun_line(day: dt.date) -> SunLine:
    """Lay straight lines through the Sun of a UTC day and half a day to either side."""
    offsets = np.array([-0.5, 0.5, 1.5]) * DAY_S
    sun = sun_position(day_start_s(day) + offsets)
    # An even rate of a turn a day and the little that the Sun's own motion adds.
    slow = np.unwrap(sun.greenwich_hour_angle_deg - 360.0 * offsets / DAY_S, period=360.0)
    rate, start = np.polyfit(offsets, slow, 1)
    sine_rate, sine = np.polyfit(offsets, np.sin(np.radians(sun.declination_deg)), 1)
    cosine_rate, cosine = np.polyfit(offsets, np.cos(np.radians(sun.declination_deg)), 1)
    return SunLine(
        (float(start), float(rate) + 360.0 / DAY_S),
        (float(sine), float(sine_rate)),
        (float(cosine), float(cosine_rate)),
    )


def lattice_passes(orbit: Orbit, georeference: Georeference, day: dt.date) -> Sky:
    """Work out every pass of a local day at the nodes of a picture's lattice."""
    lattice = make_lattice(georeference)
    first, passes = _passes_of(orbit, lattice, day)
    orbit = orbit.counted_from(first)
    guess = _daylight_argument(orbit, lattice.latitude)
    geocentric = geocentric_latitude(lattice.latitude)
    width = half_width_deg(orbit, guess, geocentric)
    limit = float(width.max()) + max(_BESIDE_DEG, 1.6 * lattice.step_deg)
    query = _Query(orbit, lattice, passes, day, guess, limit)
    of_pass, node = _near(query)
    values = _solve(query, of_pass, node)
    fields = np.full((len(values), passes, lattice.latitude.size), np.nan, dtype=np.float32)
    for field, value in zip(fields, values, strict=True):
        field[of_pass, node] = value
    fields = fields.reshape(len(values), passes, *lattice.latitude.shape)
    ratio = orbit_radius_km(orbit, guess) / earth_radius_km(geocentric)
    return Sky(
        lattice,
        orbit,
        fields[:4],
        fields[4],
        ratio.astype(np.float32),
        np.radians(width).astype(np.float32),
    )


def _passes_of(orbit: Orbit, lattice: Lattice, day: dt.date) -> tuple[int, int]:
    """First number and count of the passes that can touch a local day of the lattice."""
    west = max(float(lattice.longitude.min()), -180.0)
    east = min(float(lattice.longitude.max()), 180.0)
    first = day_start_s(day) - 240.0 * east - orbit.period_s - orbit.node_time_s
    last = day_start_s(day) + DAY_S - 240.0 * west + orbit.period_s - orbit.node_time_s
    number = math.ceil(first / orbit.period_s)
    return number, max(math.floor(last / orbit.period_s) + 1 - number, 0)


def _daylight_argument(orbit: Orbit, latitude: _Floats) -> _Floats:
    """Argument at which the daylight half of the track is at (or nearest to) a latitude."""
    sine = np.sin(np.radians(latitude)) / np.sin(np.radians(orbit.inclination_deg))
    rising = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return rising if orbit.record.day_node == "ascending" else np.asarray(180.0 - rising)


def _near(query: _Query) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of a pass and a node that it comes near to by day, as two arrays of numbers.

    With the argument of the daylight half put in for the true one, the angle beside the track and
    the side of the Earth are linear in sine and cosine of the node's longitude.  The argument is
    wrong by up to 25 degrees, so the angle by up to 1.7.
    """
    orbit, lattice, guess = query.orbit, query.lattice, query.guess
    tilt = np.radians(orbit.inclination_deg)
    phi = np.radians(geocentric_latitude(lattice.latitude)).ravel()
    turned = np.radians(lattice.longitude + guess / 360.0 * orbit.spacing_deg).ravel()
    u = np.radians(guess).ravel()
    x, y, z = np.cos(phi) * np.cos(turned), np.cos(phi) * np.sin(turned), np.sin(phi)
    rise, lift = np.sin(u) * np.cos(tilt), z * np.sin(u) * np.sin(tilt)
    terms = (x * np.sin(tilt), -y * np.sin(tilt), z * np.cos(tilt))
    ahead = (x * np.cos(u) + y * rise, y * np.cos(u) - x * rise, lift)
    beside = [term.astype(np.float32) for term in (*terms, *ahead)]
    # Roughly the local day: the time is known to a third of a revolution.
    local = guess.ravel() / 360.0 * orbit.period_s
    slack = 0.5 * orbit.period_s
    if lattice.day_cut.any():
        slack = np.inf
    else:
        local = local + 240.0 * lattice.longitude.ravel()
    local = local.astype(np.float32)
    widest = float(np.sin(np.radians(query.limit_deg + 2.0)))
    nodes = []
    for number in range(query.passes):
        lon = np.radians(orbit.node_lon_deg - number * orbit.spacing_deg)
        cos, sin = np.float32(np.cos(lon)), np.float32(np.sin(lon))
        near = np.abs(beside[1] * cos + beside[0] * sin + beside[2]) < widest
        near &= beside[3] * cos + beside[4] * sin + beside[5] > 0.0
        start = orbit.node_time(number) - day_start_s(query.day)
        near &= (local > -slack - start) & (local < DAY_S + slack - start)
        nodes.append(np.flatnonzero(near))
    counts = [found.size for found in nodes]
    return np.repeat(np.arange(query.passes), counts), np.concatenate(
        [np.empty(0, np.intp), *nodes]
    )


def _solve(query: _Query, of_pass: NDArray[np.intp], node: NDArray[np.intp]) -> list[_Singles]:
    """Place beside the track, time, glint and Sun of pairs of a pass and a node.

    Single precision holds the angles to 0.0001 degree and the time to 0.01 s.
    """
    orbit, lattice, day = query.orbit, query.lattice, query.day
    tilt = np.float32(np.radians(orbit.inclination_deg))
    cos_tilt, sin_tilt = np.cos(tilt), np.sin(tilt)
    geocentric = geocentric_latitude(lattice.latitude).ravel()
    phi = np.radians(geocentric).astype(np.float32)
    sin_phi, cos_phi = np.sin(phi)[node], np.cos(phi)[node]
    longitude = lattice.longitude.ravel()[node]
    from_node = longitude - (orbit.node_lon_deg - of_pass * orbit.spacing_deg)
    from_node = np.radians((from_node + 180.0) % 360.0 - 180.0).astype(np.float32)
    # One number for each revolution, cut on the night side: u within 180 degrees of the day node.
    middle = np.float32(0.0 if orbit.record.day_node == "ascending" else np.pi)
    turn = np.float32(orbit.spacing_deg / 360.0)
    ahead = np.float32(2.0 * orbit.eccentricity_km / orbit.semi_major_km)  # `elapsed_turns`
    u = np.radians(query.guess.ravel()[node]).astype(np.float32)
    for _ in range(4):  # each step leaves 7 % of the error
        along = from_node + (u - ahead * (1.0 - np.cos(u))) * turn
        cos_along, sin_along = np.cos(along), np.sin(along)
        x, y = cos_phi * cos_along, cos_phi * sin_along
        u = np.arctan2(y * cos_tilt + sin_phi * sin_tilt, x)
        u = np.where(u < middle - np.float32(np.pi), u + np.float32(2 * np.pi), u)
    beside = sin_phi * cos_tilt - y * sin_tilt
    start = orbit.node_time_s - day_start_s(day)
    gone = u - ahead * (1.0 - np.cos(u))
    time = start + of_pass * orbit.period_s + gone * (orbit.period_s / (2 * np.pi))
    sun = _sun_at(sun_line(day), lattice.latitude.ravel()[node], longitude, time)
    ground = earth_radius_km(geocentric).astype(np.float32)[node]
    radius = _radius_km(orbit, u)
    sine_scan = np.float32(np.sin(np.radians(orbit.half_angle_deg)))
    width = np.arcsin(radius / ground * sine_scan) - np.radians(orbit.half_angle_deg)
    share = np.arcsin(np.clip(beside, -1.0, 1.0)) / width.astype(np.float32)
    far = np.abs(beside) > np.float32(np.sin(np.radians(query.limit_deg)))
    share[far | (sun[0] < np.float32(np.cos(np.radians(_DARK_ZENITH_DEG))))] = np.nan
    # From the ground to the satellite, in the frame of the orbit: in its plane, and across.
    lift = radius - ground * np.sqrt(np.maximum(1.0 - beside * beside, 0.0))
    slide = -ground * beside
    in_plane = lift * np.sin(u)
    vx = lift * np.cos(u)
    vy = in_plane * cos_tilt - slide * sin_tilt
    vz = in_plane * sin_tilt + slide * cos_tilt
    distance = np.hypot(lift, slide)
    east = (vy * cos_along - vx * sin_along) / distance
    north = (vz * cos_phi - sin_phi * (vx * cos_along + vy * sin_along)) / distance
    return [share, time.astype(np.float32), east + sun[1], north + sun[2], sun[0]]


def _radius_km(orbit: Orbit, u: _Singles) -> _Singles:
    """`orbit_radius_km` of radians, in single precision."""
    lean = np.float32(orbit.eccentricity_km * np.sin(np.radians(orbit.inclination_deg)))
    sine = np.sin(u)
    twice = np.float32(SECOND_HARMONIC_KM) * (1.0 - 2.0 * sine * sine)
    return np.asarray(np.float32(orbit.semi_major_km) - lean * sine + twice, dtype=np.float32)


def _sun_at(
    line: SunLine, latitude: _Floats, longitude: _Floats, time: _Floats
) -> tuple[_Singles, _Singles, _Singles]:
    """Up, east and north part of the direction to the Sun."""
    turned = line.hour_angle_deg[0] + line.hour_angle_deg[1] * time + longitude
    hour = np.radians(turned % 360.0).astype(np.float32)
    seconds = time.astype(np.float32)
    sine = np.float32(line.sine[0]) + np.float32(line.sine[1]) * seconds
    cosine = np.float32(line.cosine[0]) + np.float32(line.cosine[1]) * seconds
    phi = np.radians(latitude).astype(np.float32)
    sin_phi, cos_phi = np.sin(phi), np.cos(phi)
    outward = cosine * np.cos(hour)
    up = sin_phi * sine + cos_phi * outward
    return up, -cosine * np.sin(hour), cos_phi * sine - sin_phi * outward
