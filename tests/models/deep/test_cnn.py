"""The vanilla CNN: it learns, goes on where it stopped, and takes over no strange weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from gibswatch.models.deep.cnn import CNN

pytestmark = pytest.mark.usefixtures("one_thread")
SIDE = 16
SMALL: dict[str, Any] = {
    "picture_shape": (SIDE, SIDE), "num_channels": 2, "hidden": 4, "batch_size": 8,
    "learning_rate": 0.01, "device": "cpu", "random_state": 3,
}  # fmt: skip
State = dict[str, NDArray[Any]]


def toys(count: int = 30, classes: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noise; pictures of class 1 have a red block somewhere, those of class 2 a blue one."""
    chance = np.random.default_rng(6)
    y = np.arange(count) % classes
    pictures = chance.integers(60, 120, (count, SIDE, SIDE, 3), dtype=np.uint8)
    for picture, number in zip(pictures, y, strict=True):
        row, col = chance.integers(0, 8, 2)
        if number:
            picture[row : row + 8, col : col + 8, (0, 2)[number - 1]] = 240
    return pictures.reshape(count, -1), y


@pytest.fixture(scope="module")
def fitted(one_thread: None) -> CNN:
    return CNN(**SMALL, num_epochs=3).fit(*toys())


@pytest.mark.parametrize("classes", [2, 3])
def test_it_learns_colours(classes: int) -> None:
    X, y = toys(60, classes)
    cnn = CNN(**{**SMALL, "num_channels": 4, "hidden": 16}, num_epochs=15, dropout_rate=0.2)
    seen, unseen = slice(0, 42), slice(42, None)
    cnn.fit(X[seen], np.array([0, 5, 9])[y[seen]])  # classes are numbers of kinds
    assert (cnn.predict(X[unseen]) == np.array([0, 5, 9])[y[unseen]]).mean() > 0.9
    shares = cnn.predict_proba(X[unseen])
    assert shares.shape == (18, classes)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-9)
    scores = cnn.anomaly_score(X[unseen])
    np.testing.assert_allclose(scores, shares[:, 1:].sum(axis=1))
    assert scores[y[unseen] > 0].min() > scores[y[unseen] == 0].max() - 0.2
    assert cnn.loss_ < 0.5


def test_parameters_are_scikit_learns() -> None:
    cnn = CNN(**SMALL, wraps=True, patches=True, augment=0)
    assert clone(cnn).get_params() == cnn.get_params()
    assert cnn.get_params()["wraps"] is True
    assert clone(cnn).set_params(hidden=9).hidden == 9


@pytest.mark.parametrize(
    "call", [CNN.weights, lambda cnn: cnn.predict(toys()[0]), lambda cnn: cnn.heat_map(toys()[0])]
)
def test_before_fit_nothing_is_said(call: Callable[[CNN], Any]) -> None:
    with pytest.raises(NotFittedError):
        call(CNN(**SMALL))


def test_rows_that_do_not_fit_are_refused(fitted: CNN) -> None:
    X, y = toys(8)
    cnn = CNN(**SMALL, num_epochs=1)
    with pytest.raises(ValueError, match="767 features are no picture of 16x16 pixels"):
        cnn.fit(X[:, 1:], y)
    with pytest.raises(ValueError, match="7 classes do not fit to rows of shape"):
        cnn.fit(X, y[1:])
    with pytest.raises(ValueError, match="the data has one class"):
        cnn.fit(X, np.zeros(8, int))
    with pytest.raises(ValueError, match="CNN expects rows of 768 features"):
        fitted.predict(X[:, :5])
    with pytest.raises(ValueError, match="expects rows of 768 features"):
        fitted.heat_map(X[:1, :5])


def test_a_loss_that_is_no_number_is_told() -> None:
    X, y = toys(8)
    with pytest.raises(ValueError, match="give a smaller learning_rate"):
        CNN(**{**SMALL, "learning_rate": 1e30}, num_epochs=5).fit(X, y)


@pytest.mark.parametrize(
    "kind", [{"wraps": True}, {"wraps": False, "dropout_rate": 0.9}, {"patches": True}]
)
def test_two_halves_are_the_whole_bit_by_bit(kind: dict[str, Any]) -> None:
    """With dropout and variation, whatever chance was drawn between them."""
    X, y = toys(17)  # the last row of the last batch joins the one before
    whole = CNN(**SMALL, **kind, num_epochs=4).fit(X, y)
    kept: list[State] = []
    half = CNN(**SMALL, **kind, num_epochs=2)
    half.fit_from(X, y, None, lambda cnn: kept.append(cnn.state()))
    assert len(kept) == 2
    torch.manual_seed(99)
    np.random.default_rng(99)
    rest = CNN(**SMALL, **kind, num_epochs=4).fit_from(X, y, kept[-1])
    assert (rest.epoch_, rest.loss_) == (whole.epoch_, whole.loss_)
    assert_same(rest.weights(), whole.weights())


def assert_same(one: State, other: State) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], strict=True)


def test_seed_variation_and_dropout_change_what_is_learned() -> None:
    X, y = toys(16)

    def last(**changes: Any) -> NDArray[Any]:
        return CNN(**{**SMALL, **changes}, num_epochs=1).fit(X, y).weights()["network.fc2.weight"]

    base = last()
    np.testing.assert_array_equal(last(), base)
    for changes in ({"random_state": 4}, {"augment": 0}, {"dropout_rate": 0.0}, {"patches": True}):
        assert not np.array_equal(last(**changes), base)


def test_training_ends_when_it_is_told_to() -> None:
    told: list[int] = []
    cnn = CNN(**SMALL, num_epochs=9).fit_from(
        *toys(16), None, lambda one: told.append(one.epoch_), lambda: len(told) == 2
    )
    assert told == [1, 2]
    assert cnn.epoch_ == 2


def test_restore_goes_back_to_a_checkpoint() -> None:
    X, y = toys(16)
    kept: list[State] = []
    cnn = CNN(**SMALL, num_epochs=3).fit_from(X, y, None, lambda one: kept.append(one.state()))
    cnn.restore(kept[0])
    assert cnn.epoch_ == 1
    first = CNN(**SMALL, num_epochs=1).fit(X, y)
    np.testing.assert_array_equal(cnn.predict_proba(X), first.predict_proba(X))


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("epoch"),
        lambda state: state.update(loss=np.zeros(3)),
        lambda state: [state.pop(name) for name in list(state) if name.startswith("adam.0.")],
        lambda state: state.pop("network.fc1.bias"),
        lambda state: state.update({"adam.x.step": np.zeros(())}),
        lambda state: state.pop("adam.0.exp_avg"),
        lambda state: state.update({"adam.0.exp_avg": np.zeros(7)}),
    ],
)  # fmt: skip
def test_a_checkpoint_of_something_else_is_refused(change: Callable[[State], Any]) -> None:
    X, y = toys(16)
    kept: list[State] = []
    CNN(**SMALL, num_epochs=1).fit_from(X, y, None, lambda one: kept.append(one.state()))
    change(kept[0])
    with pytest.raises(ValueError, match=r"the checkpoint|not those of this network"):
        CNN(**SMALL, num_epochs=2).fit_from(X, y, kept[0])


def test_adopted_weights_say_the_same(fitted: CNN) -> None:
    X = toys()[0]
    other = CNN(**SMALL).adopt(fitted.weights(), X.shape[1], (0, 1))
    np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))
    assert_same(other.weights(), fitted.weights())
    np.testing.assert_array_equal(other.heat_map(X[:1]), fitted.heat_map(X[:1]))


def nan_at(state: State) -> None:
    state["network.fc1.weight"][0, 0] = np.nan


def below_zero(state: State) -> None:
    state["network.maps.norm0.running_var"][:] = -1


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("network.fc2.bias"),
        lambda state: state.update({"network.more": np.zeros(2, np.float32)}),
        lambda state: state.update({"more": np.zeros(2, np.float32)}),
        lambda state: state.update({"network.fc2.bias": np.zeros(3, np.float32)}),
        lambda state: state.update({"network.fc2.bias": np.zeros((2, 1), np.float32)}),
        lambda state: state.update({"network.fc2.bias": np.zeros(2, np.float64)}),
        lambda state: state.update({"network.fc2.bias": np.zeros(2, np.int64)}),
        lambda state: state.update({"network.fc2.bias": np.array(["a", "b"], object)}),
        nan_at,
        below_zero,
        dict.clear,
    ],
)
def test_strange_weights_are_refused(fitted: CNN, change: Callable[[State], Any]) -> None:
    state = fitted.weights()
    change(state)
    with pytest.raises(ValueError, match=r"not those of this network|does not fit to this network"):
        CNN(**SMALL).adopt(state, SIDE * SIDE * 3, (0, 1))


def test_a_network_of_terabytes_is_refused_before_it_is_made(fitted: CNN) -> None:
    """Its first fully connected layer alone would have 4e11 weights."""
    large = CNN(picture_shape=(1800, 1800), num_channels=512, hidden=4096)
    with pytest.raises(ValueError, match="does not fit to this network"):
        large.adopt(fitted.weights(), 1800 * 1800 * 3, (0, 1))


def test_other_classes_or_shapes_are_refused(fitted: CNN) -> None:
    weights = fitted.weights()
    with pytest.raises(ValueError, match="does not fit to this network"):
        CNN(**SMALL).adopt(weights, SIDE * SIDE * 3, (0, 1, 2))
    with pytest.raises(ValueError, match="no picture of 16x16 pixels"):
        CNN(**SMALL).adopt(weights, 99, (0, 1))


def test_heat_is_in_its_range(fitted: CNN) -> None:
    heat = fitted.heat_map(toys()[0][1:2])
    assert heat.shape == (SIDE // 8, SIDE // 8)
    assert heat.min() >= 0
    assert heat.max() in (0, 1)
