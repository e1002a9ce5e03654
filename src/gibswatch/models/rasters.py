"""Scores of pixels as GeoTIFF, and of patches beside the truth of their masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import OutputError, UsageError
from gibswatch.features import PatchDefinition
from gibswatch.files import atomic_path
from gibswatch.models.predict import LoadedModel
from gibswatch.models.rows.patches import patch_classes
from gibswatch.raster.scene import Scene
from gibswatch.types import BoolArray, ByteArray, Georeference

__all__ = ["score_patches", "write_score_raster"]


def score_patches(
    model: LoadedModel, scene: Scene, mask: ByteArray | None
) -> tuple[NDArray[np.float64], BoolArray]:
    """Score the patches of a picture, and say which of them its mask calls faulty.

    Parameters
    ----------
    model : LoadedModel
        Of patches or places.
    scene : Scene
    mask : (rows, cols) ndarray of uint8 or None
        Kind of each pixel, as `read_mask` gives it; None: nothing is wrong.

    Returns
    -------
    scores : (k,) ndarray of float64
        Of the patches that are wholly one or the other.
    faulty : (k,) ndarray of bool

    Raises
    ------
    UsageError
        If it is a model of whole pictures, or as `LoadedModel.score`.
    """
    if not model.scorer.has_raster:
        raise UsageError(
            f"{model.card.model} was trained on whole pictures and scores no patches: train one "
            "with --level pixel, or a padim or patchcore"
        )
    model.check(scene)
    shape, side = scene.georeference.shape, model.scorer.side or PatchDefinition().side
    classes = patch_classes(mask, shape, side, model.card.target)
    known = classes >= 0
    return model.scorer.patches(scene, side).ravel()[known], classes[known] > 0


def write_score_raster(path: Path, scores: NDArray[np.float32], georeference: Georeference) -> None:
    """Write scores of pixels as GeoTIFF, whole or not at all.

    Parameters
    ----------
    path : Path
    scores : (rows, cols) ndarray of float32
    georeference : Georeference

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    import rasterio  # noqa: PLC0415
    from rasterio import Affine  # noqa: PLC0415
    from rasterio.errors import RasterioError  # noqa: PLC0415

    g = georeference
    profile: dict[str, Any] = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "height": g.rows, "width": g.cols,
        "crs": f"EPSG:{g.epsg}", "compress": "deflate", "predictor": 3,
        "transform": Affine(g.pixel_width, 0.0, g.west, 0.0, -g.pixel_height, g.north),
    }  # fmt: skip
    try:
        with atomic_path(path) as temporary, rasterio.open(temporary, "w", **profile) as dataset:
            dataset.write(scores, 1)
    except RasterioError as error:
        raise OutputError(
            f"{path} cannot be written ({str(error)[:200]}): free some space, or name another "
            "folder"
        ) from error
