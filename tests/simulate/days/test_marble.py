"""How the levels of the map of the Earth are made."""

from __future__ import annotations

import numpy as np

from gibswatch.simulate.days.marble import _dry, _halved, _land

DRAWN = np.random.default_rng(9)


def test_half_the_size_is_the_mean_of_four_rounded() -> None:
    level = DRAWN.integers(0, 256, (248, 34, 4), dtype=np.uint8)
    level[:2, :2] = 255
    fours = level.reshape(124, 2, 17, 2, 4).astype(np.int64).sum(axis=(1, 3))
    small = _halved(level)
    assert np.array_equal(small, (fours + 2) // 4)
    assert small[0, 0].tolist() == [255] * 4


def test_land_is_neither_blue_nor_black() -> None:
    colours = np.array([[[10, 20, 60], [5, 6, 7], [90, 80, 40], [250, 250, 255]]], np.uint8)
    assert _dry(colours).tolist() == [[0, 0, 1, 1]]


def test_land_counts_the_pixels_above_and_to_the_left() -> None:
    dry = np.array([[0, 1, 1, 0], [0, 0, 1, 0]], np.uint8)
    assert _land(dry).tolist() == [[0, 63, 191, 127]]
