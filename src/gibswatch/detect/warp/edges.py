"""Swath edges that warp: imagery displaced the more, the nearer it is to the edges.

The displacement grows with the square of the way into the outer part, on both sides alike:
outward, or inward.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.warp.cells import GranuleCells, SwathCells
from gibswatch.detect.warp.evidence import LEAST_SHARED, Displacement, log_likelihood

__all__ = ["edge_evidence", "edge_warps"]

_Singles = NDArray[np.float32]

_DISTANCES_KM = (50.0, 75.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0)
_SHARES = (0.25, 0.4, 0.6)


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
        lines = cells.now.shape[2]
        firsts = [one.pass_index * lines + one.first for one in granules]
        counts = [one.last - one.first for one in granules]
        rows = np.concatenate(
            [np.arange(first, first + n) for first, n in zip(firsts, counts, strict=True)]
        )
        self._starts = np.cumsum([0, *counts[:-1]])
        self._outer = outer
        # Beams before lines: a shifted beam is one run of memory then.
        clear = _by_beam(cells.clear, rows)
        now = _by_beam(cells.now, rows)[:, outer]
        self._now, self._there = _filled(now)
        self._clear, self._seen = _filled(clear)
        self._now_power = self._now**2
        self._clear_power = self._clear**2
        self._cells = self._by_granule(self._there.sum(axis=0))

    def likelihood(self, shift: NDArray[np.float64]) -> _Singles:
        """(granules,): that each shows clear sky so many beams beside; 0 if too little is there."""
        beam = np.rint(self._outer + shift).astype(np.intp)
        beam = np.clip(beam, 0, self._clear.shape[1] - 1)
        seen = self._seen[beam]
        shared = self._by_granule(np.einsum("bl,bl->l", self._there, seen))
        alike = self._by_granule(np.einsum("cbl,cbl->cl", self._now, self._clear[:, beam]))
        mine = self._by_granule(np.einsum("cbl,bl->cl", self._now_power, seen))
        its = self._by_granule(np.einsum("bl,cbl->cl", self._there, self._clear_power[:, beam]))
        correlation = alike / np.sqrt(np.maximum(mine * its, 1e-6))
        enough = shared >= LEAST_SHARED * self._cells
        total = log_likelihood(correlation, shared).sum(axis=0)
        return np.where(enough, total, np.float32(0.0))

    def _by_granule(self, values: NDArray[np.generic]) -> _Singles:
        return np.asarray(np.add.reduceat(values, self._starts, axis=-1))


def _by_beam(values: _Singles, rows: NDArray[np.intp]) -> _Singles:
    """(2, beams, lines) of some lines."""
    flat = values.reshape(values.shape[0], -1, values.shape[3])[:, rows]
    return np.ascontiguousarray(np.swapaxes(flat, 1, 2))


def _filled(values: _Singles) -> tuple[_Singles, _Singles]:
    """Values with 0 where there is none, and where there is one, (beams, lines)."""
    there = np.isfinite(values)
    return np.where(there, values, np.float32(0.0)), there[0].astype(np.float32)
