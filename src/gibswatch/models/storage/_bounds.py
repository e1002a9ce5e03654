"""What a loaded estimator must be before it predicts anything.

`gibswatch.models.storage._schema` has let through only known types; here their attributes are
checked: all parameters are those of our own making, arrays have the shapes that go together and
finite numbers, and no attribute stands in the place of a method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["check_estimator"]

_MAX_TREES = 10_000


def check_estimator(estimator: Any, expected: Any, classes: Sequence[int], n_features: int) -> None:
    """Check a loaded estimator.

    Parameters
    ----------
    estimator : estimator
        What was loaded.
    expected : estimator
        Unfitted, made from the card.
    classes : sequence of int
    n_features : int

    Raises
    ------
    ValueError
        If it is not what training with these parameters makes.
    """
    if type(estimator) is not type(expected):
        raise ValueError(f"it is a {type(estimator).__name__}, not a {type(expected).__name__}")
    _check_parameters(estimator, expected)
    _need(estimator.n_features_in_ == n_features, "features")
    if not hasattr(expected, "score_samples"):
        _need(_ints(estimator.classes_) == list(classes), "classes")
    if getattr(expected, "scales", hasattr(expected, "reg")):
        _check_scaler(estimator.scaler_, n_features)
    elif not hasattr(expected, "score_samples"):
        _need(estimator.scaler_ is None, "scaler")
    if hasattr(estimator, "model_"):
        _check_model(estimator, n_features, len(classes))
    else:
        _check_network(estimator, n_features, len(classes))


def _need(right: object, what: str) -> None:
    if not right:
        raise ValueError(f"its {what} do not fit to its card")


def _check_parameters(found: Any, expected: Any) -> None:
    """Check that an object has its parameters, and no attribute in the place of a method."""
    _need(found.get_params(deep=False) == expected.get_params(deep=False), "parameters")
    _check_names(found)


def _check_names(found: Any) -> None:
    hidden = [name for name in vars(found) if hasattr(type(found), name)]
    _need(not hidden, "methods")


def _array(value: Any, shape: tuple[int, ...], what: str) -> NDArray[Any]:
    """Check an array of finite floats of a shape."""
    right = isinstance(value, np.ndarray) and value.shape == shape and value.dtype.kind == "f"
    _need(right and np.isfinite(value).all(), what)
    return np.asarray(value)


def _ints(value: Any) -> list[int]:
    _need(isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "i", "classes")
    return [int(number) for number in value]


def _check_scaler(scaler: Any, n: int) -> None:
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    _need(type(scaler) is StandardScaler, "scaler")
    _check_parameters(scaler, StandardScaler())
    _need(scaler.n_features_in_ == n, "features")
    _array(scaler.mean_, (n,), "means")
    _need((_array(scaler.scale_, (n,), "scales") > 0).all(), "scales")


def _check_model(estimator: Any, n: int, k: int) -> None:
    """Check what scikit-learn fitted."""
    model = estimator.model_
    samples = len(model._fit_X) if hasattr(model, "_fit_X") else _samples(model)  # noqa: SLF001
    expected = estimator._make(samples)
    _need(type(model) is type(expected), "types")
    _check_parameters(model, expected)
    _need(model.n_features_in_ == n, "features")
    if hasattr(estimator, "classes_"):
        _need(_ints(model.classes_) == _ints(estimator.classes_), "classes")
    _CHECKS[type(model).__name__](model, n, k)


def _samples(model: Any) -> int:
    count = getattr(model, "_n_samples", 1)
    _need(isinstance(count, int) and count > 0, "samples")
    return int(count)


def _check_linear(model: Any, n: int, k: int) -> None:
    rows = 1 if k == 2 else k
    _array(model.coef_, (rows, n), "weights")
    _array(np.atleast_1d(model.intercept_), (rows,), "weights")


def _check_neighbours(model: Any, n: int, k: int) -> None:
    rows = len(model._fit_X)  # noqa: SLF001
    _array(model._fit_X, (rows, n), "samples")  # noqa: SLF001
    votes = _ints(model._y)  # noqa: SLF001
    _need(len(votes) == rows == model.n_samples_fit_, "samples")
    _need(min(votes) >= 0 and max(votes) < k, "classes")
    _need(model._fit_method == "brute" and model._tree is None, "trees")  # noqa: SLF001
    _need(model.effective_metric_ == "euclidean" and model.effective_metric_params_ == {}, "metric")
    _need(model.outputs_2d_ is False, "classes")


def _check_trees(model: Any, kind: str, classes: int, n: int) -> None:
    trees = model.estimators_
    _need(isinstance(trees, list) and 0 < len(trees) == model.n_estimators <= _MAX_TREES, "trees")
    for tree in trees:
        _need(type(tree).__name__ == kind and tree.n_outputs_ == 1, "trees")
        _check_names(tree)
        inner = tree.tree_
        fits = type(inner).__name__ == "Tree" and inner.n_features == n == tree.n_features_in_
        _need(fits and inner.max_n_classes == classes and inner.n_outputs == 1, "trees")


def _check_forest(model: Any, n: int, k: int) -> None:
    _need(model.n_outputs_ == 1 and model.n_classes_ == k, "classes")
    _check_trees(model, "DecisionTreeClassifier", k, n)
    for tree in model.estimators_:
        _need(tree.n_classes_ == k and len(tree.classes_) == k, "classes")


def _check_isolation(model: Any, n: int, k: int) -> None:  # noqa: ARG001
    _check_trees(model, "ExtraTreeRegressor", 1, n)
    _need(isinstance(model.offset_, float) and np.isfinite(model.offset_), "offset")
    _need(model._max_features == n and 0 < model._max_samples <= 2**31, "samples")  # noqa: SLF001
    names = ("estimators_features_", "_average_path_length_per_tree", "_decision_path_lengths")
    columns, means, lengths = (getattr(model, name) for name in names)
    _need(len(columns) == len(means) == len(lengths) == len(model.estimators_), "trees")
    for tree, column, mean, length in zip(model.estimators_, columns, means, lengths, strict=True):
        nodes = tree.tree_.node_count
        _need(np.array_equal(column, np.arange(n)), "features")
        _array(mean, (nodes,), "paths")
        _need(len(_ints(length)) == nodes, "paths")


_CHECKS: Mapping[str, Callable[[Any, int, int], None]] = {
    "LinearSVC": _check_linear,
    "LogisticRegression": _check_linear,
    "RandomForestClassifier": _check_forest,
    "KNeighborsClassifier": _check_neighbours,
    "IsolationForest": _check_isolation,
}


def _check_network(network: Any, n: int, k: int) -> None:
    hidden = network.hidden
    shapes = {
        "weights1_": (n, hidden),
        "bias1_": (hidden,),
        "weights2_": (hidden, k),
        "bias2_": (k,),
    }
    for name, shape in shapes.items():
        _array(getattr(network, name), shape, "weights")
