"""Duplicated granules: the scene of a granule that is shown again where a later one should be.

A granule's neighbours never look alike, scan for scan and place for place beside the track.  Lines
of a pass are compared with those that the satellite scanned whole granules earlier: a correlation
of cloud and coast over most of a granule is its scene again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.swath.pixels import SwathGrid, SwathPixels
from gibswatch.sky.satellites import Satellite

__all__ = ["Duplicate", "find_duplicates"]

_Singles = NDArray[np.float32]

_BEAMS = 64
_SHORT_GRANULE_S = 85.35
"""VIIRS, as received; the others are the instrument's."""
_MOST_BACK = 4
"""Granules back that are looked at."""
_AROUND = (31, 17)
"""Lines and beams that a value is compared with."""
_WINDOW_SHARE = 0.75
"""Of a granule that has to be alike."""
_FILLED = 0.4
"""Of the beams of a line that have to be there, on the average."""
_LEAST, _LEAST_BY_FEW = 0.5, 8.0
"""Correlation that is enough is the first and the second over the root of the number of places."""
_SHORT_MORE = 1.15
"""By how much more of the short granules: clouds that are near to each other are alike."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A part of a pass that shows another part's scene."""

    pass_index: int
    first_s: float
    """Epoch seconds."""
    last_s: float
    lag_s: float
    """Seconds earlier at which the same scene is shown."""
    correlation: float
    ratio: float
    """The correlation by what is enough."""


def find_duplicates(pixels: SwathPixels, satellite: Satellite, step_s: float) -> list[Duplicate]:
    """Find granules that are shown twice, surest first.

    Parameters
    ----------
    pixels : SwathPixels
    satellite : Satellite
    step_s : float
        Length of a line in seconds.

    Returns
    -------
    list of Duplicate
        The surest of each pass; a `ratio` of 1 is just enough.
    """
    grid = pixels.grid(step_s, _BEAMS)
    texture, weight = _texture(grid)
    lengths = {satellite.granule_s}
    if satellite.instrument == "VIIRS":
        lengths.add(_SHORT_GRANULE_S)
    best: dict[int, Duplicate] = {}
    for length in sorted(lengths):
        for back in range(1, _MOST_BACK + 1):
            lag_s = length * back
            for lag in {math.floor(lag_s / step_s), math.ceil(lag_s / step_s)}:
                for found in _alike(grid, texture, weight, lag, length):
                    known = best.get(found.pass_index)
                    if known is None or found.ratio > known.ratio:
                        best[found.pass_index] = found
    return sorted(best.values(), key=lambda one: -one.ratio)


def _texture(grid: SwathGrid) -> tuple[_Singles, _Singles]:
    """By how much each place differs from what is around it, in standard deviations there."""
    weight = (grid.count > 0).astype(np.float32)
    value = grid.total / np.maximum(grid.count, 1.0)
    size = (1, *_AROUND)
    there = np.maximum(ndimage.uniform_filter(weight, size), 1e-3)
    apart = np.where(weight > 0, value - ndimage.uniform_filter(value, size) / there, 0.0)
    # Running sums of a filter may end a little under 0.
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(apart * apart, size), 0.0) / there)
    return np.clip(apart / np.maximum(spread, 0.05), -2.0, 2.0), weight


def _alike(
    grid: SwathGrid, texture: _Singles, weight: _Singles, lag: int, length_s: float
) -> list[Duplicate]:
    """In each pass the part that is most like what was scanned `lag` lines earlier."""
    lines = texture.shape[1]
    window = max(3, int(_WINDOW_SHARE * length_s / grid.step_s))
    if lag < 1 or lag + window > lines:
        return []
    now, then = texture[:, lag:], texture[:, :-lag]
    both = weight[:, lag:] * weight[:, :-lag]
    sums = [_running((part * both).sum(axis=2), window) for part in (now * then, now**2, then**2)]
    places = _running(both.sum(axis=2), window)
    correlation = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-9))
    enough = _LEAST + _LEAST_BY_FEW / np.sqrt(np.maximum(places, 1.0))
    enough *= _SHORT_MORE if length_s < _SHORT_GRANULE_S + 1.0 else 1.0
    ratio = np.where(places >= _FILLED * _BEAMS * window, correlation / enough, 0.0)
    found = []
    for number, line in enumerate(ratio.argmax(axis=1)):
        if ratio[number, line] <= 0:
            continue
        middle = lag + int(line) + window / 2
        half = length_s / 2 / grid.step_s
        found.append(
            Duplicate(
                number,
                grid.time_of(number, 0) + (middle - half) * grid.step_s,
                grid.time_of(number, 0) + (middle + half) * grid.step_s,
                lag * grid.step_s,
                float(correlation[number, line]),
                float(ratio[number, line]),
            )
        )
    return found


def _running(values: _Singles, window: int) -> _Singles:
    """Sums of `window` values from each one on, along the second axis."""
    total = np.cumsum(values, axis=1, dtype=np.float64)
    total = np.concatenate([np.zeros((values.shape[0], 1)), total], axis=1)
    return np.asarray(total[:, window:] - total[:, :-window], dtype=np.float32)
