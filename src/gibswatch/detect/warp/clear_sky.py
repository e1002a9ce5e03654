"""What a place looks like without clouds: the colour of the other days, dark days first.

Of brightness, clouds leave nothing to compare; by colour land and sea, forest and desert differ
even through thin ones.  Two colours are taken: red against blue, and green against both.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.statistics import log_reflectance
from gibswatch.detect.swath.pixels import thinned
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.types import BoolArray, Georeference

__all__ = ["ClearSky", "colour_planes", "every_pixel"]

_Singles = NDArray[np.float32]

_FINEST_DEG = 0.13
"""Finer pixels are left out: coasts are placed to a part of a cell of 18 km."""
_FEWEST_DAYS = 3
_DARKNESS = 2.0
"""A day counts by its reflectance to the power of minus this.  On four days of the tuning years it
tells more of coasts (and costs less) than the darkest one or three of twelve days."""


class ClearSky:
    """Colours of some days, to be asked for those of all but one.

    Memory: three planes of single precision of the thinned picture.
    """

    def __init__(self, georeference: Georeference) -> None:
        self._georeference = georeference
        self._every = every_pixel(georeference)
        self._weight: _Singles | None = None
        self._colour: _Singles | None = None
        self._days: set[object] = set()

    def add(self, scene: Scene, observed: BoolArray) -> None:
        """Take a day; one on another grid says nothing.

        Parameters
        ----------
        scene : Scene
        observed : (rows, cols) ndarray of bool
            Its observed black.
        """
        if scene.georeference != self._georeference:
            return
        weight, colour = self._of(scene, observed)
        if self._weight is None or self._colour is None:
            self._weight, self._colour = np.zeros_like(weight), np.zeros_like(colour)
        self._weight += weight
        self._colour += weight * colour
        self._days.add(scene.date)

    def without(self, scene: Scene, observed: BoolArray) -> _Singles | None:
        """Colour of all days but one.

        Returns
        -------
        (2, rows, cols) ndarray of float32 or None
            `colour_planes` of the thinned picture; NaN where no day shows the place.  None if
            there are fewer than three other days, or the day is on another grid.
        """
        if scene.georeference != self._georeference:
            return None
        own = scene.date in self._days
        if len(self._days) - own < _FEWEST_DAYS or self._weight is None or self._colour is None:
            return None
        weight, total = self._weight, self._colour
        if own:
            its, colour = self._of(scene, observed)
            weight, total = weight - its, total - its * colour
        # What is left of sums after a day is taken out again is not exactly 0.
        there = weight > 1e-3
        return np.where(there, total / np.where(there, weight, 1.0), np.float32(np.nan))

    def _of(self, scene: Scene, observed: BoolArray) -> tuple[_Singles, _Singles]:
        """Weight and colour of a day; 0 where it shows nothing."""
        thin = thinned(self._every)
        shown = ~observed[thin] & (scene.state[thin] == STATE_CODES["ok"])
        channels = _channels(scene, self._every)
        weight = np.exp(-_DARKNESS * channels.mean(axis=0))
        return np.where(shown, weight, np.float32(0.0)), _colours(channels)


def every_pixel(georeference: Georeference) -> int:
    """How many rows and columns are stepped over, so that pixels are of 0.13 degrees or more."""
    return max(1, math.ceil(_FINEST_DEG / georeference.pixel_deg))


def colour_planes(scene: Scene) -> _Singles:
    """Colours of the thinned picture, (2, rows, cols).

    Logarithms of red by blue, and of green by the geometric mean of the two.
    """
    return _colours(_channels(scene, every_pixel(scene.georeference)))


def _colours(channels: _Singles) -> _Singles:
    red, green, blue = channels
    return np.stack([red - blue, green - (red + blue) / 2])


def _channels(scene: Scene, every: int) -> _Singles:
    """(3, rows, cols) logarithms of reflectance of the thinned picture."""
    pixels = scene.pixels[thinned(every)][..., :3]
    return log_reflectance(pixels.reshape(-1, 3)).reshape(3, *pixels.shape[:2])
