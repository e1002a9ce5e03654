"""CutPaste: what is pasted where, and a network that the seed decides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gibswatch.models.deep.selfsupervised import learn_backbone, paste_piece
from gibswatch.models.deep.weights import State, state_of

pytestmark = pytest.mark.usefixtures("one_thread")


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(40, 200, shape, dtype=np.uint8)


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("shape", [(64, 64), (32, 48)])
def test_one_box_changes(narrow: bool, shape: tuple[int, int]) -> None:
    crop, chance = noise(*shape, 3), np.random.default_rng(1)
    kept = crop.copy()
    for _ in range(50):
        found = paste_piece(crop, chance, narrow=narrow)
        assert found.shape == crop.shape
        assert found.dtype == np.uint8
        rows, cols = np.nonzero((found != crop).any(axis=2))
        height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
        thin, long = sorted((height, width))
        if narrow:
            assert thin <= 5
            assert long <= 24
        else:
            assert height * width <= 0.17 * shape[0] * shape[1]  # sides are rounded
    np.testing.assert_array_equal(crop, kept)


def test_a_piece_is_the_crops_own_in_other_colours() -> None:
    """Of a crop whose columns differ, what is pasted is a column, at most a tenth brighter."""
    crop = np.repeat((40 + 20 * np.arange(8, dtype=np.uint8)).repeat(8)[None, :, None], 64, axis=0)
    crop = np.repeat(crop, 3, axis=2)
    found = paste_piece(crop, np.random.default_rng(4), narrow=False)
    new = found[(found != crop).any(axis=2)].astype(float)
    nearest = np.abs(new[:, None, :] / np.unique(crop)[None, :, None] - 1).max(axis=2).min(axis=1)
    assert nearest.max() < 0.1 + 1 / 40


def test_the_smallest_crop_is_enough() -> None:
    for seed in range(20):
        paste_piece(noise(3, 3, 3), np.random.default_rng(seed), narrow=True)


def learned(seed: int, pictures: NDArray[np.uint8], told: list[tuple[int, int]]) -> State:
    network = learn_backbone(
        pictures, steps=1, seed=seed, device="cpu", on_progress=lambda *step: told.append(step)
    )
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert int(network.state_dict()["features.norm0.num_batches_tracked"]) == 1
    return state_of(network)


def test_the_seed_decides_the_network_and_nothing_outside_changes() -> None:
    pictures, told = noise(4, 32, 40, 3), list[tuple[int, int]]()
    kept = pictures.copy()
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    one = learned(7, pictures, told)
    assert torch.equal(torch.rand(2), expected)
    assert told == [(1, 1)]
    same, other = learned(7, pictures, told), learned(8, pictures, told)
    for name, array in one.items():
        np.testing.assert_array_equal(array, same[name])
    assert not np.array_equal(one["features.conv0.weight"], other["features.conv0.weight"])
    np.testing.assert_array_equal(pictures, kept)
