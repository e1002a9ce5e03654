"""A scene to a vector, or to a vector a patch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features.definition import FEATURE_VERSION, FeatureDefinition, PatchDefinition
from gibswatch.features.hog import hog
from gibswatch.features.hue import hue_histogram
from gibswatch.features.patches import patch_features
from gibswatch.raster.averaging import area_average
from gibswatch.raster.scene import Scene
from gibswatch.types import ByteArray

__all__ = ["extract", "extract_patches", "rgb_of", "standard_picture"]


def extract(scene: Scene, definition: FeatureDefinition) -> NDArray[np.float32]:
    """Work out the features of a whole picture.

    Parameters
    ----------
    scene : Scene
        Of any resolution; a fourth band decides what is black.  That all of it is usable is the
        caller's care: what was never fetched is black.
    definition : FeatureDefinition

    Returns
    -------
    (definition.length,) ndarray of float32
        In the order of `FeatureDefinition.names`.

    Raises
    ------
    UsageError
        If the definition is of another version than this code.
    """
    _check_version(definition.version)
    picture = standard_picture(scene, definition.rows, definition.cols)
    compat = definition.compat
    parts: list[NDArray[np.float64]] = []
    if definition.kind != "hue":
        parts.append(hog(picture, cell=definition.cell, compat=compat))
    if definition.kind != "hog":
        parts.append(hue_histogram(picture, bins=definition.bins, compat=compat))
    return np.concatenate(parts).astype(np.float32)


def extract_patches(scene: Scene, definition: PatchDefinition) -> NDArray[np.float32]:
    """Work out the features of each patch of a picture, at the picture's own resolution.

    Parameters
    ----------
    scene : Scene
        Pixels that are not usable count for nothing.
    definition : PatchDefinition

    Returns
    -------
    (patch rows, patch cols, definition.length) ndarray of float32
        As `gibswatch.features.patches.patch_features`.

    Raises
    ------
    UsageError
        If the definition is of another version than this code.
    """
    _check_version(definition.version)
    return patch_features(rgb_of(scene), definition, scene.usable)


def standard_picture(scene: Scene, rows: int, cols: int) -> ByteArray:
    """Average a picture to a grid, imagery and black kept apart.

    Parameters
    ----------
    scene : Scene
    rows, cols : int
        Of the grid, which covers the same box.

    Returns
    -------
    (rows, cols, 3) ndarray of uint8
    """
    pixels = rgb_of(scene)
    if pixels.shape[:2] == (rows, cols):
        return pixels
    edges = [
        np.linspace(0, size, count + 1)
        for size, count in zip(pixels.shape, (rows, cols), strict=False)
    ]
    return area_average(pixels, *edges)


def rgb_of(scene: Scene) -> ByteArray:
    """RGB of a picture, (rows, cols, 3) uint8; where a PNG layer shows nothing, black."""
    pixels = scene.pixels
    if pixels.shape[2] == 3:
        return pixels
    return np.where(pixels[..., 3:] == 0, np.uint8(0), pixels[..., :3])


def _check_version(version: int) -> None:
    if version != FEATURE_VERSION:
        raise UsageError(
            f"features of version {version} cannot be worked out: this Gibswatch makes version "
            f"{FEATURE_VERSION}; make the table or the model anew"
        )
