"""Colour statistics of corrected-reflectance pictures: what a few numbers of chroma say is usual.

A picture's stretch is undone, so that a gain of one channel is the same shift of the logarithm at
any brightness.  Of the logarithms two numbers without brightness are kept: `warm`, red less blue,
in which nature varies much (sea, soil), and `green`, green less the mean of the two, which nature
ties to the first: what is usual is learned by latitude, brightness and `warm`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.types import BoolArray, ByteArray, FloatArray

__all__ = [
    "DARKEST",
    "LEAST_NOISE",
    "Chroma",
    "ColourNormals",
    "ColourObservation",
    "chroma_of",
    "learn_normals",
    "log_reflectance",
    "observe_colour",
    "ties_green_to_blue",
    "with_places",
]

_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))
"""Stretch of NASA's Rapid Response true colour, which GIBS's corrected reflectance keeps (Gumley,
Descloitres and Schmaltz 2003, "Creating reprojected true color MODIS images")."""
_FULL = 1.1 / 255.0
_OFFSET = 0.03
"""Added to reflectance before the logarithm: the darkest sea is noise of a level or two."""
_LOGARITHM = np.log(np.interp(np.arange(256), _KNOTS[1], _KNOTS[0]) * _FULL + _OFFSET).astype(
    np.float32
)

_AXES = (
    ((1.0, 0.0, -1.0), (-0.5, 1.0, -0.5)),
    ((1.0, -0.5, -0.5), (0.0, 1.0, -1.0)),
)
"""Weights of red, green and blue in `warm` and in `green`: what nature leaves free, and ties."""
_INFRARED = ("BandsM3-I3-M11", "Bands367")
"""Products whose green and blue are the bands at 1.6 and 2.1 micrometres, which go together."""

DARKEST = 25
"""Brightest channel up to which a pixel says nothing of colour."""
_BANDS, _LEVELS, _WARM, _GREEN = 9, 12, 64, 40
"""Cells of latitude, brightness, `warm` and `green`."""
_WARM_RANGE, _GREEN_RANGE = 3.5, 2.0
_FEWEST = 8
"""Pixels of a unit in a cell from which their mean counts."""
_UNITS = 3
"""That must have a cell before its median is believed."""
_RAREST = 1e-6
_PLACES = (45, 90)
"""Cells of 4 degrees, for what a place shows clear and under clouds."""
_CLOUDY = 150
"""Brightest channel from which a pixel counts as cloud or snow."""
_SPREAD_PERCENT = 90.0
_LEAST_MAPS = 5
"""Days from which places are believed."""
LEAST_NOISE = 0.03
"""Standard deviation of `green` over the evenest places, near that of the open sea."""
_SOFT = 0.5
"""Differences beyond which more says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Chroma:
    """Colour of the usable pixels of a picture; (n,) each."""

    warm: FloatArray
    """Log ratio of red to blue; in the infrared products to the mean of the two others."""
    green: FloatArray
    """Log ratio of green to the mean of red and blue; in the infrared products to blue."""
    colour_cell: NDArray[np.int32]
    """Cell of brightness, `warm` and `green`."""
    usual_cell: NDArray[np.int32]
    """Cell of latitude, brightness and `warm`."""
    level: NDArray[np.int32]
    """Of brightness, 0-11."""
    place_cell: NDArray[np.int32]
    """Cell of longitude and latitude, once for clear places and once for cloudy ones."""


@dataclass(frozen=True, slots=True, eq=False)
class ColourObservation:
    """Colours of one day, or of a part of one; a few kB, sparse and sorted by cell."""

    pixels: int
    cells: NDArray[np.int32]
    """Cells of latitude, brightness and `warm` that have enough pixels to average."""
    counts: NDArray[np.int32]
    green: NDArray[np.float32]
    """Mean there."""
    colours: NDArray[np.int32]
    """Cells of brightness, `warm` and `green` that have any."""
    shares: NDArray[np.float32]
    """Of the pixels."""
    places: NDArray[np.float16] | None = None
    """(2, cells) mean differences of `warm` and `green` from the day's own usual, NaN where too
    few; None for a part of a day."""
    spread: float = float("nan")
    """90th percentile of the differences of `green`; NaN for a part of a day."""


@dataclass(frozen=True, slots=True, eq=False)
class ColourNormals:
    """What is usual in a layer: medians over days, or over the passes of one."""

    units: int
    """Days or passes that it was learned from."""
    warm: NDArray[np.float32]
    """(bands, levels) usual `warm`; NaN where nothing is known."""
    green: NDArray[np.float32]
    """(bands, levels, warm) usual `green`, never NaN where any other band knows it."""
    share: NDArray[np.float32]
    """(levels, warm, green) share of the pixels, the unit with the most of each left out."""
    places: NDArray[np.float32] | None = None
    """(2, cells) by how much places differ in `warm` and `green` on most days."""
    spread: float = float("nan")
    """Usual 90th percentile of the differences of `green`; NaN where no whole day says it."""

    def residuals(self, chroma: Chroma) -> tuple[FloatArray, FloatArray, FloatArray]:
        """How colours differ from the usual.

        Returns
        -------
        warm, green : (n,) ndarray of float32
            Difference of log ratios; 0 where nothing is known.
        rarity : (n,) ndarray of float32
            Minus the decimal logarithm of the share of such colours, up to 6.
        """
        level = chroma.usual_cell // _WARM
        warm = chroma.warm - self.warm.ravel()[level]
        green = chroma.green - self.green.ravel()[chroma.usual_cell]
        if self.places is not None:
            warm = warm - self.places[0][chroma.place_cell]
            green = green - self.places[1][chroma.place_cell]
        rarity = -np.log10(np.maximum(self.share.ravel(), _RAREST)).astype(np.float32)
        return np.nan_to_num(warm), np.nan_to_num(green), rarity[chroma.colour_cell]

    def noise(self, chroma: Chroma) -> FloatArray | None:
        """(n,) by how much `green` varies by nature: more where places around differ themselves.

        None where no place is known.
        """
        if self.places is None:
            return None
        odd = np.abs(self.places[1]).reshape(*_PLACES, 2)
        around = ndimage.maximum_filter(odd, (3, 3, 1), mode=("nearest", "wrap", "nearest"))
        wild = np.sqrt(around**2 + np.float32(LEAST_NOISE) ** 2).ravel()
        return np.asarray(wild[chroma.place_cell])


def ties_green_to_blue(layer: str) -> bool:
    """Whether a product's green and blue are the bands that go together.

    >>> ties_green_to_blue("VIIRS_SNPP_CorrectedReflectance_BandsM3-I3-M11")
    True
    """
    return layer.endswith(_INFRARED)


def log_reflectance(pixels: ByteArray) -> NDArray[np.float32]:
    """Logarithms of reflectance, (3, n), that (n, 3) pixels show: the stretch is undone."""
    return np.stack([_LOGARITHM[pixels[:, channel]] for channel in range(3)])


def chroma_of(
    pixels: ByteArray, longitude: FloatArray, latitude: FloatArray, *, layer: str = ""
) -> Chroma:
    """Colours of pixels.

    Parameters
    ----------
    pixels : (n, 3) ndarray of uint8
    longitude, latitude : (n,) ndarray of float
        Degrees.
    layer : str
        Identifier; by default one of true colour.
    """
    channels = log_reflectance(pixels)
    axes = np.array(_AXES[ties_green_to_blue(layer)], dtype=np.float32)
    warm, excess = axes @ channels
    brightest = pixels.max(axis=1).astype(np.int32)
    level = np.clip((brightest - 24) * _LEVELS // 232, 0, _LEVELS - 1)
    across = _bin(warm, _WARM_RANGE, _WARM)
    band = np.clip(((latitude + 90.0) * (_BANDS / 180.0)).astype(np.int32), 0, _BANDS - 1)
    usual = (band * _LEVELS + level) * _WARM + across
    colour = (level * _WARM + across) * _GREEN + _bin(excess, _GREEN_RANGE, _GREEN)
    down = np.clip((90.0 - latitude) * (_PLACES[0] / 180.0), 0, _PLACES[0] - 1).astype(np.int32)
    aside = ((longitude + 180.0) % 360.0 * (_PLACES[1] / 360.0)).astype(np.int32) % _PLACES[1]
    place = (down * _PLACES[1] + aside) * 2 + (brightest >= _CLOUDY)
    return Chroma(warm, excess, colour, usual, level, place)


def _bin(values: FloatArray, reach: float, count: int) -> NDArray[np.int32]:
    cell = ((values + np.float32(reach)) * np.float32(count / (2 * reach))).astype(np.int32)
    return np.clip(cell, 0, count - 1)


def observe_colour(chroma: Chroma, chosen: BoolArray | None = None) -> ColourObservation:
    """Sum up the colours of a picture, or of some of its pixels."""
    take = slice(None) if chosen is None else chosen
    usual, colour = chroma.usual_cell[take], chroma.colour_cell[take]
    size = _BANDS * _LEVELS * _WARM
    counts = np.bincount(usual, minlength=size)
    sums = np.bincount(usual, chroma.green[take], size)
    cells = np.flatnonzero(counts >= _FEWEST)
    shares = np.bincount(colour, minlength=_LEVELS * _WARM * _GREEN)
    colours = np.flatnonzero(shares)
    return ColourObservation(
        pixels=int(usual.size),
        cells=cells.astype(np.int32),
        counts=counts[cells].astype(np.int32),
        green=(sums[cells] / counts[cells]).astype(np.float32),
        colours=colours.astype(np.int32),
        shares=(shares[colours] / max(usual.size, 1)).astype(np.float32),
    )


def with_places(
    observation: ColourObservation, chroma: Chroma, usual: ColourNormals
) -> ColourObservation:
    """Add what places show to the observation of a day, against what is usual on that day."""
    warm, green, _ = usual.residuals(chroma)
    size = 2 * _PLACES[0] * _PLACES[1]
    count = np.bincount(chroma.place_cell, minlength=size)
    planes = np.full((2, size), np.nan, dtype=np.float16)
    for plane, values in zip(planes, (warm, green), strict=True):
        total = np.bincount(chroma.place_cell, np.clip(values, -_SOFT, _SOFT), size)
        enough = count >= _FEWEST
        plane[enough] = total[enough] / count[enough]
    spread = float(np.percentile(np.abs(green), _SPREAD_PERCENT)) if green.size else float("nan")
    return replace(observation, places=planes, spread=spread)


def learn_normals(observations: Iterable[ColourObservation]) -> ColourNormals:
    """Learn what is usual from days, or from the passes of a day, most of which are sound.

    Parameters
    ----------
    observations : iterable of ColourObservation

    Notes
    -----
    Medians over the units: less than half of them may be faulty in a cell, for `share` only one.
    """
    units = [unit for unit in observations if unit.pixels]
    warm = _usual_warm(units)
    maps = [u.places for u in units if u.places is not None and np.isfinite(u.places).any()]
    places = None
    if len(maps) >= _LEAST_MAPS:
        stacked = np.stack(maps).astype(np.float32)
        usual = _median(stacked.reshape(len(maps), -1), _UNITS).reshape(stacked.shape[1:])
        places = np.nan_to_num(usual)
    spreads = [unit.spread for unit in units if np.isfinite(unit.spread)]
    spread = float(np.median(spreads)) if spreads else float("nan")
    return ColourNormals(len(units), warm, _usual_green(units), _usual_share(units), places, spread)


def _usual_warm(units: Sequence[ColourObservation]) -> NDArray[np.float32]:
    means = np.full((len(units), _BANDS * _LEVELS), np.nan, dtype=np.float32)
    middle = (np.arange(_WARM) + 0.5) * (2 * _WARM_RANGE / _WARM) - _WARM_RANGE
    for mean, unit in zip(means, units, strict=True):
        level = unit.cells // _WARM
        count = np.bincount(level, unit.counts, _BANDS * _LEVELS)
        total = np.bincount(level, unit.counts * middle[unit.cells % _WARM], _BANDS * _LEVELS)
        enough = count >= 4 * _FEWEST
        mean[enough] = total[enough] / count[enough]
    return _median(means, _UNITS).reshape(_BANDS, _LEVELS)


def _usual_green(units: Sequence[ColourObservation]) -> NDArray[np.float32]:
    """Of the band; of all bands where it has too few; of all colours of the level at last."""
    size = _LEVELS * _WARM
    banded = np.full((len(units), _BANDS * size), np.nan, dtype=np.float32)
    joined = np.full((len(units), size), np.nan, dtype=np.float32)
    plain = np.full((len(units), _LEVELS), np.nan, dtype=np.float32)
    for number, unit in enumerate(units):
        banded[number, unit.cells] = unit.green
        for into, cell in ((joined, unit.cells % size), (plain, unit.cells % size // _WARM)):
            count = np.bincount(cell, unit.counts, into.shape[1])
            total = np.bincount(cell, unit.counts * unit.green, into.shape[1])
            have = count > 0
            into[number, have] = total[have] / count[have]
    found = _median(banded, _UNITS).reshape(_BANDS, size)
    found = np.where(np.isnan(found), _median(joined, _UNITS), found)
    last = np.repeat(_median(plain, 1), _WARM)
    return np.where(np.isnan(found), last, found).reshape(_BANDS, _LEVELS, _WARM)


def _usual_share(units: Sequence[ColourObservation]) -> NDArray[np.float32]:
    size = _LEVELS * _WARM * _GREEN
    total, most = np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)
    for unit in units:
        total[unit.colours] += unit.shares
        most[unit.colours] = np.maximum(most[unit.colours], unit.shares)
    mean = (total - most) / max(len(units) - 1, 1) if len(units) > 1 else total
    return mean.astype(np.float32).reshape(_LEVELS, _WARM, _GREEN)


def _median(values: NDArray[np.float32], fewest: int) -> NDArray[np.float32]:
    """Median over the first axis of what is not NaN, where there is enough of it."""
    if not len(values):
        return np.full(values.shape[1:], np.nan, dtype=np.float32)
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.isfinite(values).sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(values) - 1)
    column = np.arange(values.shape[1])
    middle = (ordered[low, column] + ordered[high, column]) / 2
    return np.where(count >= fewest, middle, np.nan).astype(np.float32)
