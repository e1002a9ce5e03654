"""Stored models at work: scores of scenes, of an archive's days, and of pixels."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gibswatch.archive.reader import Archive
from gibswatch.errors import UsageError
from gibswatch.features import SkippedDay, read_whole_scene
from gibswatch.models.card import ModelCard
from gibswatch.models.rows.extraction import definition_of
from gibswatch.models.scoring import Scorer
from gibswatch.models.storage.store import read_model
from gibswatch.raster.scene import Scene
from gibswatch.types import Georeference, Kind

__all__ = ["DayScore", "LoadedModel", "load_model", "score_days", "score_scenes"]

ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class DayScore:
    """What a model says of one day."""

    date: dt.date | None
    score: float
    """Higher is more anomalous."""
    called: bool
    """Whether the score is over the model's threshold."""
    class_scores: dict[Kind, float] = field(default_factory=dict)
    """Of single kinds, from a model trained with ``--target multi``; empty else."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A stored model, ready to score pictures of its layer."""

    card: ModelCard
    scorer: Scorer

    @property
    def layer(self) -> str:
        """Identifier of the layer that it was trained on."""
        return self.card.layer

    @property
    def threshold(self) -> float:
        """A picture that scores more is called anomalous."""
        return self.card.threshold

    def score(self, scene: Scene) -> float:
        """Score a picture; higher is more anomalous.

        Raises
        ------
        UsageError
            If it is of another layer, projection, part of the map or, of a model of patches, size.
        """
        return self.judge(scene).score

    def judge(self, scene: Scene) -> DayScore:
        """Score a picture, and call it anomalous or not; raises as `score`."""
        self.check(scene)
        found = self.scorer.judge(scene)
        if not math.isfinite(found.score):
            raise UsageError(
                f"the model {self.card.model} gives no number for {scene.provenance}: train it "
                "again with `gibswatch train`"
            )
        called = found.score > self.threshold
        return DayScore(scene.date, found.score, called, found.class_scores)

    def score_raster(self, scene: Scene) -> NDArray[np.float32]:
        """Score each pixel, by a model of patches or of places.

        Returns
        -------
        (rows, cols) ndarray of float32

        Raises
        ------
        UsageError
            As `score`, or if it is a model of whole pictures.
        """
        if not self.scorer.has_raster:
            raise UsageError(
                f"{self.card.model} was trained on whole pictures and scores no pixels: train one "
                "with --level pixel, or a padim or patchcore"
            )
        self.check(scene)
        return self.scorer.raster(scene)

    def check(self, scene: Scene) -> None:
        """Refuse a picture that the model knows nothing of; raises as `score`."""
        if scene.layer != self.layer:
            raise UsageError(
                f"the model was trained on {self.layer}, the picture shows {scene.layer}: train "
                "one for this layer"
            )
        self.check_place(scene.georeference)

    def check_place(self, place: Georeference) -> None:
        """Refuse a part of the map, or a resolution, that the model knows nothing of.

        Raises
        ------
        UsageError
            As `score`.
        """
        grid = self.card.grid
        near = np.allclose(grid.bbox, place.bbox.as_tuple(), rtol=0, atol=place.pixel_width)
        if grid.epsg != place.epsg or not near:
            raise UsageError(
                f"the model was trained on {' '.join(f'{v:g}' for v in grid.bbox)} of "
                f"EPSG:{grid.epsg}, the picture shows {place.bbox} of EPSG:{place.epsg}: train "
                "one for this part of the map"
            )
        if self.scorer.is_native and place.shape != (grid.rows, grid.cols):
            raise UsageError(
                f"the model was trained on pictures of {grid.cols}x{grid.rows} pixels, this one "
                f"has {place.cols}x{place.rows}: give pictures of the same resolution"
            )


def load_model(path: Path | str, *, device: str = "auto") -> LoadedModel:
    """Load a model; nothing of its file is run.

    Parameters
    ----------
    path : path
        ``NAME.skops``, ``NAME.safetensors``, ``NAME.json`` or ``NAME``.
    device : {"auto", "cpu", "cuda"}
        For networks of PyTorch.

    Raises
    ------
    UsageError
        If a file is missing, damaged, hostile, of another version of Gibswatch, or made for
        features of another version.
    MissingExtraError
        If the extra that the model needs is not installed.
    """
    stored = read_model(Path(path), device=device)
    card = stored.card
    scorer = Scorer(
        stored.estimator, definition_of(card), card.target, card.classes, card.calibration,
        stored.backbone,
    )  # fmt: skip
    return LoadedModel(card, scorer)


def score_scenes(model: LoadedModel, scenes: Iterable[Scene]) -> Iterator[DayScore]:
    """Score pictures as they come; one is held at a time.

    Raises
    ------
    UsageError
        As `LoadedModel.score`.
    """
    for scene in scenes:
        yield model.judge(scene)


def score_days(
    model: LoadedModel,
    days: Collection[dt.date],
    *,
    root: Path,
    on_progress: ProgressCallback | None = None,
    on_scene: Callable[[Scene, DayScore], None] | None = None,
) -> Iterator[DayScore | SkippedDay]:
    """Score days of an archive, one picture held at a time.

    Parameters
    ----------
    model : LoadedModel
    days : collection of date
    root : Path
        The archive.
    on_progress : callable, optional
        Told (pass, done, total).
    on_scene : callable, optional
        Given each picture that was scored, and its score.

    Yields
    ------
    DayScore or SkippedDay
        The second for a day that cannot be read whole.

    Raises
    ------
    UsageError
        If the archive holds nothing of the model's layer, or another part of the map.
    """
    if not Archive(root).days(model.layer, model.card.grid.epsg):
        raise UsageError(
            f"{root} holds no day of {model.layer} in EPSG:{model.card.grid.epsg}, on which the "
            "model was trained: download some first (`gibswatch download`)"
        )
    for done, day in enumerate(sorted(days), start=1):
        scene = read_whole_scene(root, model.layer, day, model.card.grid.epsg)
        if isinstance(scene, SkippedDay):
            yield scene
        else:
            score = model.judge(scene)
            yield score
            if on_scene is not None:
                on_scene(scene, score)
        if on_progress is not None:
            on_progress("score", done, len(days))
