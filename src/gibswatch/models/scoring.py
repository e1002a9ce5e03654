"""From features to scores: of rows, of patches, and of a whole day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gibswatch.features import patch_grid, pixel_scores
from gibswatch.models.calibration import Calibration
from gibswatch.models.rows.backbones import Backbone, BackboneDefinition
from gibswatch.models.rows.extraction import Definition, OfPatches, rows_of_scene
from gibswatch.models.rows.grids import PatchGrid
from gibswatch.models.targets import Target
from gibswatch.raster.scene import Scene
from gibswatch.types import FloatArray, Kind

__all__ = ["Judgement", "Scorer", "enlarged"]

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
    backbone: Backbone | None = None
    """The network before an estimator of its features."""

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

    @property
    def side(self) -> int | None:
        """Side in pixels of the patches that have scores; None if they have none of that kind."""
        if isinstance(self.definition, OfPatches):
            return self.definition.side
        return self.definition.patches.side if isinstance(self.definition, PatchGrid) else None

    @property
    def has_raster(self) -> bool:
        """Whether places of a picture have scores."""
        return self.side is not None or hasattr(self.estimator, "anomaly_map")

    @property
    def is_native(self) -> bool:
        """Whether pictures must have the resolution of those that were learned from."""
        return self.side is not None

    def patches(self, scene: Scene, side: int) -> NDArray[np.float64]:
        """Score each patch of a picture, as (patch rows, patch cols) ndarray of float64."""
        shape = scene.georeference.shape
        if self.side == side:
            return self._grid(scene).reshape(patch_grid(shape, side))
        rows, cols = (np.minimum(np.arange(n) * side + side // 2, size - 1) for n, size in
                      zip(patch_grid(shape, side), shape, strict=True))  # fmt: skip
        return np.asarray(self.raster(scene)[np.ix_(rows, cols)], dtype=np.float64)

    def raster(self, scene: Scene) -> NDArray[np.float32]:
        """Score each pixel, as (rows, cols) ndarray of float32: by its patch, or between vectors.

        Raises
        ------
        TypeError
            If places have no scores (`has_raster`).
        """
        shape = scene.georeference.shape
        scores = self._grid(scene).astype(np.float32)
        if self.side is None:
            return enlarged(scores, shape)
        grid = patch_grid(shape, self.side)
        return np.asarray(pixel_scores(scores.reshape(grid), shape, self.side), dtype=np.float32)

    def _grid(self, scene: Scene) -> NDArray[np.float64]:
        """Scores of the patches or vectors of a picture."""
        rows = self.rows_of(scene)
        if isinstance(self.definition, OfPatches):
            return self.rows(rows)
        if not hasattr(self.estimator, "anomaly_map"):
            raise TypeError("a model of whole pictures has no scores of places")
        found = np.asarray(self.estimator.anomaly_map(rows)[0], dtype=np.float64)
        if isinstance(self.definition, BackboneDefinition):
            return found.reshape(self.definition.grid)
        return found

    def rows_of(self, scene: Scene) -> NDArray[Any]:
        """Features of a picture."""
        return rows_of_scene(scene, self.definition, self.backbone)

    def judge(self, scene: Scene) -> Judgement:
        """Score a picture."""
        rows = self.rows_of(scene)
        scores = self.rows(rows)
        if isinstance(self.definition, OfPatches):
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


def enlarged(scores: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Bring a grid of scores to the pixels of a picture, straight lines between them."""
    rows, cols = shape
    image = Image.fromarray(np.ascontiguousarray(scores, dtype=np.float32))
    return np.asarray(image.resize((cols, rows), Image.Resampling.BILINEAR), dtype=np.float32)
