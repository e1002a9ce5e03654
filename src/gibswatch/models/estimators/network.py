"""Two-layer fully connected network with softmax, trained by Adam in small batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from gibswatch.models.estimators._layers import ADAM_STATE, LAYERS, adam_step, forward, gradients
from gibswatch.models.estimators._wrapped import KEPT_TYPES, ProbabilityScore, scale_rows

__all__ = ["Network"]

_ROWS_AT_ONCE = 512
State = dict[str, NDArray[Any]]


class Network(ProbabilityScore, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """``softmax(relu(x W1 + b1) W2 + b2)``, features brought to one scale first (`scale_rows`).

    The loss is the mean cross entropy, weighted by class, and ``.5 reg |W|^2`` of both layers.
    Rows are read a batch at a time, so a memory-mapped matrix need not fit into memory.

    Parameters
    ----------
    hidden : int, default 100
    learning_rate : float, default 0.001
    batch_size : int, default 32
    num_epochs : int, default 30
    reg : float, default 0.001
        L2 penalty of the weights.
    class_weight : "balanced", dict or None
    random_state : int

    Attributes
    ----------
    classes_ : (k,) ndarray
        The first is the normal one.
    epoch_ : int
        Epochs done.
    loss_ : float
        Mean loss of the last epoch.

    Notes
    -----
    The order of batches is drawn anew from the seed and the epoch's number: a network that goes on
    from a checkpoint becomes, bit by bit, the one that was never stopped.  The probabilities are
    confidences and not calibrated, as those of `Softmax`.
    """

    def __init__(
        self,
        hidden: int = 100,
        *,
        learning_rate: float = 1e-3,
        batch_size: int = 32,
        num_epochs: int = 30,
        reg: float = 1e-3,
        class_weight: Any = "balanced",
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.num_epochs = num_epochs
        self.reg = reg
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train from the start for `num_epochs` epochs.

        Parameters
        ----------
        X : (m, n) array_like of float32 or float64
        y : (m,) array_like
            Classes, two at least.

        Raises
        ------
        ValueError
            If shapes differ, a value is not finite, or there is one class alone.
        """
        return self.fit_from(X, y, None)

    def fit_from(
        self,
        X: ArrayLike,
        y: ArrayLike,
        state: Mapping[str, NDArray[Any]] | None,
        on_epoch: Callable[[Network], None] | None = None,
        is_over: Callable[[], bool] | None = None,
    ) -> Self:
        """Train up to `num_epochs` epochs, from the start or from a checkpoint.

        Parameters
        ----------
        X, y : as for `fit`
            The same as before the checkpoint.
        state : mapping of str to ndarray, optional
            What `state` gave; None starts anew.
        on_epoch : callable, optional
            Called with the network after every epoch.
        is_over : callable, optional
            Asked before every epoch whether there have been enough.

        Raises
        ------
        ValueError
            As `fit`, or if the checkpoint does not fit to the data.
        """
        rows, classes = validate_data(self, X, y, dtype=KEPT_TYPES)
        check_classification_targets(classes)
        codes, weights = self._start(rows, classes)
        if state is not None:
            self.restore(state)
        while self.epoch_ < self.num_epochs and not (is_over is not None and is_over()):
            self._run_epoch(rows, codes, weights)
            if on_epoch is not None:
                on_epoch(self)
        return self

    def state(self) -> State:
        """Everything that training changes, by name; arrays of float64."""
        arrays = {name: getattr(self, name).copy() for name in (*LAYERS, *ADAM_STATE)}
        numbers = {"epoch": self.epoch_, "step": self.step_, "loss": self.loss_}
        return arrays | {name: np.array(value, np.float64) for name, value in numbers.items()}

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Confidences, (m, k) ndarray of float64 whose rows add up to 1; not calibrated."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=KEPT_TYPES)
        parts = [
            forward(self._layers(), scale_rows(self.scaler_, rows[at : at + _ROWS_AT_ONCE]))[1]
            for at in range(0, len(rows), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of each row, as (m,) ndarray."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _layers(self) -> State:
        return {name: getattr(self, name) for name in LAYERS}

    def _start(self, X: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any]]:
        """Draw the first weights; return class numbers and the weight of each class."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Network needs samples of at least 2 classes, the data has one class")
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        self.scaler_ = StandardScaler()
        for at in range(0, len(X), _ROWS_AT_ONCE):
            self.scaler_.partial_fit(np.asarray(X[at : at + _ROWS_AT_ONCE], dtype=np.float64))
        self.seed_ = int(check_random_state(self.random_state).randint(2**31))
        chance = np.random.default_rng([self.seed_, 0])
        sizes = (X.shape[1], self.hidden, len(self.classes_))
        for number, (rows, cols) in enumerate(pairwise(sizes), start=1):
            drawn = chance.standard_normal((rows, cols)) * np.sqrt(2.0 / rows)
            setattr(self, f"weights{number}_", drawn)
            setattr(self, f"bias{number}_", np.zeros(cols))
        for name, layer in zip(ADAM_STATE, (*LAYERS, *LAYERS), strict=True):
            setattr(self, name, np.zeros_like(getattr(self, layer)))
        self.epoch_, self.step_, self.loss_ = 0, 0, float("inf")
        return codes, weights

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave, of a network of the same sizes.

        Raises
        ------
        ValueError
            If it is of another network.
        """
        for name in (*LAYERS, *ADAM_STATE):
            kept, own = state.get(name), getattr(self, name)
            if kept is None or kept.shape != own.shape or not np.isfinite(kept).all():
                raise ValueError(f"the checkpoint's {name} does not fit to this network and data")
            setattr(self, name, np.array(kept, dtype=np.float64))
        self.epoch_, self.step_ = int(state["epoch"]), int(state["step"])
        self.loss_ = float(state["loss"])

    def _run_epoch(
        self, X: NDArray[Any], codes: NDArray[np.intp], weights: NDArray[np.float64]
    ) -> None:
        order = np.random.default_rng([self.seed_, self.epoch_ + 1]).permutation(len(X))
        total = 0.0
        for at in range(0, len(X), self.batch_size):
            rows = np.sort(order[at : at + self.batch_size])
            batch = scale_rows(self.scaler_, np.asarray(X[rows], dtype=np.float64))
            loss, slopes = gradients(
                self._layers(), batch, codes[rows], weights[codes[rows]], self.reg
            )
            self.step_ += 1
            moments = {name: getattr(self, name) for name in ADAM_STATE}
            adam_step(self._layers(), slopes, moments, self.step_, self.learning_rate)
            total += loss * len(rows)
        self.epoch_ += 1
        self.loss_ = total / len(X)
