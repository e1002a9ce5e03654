"""Light on its way: air in front of the ground, glint of the sea, clouds, the edge of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gibswatch.simulate.days import textures
from gibswatch.simulate.days.climate import season
from gibswatch.simulate.days.clouds import Clouds, soft_step
from gibswatch.simulate.days.noise import Charts, Floats, Layer
from gibswatch.simulate.days.products import BANDS
from gibswatch.sky.timescale import DAY_S, day_start_s

__all__ = ["Air", "air_over", "illuminate"]

_PATH = {
    "blue": 0.020, "green": 0.013, "red": 0.009, "nir": 0.006, "swir16": 0.001, "swir21": 0.0005,
}  # fmt: skip
"""What the correction for Rayleigh scattering leaves, for each air mass beyond the first."""
_HAZE = {
    "blue": 0.031,
    "green": 0.033,
    "red": 0.032,
    "nir": 0.029,
    "swir16": 0.016,
    "swir21": 0.014,
}
_DUST = {
    "blue": 0.013,
    "green": 0.026,
    "red": 0.035,
    "nir": 0.036,
    "swir16": 0.034,
    "swir21": 0.030,
}
_GLINT = {"blue": 0.105, "green": 0.118, "red": 0.122, "nir": 0.125, "swir16": 0.12, "swir21": 0.11}
"""At the Sun's mirror point with a common wind."""
_GLINT_WIDTH_DEG = 15.0
_WATER = {"blue": 0.965, "green": 0.93, "red": 0.93, "nir": 0.96, "swir16": 0.74, "swir21": 0.655}
_ICY = {"blue": 0.975, "green": 0.95, "red": 0.95, "nir": 0.945, "swir16": 0.22, "swir21": 0.13}
"""Reflectance of the thickest clouds of water and of ice."""
_TINT = {"blue": -0.135, "red": 0.135, "green": 0.02, "swir16": 0.35, "swir21": 0.4}
"""By how much a cloud's colour varies, from one standard deviation of the tint."""
_MOST_AIR = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Air:
    """State of the air and of the sea's skin; float32 arrays of one shape."""

    haze: Floats
    """Times the usual haze, from about 0.3 to 3."""
    dust: Floats
    """Dust and smoke, 0-1 and more."""
    wind: Floats
    """Times the usual strength of the glint."""


def air_over(seed: int, lon: ArrayLike, lat: ArrayLike, day: dt.date, *, pixel_deg: float) -> Air:
    """Draw the air of a day over places: smooth fields, not finer than a degree.

    Parameters
    ----------
    seed : int
    lon, lat : array_like
        Degrees; any shape, broadcast against each other.
    day : datetime.date
    pixel_deg : float
        Size of a pixel.
    """
    start = day_start_s(day)
    charts = Charts(lon, lat, pixel_deg, start + DAY_S / 2, start / DAY_S)
    murk, _ = charts.sample(Layer(textures.smooth(), 90.0, -4.3, 0.3, 4.0, "haze"), seed)
    calm, _ = charts.sample(Layer(textures.swirls(), 72.0, -2.9, 0.2, 3.0, "wind"), seed)
    summer = season(day)
    east = (charts.lon + 8 + 180) % 360 - 180
    plume = np.exp(-((east / 38) ** 2) - ((charts.lat - 12 - 4 * summer) / 8) ** 2)
    asia = np.exp(-(((charts.lon - 60) / 30) ** 2) - ((charts.lat - 22) / 10) ** 2)
    dust = np.clip(
        (plume + np.float32(0.7) * asia) * (np.float32(0.7) + np.float32(0.6) * murk), 0, 3
    )
    haze = np.exp(np.float32(0.85) * np.clip(murk, -2.5, 2.0))
    wind = np.exp(np.float32(0.28) * calm)
    return Air(haze, np.asarray(dust, np.float32), wind)


def illuminate(  # noqa: PLR0917  (places first, then angles: as everywhere)
    surface: ArrayLike,
    clouds: Clouds,
    air: Air,
    water: Floats,
    sza: ArrayLike,
    vza: ArrayLike,
    glint_deg: ArrayLike,
    *,
    bands: Sequence[str] = BANDS,
) -> Floats:
    """Turn the ground's reflectance into what an imager sees.

    Parameters
    ----------
    surface : (..., len(bands)) array_like
        Reflectance of the ground.
    clouds, air
        Over the same places.
    water : ndarray
        Share of open water.
    sza, vza, glint_deg : array_like
        Zenith angles of the Sun and of the satellite, and the angle from the Sun's mirror image,
        degrees; NaN where nothing is seen, and then the result is anything finite.
    bands : sequence of str
        What the last axis is.

    Returns
    -------
    (..., len(bands)) ndarray of float32
        Corrected reflectance, 0-1.2: divided by the cosine of the solar zenith angle, as GIBS's is.
    """
    view = np.nan_to_num(np.asarray(vza, np.float32))
    sun = np.nan_to_num(np.asarray(sza, np.float32))
    away = np.nan_to_num(np.asarray(glint_deg, np.float32), nan=90.0)
    slant = np.minimum(1 / np.maximum(np.cos(np.radians(view)), 0.1), _MOST_AIR)
    low = np.minimum(1 / np.maximum(np.cos(np.radians(sun)), 0.1), _MOST_AIR)
    beyond = slant - 1 + np.float32(0.12) * (low - 1)
    haze = air.haze * (np.float32(0.26) + np.float32(0.22) * (slant - 1))
    shine = water * air.wind * np.exp(-((away / np.float32(_GLINT_WIDTH_DEG)) ** 2))
    shine += np.float32(0.1) * water * np.exp(away * np.float32(-1 / 30))
    tint = clouds.tint * np.minimum(clouds.thickness, np.float32(0.85)) ** 4
    dense = clouds.cover * clouds.thickness
    # A cloud lets through what it does not send back, and half of that comes up again.
    through = 1 - clouds.cover * (np.float32(0.33) + np.float32(0.62) * clouds.thickness)
    taper = 1 - np.float32(0.45) * soft_step(sun, 80.0, 92.0)
    ground = np.asarray(surface)
    stack = np.empty((len(bands), *view.shape), np.float32)
    for number, band in enumerate(bands):
        plane = stack[number]
        veil = haze * np.float32(_HAZE[band]) + air.dust * np.float32(_DUST[band])
        np.multiply(ground[..., number], 1 - 2 * veil, out=plane)
        plane += veil
        plane += shine * np.float32(_GLINT[band])
        top = np.float32(_WATER[band]) + np.float32(_ICY[band] - _WATER[band]) * clouds.iceness
        top *= 1 + np.float32(_TINT.get(band, 0.0)) * tint
        plane *= through
        plane += dense * top
        plane += beyond * np.float32(_PATH[band])
        plane *= taper
    np.clip(stack, 0, 1.2, out=stack)
    return np.moveaxis(stack, 0, -1)
