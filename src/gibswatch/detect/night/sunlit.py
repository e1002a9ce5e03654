"""Every pass over the night edge of a day: what each sees of a pixel, when, by how much light.

An expectation names the steepest pass of each pixel.  Near the night edge several passes see one
place at different times, and it shows imagery if any of them had light: they are all gone through
here, cell by cell of the sky's lattice, and only where the Sun is low.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.lattice import Sky, lattice_passes, sun_line
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.places import pixel_places
from gibswatch.sky.timescale import DAY_S
from gibswatch.types import BoolArray, Georeference

__all__ = ["Looks", "NightCells", "Patch", "night_cells"]

_Singles = NDArray[np.float32]

_BRIGHT_DEG = 64.0
"""Less than ten degrees, half a granule, and as much across the swath before the lowest limit that
dark granules have."""
_DARK_DEG = 93.0
_EDGE = 0.015
"""Of the half-width: how near to the edge of a swath a pass may or may not see a pixel."""
_SOME_LIGHT = 0.035
"""Cosine of 88 degrees."""
_WIDER = 1.02
"""Share of the half-width up to which a swath may reach: sensors differ by a hundredth."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """What one pass sees of the cells near the night edge; arrays are (cells, pixels, pixels)."""

    number: int
    """Of the pass, as in the expectation."""
    cells: NDArray[np.intp]
    """Numbers of the cells in `NightCells`."""
    share: _Singles
    """Angle beside the track over that of the swath's edge."""
    time: _Singles
    """Seconds since 0 h UTC of the day."""
    sun: _Singles
    """Cosine of the solar zenith angle."""
    drift: _Singles
    """Change of `sun` a second that the pass is late."""
    local: _Singles
    """Seconds since 0 h local time of the day."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Pairs of a pass and a sampled pixel, flat, in the order of pixels."""

    sample: NDArray[np.intp]
    """Number of the pixel."""
    first: NDArray[np.intp]
    """Number of the first pair of each pixel."""
    number: NDArray[np.int32]
    """Pass."""
    time: _Singles
    sun: _Singles
    drift: _Singles
    """These three as of `Patch`."""
    rows: NDArray[np.intp]
    """(samples,) row of each pixel, and its column."""
    cols: NDArray[np.intp]
    at_edge: BoolArray
    """(samples,) whether a pass with light sees the pixel near the edge of its swath."""


@dataclass(frozen=True, slots=True, eq=False)
class NightCells:
    """Cells of the lattice in which the night edge may lie."""

    sky: Sky
    georeference: Georeference
    day: dt.date
    place: tuple[NDArray[np.intp], NDArray[np.intp]]
    """Row and column of each cell in the lattice."""
    seen: BoolArray
    """(passes, cells): whether a pass comes near a cell with some light."""

    def patches(self, offsets: NDArray[np.intp], late_s: float = 0.0) -> Iterator[Patch]:
        """Go through the passes.

        Parameters
        ----------
        offsets : (n,) ndarray of int
            Rows and columns within a cell: all of 0 to the lattice's step, or a few.
        late_s : float
            By how many seconds every pass is later than the orbit says; `Patch.time` stays the
            orbit's, the Sun and the local day do not.
        """
        late = np.float32(late_s)
        for number in np.flatnonzero(self.seen.any(axis=1)).tolist():
            cells = np.flatnonzero(self.seen[number])
            place = self.place[0][cells], self.place[1][cells]
            drift = self._drift(number)
            sun = self.sky.sun[number] + late * drift
            nodes = np.stack([*self.sky.fields[:2, number], sun, drift])
            share, time, sun, drift = _within(nodes, place, self.sky.lattice.step, offsets)
            local = np.float32(240.0) * self._longitudes(offsets, cells) + (time + late)
            yield Patch(number, cells, share, time, sun, drift, local)

    def _longitudes(self, offsets: NDArray[np.intp], cells: NDArray[np.intp]) -> _Singles:
        """Longitudes of pixels of some cells, (cells, n, n); those of the last row beyond it."""
        rows, cols = self.pixels(offsets, cells)
        longitude, _ = pixel_places(self.georeference)
        return np.asarray(longitude[rows, cols])

    def pixels(
        self, offsets: NDArray[np.intp], cells: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows (cells, n, 1) and columns (cells, 1, n) of pixels, kept within the picture."""
        step, (height, width) = self.sky.lattice.step, self.georeference.shape
        rows = self.place[0][cells][:, np.newaxis] * step + offsets
        cols = self.place[1][cells][:, np.newaxis] * step + offsets
        rows, cols = np.minimum(rows, height - 1), np.minimum(cols, width - 1)
        return rows[:, :, np.newaxis], cols[:, np.newaxis, :]

    def laid(self, blocks: BoolArray, elsewhere: BoolArray) -> BoolArray:
        """Lay blocks (cells, step, step) on a plane; `elsewhere` stays around them."""
        step, (height, width) = self.sky.lattice.step, self.georeference.shape
        down, across = (size - 1 for size in self.sky.lattice.latitude.shape)
        plane = np.zeros((down * step, across * step), dtype=bool)
        high, wide = min(height, down * step), min(width, across * step)
        plane[:high, :wide] = elsewhere[:high, :wide]
        tiled = plane.reshape(down, step, across, step).transpose(0, 2, 1, 3)
        tiled[self.place] = blocks
        result = elsewhere.copy()
        result[:high, :wide] = plane[:high, :wide]
        if height > high:  # the lattice's last node is a pixel of its own
            result[high:] = result[high - 1]
        if width > wide:
            result[:, wide:] = result[:, wide - 1 : wide]
        return result

    def looks(self, per_cell: int) -> Looks:
        """Sample the cells: pairs of a pass and a pixel that it sees on the local day."""
        step = self.sky.lattice.step
        offsets = np.unique((np.arange(per_cell) * step + step // 2) // per_cell).astype(np.intp)
        size = offsets.size**2
        parts = [_pairs(patch, size) for patch in self.patches(offsets)]
        rows, cols = self.pixels(offsets, np.arange(self.place[0].size))
        wide, high = np.broadcast_arrays(rows, cols)
        if not parts:
            none = np.empty(0, np.intp)
            blank = np.empty(0, np.float32)
            flat = none.astype(np.int32), blank, blank, blank
            return Looks(none, none, *flat, none, none, none.astype(bool))
        beside = np.unique(np.concatenate([part[-1] for part in parts]))
        pairs = [np.concatenate(of) for of in zip(*(part[:-1] for part in parts), strict=True)]
        order = np.argsort(pairs[0], kind="stable")
        sample, number, time, sun, drift = (of[order] for of in pairs)
        known, first, count = np.unique(sample, return_index=True, return_counts=True)
        which = np.repeat(np.arange(known.size), count)
        at = (wide.ravel()[known], high.ravel()[known])
        return Looks(which, first, number, time, sun, drift, *at, np.isin(known, beside))

    def _drift(self, number: int) -> _Singles:
        """Change of the Sun's cosine at the nodes a second that a pass is late."""
        line, lattice = sun_line(self.day), self.sky.lattice
        start, rate = (np.float32(np.radians(part)) for part in line.hour_angle_deg)
        lon, lat = (
            np.radians(of).astype(np.float32) for of in (lattice.longitude, lattice.latitude)
        )
        hour = start + rate * self.sky.fields[1, number] + lon
        return np.asarray(-np.float32(line.cosine[0]) * rate * np.cos(lat) * np.sin(hour))


@lru_cache(maxsize=2)
def night_cells(orbit: Orbit, georeference: Georeference, day: dt.date) -> NightCells:
    """Find the cells in which the night edge may lie.

    Parameters
    ----------
    orbit : Orbit
        Of an expectation, so that its passes have the same numbers.
    georeference : Georeference
    day : datetime.date
        Local day.
    """
    sky = lattice_passes(orbit, georeference, day)
    low, high = _of_corners(sky.fields[0])
    near = (low <= _WIDER) & (high >= -_WIDER)
    dim, light = _of_corners(sky.sun)
    with np.errstate(invalid="ignore"):
        seen = near & (light >= np.float32(np.cos(np.radians(_DARK_DEG))))
        bright = dim > np.float32(np.cos(np.radians(_BRIGHT_DEG)))
        full = (low >= -0.97) & (high <= 0.97) & bright & _whole_day(sky)
    edge = (seen & ~bright).any(axis=0) & ~full.any(axis=0)
    down, across = np.nonzero(edge)
    return NightCells(sky, georeference, day, (down, across), seen[:, down, across])


def _pairs(patch: Patch, size: int) -> tuple[NDArray[Any], ...]:
    """Pixels that a pass sees, with what it sees; last those near the edge of its swath."""
    sample = (patch.cells[:, np.newaxis] * size + np.arange(size)).reshape(patch.share.shape)
    beside = np.abs(patch.share)
    today = (patch.local >= 0.0) & (patch.local < DAY_S)
    seen = (beside <= 1.0) & today
    edge = (np.abs(beside - 1.0) < _EDGE) & today & (patch.sun > np.float32(_SOME_LIGHT))
    number = np.full(int(seen.sum()), patch.number, dtype=np.int32)
    return sample[seen], number, patch.time[seen], patch.sun[seen], patch.drift[seen], sample[edge]


def _whole_day(sky: Sky) -> BoolArray:
    """(passes, cells): whether all of a cell is seen on the local day."""
    if sky.lattice.day_cut.any():
        lon = (sky.lattice.longitude + 180.0) % 360.0 - 180.0
    else:
        lon = sky.lattice.longitude
    low, high = _of_corners((sky.fields[1] + 240.0 * lon).astype(np.float32))
    return np.asarray((low >= 0.0) & (high < DAY_S) & ~sky.lattice.day_cut)


def _of_corners(field: _Singles) -> tuple[_Singles, _Singles]:
    """Smallest and largest of a cell's four corners; NaN if one of them is."""
    up, down = field[:, :-1], field[:, 1:]
    low, high = np.minimum(up, down), np.maximum(up, down)
    return (
        np.minimum(low[:, :, :-1], low[:, :, 1:]),
        np.maximum(high[:, :, :-1], high[:, :, 1:]),
    )


def _within(
    nodes: _Singles,
    cells: tuple[NDArray[np.intp], NDArray[np.intp]],
    step: int,
    offsets: NDArray[np.intp],
) -> _Singles:
    """Interpolate (fields, down, across) nodes to pixels of cells: (fields, cells, n, n)."""
    row, col = cells
    weights = offsets.astype(np.float32) / np.float32(step)
    corners = nodes[:, row, col], nodes[:, row, col + 1]
    below = nodes[:, row + 1, col], nodes[:, row + 1, col + 1]
    left = corners[0][..., np.newaxis] + (below[0] - corners[0])[..., np.newaxis] * weights
    right = corners[1][..., np.newaxis] + (below[1] - corners[1])[..., np.newaxis] * weights
    return np.asarray(left[..., np.newaxis] + (right - left)[..., np.newaxis] * weights)
