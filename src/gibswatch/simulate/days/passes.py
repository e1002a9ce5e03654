"""What each pass sees of a block of pixels: fields at the nodes of a lattice, and between them.

The instrument scans at right angles to the satellite's motion.  A place is seen when it lies in
that plane, which Newton's method finds from the nearest sample of the track.  Nodes lie at fixed
pixels of the block, so a pixel's values do not depend on how much of the block is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.simulate.days.spec import DaySpec
from gibswatch.simulate.days.tracks import STEP_S, Track
from gibswatch.sky.places import places_at
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.timescale import DAY_S
from gibswatch.types import Georeference

__all__ = ["FIELDS", "NodeFields", "Nodes", "between", "make_nodes", "node_fields", "seen_at"]

_Doubles = NDArray[np.float64]
_Singles = NDArray[np.float32]

FIELDS = ("share", "time", "sun", "east", "north")
"""What is known of a pass at a node:

- angle beside the track over that of the swath's edge, positive to the left of the flight;
- seconds since 0 h UTC of the day;
- cosine of the solar zenith angle;
- east and north part of view minus the Sun's mirror image, as unit vectors.
"""

_STEP_DEG = 1.45
_LARGEST_STEP = 32
_METRES_PER_DEGREE = 111_320.0
_EQUATOR_KM = 6378.137  # WGS 84
_ECCENTRICITY_SQUARED = 0.00669437999014  # WGS 84
_BESIDE = math.radians(3.2)
_DARK = math.cos(math.radians(108.0))
_MEAN_RATIO = 1.12
_EVERY = 2
"""Of the samples, to look among for the nearest: Newton's method covers a minute."""


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Lattice over a block."""

    step: int
    shape: tuple[int, int]
    longitude: _Doubles
    """Flat, degrees."""
    latitude: _Doubles
    place: _Doubles
    """(nodes, 3) earth-fixed, km."""
    up: _Doubles
    """(nodes, 3) normals of the ellipsoid."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeFields:
    """What the passes that come near do at the nodes."""

    nodes: Nodes
    passes: tuple[int, ...]
    values: _Singles
    """(passes, fields, nodes down, nodes across); NaN where a pass is far, or it is night."""
    ratio: _Singles
    """(nodes down, nodes across) distance of the satellite over that of the ground."""
    width: _Singles
    """The same: radians from the track to the swath's edge, from the Earth's centre."""


def make_nodes(georeference: Georeference) -> Nodes:
    """Lay nodes over a block, from its first pixel on."""
    g = georeference
    size = max(g.pixel_width, g.pixel_height)
    if g.epsg != 4326:
        size /= _METRES_PER_DEGREE
    step = 1
    while step < _LARGEST_STEP and 2 * step * size <= _STEP_DEG:
        step *= 2
    rows = np.arange(max(g.rows - 1, 0) // step + 2)[:, np.newaxis] * step
    cols = np.arange(max(g.cols - 1, 0) // step + 2)[np.newaxis, :] * step
    longitude, latitude = np.broadcast_arrays(*places_at(g, rows, cols))
    lon, lat = longitude.ravel(), latitude.ravel()
    place, up = earth_fixed(lon, lat)
    return Nodes(step, longitude.shape, lon, lat, place, up)


def earth_fixed(longitude: _Doubles, latitude: _Doubles) -> tuple[_Doubles, _Doubles]:
    """Places on the ellipsoid in km, and its normals; degrees in."""
    lam, phi = np.radians(longitude), np.radians(latitude)
    cos, sin = np.cos(phi), np.sin(phi)
    up = np.stack([cos * np.cos(lam), cos * np.sin(lam), sin], axis=-1)
    normal = _EQUATOR_KM / np.sqrt(1.0 - _ECCENTRICITY_SQUARED * sin**2)
    place = up * normal[..., np.newaxis]
    place[..., 2] *= 1.0 - _ECCENTRICITY_SQUARED
    return place, up


def geographic(place: _Doubles) -> tuple[_Doubles, _Doubles]:
    """Longitude and geodetic latitude of places near the ground."""
    across = np.hypot(place[..., 0], place[..., 1])
    latitude = np.arctan2(place[..., 2], (1.0 - _ECCENTRICITY_SQUARED) * across)
    return (
        np.asarray(np.degrees(np.arctan2(place[..., 1], place[..., 0]))),
        np.asarray(np.degrees(latitude)),
    )


def node_fields(track: Track, nodes: Nodes, spec: DaySpec) -> NodeFields:
    """Work out the passes of the local day that come near to a block."""
    of_pass, of_node, guess = _near(track, nodes, spec)
    solved = seen_at(
        track, spec, of_pass, guess, nodes.place[of_node], up=nodes.up[of_node], steps=1
    )
    keep = solved.near
    kept = np.unique(of_pass[keep])
    values = np.full((len(kept), len(FIELDS), nodes.longitude.size), np.nan, dtype=np.float32)
    slot = np.searchsorted(kept, of_pass[keep])
    node = of_node[keep]
    for field, value in enumerate(solved.fields):
        values[slot, field, node] = value[keep]
    sums = [np.bincount(node, v[keep], nodes.longitude.size) for v in (solved.ratio, solved.width)]
    count = np.bincount(node, minlength=nodes.longitude.size)
    mean_width = math.asin(_MEAN_RATIO * math.sin(math.radians(55.5))) - math.radians(55.5)
    ratio, width = (
        np.where(count > 0, total / np.maximum(count, 1), fallback).astype(np.float32)
        for total, fallback in zip(sums, (_MEAN_RATIO, mean_width), strict=True)
    )
    return NodeFields(
        nodes,
        tuple(int(number) for number in kept),
        values.reshape(len(kept), len(FIELDS), *nodes.shape),
        ratio.reshape(nodes.shape),
        width.reshape(nodes.shape),
    )


def _near(
    track: Track, nodes: Nodes, spec: DaySpec
) -> tuple[NDArray[np.intp], NDArray[np.intp], _Doubles]:
    """Pairs of a pass and a node that it comes near to by day, with the time of the sample."""
    reach = _widest(track, spec) + _BESIDE
    local, slack = _local(nodes)
    unit = nodes.place / np.linalg.norm(nodes.place, axis=1, keepdims=True)
    middle = unit.mean(axis=0)
    length = float(np.linalg.norm(middle))
    radius = math.pi
    if length > 0.05:
        radius = float(np.arccos(np.clip((unit @ middle / length).min(), -1.0, 1.0)))
    under = track.position / np.linalg.norm(track.position, axis=2, keepdims=True)
    limit = math.cos(min(radius + reach + math.radians(2.0), math.pi))
    close = under @ (middle / max(length, 1e-9)) >= limit
    edge = math.cos(reach + math.radians(2.0))
    none = np.empty(0, np.intp)
    passes, places, times = [none], [none], [np.empty(0)]
    single = unit.astype(np.float32)
    for number in np.flatnonzero(close.any(axis=1)):
        samples = np.flatnonzero(close[number])[::_EVERY]
        dots = single @ under[number, samples].astype(np.float32).T
        best = np.argmax(dots, axis=1)
        time = track.start_s[number] + STEP_S * samples[best]
        hit = dots[np.arange(best.size), best] > edge
        hit &= (time + local > -slack) & (time + local < DAY_S + slack)
        hit &= np.einsum("ij,ij->i", nodes.up, track.sun[number, samples[best]]) > _DARK
        found = np.flatnonzero(hit)
        passes.append(np.full(found.size, number, dtype=np.intp))
        places.append(found)
        times.append(time[found])
    return np.concatenate(passes), np.concatenate(places), np.concatenate(times)


def _widest(track: Track, spec: DaySpec) -> float:
    """Radians from the track to the swath's edge, at most."""
    highest = float(np.linalg.norm(track.position[0], axis=1).max())
    scan = math.radians(sum(SATELLITES[spec.satellite].scan_half_angle_deg) / 2)
    width = math.asin(highest / (_EQUATOR_KM - 21.4) * math.sin(scan)) - scan
    return width * spec.perturbation.swath_factor


def _local(nodes: Nodes) -> tuple[_Doubles, float]:
    """Seconds from UTC to local time at nodes, and how far a cell reaches beyond the day.

    Where longitudes jump within cells, at a pole or at 180 degrees, all times count.
    """
    steps = np.diff(nodes.longitude.reshape(nodes.shape), axis=1)
    even = bool(np.ptp(steps) < 1e-6) if steps.size else True
    return 240.0 * nodes.longitude, 600.0 + 240.0 * float(np.abs(steps).max()) if even else np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Pairs of a pass and a place; (n,) each."""

    fields: tuple[_Doubles, ...]
    """In the order of `FIELDS`."""
    near: NDArray[np.bool_]
    """The swath, or its surroundings, by day or twilight."""
    ratio: _Doubles
    width: _Doubles
    left: _Doubles
    """(n, 3) unit vector to the left of the flight."""
    ahead: _Doubles
    """(n, 3) unit vector along it."""

    @property
    def time(self) -> _Doubles:
        """Seconds since 0 h UTC of the day."""
        return self.fields[1]


def seen_at(
    track: Track,
    spec: DaySpec,
    number: NDArray[np.intp],
    guess_s: _Doubles,
    place: _Doubles,
    *,
    up: _Doubles,
    steps: int = 2,
) -> Seen:
    """See places from passes.

    Parameters
    ----------
    track : Track
    spec : DaySpec
        Gives the width of the swath.
    number : (n,) ndarray of int
        Pass.
    guess_s : (n,) ndarray of float
        Seconds within a minute of the time at which it passes the place.
    place, up : (n, 3) ndarray of float
        Earth-fixed place in km and the normal there.
    steps : int
        Of Newton's method.  From within a sample one leaves 10 ms, from a minute two 1 ms.
    """
    time = guess_s
    position, velocity, sun = track.at(number, time)
    for _ in range(steps):
        speed = np.linalg.norm(velocity, axis=1)
        pull = position * (-(speed**2) / np.einsum("ij,ij->i", position, position))[:, np.newaxis]
        pull[:, 0] += track.turn_rate * velocity[:, 1]
        pull[:, 1] -= track.turn_rate * velocity[:, 0]
        slope = np.einsum("ij,ij->i", place, pull)
        slope = np.where(slope < -1.0, slope, -1.0)  # 90 degrees aside there is no such plane
        time = time - np.einsum("ij,ij->i", place, velocity) / slope
        position, velocity, sun = track.at(number, time)
    ahead = velocity / np.linalg.norm(velocity, axis=1, keepdims=True)
    radius = np.linalg.norm(position, axis=1)
    left = np.cross(position, ahead)
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    ground = np.linalg.norm(place, axis=1)
    beside = np.arcsin(np.clip(np.einsum("ij,ij->i", place, left) / ground, -1.0, 1.0))
    scan = math.radians(sum(SATELLITES[spec.satellite].scan_half_angle_deg) / 2)
    width = np.arcsin(np.minimum(radius / ground * math.sin(scan), 1.0)) - scan
    width *= spec.perturbation.swath_factor
    share = beside / width
    view = position - place
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    height = np.einsum("ij,ij->i", up, sun)
    along = np.abs(np.einsum("ij,ij->i", place, ahead)) < 0.02 * ground
    near = (np.abs(beside) < width + _BESIDE) & (height > _DARK) & along
    # East and north parts of the view minus the Sun's mirror image, that is plus the Sun.
    both = view + sun
    across = np.maximum(np.hypot(up[:, 0], up[:, 1]), 1e-9)
    east = (both[:, 1] * up[:, 0] - both[:, 0] * up[:, 1]) / across
    north = (both[:, 2] - up[:, 2] * np.einsum("ij,ij->i", both, up)) / across
    return Seen((share, time, height, east, north), near, radius / ground, width, left, ahead)


def between(nodes: NDArray[np.float32], step: int, rows: slice, cols: slice) -> NDArray[np.float32]:
    """Interpolate (fields, nodes down, nodes across) to pixels of a window of the block.

    Parameters
    ----------
    nodes : (fields, nodes down, nodes across) ndarray of float32
    step : int
        Pixels from a node to the next.
    rows, cols : slice
        Pixels, from multiples of `step` on.
    """
    weights = np.arange(step, dtype=np.float32) / np.float32(step)
    top, left = rows.start // step, cols.start // step
    down, across = -(-(rows.stop - rows.start) // step), -(-(cols.stop - cols.start) // step)
    part = nodes[:, top : top + down + 1, left : left + across + 1]
    upper = part[:, :-1, np.newaxis]
    high = (part[:, 1:, np.newaxis] - upper) * weights[:, np.newaxis]
    high += upper
    high = high.reshape(len(part), down * step, across + 1)[:, : rows.stop - rows.start]
    start = high[:, :, :-1, np.newaxis]
    wide = (high[:, :, 1:] - high[:, :, :-1])[..., np.newaxis] * weights
    wide += start
    whole = wide.reshape(*high.shape[:2], across * step)
    return np.asarray(whole[:, :, : cols.stop - cols.start])
