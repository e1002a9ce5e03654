"""Patches: features against plain NumPy, labels down to them and scores back up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import (
    PatchDefinition,
    hog,
    hue_histogram,
    patch_features,
    patch_grid,
    patch_labels,
    patch_shares,
    pixel_scores,
)
from gibswatch.raster.averaging import NO_DATA_LEVEL
from gibswatch.types import BoolArray, ByteArray


def picture(rows: int, cols: int, seed: int) -> ByteArray:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (rows, cols, 3), np.uint8)
    pixels[rng.random((rows, cols)) < 0.2] = 3
    pixels[: rows // 2, : cols // 3] = 0
    return pixels


def one_patch(pixels: ByteArray, usable: BoolArray, bins: int) -> NDArray[np.float64]:
    """Features of a patch but its gradients, by NumPy."""
    counted = usable & (pixels.max(axis=-1) > NO_DATA_LEVEL)
    black = 1 - counted.sum() / usable.sum() if usable.any() else 0.0
    seen = pixels[counted]
    if not len(seen):
        return np.concatenate([[black], np.zeros(21 + bins)])
    levels = (5, 25, 50, 75, 95)
    channels = [
        [band.mean(), band.std(), *np.percentile(band, levels, method="inverted_cdf")]
        for band in seen.T
    ]
    return np.concatenate([[black], np.ravel(channels), hue_histogram(seen[np.newaxis], bins=bins)])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.integers(2, 20), st.integers(0, 99))
def test_kernel_is_plain_numpy(rows: int, cols: int, side: int, seed: int) -> None:
    pixels = picture(rows, cols, seed)
    usable = np.random.default_rng(seed).random((rows, cols)) < 0.9
    usable[rows // 2 :, cols // 2 :] = False
    found = patch_features(pixels, PatchDefinition(side, 7), usable)
    assert found.shape == (*patch_grid(pixels.shape, side), 38)
    for row, col in np.ndindex(found.shape[:2]):
        at = np.s_[row * side : (row + 1) * side, col * side : (col + 1) * side]
        expected = one_patch(pixels[at], usable[at], 7)
        np.testing.assert_allclose(found[row, col, :29], expected, rtol=1e-5, atol=1e-5)


def test_gradients_are_those_of_the_picture() -> None:
    pixels = picture(64, 96, 1)
    found = patch_features(pixels, PatchDefinition(16))[..., -9:]
    np.testing.assert_allclose(found.ravel(), hog(pixels, cell=16), rtol=1e-6)


def test_names_say_what_stands_where() -> None:
    pixels = np.full((32, 32, 3), (10, 20, 200), np.uint8)
    pixels[:8] = 0
    definition = PatchDefinition()
    found = dict(zip(definition.names(), patch_features(pixels, definition)[0, 0], strict=True))
    assert found["black"] == 0.25
    assert (found["red_mean"], found["green_p50"], found["blue_p95"]) == (10, 20, 200)
    assert found["blue_std"] == 0
    assert found["hue_6"] == 1
    assert found["hog_4"] > 0


def test_shares_count_what_lies_in_the_picture() -> None:
    where = np.zeros((5, 7), dtype=bool)
    where[4:, :3] = True
    where[0, 6] = True
    np.testing.assert_allclose(patch_shares(where, 3), [[0, 0, 1 / 3], [1 / 2, 0, 0]])


def test_a_label_is_the_kind_that_covers_half() -> None:
    mask = np.zeros((4, 12), np.uint8)
    mask[:2, :4] = 3  # half of the first
    mask[:2, 4:7] = 2  # three eighths of the second
    mask[:, 8:10] = 7
    mask[:, 10:] = 2  # as much of two kinds
    np.testing.assert_array_equal(patch_labels(mask, 4), [[3, 0, 2]])
    np.testing.assert_array_equal(patch_labels(mask, 4, share=0.3), [[3, 2, 2]])
    np.testing.assert_array_equal(patch_labels(mask, 4, share=0.6), [[0, 0, 0]])


@pytest.mark.parametrize("share", [0.0, -1.0, 1.01, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="give more than 0, at most 1"):
        patch_labels(np.zeros((4, 4), np.uint8), 2, share=share)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20))
def test_scores_of_pixels_are_their_patches(rows: int, cols: int, side: int) -> None:
    grid = patch_grid((rows, cols), side)
    scores = np.arange(grid[0] * grid[1], dtype=np.float32).reshape(grid)
    pixels = pixel_scores(scores, (rows, cols), side)
    assert pixels.shape == (rows, cols)
    assert pixels.dtype == np.float32
    for row, col in np.ndindex(grid):
        assert (pixels[row * side : (row + 1) * side, col * side : (col + 1) * side]
                == scores[row, col]).all()  # fmt: skip


def test_labels_survive_the_way_up_and_down() -> None:
    labels = np.random.default_rng(0).integers(0, 9, (3, 5)).astype(np.uint8)
    mask = pixel_scores(labels.astype(np.float32), (22, 39), 8)
    np.testing.assert_array_equal(patch_labels(mask.astype(np.uint8), 8), labels)


def test_scores_of_another_picture_are_refused() -> None:
    with pytest.raises(UsageError, match=r"it has \(2, 3\)"):
        pixel_scores(np.zeros((2, 2)), (64, 96), 32)


def test_a_patch_without_a_side_is_refused() -> None:
    with pytest.raises(UsageError, match="a patch of side 0 holds nothing"):
        patch_grid((4, 4), 0)
