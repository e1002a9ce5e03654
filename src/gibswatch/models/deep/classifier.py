"""Networks of PyTorch with scikit-learn's contract: trained in epochs, stopped and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from torch import nn

from gibswatch.models.deep.device import choose_device, mixed_precision, repeatable
from gibswatch.models.estimators._wrapped import ProbabilityScore

__all__ = ["OnEpoch", "TorchClassifier"]

_ROWS_AT_ONCE = 64
_NUMBERS_AT_ONCE = 2**22
"""Of rows that are scored together: a large picture is scored alone."""
_OWN = ("epoch", "loss")
_NETWORK, _MOMENTS = "network.", "adam."
State = dict[str, NDArray[Any]]
OnEpoch = Callable[[Any], None]


class TorchClassifier(ProbabilityScore, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network that tells classes; ``classes_[0]`` is the normal one.

    A subclass says what the network is, how rows become its input, and how they are varied.

    Attributes
    ----------
    classes_ : (k,) ndarray
    network_ : torch.nn.Module
    epoch_ : int
        Epochs done.
    loss_ : float
        Mean loss of the last epoch.
    n_features_in_ : int
    """

    learning_rate: float
    batch_size: int
    num_epochs: int
    weight_decay: float
    random_state: Any
    device: str

    def _make_network(self, features: int, classes: int) -> nn.Module:
        """Make the network with its first weights, drawn from torch's own chance."""
        raise NotImplementedError

    def _input(self, rows: NDArray[Any]) -> torch.Tensor:
        """Rows as what the network takes, on the CPU."""
        raise NotImplementedError

    def _vary(self, batch: torch.Tensor, chance: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Rows as they may look on another day; by default as they are."""
        return batch

    def _learn_scale(self, rows: NDArray[Any]) -> None:
        """Learn what brings rows to one scale; by default nothing."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train from the start for `num_epochs` epochs.

        Parameters
        ----------
        X : (m, n) array_like
        y : (m,) array_like
            Classes, two at least.

        Raises
        ------
        ValueError
            If shapes differ or do not fit to the network, or there is one class alone.
        """
        return self.fit_from(X, y, None)

    def fit_from(
        self,
        X: ArrayLike,
        y: ArrayLike,
        state: Mapping[str, NDArray[Any]] | None,
        on_epoch: OnEpoch | None = None,
        is_over: Callable[[], bool] | None = None,
    ) -> Self:
        """Train up to `num_epochs` epochs, from the start or from a checkpoint.

        Parameters
        ----------
        X, y : as for `fit`
            The same as before the checkpoint; a memory-mapped matrix is read batch by batch.
        state : mapping of str to ndarray, optional
            What `state` gave; None starts anew.
        on_epoch : callable, optional
            Called with the estimator after every epoch.
        is_over : callable, optional
            Asked before every epoch whether there have been enough.

        Raises
        ------
        ValueError
            As `fit`, or if the checkpoint does not fit to the network.
        """
        rows, labels = np.asanyarray(X), np.asarray(y)
        codes, weights = self._start(rows, labels)
        optimizer = torch.optim.AdamW(
            self.network_.parameters(), self.learning_rate, weight_decay=self.weight_decay
        )
        if state is not None:
            self._restore(state, optimizer)
        self._optimizer = optimizer
        while self.epoch_ < self.num_epochs and not (is_over is not None and is_over()):
            self._run_epoch(rows, codes, weights, optimizer)
            if on_epoch is not None:
                on_epoch(self)
        del self._optimizer
        self.network_.eval()
        return self

    def state(self) -> State:
        """Everything that training changes, by name; only while it is trained."""
        found = self.weights()
        for number, values in self._optimizer.state_dict()["state"].items():
            found |= {f"{_MOMENTS}{number}.{name}": _array(value) for name, value in values.items()}
        own = {"epoch": self.epoch_, "loss": self.loss_}
        return found | {name: np.array(value, np.float64) for name, value in own.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over the network of a checkpoint.

        Raises
        ------
        ValueError
            If it is of another network.
        """
        if any(np.shape(state.get(name, ())) != () or name not in state for name in _OWN):
            raise ValueError("the checkpoint does not say how far it came")
        _check_arrays(state, self.network_, exact=False)
        self.epoch_, self.loss_ = int(state["epoch"]), float(state["loss"])
        self._take(state)

    def weights(self) -> State:
        """Everything that prediction needs, by name."""
        check_is_fitted(self)
        state = self.network_.state_dict()
        return {_NETWORK + name: _array(value) for name, value in state.items()}

    def adopt(
        self, weights: Mapping[str, NDArray[Any]], n_features: int, classes: tuple[int, ...]
    ) -> Self:
        """Become what `weights` came from; the mapping may be anyone's.

        Raises
        ------
        ValueError
            If names, shapes, types or values are not those of this network.
        """
        # Shapes cost nothing on this device; a stranger's card may ask for a thousand gigabytes.
        with torch.device("meta"):
            asked = self._make_network(n_features, len(classes))
        _check_arrays(weights, asked, exact=True)
        self.classes_, self.n_features_in_ = np.array(classes), n_features
        with repeatable(0):
            self._place(n_features, len(classes))
        self.epoch_, self.loss_ = 0, float("nan")
        self._take(weights)
        self.network_.eval()
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Confidences, (m, k) ndarray of float64 whose rows add up to 1; not calibrated."""
        check_is_fitted(self)
        rows = self._checked(np.asanyarray(X))
        self.network_.eval()
        parts = []
        with torch.inference_mode(), mixed_precision(self.device_):
            count = max(1, min(_ROWS_AT_ONCE, _NUMBERS_AT_ONCE // rows.shape[1]))
            for at in range(0, len(rows), count):
                batch = self._input(rows[at : at + count]).to(self.device_)
                parts.append(self._log_confidences(batch).double().exp().cpu().numpy())
        found = np.concatenate(parts)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of each row, as (m,) ndarray."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _log_confidences(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(self.network_(batch).float(), dim=1)

    def _start(self, X: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.intp], torch.Tensor]:
        """Draw the first weights; return class numbers and the weight of each class."""
        if X.ndim != 2 or len(X) != len(y):
            raise ValueError(f"{len(y)} classes do not fit to rows of shape {X.shape}")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes, the data has one class"
            )
        weights = compute_class_weight("balanced", classes=self.classes_, y=y)
        self.n_features_in_ = X.shape[1]
        self.seed_ = int(check_random_state(self.random_state).randint(2**31))
        with repeatable(self.seed_, 0):
            self._place(X.shape[1], len(self.classes_))
        self._learn_scale(X)
        self.epoch_, self.loss_ = 0, float("inf")
        return codes, torch.tensor(weights, dtype=torch.float32, device=self.device_)

    def _place(self, features: int, classes: int) -> None:
        self.device_ = choose_device(self.device)
        self.network_ = self._make_network(features, classes).to(self.device_)

    def _run_epoch(
        self, X: NDArray[Any], codes: NDArray[np.intp], weights: torch.Tensor, optimizer: Any
    ) -> None:
        order = np.random.default_rng([self.seed_, self.epoch_ + 1]).permutation(len(X))
        total = 0.0
        self.network_.train()
        with repeatable(self.seed_, self.epoch_ + 1) as chance:
            for at in _batches(len(X), self.batch_size):
                rows = np.sort(order[at])
                batch = self._vary(self._input(X[rows]), chance).to(self.device_)
                aim = torch.from_numpy(codes[rows]).to(self.device_)
                optimizer.zero_grad(set_to_none=True)
                with mixed_precision(self.device_):
                    found = self._log_confidences(batch)
                    loss = nn.functional.nll_loss(found, aim, weight=weights)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                total += float(loss.detach()) * len(rows)
        self.epoch_ += 1
        self.loss_ = total / len(X)
        if not np.isfinite(self.loss_):
            raise ValueError("the loss is no number any more: give a smaller learning_rate")

    def _restore(self, state: Mapping[str, NDArray[Any]], optimizer: Any) -> None:
        """Take over network and optimizer of a checkpoint."""
        self.restore(state)
        given = {name: value for name, value in state.items() if name.startswith(_MOMENTS)}
        if {name: np.shape(value) for name, value in given.items()} != self._moment_shapes():
            raise ValueError("the checkpoint's moments do not fit to this network")
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in given.items():
            number, key = name.removeprefix(_MOMENTS).split(".")
            moments.setdefault(int(number), {})[key] = torch.from_numpy(np.array(value))
        document = optimizer.state_dict()
        optimizer.load_state_dict({**document, "state": moments})

    def _moment_shapes(self) -> dict[str, tuple[int, ...]]:
        """What AdamW keeps of each parameter, by the names that `state` gives."""
        return {
            f"{_MOMENTS}{number}.{name}": shape
            for number, parameter in enumerate(self.network_.parameters())
            for name, shape in {
                "step": (),
                "exp_avg": tuple(parameter.shape),
                "exp_avg_sq": tuple(parameter.shape),
            }.items()
        }

    def _take(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Put arrays that were checked into the network."""
        own = _own_arrays(weights)
        self.network_.load_state_dict({n: torch.from_numpy(np.array(v)) for n, v in own.items()})

    def _checked(self, X: NDArray[Any]) -> NDArray[Any]:
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has shape {X.shape}, {type(self).__name__} expects rows of "
                f"{self.n_features_in_} features"
            )
        return X


def _batches(count: int, size: int) -> list[slice]:
    """Split rows into batches; one row alone, of which batch norm learns nothing, joins others."""
    starts = list(range(0, count, size))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    ends = [*starts[1:], count]
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def _own_arrays(weights: Mapping[str, NDArray[Any]]) -> State:
    """Those of the network, by its own names."""
    own = {name: array for name, array in weights.items() if name.startswith(_NETWORK)}
    return {name.removeprefix(_NETWORK): np.asarray(array) for name, array in own.items()}


def _check_arrays(weights: Mapping[str, NDArray[Any]], network: nn.Module, *, exact: bool) -> None:
    """Check that arrays are those of such a network, and if `exact` that there are no others.

    Raises
    ------
    ValueError
        If they are not.
    """
    given, own = _own_arrays(weights), network.state_dict()
    if set(given) != set(own) or (exact and len(given) != len(weights)):
        raise ValueError("its arrays are not those of this network")
    for name, value in own.items():
        array = given[name]
        kind = str(value.dtype).removeprefix("torch.")
        fits = array.shape == tuple(value.shape) and array.dtype == kind
        if not (fits and np.isfinite(array).all() and _divides(name, array)):
            raise ValueError(f"its {name} does not fit to this network")


def _divides(name: str, array: NDArray[Any]) -> bool:
    """Whether what others are divided by allows it: batch norm adds a little to its variance."""
    if name.endswith("running_var"):
        return bool((array >= 0).all())
    return not name.endswith("scale") or bool((array > 0).all())


def _array(value: torch.Tensor) -> NDArray[Any]:
    return np.array(value.detach().cpu().numpy())
