"""Hues are those of matplotlib's formula, both ways (the benchmark tries all 2**24 colours)."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from gibswatch.detect.hues import counting as hue_counting
from gibswatch.detect.hues.counting import HUES, count_hues, hues, hues_by_numpy
from gibswatch.errors import UsageError
from gibswatch.types import ByteArray


def matplotlib_form(colours: ByteArray) -> NDArray[np.int64]:
    """Do what `matplotlib.colors.rgb_to_hsv` does, channel by channel, and cut to degrees."""
    unit = colours / 255
    top, chroma = unit.max(axis=-1), np.ptp(unit, axis=-1)
    turn = np.zeros(len(colours))
    for first, (one, other) in enumerate([(1, 2), (2, 0), (0, 1)]):
        here = (unit[:, first] == top) & (chroma > 0)
        turn[here] = 2.0 * first + (unit[here, one] - unit[here, other]) / chroma[here]
    return np.asarray((turn / 6.0) % 1.0 * 360).astype(np.int64)


@pytest.fixture(scope="module")
def colours() -> ByteArray:
    """Any colours, and those nearly grey, where rounding decides most often."""
    rng = np.random.default_rng(7)
    grey = rng.integers(0, 244, (60_000, 1)) + rng.integers(0, 13, (60_000, 3))
    steps = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), axis=-1).reshape(-1, 3)
    every = np.vstack([rng.integers(0, 256, (60_000, 3)), grey, steps])
    return every.astype(np.uint8)


def test_both_ways_are_the_formula(colours: ByteArray) -> None:
    expected = matplotlib_form(colours)
    np.testing.assert_array_equal(hues(colours[np.newaxis])[0], expected)
    np.testing.assert_array_equal(hues_by_numpy(colours), expected)
    exact = (60 * (colours.astype(int) @ [[0], [1], [-1]])[:, 0]) // np.maximum(
        np.ptp(colours.astype(int), axis=1), 1
    )
    red = (colours[:, 0] > colours[:, 1]) & (colours[:, 0] > colours[:, 2])
    below = (exact % HUES != expected) & red
    assert 0.001 < below.mean() < 0.1  # rounding does decide among these colours


def test_they_are_matplotlib(colours: ByteArray) -> None:
    from matplotlib.colors import rgb_to_hsv

    rival = (rgb_to_hsv(colours / 255)[:, 0] * 360).astype(int)
    np.testing.assert_array_equal(hues(colours[np.newaxis])[0], rival)


def test_counts(colours: ByteArray) -> None:
    picture = colours[:90_000].reshape(300, 300, 3)
    counted = np.random.default_rng(1).random((300, 300)) < 0.4
    found = hues(picture)
    np.testing.assert_array_equal(count_hues(picture), np.bincount(found.ravel(), minlength=HUES))
    part = np.bincount(found[counted], minlength=HUES)
    np.testing.assert_array_equal(count_hues(picture, counted), part)
    with_alpha = np.dstack([picture, np.full((300, 300), 9, np.uint8)])
    np.testing.assert_array_equal(count_hues(with_alpha[:, ::-1], counted[:, ::-1]), part)


def test_without_numba_nothing_is_missing(
    colours: ByteArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = colours[:90_000].reshape(300, 300, 3)
    counted = np.random.default_rng(2).random((300, 300)) < 0.4
    expected = hues(picture), count_hues(picture), count_hues(picture, counted)
    monkeypatch.setitem(sys.modules, "gibswatch.detect.hues._kernels", None)
    monkeypatch.delattr("gibswatch.detect.hues._kernels")
    wrapped = hue_counting._compiled_kernels.__wrapped__
    monkeypatch.setattr(hue_counting, "_compiled_kernels", wrapped)
    assert hue_counting._compiled_kernels() is None
    for one, other in zip(
        (hues(picture), count_hues(picture), count_hues(picture, counted)), expected, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_refuses_what_is_no_picture() -> None:
    with pytest.raises(UsageError, match="float64"):
        hues(np.zeros((2, 2, 3)))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="shape"):
        hues(np.zeros((2, 2), dtype=np.uint8))
    with pytest.raises(UsageError, match=r"\(2, 3\)"):
        count_hues(np.zeros((2, 2, 3), dtype=np.uint8), np.ones((2, 3), dtype=bool))
