"""The two-layer network: gradients, checkpoints, and what it can learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.models.estimators._layers import LAYERS, forward, gradients
from gibswatch.models.estimators.network import Network


@pytest.fixture(scope="module")
def rings() -> tuple[Any, Any]:
    """Two classes that no line parts."""
    chance = np.random.default_rng(1)
    X = chance.normal(size=(400, 2)).astype(np.float32)
    return X, (np.hypot(X[:, 0], X[:, 1]) > 1.2).astype(int)


def test_gradients_are_slopes_of_the_loss() -> None:
    chance = np.random.default_rng(2)
    shapes = [(3, 4), (4,), (4, 2), (2,)]
    layers = {name: chance.normal(size=s) for name, s in zip(LAYERS, shapes, strict=True)}
    batch, codes = chance.normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0])
    weights = chance.uniform(0.5, 2, size=6)
    _, slopes = gradients(layers, batch, codes, weights, 0.3)
    for name in LAYERS:
        for index in np.ndindex(layers[name].shape):
            losses = []
            for step in (1e-6, -1e-6):
                moved = {**layers, name: layers[name].copy()}
                moved[name][index] += step
                losses.append(gradients(moved, batch, codes, weights, 0.3)[0])
            assert slopes[name][index] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-6)


def test_confidences_of_great_logits_are_finite() -> None:
    layers = {"weights1_": np.eye(2) * 1e3, "bias1_": np.zeros(2),
              "weights2_": np.eye(2) * 1e3, "bias2_": np.zeros(2)}  # fmt: skip
    _, shares = forward(layers, np.array([[5.0, 0.0], [0.0, 5.0]]))
    np.testing.assert_array_equal(shares, np.eye(2))


def test_it_learns_what_no_line_parts(rings: tuple[Any, Any]) -> None:
    X, y = rings
    fitted = Network(num_epochs=60, learning_rate=0.01).fit(X, y)
    assert (fitted.predict(X) == y).mean() > 0.95


def test_going_on_from_a_checkpoint_is_not_having_stopped(rings: tuple[Any, Any]) -> None:
    X, y = rings
    states: list[Any] = []
    whole = Network(num_epochs=6).fit_from(X, y, None, lambda net: states.append(net.state()))
    assert [int(state["epoch"]) for state in states] == [1, 2, 3, 4, 5, 6]
    for state in (states[0], states[3]):
        later = Network(num_epochs=6).fit_from(X, y, state)
        for name in LAYERS:
            np.testing.assert_array_equal(getattr(later, name), getattr(whole, name))
        assert later.loss_ == whole.loss_


def test_seeds_make_it_the_same_or_another(rings: tuple[Any, Any]) -> None:
    X, y = rings
    one, same, other = (Network(num_epochs=2, random_state=s).fit(X, y) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.weights1_, same.weights1_)
    assert not np.array_equal(one.weights1_, other.weights1_)


def test_a_memory_mapped_matrix_gives_the_same(rings: tuple[Any, Any], tmp_path: Path) -> None:
    X, y = rings
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        Network(num_epochs=2).fit(mapped, y).weights1_, Network(num_epochs=2).fit(X, y).weights1_
    )


def test_a_checkpoint_of_another_network_is_refused(rings: tuple[Any, Any]) -> None:
    X, y = rings
    state = Network(hidden=5, num_epochs=1).fit(X, y).state()
    with pytest.raises(ValueError, match="weights1_ does not fit"):
        Network(hidden=6).fit_from(X, y, state)


def test_the_penalty_holds_the_weights_small(rings: tuple[Any, Any]) -> None:
    X, y = rings
    loose, tight = (
        Network(num_epochs=40, learning_rate=0.01, reg=reg).fit(X, y) for reg in (0.0, 1.0)
    )
    assert np.abs(tight.weights1_).sum() < 0.5 * np.abs(loose.weights1_).sum()
