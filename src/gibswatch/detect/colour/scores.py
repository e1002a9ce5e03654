"""Usable pixels of a picture with their colours, and how far each is from what is usual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.colour.statistics import (
    DARKEST,
    LEAST_NOISE,
    Chroma,
    ColourNormals,
    ColourObservation,
    chroma_of,
    learn_normals,
    observe_colour,
    with_places,
)
from gibswatch.raster.scene import STATE_CODES, Scene, brightest_channel
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.places import pixel_places
from gibswatch.types import BoolArray, FloatArray

__all__ = ["SHADE", "Channels", "Colours", "observe_scene", "own_normals", "see_colours"]

_BESIDE_BLACK = 2
"""Pixels beside black that JPEG colours."""
SHADE = 0.05
"""Obscuration from which the Moon's shadow, not the instrument, may tint."""
_LOW_SUN_DEG = 82.0
_BRIGHT = 157
"""Level of a band that is bright: a quarter of what the Sun sends."""
_MOST_COLS = 1600
"""Wider pictures are looked at every second pixel, or third, and so on."""
_SECTORS = 16
"""Of longitude, that stand in for passes where these are not known."""
_FEWEST_UNITS = 6
_RARE = 4.5
_NEVER, _NEVER_GREEN = 5.9, 0.06
"""Rarity and difference of `green` of colours that no other day showed.  A new bloom may have such,
but not along whole scan lines."""
_QUIET, _QUIET_PERCENT = 0.046, 90.0
"""Of the differences in true colour of simulated days of the tuning years."""
_LOOSE, _LONG_TAILS = 3.0, 1.3
"""Where no two bands go together (Bands721, BandsM11-I2-I1), tails of natural spans are longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """How far each of n pixels is from the usual."""

    green: FloatArray
    """(n,) difference of log ratios, cut where it is gross."""
    far: FloatArray
    """(n,) 0 where nature goes, up to 1 where a colour is another one altogether."""
    noise: FloatArray
    """(n,) by how much `green` varies by nature."""
    never: BoolArray
    """(n,) colours that no other day of the archive showed; none where too few days are known."""
    scale: float
    """By how much `green` varies more than in true colour, at least 1; thresholds grow with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """Colours of a picture; (n,) each but `usable`."""

    step: int
    """Every so many-th row and column is looked at."""
    usable: BoolArray
    """(rows, cols) of those: where the n pixels are."""
    longitude: FloatArray
    latitude: FloatArray
    chroma: Chroma
    bright: tuple[BoolArray, ...]
    """(n,) each: where green is bright, and where both others are: a fault may hit only those."""

    def plane(self, values: FloatArray) -> NDArray[np.float32]:
        """Lay values of the n pixels out as (rows, cols) of the thinned picture, 0 elsewhere."""
        plane = np.zeros(self.usable.shape, dtype=np.float32)
        plane[self.usable] = values
        return plane

    def widen(self, plane: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Bring a plane of the thinned picture to (rows, cols) of the whole one."""
        wide = np.repeat(np.repeat(plane, self.step, axis=0), self.step, axis=1)
        found = np.zeros(shape, dtype=np.float32)
        rows, cols = (min(a, b) for a, b in zip(shape, wide.shape, strict=True))
        found[:rows, :cols] = wide[:rows, :cols]
        return found

    def channels(self, normals: ColourNormals) -> Channels:
        """What steps are looked for in."""
        warm, green, rarity = normals.residuals(self.chroma)
        usual = normals.spread
        if not np.isfinite(usual):
            usual = float(np.percentile(np.abs(green), _QUIET_PERCENT)) if green.size else 0.0
        scale = max(1.0, usual / _QUIET)
        scale *= _LONG_TAILS if scale > _LOOSE else 1.0
        far = np.clip((np.abs(green) / scale - 0.15) * 2.0, 0.0, 1.0)
        far = np.maximum(far, np.clip(rarity - _RARE, 0.0, 1.0))
        if normals.places is not None:
            far = np.maximum(far, np.clip(np.abs(warm) / scale - 0.6, 0.0, 1.0))
        noise = normals.noise(self.chroma)
        if noise is None:
            noise = np.full(green.shape, LEAST_NOISE * scale, dtype=np.float32)
        never = (rarity >= _NEVER) & (np.abs(green) >= _NEVER_GREEN * scale)
        never &= normals.places is not None
        return Channels(np.clip(green, -0.5 * scale, 0.5 * scale), far, noise, never, scale)


def see_colours(scene: Scene, observed: BoolArray, expectation: Expectation | None) -> Colours:
    """Take the usable pixels of a picture: lit, beside no black, in no shadow of the Moon.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation or None
    """
    step = -(-scene.georeference.cols // _MOST_COLS)
    thin = (slice(step // 2, None, step), slice(step // 2, None, step))
    near = ndimage.binary_dilation(observed, np.ones((3, 3), dtype=bool), iterations=_BESIDE_BLACK)
    usable = (scene.state == STATE_CODES["ok"]) & ~near
    pixels = scene.pixels[..., :3]
    usable = usable[thin] & (brightest_channel(pixels)[thin] > DARKEST)
    if expectation is not None:
        usable &= expectation.covered[thin] & (expectation.obscuration[thin] <= SHADE)
        usable &= expectation.sza_deg[thin] < _LOW_SUN_DEG
    longitude, latitude = np.broadcast_arrays(*pixel_places(scene.georeference))
    lon, lat = longitude[thin][usable], latitude[thin][usable]
    seen = pixels[thin][usable]
    chroma = chroma_of(seen, lon, lat, layer=scene.layer)
    green, others = seen[:, 1] >= _BRIGHT, seen[:, ::2].min(axis=1) >= _BRIGHT
    return Colours(step, usable, lon, lat, chroma, (green, others))


def own_normals(colours: Colours, units: NDArray[np.int32] | None = None) -> ColourNormals | None:
    """What is usual on the day itself: most of its passes are sound.

    Parameters
    ----------
    colours : Colours
    units : (n,) ndarray of int, optional
        Pass of each pixel; by default sectors of longitude.

    Returns
    -------
    ColourNormals or None
        None if there are too few units to say.
    """
    if not colours.longitude.size:
        return None
    if units is None:
        units = ((colours.longitude + 180.0) * (_SECTORS / 360.0)).astype(np.int32) % _SECTORS
    sizes = np.bincount(units)
    large = np.flatnonzero(sizes >= 0.01 * units.size)
    if large.size < _FEWEST_UNITS:
        return None
    return learn_normals(observe_colour(colours.chroma, units == unit) for unit in large)


def observe_scene(
    scene: Scene, observed: BoolArray, expectation: Expectation | None = None
) -> ColourObservation:
    """Take the small record of a day's colours, for the first pass of a scan."""
    colours = see_colours(scene, observed, expectation)
    record = observe_colour(colours.chroma)
    usual = own_normals(colours) or learn_normals([record])
    return with_places(record, colours.chroma, usual)
