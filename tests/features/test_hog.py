"""HOG against the predecessor's definition, scikit-image, and plain NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from skimage.feature import hog as skimage_hog

from gibswatch.errors import UsageError
from gibswatch.features import hog
from gibswatch.types import ByteArray

Floats = NDArray[np.float64]


def noise(rows: int, cols: int, seed: int) -> ByteArray:
    return np.random.default_rng(seed).integers(0, 256, (rows, cols, 3), np.uint8)


def few_greys(rows: int, cols: int, seed: int) -> ByteArray:
    """Many gradients due north, south, east and west, and many that are none."""
    plane = noise(rows, cols, seed)[..., :1] // 64 * 9
    return np.repeat(plane, 3, axis=2)


def with_gap(rows: int, cols: int, seed: int) -> ByteArray:
    pixels = noise(rows, cols, seed)
    pixels[:, cols // 3 : cols // 2] = 0
    return pixels


PICTURES: tuple[Callable[[int, int, int], ByteArray], ...] = (noise, few_greys, with_gap)


def predecessor(pixels: ByteArray) -> Floats:
    """Work it out as gibs-ml's words have it: nine masks, a running mean of 8x8, read every 8."""
    grey = np.dot(pixels, [0.299, 0.587, 0.144])
    east, south = np.zeros(grey.shape), np.zeros(grey.shape)
    east[:, :-1] = grey[:, 1:] - grey[:, :-1]
    south[:-1, :] = grey[1:, :] - grey[:-1, :]
    size = np.sqrt(east**2 + south**2)
    degrees = np.arctan2(south, east + 1e-15) * (180 / np.pi) + 90
    bins = []
    for number in range(9):
        inside = (degrees >= 20 * number) & (degrees < 20 * number + 20) & (degrees > 0)
        bins.append(uniform_filter(np.where(inside, size, 0), 8)[4::8, 4::8])
    return np.stack(bins, axis=-1)


def by_numpy(pixels: ByteArray, cell: int) -> Floats:
    """Work out the repaired definition from whole planes, with an arc tangent."""
    grey = pixels @ np.array([299, 587, 114])
    east, south = np.zeros(grey.shape), np.zeros(grey.shape)
    east[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    south[1:-1] = grey[2:] - grey[:-2]
    turns = (np.degrees(np.arctan2(south, east)) % 180 // 20).astype(int) % 9
    rows, cols = (size // cell for size in grey.shape)
    found = np.zeros((rows, cols, 9))
    for number in range(9):
        size = np.where(turns == number, np.hypot(east, south), 0)[: rows * cell, : cols * cell]
        found[..., number] = size.reshape(rows, cell, cols, cell).mean(axis=(1, 3))
    return found / 1000


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("shape", [(64, 96), (8, 8), (44, 43), (16, 257)])
def test_compat_is_the_predecessors(
    picture: Callable[[int, int, int], ByteArray], shape: tuple[int, int]
) -> None:
    for seed in range(3):
        pixels = picture(*shape, seed)
        np.testing.assert_allclose(
            hog(pixels, compat=True), predecessor(pixels).ravel(), rtol=1e-9, atol=1e-9
        )


def test_compat_keeps_what_rounding_does_to_gradients_due_south() -> None:
    """Whether 90 degrees and a little less add up to 180 hangs on the size of the gradient."""
    kept = set()
    for step in range(1, 256):
        pixels = np.zeros((8, 8, 3), np.uint8)
        pixels[4:] = step
        found = hog(pixels, compat=True)
        np.testing.assert_allclose(found, predecessor(pixels).ravel(), rtol=1e-9)
        kept.add(bool(found.any()))
    assert kept == {True, False}


@pytest.mark.parametrize("picture", PICTURES)
def test_it_is_scikit_images_up_to_normalisation(
    picture: Callable[[int, int, int], ByteArray],
) -> None:
    pixels = picture(72, 100, 5)
    grey = (pixels @ np.array([299, 587, 114])).astype(float)
    theirs = skimage_hog(
        grey, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(1, 1), block_norm="L1"
    )
    ours = hog(pixels).reshape(-1, 9) * 1000
    ours /= ours.sum(axis=1, keepdims=True) + 1e-5
    np.testing.assert_allclose(ours.ravel(), theirs, rtol=1e-5, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(0, 99),
    st.sampled_from(PICTURES),
)  # fmt: skip
def test_kernel_is_plain_numpy(
    rows: int, cols: int, cell: int, seed: int, picture: Callable[[int, int, int], ByteArray]
) -> None:
    pixels, side = picture(rows, cols, seed), min(cell, rows, cols)
    found = hog(pixels, cell=side).reshape(rows // side, cols // side, 9)
    np.testing.assert_allclose(found, by_numpy(pixels, side), rtol=1e-9, atol=1e-12)


def test_no_direction_is_lost() -> None:
    """A ramp gives the same in all four directions of its axis; the predecessor drops half."""
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[np.newaxis, :, np.newaxis] * 3, 64, axis=0)
    east = np.repeat(ramp, 3, axis=2)
    west = np.ascontiguousarray(east[:, ::-1])
    np.testing.assert_array_equal(hog(east), hog(west))
    bins = hog(east).reshape(8, 8, 9)
    assert (bins[:, 1:-1, 0] == 6).all()
    assert not bins[..., 1:].any()
    assert (hog(east.transpose(1, 0, 2)).reshape(8, 8, 9)[1:-1, :, 4] == 6).all()
    assert hog(east, compat=True).any()
    assert not hog(west, compat=True).any()


def test_grey_is_as_bright_as_its_levels() -> None:
    """An edge of 100 levels: the repaired weights add up to 1, the predecessor's to 1.03."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, 4:] = 100
    assert hog(pixels).sum() == pytest.approx(2 * 100 / 8)
    assert hog(pixels, compat=True).sum() == pytest.approx(103 / 8)


@pytest.mark.parametrize("degrees", [20, 40, 60, 80])
def test_no_gradient_lies_on_an_edge_of_bins(degrees: int) -> None:
    """Nearest ratios to a tangent of whole numbers to 255,000: rounding is far from deciding."""
    tangent = math.tan(math.radians(degrees))
    most = int(255_000 / max(tangent, 1.0))
    nearest = Fraction(tangent).limit_denominator(most)
    distance = abs(nearest.numerator - Fraction(tangent) * nearest.denominator)
    assert distance > 1000 * np.spacing(255_000.0)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3)),
        np.zeros((0, 8, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(pixels: ByteArray) -> None:
    with pytest.raises(UsageError, match=r"are no picture: give \(rows, cols, 3\) of uint8"):
        hog(pixels)


@pytest.mark.parametrize("cell", [0, -1, 9])
def test_a_cell_that_does_not_fit_is_refused(cell: int) -> None:
    with pytest.raises(UsageError, match=rf"cell {cell} does not fit .* 8x20 pixels: give 1 to 8"):
        hog(np.zeros((8, 20, 3), np.uint8), cell=cell)


def test_a_slice_of_a_picture_counts_as_its_copy() -> None:
    pixels = noise(64, 64, 0)[::2, ::2]
    np.testing.assert_array_equal(hog(pixels), hog(pixels.copy()))
    np.testing.assert_array_equal(hog(pixels, compat=True), hog(pixels.copy(), compat=True))
