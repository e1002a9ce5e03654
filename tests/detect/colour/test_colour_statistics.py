"""Chroma and what is usual: a gain is one shift at any brightness, medians shrug off one day."""

from __future__ import annotations

import numpy as np
import pytest

from gibswatch.detect.colour.statistics import (
    Chroma,
    chroma_of,
    learn_normals,
    observe_colour,
    with_places,
)
from gibswatch.types import ByteArray

_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))


def _shown(reflectance: float) -> int:
    return round(float(np.interp(reflectance / 1.1 * 255, *_KNOTS)))


def _sample(seed: int, green: float = 1.0) -> ByteArray:
    """Grey of all brightnesses, with noise, whose green is times a gain."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.05, 0.9, 20_000)
    tint = rng.normal(0.0, 0.02, (3, 20_000))
    bands = level * np.exp(tint) * np.array([[1.0], [green], [1.0]])
    return np.asarray(np.rint(np.interp(bands / 1.1 * 255, *_KNOTS)).astype(np.uint8).T)


def _chroma(pixels: ByteArray) -> Chroma:
    rng = np.random.default_rng(5)
    return chroma_of(pixels, rng.uniform(-180, 180, len(pixels)), rng.uniform(-9, 9, len(pixels)))


@pytest.mark.parametrize("reflectance", [0.3, 0.5, 0.8])
def test_a_gain_shifts_green_alike_at_any_brightness(reflectance: float) -> None:
    full, less = _shown(reflectance), _shown(0.8 * reflectance)
    pixels = np.array([[full, full, full], [full, less, full]], dtype=np.uint8)
    chroma = _chroma(pixels)
    assert chroma.green[0] == pytest.approx(0.0)
    assert chroma.green[1] == pytest.approx(np.log(0.8), abs=0.035)
    assert chroma.warm[1] == pytest.approx(0.0)


def test_normals_of_days_of_which_one_is_faulty_show_its_fault() -> None:
    sound = [observe_colour(_chroma(_sample(seed))) for seed in range(6)]
    faulty = _chroma(_sample(9, green=0.9))
    normals = learn_normals([*sound, observe_colour(faulty)])
    _, green, _ = normals.residuals(faulty)
    _, usual, _ = normals.residuals(_chroma(_sample(10)))
    assert np.median(green) == pytest.approx(np.log(0.9), abs=0.02)
    assert abs(np.median(usual)) < 0.005
    assert normals.units == 7


def test_a_colour_that_one_unit_alone_has_is_rare() -> None:
    units = [observe_colour(_chroma(_sample(seed))) for seed in range(6)]
    magenta = _chroma(np.tile(np.array([[250, 20, 250]], dtype=np.uint8), (500, 1)))
    normals = learn_normals([*units, observe_colour(magenta)])
    assert normals.residuals(magenta)[2].min() == pytest.approx(6.0)
    assert np.median(normals.residuals(_chroma(_sample(10)))[2]) < 3.0


def test_what_a_place_shows_every_day_is_no_residual() -> None:
    """Half of the places are always greener; the other half is as usual."""
    records = []
    for seed in range(6):
        pixels = _sample(seed)
        chroma = _chroma(pixels)
        odd = chroma.place_cell % 180 >= 90
        pixels[odd, 1] = _sample(seed, green=1.1)[odd, 1]
        chroma = _chroma(pixels)
        usual = learn_normals([observe_colour(chroma)])
        records.append(with_places(observe_colour(chroma), chroma, usual))
    placed = learn_normals(records)
    plain = learn_normals(records[:4])
    assert plain.places is None
    spread, less = (np.abs(n.residuals(chroma)[1][odd]).mean() for n in (plain, placed))
    assert less < 0.8 * spread
