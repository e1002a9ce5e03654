"""From the nodes of a lattice to pixels: the steepest pass of each, band of rows by band of rows.

All is done on whole slices, pass by pass, and only where a pass sees anything: NumPy then works at
the speed of the processor's cache.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.lattice import Sky, sun_line
from gibswatch.sky.places import is_separable, pixel_places
from gibswatch.sky.timescale import DAY_S, day_start_s
from gibswatch.types import BoolArray, ByteArray, Georeference

__all__ = ["Planes", "fill_planes"]

_Singles = NDArray[np.float32]
_BAND_ROWS = 32
"""Pixel rows that are worked on at once, so that their planes stay in the processor's cache."""
_DEGREES = np.float32(180.0 / np.pi)
_MERGED_CELLS = 3
"""Runs of cells with a gap up to this are one run: a slice costs as much as some cells."""


class Planes:
    """The arrays of a `gibswatch.sky.passes.PassGeometry` while they are filled."""

    def __init__(self, shape: tuple[int, int], *, second: bool) -> None:
        self.count: ByteArray = np.zeros(shape, dtype=np.uint8)
        self.index = np.full(shape, -1, dtype=np.int32)
        self.second = np.full(shape, -1, dtype=np.int32) if second else None
        self.time: NDArray[np.float64] = np.empty(shape, dtype=np.float64)
        self.scan: _Singles = np.full(shape, np.nan, dtype=np.float32)
        self.view: _Singles = np.empty(shape, dtype=np.float32)
        self.sun: _Singles = np.empty(shape, dtype=np.float32)
        self.glint: _Singles = np.empty(shape, dtype=np.float32)

    def freeze(self) -> None:
        """Make every array read-only."""
        planes = (self.count, self.index, self.time, self.scan, self.view, self.sun, self.glint)
        for plane in planes:
            plane.flags.writeable = False
        if self.second is not None:
            self.second.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What every band needs."""

    sky: Sky
    georeference: Georeference
    day: dt.date
    limit: float
    """Cosine of the solar zenith angle under which nothing is seen."""
    longitude: _Singles
    latitude: _Singles
    mixed: BoolArray
    """(passes, cells down, cells across): night or another local day begins within the cell."""


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """Pixel rows of a band, and what the steepest pass so far says of them."""

    cells: slice
    rows: slice
    best: _Singles
    """Share of the half-width at which the steepest pass so far sees a pixel; 1 at first."""
    spare: _Singles | None
    """The same of the second steepest."""
    chosen: _Singles
    """(4, rows, cols): `Sky.fields` of the steepest."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A pass over neighbouring cells of a band."""

    number: int
    nodes: tuple[int, slice, slice]
    cells: tuple[int, slice, slice]
    size: tuple[int, int]
    """Pixels."""
    cols: slice


def fill_planes(
    sky: Sky, georeference: Georeference, day: dt.date, *, sza_limit_deg: float, second: bool
) -> Planes:
    """Choose the steepest pass of each pixel; see `gibswatch.sky.passes.pass_geometry`."""
    limit = float(np.cos(np.radians(sza_limit_deg)))
    seen, mixed, light = _cells(sky, limit)
    longitude, latitude = pixel_places(georeference)
    task = _Task(sky, georeference, day, limit, longitude, latitude, mixed)
    planes = Planes(georeference.shape, second=second)
    down = sky.lattice.latitude.shape[0] - 1
    high = max(1, _BAND_ROWS // sky.lattice.step)
    for first in range(0, down, high):
        band = _new_band(task, slice(first, min(first + high, down)), second=second)
        for run in _runs(task, band, seen):
            _lay_pass(task, planes, band, run)
        _finish(task, planes, band, light)
    return planes


def _cells(sky: Sky, limit: float) -> tuple[BoolArray, BoolArray, _Singles]:
    """Cells that passes see by day, those to be looked at closely, and most light at nodes."""
    low, high = _of_corners(sky.fields[0])
    seen = (low <= 1.0) & (high >= -1.0)
    low, high = _of_corners(sky.sun)
    seen &= high >= limit
    mixed = low < limit
    local = sky.fields[1] + (240.0 * sky.lattice.longitude).astype(np.float32)
    if sky.lattice.day_cut.any():
        local = np.where(np.abs(sky.lattice.latitude) < 89.999, local, 0.5 * DAY_S)
    low, high = _of_corners(local.astype(np.float32))
    seen &= ((high >= 0.0) & (low < DAY_S)) | sky.lattice.day_cut
    mixed |= (low < 0.0) | (high >= DAY_S) | sky.lattice.day_cut
    light = np.where((local >= 0.0) & (local < DAY_S), sky.sun, np.float32(np.nan))
    if not light.size:
        return seen, mixed, np.full(light.shape[1:], np.nan, dtype=np.float32)
    return seen, mixed, np.fmax.reduce(light, axis=0)


def _of_corners(field: _Singles) -> tuple[_Singles, _Singles]:
    """Smallest and largest of a cell's four corners; NaN if one of them is."""
    up, down = field[:, :-1], field[:, 1:]
    low, high = np.minimum(up, down), np.maximum(up, down)
    return (
        np.minimum(low[:, :, :-1], low[:, :, 1:]),
        np.maximum(high[:, :, :-1], high[:, :, 1:]),
    )


def _new_band(task: _Task, cells: slice, *, second: bool) -> _Band:
    step = task.sky.lattice.step
    rows = slice(cells.start * step, min(cells.stop * step, task.georeference.rows))
    if cells.stop == task.sky.lattice.latitude.shape[0] - 1:
        rows = slice(rows.start, task.georeference.rows)
    shape = (rows.stop - rows.start, task.georeference.cols)
    best = np.ones(shape, dtype=np.float32)
    chosen = np.full((4, *shape), np.nan, dtype=np.float32)
    return _Band(cells, rows, best, best.copy() if second else None, chosen)


def _runs(task: _Task, band: _Band, seen: BoolArray) -> Iterator[_Run]:
    """Passes over the band, each over a row of neighbouring cells in which it sees something."""
    step, across = task.sky.lattice.step, task.sky.lattice.longitude.shape[1] - 1
    any_row = np.asarray(seen[:, band.cells].any(axis=1))
    for number in np.flatnonzero(any_row.any(axis=1)):
        hit = np.flatnonzero(any_row[number])
        breaks = np.flatnonzero(np.diff(hit) > _MERGED_CELLS)
        firsts = hit[np.concatenate([[0], breaks + 1])]
        lasts = hit[np.concatenate([breaks, [hit.size - 1]])] + 1
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            stop = task.georeference.cols if last == across else last * step
            cols = slice(first * step, stop)
            yield _Run(
                int(number),
                (int(number), slice(band.cells.start, band.cells.stop + 1), slice(first, last + 1)),
                (int(number), band.cells, slice(first, last)),
                (band.rows.stop - band.rows.start, cols.stop - cols.start),
                cols,
            )


def _lay_pass(task: _Task, planes: Planes, band: _Band, run: _Run) -> None:
    """Give a pass the pixels of a run that it sees more steeply than those before it."""
    sky, step = task.sky, task.sky.lattice.step
    here, part = (slice(None), run.cols), (band.rows, run.cols)
    fields = _between(sky.fields[:, *run.nodes], step, run.size)
    angle = np.abs(fields[0])
    allowed = angle <= 1.0
    if task.mixed[run.cells].any():
        allowed &= _by_day(task, run, fields[1], part)
    planes.count[part] += allowed
    better = allowed & (angle <= band.best[here])
    if planes.second is not None and band.spare is not None:
        second, spare = planes.second[part], band.spare[here]
        np.copyto(second, planes.index[part], where=better)
        np.copyto(spare, band.best[here], where=better)
        next_best = allowed & ~better & (angle <= spare)
        np.copyto(second, run.number, where=next_best)
        np.copyto(spare, angle, where=next_best)
    np.copyto(band.best[here], angle, where=better)
    np.copyto(planes.index[part], run.number, where=better)
    np.copyto(band.chosen[:, :, run.cols], fields, where=better)


def _by_day(task: _Task, run: _Run, when: _Singles, part: tuple[slice, slice]) -> BoolArray:
    """Pixels of a run that a pass sees in daylight and on the local day."""
    sun = _between(task.sky.sun[np.newaxis, *run.nodes], task.sky.lattice.step, run.size)[0]
    local = when + np.float32(240.0) * task.longitude[part]
    allowed: BoolArray = (sun >= np.float32(task.limit)) & (local >= 0.0) & (local < DAY_S)
    return allowed


def _between(nodes: _Singles, step: int, size: tuple[int, int]) -> _Singles:
    """Interpolate (fields, down, across) between nodes to `size` pixels, the first node's first."""
    weights = np.arange(step, dtype=np.float32) / np.float32(step)
    left = nodes[:, :, :-1, np.newaxis]
    wide = left + (nodes[:, :, 1:, np.newaxis] - left) * weights
    wide = wide.reshape(*nodes.shape[:2], -1)
    if wide.shape[2] < size[1]:  # the last node of all is a pixel of its own
        wide = np.concatenate([wide, nodes[:, :, -1:]], axis=2)
    wide = wide[:, :, : size[1]]
    up = wide[:, :-1, np.newaxis]
    high = (wide[:, 1:, np.newaxis] - up) * weights[:, np.newaxis]
    high += up
    high = high.reshape(nodes.shape[0], -1, size[1])
    if high.shape[1] < size[0]:
        high = np.concatenate([high, wide[:, -1:]], axis=1)
    return np.asarray(high[:, : size[0]])


def _finish(task: _Task, planes: Planes, band: _Band, light: _Singles) -> None:
    """From the chosen passes of a band to times and angles."""
    rows, step, sky = band.rows, task.sky.lattice.step, task.sky
    size = (rows.stop - rows.start, task.georeference.cols)
    nodes = slice(band.cells.start, band.cells.stop + 1)
    at_nodes = np.stack([light[nodes], sky.ratio[nodes], sky.half_width[nodes]])
    brightest, ratio, width = _between(at_nodes, step, size)
    share, time, east, north = band.chosen
    np.add(time, day_start_s(task.day), out=planes.time[rows], dtype=np.float64)
    sun = _sun_cosine(task, band, time)
    np.copyto(sun, brightest, where=np.isnan(sun))
    np.multiply(np.arccos(np.clip(sun, -1.0, 1.0)), _DEGREES, out=planes.sun[rows])
    # The triangle of the Earth's centre, the pixel and the satellite.
    eta = np.multiply(share, width, out=share)
    sine, cosine = np.sin(eta), np.cos(eta)
    distance = np.sqrt(1.0 + ratio * (ratio - 2.0 * cosine))
    upwards = (ratio * cosine - 1.0) / distance
    scan = np.arcsin(sine / distance, out=planes.scan[rows])
    scan *= _DEGREES
    np.multiply(np.arccos(np.minimum(upwards, 1.0)), _DEGREES, out=planes.view[rows])
    apart = np.square(upwards - sun)
    apart += np.square(east, out=east)
    apart += np.square(north, out=north)
    chord = np.minimum(np.float32(0.5) * np.sqrt(apart), 1.0)
    np.multiply(np.arcsin(chord), 2.0 * _DEGREES, out=planes.glint[rows])


def _sun_cosine(task: _Task, band: _Band, time: _Singles) -> _Singles:
    """Cosine of the solar zenith angle at the chosen passes, exactly; NaN where there is none."""
    line = sun_line(task.day)
    longitude, latitude = task.longitude[band.rows], np.radians(task.latitude[band.rows])
    if is_separable(task.georeference):  # one row and one column say it all
        longitude, latitude = longitude[:1], latitude[:, :1]
    start, rate = np.radians(line.hour_angle_deg).astype(np.float32)
    hour = time * rate
    hour += np.radians(longitude) + start
    cosine = np.cos(hour, out=hour)
    cosine *= np.float32(line.cosine[0]) + np.float32(line.cosine[1]) * time
    cosine *= np.cos(latitude)
    cosine += np.sin(latitude) * (np.float32(line.sine[0]) + np.float32(line.sine[1]) * time)
    return np.asarray(cosine)
