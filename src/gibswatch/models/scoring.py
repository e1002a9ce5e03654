"""From features to scores: of rows, of patches, and of a whole day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.features import PatchDefinition, patch_grid, pixel_scores
from gibswatch.models.calibration import Calibration
from gibswatch.models.extraction import Definition, rows_of_scene
from gibswatch.models.targets import Target
from gibswatch.raster.scene import Scene
from gibswatch.types import FloatArray, Kind

__all__ = ["Judgement", "Scorer"]

_DAY_PATCHES = 8
"""A day of patches scores the mean of so many, the highest: a fault covers more than one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model says of one picture."""

    score: float
    """Higher is more anomalous."""
    class_scores: dict[Kind, float] = field(default_factory=dict)
    """Of single kinds, from a model trained with ``--target multi``."""


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A fitted estimator with what stands before and behind it."""

    estimator: Any
    definition: Definition
    target: Target
    classes: tuple[int, ...]
    calibration: Calibration | None = None

    def rows(self, features: FloatArray) -> NDArray[np.float64]:
        """Score rows of features.

        Parameters
        ----------
        features : (m, n) ndarray of float

        Returns
        -------
        (m,) ndarray of float64
            Calibrated, if the model is.
        """
        scores = np.asarray(self.estimator.anomaly_score(features), dtype=np.float64)
        return scores if self.calibration is None else np.asarray(self.calibration.apply(scores))

    def patches(self, scene: Scene) -> NDArray[np.float64]:
        """Score each patch of a picture, as (patch rows, patch cols) ndarray of float64."""
        if not isinstance(self.definition, PatchDefinition):
            raise TypeError("a model of whole pictures has no scores of patches")
        grid = patch_grid(scene.georeference.shape, self.definition.side)
        return self.rows(rows_of_scene(scene, self.definition)).reshape(grid)

    def raster(self, scene: Scene) -> NDArray[np.float32]:
        """Score each pixel by its patch, as (rows, cols) ndarray of float32."""
        if not isinstance(self.definition, PatchDefinition):
            raise TypeError("a model of whole pictures has no scores of pixels")
        shape = scene.georeference.shape
        scores = self.patches(scene).astype(np.float32)
        return np.asarray(pixel_scores(scores, shape, self.definition.side), dtype=np.float32)

    def judge(self, scene: Scene) -> Judgement:
        """Score a picture."""
        rows = rows_of_scene(scene, self.definition)
        scores = self.rows(rows)
        if len(scores) > 1 or isinstance(self.definition, PatchDefinition):
            return Judgement(float(np.sort(scores)[-_DAY_PATCHES:].mean()))
        return Judgement(float(scores[0]), self._by_class(rows))

    def _by_class(self, rows: FloatArray) -> dict[Kind, float]:
        """Score each kind of ``multi``: its probability, or its distance over the normal class's.

        Not calibrated: that maps the score of a day.
        """
        if self.target != "multi" or len(self.classes) < 2:
            return {}
        estimator = self.estimator
        if hasattr(estimator, "predict_proba"):
            values = np.asarray(estimator.predict_proba(rows)[0, 1:])
        elif len(self.classes) == 2:
            values = np.asarray(estimator.decision_function(rows))
        else:
            found = np.asarray(estimator.decision_function(rows)[0])
            values = found[1:] - found[0]
        return {Kind(n): float(v) for n, v in zip(self.classes[1:], values, strict=True)}
