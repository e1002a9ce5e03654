"""The Earth as an imager sees it, without a fault: ground, air, clouds and light put together."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import ArrayLike

from gibswatch.simulate.days.clouds import cloud_cover
from gibswatch.simulate.days.earth import surface
from gibswatch.simulate.days.light import air_over, illuminate
from gibswatch.simulate.days.noise import Floats
from gibswatch.simulate.days.products import bands_of, to_rgb
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.places import pixel_places
from gibswatch.types import ByteArray, Georeference

__all__ = ["clear_picture", "seen_bands"]

_ROWS = 128
"""Rows that are worked on at a time: their arrays stay in the processor's cache."""


def seen_bands(
    seed: int,
    lon: ArrayLike,
    lat: ArrayLike,
    day: dt.date,
    *,
    time_s: ArrayLike,
    sza: ArrayLike,
    vza: ArrayLike,
    glint_deg: ArrayLike,
    pixel_deg: float,
    bands: tuple[str, ...],
    invented: bool = False,
) -> Floats:
    """Work out the reflectances that one or more passes see at places.

    Parameters
    ----------
    seed : int
    lon, lat : array_like
        Degrees; any shape.
    day : datetime.date
        Local day of the picture.
    time_s, sza, vza, glint_deg : array_like
        At each place: epoch seconds, degrees.
    pixel_deg : float
        Size of a pixel.
    bands : tuple of str
        Which of `gibswatch.simulate.days.products.BANDS`.
    invented : bool
        Use an invented Earth instead of Blue Marble.

    Returns
    -------
    (..., len(bands)) ndarray of float32
    """
    ground, water = surface(
        seed, lon, lat, day, pixel_deg=pixel_deg, bands=bands, invented=invented
    )
    clouds = cloud_cover(seed, lon, lat, time_s, pixel_deg=pixel_deg, day=day)
    air = air_over(seed, lon, lat, day, pixel_deg=pixel_deg)
    return illuminate(ground, clouds, air, water, sza, vza, glint_deg, bands=bands)


def clear_picture(
    seed: int,
    orbit: Orbit,
    georeference: Georeference,
    day: dt.date,
    product: str,
    *,
    sza_limit_deg: float = 86.5,
    invented: bool = False,
) -> ByteArray:
    """Draw a day without a fault, each pixel from the pass that sees it most steeply.

    Returns
    -------
    (rows, cols, 3) ndarray of uint8
        0 where no pass sees the pixel.
    """
    geometry = pass_geometry(orbit, georeference, day, sza_limit_deg=sza_limit_deg)
    lon, lat = pixel_places(georeference)
    bands = bands_of(product)
    picture = np.zeros((*georeference.shape, 3), np.uint8)
    for first in range(0, georeference.rows, _ROWS):
        part = slice(first, first + _ROWS)
        seen = geometry.covered[part]
        stack = seen_bands(
            seed,
            lon[part],
            lat[part],
            day,
            time_s=geometry.time_s[part],
            sza=geometry.solar_zenith_deg[part],
            vza=geometry.view_zenith_deg[part],
            glint_deg=geometry.glint_deg[part],
            pixel_deg=georeference.pixel_deg,
            bands=bands,
            invented=invented,
        )
        picture[part] = to_rgb(stack, product, bands) * seen[..., np.newaxis]
    return picture
