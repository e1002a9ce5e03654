"""One day to rows of features: one row a picture, or one a patch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import DecodeError, UsageError
from gibswatch.features import (
    FEATURE_VERSION,
    FeatureDefinition,
    FeatureKind,
    PatchDefinition,
    SkippedDay,
    extract,
    extract_patches,
    read_whole_scene,
)
from gibswatch.models.card import ModelCard
from gibswatch.models.patches import MaskPlace, PatchSampling, patch_classes, read_mask
from gibswatch.models.pooling import PooledDefinition, pool_gradients
from gibswatch.models.targets import Level
from gibswatch.raster.scene import Scene

__all__ = [
    "DayRows",
    "DayTask",
    "Definition",
    "definition_for",
    "definition_of",
    "rows_of_day",
    "rows_of_scene",
]

Definition = FeatureDefinition | PooledDefinition | PatchDefinition


@dataclass(frozen=True, slots=True, eq=False)
class DayRows:
    """Features and classes of one day."""

    date: dt.date
    features: NDArray[np.float32]
    """(r, n): one row of a picture, or one of each patch that was drawn."""
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


def definition_for(
    level: Level, shape: tuple[int, int], kind: FeatureKind, *, pool: bool = True
) -> Definition:
    """Choose the features of a level for pictures of a shape; `pool` is that of the gradients."""
    if level == "pixel":
        return PatchDefinition()
    definition = FeatureDefinition.for_shape(*shape, kind=kind)
    return PooledDefinition(definition) if pool and definition.hog_length else definition


def definition_of(card: ModelCard) -> Definition:
    """Read the features of a stored model.

    Raises
    ------
    UsageError
        If they are of another version than this code makes, or are none.
    """
    version = card.features.get("version")
    if version != FEATURE_VERSION:
        raise UsageError(
            f"the model was trained on features of version {str(version)[:20]}, this Gibswatch "
            f"makes version {FEATURE_VERSION}: train it again with `gibswatch train`"
        )
    definition = _record_of(card)
    if definition.length != card.n_features:
        raise UsageError(
            f"the model's card names features of length {definition.length} and a model of "
            f"{card.n_features}: the card was changed; train the model again"
        )
    return definition


def _record_of(card: ModelCard) -> Definition:
    if card.level == "pixel":
        return PatchDefinition.from_json(card.features)
    if "pool" in card.features:
        return PooledDefinition.from_json(dict(card.features))
    return FeatureDefinition.from_json(card.features)


def rows_of_scene(scene: Scene, definition: Definition) -> NDArray[np.float32]:
    """Features of a picture as (1, n) rows, or of its patches as (patches, n), row by row."""
    if isinstance(definition, PatchDefinition):
        return extract_patches(scene, definition).reshape(-1, definition.length)
    if isinstance(definition, PooledDefinition):
        return pool_gradients(extract(scene, definition.base), definition)[np.newaxis]
    return extract(scene, definition)[np.newaxis]


def rows_of_day(task: DayTask) -> DayRows | SkippedDay:
    """Work out the rows of one day, or say why it has none."""
    scene = read_whole_scene(task.root, task.layer, task.date, task.epsg)
    if isinstance(scene, SkippedDay):
        return scene
    if not isinstance(task.definition, PatchDefinition):
        rows = rows_of_scene(scene, task.definition)
        return DayRows(task.date, rows, np.array([task.day_class]))
    return _patches_of_day(task, scene, task.definition)


def _patches_of_day(
    task: DayTask, scene: Scene, definition: PatchDefinition
) -> DayRows | SkippedDay:
    if task.masks is None or task.sampling is None:
        raise ValueError("patches need masks and a sampling")
    try:
        mask: NDArray[Any] | None = read_mask(task.masks, task.date, scene.georeference.shape)
    except DecodeError as error:
        return SkippedDay(task.date, str(error))
    if mask is None and task.day_class != 0:
        return SkippedDay(task.date, "it has a code of a fault and no mask: run `gibswatch label`")
    classes = patch_classes(mask, scene.georeference.shape, definition.side, task.masks.target)
    drawn = task.sampling.draw(classes, task.date)
    return DayRows(task.date, rows_of_scene(scene, definition)[drawn], classes[drawn])
