"""Where a planned fault lies on the passes of a day: spans of time, tiles.

What is missing in a span is taken from the inputs before they are composited.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gibswatch.errors import UsageError
from gibswatch.simulate.days.composite import TILE_SIZES, Gap, Span
from gibswatch.simulate.days.granules import granule_number, granule_start_s
from gibswatch.simulate.days.passes import earth_fixed, seen_at
from gibswatch.simulate.days.spec import DaySpec, FaultKind, FaultSpec
from gibswatch.simulate.days.tracks import STEP_S, Track
from gibswatch.sky.timescale import day_start_s

__all__ = [
    "GEOMETRY_KINDS",
    "MISSING_KINDS",
    "TILE_KINDS",
    "Placed",
    "dark_gaps",
    "gap_of",
    "place",
    "seen_by_day",
    "tile_of",
]

MISSING_KINDS: tuple[FaultKind, ...] = (
    "missing-granules", "missing-orbit", "missing-scans", "missing-wedge", "roll", "new-moon",
)  # fmt: skip
"""What takes a span of time from the inputs."""

GEOMETRY_KINDS: tuple[FaultKind, ...] = (
    *MISSING_KINDS, "edge-warp", "granule-offset", "duplicate-granule",
)  # fmt: skip
"""What changes which input a pixel is taken from."""

TILE_KINDS: tuple[FaultKind, ...] = ("missing-tile", "stale-tile", "jpeg-damage", "blank-tile")
"""What happens to a composited tile, whatever its inputs."""

_ROLL_REACH_S = 1080.0
"""Rolls are within 18 minutes of the crossing of the equator: what is lost, is lost by day."""
_DAY_LIMIT = math.cos(math.radians(86.0))


@dataclass(frozen=True, slots=True)
class Placed:
    """A fault with its place on the day's passes."""

    number: int
    """From 1."""
    spec: FaultSpec
    span: Span = (0.0, 0.0)
    """Seconds since 0 h UTC of the day; empty for faults of tiles."""
    pass_index: int = -1


def place(fault: FaultSpec, number: int, track: Track, spec: DaySpec) -> Placed | None:
    """Find a fault's span on the passes of the day.

    Returns
    -------
    Placed or None
        None if no pass of the local day is there at that time, or sees the place by day.
    """
    if fault.kind in TILE_KINDS or fault.kind == "wrong-day":
        return Placed(number, fault)
    moment = _moment(fault, track, spec)
    if moment is None:
        return None
    index, time = moment
    span = _span(fault, track, spec, index, time)
    return Placed(number, fault, span, index)


def gap_of(placed: Placed, epsg: int) -> Gap:
    """Return what a fault takes from the inputs.

    Parameters
    ----------
    placed : Placed
        Of one of `GEOMETRY_KINDS`.
    epsg : int
        Projection of the picture: the tile of a wedge is one of its tiles.
    """
    tile = None
    if placed.spec.kind == "missing-wedge":
        if placed.spec.place is None:
            raise UsageError("a missing wedge needs its place")
        tile = tile_of(placed.spec.place, epsg)
    return Gap(placed.span, tile)


def tile_of(where: tuple[float, float], epsg: int) -> tuple[int, int]:
    """Row and column of the composited tile that shows a longitude and latitude."""
    x, y = where
    if epsg != 4326:
        from pyproj import Transformer  # noqa: PLC0415

        x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(x, y)
    size = TILE_SIZES[epsg]
    half = {4326: (180.0, 90.0), 3857: (20037508.34278925,) * 2}.get(epsg, (4194304.0,) * 2)
    last = (round(2 * half[1] / size) - 1, round(2 * half[0] / size) - 1)
    row = math.floor((half[1] - y) / size) if math.isfinite(y) else -1
    col = math.floor((x + half[0]) / size) if math.isfinite(x) else -1
    on_edge = epsg == 4326
    return (min(row, last[0]), min(col, last[1])) if on_edge else (row, col)


def dark_gaps(track: Track, spec: DaySpec) -> tuple[Gap, ...]:
    """Granules at the ends of the day that are not processed because they are mostly dark."""
    limit = spec.perturbation.dark_granule_deg
    if limit is None:
        return ()
    length, start = spec.perturbation.granule_s, day_start_s(spec.day)
    gaps = []
    for number in range(track.passes):
        begin = float(track.start_s[number])
        first = granule_number(start + begin, length)
        last = granule_number(start + begin + track.period_s, length)
        middles = (np.arange(first, last + 1.0) + 0.5) * length - start
        index = np.full(middles.size, number, dtype=np.intp)
        position, _, sun = track.at(index, middles)
        cosine = np.einsum("ij,ij->i", position, sun) / np.linalg.norm(position, axis=1)
        dark = cosine < math.cos(math.radians(limit))
        gaps += [Gap((float(m - length / 2), float(m + length / 2))) for m in middles[dark]]
    return _merged(gaps)


def _merged(gaps: list[Gap]) -> tuple[Gap, ...]:
    spans: list[list[float]] = []
    for start, end in sorted(gap.span for gap in gaps):
        if spans and start <= spans[-1][1] + 1e-6:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    return tuple(Gap((start, end)) for start, end in spans)


def _moment(fault: FaultSpec, track: Track, spec: DaySpec) -> tuple[int, float] | None:
    """Pass and seconds since 0 h of the moment that a fault names."""
    if fault.time_s is not None:
        time = fault.time_s - day_start_s(spec.day)
        index = int(np.searchsorted(track.start_s, time, side="right")) - 1
        if not 0 <= index < track.passes or time >= track.start_s[index] + track.period_s + STEP_S:
            return None
        return index, time
    if fault.place is None:
        return None
    return seen_by_day(track, spec, fault.place)


def seen_by_day(
    track: Track, spec: DaySpec, where: tuple[float, float]
) -> tuple[int, float] | None:
    """Pass of the local day that sees a place most steeply by day, and when."""
    point, up = earth_fixed(np.array([where[0]]), np.array([where[1]]))
    unit = point / np.linalg.norm(point)
    under = track.position / np.linalg.norm(track.position, axis=2, keepdims=True)
    guess = np.argmax(under @ unit[0], axis=1) * STEP_S + track.start_s
    numbers = np.arange(track.passes, dtype=np.intp)
    shape = (track.passes, 3)
    places, ups = np.broadcast_to(point, shape), np.broadcast_to(up, shape)
    seen = seen_at(track, spec, numbers, guess, places, up=ups)
    share, time, sun = seen.fields[:3]
    local = time + 240.0 * where[0]
    fit = seen.near & (np.abs(share) <= 1.0) & (sun > _DAY_LIMIT) & (local >= 0) & (local < 86400)
    if not fit.any():
        return None
    best = int(np.argmin(np.where(fit, np.abs(share), np.inf)))
    return best, float(time[best])


def _span(fault: FaultSpec, track: Track, spec: DaySpec, index: int, time: float) -> Span:
    length = spec.perturbation.granule_s
    begin, middle = float(track.start_s[index]), float(track.start_s[index]) + track.period_s / 2
    if fault.kind in ("roll", "new-moon"):
        time = min(max(time, middle - _ROLL_REACH_S), middle + _ROLL_REACH_S)
        return time - fault.seconds / 2, time + fault.seconds / 2
    if fault.kind == "missing-scans" or (fault.seconds > 0 and fault.kind == "colour"):
        return time, time + fault.seconds
    if fault.kind == "missing-wedge":
        return begin, begin + track.period_s
    if fault.kind == "missing-orbit":
        if fault.share >= 1.0:
            return begin, begin + track.period_s
        part = fault.share * track.period_s / 2
        return (middle - part, middle) if time < middle else (middle, middle + part)
    start = day_start_s(spec.day)
    first = granule_start_s(granule_number(start + time, length), length) - start
    count = 1 if fault.kind == "duplicate-granule" else fault.count
    return first, first + count * length
