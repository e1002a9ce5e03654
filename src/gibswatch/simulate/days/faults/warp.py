"""Granules whose pixels come from elsewhere: swath edges that warp, offsets, duplicates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.simulate.days.composite import Layer
from gibswatch.simulate.days.faults.missing import Placed
from gibswatch.simulate.days.passes import NodeFields, earth_fixed, geographic, seen_at
from gibswatch.simulate.days.spec import DaySpec, FaultKind, FaultSpec
from gibswatch.simulate.days.tracks import Track

__all__ = ["WARP_KINDS", "displaced_layer"]

_Doubles = NDArray[np.float64]

WARP_KINDS: tuple[FaultKind, ...] = ("edge-warp", "granule-offset", "duplicate-granule")
_EARTH_KM = 6371.0


def displaced_layer(
    placed: Placed, track: Track, fields: NodeFields, spec: DaySpec
) -> Layer | None:
    """Return the input that a displaced granule is, or None where it is not near.

    Parameters
    ----------
    placed : Placed
        Of one of `WARP_KINDS`.
    track, fields, spec
        Of the block.
    """
    if placed.pass_index not in fields.passes:
        return None
    own = fields.values[fields.passes.index(placed.pass_index)]
    flat = own.reshape(len(own), -1).astype(np.float64)
    node = np.flatnonzero(np.isfinite(flat[0]))
    time = flat[1, node]
    reach = 400.0  # seconds: as far as an offset takes a granule, and a lattice step
    node = node[(time > placed.span[0] - reach) & (time < placed.span[1] + reach)]
    if node.size == 0:
        return None
    pairs = _Pairs(
        fields.nodes.place[node], fields.nodes.up[node], placed.pass_index, *flat[:2, node]
    )
    values = np.full(flat.shape, np.nan)
    if placed.spec.kind == "duplicate-granule":
        source = _earlier(track, pairs, spec.perturbation.granule_s * placed.spec.count)
        values[:, node] = flat[:, node]
    else:
        source = _moved(placed.spec, track, pairs)
        point, up = earth_fixed(*geographic(source))
        seen = seen_at(track, spec, pairs.number, pairs.time, point, up=up)
        values[:, node] = np.stack(seen.fields)
        values[:, node[~seen.near]] = np.nan
    places = np.zeros((3, flat.shape[1]), dtype=np.float32)
    places[:] = fields.nodes.place.T
    places[:, node] = source.T
    shape = fields.nodes.shape
    return Layer(
        placed.number,
        placed.pass_index,
        values.reshape(own.shape).astype(np.float32),
        places.reshape(3, *shape),
        placed.span,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Nodes that a pass comes near to; (n,) or (n, 3) each."""

    place: _Doubles
    up: _Doubles
    pass_index: int
    share: _Doubles
    time: _Doubles

    @property
    def number(self) -> NDArray[np.intp]:
        """The pass, once for each node."""
        return np.full(self.time.size, self.pass_index, dtype=np.intp)


def _moved(fault: FaultSpec, track: Track, pairs: _Pairs) -> _Doubles:
    """Places whose pixels are shown at the nodes."""
    if fault.kind == "edge-warp":
        position, velocity, _ = track.at(pairs.number, pairs.time)
        left = np.cross(position, velocity)
        left /= np.linalg.norm(left, axis=1, keepdims=True)
        outer = np.abs(pairs.share) - (1.0 - fault.share)
        grown = np.clip(outer / max(fault.share, 1e-6), 0.0, 1.3) ** 2
        shift = -np.sign(pairs.share) * fault.distance_km * grown
        return np.asarray(pairs.place + left * shift[:, np.newaxis])
    bearing, up = math.radians(fault.bearing_deg), pairs.up
    across = np.maximum(np.hypot(up[:, 0], up[:, 1]), 1e-9)
    east = np.stack([-up[:, 1], up[:, 0], np.zeros_like(across)], axis=1) / across[:, np.newaxis]
    north = np.cross(up, east)
    way = math.sin(bearing) * east + math.cos(bearing) * north
    return np.asarray(pairs.place - fault.distance_km * way)


def _earlier(track: Track, pairs: _Pairs, lag_s: float) -> _Doubles:
    """Places at which the same pixels of an earlier granule were looking."""
    position, velocity, _ = track.at(pairs.number, pairs.time)
    then_position, then_velocity, _ = track.at(pairs.number, pairs.time - lag_s)
    then = _frame(then_position, then_velocity)
    parts = np.einsum("kij,ij->ki", _frame(position, velocity), pairs.place)
    moved = np.einsum("ki,kij->ij", parts, then)
    return np.asarray(moved * (_EARTH_KM / np.linalg.norm(moved, axis=1, keepdims=True)))


def _frame(position: _Doubles, velocity: _Doubles) -> _Doubles:
    """(3, n, 3): up, ahead and left at points of a track."""
    up = position / np.linalg.norm(position, axis=1, keepdims=True)
    left = np.cross(up, velocity)
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return np.stack([up, np.cross(left, up), left])
