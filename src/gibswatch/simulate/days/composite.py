"""From passes to one picture: which input each pixel of a block is taken from.

Inputs are passes, less what was never received or processed, and granules that a fault displaced.
What is missing is taken away before the inputs are laid over each other, so neighbours fill it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.simulate.days.passes import NodeFields, between
from gibswatch.simulate.days.spec import CompositeRule, Perturbation, generator
from gibswatch.sky.places import inside as inside_globe
from gibswatch.sky.places import is_separable, pixel_places
from gibswatch.sky.timescale import DAY_S
from gibswatch.types import BoolArray, Georeference

__all__ = ["TILE_SIZES", "Composite", "Gap", "Layer", "Mosaic", "Span", "compose", "tile_numbers"]

_Singles = NDArray[np.float32]
Span = tuple[float, float]
"""Seconds since 0 h UTC of the day: from, up to but not including."""

TILE_SIZES = {4326: 18.0, 3857: 2003750.834278925, 3413: 524288.0, 3031: 524288.0}
"""Side of the tiles that GIBS composites one by one, in units of the projection.

18 degrees: black wedges of the VIIRS day 2016-04-12 end at -90, +90 and +162; the others are 16 or
20 tiles across as well."""

_ORIGINS = {
    4326: (-180.0, 90.0),
    3857: (-20037508.34278925, 20037508.34278925),
    3413: (-4194304.0, 4194304.0),
    3031: (-4194304.0, 4194304.0),
}
_ROWS = 64
"""Laid at a time, or the one row of cells that is higher."""
_MOST_TILES = 20
"""Rows or columns of tiles that any projection has, at most."""
_SINGLE_RULES: tuple[CompositeRule, ...] = ("nadir", "sun", "latest", "earliest")


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An input beside the passes themselves: a granule whose pixels come from elsewhere."""

    fault: int
    """Number of the fault, from 1."""
    number: int
    """Pass."""
    values: _Singles
    """(fields, nodes down, nodes across), as of a pass, at the places that are really shown."""
    source: _Singles
    """(3, nodes down, nodes across): these places, earth-fixed km."""
    span: Span
    """Times of the granule; only these pixels are there."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What is taken away from the inputs."""

    span: Span
    tile: tuple[int, int] | None = None
    """Row and column of the tile in whose making it was lacking; None: everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """What a block's composite is made of."""

    georeference: Georeference
    fields: NodeFields
    perturbation: Perturbation
    seed: int
    day: dt.date
    tiles: tuple[NDArray[np.intp], NDArray[np.intp]]
    """Row of the tile of each row, and column of the tile of each column."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """The input that each pixel is taken from; planes are (rows, cols)."""

    count: NDArray[np.uint8]
    """Inputs that see the pixel by day."""
    pass_index: NDArray[np.int16]
    """-1: none."""
    fault: NDArray[np.uint8]
    """Of a displaced input, else 0."""
    time: _Singles
    """Seconds since 0 h UTC of the day; NaN where there is none."""
    share: _Singles
    sun: _Singles
    east: _Singles
    north: _Singles
    source: _Singles | None
    """(3, rows, cols) earth-fixed place that is shown, where `fault` says so."""

    @property
    def covered(self) -> BoolArray:
        """Whether there is an input."""
        return np.asarray(self.pass_index >= 0)


def tile_numbers(georeference: Georeference) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the composited tiles that a picture's rows and columns lie in."""
    g = georeference
    x0, y0 = _ORIGINS[g.epsg]
    size = TILE_SIZES[g.epsg]
    x = g.west + (np.arange(g.cols) + 0.5) * g.pixel_width
    y = g.north - (np.arange(g.rows) + 0.5) * g.pixel_height
    return np.floor((y0 - y) / size).astype(np.intp), np.floor((x - x0) / size).astype(np.intp)


def compose(mosaic: Mosaic, gaps: Sequence[Gap] = (), layers: Sequence[Layer] = ()) -> Composite:
    """Lay the inputs of a block over each other.

    Parameters
    ----------
    mosaic : Mosaic
    gaps : sequence of Gap
        What no input has.
    layers : sequence of Layer
        Inputs beside the passes.
    """
    desk = _Desk(mosaic, mosaic.georeference.shape)
    for slot, number in enumerate(mosaic.fields.passes):
        values = mosaic.fields.values[slot]
        for window in desk.windows(values):
            desk.lay(values, window, number, gaps=gaps)
    for layer in layers:
        for window in desk.windows(layer.values):
            desk.lay(layer.values, window, layer.number, layer=layer)
    return desk.composite()


def _of_corners(values: _Singles) -> tuple[_Singles, _Singles]:
    """Smallest and largest of each cell's four corners; NaN if one of them is."""
    up, down = values[:-1], values[1:]
    low, high = np.minimum(up, down), np.maximum(up, down)
    return np.minimum(low[:, :-1], low[:, 1:]), np.maximum(high[:, :-1], high[:, 1:])


class _Desk:
    """The planes of a composite while inputs are laid on them."""

    def __init__(self, mosaic: Mosaic, shape: tuple[int, int]) -> None:
        self.mosaic = mosaic
        longitude, _ = pixel_places(mosaic.georeference)
        self.early = np.float32(240.0) * longitude
        """Seconds by which local time is ahead of UTC."""
        self.early_nodes = _even_local_time(mosaic)
        self.inside = inside_globe(mosaic.georeference)
        self.cut = np.float32(np.cos(np.radians(mosaic.perturbation.sza_cut_deg)))
        self.rules = _rule_plane(mosaic, shape)
        self.score = np.full(shape, -np.inf, dtype=np.float32)
        self.count = np.zeros(shape, dtype=np.uint8)
        self.number = np.full(shape, -1, dtype=np.int16)
        self.fault = np.zeros(shape, dtype=np.uint8)
        self.planes = np.full((5, *shape), np.nan, dtype=np.float32)
        self.source: _Singles | None = None
        drops = mosaic.perturbation.dropped_share > 0.0
        self.late: BoolArray | None = np.ones(shape, dtype=bool) if drops else None
        """Whether what lies there came too late for its tile, and gives way to all that did not."""
        self.tardy: dict[int, BoolArray] = {}
        """Tiles for which a pass came too late, by the pass."""

    def windows(self, values: _Singles) -> Iterator[tuple[slice, slice]]:
        """Pixels around the cells of the lattice in which an input sees anything, some rows each.

        A swath lies aslant: few pixels of the rectangle around all of it are its own.
        """
        nodes, shape = self.mosaic.fields.nodes, self.score.shape
        cells = np.ones((nodes.shape[0] - 1, nodes.shape[1] - 1), dtype=bool)
        local = values[1] + self.early_nodes if self.early_nodes is not None else None
        limits = ((values[0], -1.0, 1.0), (values[2], float(self.cut), 1.0), (local, 0.0, DAY_S))
        for field, least, most in limits:
            if field is not None:
                low, high = _of_corners(field)
                cells &= (high >= least) & (low <= most)
        step = nodes.step
        for first in range(0, len(cells), max(_ROWS // step, 1)):
            part = cells[first : first + max(_ROWS // step, 1)]
            down, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            if down.size == 0:
                continue
            rows = slice(
                (first + int(down[0])) * step, min((first + int(down[-1]) + 1) * step, shape[0])
            )
            cols = slice(int(across[0]) * step, min((int(across[-1]) + 1) * step, shape[1]))
            if rows.start < rows.stop and cols.start < cols.stop:
                yield rows, cols

    def lay(
        self,
        values: _Singles,
        window: tuple[slice, slice],
        number: int,
        *,
        gaps: Sequence[Gap] = (),
        layer: Layer | None = None,
    ) -> None:
        """Give an input the pixels that it sees better than those before it."""
        step = self.mosaic.fields.nodes.step
        fields = between(values, step, *window)
        with np.errstate(invalid="ignore"):
            allowed = np.abs(fields[0]) <= 1.0
            allowed &= fields[2] >= self.cut
            local = fields[1] + self.early[window]
            allowed &= (local >= 0.0) & (local < np.float32(DAY_S))
        allowed &= self.inside[window]
        for gap in gaps:
            self._take(allowed, fields[1], gap, window)
        if layer is not None:
            allowed &= _within(fields[1], layer.span)
        if not allowed.any():
            return
        score = self._score(fields, window)
        with np.errstate(invalid="ignore"):
            better = score > self.score[window]
        if self.late is not None:
            late = self._came_late(number, window)
            held = self.late[window]
            better = np.where(held == late, better, held)
            np.copyto(held, late, where=better & allowed)
        better &= allowed
        self.count[window] += allowed
        np.copyto(self.score[window], score, where=better)
        np.copyto(self.number[window], number, where=better)
        np.copyto(self.fault[window], layer.fault if layer else 0, where=better)
        np.copyto(self.planes[:, *window], fields, where=better)
        if layer is not None:
            if self.source is None:
                self.source = np.zeros((3, *self.score.shape), dtype=np.float32)
            np.copyto(self.source[:, *window], between(layer.source, step, *window), where=better)

    def _take(
        self, allowed: BoolArray, time: _Singles, gap: Gap, window: tuple[slice, slice]
    ) -> None:
        if gap.tile is None:
            allowed &= ~_within(time, gap.span)
            return
        rows, cols = self.mosaic.tiles
        own = np.flatnonzero(rows[window[0]] == gap.tile[0])
        across = np.flatnonzero(cols[window[1]] == gap.tile[1])
        if own.size and across.size:
            part = (slice(own[0], own[-1] + 1), slice(across[0], across[-1] + 1))
            allowed[part] &= ~_within(time[part], gap.span)

    def _came_late(self, number: int, window: tuple[slice, slice]) -> BoolArray:
        """Mark the pixels of the tiles for which a pass came too late."""
        m = self.mosaic
        if number not in self.tardy:
            drawn = generator(m.seed, "dropped", m.day, m.georeference.epsg, number)
            shares = drawn.random((_MOST_TILES, _MOST_TILES))
            self.tardy[number] = shares < m.perturbation.dropped_share
        rows, cols = (
            np.clip(tiles[part], 0, _MOST_TILES - 1)
            for tiles, part in zip(m.tiles, window, strict=True)
        )
        return np.asarray(self.tardy[number][np.ix_(rows, cols)])

    def _score(self, fields: _Singles, window: tuple[slice, slice]) -> _Singles:
        rule = self.mosaic.perturbation.rule
        if self.rules is None:
            return _scored(rule, fields)
        codes = self.rules[window]
        score = np.empty(fields.shape[1:], dtype=np.float32)
        for code, single in enumerate(_SINGLE_RULES):
            np.copyto(score, _scored(single, fields), where=codes == code)
        return score

    def composite(self) -> Composite:
        """Return the planes."""
        share, time, sun, east, north = self.planes
        return Composite(
            self.count, self.number, self.fault, time, share, sun, east, north, self.source
        )


def _even_local_time(mosaic: Mosaic) -> _Singles | None:
    """Seconds from UTC to local time at the nodes; None where longitudes jump between them."""
    if not is_separable(mosaic.georeference):
        return None
    nodes = mosaic.fields.nodes
    return np.asarray(240.0 * nodes.longitude.reshape(nodes.shape), dtype=np.float32)


def _within(time: _Singles, span: Span) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return np.asarray((time >= np.float32(span[0])) & (time < np.float32(span[1])))


def _scored(rule: CompositeRule, fields: _Singles) -> _Singles:
    """Larger is better."""
    if rule == "sun":
        return np.asarray(fields[2])
    if rule == "latest":
        return np.asarray(fields[1])
    if rule == "earliest":
        return np.asarray(-fields[1])
    return np.asarray(-np.abs(fields[0]))


def _rule_plane(mosaic: Mosaic, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Number of the rule by which each pixel's tile is composited; None if it is one for all."""
    if mosaic.perturbation.rule != "by-tile":
        return None
    rows, cols = mosaic.tiles
    plane = np.empty(shape, dtype=np.uint8)
    for row in np.unique(rows):
        for col in np.unique(cols):
            drawn = generator(mosaic.seed, "rule", mosaic.georeference.epsg, row, col)
            code = int(drawn.choice(len(_SINGLE_RULES), p=(0.55, 0.15, 0.15, 0.15)))
            plane[np.ix_(rows == row, cols == col)] = code
    return plane
