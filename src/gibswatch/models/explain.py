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

_LEAST = 1e-12
"""Shares nearer to 0 or 1 are taken for this near, so that they have odds."""
_UNDER_HALF = np.nextafter(np.float32(0.5), np.float32(0.0))


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """How much each pixel speaks for a fault."""

    values: NDArray[np.float32]
    """(rows, cols) 0-1: 0 speaks for none; one half is where a day begins to be called.

    Grad-CAM: the highest is at least one half on a day that the model calls, and less on any other,
    or all is 0 where nothing speaks for a fault.  Scores of places: so in the main, for a day
    scores the mean of its highest places."""
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
    """Grad-CAM, the highest of which says how sure the model is (`_peak`)."""
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
        small = np.maximum(found, 0.0)
    else:
        raise TypeError(definition)
    large = enlarged(np.asarray(small, np.float32), scene.georeference.shape)
    highest = float(large.max())
    if highest <= 0:
        return np.zeros_like(large)
    peak = _peak(float(scorer.rows(rows)[0]), model.threshold)
    return np.asarray(np.clip(large / highest, 0.0, 1.0) * peak, dtype=np.float32)


def _peak(score: float, threshold: float) -> np.float32:
    """Say how hot the hottest place of a day is.

    ``over / (1 + over)``, as of places, where `over` is the odds of the score over those of the
    threshold: a network's score is a share, and over a threshold of 0.7 the score itself could
    rise by less than a half.  So 0 has no heat, the threshold one half, and 1 full heat, without a
    step; and a day that is not called stays under one half, whatever is rounded.

    Parameters
    ----------
    score : float
        0-1, calibrated if the model is.
    threshold : float
        A day that scores more is called.

    Examples
    --------
    >>> [round(float(_peak(score, 0.7)), 2) for score in (0.0, 0.35, 0.69, 0.71, 0.9, 1.0)]
    [0.0, 0.19, 0.49, 0.51, 0.79, 1.0]
    """
    share, half = np.clip([score, threshold], _LEAST, 1.0 - _LEAST)
    over = (share / (1.0 - share)) * ((1.0 - half) / half)
    peak = np.float32(over / (1.0 + over))
    return peak if score > threshold else min(peak, _UNDER_HALF)
