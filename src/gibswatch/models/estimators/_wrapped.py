"""What the classifiers share: an estimator of scikit-learn behind a scaler, and the score."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = [
    "KEPT_TYPES",
    "ProbabilityClassifier",
    "ProbabilityScore",
    "WrappedClassifier",
    "scale_rows",
]

KEPT_TYPES: list[type] = [np.float64, np.float32]
"""Numbers that are taken as they are; all others become the first."""
_FARTHEST = 10.0


def scale_rows(scaler: Any, rows: NDArray[Any]) -> NDArray[Any]:
    """Bring features to one scale, none farther than 10 standard deviations from its mean.

    A gradient that hardly varied on the training days, as over a pole, can be 100 deviations away
    on a normal day, and would alone decide the score of a linear model.
    """
    scaled: NDArray[Any] = scaler.transform(rows)
    return np.clip(scaled, -_FARTHEST, _FARTHEST, out=scaled)


class ProbabilityScore:
    """The score of whatever gives each class a probability, or what stands for one."""

    def predict_proba(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Give each class a number in 0-1, as (m, k) ndarray whose rows add up to 1."""
        raise NotImplementedError

    def anomaly_score(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score rows by the probability of all classes but the normal one.

        Returns
        -------
        (m,) ndarray of float64
            0-1; higher is more anomalous.
        """
        shares = np.asarray(self.predict_proba(X), dtype=np.float64)
        # Their sum, not 1 less the normal one's: small scores keep their order.
        return np.asarray(np.minimum(shares[:, 1:].sum(axis=1), 1.0))


class WrappedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of scikit-learn, its features brought to one scale first (`scale_rows`).

    The lowest class (`classes_[0]`) is the normal one.

    Attributes
    ----------
    classes_ : (k,) ndarray
    converged_ : bool
        Whether the solver reached its tolerance.
    model_ : estimator
        What scikit-learn fitted.
    n_features_in_ : int
    scaler_ : StandardScaler or None
    """

    scales: ClassVar[bool] = True
    """Whether features are brought to one scale; trees need none."""

    def _make(self, count: int) -> Any:
        """Make the unfitted estimator for `count` samples."""
        raise NotImplementedError

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit to features and classes.

        Parameters
        ----------
        X : (m, n) array_like of float32 or float64
        y : (m,) array_like
            Classes, two at least.

        Raises
        ------
        ValueError
            If shapes differ, a value is not finite, there is one class alone, or a parameter is
            out of its range.
        """
        rows, classes = validate_data(self, X, y, dtype=KEPT_TYPES)
        check_classification_targets(classes)
        self.scaler_: Any = StandardScaler().fit(rows) if self.scales else None
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", ConvergenceWarning)
            self.model_ = self._make(len(rows)).fit(self._scaled(rows), classes)
        self.converged_ = not any(issubclass(w.category, ConvergenceWarning) for w in said)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of each row, as (m,) ndarray."""
        checked = self._checked(X)
        predicted: NDArray[Any] = self.model_.predict(checked)
        return predicted

    def _checked(self, X: ArrayLike) -> NDArray[Any]:
        check_is_fitted(self)
        return self._scaled(validate_data(self, X, reset=False, dtype=KEPT_TYPES))

    def _scaled(self, X: NDArray[Any]) -> NDArray[Any]:
        if self.scaler_ is None:
            return X
        return scale_rows(self.scaler_, X)


class ProbabilityClassifier(ProbabilityScore, WrappedClassifier):
    """A classifier that has a probability, or what stands for one, for each class."""

    def predict_proba(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Give each class a number in 0-1, as (m, k) ndarray whose rows add up to 1."""
        checked = self._checked(X)
        shares: NDArray[np.floating[Any]] = self.model_.predict_proba(checked)
        return shares
