"""Where clouds are at home: how much likelier than the mean each kind is, by place and season."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

__all__ = ["Climate", "climate_of", "season"]

Floats = NDArray[np.float32]

_STEP_DEG = 0.5
_BIN_DAYS = 5

# Decks of stratocumulus off the west coasts; deserts, and last the cool tongue of the South
# Atlantic; woods and warm pools: longitude, latitude, half-widths, weight.
_DECKS = (
    (1.0, -15.0, 14.0, 7.0, 1.35),
    (-85.0, -18.0, 16.0, 8.0, 1.4),
    (-127.0, 26.0, 13.0, 8.0, 1.2),
    (100.0, -28.0, 14.0, 7.0, 0.9),
    (-22.0, 27.0, 9.0, 6.0, 0.8),
)
_DRY = (
    (6.0, 22.5, 26.0, 7.5, -1.3),
    (45.0, 23.0, 16.0, 9.0, -1.1),
    (133.0, -25.0, 15.0, 8.0, -1.0),
    (22.0, -24.0, 10.0, 7.0, -0.8),
    (68.0, 27.0, 10.0, 6.0, -0.7),
    (-105.0, 30.0, 9.0, 6.0, -0.5),
    (-15.0, -9.0, 20.0, 9.0, -0.39),
)
_WET = (
    (-60.0, -4.0, 13.0, 8.0, 0.6),
    (22.0, 0.0, 10.0, 7.0, 0.35),
    (118.0, 0.0, 24.0, 9.0, 0.65),
    (165.0, -8.0, 22.0, 6.0, 0.4),
)


@dataclass(frozen=True, eq=False)
class Climate:
    """Biases at places, in standard deviations of the fields of `clouds`."""

    deep: Floats
    low: Floats
    veil: Floats


def season(day: dt.date) -> float:
    """Phase of the year, -1 at the end of January and +1 at the end of July.

    >>> round(season(dt.date(2023, 7, 25)), 2)
    1.0
    """
    return float(-np.cos(2 * np.pi * (day.timetuple().tm_yday - 24) / 365.25))


def climate_of(lon: Floats, lat: Floats, day: dt.date, pixel_deg: float) -> Climate:
    """Read the biases at places; (rows, cols) float32 each."""
    maps = _maps(day.timetuple().tm_yday // _BIN_DAYS)
    across = (lon + np.float32(180.0)) / np.float32(_STEP_DEG)
    down = (np.float32(90.0) - lat) / np.float32(_STEP_DEG)
    if pixel_deg < 0.1:
        at = (down - np.float32(0.5), across - np.float32(0.5))
        read = [
            map_coordinates(part, at, order=1, mode="grid-wrap", output=np.float32) for part in maps
        ]
        return Climate(*read)
    rows, cols = maps[0].shape
    row = np.clip(down.astype(np.int32), 0, rows - 1)
    index = row * cols + across.astype(np.int32) % cols
    return Climate(*(part.ravel()[index] for part in maps))


@lru_cache(maxsize=8)
def _maps(number: int) -> tuple[Floats, Floats, Floats]:
    day = dt.date(2023, 1, 1) + dt.timedelta(days=min(number * _BIN_DAYS + 2, 364))
    summer = season(day)
    lat = (90 - _STEP_DEG * (np.arange(round(180 / _STEP_DEG)) + 0.5))[:, np.newaxis]
    lon = (_STEP_DEG * (np.arange(round(360 / _STEP_DEG)) + 0.5) - 180)[np.newaxis, :]
    # The belt of rain follows the Sun, over land and monsoons more than over the Atlantic.
    monsoon = np.exp(-(((lon - 85) / 45) ** 2))
    centre = 5.0 + summer * (3.5 + 7.0 * monsoon + 3.0 * np.exp(-(((lon - 15) / 25) ** 2)))
    rain = np.exp(-(((lat - centre) / 5.5) ** 2))
    storms = np.exp(-(((np.abs(lat) - 57 + 4 * summer * np.sign(lat)) / 16) ** 2))
    high = np.exp(-(((np.abs(lat) - 21 - 3 * summer * np.sign(lat)) / 9) ** 2))
    south = np.where(lat < 0, 0.40, 0.0)
    dry = _bumps(lon, lat, _DRY)
    wet = _bumps(lon, lat, _WET)
    decks = _bumps(lon, lat, _DECKS) * (1.0 + 0.35 * np.where(lat < 0, summer, 0.3))
    deep = (
        -1.01
        + (0.9 + 0.4 * monsoon) * rain
        + (1.73 + south) * storms
        - 0.40 * high
        + 0.95 * dry
        + wet
    )
    low = -0.585 + decks + 1.2 * wet + south * storms + 0.2 * high + 1.1 * dry - 0.25 * rain
    veil = -0.32 + 0.55 * rain + 1.35 * storms + 0.1 * dry + 0.9 * wet
    maps = []
    for part in (deep, low, veil):
        full = np.ascontiguousarray(np.broadcast_to(part, (lat.size, lon.size)), np.float32)
        full.setflags(write=False)
        maps.append(full)
    return maps[0], maps[1], maps[2]


def _bumps(
    lon: NDArray[np.floating],
    lat: NDArray[np.floating],
    places: tuple[tuple[float, float, float, float, float], ...],
) -> NDArray[np.float64]:
    total = np.zeros(np.broadcast(lon, lat).shape)
    for east, north, wide, tall, weight in places:
        away = (lon - east + 180) % 360 - 180
        total += weight * np.exp(-((away / wide) ** 2) - ((lat - north) / tall) ** 2)
    return total
