"""The vanilla CNN as an estimator: rows are pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import nn

from gibswatch.models.deep.augment import change_patches, change_pictures
from gibswatch.models.deep.classifier import TorchClassifier
from gibswatch.models.deep.convnet import ConvNet
from gibswatch.models.deep.gradcam import grad_cam

__all__ = ["CNN"]

_MIDDLE, _SPREAD = 0.35, 0.25
"""Of levels 0-1, roughly those of a day on Earth: only the first steps of the training see it."""


class CNN(TorchClassifier):
    """Three convolutions and two fully connected layers on the pixels of a picture or a patch.

    Parameters
    ----------
    picture_shape : (int, int)
        Rows and columns; a row of X has three bytes a pixel.
    wraps : bool
        Whether pictures go round the Earth.
    patches : bool
        Whether rows are patches of pictures, and not whole ones.
    num_channels : int
        Of the first convolution.
    hidden : int
    dropout_rate : float
    learning_rate : float
    weight_decay : float
    batch_size : int
    num_epochs : int
        At most.
    patience : int
        Epochs without a better validation after which whoever trains it should end.
    augment : int
        1: pictures are varied as `gibswatch.models.deep.augment` says; 0: not.
    random_state : int
    device : {"auto", "cpu", "cuda"}

    Notes
    -----
    Batches, dropout and variation are drawn anew from the seed and the epoch's number: on one
    machine a training that goes on from a checkpoint becomes, bit by bit, the one that was never
    stopped.
    """

    def __init__(
        self,
        picture_shape: tuple[int, int] = (32, 32),
        *,
        wraps: bool = False,
        patches: bool = False,
        num_channels: int = 8,
        hidden: int = 64,
        dropout_rate: float = 0.5,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        batch_size: int = 16,
        num_epochs: int = 30,
        patience: int = 6,
        augment: int = 1,
        random_state: Any = 0,
        device: str = "auto",
    ) -> None:
        self.picture_shape = picture_shape
        self.wraps = wraps
        self.patches = patches
        self.num_channels = num_channels
        self.hidden = hidden
        self.dropout_rate = dropout_rate
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.num_epochs = num_epochs
        self.patience = patience
        self.augment = augment
        self.random_state = random_state
        self.device = device

    def heat_map(self, X: ArrayLike) -> NDArray[np.float64]:
        """Say where a row is anomalous, by Grad-CAM on the last convolution.

        Parameters
        ----------
        X : (1, n) array_like of uint8

        Returns
        -------
        (rows // 8, cols // 8) ndarray of float64
            0-1, the highest is 1; all 0 where nothing speaks for a fault.
        """
        check_is_fitted(self)
        batch = self._input(self._checked(np.asanyarray(X))).to(self.device_)
        network = self.network_.eval()
        assert isinstance(network, ConvNet)  # noqa: S101 - for the type checker
        return grad_cam(network.maps, network.classify, batch)

    def _make_network(self, features: int, classes: int) -> nn.Module:
        rows, cols = self.picture_shape
        if features != rows * cols * 3:
            raise ValueError(f"{features} features are no picture of {cols}x{rows} pixels")
        return ConvNet((rows, cols), self.num_channels, self.hidden, classes, self.dropout_rate)

    def _input(self, rows: NDArray[Any]) -> torch.Tensor:
        levels = torch.from_numpy(np.array(rows, dtype=np.float32)) / 255
        return self._scaled(levels.reshape(-1, *self.picture_shape, 3).permute(0, 3, 1, 2))

    def _vary(self, batch: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        if not self.augment:
            return batch
        levels = batch * _SPREAD + _MIDDLE
        if self.patches:
            return self._scaled(change_patches(levels, chance))
        return self._scaled(change_pictures(levels, chance, wraps=self.wraps))

    def _scaled(self, levels: torch.Tensor) -> torch.Tensor:
        return (levels - _MIDDLE) / _SPREAD

    def _log_confidences(self, batch: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.network_(batch)
        return found.float()
