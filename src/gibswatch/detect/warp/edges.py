"""Swath edges that warp: imagery displaced the more, the nearer it is to the edges.

The displacement grows with the square of the way into the outer part, on both sides alike:
outward, or inward.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.warp.cells import GranuleCells, SwathCells
from gibswatch.detect.warp.evidence import Displacement, log_likelihood

__all__ = ["edge_evidence", "edge_warps"]

_Singles = NDArray[np.float32]

_DISTANCES_KM = (50.0, 75.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0)
_SHARES = (0.25, 0.4, 0.6)
_LEAST_SHARED = 0.6


def edge_warps() -> list[Displacement]:
    """All displacements that are looked at."""
    return [
        Displacement(outward_km=way * distance, share=share)
        for share in _SHARES
        for way in (1.0, -1.0)
        for distance in _DISTANCES_KM
    ]


def edge_evidence(cells: SwathCells, granules: Sequence[GranuleCells]) -> _Singles:
    """How much better each warp explains each granule than none of a cell or less does.

    Parameters
    ----------
    cells : SwathCells
    granules : sequence of GranuleCells

    Returns
    -------
    (granules, warps) ndarray of float32
        In the order of `edge_warps`.
    """
    beams = cells.now.shape[3]
    beside = (np.arange(beams) + 0.5 - beams / 2) / (beams / 2)
    columns = []
    for share in _SHARES:
        outer = np.flatnonzero(np.abs(beside) > 1.0 - share)
        grown = ((np.abs(beside[outer]) - (1.0 - share)) / share) ** 2
        outward = np.sign(beside[outer])
        part = _Part(cells, granules, outer)
        still = np.max([part.likelihood(shift * outward) for shift in (-1, 0, 1)], axis=0)
        for way in (1.0, -1.0):
            for distance in _DISTANCES_KM:
                # The scene of a place lies on the side that it was pushed from.
                shift = -way * outward * grown * distance / cells.cell_km
                columns.append(part.likelihood(shift) - still)
    return np.stack(columns, axis=1).astype(np.float32)


class _Part:
    """The outer beams of all granules, to be compared with clear sky beside them."""

    def __init__(
        self, cells: SwathCells, granules: Sequence[GranuleCells], outer: NDArray[np.intp]
    ) -> None:
        self._lines = [
            (one.pass_index * cells.now.shape[2] + one.first, one.last - one.first)
            for one in granules
        ]
        rows = np.concatenate([np.arange(first, first + n) for first, n in self._lines])
        flat = (2, -1, cells.now.shape[3])
        self._outer = outer
        self._clear = cells.clear.reshape(flat)[:, rows]
        now = cells.now.reshape(flat)[:, rows][..., outer]
        self._there = np.isfinite(now[0])
        self._now = np.where(self._there, now, np.float32(0.0))
        self._cells = self._by_granule(self._there)

    def likelihood(self, shift: NDArray[np.float64]) -> _Singles:
        """(granules,): that each shows clear sky so many beams beside; 0 if too little is there."""
        beam = np.rint(self._outer + shift).astype(np.intp)
        clear = self._clear[..., np.clip(beam, 0, self._clear.shape[2] - 1)]
        both = self._there & np.isfinite(clear[0])
        clear = np.where(both, clear, np.float32(0.0))
        now = np.where(both, self._now, np.float32(0.0))
        power = self._by_granule(now * now) * self._by_granule(clear * clear)
        correlation = self._by_granule(now * clear) / np.sqrt(np.maximum(power, 1e-6))
        shared = self._by_granule(both)
        enough = shared >= _LEAST_SHARED * self._cells
        alike = log_likelihood(correlation, shared).sum(axis=0)
        return np.where(enough, alike, np.float32(0.0))

    def _by_granule(self, values: NDArray[np.generic]) -> _Singles:
        starts = np.cumsum([0, *(n for _, n in self._lines[:-1])])
        return np.asarray(np.add.reduceat(values.sum(axis=-1, dtype=np.float32), starts, axis=-1))
