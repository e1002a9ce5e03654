"""Pixels of a picture as the satellite scanned them: by pass, time and place beside the track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.statistics import log_reflectance
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray

__all__ = ["SwathGrid", "SwathPixels", "swath_pixels"]

_LOW_SUN_DEG = 82.0
_EARTH_KM = 6371.0
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

    def grid(self, step_s: float, beams: int) -> SwathGrid:
        """Average them by pass, time and place beside the track.

        Parameters
        ----------
        step_s : float
            Length of a line in seconds.
        beams : int
            Number of places beside the track.
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
        count = np.bincount(cell, minlength=size).astype(np.float32)
        total = np.bincount(cell, self.value, size).astype(np.float32)
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

    def time_of(self, pass_index: int, line: int) -> float:
        """Epoch seconds at which a line begins."""
        return float(self.start_s[pass_index] + line * self.step_s)


def swath_pixels(scene: Scene, observed: BoolArray, expectation: Expectation) -> SwathPixels | None:
    """Take the pixels of a picture whose pass is known.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation

    Returns
    -------
    SwathPixels or None
        None if there are too few.
    """
    usable = expectation.covered & ~observed & (scene.state == STATE_CODES["ok"])
    usable &= expectation.sza_deg < _LOW_SUN_DEG
    if usable.sum() < _FEWEST:
        return None
    height = SATELLITES[expectation.satellite].semi_major_km - _EARTH_KM
    scan_deg = expectation.geometry().cross_track_deg[usable]
    return SwathPixels(
        expectation.pass_index[usable],
        expectation.time_s[usable],
        _beside(scan_deg, height),
        log_reflectance(scene.pixels[..., :3][usable]).mean(axis=0),
    )


def _beside(scan_deg: _Singles, height_km: float) -> _Singles:
    """Place beside the track as a share of the farthest, from scan angles."""
    angle = np.radians(np.abs(scan_deg))
    reach = np.arcsin(np.clip((1.0 + height_km / _EARTH_KM) * np.sin(angle), 0.0, 1.0)) - angle
    return np.asarray(np.sign(scan_deg) * reach / max(float(reach.max()), 1e-6), dtype=np.float32)
