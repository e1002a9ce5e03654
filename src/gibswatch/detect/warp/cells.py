"""A day and clear sky side by side, as the satellite scanned them, granule by granule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.swath.pixels import EARTH_KM, SwathPixels
from gibswatch.detect.warp.clear_sky import colour_planes
from gibswatch.raster.scene import Scene
from gibswatch.sky.satellites import Satellite

__all__ = ["GranuleCells", "SwathCells", "granules_in", "swath_cells"]

_Singles = NDArray[np.float32]

_CELL_KM = 18.0
_KM_PER_DEGREE = 111.3
_WIDER = 1.15
"""A cell's size in pixels at least: smaller ones stay empty."""
_AROUND = 11
"""Lines and beams a side of what a cell is compared with.  On the tuning years 7 finds fewer of
the displaced granules; 13 and more call clean ones, and real tiles of Bands721."""
_SOFT = 0.4
"""Differences of colour beyond which more says nothing."""
_EARTH_MU = 398_600.4418
"""km3 s-2 (WGS 84)."""
_LEAST_LINES, _LEAST_CELLS = 0.4, 0.2
"""Of a granule that must be there: of little, one cloud says too much."""


@dataclass(frozen=True, slots=True, eq=False)
class SwathCells:
    """How two colours differ from what is around; (2, passes, lines, beams), NaN where unknown."""

    now: _Singles
    """Of the day."""
    clear: _Singles
    """Of clear sky."""
    cell_km: float
    start_s: NDArray[np.float64]
    """(passes,) epoch seconds of the first line."""
    line_s: float


@dataclass(frozen=True, slots=True)
class GranuleCells:
    """Which lines are one granule."""

    pass_index: int
    number: int
    """Of the granule, counted from 2000-01-01 in its own length."""
    first: int
    """Line."""
    last: int
    """Line after it."""


def swath_cells(
    scene: Scene, pixels: SwathPixels, clear: _Singles, satellite: Satellite, pixel_deg: float
) -> SwathCells:
    """Put a day and clear sky on a grid of lines along and beams beside the track.

    Parameters
    ----------
    scene : Scene
        The day.
    pixels : SwathPixels
        Of the thinned picture.
    clear : (2, rows, cols) ndarray of float32
        `ClearSky.without` of it.
    satellite : Satellite
    pixel_deg : float
        Size of a pixel of the thinned picture in degrees.
    """
    cell_km = max(_CELL_KM, _WIDER * pixel_deg * _KM_PER_DEGREE)
    speed = EARTH_KM * math.sqrt(_EARTH_MU / satellite.semi_major_km**3)
    beams = 2 * math.ceil(pixels.reach_km / cell_km)
    line_s = cell_km / speed
    shown = colour_planes(scene)
    now = [pixels.grid(line_s, beams, plane[pixels.where]) for plane in shown]
    then = [pixels.grid(line_s, beams, plane[pixels.where]) for plane in clear]
    return SwathCells(
        np.stack([_detail(grid.mean()) for grid in now]),
        np.stack([_detail(grid.mean()) for grid in then]),
        cell_km,
        now[0].start_s,
        line_s,
    )


def granules_in(cells: SwathCells, length_s: float) -> list[GranuleCells]:
    """Find the granules of which enough is seen to say where they lie.

    Parameters
    ----------
    cells : SwathCells
    length_s : float
        Of a granule.

    Returns
    -------
    list of GranuleCells
        In the order of passes and time.
    """
    seen = np.isfinite(cells.now[0]).sum(axis=2)
    found = []
    for number, start in enumerate(cells.start_s):
        time = start + (np.arange(seen.shape[1]) + 0.5) * cells.line_s
        granule = np.floor(time / length_s).astype(np.int64)
        for one in np.unique(granule[seen[number] > 0]):
            lines = np.flatnonzero(granule == one)
            share = len(lines) * cells.line_s / length_s
            cover = seen[number, lines].sum() / (length_s / cells.line_s * cells.now.shape[3])
            if share >= _LEAST_LINES and cover >= _LEAST_CELLS:
                found.append(GranuleCells(number, int(one), int(lines[0]), int(lines[-1]) + 1))
    return found


def _detail(values: _Singles) -> _Singles:
    """By how much each cell differs from what is around it in its pass."""
    there = np.isfinite(values)
    size = (1, _AROUND, _AROUND)
    share = ndimage.uniform_filter(there.astype(np.float32), size)
    mean = ndimage.uniform_filter(np.where(there, values, 0.0), size) / np.maximum(share, 1e-3)
    return np.where(there, np.clip(values - mean, -_SOFT, _SOFT), np.float32(np.nan))
