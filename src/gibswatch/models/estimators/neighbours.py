"""The k nearest neighbours."""

from __future__ import annotations

from typing import Any

from sklearn.neighbors import KNeighborsClassifier

from gibswatch.models.estimators._wrapped import ProbabilityClassifier

__all__ = ["NearestNeighbours"]


class NearestNeighbours(ProbabilityClassifier):
    """Vote of the k nearest training samples, each by the inverse of its distance.

    Keeps the training features: a model is as large as they are.

    Parameters
    ----------
    n_neighbors : int, default 9
        Of fewer samples all vote.
    """

    def __init__(self, n_neighbors: int = 9) -> None:
        self.n_neighbors = n_neighbors

    def _make(self, count: int) -> Any:
        # No tree: in hundreds of dimensions none is faster, and none has to be checked when loaded.
        return KNeighborsClassifier(
            min(self.n_neighbors, count), weights="distance", algorithm="brute"
        )
