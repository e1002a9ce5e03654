"""Clouds of a seed at any place and time: storms and rain belts, cumulus and decks, veils.

Every field is a texture that is laid over the Earth and drifts (`noise`): the same place at the
same time has the same cloud on every grid, down to the size of a pixel, and two passes 100 minutes
apart differ by the drift.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gibswatch.simulate.days import textures
from gibswatch.simulate.days.climate import climate_of
from gibswatch.simulate.days.noise import Charts, Floats, Layer, combine
from gibswatch.sky.timescale import DAY_S, EPOCH, day_start_s

__all__ = ["Clouds", "cloud_cover"]


@dataclass(frozen=True, slots=True, eq=False)
class Clouds:
    """Clouds over places; float32 arrays of their shape, 0-1."""

    cover: Floats
    """Share of the pixel's light that comes from the cloud."""
    thickness: Floats
    """How bright the cloud is: 0 a shadowless veil, 1 the top of a thunderstorm."""
    iceness: Floats
    """0 water, 1 ice: ice is dark in the shortwave infrared."""
    tint: Floats
    """About standard normal: more of it is warmer, less is colder."""


def _layers() -> dict[str, Layer]:
    swirls, cells = textures.swirls(), textures.cells()
    return {
        "storms": Layer(swirls, 180.0, 7.3, 0.31, 7.0, "storms"),
        "waves": Layer(swirls, 120.0, -5.7, 0.23, 5.0, "waves"),
        "clumps": Layer(textures.grain(), 45.0, -4.9, 0.19, 5.0, "clumps"),
        "meso": Layer(swirls, 24.0, -2.3, 0.41, 6.0, "meso"),
        "cells": Layer(cells, 18.0, -3.1, 0.37, 5.0, "cells"),
        "fine": Layer(cells, 8.0, -3.1, 0.37, 5.0, "fine"),
        "fibres": Layer(textures.streaks(), 40.0, 4.7, 0.53, 8.0, "fibres"),
        "regime": Layer(textures.smooth(), 180.0, -3.9, 0.29, 4.0, "regime"),
    }


def soft_step(value: Floats, low: float, high: float, lost: float = 0.0) -> Floats:
    """Rise from 0 to 1 between two values, more gently where detail finer than a pixel is lost."""
    middle, half = (low + high) / 2, (high - low) / 2
    half = float(np.hypot(half, 1.6 * lost))
    t = (value - np.float32(middle - half)) * np.float32(0.5 / half)
    np.clip(t, 0, 1, out=t)
    return np.asarray(t * t * (np.float32(3) - np.float32(2) * t))


def cloud_cover(
    seed: int,
    lon: ArrayLike,
    lat: ArrayLike,
    time_s: ArrayLike,
    *,
    pixel_deg: float,
    day: dt.date | None = None,
) -> Clouds:
    """Work out the clouds over places.

    Parameters
    ----------
    seed : int
        Of the weather.
    lon, lat : array_like
        Degrees; any shape, broadcast against each other.
    time_s : array_like
        Epoch seconds at which each place is seen; NaN: any time.
    pixel_deg : float
        Size of a pixel: nothing finer is drawn.
    day : datetime.date, optional
        Of the climate, and the one that times are counted from; tiles of one picture need the same
        one.  By default that of the first time.
    """
    start = None if day is None else day_start_s(day) / DAY_S
    charts = Charts(lon, lat, pixel_deg, time_s, start)
    if day is None:
        day = (EPOCH + dt.timedelta(days=charts.start)).date()
    climate = climate_of(charts.lon, charts.lat, day, pixel_deg)
    layers = _layers()
    tropics = soft_step(np.abs(charts.lat), 17.0, 30.0)
    regime, _ = charts.sample(layers["regime"], seed)
    meso = charts.sample(layers["meso"], seed)
    fibres = charts.sample(layers["fibres"], seed)
    large = _large(charts, layers, seed, tropics)
    drawn_out = (np.float32(0.5) * meso[0], np.float32(0.35) * fibres[0])
    cells = charts.sample(layers["cells"], seed, drawn_out)
    fine = charts.sample(layers["fine"], seed, drawn_out)

    deep, deep_lost = combine((large, meso, cells), (1.4, 0.12, 0.04))
    deep += climate.deep + np.float32(0.33) * regime
    deep += np.float32(0.50) * (1 - tropics) * cells[0]
    low, low_lost = combine((cells, fine, meso), (0.70, 0.46, 0.20))
    low += climate.low + np.float32(0.68) * regime
    veil, veil_lost = combine((fibres, large, fine), (0.66, 0.42, 0.30))
    veil += climate.veil - np.float32(0.3) * regime

    shares = (
        soft_step(deep, -0.7, 1.3, deep_lost) ** 1.5,
        np.float32(0.92) * soft_step(low, -0.5, 1.9, low_lost) ** 1.8,
        np.float32(0.575) * soft_step(veil, -0.6, 2.3, veil_lost) ** 1.5,
    )
    texture = np.float32(0.08) * fine[0] + np.float32(0.06) * fibres[0]
    bright = (
        np.clip(np.float32(0.41) + np.float32(0.17) * deep + texture, 0.35, 1.0),
        np.clip(np.float32(0.405) + np.float32(0.16) * low + texture, 0.3, 0.85),
        np.float32(0.5),
    )
    cold = np.float32(0.13) + np.float32(0.30) * deep + np.float32(0.22) * (veil - low)
    cold += np.float32(0.20) * meso[0] + np.float32(0.15) * fibres[0]
    icy = (soft_step(cold, -0.1, 1.4), np.float32(0.0), np.float32(0.4))
    tint = np.float32(0.7) * fibres[0] + np.float32(0.55) * cells[0] + np.float32(0.5) * regime
    return _merged(shares, bright, icy, tint)


def _large(
    charts: Charts, layers: dict[str, Layer], seed: int, tropics: Floats
) -> tuple[Floats, float]:
    """Storms outside of the tropics, waves and clumps of showers within: they drift apart."""
    lost = charts.lost(layers["waves"])  # the same on every tile, whichever of them it shows
    if tropics.size and tropics.min() == 1:
        return charts.sample(layers["storms"], seed)[0], lost
    parts = (charts.sample(layers["waves"], seed), charts.sample(layers["clumps"], seed))
    waves, _ = combine(parts, (0.83, 0.54))
    if not tropics.size or tropics.max() == 0:
        return waves, lost
    storms, _ = charts.sample(layers["storms"], seed)
    power = np.sqrt(tropics**2 + (1 - tropics) ** 2)
    return np.asarray((storms * tropics + waves * (1 - tropics)) / power), lost


def _merged(
    shares: tuple[Floats, ...],
    bright: tuple[Floats | np.float32, ...],
    icy: tuple[Floats | np.float32, ...],
    tint: Floats,
) -> Clouds:
    clear = np.ones_like(shares[0])
    total = np.full_like(clear, 1e-6)
    thickness, iceness = np.zeros_like(clear), np.zeros_like(clear)
    for share, level, ice in zip(shares, bright, icy, strict=True):
        seen = clear * share  # the upper kind hides the lower one
        thickness += seen * level
        iceness += seen * ice
        total += seen
        clear *= 1 - share
    return Clouds(1 - clear, thickness / total, iceness / total, tint)
