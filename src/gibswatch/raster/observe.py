"""What is seen: the one definition of observed black, and the shares of a scene.

Observed black is what a satellite mosaic shows where it has no imagery.  Pixels alone cannot tell
it (JPEG rings around an edge, the sea is dark), so a rule has a pixel and a region part:

1. core: ``max(R, G, B) <= core_level``, opened with a square of ``2 * half_width + 1`` pixels, so
   that every core pixel lies in a solid black square of that size;
2. ring: ``max(R, G, B) <= ring_level`` within `ring_pixels` of the core; 8 pixels is one JPEG
   block, the reach of its ringing;
3. regions (8-connected) under `min_pixels` pixels do not count.

======================================  ==========  ==========  ==========  ===========  ==========
format and layer                        core_level  half_width  ring_level  ring_pixels  min_pixels
======================================  ==========  ==========  ==========  ===========  ==========
JPEG, in general                                 8           1          12            8           1
JPEG, Bands721 and BandsM11-I2-I1 (*)            0           6          12            8         256
JPEG, pixels of 0.3 degree and more (+)          12           0          12            0           1
PNG                                     alpha 0 (fully transparent), nothing else
======================================  ==========  ==========  ==========  ===========  ==========

(*) The short-wave infrared sees the sea as nearly black, in single JPEG blocks as exactly 0: only
solid areas of zeros count.  Tuned on every fourth day of one Terra tile of 2023 against the black
of the true colour picture (``docs/decisions/0004-observed-black.md`` has the figures).

(+) Gaps are five pixels wide there, and an opening eats them: intersection over union with the
orbit's gaps on seven days at level 0 is .54-.65 with it and .78-.81 without
(``docs/orbit-fit.md``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from gibswatch.raster.regions import pixel_area_km2, region_area_km2
from gibswatch.raster.scene import STATE_CODES, Scene, brightest_channel
from gibswatch.types import BoolArray, ByteArray, ImageFormat

__all__ = ["BlackRule", "Observation", "black_rule", "observe", "observed_black"]


@dataclass(frozen=True, slots=True)
class BlackRule:
    """Thresholds of observed black in a JPEG layer (see the module's table)."""

    core_level: int = 8
    half_width: int = 1
    ring_level: int = 12
    ring_pixels: int = 8
    min_pixels: int = 1


_GENERAL = BlackRule()
_DARK_SEA = BlackRule(core_level=0, half_width=6, min_pixels=256)
_COARSE = BlackRule(core_level=12, half_width=0, ring_level=12, ring_pixels=0)
_COARSE_FROM_DEG = 0.3
_DARK_SEA_PRODUCTS = ("Bands721", "BandsM11-I2-I1")


@dataclass(frozen=True, slots=True)
class Observation:
    """The figures of one scene that other days are compared with."""

    date: dt.date | None
    black: float
    """Share of the usable area that is observed black, 0-1; NaN if nothing is usable."""
    usable: float
    """Share of the picture's area whose pixels are usable, 0-1."""


def black_rule(layer: str, pixel_deg: float = 0.0) -> BlackRule:
    """The rule of a JPEG layer, for pixels of a size in degrees."""
    if layer.endswith(_DARK_SEA_PRODUCTS):
        return _DARK_SEA
    return _COARSE if pixel_deg >= _COARSE_FROM_DEG else _GENERAL


def observed_black(
    pixels: ByteArray, *, layer: str, image_format: ImageFormat, pixel_deg: float = 0.0
) -> BoolArray:
    """Mark the pixels that show no imagery.

    Parameters
    ----------
    pixels : (rows, cols, 3) or (rows, cols, 4) ndarray of uint8
        RGB, or RGBA of a PNG layer.
    layer : str
        Identifier; decides the rule of a JPEG layer.
    image_format : {"jpg", "png"}
    pixel_deg : float
        Size of a pixel in degrees; 0 stands for fine ones.

    Returns
    -------
    (rows, cols) ndarray of bool
        By the rule in the module's table.
    """
    if image_format == "png":
        return np.asarray(pixels[..., 3] == 0)
    rule = black_rule(layer, pixel_deg)
    brightest = brightest_channel(pixels)
    core = _open_square(brightest <= rule.core_level, rule.half_width)
    near = ndimage.maximum_filter(
        core.view(np.uint8), 2 * rule.ring_pixels + 1, mode="constant", cval=0
    ).view(np.bool_)
    black: BoolArray = core | (near & (brightest <= rule.ring_level))
    return _drop_small(black, rule.min_pixels)


def observe(scene: Scene) -> tuple[Observation, BoolArray]:
    """Measure a scene.

    Returns
    -------
    observation : Observation
    black : (rows, cols) ndarray of bool
        Observed black among the pixels that the server had: where it sent its blank tile the
        reason is known, and it is not the satellite's.
    """
    usable = scene.usable
    sent = scene.state == STATE_CODES["ok"]
    black = sent & observed_black(
        scene.pixels,
        layer=scene.layer,
        image_format=scene.image_format,
        pixel_deg=scene.georeference.pixel_deg,
    )
    area = pixel_area_km2(scene.georeference)
    total = float(area.sum(dtype=np.float64))
    fetched = region_area_km2(usable, scene.georeference)
    share = region_area_km2(black, scene.georeference) / fetched if fetched > 0 else float("nan")
    return Observation(scene.date, share, fetched / total if total > 0 else 0.0), black


def _open_square(mask: BoolArray, half_width: int) -> BoolArray:
    """Open with a square; beyond the picture everything counts as black."""
    side = 2 * half_width + 1
    eroded = ndimage.minimum_filter(mask.view(np.uint8), side, mode="constant", cval=1)
    opened = ndimage.maximum_filter(eroded, side, mode="constant", cval=0)
    result: BoolArray = opened.view(np.bool_)
    return result


def _drop_small(mask: BoolArray, min_pixels: int) -> BoolArray:
    if min_pixels <= 1:
        return mask
    labels, count = ndimage.label(mask, structure=np.ones((3, 3), dtype=bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    keep = sizes >= min_pixels
    keep[0] = False
    return np.asarray(keep[labels])
