"""Holes: black that nothing explains, from single pixels to regions with granules.

Evidence is black further from all explained black than its edges are uncertain, in solid pieces of
two by two pixels or more, so that dark specks and JPEG rings count little.  A hole with enough of
it grows back: over pixels darker than imagery to the predicted edges, within a few pixels of its
evidence and within granules that are black as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.missing.granules import Granules
from gibswatch.types import BoolArray

__all__ = ["Ground", "Hole", "find_holes", "grown"]

ENOUGH_PX = 16.0
"""Solid pixels of evidence that make a hole: score 0.5."""
_WHOLE_SHARE = 0.5
"""Of a granule's pixels that could be evidence: from here on it is black as a whole."""
_HANGS_PX = 2
_SQUARE = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What holes are looked for in; planes are (rows, cols)."""

    black: BoolArray
    """Surely dark: evidence."""
    dim: BoolArray
    """Darker than imagery, `black` included: what a hole may grow over."""
    explained: BoolArray
    """Black there has a reason, or the pixels were not sent."""
    near: BoolArray
    """Within the tolerance of what is explained, or undecided: no evidence."""
    low_sun: BoolArray
    """Evidence here does not count for a hole that hangs on the night."""
    night: BoolArray
    """What such a hole hangs on: night and what is undecided beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """One connected hole."""

    mask: BoolArray
    """(rows, cols)"""
    evidence_px: int
    score: float
    """0-1; 0.5 with `ENOUGH_PX`."""
    granules: tuple[int, ...]
    """Numbers of the granules that should show its evidence."""


def find_holes(ground: Ground, granules: Granules) -> tuple[list[Hole], float]:
    """Find the holes of a day.

    Parameters
    ----------
    ground : Ground
    granules : Granules

    Returns
    -------
    holes : list of Hole
        Most evidence first; only those with a score of 0.5 or more.
    score : float
        Of the best piece of evidence that is too small for a hole: under 0.5.
    """
    solid = _solid(ground.black & ~ground.explained & ~ground.near)
    labels, count = ndimage.label(solid, structure=_SQUARE)
    if not count:
        return [], 0.0
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    mask = _grow(ground, solid & (sizes >= 4)[labels], granules)
    labels, count = ndimage.label(mask, structure=_SQUARE)
    evidence = _evidence(ground, labels, count, solid)
    if not evidence.any():
        return [], 0.0
    boxes = ndimage.find_objects(labels)
    holes = []
    for label in np.argsort(-evidence, kind="stable"):
        if evidence[label] < ENOUGH_PX:
            break
        box = boxes[label - 1]
        here = np.zeros_like(mask)
        here[box] = labels[box] == label
        numbers = _granules(granules, here, solid, box)
        holes.append(Hole(here, int(evidence[label]), _score(float(evidence[label])), numbers))
    return holes, _score(float(evidence[evidence < ENOUGH_PX].max()))


def _evidence(
    ground: Ground, labels: NDArray[np.int32], count: int, solid: BoolArray
) -> NDArray[np.intp]:
    """Pixels of evidence of each label; 0 of the background."""
    full = np.bincount(labels[solid], minlength=count + 1)
    sure = np.bincount(labels[solid & ~ground.low_sun], minlength=count + 1)
    hanging = np.zeros(count + 1, dtype=bool)
    hanging[labels[grown(ground.night, _HANGS_PX)]] = True
    evidence = np.where(hanging, sure, full)
    evidence[0] = 0
    return evidence


def grown(mask: BoolArray, pixels: int) -> BoolArray:
    """Mark what lies within so many pixels of a mask, in a square."""
    for axis in (0, 1):
        mask = _spread(mask, pixels, axis)
    return mask


def _spread(mask: BoolArray, pixels: int, axis: int) -> BoolArray:
    """Spread along one axis: shifts of a bit-plane take a tenth of a filter's time."""
    wide = mask.copy()
    for step in range(1, min(pixels, mask.shape[axis] - 1) + 1):
        ahead, behind = [slice(None)] * 2, [slice(None)] * 2
        ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
        wide[tuple(ahead)] |= mask[tuple(behind)]
        wide[tuple(behind)] |= mask[tuple(ahead)]
    return wide


def _solid(mask: BoolArray) -> BoolArray:
    """Keep the pixels that lie in a square of two by two."""
    square = mask[:-1, :-1] & mask[1:, :-1] & mask[:-1, 1:] & mask[1:, 1:]
    solid = np.zeros_like(mask)
    solid[:-1, :-1] |= square
    solid[1:, :-1] |= square
    solid[:-1, 1:] |= square
    solid[1:, 1:] |= square
    return solid


def _score(evidence: float) -> float:
    return evidence / (evidence + ENOUGH_PX)


def _grow(ground: Ground, seeds: BoolArray, granules: Granules) -> BoolArray:
    """Grow seeds to the predicted edges."""
    allowed = ground.dim & ~ground.explained
    whole = _whole_granules(ground, seeds, granules)
    reach = seeds
    for _ in range(3):
        reach = grown(reach, 1) & allowed
    if not whole.any():
        return reach | seeds
    inside = whole[granules.index] & (granules.index >= 0) & allowed
    part = ndimage.binary_propagation(reach, structure=_SQUARE, mask=inside | reach)
    return np.asarray(part | seeds)


def _whole_granules(ground: Ground, seeds: BoolArray, granules: Granules) -> BoolArray:
    """Granules (n,) whose pixels are black nearly everywhere that it can be told."""
    count = len(granules.start_s)
    could = ~ground.explained & ~ground.near & (granules.index >= 0)
    total = np.bincount(granules.index[could], minlength=count)
    dark = np.bincount(granules.index[seeds & could], minlength=count)
    return np.asarray((total > 0) & (dark >= _WHOLE_SHARE * total))


def _granules(
    granules: Granules, here: BoolArray, solid: BoolArray, box: tuple[slice, ...]
) -> tuple[int, ...]:
    numbers = granules.index[box][here[box] & solid[box]]
    numbers = numbers[numbers >= 0]
    if not numbers.size:
        return ()
    found, counts = np.unique(numbers, return_counts=True)
    return tuple(int(n) for n in found[counts >= max(4, 0.002 * numbers.size)])
