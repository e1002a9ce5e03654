"""The cloudless Earth through the year: reflectance of land, sea, snow and ice in six bands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from gibswatch.simulate.days import textures
from gibswatch.simulate.days.climate import season
from gibswatch.simulate.days.clouds import soft_step
from gibswatch.simulate.days.marble import earth_map
from gibswatch.simulate.days.noise import Charts, Floats, Layer
from gibswatch.simulate.days.products import BANDS, reflectance_of

__all__ = ["land_share", "surface"]

_SEA = {
    "blue": 0.0282, "green": 0.0153, "red": 0.0073, "nir": 0.0065, "swir16": 0.006, "swir21": 0.004,
}  # fmt: skip
_SHALLOW = {"blue": 0.07, "green": 0.09, "red": 0.03, "nir": 0.004, "swir16": 0.0, "swir21": 0.0}
_PLANKTON = {"blue": -0.115, "green": 0.04}
_GYRE_BLUE = 0.0078
"""By how much the poor waters of the subtropics are bluer."""
_SNOW = {"blue": 1.12, "green": 1.11, "red": 1.08, "nir": 0.88, "swir16": 0.13, "swir21": 0.08}
_SNOW_TINT = {"red": 0.045, "blue": -0.01}
_ICE = {"blue": 0.86, "green": 0.85, "red": 0.83, "nir": 0.72, "swir16": 0.09, "swir21": 0.06}
_TUNDRA = {"red": 0.105, "green": 0.085, "blue": 0.060}
_MARBLE = (0, 30, 50, 90, 130, 192, 255)
_DAILY = (
    (26, 38, 50, 87, 110, 176, 252),
    (28, 44, 56, 80, 105, 174, 252),
    (28, 38, 48, 66, 104, 187, 252),
)
"""Brightness in Blue Marble, and that of the same land on a daily picture: red, green, blue.

Fitted by eye to Guinea, the Sahel and the Sahara."""


@lru_cache(maxsize=1)
def _curves() -> tuple[Floats, ...]:
    levels = np.arange(256, dtype=np.float64)
    return tuple(reflectance_of(np.interp(levels, _MARBLE, daily)) for daily in _DAILY)


def land_share(
    lon: ArrayLike, lat: ArrayLike, *, pixel_deg: float, invented: bool = False
) -> Floats:
    """Share of land of each pixel, 0-1."""
    east, north = np.broadcast_arrays(np.asarray(lon, np.float32), np.asarray(lat, np.float32))
    return earth_map(invented=invented).read(east, north, pixel_deg)[3]


def surface(
    seed: int,
    lon: ArrayLike,
    lat: ArrayLike,
    day: dt.date,
    *,
    pixel_deg: float,
    bands: Sequence[str] = BANDS,
    invented: bool = False,
) -> tuple[Floats, Floats]:
    """Work out the reflectance of the ground.

    Parameters
    ----------
    seed : int
        Of the year's snow, ice and growth.
    lon, lat : array_like
        Degrees; any shape, broadcast against each other.
    day : datetime.date
    pixel_deg : float
        Size of a pixel.
    bands : sequence of str
        Which of `BANDS`, in which order.
    invented : bool
        Use an invented Earth instead of Blue Marble.

    Returns
    -------
    reflectance : (..., len(bands)) ndarray of float32
        A view on one plane a band.
    water : ndarray of float32
        Share of open water, 0-1.

    Raises
    ------
    MissingExtraError
        If Blue Marble is asked for and not installed.
    """
    charts = Charts(lon, lat, pixel_deg)
    red, green, blue, land = earth_map(invented=invented).read(charts.lon, charts.lat, pixel_deg)
    rough, _ = charts.sample(Layer(textures.grain(), 30.0, name="ground"), seed)
    white = soft_step(np.minimum(np.minimum(red, green), blue), 0.62, 0.85) * land
    visible = {
        name: curve[np.clip(plane * 255, 0, 255).astype(np.uint8)]
        for name, plane, curve in zip(
            ("red", "green", "blue"), (red, green, blue), _curves(), strict=True
        )
    }
    _shed_snow(visible, white, charts)
    _grow(visible, charts, day)
    shallow = np.clip((1.6 - blue / np.maximum(green, 0.02)) * 2.5, 0, 1) * (green > 0.13)
    snow = np.maximum(_snow(charts, day, rough), white * _keeps_snow(charts)) * land
    ice = _sea_ice(charts, day, rough) * (1 - land)
    stack = np.empty((len(bands), *charts.shape), np.float32)
    grain = 1 + np.float32(0.05) * rough
    gyre = _gyres(charts.lat)
    for number, band in enumerate(bands):
        plane = stack[number]
        ground = _ground(visible, band) * grain
        water = np.float32(_SEA[band]) * (1 + np.float32(_PLANKTON.get(band, 0.0)) * rough)
        water += np.float32(_SHALLOW[band]) * shallow
        if band == "blue":
            water += np.float32(_GYRE_BLUE) * gyre
        plane[...] = water + (ground - water) * land
        cold = np.float32(_SNOW[band]) * (1 + np.float32(_SNOW_TINT.get(band, 0.0)) * rough)
        plane += (cold - plane) * snow
        plane += (np.float32(_ICE[band]) - plane) * ice
    return np.moveaxis(stack, 0, -1), (1 - land) * (1 - ice)


def _ground(visible: dict[str, Floats], band: str) -> Floats:
    """Reflectance of dry or green land from that in the visible.

    Over green land the near infrared is bright, over sand all bands are: fitted by eye to Guinea,
    Sahel and Sahara in Bands721.
    """
    if band in visible:
        return visible[band]
    red = visible["red"]
    if band == "nir":
        return np.asarray(0.05 + 1.12 * red + 0.33 * np.exp(red * np.float32(-10.0)))
    far = 1.38 * red + 0.006
    return far if band == "swir21" else np.asarray(0.83 * far + 0.05)


def _gyres(lat: Floats) -> Floats:
    """Where the sea is poor in plankton: about 20 S and 25 N."""
    south = np.exp(((lat + np.float32(21)) * np.float32(1 / 14)) ** 2 * np.float32(-1))
    north = np.exp(((lat - np.float32(26)) * np.float32(1 / 10)) ** 2 * np.float32(-1))
    return np.asarray(south + np.float32(0.5) * north)


def _shed_snow(visible: dict[str, Floats], white: Floats, charts: Charts) -> None:
    """Blue Marble has the snow of one month: put bare ground under what melts."""
    bare = white * (1 - _keeps_snow(charts))
    if not bare.size or bare.max() == 0:
        return
    for band, level in _TUNDRA.items():
        visible[band] += (np.float32(level) - visible[band]) * bare


def _keeps_snow(charts: Charts) -> Floats:
    """Where white ground stays white in summer: ice caps, and mountains to the south of 45 N."""
    lat, lon = charts.lat, charts.lon
    greenland = (lon > -73) & (lon < -10) & (lat > 59.5)
    stays = (lat < 45) | greenland | (lat > 78)
    return np.asarray(np.where(stays, 1, 0), np.float32)


def _snow(charts: Charts, day: dt.date, rough: Floats) -> Floats:
    """Share of snow on northern land: the line runs from 47 N in January to 77 N in July."""
    lat, lon = charts.lat, charts.lon
    if not lat.size or lat.max() < 30:
        return np.zeros(charts.shape, np.float32)
    mild = 9 * np.exp(-(((lon - 8) / 22) ** 2)) + 5 * np.exp(-(((lon + 128) / 12) ** 2))
    line = 61 + 15 * season(day) + mild + 2.2 * rough
    return (np.float32(0.66) + np.float32(0.12) * rough) * soft_step(
        np.asarray(lat - line, np.float32), -3.0, 5.0
    )


def _sea_ice(charts: Charts, day: dt.date, rough: Floats) -> Floats:
    """Share of sea ice: largest in March and September, about two months after the cold."""
    lat, lon = charts.lat, charts.lon
    if not lat.size or max(lat.max(), -lat.min()) < 50:
        return np.zeros(charts.shape, np.float32)
    late = season(day - dt.timedelta(days=48))
    warm = 9 * np.exp(-(((lon - 15) / 32) ** 2)) - 6 * np.exp(-(((lon + 75) / 22) ** 2))
    warm -= 6 * np.exp(-(((np.abs(lon) - 172) / 22) ** 2))
    north = lat - (72 + 6 * late + warm + 1.2 * rough)
    south = -lat - (65 - 4.5 * late + 1.0 * rough)
    inside = np.asarray(np.where(lat > 0, north, south), np.float32)
    floes = np.clip(np.float32(0.85) + np.float32(0.12) * rough, 0.3, 1)
    return np.asarray(soft_step(inside, -0.5, 2.0) * floes, np.float32)


def _grow(visible: dict[str, Floats], charts: Charts, day: dt.date) -> None:
    """Green and dry seasons: savannas with the rain, northern woods and fields with the summer."""
    lat = charts.lat
    phase = season(day - dt.timedelta(days=25))
    savanna = np.exp(-(((lat - 11) / 5) ** 2)) - np.exp(-(((lat + 14) / 7) ** 2))
    north = 0.8 * np.exp(-(((lat - 52) / 11) ** 2)) - 0.5 * np.exp(-(((lat + 38) / 9) ** 2))
    green = np.asarray(phase * (savanna + north), np.float32)
    red = visible["red"]
    medium = np.clip((np.float32(0.30) - red) * np.float32(7), 0, 1)  # sand stays sand
    green *= medium
    visible["red"] = red * (1 - np.float32(0.28) * green)
    visible["green"] *= 1 - np.float32(0.08) * green
    visible["blue"] *= 1 - np.float32(0.15) * green
