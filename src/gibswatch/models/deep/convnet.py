"""The vanilla CNN: three times convolution, batch norm, pooling and ReLU, then two layers."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

__all__ = ["ConvNet"]

_STAGES = 3


class ConvNet(nn.Module):
    """``3 x (conv > bn > max_pool > relu) > flatten > fc > relu > dropout > fc > log_softmax``.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the pictures, 8 at least.
    channels : int
        Of the first stage; each later one has twice as many.
    hidden : int
        Units of the first fully connected layer.
    classes : int
    dropout : float
        Share of hidden units that is left out while it learns, 0 to 1.
    """

    def __init__(
        self, shape: tuple[int, int], channels: int, hidden: int, classes: int, dropout: float
    ) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        depth, (rows, cols) = 3, shape
        for number in range(_STAGES):
            wider = channels * 2**number
            layers[f"conv{number}"] = nn.Conv2d(depth, wider, 3, padding=1, bias=False)
            layers[f"norm{number}"] = nn.BatchNorm2d(wider)
            layers[f"pool{number}"] = nn.MaxPool2d(2)
            layers[f"relu{number}"] = nn.ReLU()
            depth, rows, cols = wider, rows // 2, cols // 2
        # Rows of pixels come with their channels last: in this order a CPU is a fifth faster.
        self.maps = nn.Sequential(layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.fc1 = nn.Linear(depth * rows * cols, hidden)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logarithms of confidences, (n, classes), of (n, 3, rows, cols) pictures."""
        return self.classify(self.maps(pictures))

    def classify(self, maps: torch.Tensor) -> torch.Tensor:
        """As `forward`, from the maps of the last convolution."""
        hidden = torch.relu(self.fc1(maps.flatten(1)))
        return torch.log_softmax(self.fc2(self.dropout(hidden)), dim=1)
