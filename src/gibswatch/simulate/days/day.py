"""A day of imagery from its specification, with the truth about every pixel.

Pictures are made in blocks of 512 x 512 pixels that lie at fixed places of the projection's grid,
so that a tile has the same pixels whether it is made alone or cut out of the globe.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gibswatch.simulate.days.composite import Composite, Gap, Mosaic, compose, tile_numbers
from gibswatch.simulate.days.encode import decode_jpeg, encode_jpeg, encode_no_data, no_data_picture
from gibswatch.simulate.days.faults.colour import COLOUR_KINDS, miscolour
from gibswatch.simulate.days.faults.missing import (
    GEOMETRY_KINDS,
    MISSING_KINDS,
    TILE_KINDS,
    Placed,
    dark_gaps,
    gap_of,
    place,
)
from gibswatch.simulate.days.faults.stale import damage_blocks, tile_mask
from gibswatch.simulate.days.faults.warp import WARP_KINDS, displaced_layer
from gibswatch.simulate.days.granules import granule_number
from gibswatch.simulate.days.paint import View, channels_of, paint, view_of
from gibswatch.simulate.days.passes import make_nodes, node_fields
from gibswatch.simulate.days.products import bands_of, to_rgb
from gibswatch.simulate.days.spec import MASK_PRODUCT, DaySpec, SimulatedDay, generator
from gibswatch.simulate.days.tracks import Track, track_of
from gibswatch.simulate.days.truth import ECLIPSE_BLACK, ECLIPSE_SHARE, Planes, seen_difference
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import BoolArray, ByteArray, FloatArray, Georeference, Kind

__all__ = ["BLOCK", "picture_bytes", "simulate_day"]

BLOCK = 512
"""Pixels a side of what is made at once: GIBS's tile."""

_EXTENTS = {
    4326: (-180.0, 90.0, 360.0, 180.0),
    3857: (-20037508.34278925, 20037508.34278925, 40075016.6855785, 40075016.6855785),
    3413: (-4194304.0, 4194304.0, 8388608.0, 8388608.0),
    3031: (-4194304.0, 4194304.0, 8388608.0, 8388608.0),
}
"""West, north, width and height of each projection's grid, in its units."""
_ONLY_OF_COLOURS = (*COLOUR_KINDS, "jpeg-damage")
"""Faults that a mask layer cannot show."""
_NOISE = 0.0035
"""Standard deviation of the noise in reflectance, of all bands together."""


_Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """What all blocks of a day share."""

    spec: DaySpec
    track: Track
    dark: tuple[Gap, ...]
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A block of a picture: where it is, and what has been made of it."""

    georeference: Georeference
    key: tuple[int, int]
    """Row and column in the projection's grid of blocks."""
    clean: Composite
    faulty: Composite
    view: View
    """Of the faulty composite."""
    rgb_clean: ByteArray
    rgb: ByteArray
    footprints: dict[int, BoolArray]
    emptied: BoolArray
    """Pixels that a fault of the tile took away."""


def simulate_day(spec: DaySpec, georeference: Georeference) -> SimulatedDay:
    """Make a picture and its truth.

    Parameters
    ----------
    spec : DaySpec
    georeference : Georeference
        Any picture: the globe, a tile (one that hangs over the globe too), a box, polar, Mercator.

    Raises
    ------
    UsageError
        If two-line elements are asked for and none fits the day.
    MissingExtraError
        If Blue Marble is not installed and the Earth is not `invented`.
    """
    day = _day_of(spec)
    drawn, clean = _canvas(spec, georeference), _canvas(spec, georeference)
    planes = Planes(georeference.shape)
    for block, inner, outer in _blocks(day, georeference):
        drawn[outer], clean[outer] = block.rgb[inner], block.rgb_clean[inner]
        _record(planes, block, day, inner, outer)
    data, pixels = _encoded(spec, drawn)
    unharmed, differs = pixels, np.zeros(georeference.shape, dtype=bool)
    if planes.footprints:
        unharmed = _encoded(spec, clean)[1]
        differs = seen_difference(unharmed, pixels)
    truth = planes.truth(spec, georeference, day.placed, (unharmed, differs))
    return SimulatedDay(spec, georeference, data, pixels, drawn, truth)


def picture_bytes(spec: DaySpec, georeference: Georeference) -> bytes:
    """Make a picture without its truth: the same bytes as `simulate_day`, in less time."""
    day = _day_of(spec)
    drawn = _canvas(spec, georeference)
    for block, inner, outer in _blocks(day, georeference):
        drawn[outer] = block.rgb[inner]
    return _encoded(spec, drawn)[0]


def _day_of(spec: DaySpec) -> _Day:
    track = track_of(spec)
    placed = [place(fault, number, track, spec) for number, fault in enumerate(spec.faults, 1)]
    own = tuple(fault for fault in placed if fault is not None)
    if spec.product == MASK_PRODUCT:
        own = tuple(fault for fault in own if fault.spec.kind not in _ONLY_OF_COLOURS)
    return _Day(spec, track, dark_gaps(track, spec), own)


def _canvas(spec: DaySpec, georeference: Georeference) -> ByteArray:
    channels = 4 if spec.product == MASK_PRODUCT else 3
    return np.zeros((*georeference.shape, channels), dtype=np.uint8)


def _encoded(spec: DaySpec, drawn: ByteArray) -> tuple[bytes, ByteArray]:
    """Encode a picture as its layer is served; its bytes, and its pixels as they come out."""
    if spec.product == MASK_PRODUCT:
        return encode_no_data(drawn[..., 3] == 0), drawn
    data = encode_jpeg(drawn, spec.quality)
    return data, decode_jpeg(data)


def _blocks(
    day: _Day, georeference: Georeference
) -> Iterator[tuple[_Block, tuple[slice, slice], tuple[slice, slice]]]:
    """Make the blocks of a picture; with each, its part that is in the picture, and where.

    A block is made whole even where little of it is asked for: the last bit of a sine depends on
    how many are worked out at once.
    """
    g = georeference
    west, north, wide, high = _EXTENTS[g.epsg]
    down, across = (north - g.north) / g.pixel_height, (g.west - west) / g.pixel_width
    on_grid = all(abs(pixels - round(pixels)) < 1e-6 for pixels in (down, across))
    limits = math.ceil(high / g.pixel_height - 1e-6), math.ceil(wide / g.pixel_width - 1e-6)
    first = (round(down), round(across)) if on_grid else (0, 0)
    if not on_grid:
        limits = g.shape
    for row in range(first[0] // BLOCK, -(-(first[0] + g.rows) // BLOCK)):
        for col in range(first[1] // BLOCK, -(-(first[1] + g.cols) // BLOCK)):
            rows, cols = min(BLOCK, limits[0] - row * BLOCK), min(BLOCK, limits[1] - col * BLOCK)
            if rows <= 0 or cols <= 0 or row < 0 or col < 0:
                continue  # beyond the globe
            top, left = row * BLOCK - first[0], col * BLOCK - first[1]
            own = replace(
                g,
                west=g.west + left * g.pixel_width,
                north=g.north - top * g.pixel_height,
                rows=rows,
                cols=cols,
            )
            outer = (
                slice(max(top, 0), min(top + rows, g.rows)),
                slice(max(left, 0), min(left + cols, g.cols)),
            )
            inner = tuple(
                slice(part.start - edge, part.stop - edge)
                for part, edge in zip(outer, (top, left), strict=True)
            )
            yield _make_block(day, own, (row, col)), (inner[0], inner[1]), outer


def _make_block(day: _Day, georeference: Georeference, key: tuple[int, int]) -> _Block:
    spec = day.spec
    fields = node_fields(day.track, make_nodes(georeference), spec)
    mosaic = Mosaic(
        georeference, fields, spec.perturbation, spec.seed, spec.day, tile_numbers(georeference)
    )
    clean = compose(mosaic, day.dark)
    moving = [p for p in day.placed if p.spec.kind in GEOMETRY_KINDS and _touches(p, clean)]
    faulty, lags = clean, {}
    if moving:
        gaps = [*day.dark, *(gap_of(fault, georeference.epsg) for fault in moving)]
        layers = [
            displaced_layer(fault, day.track, fields, spec)
            for fault in moving
            if fault.spec.kind in WARP_KINDS
        ]
        faulty = compose(mosaic, gaps, [layer for layer in layers if layer is not None])
        lags = {
            fault.number: spec.perturbation.granule_s * fault.spec.count
            for fault in moving
            if fault.spec.kind == "duplicate-granule"
        }
    view = view_of(faulty, fields, georeference, spec, lags)
    unmoved = view if faulty is clean else view_of(clean, fields, georeference, spec, {})
    pictures = _painted(day, key, (clean, unmoved), (faulty, view))
    footprints = _footprints(day, georeference, clean, faulty)
    none = np.zeros(georeference.shape, dtype=bool)
    draft = _Block(georeference, key, clean, faulty, view, *pictures, footprints, none)
    return _finished(day, draft)


def _touches(fault: Placed, clean: Composite) -> bool:
    """Whether a fault's pass is anywhere near: displaced granules reach beyond their own place."""
    if fault.spec.kind in WARP_KINDS:
        return True
    with np.errstate(invalid="ignore"):
        return bool(((clean.time >= fault.span[0]) & (clean.time < fault.span[1])).any())


def _painted(
    day: _Day,
    key: tuple[int, int],
    clean: tuple[Composite, View],
    faulty: tuple[Composite, View],
) -> tuple[ByteArray, ByteArray]:
    """Paint the clean block, and again what faults changed in it."""
    spec = day.spec
    if spec.product == MASK_PRODUCT:
        return no_data_picture(clean[0].covered), no_data_picture(faulty[0].covered)
    names = bands_of(spec.product)
    bands = paint(clean[1], spec)
    noise = _noise(spec, key, clean[1])
    bands += noise
    rgb_clean = to_rgb(bands, spec.product, names)
    rgb_clean[~clean[0].covered] = 0
    changed = (faulty[0].pass_index != clean[0].pass_index) | (faulty[0].fault > 0)
    hits = [(f, _scanned(faulty[0], f)) for f in day.placed if f.spec.kind in COLOUR_KINDS]
    coloured = np.zeros(changed.shape, dtype=bool)
    for _, where in hits:
        coloured |= where
    window = _box(changed | coloured)
    if window is None:
        return rgb_clean, rgb_clean.copy()
    part = bands[window].copy()
    own = _box(changed)
    if own is not None:
        again = paint(faulty[1].part(own), spec) + noise[own]
        whole = bands.copy()
        np.copyto(whole[own], again, where=changed[own][..., np.newaxis])
        part = whole[window].copy()
    for fault, where in hits:
        if where.any():
            planes = faulty[0].share[window], faulty[0].time[window]
            miscolour(
                part, where[window], fault.spec, channels_of(spec.product), planes, seed=spec.seed
            )
    rgb = rgb_clean.copy()
    shown = to_rgb(part, spec.product, names)
    np.copyto(rgb[window], shown, where=(changed | coloured)[window][..., np.newaxis])
    rgb[~faulty[0].covered] = 0
    return rgb_clean, rgb


def _scanned(composite: Composite, fault: Placed) -> BoolArray:
    """Pixels of a composite that were scanned in a fault's span."""
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (composite.time >= np.float32(fault.span[0]))
            & (composite.time < np.float32(fault.span[1]))
        )


def _box(mark: BoolArray) -> tuple[slice, slice] | None:
    rows, cols = np.flatnonzero(mark.any(axis=1)), np.flatnonzero(mark.any(axis=0))
    if rows.size == 0:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)


def _noise(spec: DaySpec, key: tuple[int, int], view: View) -> FloatArray:
    """Noise of the sensor, one value a pixel: grey, as its chroma does not survive 4:2:0."""
    drawn = generator(spec.seed, "noise", spec.satellite, spec.day, round(view.pixel_deg, 9), *key)
    whole = drawn.standard_normal((BLOCK, BLOCK), dtype=np.float32)
    rows, cols = view.time_s.shape
    return np.asarray(whole[:rows, :cols, np.newaxis] * np.float32(_NOISE))


def _footprints(
    day: _Day, georeference: Georeference, clean: Composite, faulty: Composite
) -> dict[int, BoolArray]:
    """Pixels that each fault concerns."""
    found = {}
    for fault in day.placed:
        if fault.spec.kind in TILE_KINDS or fault.spec.kind == "wrong-day":
            where = tile_mask(fault.spec, georeference)
            where &= clean.covered | faulty.covered
            if fault.spec.kind == "wrong-day":
                where = np.ones(georeference.shape, dtype=bool)
        elif fault.spec.kind in GEOMETRY_KINDS:
            where = _scanned(clean, fault) | (faulty.fault == fault.number)
            if fault.spec.kind == "missing-wedge":
                where &= clean.pass_index != faulty.pass_index
        else:
            where = _scanned(faulty, fault)
        if where.any():
            found[fault.number] = where
    return found


def _finished(day: _Day, block: _Block) -> _Block:
    """Do to the block what happens to finished tiles."""
    rgb = block.rgb
    for fault in day.placed:
        if fault.spec.kind not in (*TILE_KINDS, "wrong-day"):
            continue
        where = tile_mask(fault.spec, block.georeference)
        if not where.any():
            continue
        if fault.spec.kind != "jpeg-damage":
            for number in block.footprints.keys() - {fault.number}:
                block.footprints[number] &= ~where  # nothing of it is left here
        if fault.spec.kind in ("stale-tile", "wrong-day"):
            other = _other_day(day.spec, fault, block)
            rgb = np.where(where[..., np.newaxis], other.rgb, rgb)
            block.footprints[fault.number] = where & (block.faulty.covered | other.faulty.covered)
            block.emptied[where] = False
        elif fault.spec.kind == "jpeg-damage":
            rgb = damage_blocks(
                rgb, where, seed=day.spec.seed, place=(fault.number, day.spec.day, block.key)
            )
        else:
            empty = no_data_picture(~where) if day.spec.product == MASK_PRODUCT else np.uint8(0)
            rgb = np.where(where[..., np.newaxis], empty, rgb)
            block.emptied[where] = True
    return replace(block, rgb=rgb)


def _other_day(spec: DaySpec, fault: Placed, block: _Block) -> _Block:
    other = replace(spec, day=spec.day + dt.timedelta(days=fault.spec.days_off), faults=())
    return _make_block(_day_of(other), block.georeference, block.key)


def _record(planes: Planes, block: _Block, day: _Day, inner: _Window, outer: _Window) -> None:
    """Write a block's truth into the planes."""
    faulty, view, spec = block.faulty, block.view, day.spec
    length, start = spec.perturbation.granule_s, day_start_s(spec.day)
    seen = faulty.covered[inner] & ~block.emptied[inner]
    none = np.float32(np.nan)
    time = np.where(seen, faulty.time[inner], 0.0).astype(np.float64) + start
    planes.granule[outer] = np.where(seen, granule_number(time, length), -1)
    planes.pass_index[outer] = np.where(seen, faulty.pass_index[inner], -1)
    planes.coverage[outer] = np.where(seen, faulty.count[inner], 0)
    planes.time_s[outer] = np.where(seen, faulty.time[inner].astype(np.float64) + start, np.nan)
    angles = view.angles
    planes.sza[outer] = np.where(seen, angles.sza[inner], none)
    planes.vza[outer] = np.where(seen, angles.vza[inner], none)
    planes.glint[outer] = np.where(seen, angles.glint[inner], none)
    gone = np.zeros(seen.shape, dtype=bool)
    for fault in day.placed:
        where = block.footprints.get(fault.number)
        if where is None or not where[inner].any():
            continue
        planes.footprint(fault.number)[outer] = where[inner]
        if fault.spec.kind in (*MISSING_KINDS, *WARP_KINDS):
            gone |= _scanned(block.clean, fault)[inner] & (faulty.fault[inner] == 0) & where[inner]
    planes.substituted[outer] = gone & seen
    if not view.obscuration.any():
        return  # planes of zeros that nobody writes to take no memory
    planes.obscuration[outer] = view.obscuration[inner]
    if spec.product != MASK_PRODUCT:
        dark = seen & (view.obscuration[inner] >= ECLIPSE_SHARE)
        black = dark & (block.rgb[inner].max(axis=-1) <= ECLIPSE_BLACK)
        planes.eclipse[outer] = np.where(
            black, Kind.ECLIPSE_MISSING, np.where(dark, Kind.ECLIPSE_MISCOLORATION, 0)
        )
