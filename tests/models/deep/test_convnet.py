"""The vanilla CNN's network: its layers in order, and what they make of pictures."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gibswatch.models.deep.convnet import ConvNet

pytestmark = pytest.mark.usefixtures("one_thread")


def small(dropout: float = 0.5, shape: tuple[int, int] = (32, 48)) -> ConvNet:
    torch.manual_seed(3)
    return ConvNet(shape, 2, 4, 3, dropout)


def test_layers_stand_in_the_order_that_is_promised() -> None:
    network = small()
    stage = [nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.ReLU]
    assert [type(layer) for layer in network.maps] == 3 * stage
    widths = [layer.out_channels for layer in network.maps if isinstance(layer, nn.Conv2d)]
    assert widths == [2, 4, 8]
    assert network.fc1.in_features == 8 * 4 * 6
    assert (network.fc1.out_features, network.fc2.out_features) == (4, 3)


def test_rows_are_logarithms_of_confidences() -> None:
    network = small().eval()
    pictures = torch.randn(5, 3, 32, 48)
    found = network(pictures)
    assert found.shape == (5, 3)
    torch.testing.assert_close(found.exp().sum(dim=1), torch.ones(5))
    torch.testing.assert_close(network.classify(network.maps(pictures)), found)


def test_the_head_is_fc_relu_dropout_fc() -> None:
    """Against the same formula in matrices, dropout as torch draws it."""
    network = small().train()
    maps = torch.randn(4, 8, 4, 6)
    hidden = (maps.reshape(4, -1) @ network.fc1.weight.T + network.fc1.bias).clamp(min=0)
    torch.manual_seed(9)
    kept = nn.functional.dropout(hidden, 0.5)
    raw = kept @ network.fc2.weight.T + network.fc2.bias
    torch.manual_seed(9)
    torch.testing.assert_close(network.classify(maps), raw - raw.logsumexp(dim=1, keepdim=True))


def test_without_training_nothing_is_left_out() -> None:
    network = small(dropout=0.9).eval()
    pictures = torch.randn(2, 3, 32, 48)
    assert torch.equal(network(pictures), network(pictures))


@pytest.mark.parametrize("shape", [(8, 8), (33, 47)])
def test_sides_that_eight_does_not_divide_are_rounded_down(shape: tuple[int, int]) -> None:
    network = small(shape=shape).eval()
    maps = network.maps(torch.randn(1, 3, *shape))
    assert maps.shape == (1, 8, shape[0] // 8, shape[1] // 8)
    assert network(torch.randn(1, 3, *shape)).shape == (1, 3)
