"""The angle at which imagery ends: samples near the night edge, and the cut that parts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gibswatch.detect.night.sunlit import Looks
from gibswatch.types import BoolArray, FloatArray

__all__ = ["Edge", "Samples", "best_cut", "edge_spread", "light_end", "zenith_of"]

_LOW_DEG, _HIGH_DEG, _STEP_DEG = 70.0, 95.0, 0.05
_BINS = round((_HIGH_DEG - _LOW_DEG) / _STEP_DEG)
_CUTS_DEG = (84.5, 89.0)
"""Between these a cut is believed: 85.5-87.5, and a degree for what is not known."""
_LATE_S = (-300.0, -150.0, 0.0, 150.0, 300.0)
_SHARPER = 0.9
"""Passes are later or earlier only if that takes away this much of what is on the wrong side."""
_FEWEST = 20.0
"""Samples of imagery and of black within `_EDGE_DEG` of a cut; fewer show no edge."""
_EDGE_DEG = 2.0
_STRAY = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Sampled pixels near the night edge."""

    looks: Looks
    black: BoolArray
    """(samples,)"""
    weight: FloatArray
    """(samples,) share of a pixel at the equator; 0 for what says nothing."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A cut by the Sun alone."""

    cut_deg: float
    late_s: float
    cost: float
    """Weight of samples on the wrong side."""
    shown: bool
    """Whether there is imagery before and black behind it."""


def best_cut(samples: Samples, kept: BoolArray | None) -> Edge:
    """Part imagery from night by the Sun at the brightest pass that is kept."""
    tried = {late: _cut_at(samples, kept, late) for late in _LATE_S}
    best = min(tried.values(), key=lambda edge: edge.cost)
    step = _LATE_S[1] - _LATE_S[0]
    for _ in range(2):
        step /= 2.0
        late = [float(np.clip(best.late_s + s * step, _LATE_S[0], _LATE_S[-1])) for s in (-1, 1)]
        around = [_cut_at(samples, kept, each) for each in late]
        best = min(best, *around, key=lambda edge: edge.cost)
    return best if best.cost < _SHARPER * tried[0.0].cost else tried[0.0]


def _cut_at(samples: Samples, kept: BoolArray | None, late_s: float) -> Edge:
    """The cut that parts best if every pass is later by some seconds."""
    light, black = _histograms(samples, kept, late_s)
    wrong = np.concatenate([[0.0], np.cumsum(black)]) + np.concatenate(
        [np.cumsum(light[::-1])[::-1], [0.0]]
    )
    low, high = (round((cut - _LOW_DEG) / _STEP_DEG) for cut in _CUTS_DEG)
    allowed = wrong[low : high + 1]
    best = np.flatnonzero(allowed <= allowed.min() + 1e-9)
    place = low + float(best.mean())
    reach = round(_EDGE_DEG / _STEP_DEG)
    at = round(place)
    shown = (
        light[at - reach : at].sum() > _FEWEST
        and black[at : at + reach].sum() > _FEWEST
        and black[at - reach : at].sum() < light[at - reach : at].sum()
    )
    return Edge(_LOW_DEG + _STEP_DEG * place, late_s, float(allowed.min()), bool(shown))


def zenith_of(samples: Samples, kept: BoolArray | None, late_s: float) -> FloatArray:
    """Solar zenith angle of samples at the brightest pass that is kept; 180 without one."""
    looks = samples.looks
    sun = looks.sun + np.float32(late_s) * looks.drift
    if kept is not None:
        sun[~kept] = -1.0
    best = np.maximum.reduceat(sun, looks.first)
    return np.asarray(np.degrees(np.arccos(np.clip(best, -1.0, 1.0))))


def _histograms(
    samples: Samples, kept: BoolArray | None, late_s: float
) -> tuple[FloatArray, FloatArray]:
    """Weight of imagery and of black by solar zenith angle."""
    place = (zenith_of(samples, kept, late_s) - _LOW_DEG) / _STEP_DEG
    index = np.clip(place, 0, _BINS - 1).astype(np.intp)
    light = np.bincount(index, weights=samples.weight * ~samples.black, minlength=_BINS)
    black = np.bincount(index, weights=samples.weight * samples.black, minlength=_BINS)
    return light.astype(np.float64), black.astype(np.float64)


def light_end(samples: Samples, plain: Edge) -> float:
    """Solar zenith angle beyond which there is all but no imagery."""
    light, _ = _histograms(samples, None, plain.late_s)
    light[: round((_CUTS_DEG[0] - 4.0 - _LOW_DEG) / _STEP_DEG)] = 0.0
    beyond = np.cumsum(light[::-1])[::-1]
    if beyond[0] <= 0.0:
        return plain.cut_deg
    end = int(np.flatnonzero(beyond > _STRAY * beyond[0])[-1]) + 1
    return float(np.clip(_LOW_DEG + _STEP_DEG * end, *_CUTS_DEG))


def edge_spread(samples: Samples, kept: BoolArray | None, edge: Edge) -> float:
    """Half of the angles around the cut over which both imagery and black are found."""
    light = _histograms(samples, kept, edge.late_s)[0]
    at, reach = (round(deg / _STEP_DEG) for deg in (edge.cut_deg - _LOW_DEG, _EDGE_DEG))
    outer = np.cumsum(light[at : at + reach][::-1])[::-1]
    total = max(float(light[at - reach : at].sum()), 1.0)
    over = np.flatnonzero(outer > _STRAY * total)
    return float(np.clip(_STEP_DEG * (over[-1] + 1 if over.size else 0), 0.1, 0.6))
