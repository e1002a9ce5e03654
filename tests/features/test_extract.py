"""Scenes to vectors: one length at any resolution, black kept apart, nothing loaded too early."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest

from gibswatch.errors import UsageError
from gibswatch.features import (
    FEATURE_VERSION,
    FeatureDefinition,
    FeatureKind,
    PatchDefinition,
    extract,
    extract_patches,
    hog,
    hue_histogram,
    patch_features,
    standard_picture,
)
from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture
from gibswatch.types import ByteArray, Georeference


def scene_of(pixels: ByteArray) -> Scene:
    rows, cols = pixels.shape[:2]
    return scene_from_picture(
        pixels,
        layer="MODIS_Terra_CorrectedReflectance_TrueColor",
        date=dt.date(2023, 8, 7),
        image_format="png" if pixels.shape[2] == 4 else "jpg",
        georeference=Georeference(4326, -180, 90, 360 / cols, 180 / rows, rows, cols),
        provenance="test",
    )


@pytest.fixture
def globe() -> ByteArray:
    """128x256 pixels of colours, a fifth of them in a gap."""
    pixels = np.random.default_rng(2).integers(9, 256, (128, 256, 3), np.uint8)
    pixels[:, 50:100] = 0
    return pixels


@pytest.mark.parametrize("compat", [False, True])
def test_a_vector_is_gradients_then_hues(globe: ByteArray, compat: bool) -> None:
    definition = FeatureDefinition(compat=compat)
    found = extract(scene_of(globe), definition)
    assert found.dtype == np.float32
    parts = hog(globe, compat=compat), hue_histogram(globe, compat=compat)
    np.testing.assert_array_equal(found, np.concatenate(parts).astype(np.float32))
    for kind, part in zip(("hog", "hue"), parts, strict=True):
        which: FeatureKind = "hog" if kind == "hog" else "hue"
        alone = extract(scene_of(globe), FeatureDefinition(which, compat=compat))
        np.testing.assert_array_equal(alone, part.astype(np.float32))


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_the_same_picture_at_any_resolution_has_the_same_vector(
    globe: ByteArray, factor: int
) -> None:
    fine = globe.repeat(factor, axis=0).repeat(factor, axis=1)
    definition = FeatureDefinition.for_shape(*fine.shape[:2])
    assert definition == FeatureDefinition()
    np.testing.assert_array_equal(
        extract(scene_of(fine), definition), extract(scene_of(globe), definition)
    )


def test_averaging_does_not_mix_black_into_imagery() -> None:
    """A gap that ends inside of cells: no pixel is darker than the imagery unless it is black."""
    pixels = np.full((256, 512, 3), 200, np.uint8)
    pixels[:, 101:202] = 0
    found = standard_picture(scene_of(pixels), 128, 256)
    assert set(np.unique(found)) == {0, 200}


def test_coarse_pictures_are_enlarged() -> None:
    pixels = np.random.default_rng(0).integers(9, 256, (64, 128, 3), np.uint8)
    found = standard_picture(scene_of(pixels), 128, 256)
    np.testing.assert_array_equal(found, pixels.repeat(2, axis=0).repeat(2, axis=1))


def test_what_a_png_layer_does_not_show_is_black(globe: ByteArray) -> None:
    alpha = np.full((*globe.shape[:2], 1), 255, np.uint8)
    alpha[:40] = 0
    shown = np.where(alpha == 0, np.uint8(0), globe)
    rgba = scene_of(np.concatenate([globe, alpha], axis=-1))
    definition = FeatureDefinition()
    np.testing.assert_array_equal(extract(rgba, definition), extract(scene_of(shown), definition))


def test_patches_at_the_pictures_own_resolution(globe: ByteArray) -> None:
    definition = PatchDefinition(side=48)
    found = extract_patches(scene_of(globe), definition)
    assert found.shape == (3, 6, definition.length)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, patch_features(globe, definition))


def test_pixels_that_were_never_had_are_not_black(globe: ByteArray) -> None:
    whole = scene_of(globe)
    state = whole.state.copy()
    state[:, 50:100] = STATE_CODES["failed"]
    part = Scene(whole.layer, whole.date, "jpg", globe, state, whole.georeference, whole.provenance)
    definition = PatchDefinition(side=128)
    black = definition.names().index("black")
    assert extract_patches(whole, definition)[0, 0, black] == pytest.approx(50 / 128)
    assert extract_patches(part, definition)[0, 0, black] == 0


def test_another_version_is_refused(globe: ByteArray) -> None:
    newer = FEATURE_VERSION + 1
    with pytest.raises(UsageError, match=f"version {newer} .* this Gibswatch makes version"):
        extract(scene_of(globe), FeatureDefinition(version=newer))
    with pytest.raises(UsageError, match=f"version {newer}"):
        extract_patches(scene_of(globe), PatchDefinition(version=newer))


def test_nothing_heavy_is_loaded_before_it_is_used() -> None:
    code = (
        "import sys, gibswatch.features, gibswatch.cli.features\n"
        "heavy = {'numba', 'pyarrow', 'matplotlib', 'skimage', 'sklearn'} & set(sys.modules)\n"
        "print(*heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
