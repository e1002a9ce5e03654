"""Where in a picture a model sees a fault: its own scores of places, or Grad-CAM of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import picture_pixels, standard_picture
from gibswatch.features.pixels import PicturePixels
from gibswatch.models.predict import LoadedModel
from gibswatch.models.rows.backbones import BackboneDefinition
from gibswatch.models.scoring import enlarged
from gibswatch.raster.scene import Scene

__all__ = ["HeatMap", "can_explain", "check_explains", "explain"]

HeatSource = Literal["Grad-CAM", "scores of places"]


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """How much each pixel speaks for a fault."""

    values: NDArray[np.float32]
    """(rows, cols) 0-1: 0 speaks for none; one half is where a day begins to be called."""
    source: HeatSource


def can_explain(model: LoadedModel) -> bool:
    """Whether a model can say where it sees a fault: one of vectors of whole pictures cannot."""
    kinds = PicturePixels | BackboneDefinition
    return model.scorer.has_raster or isinstance(model.scorer.definition, kinds)


def check_explains(model: LoadedModel) -> None:
    """Refuse a model that cannot say where it sees a fault, before any picture is read.

    Raises
    ------
    UsageError
        If it cannot.
    """
    if not can_explain(model):
        raise UsageError(
            f"{model.card.model} learns from one vector of the whole picture and cannot say where "
            "a fault lies: train a cnn, densenet, padim, patchcore, or a model with --level pixel"
        )


def explain(model: LoadedModel, scene: Scene) -> HeatMap:
    """Say where in a picture a model sees a fault.

    Parameters
    ----------
    model : LoadedModel
    scene : Scene

    Raises
    ------
    UsageError
        If the model cannot say it, or as `LoadedModel.score`.
    """
    check_explains(model)
    model.check(scene)
    if model.scorer.has_raster:
        return HeatMap(_of_places(model, scene), "scores of places")
    return HeatMap(_of_network(model, scene), "Grad-CAM")


def _of_places(model: LoadedModel, scene: Scene) -> NDArray[np.float32]:
    """Scores over what is usual in this picture, the threshold of days as one half.

    A day's score is the mean of its highest places, so its threshold is a measure of them.  A hole
    may score a hundred times as much as a colour that is off: both are to be seen.
    """
    scores = model.scorer.raster(scene).astype(np.float64)
    usual = float(np.median(scores))
    half = model.threshold - usual
    if half <= 0:  # most of the picture is over the threshold
        half = max(float(scores.max()) - usual, 1e-12)
    over = np.maximum(scores - usual, 0.0) / half
    return np.asarray(over / (1.0 + over), dtype=np.float32)


def _of_network(model: LoadedModel, scene: Scene) -> NDArray[np.float32]:
    """Grad-CAM, times how sure the network is: the map of a normal day is dark."""
    scorer, definition = model.scorer, model.scorer.definition
    if isinstance(definition, PicturePixels):
        rows: NDArray[Any] = picture_pixels(scene, definition).reshape(1, -1)
        small = scorer.estimator.heat_map(rows)
    elif isinstance(definition, BackboneDefinition) and scorer.backbone is not None:
        picture = standard_picture(scene, definition.rows, definition.cols)[np.newaxis]
        maps = scorer.backbone.last_map(picture)[0]
        rows = scorer.backbone.pooled(picture)
        # Of a layer on averages Grad-CAM is the maps, weighted by that layer (Zhou et al. 2016).
        found = np.tensordot(scorer.estimator.class_weights(), maps.astype(np.float64), axes=1)
        positive = np.maximum(found, 0.0)
        small = positive / max(float(positive.max()), 1e-12)
    else:
        raise TypeError(definition)
    sure = float(scorer.estimator.anomaly_score(rows)[0])
    shape = scene.georeference.shape
    return np.clip(enlarged(np.asarray(small * sure, np.float32), shape), 0.0, 1.0)
