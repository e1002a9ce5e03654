"""Grad-CAM against slopes by small steps, and on a fault whose place is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gibswatch.models.deep.convnet import ConvNet
from gibswatch.models.deep.gradcam import grad_cam, relative_map

pytestmark = pytest.mark.usefixtures("one_thread")


def against(said: torch.Tensor) -> float:
    return float(said[0, 1:].max() - said[0, 0])


def test_slopes_are_those_of_small_steps() -> None:
    torch.manual_seed(4)
    network = ConvNet((32, 40), 2, 6, 3, 0.5).double().eval()
    picture = torch.randn(1, 3, 32, 40, dtype=torch.float64)
    with torch.no_grad():
        maps = network.maps(picture)
        slope, step = torch.zeros_like(maps), 1e-6
        for at in np.ndindex(*maps.shape):
            up, down = maps.clone(), maps.clone()
            up[at] += step
            down[at] -= step
            slope[at] = (against(network.classify(up)) - against(network.classify(down))) / step / 2
        weights = slope.mean(dim=(2, 3), keepdim=True)
        expected = (weights * maps).sum(dim=1)[0].clamp(min=0).numpy()
    assert expected.max() > 0  # else the test says nothing
    found = grad_cam(network.maps, network.classify, picture)
    assert found.shape == (4, 5)
    np.testing.assert_allclose(found, expected / expected.max(), atol=1e-6)


def mean_red(maps: torch.Tensor) -> torch.Tensor:
    """Logarithms of confidences that rise with the mean of the first map."""
    rises = 50 * maps.mean(dim=(2, 3))[:, 0]
    return torch.log_softmax(torch.stack([torch.zeros_like(rises), rises], dim=1), dim=1)


def test_heat_is_where_the_blob_is() -> None:
    picture = torch.zeros(1, 3, 64, 64)
    picture[0, 0, 40:56, 8:24] = 1  # red; a green one elsewhere speaks for nothing
    picture[0, 1, 8:24, 40:56] = 1
    found = grad_cam(nn.AvgPool2d(8), mean_red, picture)
    expected = np.zeros((8, 8))
    expected[5:7, 1:3] = 1
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_speaks_against_a_fault_is_dark() -> None:
    picture = torch.ones(1, 3, 64, 64)
    found = grad_cam(lambda one: -nn.functional.avg_pool2d(one, 8), mean_red, picture)
    assert (found == 0).all()


def test_of_several_faults_the_likeliest_is_shown() -> None:
    def classify(maps: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(torch.cat([torch.zeros(1, 1), 9 * maps.mean(dim=(2, 3))], 1), 1)

    picture = torch.zeros(1, 3, 16, 16)
    picture[0, 0, :8, :8], picture[0, 2, 8:, 8:] = 0.2, 1
    found = grad_cam(nn.AvgPool2d(8), classify, picture)
    np.testing.assert_allclose(found, [[0, 0], [0, 1]], atol=1e-6)


def test_relative_maps() -> None:
    np.testing.assert_array_equal(relative_map(np.array([[-3.0, 2.0], [4.0, 0.0]])),
                                  [[0, 0.5], [1, 0]])  # fmt: skip
    np.testing.assert_array_equal(relative_map(np.full((2, 2), -1.0)), np.zeros((2, 2)))
