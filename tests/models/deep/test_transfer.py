"""The last layer of DenseNet-121: as good as logistic regression, and what its weights mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from gibswatch.models.deep.transfer import LastLayer

pytestmark = pytest.mark.usefixtures("one_thread")


def clouds(count: int = 90, classes: int = 2) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Clouds that overlap, of features whose scales differ by thousands of times."""
    chance = np.random.default_rng(5)
    y = np.sort(chance.integers(0, classes + 1, count)) % classes  # one class is larger
    X = chance.normal(size=(count, 4)) + 1.2 * (np.arange(4) == y[:, None])
    return (X * [1, 0.01, 100, 3] + [0, 5, -400, 1]).astype(np.float32), y


@pytest.mark.parametrize("classes", [2, 3])
def test_it_reaches_logistic_regression(classes: int) -> None:
    """One batch an epoch: then both minimise the same weighted loss."""
    X, y = clouds(classes=classes)
    ours = LastLayer(
        learning_rate=0.1, weight_decay=0.0, batch_size=len(X), num_epochs=150, device="cpu"
    ).fit(X, y)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    theirs = LogisticRegression(C=1e6, class_weight="balanced", max_iter=1000).fit(scaled, y)
    weight = len(y) / (classes * np.bincount(y))[y]
    best = log_loss(y, theirs.predict_proba(scaled), sample_weight=weight)
    reached = log_loss(y, ours.predict_proba(X), sample_weight=weight)
    assert best - 1e-4 < reached < best + 1e-3
    assert ours.loss_ == pytest.approx(reached, abs=1e-3)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(scaled), atol=0.02)


def test_class_weights_are_slopes_of_the_features_as_they_are() -> None:
    X, y = clouds()
    layer = LastLayer(num_epochs=20, learning_rate=0.01, device="cpu").fit(X, y)
    odds = np.log(layer.predict_proba(X))
    found = (odds[:, 1] - odds[:, 0]).astype(np.float64)
    by_weights = X.astype(np.float64) @ layer.class_weights()
    np.testing.assert_allclose(found - found[0], by_weights - by_weights[0], atol=1e-3)


def test_a_number_that_never_varies_says_nothing() -> None:
    X, y = clouds()
    X = np.hstack([X, np.full((len(X), 1), 7, np.float32)])
    layer = LastLayer(num_epochs=2, device="cpu").fit(X, y)
    assert layer.weights()["network.scale"][4] == 1
    far = X.copy()
    far[:, :4] *= 1e9  # what is far out counts as ten deviations, and no more
    assert np.isfinite(layer.predict_proba(far)).all()


def test_scales_of_many_rows_are_those_of_all() -> None:
    chance = np.random.default_rng(2)
    X = chance.normal(3, 2, size=(1300, 4)).astype(np.float32)  # more than are read at once
    layer = LastLayer(num_epochs=1, batch_size=2000, device="cpu").fit(X, np.arange(1300) % 2)
    found = layer.weights()
    np.testing.assert_allclose(found["network.mean"], X.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["network.scale"], X.std(axis=0), rtol=1e-5)


def test_scikit_learns_contract() -> None:
    layer = LastLayer(learning_rate=0.5, device="cpu")
    assert clone(layer).get_params() == layer.get_params()
    for call in (layer.weights, lambda: layer.predict(clouds()[0])):
        with pytest.raises(NotFittedError):
            call()


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_scales_that_are_none_are_refused(value: float) -> None:
    X, y = clouds()
    weights: dict[str, Any] = LastLayer(num_epochs=1, device="cpu").fit(X, y).weights()
    LastLayer(device="cpu").adopt(weights, 4, (0, 1))
    weights["network.scale"][1] = value
    with pytest.raises(ValueError, match=r"scale does not fit to this network"):
        LastLayer(device="cpu").adopt(weights, 4, (0, 1))
