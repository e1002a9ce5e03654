"""Tests of the report's colours: told apart with any colour vision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gibswatch.detect.context import REASON_CODES
from gibswatch.report.palette import KIND_COLOURS, REASON_COLOURS, REASON_WORDS, hex_colour
from gibswatch.types import Kind

# Machado, Oliveira and Fernandes 2009, severity 1.0; linear RGB.
_VISIONS = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.01182, 0.04294, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.3039],
        ]
    ),
}
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
)


def _lab(colour: tuple[int, int, int], vision: str) -> np.ndarray:
    """CIELAB (D65) of a colour as seen."""
    srgb = np.array(colour) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(_VISIONS[vision] @ linear, 0, 1)
    x, y, z = np.cbrt(np.maximum(_TO_XYZ @ seen / [0.95047, 1.0, 1.08883], 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", _VISIONS)
def test_reasons_are_told_apart(vision: str) -> None:
    """A distance of 2.3 is just noticeable."""
    for one, other in itertools.combinations(REASON_COLOURS, 2):
        first, second = (_lab(REASON_COLOURS[name], vision) for name in (one, other))
        assert np.linalg.norm(first - second) > 20, (one, other)


@pytest.mark.parametrize("vision", _VISIONS)
def test_what_nothing_explains_stands_out(vision: str) -> None:
    fault = _lab(REASON_COLOURS["unexpected"], vision)
    for name, colour in REASON_COLOURS.items():
        if name != "unexpected":
            assert np.linalg.norm(fault - _lab(colour, vision)) > 40, name


def test_every_reason_and_kind_has_a_colour_and_words() -> None:
    shown = set(REASON_CODES) - {"visible", "outside"}
    assert set(REASON_COLOURS) == set(REASON_WORDS) == shown
    assert set(KIND_COLOURS) == {int(kind) for kind in Kind}


def test_hex_colour() -> None:
    assert hex_colour((255, 78, 4)) == "#ff4e04"
