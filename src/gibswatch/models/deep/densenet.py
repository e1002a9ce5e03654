"""DenseNet-121, with the names that the public ImageNet weights have."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gibswatch.errors import UsageError

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "MAP_CHANNELS",
    "MIN_SIDE",
    "DenseNet121",
    "normalised",
]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green, blue in 0-1, that the public weights were trained with."""
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of the same."""
MAP_CHANNELS = 1024
"""Channels of the last map."""
MIN_SIDE = 32
"""Rows, and columns, of the smallest picture: its last map is one pixel."""

_BLOCKS = (6, 12, 24, 16)
_GROWTH = 32
_BOTTLENECK = 4 * _GROWTH
_FIRST = 2 * _GROWTH
_MIDDLE = ("transition1", "transition2")


class _DenseLayer(nn.Module):
    """BN-ReLU-convolution 1x1, BN-ReLU-convolution 3x3; adds `_GROWTH` channels."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, _BOTTLENECK, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(_BOTTLENECK)
        self.conv2 = nn.Conv2d(_BOTTLENECK, _GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(torch.relu_(self.norm1(x)))
        made: Tensor = self.conv2(torch.relu_(self.norm2(x)))
        return made


class _DenseBlock(nn.Module):
    """Layers that each see all maps before them."""

    def __init__(self, layers: int, inputs: int) -> None:
        super().__init__()
        for index in range(layers):
            self.add_module(f"denselayer{index + 1}", _DenseLayer(inputs + index * _GROWTH))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat((x, layer(x)), 1)
        return x


def _transition(inputs: int) -> nn.Sequential:
    """Half the channels, half the rows and columns."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(inputs),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(inputs, inputs // 2, 1, bias=False),
            pool=nn.AvgPool2d(2, 2),
        )
    )


def _features() -> nn.Sequential:
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        conv0=nn.Conv2d(3, _FIRST, 7, stride=2, padding=3, bias=False),
        norm0=nn.BatchNorm2d(_FIRST),
        relu0=nn.ReLU(inplace=True),
        pool0=nn.MaxPool2d(3, stride=2, padding=1),
    )
    channels = _FIRST
    for number, layers in enumerate(_BLOCKS, 1):
        parts[f"denseblock{number}"] = _DenseBlock(layers, channels)
        channels += layers * _GROWTH
        if number < len(_BLOCKS):
            parts[f"transition{number}"] = _transition(channels)
            channels //= 2
    parts["norm5"] = nn.BatchNorm2d(channels)
    return nn.Sequential(parts)


class DenseNet121(nn.Module):
    """DenseNet-121 with bottlenecks and compression ("DenseNet-BC"), growth 32, without dropout.

    Parameters
    ----------
    classes : int, optional
        Outputs of the classifier; None: there is none, and `forward` is refused.
    generator : torch.Generator, optional
        Draws the first weights; else PyTorch's own, as the caller seeded it.

    Notes
    -----
    The state dict has the names and shapes of torchvision's, and the first weights are drawn from
    the same distributions: convolutions normal with variance 2/inputs (He et al. 2015), norms 1 and
    0, the classifier's bias 0.  All maps are (n, channels, rows, columns), float32.

    A map of one side of ``s`` pixels is ``ceil(ceil(s / 2) / 2)`` after the first pooling, and half
    of that, rounded down, after each transition.

    References
    ----------
    Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, CVPR 2017,
    table 1 (arXiv:1608.06993).
    """

    def __init__(
        self, classes: int | None = 1000, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.features = _features()
        self.classifier = None if classes is None else nn.Linear(MAP_CHANNELS, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, generator=generator)
            elif isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the classifier's outputs, before the softmax.

        Parameters
        ----------
        x : (n, 3, rows, cols) float32 Tensor
            As `normalised` makes it.

        Returns
        -------
        (n, classes) float32 Tensor

        Raises
        ------
        UsageError
            If the network has no classifier, or the pictures do not fit.
        """
        if self.classifier is None:
            raise UsageError(
                "this DenseNet-121 has no classifier: use `pooled` or a map, or set `classifier`"
            )
        made: Tensor = self.classifier(self.pooled(x))
        return made

    def last_map(self, x: Tensor) -> Tensor:
        """Return the last map, after its norm and ReLU.

        Parameters
        ----------
        x : (n, 3, rows, cols) float32 Tensor

        Returns
        -------
        (n, 1024, about rows / 32, about cols / 32) float32 Tensor
            0 or more.

        Raises
        ------
        UsageError
            If the pictures do not fit.
        """
        _check_batch(x)
        return torch.relu_(self.features(x))

    def pooled(self, x: Tensor) -> Tensor:
        """Return the mean of each channel of the last map.

        Parameters
        ----------
        x : (n, 3, rows, cols) float32 Tensor

        Returns
        -------
        (n, 1024) float32 Tensor
            0 or more.

        Raises
        ------
        UsageError
            If the pictures do not fit.
        """
        return self.last_map(x).mean((2, 3))

    def middle_maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps after the first and second transition; what follows is not worked out.

        Parameters
        ----------
        x : (n, 3, rows, cols) float32 Tensor

        Returns
        -------
        fine : (n, 128, about rows / 8, about cols / 8) float32 Tensor
        coarse : (n, 256, about rows / 16, about cols / 16) float32 Tensor

        Raises
        ------
        UsageError
            If the pictures do not fit.
        """
        _check_batch(x)
        maps = []
        for name, module in self.features.named_children():
            x = module(x)
            if name in _MIDDLE:
                maps.append(x)
            if name == _MIDDLE[-1]:
                break
        fine, coarse = maps
        return fine, coarse


def normalised(pixels: NDArray[np.uint8] | Tensor) -> Tensor:
    """Turn pictures into what the public weights were trained with.

    Parameters
    ----------
    pixels : (n, rows, cols, 3) uint8 ndarray or Tensor
        Red, green, blue; 32 rows and columns at least.  Left as they are.

    Returns
    -------
    (n, 3, rows, cols) float32 Tensor
        ``(pixels / 255 - mean) / std`` by ImageNet's mean and standard deviation, where the pixels
        were (an array: on the processor).  Channels lie next to each other in memory, as in the
        pixels: convolutions take a third less time so.

    Raises
    ------
    UsageError
        If they have another shape or type.
    """
    wanted: Any = torch.uint8 if isinstance(pixels, Tensor) else np.uint8
    if pixels.dtype != wanted or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise UsageError(
            f"pictures are {tuple(pixels.shape)} {pixels.dtype}: give (n, rows, cols, 3) uint8"
        )
    # a copy: PyTorch takes no arrays that are read-only or turned about
    tensor = pixels if isinstance(pixels, Tensor) else torch.from_numpy(np.array(pixels, order="C"))
    mean = torch.tensor(IMAGENET_MEAN, device=tensor.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=tensor.device).view(1, 3, 1, 1)
    made = (tensor.permute(0, 3, 1, 2).to(torch.float32).div_(255) - mean).div_(std)
    _check_batch(made)
    return made


def _check_batch(x: Tensor) -> None:
    if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < MIN_SIDE:
        raise UsageError(
            f"a batch of pictures is {tuple(x.shape)}: give (n, 3, rows, cols) with "
            f"{MIN_SIDE} rows and columns or more"
        )
