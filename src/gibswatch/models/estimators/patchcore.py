"""PatchCore: a bank of patches of normal days, and the distance to the nearest of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.models.estimators._days import Days, days_at_once, measure, standardise
from gibswatch.models.estimators._grids import (
    Form,
    GridDetector,
    LeftOut,
    Scores,
    check_bound,
    check_least,
    check_scale,
)
from gibswatch.models.estimators.coreset import CoresetStream

__all__ = ["PatchCore"]

_BANKS_IN_BUFFER = 16
"""A larger buffer hardly betters the bank, and leaves the processor's cache."""
_BUFFER_SHARE, _BANK_SHARE, _SCORING_SHARE = 0.5, 0.125, 0.125
"""Of the memory; the bank is there twice while it is made."""
_MOST_SCORING = 2**24
"""Bytes that the distances in work take at most: more is not faster."""


class PatchCore(GridDetector):
    """Distance of each patch from the nearest patch of any normal day, wherever it was.

    After Roth, Pemula, Zepeda, Schoelkopf, Brox and Gehler (2022), "Towards Total Recall in
    Industrial Anomaly Detection".

    Parameters
    ----------
    patch_length : int, default 0
        Numbers of a patch (d); 0: the whole row is one patch.
    bank_size : int, default 2000
        Most patches in the bank; fewer where `memory_mb` asks for it.
    memory_mb : int, default 256
        Most MiB that fitted arrays and work take.
    top : int, default 8
        Patches, the highest, whose mean is the score of a day.
    outlier_share : float, default 0.0
        Share of the training days that `predict` may call outliers, each scored by the other days'
        patches in the bank; 0: the highest of them is normal.
    random_state : int

    Attributes
    ----------
    centre_, scale_ : (d,) ndarray of float64
        Mean and standard deviation of each number over all patches of all days.
    bank_ : (b, d) ndarray of float32
        Standardised patches.
    offset_ : float

    Notes
    -----
    Unlike in the paper, the bank is chosen from a stream (`CoresetStream`), so that memory is
    bounded; the score of a day is the mean of its `top` patches rather than the highest one
    re-weighted by the neighbours in the bank: faults cover more than one patch, and the mean needs
    no further parameter.  To average features over neighbouring patches is left to who makes them.
    """

    kept = ("centre", "scale", "bank")

    def __init__(
        self,
        patch_length: int = 0,
        *,
        bank_size: int = 2000,
        memory_mb: int = 256,
        top: int = 8,
        outlier_share: float = 0.0,
        random_state: Any = 0,
    ) -> None:
        self.patch_length = patch_length
        self.bank_size = bank_size
        self.memory_mb = memory_mb
        self.top = top
        self.outlier_share = outlier_share
        self.random_state = random_state

    def _learn(self, days: Days) -> LeftOut:
        patches, length = self._shape(days.width)
        room, size = self._room(length)
        at_once = days_at_once(days.width, self.memory_mb)
        self.centre_, self.scale_ = measure(days.blocks(length, at_once), length)
        room = min(room, max(patches * days.count, size + 1))
        stream = CoresetStream(room, size, length, self._chance())
        for day, grid in enumerate(self._grids(days)):
            stream.add(self._standardised(grid), day)
        self.bank_, tags = stream.finish()

        def scores(day: int, grid: NDArray[Any]) -> Scores:
            others = tags != day
            # A bank of one day's patches alone has none but these to compare with.
            bank = self.bank_[others] if others.any() else self.bank_
            return self._distances(grid, bank)

        return scores

    def _room(self, length: int) -> tuple[int, int]:
        """Most vectors in the buffer and in the bank, by `bank_size` and memory."""
        check_least("bank_size", self.bank_size, 1)
        free = self._bytes * _BUFFER_SHARE - CoresetStream.bytes_fixed(length)
        room = min(
            _BANKS_IN_BUFFER * int(self.bank_size),
            int(free // CoresetStream.bytes_per_vector(length)),
        )
        size = min(int(self.bank_size), room // 2, int(self._bytes * _BANK_SHARE // (4 * length)))
        if size < 1:
            raise ValueError(
                f"memory_mb={self.memory_mb} is too little for a bank of patches of {length}"
            )
        return room, size

    def _scores(self, grid: NDArray[Any]) -> Scores:
        return self._distances(grid, self.bank_)

    def _distances(self, grid: NDArray[Any], bank: NDArray[np.float32]) -> Scores:
        """Distance of each (P, d) patch from the nearest of the bank, without approximation."""
        patches = self._standardised(grid)
        limit = min(self._bytes * _SCORING_SHARE, _MOST_SCORING) / 16  # half of it, float64
        wide = int(np.clip(limit // bank.shape[1], 1, len(bank)))
        high = int(np.clip(limit // (wide + bank.shape[1]), 1, len(patches)))
        found = np.empty(len(patches))
        for at in range(0, len(patches), high):
            rows = patches[at : at + high].astype(np.float64)
            rows -= bank[_nearest(rows, bank, wide)]
            found[at : at + high] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        return found

    def _standardised(self, grid: NDArray[Any]) -> NDArray[np.float32]:
        # As in the bank: a patch that is in it has distance 0.
        return standardise(grid, self.centre_, self.scale_).astype(np.float32)

    def _form(self, patches: int, length: int, weights: Mapping[str, Any]) -> Form:  # noqa: ARG002
        most = self._room(length)[1]
        shape: Any = getattr(weights["bank"], "shape", ())
        count = shape[0] if isinstance(shape, tuple) and len(shape) == 2 else 0
        if not 1 <= count <= most:
            raise ValueError(f"the weights' bank is no matrix of 1 to {most} patches")
        return {
            "centre": (np.float64, (length,)),
            "scale": (np.float64, (length,)),
            "bank": (np.float32, (count, length)),
        }

    def _check_numbers(self, weights: Mapping[str, NDArray[Any]], length: int) -> None:  # noqa: ARG002
        check_scale(weights)
        check_bound("bank", weights["bank"])


def _nearest(rows: NDArray[np.float64], bank: NDArray[np.float32], wide: int) -> NDArray[np.int64]:
    """Index in the bank, `wide` vectors of it at a time, of what is nearest to each row."""
    best, found = np.full(len(rows), np.inf), np.zeros(len(rows), np.int64)
    for at in range(0, len(bank), wide):
        vectors = bank[at : at + wide].astype(np.float64)
        apart = rows @ vectors.T
        apart *= -2.0
        apart += np.einsum("ij,ij->i", vectors, vectors)
        nearest = apart.argmin(axis=1)
        values = apart[np.arange(len(rows)), nearest]
        better = values < best
        best[better], found[better] = values[better], nearest[better] + at
    return found
