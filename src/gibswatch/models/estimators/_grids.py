"""What the estimators of grids of patches share: days in, scores of patches out, weights to keep.

A row of `X` is a day: a grid of P patches with d numbers each, flattened patch by patch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from gibswatch.models.estimators._days import FARTHEST, Days, days_at_once

__all__ = [
    "Form", "GridDetector", "LeftOut", "Scores", "Weights", "check_bound", "check_least",
    "check_scale",
]  # fmt: skip

Scores = NDArray[np.float64]
Weights = dict[str, NDArray[Any]]
Form = dict[str, tuple[type, tuple[int, ...]]]
"""Type and shape of each array by name."""
LeftOut = Callable[[int, NDArray[Any]], Scores]


class GridDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Learns normal days, reading a few at a time; scores each patch of a day.

    A subclass has the parameters `patch_length`, `memory_mb`, `top`, `outlier_share` and
    `random_state`, the names of what it keeps in `kept`, and the four methods that raise here.
    """

    kept: ClassVar[tuple[str, ...]]
    """Names of the fitted arrays, less the underscore at their end."""

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002
        """Learn what normal days look like.

        Parameters
        ----------
        X : (m, P * d) array_like of real numbers
            Normal days, two at least; read a few rows at a time, three times over.
        y : ignored

        Raises
        ------
        ValueError
            If `X` is no matrix of finite numbers, has too few rows or no whole number of patches,
            a parameter is out of its range, or `memory_mb` is too little.
        """
        days = Days(self, X, reset=True)
        if days.count < 2:
            raise ValueError(
                f"{type(self).__name__} needs 2 days at least, X has n_samples = {days.count}"
            )
        self._shape(days.width)
        with _one_thread():
            left_out = self._learn(days)
            highest = [self._highest(left_out(*day)) for day in enumerate(self._grids(days))]
        self.offset_ = float(np.quantile(-np.array(highest), self.outlier_share))
        return self

    def anomaly_map(self, X: ArrayLike) -> Scores:
        """Score every patch.

        Returns
        -------
        (m, P) ndarray of float64
            0 and more; higher is more anomalous.  A day's scores do not depend on the other rows.
        """
        grids = self._grids(self._given(X))
        with _one_thread():
            return np.array([self._scores(grid) for grid in grids])

    def anomaly_score(self, X: ArrayLike) -> Scores:
        """Score days by the mean of their `top` highest patches.

        Returns
        -------
        (m,) ndarray of float64
            0 and more; higher is more anomalous.
        """
        grids = self._grids(self._given(X))
        with _one_thread():
            return np.array([self._highest(self._scores(grid)) for grid in grids])

    def score_samples(self, X: ArrayLike) -> Scores:
        """Give the score as scikit-learn has it: *lower* is more anomalous; (m,) ndarray."""
        return -self.anomaly_score(X)

    def decision_function(self, X: ArrayLike) -> Scores:
        """Give the score less `offset_`: negative for outliers; (m,) ndarray."""
        return np.asarray(self.score_samples(X) - self.offset_)

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:
        """Predict 1 for inliers and -1 for outliers, as (m,) ndarray."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def weights(self) -> Weights:
        """Copies of all that scoring needs, by name: plain arrays; `adopt` takes them back."""
        check_is_fitted(self)
        kept: Weights = {name: getattr(self, f"{name}_").copy() for name in self.kept}
        return kept | {"offset": np.array(self.offset_, np.float64)}

    def adopt(self, weights: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """Take over what `weights` of an estimator with equal parameters gave, instead of `fit`.

        Parameters
        ----------
        weights : mapping of str to ndarray
            May come from anyone's file: nothing of it is believed.
        n_features : int
            Numbers of a day.

        Raises
        ------
        ValueError
            If a name, type, shape or number does not fit; nothing is taken over then.
        """
        check_least("n_features", n_features, 1)
        patches, length = self._shape(n_features)
        days_at_once(n_features, self.memory_mb)
        wanted = {*self.kept, "offset"}
        if set(weights) != wanted:
            odd = sorted(repr(name)[:50] for name in set(weights) ^ wanted)
            raise ValueError(f"the weights lack or have too much: {', '.join(odd[:9])}")
        for name, (dtype, shape) in self._form(patches, length, weights).items():
            _check_array(name, weights[name], dtype, shape)
        _check_array("offset", weights["offset"], np.float64, ())
        self._check_numbers(weights, length)
        for name in self.kept:
            # Products of matrices in another order of memory may differ in their last bit.
            setattr(self, f"{name}_", np.array(weights[name], order="C"))
        self.offset_ = float(weights["offset"])
        self.n_features_in_ = n_features
        return self

    def _learn(self, days: Days) -> LeftOut:
        """Fit; return what scores a day of the training as if it had not been there."""
        raise NotImplementedError

    def _scores(self, grid: NDArray[Any]) -> Scores:
        """Score the (P, d) patches of one day: (P,)."""
        raise NotImplementedError

    def _form(self, patches: int, length: int, weights: Mapping[str, Any]) -> Form:
        """What arrays `adopt` must be given; the ndim of those in `weights` is unknown yet."""
        raise NotImplementedError

    def _check_numbers(self, weights: Mapping[str, NDArray[Any]], length: int) -> None:
        """Refuse numbers that no fit gives; types and shapes are right already."""
        raise NotImplementedError

    @property
    def _bytes(self) -> int:
        return int(self.memory_mb) * 2**20

    def _shape(self, width: int) -> tuple[int, int]:
        """Patches of a day and numbers of a patch; refuse parameters out of range."""
        for name, least in (("patch_length", 0), ("memory_mb", 1), ("top", 1)):
            check_least(name, getattr(self, name), least)
        if not 0.0 <= self.outlier_share < 1.0:
            raise ValueError(f"outlier_share={self.outlier_share} is not from 0 to below 1")
        length = int(self.patch_length) or width
        if width % length:
            raise ValueError(f"a day of {width} numbers has no whole patches of {length}")
        return width // length, length

    def _given(self, X: ArrayLike) -> Days:
        check_is_fitted(self)
        return Days(self, X, reset=False)

    def _grids(self, days: Days) -> Any:
        return days.grids(self._shape(days.width)[1], days_at_once(days.width, self.memory_mb))

    def _chance(self) -> np.random.Generator:
        seed = check_random_state(self.random_state).randint(2**31)
        return np.random.default_rng(seed)

    def _highest(self, scores: Scores) -> float:
        top = min(self.top, len(scores))
        return float(np.partition(scores, len(scores) - top)[-top:].mean())


@lru_cache(maxsize=1)
def _blas() -> Any:
    return ThreadpoolController()  # looks through all loaded libraries, which takes 5 ms


def _one_thread() -> Any:
    """Hold products of matrices to one thread while it is entered.

    There are thousands of small ones: where the cores are shared, a second thread waits 5 to 50
    times longer than it works; and the number of threads could change the last bit of a score.
    """
    return _blas().limit(limits=1, user_api="blas")


def check_least(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number, or is below `least`."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(
            f"{name}={repr(value)[:50]} is out of range: give a whole number from {least}"
        )


def check_scale(weights: Mapping[str, NDArray[Any]]) -> None:
    """Refuse a scale that cannot be divided by."""
    if not (weights["scale"] > 0).all():
        raise ValueError("the weights' scale is not above 0 everywhere")


def check_bound(name: str, array: NDArray[Any], bound: float = FARTHEST) -> None:
    """Refuse numbers beyond what standardised patches can give."""
    if max(float(array.max()), -float(array.min())) > bound * (1 + 1e-6):
        raise ValueError(f"the weights' {name} has numbers beyond {bound:g}")


def _check_array(name: str, array: Any, dtype: type, shape: tuple[int, ...]) -> None:
    if type(array) is not np.ndarray:
        raise ValueError(f"the weights' {name} is a {type(array).__name__} and no array")
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(
            f"the weights' {name} is {array.dtype} of {array.shape}, "
            f"and these parameters need {np.dtype(dtype)} of {shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"the weights' {name} has numbers that are not finite")
