"""scikit-learn's own checks of its contract, for every estimator."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from gibswatch.models.estimators.forest import RandomForest
from gibswatch.models.estimators.isolation import IsolationForest
from gibswatch.models.estimators.linear import LinearSVM, Softmax
from gibswatch.models.estimators.neighbours import NearestNeighbours
from gibswatch.models.estimators.network import Network


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        LinearSVM(),
        Softmax(),
        RandomForest(n_estimators=10),
        NearestNeighbours(),
        Network(hidden=10, num_epochs=40, learning_rate=0.01),
        IsolationForest(n_estimators=10),
    ]
)
def test_contract_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)
