"""The table of models: every row can be fitted, scored, and says what it is."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.models.registry import MODELS, find_model

VECTOR_MODELS = tuple(name for name, entry in MODELS.items() if entry.inputs != ("pixels",))
"""Those whose rows may be any numbers."""
QUICK: dict[str, dict[str, float]] = {"densenet": {"num_epochs": 20, "learning_rate": 0.03}}
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", VECTOR_MODELS)
def test_every_model_scores_a_far_sample_higher(name: str) -> None:
    chance = np.random.default_rng(3)
    normal, faulty = chance.normal(size=(60, 4)), chance.normal(size=(20, 4)) + 4
    X, y = np.concatenate([normal, faulty]), np.repeat([0, 1], [60, 20])
    estimator = find_model(name).make(QUICK.get(name, {}), 1)
    if find_model(name).supervised:
        estimator.fit(X, y)
    else:
        estimator.fit(normal)
    scores = estimator.anomaly_score(np.array([[0.0] * 4, [4.5] * 4]))
    assert scores.shape == (2,)
    assert scores.dtype == np.float64
    assert scores[0] < scores[1]
    if find_model(name).shares:
        assert 0 <= scores[0] <= scores[1] <= 1


@pytest.mark.parametrize("name", VECTOR_MODELS)
def test_several_classes_are_scored_against_the_normal_one(name: str) -> None:
    chance = np.random.default_rng(3)
    y = np.repeat([0, 2, 3], 40)
    X = chance.normal(size=(120, 4)) + 5 * np.eye(4)[y]
    estimator = find_model(name).make(QUICK.get(name, {}), 1)
    estimator.fit(X, y) if find_model(name).supervised else estimator.fit(X[y == 0])
    scores = estimator.anomaly_score(5 * np.eye(4))
    assert scores[0] < min(scores[2], scores[3])


def test_every_default_is_in_its_own_range_and_known_to_the_estimator() -> None:
    for entry in MODELS.values():
        known = entry.make({}, 0).get_params()
        for parameter in entry.parameters:
            assert parameter.check(parameter.default) == parameter.default
            assert known[parameter.name] == parameter.default


@pytest.mark.parametrize("value", [0, -1, 10**9, 2.5, "5", None, True, [5], float("nan")])
def test_a_parameter_out_of_range_is_told(value: Any) -> None:
    (trees,) = (p for p in MODELS["random-forest"].parameters if p.name == "n_estimators")
    with pytest.raises(UsageError, match=r"n_estimators is .*whole number from 1 to 2000"):
        trees.check(value)


def test_an_unknown_model_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="'xgboost' is none of ours: give linear-svm, softmax"):
        find_model("xgboost")
    with pytest.raises(UsageError, match="does not work at pixel level: give random-forest"):
        find_model("softmax", "pixel")


def test_a_missing_extra_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [m for m in sys.modules if m.startswith("gibswatch.models.estimators")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(MissingExtraError, match=r'pip install "gibswatch\[models\]"'):
        find_model("network").make({}, 0)
