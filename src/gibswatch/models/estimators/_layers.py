"""The arithmetic of the two-layer network: forward, gradients, and one step of Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ADAM_STATE", "LAYERS", "adam_step", "forward", "gradients"]

Arrays = Mapping[str, NDArray[np.float64]]

LAYERS = ("weights1_", "bias1_", "weights2_", "bias2_")
"""(n, hidden), (hidden,), (hidden, k), (k,)."""
ADAM_STATE = tuple(f"{moment}_{name}" for moment in ("mean", "square") for name in LAYERS)
"""Running mean of each gradient, then of its square."""
_DECAY_MEAN, _DECAY_SQUARE, _SMALL = 0.9, 0.999, 1e-8
"""Of Kingma and Ba (2015), Algorithm 1."""


def forward(layers: Arrays, batch: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the hidden layer and the confidences.

    Parameters
    ----------
    layers : mapping
        By the names of `LAYERS`.
    batch : (m, n) ndarray

    Returns
    -------
    hidden : (m, hidden) ndarray of float64
    shares : (m, k) ndarray of float64
        Rows add up to 1.
    """
    hidden = np.maximum(batch @ layers["weights1_"] + layers["bias1_"], 0.0)
    logits = hidden @ layers["weights2_"] + layers["bias2_"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return hidden, powers / powers.sum(axis=1, keepdims=True)


def gradients(
    layers: Arrays,
    batch: NDArray[np.float64],
    codes: NDArray[np.intp],
    weights: NDArray[np.float64],
    reg: float,
) -> tuple[float, dict[str, NDArray[np.float64]]]:
    """Compute the loss of a batch and its slope by every weight.

    Parameters
    ----------
    layers : mapping
    batch : (m, n) ndarray of float64
    codes : (m,) ndarray of int
        Number of each row's class.
    weights : (m,) ndarray of float64
        Weight of each row.
    reg : float
        L2 penalty.

    Returns
    -------
    loss : float
    slopes : dict
        By the names of `LAYERS`.
    """
    hidden, shares = forward(layers, batch)
    rows = np.arange(len(batch))
    penalty = sum(float((layers[name] ** 2).sum()) for name in ("weights1_", "weights2_"))
    surprise = -np.log(np.maximum(shares[rows, codes], 1e-300))
    loss = float((weights * surprise).mean()) + 0.5 * reg * penalty
    slope = shares.copy()
    slope[rows, codes] -= 1.0
    slope *= (weights / len(batch))[:, None]
    below = (slope @ layers["weights2_"].T) * (hidden > 0)
    return loss, {
        "weights1_": batch.T @ below + reg * layers["weights1_"],
        "bias1_": below.sum(axis=0),
        "weights2_": hidden.T @ slope + reg * layers["weights2_"],
        "bias2_": slope.sum(axis=0),
    }


def adam_step(layers: Arrays, slopes: Arrays, moments: Arrays, step: int, rate: float) -> None:
    """Move every weight one step, in place; `step` counts from 1."""
    for name in LAYERS:
        mean, square = moments[f"mean_{name}"], moments[f"square_{name}"]
        mean += (1 - _DECAY_MEAN) * (slopes[name] - mean)
        square += (1 - _DECAY_SQUARE) * (slopes[name] ** 2 - square)
        right = np.sqrt(square / (1 - _DECAY_SQUARE**step)) + _SMALL
        layers[name][...] -= rate * mean / (1 - _DECAY_MEAN**step) / right
