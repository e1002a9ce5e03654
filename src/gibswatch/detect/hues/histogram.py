"""Hues of the normal days of a layer, counted day by day in memory that does not grow.

The predecessor's notebook counted the hues of every place, in 6.3 GB, and summed them up where it
asked which hues are rare.  Here they are counted over all places at once, 360 numbers; those of
every place if asked, as two-byte counts.  As there, a globe of another size is brought to 2048x1024
by the nearest pixel, and black is neither counted nor judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.hues.counting import HUES, count_hues, hues
from gibswatch.errors import UsageError
from gibswatch.raster.scene import STATE_CODES, Scene, brightest_channel
from gibswatch.types import BoolArray, FloatArray

__all__ = ["DayHues", "HueHistogram", "HueNormals", "day_hues", "to_shape"]

_RULE_SHAPE = (1024, 2048)
_MOST_PLACES = 2**23
"""Pixels of which each can be counted for itself: 6 GB."""
_FEWEST_DAYS = 2
"""Of one place, for a standard deviation."""
_STRIP_ROWS = 8
"""Rows whose histograms are summed up at one time: 47 MB as float64 at 2048 columns."""
_Any = TypeVar("_Any", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class DayHues:
    """What one day adds to a histogram."""

    counts: NDArray[np.int64]
    """(360,): pixels of each hue that are not black."""
    pixels: int
    """Looked at, black ones included."""
    plane: NDArray[np.uint16] | None = None
    """(rows, cols): the hue of each place, 360 where it is black or was not sent; None unless
    asked for."""


def day_hues(scene: Scene, observed: BoolArray, *, places: bool = False) -> DayHues:
    """Count the hues of one day.

    Parameters
    ----------
    scene : Scene
        With three bands or more.
    observed : (rows, cols) ndarray of bool
        Observed black: not counted.
    places : bool
        Whether the hue of each place is wanted too.
    """
    shape = _rule_shape(scene)
    pixels = to_shape(scene.pixels[..., :3], shape)
    sent = to_shape(scene.state, shape) == STATE_CODES["ok"]
    shown = np.asarray(sent & ~to_shape(observed, shape) & (brightest_channel(pixels) > 0))
    plane = None
    if places:
        plane = hues(pixels)
        plane[~shown] = HUES
    return DayHues(count_hues(pixels, shown), int(sent.sum()), plane)


@dataclass(slots=True, eq=False)
class HueHistogram:
    """Hues of the normal days of one layer.

    Parameters
    ----------
    per_pixel : bool
        Count each place for itself too: 720 bytes a pixel, 1.5 GB at 2048x1024.  All days must
        then have the same shape.
    """

    per_pixel: bool = False
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(HUES, np.int64), init=False)
    """(360,): pixels of each hue that were not black."""
    pixels: int = field(default=0, init=False)
    """Looked at, black ones included."""
    days: int = field(default=0, init=False)
    places: NDArray[np.uint16] | None = field(default=None, init=False)
    """(rows, cols, 360): days on which a place had a hue; None unless asked for."""
    _sums: FloatArray | None = field(default=None, init=False)
    """What the places sum up to, until a day comes."""

    def add(self, day: DayHues) -> None:
        """Count one more normal day.

        Raises
        ------
        UsageError
            If places are kept and the day has none, another shape than those before, or too many
            pixels, or there have been 65,535 days.
        """
        if self.per_pixel:
            self._add_places(day)
        self.counts += day.counts
        self.pixels += day.pixels
        self.days += 1

    def fits(self, day: DayHues) -> bool:
        """Whether the places of a day are those that are counted, where any are."""
        return self.places is None or day.plane is None or self.places.shape[:2] == day.plane.shape

    def _add_places(self, day: DayHues) -> None:
        if day.plane is None:
            raise UsageError("a day without the hues of its places cannot be counted by places")
        shape = day.plane.shape
        if self.places is None:
            if day.plane.size > _MOST_PLACES:
                raise UsageError(
                    f"{shape[1]}x{shape[0]} pixels are too many to count the hues of each (at most "
                    f"{_MOST_PLACES:,}): take a part of them (--bbox), or method gibs-ml"
                )
            self.places = np.zeros((*shape, HUES), dtype=np.uint16)
        if self.places.shape[:2] != shape:
            raise UsageError(
                f"a day of {shape} pixels cannot be counted place by place with days of "
                f"{self.places.shape[:2]}: use a histogram for each size"
            )
        if self.days == np.iinfo(np.uint16).max:
            raise UsageError(f"places can be counted on {self.days} days: begin a new histogram")
        rows, cols = np.nonzero(day.plane < HUES)
        self.places[rows, cols, day.plane[rows, cols]] += 1
        self._sums = None

    def is_rare(self, share: float, without: DayHues | None = None) -> BoolArray:
        """Mark the hues that were seen less often than a share of the pixels.

        Parameters
        ----------
        share : float
        without : DayHues, optional
            A day that was counted, to be left out.

        Returns
        -------
        (360,) ndarray of bool
        """
        counts, pixels = self.counts, self.pixels
        if without is not None:
            counts, pixels = counts - without.counts, pixels - without.pixels
        return np.asarray(counts < share * pixels)

    def moments(
        self, without: DayHues | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation of the hues.

        Parameters
        ----------
        without : DayHues, optional
            A day that was counted, to be left out.

        Returns
        -------
        mean, deviation : (rows, cols) or () ndarray of float32
            Degrees, of each place or of all pixels; the deviation is infinite where fewer than two
            were counted.  Hues are taken as numbers from 0 to 359, as there, not as angles.
        """
        if self.places is None:
            counts = self.counts if without is None else self.counts - without.counts
            return _moments(_sums(counts))
        if self._sums is None:
            rows, cols = self.places.shape[:2]
            self._sums = np.empty((3, rows, cols))
            for row in range(0, rows, _STRIP_ROWS):
                strip = slice(row, row + _STRIP_ROWS)
                self._sums[:, strip] = _sums(self.places[strip])
        if without is None or without.plane is None:
            return _moments(self._sums)
        hue, shown = without.plane.astype(np.float64), without.plane < HUES
        return _moments(self._sums - np.stack([shown, shown * hue, shown * hue**2]))


@dataclass(frozen=True, slots=True, eq=False)
class HueNormals:
    """The hues of the normal days, as a judge of one day needs them."""

    histogram: HueHistogram
    itself: bool = False
    """Whether the day that is judged was counted: it is left out."""


def to_shape(plane: NDArray[_Any], shape: tuple[int, ...]) -> NDArray[_Any]:
    """Bring a plane to another size by the nearest pixels."""
    if plane.shape[:2] == shape:
        return plane
    rows = (np.arange(shape[0]) + 0.5) * plane.shape[0] / shape[0]
    cols = (np.arange(shape[1]) + 0.5) * plane.shape[1] / shape[1]
    return plane[np.ix_(rows.astype(int), cols.astype(int))]


def _rule_shape(scene: Scene) -> tuple[int, int]:
    g = scene.georeference
    is_globe = g.epsg == 4326 and np.isclose(g.cols * g.pixel_width, 360.0)
    is_globe = is_globe and np.isclose(g.rows * g.pixel_height, 180.0)
    return _RULE_SHAPE if is_globe else g.shape


def _sums(counts: NDArray[np.integer[Any]]) -> FloatArray:
    """Number, sum and sum of squares of the hues, along a new first axis."""
    weights = counts.astype(np.float64)
    degrees = np.arange(HUES, dtype=np.float64)
    return np.stack([weights.sum(axis=-1), weights @ degrees, weights @ degrees**2])


def _moments(sums: FloatArray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    total, first, second = sums
    divisor = np.maximum(total, 1.0)
    mean = first / divisor
    variance = np.maximum(second / divisor - mean**2, 0.0)
    deviation = np.where(total >= _FEWEST_DAYS, np.sqrt(variance), np.inf)
    return np.asarray(mean, dtype=np.float32), np.asarray(deviation, dtype=np.float32)
