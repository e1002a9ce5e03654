"""The predecessor's labelling: rare or unusual hues in clusters, and nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from gibswatch.detect.hues.histogram import HueHistogram, HueNormals, day_hues
from gibswatch.detect.hues.rule import RARE_SHARE, HueRule, detect_hue
from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture
from gibswatch.types import BoolArray, ByteArray, Georeference, Kind

_SHAPE = (90, 120)
_SQUARE = (slice(30, 60), slice(50, 90))
_MAGENTA = (220, 10, 215)


def scene_of(pixels: ByteArray, degrees: float = 0.1) -> Scene:
    georeference = Georeference(4326, -180.0, 90.0, degrees, degrees, *pixels.shape[:2])
    return scene_from_picture(
        pixels, layer="A_Layer", date=dt.date(2023, 8, 7), image_format="jpg",
        georeference=georeference, provenance="drawn",
    )  # fmt: skip


def earth(seed: int, shape: tuple[int, int] = _SHAPE) -> ByteArray:
    """Draw blue sea on the left and brown land on the right, each of a few hues."""
    rng = np.random.default_rng(seed)
    grain = rng.integers(0, 20, shape)
    pixels = np.empty((*shape, 3), dtype=np.uint8)
    pixels[:] = np.array([20, 60, 120])
    pixels[:, shape[1] // 2 :] = (130, 100, 60)
    pixels[..., 1] += grain.astype(np.uint8)
    return pixels


def black_of(scene: Scene) -> BoolArray:
    return np.asarray(scene.pixels.max(axis=2) == 0)


def add_days(histogram: HueHistogram, shape: tuple[int, int] = _SHAPE, days: int = 6) -> None:
    for day in range(days):
        scene = scene_of(earth(day, shape))
        histogram.add(day_hues(scene, black_of(scene), places=histogram.per_pixel))


@pytest.fixture(scope="module")
def normal() -> HueNormals:
    histogram = HueHistogram(per_pixel=True)
    add_days(histogram)
    return HueNormals(histogram)


def test_a_square_of_a_rare_hue(normal: HueNormals) -> None:
    pixels = earth(99)
    pixels[_SQUARE] = _MAGENTA
    pixels[5, 5] = pixels[80, 10] = _MAGENTA  # alone: noise
    found = detect_hue(scene_of(pixels), np.zeros(_SHAPE, bool), normal)
    expected = np.zeros(_SHAPE, dtype=bool)
    expected[_SQUARE] = True
    (region,) = found.regions
    assert region.kind is Kind.MISCOLORATION
    np.testing.assert_array_equal(region.mask, expected)
    assert found.score == pytest.approx(1200 / 1220)
    said = "1200 pixels of a rare hue in 1 cluster(s), by the hues of 6 normal days"
    assert (found.note, region.reason) == (said, f"Miscoloration: {said}.")


def test_a_clean_day_and_lone_pixels(normal: HueNormals) -> None:
    clean = detect_hue(scene_of(earth(98)), np.zeros(_SHAPE, bool), normal)
    assert not clean.regions
    assert clean.score == 0.0
    pixels = earth(98)
    pixels[::30, ::30] = _MAGENTA
    lone = detect_hue(scene_of(pixels), np.zeros(_SHAPE, bool), normal)
    assert not lone.regions
    assert 0.0 < lone.score < 0.5


def test_a_known_hue_in_the_wrong_place(normal: HueNormals) -> None:
    """Land's hue on the sea is no rare one; mean and deviation of the place tell it."""
    pixels = earth(97)
    square = (slice(20, 50), slice(5, 40))
    pixels[square] = earth(96)[20:50, 70:105]
    scene, black = scene_of(pixels), np.zeros(_SHAPE, bool)
    assert not detect_hue(scene, black, normal).regions
    (region,) = detect_hue(scene, black, normal, HueRule("deviation", deviations=6.0)).regions
    assert region.mask[square].all()
    assert region.mask.sum() < 1.02 * 30 * 35
    (alone,) = detect_hue(scene, black, normal, HueRule("deviation")).regions
    assert alone.mask[square].all()  # six days a place: two deviations are passed by chance too


def test_mean_and_deviation_of_all_pixels() -> None:
    """Without places: over 40 degrees apart nothing is unusual, as in the notebook."""
    histogram = HueHistogram()
    add_days(histogram)
    mean, deviation = histogram.moments()
    assert mean.shape == ()
    assert deviation > 40
    pixels = earth(95)
    pixels[_SQUARE] = _MAGENTA
    black = np.zeros(_SHAPE, dtype=bool)
    found = detect_hue(scene_of(pixels), black, HueNormals(histogram), HueRule("deviation"))
    assert not found.regions


def test_black_is_not_suspect() -> None:
    histogram = HueHistogram()
    add_days(histogram)
    pixels = earth(1)
    pixels[45:60] = (9, 0, 9)  # dark, and observed black
    scene = scene_of(pixels)
    observed = np.zeros(_SHAPE, dtype=bool)
    observed[45:60] = True
    assert not detect_hue(scene, observed, HueNormals(histogram)).regions
    assert detect_hue(scene, np.zeros(_SHAPE, bool), HueNormals(histogram)).regions


def test_tiles_that_did_not_come_do_not_count(normal: HueNormals) -> None:
    pixels = earth(94)
    pixels[_SQUARE] = _MAGENTA
    state = np.full(_SHAPE, STATE_CODES["ok"], dtype=np.uint8)
    state[_SQUARE] = STATE_CODES["failed"]
    scene = replace(scene_of(pixels), state=state)
    assert not detect_hue(scene, np.zeros(_SHAPE, bool), normal).regions


def test_rare_is_a_share_of_the_pixels() -> None:
    """The notebook's 10,000 on its 891 days of 2048x1024."""
    histogram = HueHistogram()
    histogram.pixels = 891 * 2048 * 1024
    histogram.counts[:] = 10_000
    histogram.counts[7] = 9_999
    assert np.flatnonzero(histogram.is_rare(RARE_SHARE)).tolist() == [7]


def test_a_globe_is_judged_at_the_rules_size() -> None:
    """As the notebook does; the mask has the picture's pixels."""
    histogram = HueHistogram()
    scene = scene_of(earth(1, (180, 360)), 1.0)
    for _ in range(5):
        histogram.add(day_hues(scene, black_of(scene)))
    pixels = earth(2, (180, 360))
    pixels[50:60, 100:130] = _MAGENTA
    found = detect_hue(scene_of(pixels, 1.0), black_of(scene), HueNormals(histogram))
    (region,) = found.regions
    assert region.mask.sum() == 300
    assert region.mask[50:60, 100:130].all()


@pytest.mark.parametrize("kind", ["rare", "deviation"])
def test_a_day_among_the_normal_ones_is_left_out(kind: Literal["rare", "deviation"]) -> None:
    """Else a square of its own hue would make that hue a common one."""
    histogram = HueHistogram(per_pixel=kind == "deviation")
    add_days(histogram)
    pixels = earth(93)
    pixels[_SQUARE] = _MAGENTA
    scene, black = scene_of(pixels), np.zeros(_SHAPE, bool)
    histogram.add(day_hues(scene, black, places=True))
    rule = HueRule(kind, deviations=6.0)
    among = detect_hue(scene, black, HueNormals(histogram, itself=True), rule)
    (region,) = among.regions
    assert region.mask[_SQUARE].all()
    assert "6 normal days" in among.note
    assert not detect_hue(scene, black, HueNormals(histogram), rule).regions


def test_without_normal_days_or_colours_nothing_is_said(normal: HueNormals) -> None:
    scene = scene_of(earth(1))
    alone = HueHistogram()
    alone.add(day_hues(scene, black_of(scene)))
    for normals in (None, HueNormals(HueHistogram()), HueNormals(alone, itself=True)):
        found = detect_hue(scene, black_of(scene), normals)
        assert (found.score, found.regions) == (0.0, ())
        assert "no normal day" in found.note
    few = HueHistogram()
    add_days(few, days=4)
    found = detect_hue(scene, black_of(scene), HueNormals(few))
    assert found.note == "colours not judged: fewer than 5 normal days to count hues of"
    grey = replace(scene, pixels=scene.pixels[..., :1])
    assert "no colours" in detect_hue(grey, black_of(scene), normal).note


def test_places_of_another_size_cannot_judge(normal: HueNormals) -> None:
    scene = scene_of(earth(1, (50, 60)))
    found = detect_hue(scene, black_of(scene), normal, HueRule("deviation"))
    assert (found.score, found.regions) == (0.0, ())
    assert found.note == "colours not judged: the normal days are of another size"
