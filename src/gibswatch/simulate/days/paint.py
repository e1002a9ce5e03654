"""From a composite to reflectance: the Earth under its clouds at each pixel's own time and angles.

Parts of a picture can be painted alone: everything is a function of place, time and angles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.simulate.days.clear import seen_bands
from gibswatch.simulate.days.composite import Composite
from gibswatch.simulate.days.passes import NodeFields, between, geographic
from gibswatch.simulate.days.products import BAND_TRIPLES, bands_of
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.sky.obscuration import obscuration
from gibswatch.sky.places import pixel_places
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import Georeference

__all__ = ["Angles", "View", "angles_of", "channels_of", "paint", "view_of"]

_Singles = NDArray[np.float32]
_ROWS = 32
"""Painted at a time: their arrays stay in the processor's cache, and a chart or a season that no
place among them needs is left out."""
_TOTAL = 0.9985
"""Obscuration from which nothing is left that a picture shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Angles:
    """Angles of a composite in degrees, (rows, cols); NaN where there is no input."""

    sza: _Singles
    vza: _Singles
    glint: _Singles


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is looked at, (rows, cols): place and time, and how."""

    longitude: _Singles
    latitude: _Singles
    time_s: NDArray[np.float64]
    """Epoch seconds; NaN where there is no input."""
    angles: Angles
    pixel_deg: float
    obscuration: _Singles

    def part(self, window: tuple[slice, slice]) -> View:
        """Return a window of it."""
        a = self.angles
        return View(
            self.longitude[window],
            self.latitude[window],
            self.time_s[window],
            Angles(a.sza[window], a.vza[window], a.glint[window]),
            self.pixel_deg,
            self.obscuration[window],
        )


def angles_of(composite: Composite, fields: NodeFields) -> Angles:
    """Angles of the chosen inputs, from the triangle of Earth's centre, pixel and satellite."""
    rows, cols = composite.share.shape
    both = np.stack([fields.ratio, fields.width])
    ratio, width = between(both, fields.nodes.step, slice(0, rows), slice(0, cols))
    cosine = np.cos(composite.share * width)
    upwards = (ratio * cosine - 1.0) / np.sqrt(1.0 + ratio * (ratio - 2.0 * cosine))
    apart = np.square(upwards - composite.sun)
    apart += np.square(composite.east)
    apart += np.square(composite.north)
    with np.errstate(invalid="ignore"):
        chord = np.minimum(np.float32(0.5) * np.sqrt(apart), 1.0)
        return Angles(
            np.degrees(np.arccos(np.clip(composite.sun, -1.0, 1.0))),
            np.degrees(np.arccos(np.minimum(upwards, 1.0))),
            np.degrees(2.0 * np.arcsin(chord)),
        )


def view_of(
    composite: Composite,
    fields: NodeFields,
    georeference: Georeference,
    spec: DaySpec,
    lags: dict[int, float],
) -> View:
    """Return what a composite looks at.

    Parameters
    ----------
    composite, fields, georeference, spec
        Of the block.
    lags : dict
        Seconds by which a displaced input's pixels are older, by number of the fault.
    """
    longitude, latitude = pixel_places(georeference)
    time = composite.time.astype(np.float64) + day_start_s(spec.day)
    moved = composite.fault > 0
    if composite.source is not None and moved.any():
        longitude, latitude = longitude.copy(), latitude.copy()
        where = geographic(composite.source[:, moved].T.astype(np.float64))
        longitude[moved], latitude[moved] = where
        for fault, lag in lags.items():
            time[composite.fault == fault] -= lag
    return View(
        longitude,
        latitude,
        time,
        angles_of(composite, fields),
        georeference.pixel_deg,
        obscuration(longitude, latitude, time),
    )


def channels_of(product: str) -> tuple[int, int, int]:
    """Bands, of those that are painted for a product, that it shows as red, green and blue."""
    names = bands_of(product)
    red, green, blue = BAND_TRIPLES[product]
    return names.index(red), names.index(green), names.index(blue)


def paint(view: View, spec: DaySpec) -> _Singles:
    """Return the reflectance of the bands that the product shows.

    Parameters
    ----------
    view : View
    spec : DaySpec

    Returns
    -------
    (rows, cols, bands) ndarray of float32
        In the order of `products.bands_of`; 0 where there is no input.
    """
    names = bands_of(spec.product)
    stack = np.zeros((len(names), *view.time_s.shape), dtype=np.float32)
    bands = np.moveaxis(stack, 0, -1)
    for first in range(0, len(bands), _ROWS):
        rows = slice(first, first + _ROWS)
        _paint_strip(bands[rows], view.part((rows, slice(None))), spec, names)
    return bands


def _paint_strip(bands: _Singles, view: View, spec: DaySpec, names: tuple[str, ...]) -> None:
    """Paint some rows into planes of zeros."""
    seen = np.isfinite(view.time_s)
    if not seen.any():
        return
    angles = view.angles
    bands[...] = seen_bands(
        spec.seed,
        view.longitude,
        view.latitude,
        spec.day,
        time_s=view.time_s,
        sza=angles.sza,
        vza=angles.vza,
        glint_deg=angles.glint,
        pixel_deg=view.pixel_deg,
        bands=names,
        invented=spec.invented,
    )
    if view.obscuration.any():
        _dim(bands, view.obscuration, names)
    bands[~seen] = 0.0


def _dim(bands: _Singles, share: _Singles, names: tuple[str, ...]) -> None:
    """Take away the light that the Moon does, a little more of the blue: the limb is redder."""
    left = np.where(share >= _TOTAL, np.float32(0.0), 1.0 - share)
    for band, name in enumerate(names):
        redder = {"blue": 0.10, "green": 0.05}.get(name, 0.0)
        bands[..., band] *= left * (1.0 - np.float32(redder) * share)
