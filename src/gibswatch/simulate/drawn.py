"""Days drawn from a seed: a textured earth under clouds, with swath gaps, polar night and a hole.

The stand-in until the physical simulator: the geometry is that of a sun-synchronous orbit's daily
mosaic, simplified (circular orbit, a gap of given width, no view angles); the earth is invented.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gibswatch.errors import DateRangeError, UsageError
from gibswatch.types import BoolArray, ByteArray

__all__ = ["DrawnDays"]

_Floats = NDArray[np.float32]
_Doubles = NDArray[np.float64]

_ORBITS_A_DAY = 233 / 16  # Terra, Aqua: 233 revolutions in 16 days
_SPACING = 360.0 / _ORBITS_A_DAY  # degrees of longitude between passes
_INCLINATION = np.radians(98.2)
_GAP_WIDTH = 4.0  # degrees of longitude, on the equator
_GAP_CLOSES = 28.6  # degrees of latitude
_GRANULE_LENGTH = 18.2  # degrees along the track: 5 min of a 98.9 min revolution
_LOWEST_SUN = 3.0  # degrees of the sun's noon elevation: below, nothing is imaged
_DARKEST = 24  # value of the brightest channel where there is data, at least

_OCEAN = ((10, 21, 46), (24, 46, 84))
_FOREST = ((38, 58, 30), (84, 100, 52))
_DESERT = ((150, 112, 72), (216, 184, 134))
_TUNDRA = ((92, 82, 66), (140, 128, 106))


@dataclass(frozen=True)
class DrawnDays:
    """Daily globes of an invented earth, each the same for the same seed.

    Parameters
    ----------
    layer : str
        Its name decides the platform: ``Aqua`` flies northwards by day, all others southwards;
        ``MODIS`` layers have swath gaps.
    seed : int
        0 or more.
    start : date
        First day.
    days : int
        Number of days, at least 1.
    hole_day : date or tuple of date
        Days with missing granules.
    rows : int
        Height of a globe in pixels, at least 64; it is twice as wide.

    Raises
    ------
    UsageError
        If `days`, `seed` or `rows` is out of range.
    DateRangeError
        If a hole lies on a day that is not drawn.
    """

    layer: str
    seed: int
    start: dt.date
    days: int
    hole_day: dt.date | tuple[dt.date, ...] = ()
    rows: int = 1024

    def __post_init__(self) -> None:
        for name, least in (("days", 1), ("seed", 0), ("rows", 64)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}: give {least} or more")
        for day in self.hole_days:
            self._check(day)

    @property
    def hole_days(self) -> tuple[dt.date, ...]:
        """Days with missing granules."""
        return (self.hole_day,) if isinstance(self.hole_day, dt.date) else self.hole_day

    @property
    def dates(self) -> tuple[dt.date, ...]:
        """All days that can be drawn, in order."""
        return tuple(self.start + dt.timedelta(days=n) for n in range(self.days))

    def globe(self, day: dt.date) -> ByteArray:
        """Draw a day.

        Returns
        -------
        (rows, 2 * rows, 3) ndarray of uint8
            EPSG:4326, north up.  No data is black; where there is data, the brightest channel is
            24 or more.

        Raises
        ------
        DateRangeError
            If the day is not one of `dates`.
        """
        self._check(day)
        colour = _clouded(_earth(self.seed, self.rows), self._clouds(day))
        picture = np.rint(np.clip(colour, 0, 255)).astype(np.uint8)
        dark = picture.max(axis=2) < _DARKEST
        picture[..., 2][dark] = _DARKEST
        picture[self._gaps(day) | self._night(day) | self.truth(day)] = 0
        return picture

    def truth(self, day: dt.date) -> BoolArray:
        """Mark the pixels of missing granules: exact, without the swath gaps and the polar night.

        Returns
        -------
        (rows, 2 * rows) ndarray of bool

        Raises
        ------
        DateRangeError
            If the day is not one of `dates`.
        """
        self._check(day)
        lat, lon = _axes(self.rows)
        missing = np.zeros((self.rows, 2 * self.rows), np.bool_)
        if day not in self.hole_days:
            return missing
        random = self._random(day, "hole")
        centre_lat = random.uniform(-25, 25)
        granules = int(random.integers(1, 3))
        first = self._track_lon(centre_lat) + self._phase(day) + _SPACING / 2
        passes = first + _SPACING * np.arange(-30, 30)
        centre_lon = float(random.choice(passes[np.abs(passes) < 150]))
        across = lon - centre_lon - (self._track_lon(lat) - self._track_lon(centre_lat))
        half_swath = (_SPACING - self._gap_width(lat)) / 2
        half = np.minimum(
            half_swath, _SPACING - half_swath
        )  # neighbours fill in where they overlap
        tilt = self._track_lon(centre_lat + 0.5) - self._track_lon(centre_lat - 0.5)
        east = np.cos(np.radians(centre_lat)) * tilt
        along = (lon - centre_lon) * np.cos(np.radians(centre_lat)) * east + (lat - centre_lat)
        length = granules * _GRANULE_LENGTH * np.hypot(1, east)
        missing |= (np.abs(across) <= half) & (np.abs(along) <= length / 2)
        return missing & ~self._night(day) & ~self._gaps(day)

    def _check(self, day: dt.date) -> None:
        last = self.start + dt.timedelta(days=self.days - 1)
        if not self.start <= day <= last:
            raise DateRangeError(f"{day} is not drawn: name a day from {self.start} to {last}")

    def _random(self, day: dt.date, what: str) -> np.random.Generator:
        return np.random.default_rng(
            [self.seed, day.toordinal(), zlib.crc32(f"{self.layer} {what}".encode())]
        )

    def _phase(self, day: dt.date) -> float:
        """Longitude of a gap's centre on the equator: it moves by 0.5625 spacings a day."""
        origin = zlib.crc32(f"{self.seed} {self.layer}".encode()) / 2**32
        return (origin - day.toordinal() * (_ORBITS_A_DAY % 1)) % 1 * _SPACING

    def _track_lon(self, lat: _Doubles | float) -> _Doubles:
        """Longitude of the ground track relative to its equator crossing, by day."""
        along = np.arcsin(np.clip(np.sin(np.radians(lat)) / np.sin(_INCLINATION), -1, 1))
        turn = np.arctan2(np.cos(_INCLINATION) * np.sin(along), np.cos(along))
        northwards = np.degrees(turn - along / _ORBITS_A_DAY)
        return np.asarray(northwards if "Aqua" in self.layer else -northwards)

    def _gap_width(self, lat: _Doubles) -> _Doubles:
        """Degrees of longitude between neighbouring swaths; negative where they overlap."""
        if "MODIS" not in self.layer:
            return np.full_like(lat, -1.0)
        secant = 1 / np.maximum(np.cos(np.radians(lat)), 0.02)
        closed = 1 / np.cos(np.radians(_GAP_CLOSES))
        width = _GAP_WIDTH * (1 - (secant - 1) / (closed - 1))
        return np.asarray(np.maximum(width, -_SPACING))

    def _gaps(self, day: dt.date) -> BoolArray:
        lat, lon = _axes(self.rows)
        offset = (lon - self._track_lon(lat) - self._phase(day) + _SPACING / 2) % _SPACING
        return np.asarray(np.abs(offset - _SPACING / 2) < self._gap_width(lat) / 2)

    def _night(self, day: dt.date) -> BoolArray:
        """Polar cap whose sun is too low at noon; its edge is scalloped by the passes."""
        lat, lon = _axes(self.rows)
        year = 2 * np.pi * (day.timetuple().tm_yday + 10) / 365.25
        declination = -23.44 * np.cos(year)
        noon = 90 - np.abs(lat - declination)
        scallop = 0.4 * np.cos(2 * np.pi * (lon - self._phase(day)) / _SPACING)
        return np.asarray(noon < _LOWEST_SUN + scallop)

    def _clouds(self, day: dt.date) -> _Floats:
        """Cover 0-1 of a day: fields drawn every third day, blended and blown by the wind."""
        lat, _ = _axes(self.rows)
        third, into = divmod(day.toordinal(), 3)
        wind = 3.5 * np.cos(np.radians(3 * lat[:, 0])) - 0.5  # degrees east a day; trades go west
        blend = np.zeros((self.rows, 2 * self.rows), np.float32)
        for key, weight in ((third, 1 - into / 3), (third + 1, into / 3)):
            if weight > 0:
                age = day.toordinal() - 3 * key
                shift = np.rint(-wind * age / 180 * self.rows).astype(np.intp)
                cols = (np.arange(2 * self.rows) + shift[:, None]) % (2 * self.rows)
                field = _cloud_field(self.seed, key, self.rows)
                blend += np.float32(weight) * np.take_along_axis(field, cols, axis=1)
        spread = np.float32(np.hypot(1 - into / 3, into / 3))
        return _smooth_step(blend / spread + _belts(lat).astype(np.float32), 0.1, 2.1)


def _axes(rows: int) -> tuple[_Doubles, _Doubles]:
    """Latitudes (rows, 1) and longitudes (1, cols) of the pixel centres, degrees."""
    lat = 90 - (np.arange(rows, dtype=np.float64) + 0.5) * (180 / rows)
    lon = (np.arange(2 * rows, dtype=np.float64) + 0.5) * (180 / rows) - 180
    return lat[:, None], lon[None, :]


def _belts(lat: _Doubles) -> _Doubles:
    """How much cloudier than the mean a latitude is."""
    rain = 0.45 * np.exp(-(((lat - 5) / 7) ** 2))
    storms = 0.75 * np.exp(-(((np.abs(lat) - 55) / 16) ** 2))
    return np.asarray(rain + storms - 0.45 * np.exp(-(((np.abs(lat) - 22) / 9) ** 2)))


@lru_cache(maxsize=4)
def _earth(seed: int, rows: int) -> _Floats:
    """Cloudless earth, (rows, cols, 3)."""
    lat = _axes(rows)[0].astype(np.float32)
    relief = _noise([seed, 1], rows, first=3, octaves=8, roughness=0.55)
    wet = _noise([seed, 2], rows, first=4, octaves=6, roughness=0.5)
    fine = _noise([seed, 3], rows, first=48, octaves=4, roughness=0.8)
    shade = np.clip(0.5 + 0.22 * fine + 0.12 * relief, 0, 1)[..., None]
    dry = _smooth_step(0.9 * np.exp(-(((np.abs(lat) - 23) / 11) ** 2)) - 0.45 * wet, 0.1, 0.7)
    cold = _smooth_step(np.abs(lat) + 5 * wet, 52, 68)
    green = _ramp(_FOREST, shade)
    land = green + (_ramp(_DESERT, shade) - green) * dry[..., None]
    land += (_ramp(_TUNDRA, shade) - land) * cold[..., None]
    antarctic = 3 * _smooth_step(-lat, 62, 76)
    coast = _smooth_step(relief + antarctic, 0.42, 0.46)[..., None]
    ocean = _ramp(_OCEAN, np.clip(0.35 + 0.16 * fine + 0.3 * relief, 0, 1)[..., None])
    surface = ocean + (land - ocean) * coast
    snow = _smooth_step(np.abs(lat) + 4 * relief + np.where(lat < 0, 4, 0), 68, 76)[..., None]
    ice = np.asarray((226, 234, 240), np.float32) + 10 * (shade - 0.5)
    surface += (ice - surface) * snow
    surface.setflags(write=False)
    return np.asarray(surface, np.float32)


@lru_cache(maxsize=12)
def _cloud_field(seed: int, key: int, rows: int) -> _Floats:
    """One instant's cloud thickness: noise bent by slower noise into bands and swirls."""
    field = _noise([seed, 4, key], rows, first=9, octaves=6, roughness=0.74)
    bend = _noise([seed, 5, key], rows, first=5, octaves=4, roughness=0.45)
    step = np.float32(rows / 26)
    up = np.clip(np.arange(rows)[:, None] + np.rint(step * bend).astype(np.int32), 0, rows - 1)
    along = np.arange(2 * rows)[None, :] + np.rint(
        2 * step * np.roll(bend, rows // 2, axis=1)
    ).astype(np.int32)
    return np.asarray(field[up, along % (2 * rows)])


def _clouded(earth: _Floats, cover: _Floats) -> _Floats:
    white = (168 + 84 * cover)[..., None] * np.asarray((0.985, 0.99, 1.0), np.float32)
    return np.asarray(earth + (white - earth) * cover[..., None])


def _noise(key: Sequence[int], rows: int, *, first: int, octaves: int, roughness: float) -> _Floats:
    """Value noise over the globe, about standard normal, seamless in longitude.

    Random grids of `first`, 2 `first`, ... rows are enlarged by cubic B-splines and summed, each
    `roughness` times as strong as the one before.  Grids of more than a third of the picture's rows
    are left out, except the first.
    """
    random = np.random.default_rng(key)
    total = np.zeros((rows, 2 * rows), np.float32)
    for octave in range(octaves):
        nodes = first << octave
        grid = random.standard_normal((nodes + 3, 2 * nodes), np.float32)
        if octave == 0 or 3 * nodes <= rows:
            down = _spline(rows, nodes, periodic=False)
            across = _spline(2 * rows, 2 * nodes, periodic=True)
            total += np.float32(roughness**octave) * (across @ (down @ grid).T).T
    return np.asarray((total - total.mean()) / total.std())


@lru_cache(maxsize=64)
def _spline(pixels: int, nodes: int, *, periodic: bool) -> sparse.csr_array:
    """Uniform cubic B-spline weights of `nodes` (3 more if not periodic) for each pixel."""
    position = (np.arange(pixels) + 0.5) * (nodes / pixels)
    cell = position.astype(np.intp)
    t = position - cell
    weights = np.stack(
        ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3), axis=1
    )
    columns = cell[:, None] + np.arange(4)
    count = nodes if periodic else nodes + 3
    index = (np.repeat(np.arange(pixels), 4), (columns % count).ravel())
    values = (weights / 6).astype(np.float32).ravel()
    return sparse.csr_array((values, index), shape=(pixels, count))


def _smooth_step(value: _Floats, low: float, high: float) -> _Floats:
    t = np.clip((value - low) / (high - low), 0, 1).astype(np.float32)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _ramp(ends: tuple[tuple[int, int, int], tuple[int, int, int]], t: _Floats) -> _Floats:
    low, high = (np.asarray(end, np.float32) for end in ends)
    return np.asarray(low + (high - low) * t, np.float32)
