"""One day to rows of features: one row a picture, or one a patch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import DecodeError, UsageError
from gibswatch.features import (
    FEATURE_VERSION,
    FeatureDefinition,
    PatchDefinition,
    PatchPixels,
    PicturePixels,
    SkippedDay,
    extract,
    extract_patches,
    patch_pixels,
    picture_pixels,
    read_whole_scene,
    standard_shape,
)
from gibswatch.models.card import ModelCard
from gibswatch.models.registry import Input, find_model
from gibswatch.models.rows.backbones import (
    Backbone,
    BackboneDefinition,
    BackboneFile,
    open_backbone,
)
from gibswatch.models.rows.grids import PatchGrid, grid_features
from gibswatch.models.rows.patches import MaskPlace, PatchSampling, known_mask, patch_classes
from gibswatch.models.rows.pooling import PooledDefinition, pool_gradients
from gibswatch.models.targets import Level
from gibswatch.raster.scene import Scene
from gibswatch.types import Georeference

__all__ = [
    "DayRows",
    "DayTask",
    "Definition",
    "OfPatches",
    "definition_for",
    "definition_of",
    "estimator_settings",
    "row_type",
    "rows_of_day",
    "rows_of_scene",
]

Definition = (
    FeatureDefinition
    | PooledDefinition
    | PatchDefinition
    | PicturePixels
    | PatchPixels
    | PatchGrid
    | BackboneDefinition
)
OfPatches = PatchDefinition | PatchPixels
"""Definitions by which each patch is a row of its own."""
_RECORDS: Mapping[str, type[PicturePixels | PatchPixels | PatchGrid | BackboneDefinition]] = {
    "pixels": PicturePixels,
    "patch-pixels": PatchPixels,
    "patch-grid": PatchGrid,
    "backbone": BackboneDefinition,
}
"""By what a card calls them; cards of vectors, which are older, have no such name."""


@dataclass(frozen=True, slots=True, eq=False)
class DayRows:
    """Features and classes of one day."""

    date: dt.date
    features: NDArray[Any]
    """(r, n) of `row_type`: one row of a picture, or one of each patch that was drawn."""
    classes: NDArray[np.int64]
    """(r,)."""


@dataclass(frozen=True, slots=True)
class DayTask:
    """One day to make rows of, as a worker is given it."""

    root: Path
    layer: str
    epsg: int
    date: dt.date
    day_class: int
    definition: Definition
    masks: MaskPlace | None = None
    """Where truth of pixels lies; only at pixel level."""
    sampling: PatchSampling | None = None
    backbone: BackboneFile | None = None


def definition_for(
    level: Level, place: Georeference, kind: Input, *, pool: bool = True, size: int = 256
) -> Definition:
    """Choose the features of a level.

    Parameters
    ----------
    level : {"image", "pixel"}
    place : Georeference
        Of the pictures.
    kind : str
        One of the model's inputs.
    pool : bool
        Whether gradients are pooled.
    size : int
        Longer side of the grid that pictures are averaged to, of pixels and backbone.
    """
    if level == "pixel":
        return PatchPixels() if kind == "pixels" else PatchDefinition()
    if kind == "pixels":
        return PicturePixels.of(place, size)
    if kind == "patches":
        return PatchGrid.of(place.shape)
    if kind == "backbone":
        return BackboneDefinition(*standard_shape(place.shape, size), maps=False)
    definition = FeatureDefinition.for_shape(*place.shape, kind=kind)
    return PooledDefinition(definition) if pool and definition.hog_length else definition


def row_type(definition: Definition) -> np.dtype[Any]:
    """Type of the numbers in a row."""
    of_pixels = isinstance(definition, PicturePixels | PatchPixels)
    return np.dtype(np.uint8 if of_pixels else "<f4")


def estimator_settings(definition: Definition) -> dict[str, Any]:
    """What an estimator must know of its rows, by the names of its constructor."""
    if isinstance(definition, PicturePixels):
        shape = (definition.rows, definition.cols)
        return {"picture_shape": shape, "wraps": definition.wraps}
    if isinstance(definition, PatchPixels):
        return {"picture_shape": (definition.side, definition.side), "patches": True}
    if isinstance(definition, PatchGrid) or (
        isinstance(definition, BackboneDefinition) and definition.maps
    ):
        return {"patch_length": definition.patch_length}
    return {}


def definition_of(card: ModelCard) -> Definition:
    """Read the features of a stored model.

    Raises
    ------
    UsageError
        If they are of another version than this code makes, are none, or none that the model learns
        from.
    """
    definition = _record_of(card)
    entry, kind = find_model(card.model), _kind_of(definition)
    places = isinstance(definition, BackboneDefinition) and definition.maps
    if kind not in entry.inputs or (kind == "backbone" and places == entry.supervised):
        raise UsageError(
            f"the model's card names features of {kind} such as {entry.name} does not learn from: "
            "the card was changed; train the model again"
        )
    if definition.length != card.n_features:
        raise UsageError(
            f"the model's card names features of length {definition.length} and a model of "
            f"{card.n_features}: the card was changed; train the model again"
        )
    return definition


def _kind_of(definition: Definition) -> Input:
    """Which of a model's inputs features are; those of patches hold gradients and hues."""
    if isinstance(definition, PicturePixels | PatchPixels):
        return "pixels"
    if isinstance(definition, PatchGrid):
        return "patches"
    if isinstance(definition, BackboneDefinition):
        return "backbone"
    if isinstance(definition, PatchDefinition):
        return "hog+hue"
    base = definition.base if isinstance(definition, PooledDefinition) else definition
    return base.kind


def _record_of(card: ModelCard) -> Definition:
    if "of" in card.features:
        record = _RECORDS.get(str(card.features["of"]))
        if record is None or (record is PatchPixels) != (card.level == "pixel"):
            raise UsageError(
                f"the model's card names features {str(card.features['of'])[:40]!r}, which a model "
                f"of level {card.level} has not: train it again with `gibswatch train`"
            )
        return record.from_json(card.features)
    version = card.features.get("version")
    if version != FEATURE_VERSION:
        raise UsageError(
            f"the model was trained on features of version {str(version)[:20]}, this Gibswatch "
            f"makes version {FEATURE_VERSION}: train it again with `gibswatch train`"
        )
    if card.level == "pixel":
        return PatchDefinition.from_json(card.features)
    if "pool" in card.features:
        return PooledDefinition.from_json(dict(card.features))
    return FeatureDefinition.from_json(card.features)


def rows_of_scene(
    scene: Scene, definition: Definition, backbone: Backbone | None = None
) -> NDArray[Any]:
    """Features of a picture as (1, n) rows, or of its patches as (patches, n), row by row."""
    if isinstance(definition, PatchDefinition):
        return extract_patches(scene, definition).reshape(-1, definition.length)
    if isinstance(definition, PatchPixels):
        return patch_pixels(scene, definition).reshape(-1, definition.length)
    return _row_of_scene(scene, definition, backbone)[np.newaxis]


def _row_of_scene(scene: Scene, definition: Definition, backbone: Backbone | None) -> NDArray[Any]:
    if isinstance(definition, PicturePixels):
        return picture_pixels(scene, definition).ravel()
    if isinstance(definition, PatchGrid):
        return grid_features(scene, definition)
    if isinstance(definition, BackboneDefinition):
        if backbone is None:
            raise ValueError("the features of a backbone need one")
        return backbone.rows(scene, definition)
    if isinstance(definition, PooledDefinition):
        return pool_gradients(extract(scene, definition.base), definition)
    if isinstance(definition, FeatureDefinition):
        return extract(scene, definition)
    raise TypeError(definition)


def rows_of_day(task: DayTask) -> DayRows | SkippedDay:
    """Work out the rows of one day, or say why it has none."""
    scene = read_whole_scene(task.root, task.layer, task.date, task.epsg)
    if isinstance(scene, SkippedDay):
        return scene
    if not isinstance(task.definition, OfPatches):
        backbone = None if task.backbone is None else open_backbone(task.backbone)
        rows = rows_of_scene(scene, task.definition, backbone)
        return DayRows(task.date, rows, np.array([task.day_class]))
    return _patches_of_day(task, scene, task.definition)


def _patches_of_day(task: DayTask, scene: Scene, definition: OfPatches) -> DayRows | SkippedDay:
    if task.masks is None or task.sampling is None:
        raise ValueError("patches need masks and a sampling")
    try:
        mask = known_mask(task.masks, task.date, scene.georeference.shape, task.day_class)
    except DecodeError as error:
        return SkippedDay(task.date, str(error))
    classes = patch_classes(mask, scene.georeference.shape, definition.side, task.masks.target)
    drawn = task.sampling.draw(classes, task.date)
    return DayRows(task.date, rows_of_scene(scene, definition)[drawn], classes[drawn])
