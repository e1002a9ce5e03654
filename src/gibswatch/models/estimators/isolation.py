"""Isolation forest: learns what normal days look like, and needs no faulty ones."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest as SklearnForest
from sklearn.utils.validation import check_is_fitted, validate_data

from gibswatch.models.estimators._wrapped import KEPT_TYPES

__all__ = ["IsolationForest"]


class IsolationForest(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Isolation forest; fit it on normal samples alone.

    Parameters
    ----------
    n_estimators : int, default 200
    max_samples : int, default 256
        Samples that a tree sees; fewer where there are fewer.
    random_state : int
    """

    def __init__(
        self, n_estimators: int = 200, *, max_samples: int = 256, random_state: Any = 0
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Fit to normal samples.

        Parameters
        ----------
        X : (m, n) array_like of float32 or float64
        y : ignored
        """
        rows = validate_data(self, X, dtype=KEPT_TYPES)
        self.model_ = self._make(len(rows)).fit(rows)
        self.offset_ = self.model_.offset_
        return self

    def _make(self, count: int) -> Any:
        """Make the unfitted estimator for `count` samples."""
        return SklearnForest(
            n_estimators=self.n_estimators,
            max_samples=min(self.max_samples, count),
            random_state=self.random_state,
        )

    def score_samples(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Give scikit-learn's score, in -1 to 0: *lower* is more anomalous; (m,) ndarray."""
        check_is_fitted(self)
        values: NDArray[np.floating[Any]] = self.model_.score_samples(
            validate_data(self, X, reset=False, dtype=KEPT_TYPES)
        )
        return values

    def decision_function(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Give scikit-learn's decision: negative for outliers; (m,) ndarray."""
        return np.asarray(self.score_samples(X) - self.offset_)

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:
        """Predict 1 for inliers and -1 for outliers, as (m,) ndarray."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def anomaly_score(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score rows by how few cuts set them apart.

        Returns
        -------
        (m,) ndarray of float64
            0-1; higher is more anomalous.
        """
        return -np.asarray(self.score_samples(X), dtype=np.float64)
