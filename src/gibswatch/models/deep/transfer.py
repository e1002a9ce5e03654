"""Transfer learning: the last layer of DenseNet-121, trained on what the other layers see."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gibswatch.models.deep.classifier import TorchClassifier

__all__ = ["LastLayer"]

_ROWS_AT_ONCE = 512
_FARTHEST = 10.0


class LastLayer(TorchClassifier):
    """A fully connected layer on the 1024 numbers that the network gives of a picture.

    Parameters
    ----------
    learning_rate : float
    weight_decay : float
    batch_size : int
    num_epochs : int
        At most.
    patience : int
        Epochs without a better validation after which whoever trains it should end.
    random_state : int
    device : {"auto", "cpu", "cuda"}

    Notes
    -----
    The numbers are brought to mean 0 and variance 1 first: those of a network that saw other
    pictures differ by thousands of times.
    """

    def __init__(
        self,
        *,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.1,
        batch_size: int = 32,
        num_epochs: int = 100,
        patience: int = 6,
        random_state: Any = 0,
        device: str = "auto",
    ) -> None:
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.num_epochs = num_epochs
        self.patience = patience
        self.random_state = random_state
        self.device = device

    def class_weights(self) -> NDArray[np.float64]:
        """How much each number, as it is, speaks for a fault and against the normal class."""
        network = self._scaled_layer()
        weight = network.layer.weight.detach().double().cpu().numpy()
        scale = network.scale.double().cpu().numpy()
        return np.asarray((weight[1:].max(axis=0) - weight[0]) / scale)

    def _make_network(self, features: int, classes: int) -> nn.Module:
        return _Scaled(features, classes)

    def _learn_scale(self, rows: NDArray[Any]) -> None:
        count = len(rows)
        parts = [rows[at : at + _ROWS_AT_ONCE] for at in range(0, count, _ROWS_AT_ONCE)]
        mean = sum(np.asarray(part, np.float64).sum(axis=0) for part in parts) / count
        square = sum(((np.asarray(part, np.float64) - mean) ** 2).sum(axis=0) for part in parts)
        spread = np.sqrt(square / count)
        # A number that never varied says nothing, and must not be blown up.
        scale = np.where(spread > 1e-6, spread, 1.0)
        network = self._scaled_layer()
        network.mean.copy_(torch.from_numpy(mean))
        network.scale.copy_(torch.from_numpy(scale))

    def _scaled_layer(self) -> _Scaled:
        network = self.network_
        assert isinstance(network, _Scaled)  # noqa: S101 - for the type checker
        return network

    def _input(self, rows: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.array(rows, dtype=np.float32))


class _Scaled(nn.Module):
    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.layer = nn.Linear(features, classes)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        scaled = ((rows - self.mean) / self.scale).clamp(-_FARTHEST, _FARTHEST)
        found: torch.Tensor = self.layer(scaled)
        return found
