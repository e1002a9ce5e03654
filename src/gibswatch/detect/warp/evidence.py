"""How much better a displacement explains a granule than none does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.warp.cells import GranuleCells

__all__ = ["LEAST_SHARED", "Displacement", "Run", "Shift", "best_runs", "log_likelihood"]

_Singles = NDArray[np.float32]

LEAST_SHARED = 0.6
"""Of a granule's cells that must still lie over clear sky where it is said to belong."""
_CELLS_ALIKE = 6.0
"""Cells that count as one: colours of neighbours are alike."""
_LONGEST_RUN = 3
"""Granules that are looked at together."""
_EACH = 1.0
"""Evidence that the first and the last granule of a run must bring."""


@dataclass(frozen=True, slots=True)
class Displacement:
    """By how much imagery lies off: all of a granule, or more and more towards its edges."""

    ahead_km: float = 0.0
    """Along the flight."""
    left_km: float = 0.0
    """To the left of it."""
    outward_km: float = 0.0
    """At the edges of the swath; 0 of a whole granule."""
    share: float = 1.0
    """Outer part of half of the swath that lies off."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Granules of a pass that lie off their place, or may."""

    granules: tuple[int, ...]
    """Their numbers in `detect.missing.granules.Granules`."""
    displacement: Displacement
    ratio: float
    """The evidence by what is just enough."""
    proof: str
    """What tells it, half a sentence."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive granules of a pass that one displacement explains."""

    granules: tuple[GranuleCells, ...]
    displacement: Displacement
    by_granule: tuple[float, ...]
    """Difference of log likelihoods, of each."""

    @property
    def evidence(self) -> float:
        """Of all of them together."""
        return sum(self.by_granule)


def log_likelihood(correlation: _Singles, cells: _Singles | float) -> _Singles:
    """Logarithm of how much likelier two parts are one scene than two.

    That of a normal correlation, `-n/2 log(1 - r^2)`; 0 where they are not alike.

    Parameters
    ----------
    correlation : ndarray of float
        -1 to 1.
    cells : ndarray of float or float
        Number of cells, neighbours alike.
    """
    alike = np.clip(correlation, 0.0, 0.99)
    return np.asarray(-0.5 * np.log1p(-(alike**2)) * (cells / _CELLS_ALIKE))


def best_runs(
    granules: Sequence[GranuleCells],
    evidence: _Singles,
    displacements: Sequence[Displacement],
    least: float,
) -> list[Run]:
    """Find the displacements that explain most, each granule once.

    Parameters
    ----------
    granules : sequence of GranuleCells
        In the order of passes and time.
    evidence : (granules, displacements) ndarray of float
        How much better each displacement explains each granule than none does.
    displacements : sequence of Displacement
    least : float
        Evidence of a run at least.

    Returns
    -------
    list of Run
        Strongest first.
    """
    runs = []
    for first in range(len(granules)):
        for count in range(1, _LONGEST_RUN + 1):
            part = granules[first : first + count]
            if len(part) < count or not _consecutive(part):
                break
            held = evidence[first : first + count]
            total = np.where((held[0] >= _EACH) & (held[-1] >= _EACH), held.sum(axis=0), 0.0)
            best = int(total.argmax())
            if total[best] > 0:
                by_granule = tuple(float(one) for one in held[:, best])
                runs.append(Run(tuple(part), displacements[best], by_granule))
    runs.sort(key=lambda run: -run.evidence)
    told: list[Run] = []
    for run in runs:
        if run.evidence < least:
            break
        if not any(set(run.granules) & set(other.granules) for other in told):
            told.append(run)
    return told


def _consecutive(granules: Sequence[GranuleCells]) -> bool:
    first = granules[0]
    return all(
        one.pass_index == first.pass_index and one.number == first.number + n
        for n, one in enumerate(granules)
    )
