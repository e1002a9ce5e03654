"""Linear classifiers: a support vector machine with hinge loss, and softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from gibswatch.models.estimators._wrapped import ProbabilityClassifier, WrappedClassifier

__all__ = ["LinearSVM", "Softmax"]


class _Iterative(WrappedClassifier):
    """A classifier whose solver counts its rounds."""

    @property
    def n_iter_(self) -> Any:
        """Rounds of the solver, at most `max_iter`."""
        return self.model_.n_iter_


class LinearSVM(_Iterative):
    """Linear support vector machine, hinge loss; several classes one against the rest.

    Minimises, on features of one scale, ``.5 |w|^2 + C sum(max(0, 1 - t (w x + b)))`` with t in
    {-1, 1}: that of scikit-learn's ``LinearSVC(loss="hinge")``, which holds b small too.

    Parameters
    ----------
    C : float, default 0.1
        Over 0; smaller holds the weights smaller.
    class_weight : "balanced", dict or None
    max_iter : int
    random_state : int
        Of the solver's order of samples.
    """

    def __init__(
        self,
        C: float = 0.1,
        *,
        class_weight: Any = "balanced",
        max_iter: int = 20_000,
        random_state: Any = 0,
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.random_state = random_state

    def _make(self, count: int) -> Any:  # noqa: ARG002
        return LinearSVC(
            loss="hinge",
            dual=True,
            C=self.C,
            class_weight=self.class_weight,
            max_iter=self.max_iter,
            random_state=self.random_state,
        )

    def decision_function(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Distance from the border in widths of the margin.

        Returns
        -------
        (m,) or (m, k) ndarray
            For two classes positive for the second; for more, the greatest is the class.
        """
        checked = self._checked(X)
        values: NDArray[np.floating[Any]] = self.model_.decision_function(checked)
        return values

    def anomaly_score(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score rows by their distance from the border; 0 lies on it.

        Returns
        -------
        (m,) ndarray of float64
            No bounds; higher is more anomalous.  With several classes, the best of those that are
            not normal, less the normal one.
        """
        values = np.asarray(self.decision_function(X), dtype=np.float64)
        if values.ndim == 1:
            return values
        return np.asarray(values[:, 1:].max(axis=1) - values[:, 0])


class Softmax(ProbabilityClassifier, _Iterative):
    """Multinomial logistic regression with an L2 penalty.

    Minimises, on features of one scale, ``.5 |w|^2 + C sum(-log p(class))``: that of scikit-learn's
    `LogisticRegression`.

    Parameters
    ----------
    C : float, default 0.1
        Over 0; smaller holds the weights smaller.
    class_weight : "balanced", dict or None
    max_iter : int

    Notes
    -----
    The predecessor's caution holds: the probabilities are confidences, good for an order of days
    and not calibrated numbers.  How far from 0 and 1 they are depends on `C` and on the class
    weights.  ``gibswatch train --calibrate`` maps them to shares seen on validation days.
    """

    def __init__(
        self,
        C: float = 0.1,
        *,
        class_weight: Any = "balanced",
        max_iter: int = 2000,
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter

    def _make(self, count: int) -> Any:  # noqa: ARG002
        return LogisticRegression(
            C=self.C, class_weight=self.class_weight, max_iter=self.max_iter, tol=1e-6
        )

    def decision_function(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Logits: (m,) for two classes, positive for the second, else (m, k)."""
        checked = self._checked(X)
        values: NDArray[np.floating[Any]] = self.model_.decision_function(checked)
        return values
