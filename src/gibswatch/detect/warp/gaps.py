"""Granules whose edges are not where the gaps between swaths begin by their orbit.

Where swaths leave gaps (MODIS, low latitudes) the edges of a granule are seen whatever the weather:
imagery in the gaps on both sides is an edge that warps outwards; imagery in one and black within
the swath on the other side is a granule off its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import REASON_CODES
from gibswatch.detect.missing.granules import Granules
from gibswatch.detect.warp.evidence import Displacement, Shift
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.places import pixel_places
from gibswatch.types import BoolArray, ByteArray

__all__ = ["find_gap_shifts"]

_MOST_LATITUDE_DEG = 40.0
_LOW_SUN_DEG = 80.0
_FARTHEST_PX = 60
_LEAST_KM, _LEAST_ASIDE_KM, _LEAST_PX = 25.0, 60.0, 1.6
"""Shift of an edge that counts: outwards on both sides, to one side, and in pixels at least.  Of
clean granules of Terra in the tuning years none has more than 5 km of either at 16 km a pixel; of
the tiles of Terra 2023 four of Bands721 are 25-41 km aside: dark water at a swath's edge."""
_LEAST_LENGTH_DEG = 4.0
"""Of latitude along which both edges must be seen."""
_MOST_GRANULES = 0.25
"""Of a day's; of more the orbit is wrong, or the day."""
_OUTER = 0.5
"""Outer part of half of a swath that is told where its edges warp."""
_KM_PER_DEGREE = 111.3
_BOTH = "there the gaps on both sides are narrower by as much"
_ONE = "there the gap on one side is narrower, the one on the other side wider by as much"

_Places = NDArray[np.int64]
_Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Edges of granules beside gaps; (granules, 2): gap to the west, gap to the east."""

    outward_km: _Singles
    """Imagery in the gap, a mean over the edge."""
    inward_km: _Singles
    """Black within the swath."""
    length_deg: _Singles
    beside: NDArray[np.int32]
    """(rows, cols): the granule beside which a pixel of a gap lies; -1 elsewhere."""


def find_gap_shifts(
    observed: BoolArray, expectation: Expectation, granules: Granules
) -> tuple[list[Shift], NDArray[np.int32]]:
    """Find granules whose edges lie elsewhere.

    Parameters
    ----------
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation
        Of a picture in EPSG:4326; of others nothing is said.
    granules : Granules

    Returns
    -------
    shifts : list of Shift
        Granules in a row that lie off alike are one.
    shown : (rows, cols) ndarray of int32
        Which granule shows imagery in a gap; -1 elsewhere.
    """
    gap = expectation.reason == REASON_CODES["swath gap"]
    none = np.full(gap.shape, -1, dtype=np.int32)
    if expectation.georeference.epsg != 4326 or not gap.any():
        return [], none
    edges = _edges(observed, expectation, granules, gap)
    seen = edges.length_deg.min(axis=1) >= _LEAST_LENGTH_DEG
    finest = _LEAST_PX * expectation.georeference.pixel_width * _KM_PER_DEGREE
    warped = np.where(seen, edges.outward_km.min(axis=1), 0.0) / max(_LEAST_KM, finest)
    aside = _aside(edges) / max(_LEAST_ASIDE_KM, finest) * seen[:, np.newaxis]
    off = np.flatnonzero(np.maximum(warped, aside.max(axis=1)) >= 1.0)
    if len(off) > max(_MOST_GRANULES * int(seen.sum()), 3):
        return [], none
    shifts: list[Shift] = []
    for number in (int(n) for n in off):
        if warped[number] >= 1.0:
            moved = Displacement(outward_km=float(edges.outward_km[number].mean()), share=_OUTER)
            ratio, proof = float(warped[number]), _BOTH
        else:
            east = bool(aside[number, 1] >= aside[number, 0])
            away = float(_aside(edges)[number].max())
            left = _east_is_left(expectation, granules, number) == east
            moved = Displacement(left_km=away if left else -away)
            ratio, proof = float(aside[number].max()), _ONE
        shifts.append(Shift((number,), moved, ratio, proof))
    return _in_a_row(shifts, granules), np.where(~observed, edges.beside, -1)


def _aside(edges: _Edges) -> _Singles:
    """By how much a granule lies to the west and to the east, in both of its edges."""
    return np.minimum(edges.outward_km, edges.inward_km[:, ::-1])


def _in_a_row(shifts: Sequence[Shift], granules: Granules) -> list[Shift]:
    """Tell granules of a pass that follow each other and lie off alike as one."""
    told: list[Shift] = []
    for shift in shifts:
        (number,), last = shift.granules, told[-1].granules[-1] if told else -2
        alike = bool(told) and told[-1].proof == shift.proof
        if (
            alike
            and number == last + 1
            and granules.pass_index[number] == granules.pass_index[last]
        ):
            best = max(told[-1], shift, key=lambda one: one.ratio)
            told[-1] = replace(best, granules=(*told[-1].granules, number))
        else:
            told.append(shift)
    return told


def _edges(
    observed: BoolArray, expectation: Expectation, granules: Granules, gap: BoolArray
) -> _Edges:
    """Measure all edges."""
    latitude = pixel_places(expectation.georeference)[1]
    covered, index = expectation.covered, granules.index
    low = np.abs(latitude) < _MOST_LATITUDE_DEG
    pixel_km = expectation.georeference.pixel_width * _KM_PER_DEGREE
    width_km = np.broadcast_to(pixel_km * np.cos(np.radians(latitude)), gap.shape)
    count = granules.start_s.size

    beside, away, east = _nearest(covered)
    near = gap & (away <= _FARTHEST_PX) & low
    rows = np.nonzero(near)[0]
    key = index[rows, beside[near]].astype(np.int64) * 2 + east[near]
    known = key >= 0
    shown, first = ~observed[near], away[near] == 1
    outward = _sums(key[known & shown], width_km[near][known & shown], count)
    edge = _sums(key[known & first], None, count)

    _, away, gap_is_west = _nearest(gap)
    within = covered & observed & (away <= _FARTHEST_PX) & low & (index >= 0)
    within &= expectation.sza_deg < _LOW_SUN_DEG
    key = index[within].astype(np.int64) * 2 + (1 - gap_is_west[within])
    inward = _sums(key, width_km[within], count)
    length = np.maximum(edge, 1.0)
    degrees = edge * expectation.georeference.pixel_height
    owner = np.full(gap.shape, -1, dtype=np.int32)
    owner[near] = index[rows, beside[near]]
    return _Edges(
        (outward / length).astype(np.float32),
        (inward / length).astype(np.float32),
        degrees.astype(np.float32),
        owner,
    )


def _nearest(there: BoolArray) -> tuple[_Places, _Places, ByteArray]:
    """Of each pixel the nearest of some in its row: its column, how far; 1 if it is west of it.

    Where one is not in the picture it is as far as the picture is wide, and more.
    """
    cols = there.shape[1]
    col = np.arange(cols)
    west = np.maximum.accumulate(np.where(there, col, -2 * cols), axis=1)
    east = np.minimum.accumulate(np.where(there, col, 3 * cols)[:, ::-1], axis=1)[:, ::-1]
    is_west = col - west <= east - col
    nearest = np.where(is_west, west, east)
    away = np.abs(nearest - col)
    return np.clip(nearest, 0, cols - 1), away, is_west.astype(np.uint8)


def _sums(key: _Places, weights: NDArray[np.float64] | None, count: int) -> _Singles:
    """(granules, 2) sums by granule and side."""
    total = np.bincount(key, weights, 2 * count)[: 2 * count]
    return total.reshape(count, 2).astype(np.float32)


def _east_is_left(expectation: Expectation, granules: Granules, number: int) -> bool:
    """Whether a granule's eastern side is the left one of the flight."""
    rows, cols = np.nonzero(granules.index == number)
    scan = expectation.cross_track_deg[rows, cols]
    return bool(np.polyfit(cols - cols.mean(), scan, 1)[0] > 0)
