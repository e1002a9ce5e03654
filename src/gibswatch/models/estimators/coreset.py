"""Few vectors that stand for many: greedy k-centre, and the same for a stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PROJECTED", "CoresetStream", "k_centre"]

PROJECTED = 128
"""Longer vectors are compared by projections of that many dimensions."""

Vectors = NDArray[np.float32]


def k_centre(vectors: Vectors, count: int, chance: np.random.Generator) -> NDArray[np.int64]:
    """Choose vectors such that every other one is near to a chosen one.

    After Gonzalez (1985): begin anywhere, then always add the vector farthest from all chosen
    ones.  The longest way to a chosen one is then at most twice the shortest possible.

    Parameters
    ----------
    vectors : (n, d) ndarray of float32
        About as far from 0 as from each other: distances come from products, and lose digits where
        vectors are much longer than apart.
    count : int
    chance : Generator
        Draws the first.

    Returns
    -------
    (k,) ndarray of int64
        In the order of choice; k is `count`, or fewer where each vector equals a chosen one.
    """
    if count >= len(vectors):
        return np.arange(len(vectors), dtype=np.int64)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    nearest = np.full(len(vectors), np.inf, np.float32)
    apart = np.empty(len(vectors), np.float32)
    chosen = np.empty(count, np.int64)
    at = int(chance.integers(len(vectors)))
    for number in range(count):
        chosen[number] = at
        np.dot(vectors, vectors[at], out=apart)
        apart *= np.float32(-2)
        apart += squares
        apart += squares[at]
        np.minimum(nearest, apart, out=nearest)
        nearest[at] = -np.inf  # rounding never makes it be chosen again
        at = int(nearest.argmax())
        if nearest[at] <= 0:
            return chosen[: number + 1].copy()
    return chosen


class CoresetStream:
    """A coreset of any number of vectors in bounded memory: merged into a buffer, and reduced.

    Whenever the buffer is full, `k_centre` takes its place.  Each time adds its own longest way to
    the one of the whole, so a buffer as large as memory allows is best.

    Parameters
    ----------
    room : int
        Vectors in the buffer, more than `size`.
    size : int
        Vectors at the end, at most.
    length : int
        Numbers of a vector (d).
    chance : Generator

    Notes
    -----
    Vectors of more than 128 numbers are compared by a Gaussian random projection to 128, as
    PatchCore does (Sinha et al. 2020; Johnson and Lindenstrauss 1984); what is kept is the vectors
    themselves.
    """

    def __init__(self, room: int, size: int, length: int, chance: np.random.Generator) -> None:
        self._size, self._chance, self._filled = size, chance, 0
        self._vectors: Vectors = np.empty((room, length), np.float32)
        self._tags = np.empty(room, np.int64)
        self._directions: Vectors | None = None
        if length > PROJECTED:
            drawn = chance.standard_normal((length, PROJECTED), dtype=np.float32)
            self._directions = drawn / np.float32(np.sqrt(PROJECTED))

    @staticmethod
    def bytes_per_vector(length: int) -> int:
        """What one vector in the buffer takes: itself, its tag, three numbers, a projection."""
        return 4 * length + 8 + 12 + (4 * PROJECTED if length > PROJECTED else 0)

    @staticmethod
    def bytes_fixed(length: int) -> int:
        """What the directions of the projection take, with a copy while they are drawn."""
        return 8 * length * PROJECTED if length > PROJECTED else 0

    def add(self, vectors: NDArray[Any], tag: int) -> None:
        """Add (n, d) vectors, any number of them, with one number that stays beside each."""
        while len(vectors):
            if self._filled == len(self._vectors):
                self._reduce()
            free = slice(self._filled, self._filled + len(vectors))
            part = self._vectors[free]
            part[:] = vectors[: len(part)]
            self._tags[free] = tag
            self._filled += len(part)
            vectors = vectors[len(part) :]

    def finish(self) -> tuple[Vectors, NDArray[np.int64]]:
        """Give the (k, d) coreset and the (k,) tags of its vectors; k is `size` at most."""
        self._reduce()
        return self._vectors[: self._filled].copy(), self._tags[: self._filled].copy()

    def _reduce(self) -> None:
        held = self._vectors[: self._filled]
        compared = held if self._directions is None else held @ self._directions
        chosen = k_centre(compared, self._size, self._chance)
        self._filled = len(chosen)
        self._vectors[: self._filled] = held[chosen]
        self._tags[: self._filled] = self._tags[chosen]
