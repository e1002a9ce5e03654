"""Hue histograms: the predecessor's to the last bit, and without the black."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import hue_histogram
from gibswatch.raster.averaging import NO_DATA_LEVEL
from gibswatch.types import ByteArray

BINS = (1, 2, 3, 6, 7, 10, 12, 30, 36, 180, 250)


def predecessor(pixels: ByteArray, bins: int) -> NDArray[np.float64]:
    """Work it out as gibs-ml's words have it."""
    hues = rgb_to_hsv(pixels / 255)[:, :, 0] * 255
    density, edges = np.histogram(hues, bins=np.linspace(0, 255, bins + 1), density=True)
    return np.asarray(density * np.diff(edges))


def all_colours(step: int) -> ByteArray:
    """Every colour whose channels are multiples of a step, in a picture."""
    levels = np.arange(0, 256, step, dtype=np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(
        len(levels), -1, 3
    )


@pytest.mark.parametrize("bins", BINS)
@pytest.mark.parametrize("step", [5, 8])
def test_compat_is_the_predecessors_to_the_last_bit(bins: int, step: int) -> None:
    pixels = all_colours(step)
    np.testing.assert_array_equal(
        hue_histogram(pixels, bins=bins, compat=True), predecessor(pixels, bins)
    )


@pytest.mark.parametrize("bins", [10, 12, 180])
def test_so_it_is_where_a_hue_lies_on_an_edge_and_rounding_decides(bins: int) -> None:
    """Six colours of each lightness whose hue is 60, 120, ... degrees and fractions of them."""
    rng = np.random.default_rng(3)
    chroma = rng.integers(1, 25, 4000) * 10
    lowest = (rng.random(4000) * (256 - chroma)).astype(int)
    middle = lowest + chroma * rng.integers(0, 11, 4000) // 10
    order = np.stack([lowest, middle, lowest + chroma], axis=-1)
    pixels = rng.permuted(order, axis=1).astype(np.uint8)[np.newaxis]
    np.testing.assert_array_equal(
        hue_histogram(pixels, bins=bins, compat=True), predecessor(pixels, bins)
    )


@pytest.mark.parametrize("seed", range(4))
def test_pictures_of_any_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 90)), int(rng.integers(1, 200)), 3)
    pixels = rng.integers(0, 256, shape, np.uint8)
    pixels[rng.random(shape[:2]) < 0.4] = 0
    np.testing.assert_array_equal(hue_histogram(pixels, compat=True), predecessor(pixels, 10))


def test_black_is_left_out_unless_compat() -> None:
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[:5] = (0, 0, 200)
    pixels[5, 0] = (NO_DATA_LEVEL, 0, 0)
    pixels[5, 1] = (NO_DATA_LEVEL + 1, 0, 0)
    found = hue_histogram(pixels)
    assert found.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found[[0, 6]], [1 / 51, 50 / 51])
    assert hue_histogram(pixels, compat=True)[0] == pytest.approx(0.5)


def test_it_is_plain_numpy_of_the_pixels_that_are_not_black() -> None:
    pixels = all_colours(17)
    counts = np.zeros(12)
    for red, green, blue in pixels.reshape(-1, 3) / 255:
        if max(red, green, blue) > NO_DATA_LEVEL / 255:
            hue = colorsys.rgb_to_hsv(red, green, blue)[0] * 12
            counts[int(np.floor(hue + 1e-9)) % 12] += 1
    found = hue_histogram(pixels, bins=12) * counts.sum()
    # Where a hue lies on an edge rounding may decide otherwise, as it may in colorsys.
    assert np.abs(found - counts).sum() < 0.05 * counts.sum()
    kept = pixels.reshape(1, -1, 3)[:, pixels.reshape(-1, 3).max(axis=1) > NO_DATA_LEVEL]
    np.testing.assert_allclose(hue_histogram(pixels, bins=12), predecessor(kept, 12), rtol=1e-12)


def test_a_black_picture_has_no_hue() -> None:
    assert not hue_histogram(np.zeros((4, 4, 3), np.uint8)).any()


@pytest.mark.parametrize("bins", [0, -3, 251])
def test_bins_out_of_range_are_refused(bins: int) -> None:
    with pytest.raises(UsageError, match=rf"bins {bins} is out of range: give 1 to 250"):
        hue_histogram(np.zeros((4, 4, 3), np.uint8), bins=bins)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="are no picture"):
        hue_histogram(np.zeros((4, 4, 4), np.uint8))
