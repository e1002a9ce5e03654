"""At which solar zenith angle imagery ends: measured on the edges of the polar night.

Pixels of a day are counted by their solar zenith angle, the black ones and the others apart.  The
counts of many days add up, and the cut is the angle that parts them best: missing granules are
black at every angle and do not move it.  MODIS drops its last, mostly dark granules, so that black
begins before the cut; the spread says over how many degrees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.orbit import Orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.places import inside, is_separable, pixel_places
from gibswatch.types import BoolArray, Georeference

__all__ = ["NightCut", "NightEdge", "fit_night_cut", "observe_night_edge"]

_FIRST_DEG, _LAST_DEG, _STEP_DEG = 75.0, 95.0, 0.1
_BINS = round((_LAST_DEG - _FIRST_DEG) / _STEP_DEG)
_DAYLIGHT_LIMIT_DEG = 75.0
_FEWEST = 500.0
"""Pixels of each kind; fewer say nothing."""
_LARGEST_ERROR = 0.1
"""Share of pixels on the wrong side of the best cut above which there is no cut."""


@dataclass(frozen=True, slots=True, eq=False)
class NightEdge:
    """Pixels by solar zenith angle, 75-95 degrees in steps of 0.1; two (200,) ndarrays."""

    day: dt.date
    light: NDArray[np.float64]
    """Pixels that show imagery; in EPSG:4326 and 3857 in units of a pixel at the equator."""
    black: NDArray[np.float64]
    """The same of black ones."""


@dataclass(frozen=True, slots=True)
class NightCut:
    """Where imagery ends."""

    sza_cut_deg: float
    """Solar zenith angle that parts imagery from night best."""
    spread_deg: float
    """Half of the angles over which the share of black rises from 16 to 84 %: within it the
    terminator is undecided."""
    error: float
    """Share of pixels from 75 to 95 degrees on the wrong side of the cut, 0-1."""
    days: int


def observe_night_edge(
    black: BoolArray, georeference: Georeference, day: dt.date, orbit: Orbit
) -> NightEdge:
    """Count the pixels of a picture by their solar zenith angle.

    Parameters
    ----------
    black : (rows, cols) ndarray of bool
        Observed black.
    georeference : Georeference
    day : datetime.date
        Local day of the picture.
    orbit : Orbit
        Says when each place is seen; its longitude hardly matters here.
    """
    geometry = pass_geometry(orbit, georeference, day, sza_limit_deg=_DAYLIGHT_LIMIT_DEG)
    sza = geometry.solar_zenith_deg
    wanted = (sza >= _FIRST_DEG) & (sza < _LAST_DEG) & inside(georeference)  # NaN: deep night
    index = ((sza[wanted] - _FIRST_DEG) / _STEP_DEG).astype(np.intp)
    weight = np.ones(len(index))
    if is_separable(georeference):
        weight = np.cos(np.radians(pixel_places(georeference)[1][wanted])).astype(np.float64)
    dark = black[wanted]
    return NightEdge(day, _counts(index[~dark], weight[~dark]), _counts(index[dark], weight[dark]))


def _counts(index: NDArray[np.intp], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.bincount(index, weights=weight, minlength=_BINS)[:_BINS]
    return np.asarray(counts, dtype=np.float64)


def fit_night_cut(days: Sequence[NightEdge]) -> NightCut | None:
    """Find the cut that parts imagery from night best.

    Parameters
    ----------
    days : sequence of NightEdge
        Of one satellite.

    Returns
    -------
    NightCut or None
        None if too few pixels of either kind were seen, or no angle parts them.
    """
    light = np.sum([day.light for day in days], axis=0) if days else np.zeros(_BINS)
    black = np.sum([day.black for day in days], axis=0) if days else np.zeros(_BINS)
    if min(light.sum(), black.sum()) < _FEWEST:
        return None
    # A cut behind bin n - 1: black before it and light behind it are on the wrong side.
    wrong = np.concatenate([[0.0], np.cumsum(black)]) + np.concatenate(
        [np.cumsum(light[::-1])[::-1], [0.0]]
    )
    best = np.flatnonzero(wrong == wrong.min())
    error = float(wrong.min() / (light.sum() + black.sum()))
    if error > _LARGEST_ERROR or best[0] == 0 or best[-1] == _BINS:
        return None
    cut = _FIRST_DEG + _STEP_DEG * float(best.mean())
    return NightCut(cut, _spread(light, black), error, len(days))


def _spread(light: NDArray[np.float64], black: NDArray[np.float64]) -> float:
    """Half of the angles over which the share of black rises from 16 to 84 percent."""
    seen = light + black
    known = np.flatnonzero(seen > 0.0)
    share = np.maximum.accumulate(black[known] / seen[known])
    low, high = (int(known[np.searchsorted(share, level)]) for level in (0.16, 0.84))
    return max(_STEP_DEG, _STEP_DEG * (high - low)) / 2
