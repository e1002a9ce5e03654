"""Random textures that are addressed by place: the same place gives the same value on any grid.

A texture is a square that repeats in both directions.  It is laid over the Earth by three conformal
charts that are blended: Mercator's between the 49th parallels, where it repeats a whole number of
times around the Earth, and the two polar stereographic ones.  There is no seam at +-180 degrees and
no pinched pole.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Charts",
    "Floats",
    "Layer",
    "Texture",
    "band_limited",
    "combine",
    "fractal",
    "look_up",
    "normal_random",
    "rounded",
]

Floats = NDArray[np.float32]

_BLEND_DEG = (45.0, 53.0)
"""Absolute latitudes between which one chart turns into the other."""
_NEAREST_FROM = 1.2
"""Texels a pixel: from here on the nearest texel serves, under it four are interpolated."""
_BLUR = 0.42
"""Standard deviation of the low-pass, in pixels: half power near two pixels a wave."""
_STEPS = 4096.0
"""Textures are rounded to 1 / this: transforms that differ in the last bit give the same bytes."""
_DAY_S = 86400.0


@dataclass(frozen=True, eq=False)
class Texture:
    """A square of values that repeats; standard normal or in 0-1, as its maker says."""

    name: str
    """Key of caches and of random offsets."""
    values: Floats
    """(n, n), n a power of two."""

    @property
    def size(self) -> int:
        """Texels a side."""
        return len(self.values)


def normal_random(*key: int | str) -> np.random.Generator:
    """Make a generator from numbers and names, the same on every machine."""
    numbers = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
    return np.random.default_rng([abs(number) for number in numbers])


def rounded(values: NDArray[np.floating]) -> Floats:
    """Standardise to mean 0 and deviation 1, and round."""
    centred = np.asarray(values, np.float64) - np.mean(values, dtype=np.float64)
    return np.asarray(np.rint(centred / centred.std() * _STEPS) / _STEPS, np.float32)


def fractal(
    key: str, size: int, slope: float, waves: tuple[float, float], stretch: float = 1.0
) -> Floats:
    """Draw periodic noise whose power falls with frequency to the power -`slope`.

    Parameters
    ----------
    key : str
        Names the random phases.
    size : int
        Texels a side.
    slope : float
        Of the power of a wave; 2 more than that of the variance a ring holds.
    waves : (float, float)
        Fewest and most waves a side that are drawn.
    stretch : float
        How much longer along the rows the features are than down the columns.
    """
    random = normal_random("fractal", key)
    down = np.fft.fftfreq(size, 1 / size)[:, np.newaxis]
    across = np.fft.rfftfreq(size, 1 / size)[np.newaxis, :] * stretch
    wave = np.hypot(down, across)
    strength = np.where((wave >= waves[0]) & (wave <= waves[1]), wave, np.inf) ** (-slope / 2)
    phase = random.standard_normal((2, *strength.shape))
    return rounded(np.fft.irfft2((phase[0] + 1j * phase[1]) * strength, s=(size, size)))


def band_limited(texture: Texture, texels: float) -> tuple[Floats, float]:
    """Take away what is finer than a pixel.

    Parameters
    ----------
    texture : Texture
    texels : float
        Size of a pixel.

    Returns
    -------
    values : (n, n) ndarray of float32
    lost : float
        Standard deviation of what was taken away.
    """
    return _band_limited(texture, round(float(np.log2(max(texels, 1e-3))) * 8) / 8)


@lru_cache(maxsize=48)
def _band_limited(texture: Texture, octave: float) -> tuple[Floats, float]:
    sigma = _BLUR * 2.0**octave
    if sigma < 0.25:
        return texture.values, 0.0
    size = texture.size
    down = np.fft.fftfreq(size)[:, np.newaxis]
    across = np.fft.rfftfreq(size)[np.newaxis, :]
    fall = -2.0 * (np.pi * sigma) ** 2
    keep = np.exp(fall * down**2) * np.exp(fall * across**2)
    kept = np.fft.irfft2(_spectrum(texture) * keep, s=(size, size))
    values = np.asarray(np.rint(kept * _STEPS) / _STEPS, np.float32)
    lost = float(np.std(texture.values - values))
    return values, lost


@lru_cache(maxsize=8)
def _spectrum(texture: Texture) -> NDArray[np.complexfloating]:
    """Transform of a texture, which every size of a pixel begins with."""
    return np.fft.rfft2(texture.values)


def look_up(values: Floats, down: Floats, across: Floats, texels: float) -> Floats:
    """Read a periodic square at any places.

    Parameters
    ----------
    values : (n, n) ndarray
    down, across : ndarray of float32
        In texels; any value.
    texels : float
        Size of a pixel; decides between the nearest texel and interpolation.
    """
    if texels >= _NEAREST_FROM:
        size = len(values)
        # Rows and columns apart as long as they are: where places are even there are few of them.
        row = np.floor(down).astype(np.int32)
        col = np.floor(across).astype(np.int32)
        row &= size - 1
        col &= size - 1
        row *= size
        return values.ravel().take(row + col)
    return Between(down, across, (len(values), len(values))).read(values)


class Between:
    """Places between the pixels of planes that repeat, for as many planes as there are.

    Parameters
    ----------
    down, across : ndarray of float32
        In pixels, whole numbers at their centres; any value; broadcast against each other.
    shape : (int, int)
        Rows and columns of the planes.
    """

    def __init__(self, down: Floats, across: Floats, shape: tuple[int, int]) -> None:
        rows, cols = shape
        first, self._down = _split(down)
        left, self._across = _split(across)
        top, bottom = first % rows * cols, (first + 1) % rows * cols
        left, right = left % cols, (left + 1) % cols
        self._corners = (top + left, top + right, bottom + left, bottom + right)

    def read(self, values: Floats) -> Floats:
        """Interpolate a plane linearly, bit by bit as `scipy.ndimage` does, in a third of its time.

        Returns
        -------
        ndarray of float32
        """
        flat = values.ravel()
        high, low = 1.0 - self._down, self._down
        west, east = 1.0 - self._across, self._across
        total = flat.take(self._corners[0]) * high
        total *= west
        ways = ((high, east), (low, west), (low, east))
        for corner, (one, other) in zip(self._corners[1:], ways, strict=True):
            part = flat.take(corner) * one
            part *= other
            total += part
        return total.astype(np.float32)


def _split(place: Floats) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Whole and broken part, the latter in double precision as `scipy.ndimage` has it."""
    whole = np.floor(place)
    return whole.astype(np.int32), np.subtract(place, whole, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Layer:
    """A texture laid over the Earth, drifting."""

    texture: Texture
    period_deg: float
    """After how many degrees (on the equator) it repeats; divides 360."""
    east_deg_per_day: float = 0.0
    """How fast it drifts between the parallels of the blend."""
    north_deg_per_day: float = 0.0
    polar_deg_per_day: float = 0.0
    """How fast it drifts over the polar charts; never the same twice by another rate each."""
    name: str = ""
    """Apart from other layers of the same texture."""


@dataclass(frozen=True, eq=False)
class _Chart:
    weight: Floats | None
    """None: 1 everywhere."""
    across: Floats
    down: Floats
    pole: int
    """0 for Mercator's, 1 and -1 for the poles."""


def _thin(values: Floats) -> Floats:
    """Return a broadcast array with one entry along the axes that repeat it."""
    return values[tuple(slice(None, None if step else 1) for step in values.strides)]


class Charts:
    """The charts of some places.

    Parameters
    ----------
    lon, lat : array_like
        Degrees, any shape; broadcast against each other.
    pixel_deg : float
        Size of a pixel: nothing finer is drawn.
    time_s : array_like or float
        Epoch seconds at each place; NaN: any time.
    start_day : float, optional
        Day since the epoch that times are counted from: two pictures of it agree to the last bit.
        By default the first one of the times.
    """

    def __init__(
        self,
        lon: ArrayLike,
        lat: ArrayLike,
        pixel_deg: float,
        time_s: ArrayLike = 0.0,
        start_day: float | None = None,
    ) -> None:
        east, north = np.broadcast_arrays(np.asarray(lon, np.float32), np.asarray(lat, np.float32))
        self.lon, self.lat, self.pixel_deg = east, north, float(pixel_deg)
        self.shape = east.shape
        time = np.asarray(time_s, np.float64) / _DAY_S
        held = np.isfinite(time)
        if start_day is None:
            start_day = float(np.floor(time[held].min())) if held.any() else 0.0
        self.start = start_day
        self.days = np.asarray(np.where(held, time - self.start, 0.0), np.float32)
        self._charts = tuple(self._make())

    def _make(self) -> list[_Chart]:
        charts = []
        # Where the latitude is one a row, it is worked on once a row.
        lon, lat = _thin(self.lon), _thin(self.lat)
        low, high = (float(lat.min()), float(lat.max())) if lat.size else (0.0, 0.0)
        first, last = _BLEND_DEG
        polar = np.clip((np.abs(lat) - first) / (last - first), 0, 1)
        if min(abs(low), abs(high)) < last or low * high < 0:
            weight = (
                None if max(abs(low), abs(high)) <= first else np.asarray(1 - polar, np.float32)
            )
            down = np.degrees(np.arcsinh(np.tan(np.radians(np.clip(lat, -80, 80)))))
            charts.append(_Chart(weight, lon, -down, 0))
        for sign in (1, -1):
            if max(sign * low, sign * high) > first:
                here = np.where(sign * lat > 0, polar, 0)
                out = 2 * np.tan(np.radians(45 - np.clip(sign * lat, 0, 90) / 2))
                out = np.degrees(out)
                angle = np.radians(lon)
                all_here = min(sign * low, sign * high) >= last
                charts.append(
                    _Chart(
                        None if all_here else here.astype(np.float32),
                        np.asarray(out * np.sin(angle), np.float32),
                        np.asarray(out * np.cos(angle), np.float32),
                        sign,
                    )
                )
        return charts

    def sample(
        self, layer: Layer, seed: int, warp: tuple[Floats, Floats] | None = None
    ) -> tuple[Floats, float]:
        """Read a layer at the places.

        Parameters
        ----------
        layer : Layer
        seed : int
            Decides where on the texture the Earth lies.
        warp : pair of ndarray, optional
            Degrees by which the places are moved before, across and down.

        Returns
        -------
        values : ndarray of float32, of the places' shape
        lost : float
            Standard deviation of what is finer than a pixel.
        """
        texture = layer.texture
        scale = texture.size / layer.period_deg
        values, lost = band_limited(texture, self.pixel_deg * scale)
        total: Floats | None = None
        power: Floats | None = None
        for chart in self._charts:
            part = self._read(values, chart, layer, seed, warp)
            if chart.weight is None:
                return part, lost
            part *= chart.weight
            total = part if total is None else total + part
            square = chart.weight * chart.weight
            power = square if power is None else power + square
        if total is None or power is None:
            return np.zeros(self.shape, np.float32), lost
        return np.asarray(total / np.sqrt(np.maximum(power, 1e-6))), lost

    def lost(self, layer: Layer) -> float:
        """Standard deviation of what is finer than a pixel."""
        scale = layer.texture.size / layer.period_deg
        return band_limited(layer.texture, self.pixel_deg * scale)[1]

    def _read(
        self,
        values: Floats,
        chart: _Chart,
        layer: Layer,
        seed: int,
        warp: tuple[Floats, Floats] | None,
    ) -> Floats:
        scale = layer.texture.size / layer.period_deg
        size = layer.texture.size
        start, turn = _laid(seed, layer.texture.name, layer.name, chart.pole)
        offset = size * np.array(start)
        if chart.pole:
            rate = layer.polar_deg_per_day * np.array((np.sin(turn), np.cos(turn)))
        else:
            rate = np.array((layer.north_deg_per_day, -layer.east_deg_per_day))
        rate = rate * scale
        offset = (offset + rate * self.start) % size
        places = []
        for axis, place in enumerate((chart.down, chart.across)):
            moved = place if warp is None else place + warp[1 - axis]
            texel = moved * np.float32(scale)
            if rate[axis]:
                texel = texel + self.days * np.float32(rate[axis])
            places.append(texel + np.float32(offset[axis]))
        found = look_up(values, places[0], places[1], self.pixel_deg * scale)
        return found if found.shape == self.shape else np.broadcast_to(found, self.shape).copy()


@lru_cache(maxsize=256)
def _laid(seed: int, texture: str, layer: str, pole: int) -> tuple[tuple[float, float], float]:
    """Where a chart lies on a texture, in sides of it, and the way that its pole drifts."""
    down, across, turn = normal_random(seed, texture, layer, str(pole)).random(3).tolist()
    return (down, across), 2 * np.pi * turn


def combine(
    parts: Sequence[tuple[Floats, float]], weights: Sequence[float]
) -> tuple[Floats, float]:
    """Add samples; the lost parts add as independent noise does."""
    total = parts[0][0] * np.float32(weights[0])
    for (values, _), weight in zip(parts[1:], weights[1:], strict=True):
        total = total + values * np.float32(weight)
    lost = sum((weight * part[1]) ** 2 for part, weight in zip(parts, weights, strict=True))
    return total, float(np.sqrt(lost))
