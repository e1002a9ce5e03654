"""The predecessor's two rules of one day together: holes, and clusters of odd hues."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.detect.baselines import gibs_ml, hole_rule
from gibswatch.detect.context import Context, Detection
from gibswatch.detect.hues.histogram import HueHistogram, HueNormals, day_hues
from gibswatch.detect.registry import get_method
from gibswatch.raster.observe import observe
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.types import BoolArray, ByteArray, Georeference, Kind

SHAPE = (120, 160)
HOLE, ODD = (slice(30, 50), slice(20, 50)), (slice(60, 90), slice(100, 140))


def scene_of(pixels: ByteArray) -> Scene:
    georeference = Georeference(4326, -20.0, 20.0, 0.25, 0.25, *pixels.shape[:2])
    return scene_from_picture(
        pixels, layer="VIIRS_SNPP_CorrectedReflectance_TrueColor", date=dt.date(2016, 4, 1),
        image_format="jpg", georeference=georeference, provenance="drawn",
    )  # fmt: skip


def earth(seed: int) -> ByteArray:
    grain = np.random.default_rng(seed).integers(0, 20, SHAPE)
    pixels = np.empty((*SHAPE, 3), dtype=np.uint8)
    pixels[:] = (20, 60, 120)
    pixels[..., 1] += grain.astype(np.uint8)
    return pixels


@pytest.fixture(scope="module")
def normals() -> HueNormals:
    histogram = HueHistogram(per_pixel=True)
    for seed in range(8):
        scene = scene_of(earth(seed))
        histogram.add(day_hues(scene, observe(scene)[1], places=True))
    return HueNormals(histogram)


def judge(method: str, pixels: ByteArray, normals: HueNormals | None) -> Detection:
    scene = scene_of(pixels)
    observation, black = observe(scene)
    context = Context(observation, hue_normals=normals)
    return get_method(method).detect(scene, black, None, context)


@pytest.mark.parametrize("method", ["gibs-ml", "gibs-ml-deviation"])
def test_a_hole_and_an_odd_square(normals: HueNormals, method: str) -> None:
    pixels = earth(99)
    pixels[HOLE], pixels[ODD] = 0, (220, 10, 215)
    found = judge(method, pixels, normals)
    masks = {region.kind: region.mask for region in found.regions}
    assert set(masks) == {Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION}
    assert masks[Kind.MISSING_UNEXPECTED][HOLE].all()
    assert masks[Kind.MISCOLORATION][ODD].all()
    assert not (masks[Kind.MISSING_UNEXPECTED] & masks[Kind.MISCOLORATION]).any()
    assert found.score == max(region.score for region in found.regions)


def test_each_rule_says_what_it_saw(normals: HueNormals) -> None:
    found = judge("gibs-ml", earth(98), normals)
    assert not found.regions
    assert found.note.split("; ") == [
        "no hole, 0.0% of the pixels are black",
        "0 pixels of a rare hue, none in a cluster",
    ]


def test_without_normal_days_the_hole_rule_is_left_and_it_is_said() -> None:
    pixels = earth(97)
    pixels[HOLE] = 0
    found = judge("gibs-ml", pixels, None)
    scene = scene_of(pixels)
    alone = hole_rule.detect(scene, *_rest(scene))
    assert [region.kind for region in found.regions] == [Kind.MISSING_UNEXPECTED]
    np.testing.assert_array_equal(found.regions[0].mask, alone.regions[0].mask)
    assert "colours not judged: no normal day" in found.note


def test_the_earlier_form_has_the_earlier_clusters(normals: HueNormals) -> None:
    """30 of the 37 pixels of a disk: a thin line is none, and was one for eps 15 and 20."""
    pixels = earth(96)
    pixels[60, 20:100] = (220, 10, 215)
    assert judge("gibs-ml", pixels, normals).regions
    scene = scene_of(pixels)
    observation, black = observe(scene)
    context = Context(observation, hue_normals=normals)
    found = gibs_ml.detect_by_deviation(scene, black, None, context)
    assert not any(region.mask[60, 20:100].any() for region in found.regions)


def _rest(scene: Scene) -> tuple[BoolArray, None, Context]:
    observation, black = observe(scene)
    return black, None, Context(observation)
