"""Pixels of a picture as the satellite scanned them: by pass, time and place beside the track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.statistics import log_reflectance
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.types import BoolArray

__all__ = ["EARTH_KM", "SwathGrid", "SwathPixels", "from_track_km", "swath_pixels", "thinned"]

_LOW_SUN_DEG = 82.0
EARTH_KM = 6371.0
_FEWEST = 1000
"""Pixels under which a picture says nothing of scans."""

_Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SwathPixels:
    """Pixels that a pass shows in daylight; (n,) each."""

    pass_index: NDArray[np.int32]
    time_s: NDArray[np.float64]
    """Epoch seconds."""
    beside: _Singles
    """Place beside the track, by distance on the ground: -1 to 1."""
    value: _Singles
    """Logarithm of reflectance, mean of the channels."""
    where: BoolArray
    """(rows, cols) of the picture, or of every n-th row and column of it: which they are."""
    reach_km: float
    """Distance from the track at which `beside` is 1."""

    def grid(self, step_s: float, beams: int, values: _Singles | None = None) -> SwathGrid:
        """Average them by pass, time and place beside the track.

        Parameters
        ----------
        step_s : float
            Length of a line in seconds.
        beams : int
            Number of places beside the track.
        values : (n,) ndarray of float32, optional
            What to average instead of `value`; NaN is left out.
        """
        passes = int(self.pass_index.max()) + 1
        start = np.full(passes, np.inf)
        np.minimum.at(start, self.pass_index, self.time_s)
        start = np.where(np.isfinite(start), np.floor(start / step_s) * step_s, 0.0)
        line = np.floor((self.time_s - start[self.pass_index]) / step_s).astype(np.int64)
        lines = int(line.max()) + 1
        beam = np.clip((self.beside + 1.0) * (beams / 2), 0, beams - 1).astype(np.int64)
        cell = (self.pass_index.astype(np.int64) * lines + line) * beams + beam
        size = passes * lines * beams
        if values is None:
            values = self.value
        elif not np.isfinite(values).all():
            there = np.isfinite(values)
            cell, values = cell[there], values[there]
        count = np.bincount(cell, minlength=size).astype(np.float32)
        total = np.bincount(cell, values, size).astype(np.float32)
        shape = (passes, lines, beams)
        return SwathGrid(start, step_s, count.reshape(shape), total.reshape(shape))


@dataclass(frozen=True, slots=True, eq=False)
class SwathGrid:
    """Pixels averaged in the satellite's own view."""

    start_s: NDArray[np.float64]
    """(passes,) epoch seconds of the first line."""
    step_s: float
    count: _Singles
    """(passes, lines, beams)"""
    total: _Singles
    """(passes, lines, beams) sum of the values."""

    def mean(self) -> _Singles:
        """(passes, lines, beams) mean of each place; NaN where there is no pixel."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total / self.count)

    def time_of(self, pass_index: int, line: int) -> float:
        """Epoch seconds at which a line begins."""
        return float(self.start_s[pass_index] + line * self.step_s)


def swath_pixels(
    scene: Scene, observed: BoolArray, expectation: Expectation, *, every: int = 1
) -> SwathPixels | None:
    """Take the pixels of a picture whose pass is known.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation
    every : int
        Of the rows and columns every so many-th is taken.

    Returns
    -------
    SwathPixels or None
        None if there are too few.
    """
    thin = thinned(every)
    usable = expectation.covered[thin] & ~observed[thin] & (scene.state[thin] == STATE_CODES["ok"])
    usable &= expectation.sza_deg[thin] < _LOW_SUN_DEG
    if usable.sum() < _FEWEST:
        return None
    satellite = SATELLITES[expectation.satellite]
    away = from_track_km(expectation.cross_track_deg[thin][usable], satellite)
    reach = max(float(np.abs(away).max()), 1e-6)
    return SwathPixels(
        expectation.pass_index[thin][usable],
        expectation.time_s[thin][usable],
        np.asarray(away / reach, dtype=np.float32),
        log_reflectance(scene.pixels[thin][..., :3][usable]).mean(axis=0),
        usable,
        reach,
    )


def thinned(every: int) -> tuple[slice, slice]:
    """Every so many-th row and column of a picture, those in the middle."""
    part = slice(every // 2, None, every)
    return part, part


def from_track_km(scan_deg: _Singles, satellite: Satellite) -> _Singles:
    """Distance on the ground between the track and what is seen, positive to the left.

    Parameters
    ----------
    scan_deg : ndarray of float
        Scan angles, degrees.
    satellite : Satellite
    """
    angle = np.radians(np.abs(scan_deg))
    with np.errstate(invalid="ignore"):
        sine = np.clip(satellite.semi_major_km / EARTH_KM * np.sin(angle), 0.0, 1.0)
    return np.asarray(np.sign(scan_deg) * (np.arcsin(sine) - angle) * EARTH_KM, dtype=np.float32)
