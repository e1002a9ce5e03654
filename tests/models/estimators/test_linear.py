"""Linear classifiers against scikit-learn on the same objective, and against the objective."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from gibswatch.models.estimators.linear import LinearSVM, Softmax

C = 0.05


@pytest.fixture(scope="module")
def clouds() -> tuple[Any, Any]:
    chance = np.random.default_rng(6)
    y = chance.permutation(np.repeat([0, 1, 2], [120, 50, 30]))
    X = chance.normal(size=(200, 8)) * np.arange(1, 9) + y[:, None]
    return X, y


def hinge_objective(weights: Any, bias: float, X: Any, signs: Any) -> float:
    inner = 0.5 * (weights @ weights + bias**2)
    return float(inner + C * np.maximum(0, 1 - signs * (X @ weights + bias)).sum())


def test_the_svm_is_that_of_scikit_learn(clouds: tuple[Any, Any]) -> None:
    X, y = clouds
    scaled = StandardScaler().fit_transform(X)
    for classes in (np.minimum(y, 1), y):
        theirs = LinearSVC(loss="hinge", C=C, random_state=1, max_iter=100_000, tol=1e-8)
        ours = LinearSVM(C, class_weight=None).fit(X, classes)
        expected = theirs.fit(scaled, classes).decision_function(scaled)
        np.testing.assert_allclose(ours.decision_function(X), expected, atol=2e-3)


def test_the_svm_minimises_the_hinge(clouds: tuple[Any, Any]) -> None:
    X, y = clouds
    signs = np.where(y > 0, 1, -1)
    ours = LinearSVM(C, class_weight=None).fit(X, y > 0)
    scaled = ours.scaler_.transform(X)
    reached = hinge_objective(ours.model_.coef_[0], ours.model_.intercept_[0], scaled, signs)
    sgd = SGDClassifier(
        loss="hinge", alpha=1 / (C * len(X)), max_iter=5000, tol=None, random_state=1, average=True
    ).fit(scaled, y > 0)
    by_sgd = hinge_objective(sgd.coef_[0], sgd.intercept_[0], scaled, signs)
    assert reached <= by_sgd * 1.0005
    assert reached == pytest.approx(by_sgd, rel=0.01)


def test_softmax_is_that_of_scikit_learn(clouds: tuple[Any, Any]) -> None:
    X, y = clouds
    scaled = StandardScaler().fit_transform(X)
    theirs = LogisticRegression(C=C, tol=1e-8, max_iter=1000).fit(scaled, y)
    ours = Softmax(C, class_weight=None).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(scaled), atol=1e-4)


def test_softmax_minimises_the_cross_entropy(clouds: tuple[Any, Any]) -> None:
    X, y = clouds
    ours = Softmax(C, class_weight=None).fit(X, y)
    scaled = ours.scaler_.transform(X)

    def objective(flat: Any) -> float:
        weights, bias = flat[:24].reshape(3, 8), flat[24:]
        logits = scaled @ weights.T + bias
        highest = logits.max(axis=1)
        total = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
        surprise = total - logits[np.arange(len(y)), y]
        return float(0.5 * (weights**2).sum() + C * surprise.sum())

    found = np.concatenate([ours.model_.coef_.ravel(), ours.model_.intercept_])
    best = minimize(objective, np.zeros(27), method="L-BFGS-B", options={"maxfun": 100_000})
    assert objective(found) == pytest.approx(best.fun, rel=1e-5)


def test_class_weights_help_the_rare_class(clouds: tuple[Any, Any]) -> None:
    X, y = clouds
    rare = (y == 2).astype(int)
    for make in (LinearSVM, Softmax):
        plain = make(C, class_weight=None).fit(X, rare).predict(X)
        weighted = make(C).fit(X, rare).predict(X)
        assert weighted[rare == 1].mean() > plain[rare == 1].mean()


def test_a_solver_that_stops_early_says_so(clouds: tuple[Any, Any]) -> None:
    X, y = clouds
    assert LinearSVM(100.0).fit(X, y).converged_ in (True, False)
    assert not LinearSVM(100.0, max_iter=1).fit(X, y).converged_
    assert Softmax().fit(X, y).converged_
    assert not Softmax(max_iter=1).fit(X, y).converged_
