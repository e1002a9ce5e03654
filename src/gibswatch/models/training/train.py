"""Labelled days of an archive to a stored model."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gibswatch.features import SkippedDay
from gibswatch.models.card import EpochRecord, GridOfModel, ModelCard
from gibswatch.models.registry import find_model
from gibswatch.models.rows.backbones import BackboneDefinition, check_device, open_backbone
from gibswatch.models.rows.extraction import definition_for
from gibswatch.models.rows.matrix import FeatureMatrix, fill_matrix
from gibswatch.models.scoring import Scorer
from gibswatch.models.storage.store import model_paths, package_versions, save_model
from gibswatch.models.training._memory import peak_memory_mb
from gibswatch.models.training.checkpoints import TrainingFolder
from gibswatch.models.training.dataset import check_classes, read_days
from gibswatch.models.training.fitting import fit_estimator
from gibswatch.models.training.pretraining import given_weights, with_backbone
from gibswatch.models.training.request import (
    TrainingRun,
    TrainRequest,
    check_request,
    georeference_of,
    num_epochs_of,
    plan_of,
    tasks_of,
    training_rows,
)
from gibswatch.models.training.validation import Validation, judge_validation

__all__ = ["TrainResult", "train_model"]

ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What was trained."""

    path: Path
    """The file of weights; the card lies beside it."""
    card: ModelCard
    skipped: tuple[SkippedDay, ...]
    """Labelled days without a picture that can be read."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """An estimator and what it was fitted to."""

    estimator: Any
    matrix: FeatureMatrix
    training: int
    """Rows of the matrix that are training days'."""
    seconds: float
    history: tuple[EpochRecord, ...] = ()

    @property
    def classes(self) -> tuple[int, ...]:
        return tuple(int(number) for number in getattr(self.estimator, "classes_", (0,)))

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by split and class."""
        classes = self.matrix.classes
        parts = {"train": classes[: self.training], "val": classes[self.training :]}
        known = np.unique(classes).tolist()
        return {
            split: {str(number): int((part == number).sum()) for number in known}
            for split, part in parts.items()
        }


def train_model(request: TrainRequest, on_progress: ProgressCallback | None = None) -> TrainResult:
    """Train a model on the training days, choose its threshold on the validation days, store it.

    The test days are not opened.

    Parameters
    ----------
    request : TrainRequest
    on_progress : callable, optional
        Told (pass, done, total); passes are ``features``, ``train`` and ``score``.

    Raises
    ------
    UsageError
        If a class has no example in training or validation days (said before any picture is
        opened), there are no labels, or an option does not fit.
    MissingExtraError
        If the extra ``models`` is not installed.
    NothingFetchedError, ServerUnreachableError
        If weights cannot be had from their address.
    OutputError
        If a folder cannot be written, or another process trains there.
    """
    run, notes = _prepare(request)
    folder = TrainingFolder(run.stem.with_name(f"{run.stem.name}.training"))
    with folder.lock():
        return _train(_begin(run, folder, on_progress), notes, folder, on_progress)


def _begin(
    run: TrainingRun, folder: TrainingFolder, on_progress: ProgressCallback | None
) -> TrainingRun:
    """Make the folder ready; what an earlier run left is removed when nothing can be refused."""
    plan, resume = plan_of(run), run.request.resume
    goes_on = folder.check(plan, resume=resume, num_epochs=num_epochs_of(run))
    keeps = goes_on and folder.backbone.exists()
    given = None if keeps else given_weights(run, folder)
    folder.begin(plan, resume=resume)
    return with_backbone(run, folder, given, on_progress=on_progress)


def _train(
    run: TrainingRun,
    notes: tuple[str, ...],
    folder: TrainingFolder,
    on_progress: ProgressCallback | None,
) -> TrainResult:
    """Make rows, fit, judge and store."""
    request = run.request
    estimator = run.make_estimator()
    matrix = fill_matrix(folder.path, tasks_of(run), workers=run.workers, on_progress=on_progress)
    training = training_rows(run, matrix)
    began = time.perf_counter()
    history = fit_estimator(
        estimator, run.entry, matrix, training, folder=folder, resume=request.resume,
        on_progress=on_progress,
    )  # fmt: skip
    fitted = _Fitted(estimator, matrix, training, time.perf_counter() - began, history)
    judged = judge_validation(
        Scorer(estimator, run.definition, request.target, fitted.classes),
        run.days,
        matrix,
        training,
        calibrate=request.calibrate,
        shares=run.entry.shares,
        pixels=request.level == "pixel",
        on_progress=on_progress,
    )
    backbone = None if run.backbone is None else open_backbone(run.backbone)
    made = save_model(run.stem, estimator, _card(run, fitted, judged, notes), backbone)
    skipped = (*run.days.skipped, *matrix.skipped)
    del matrix, fitted  # the file that they map is removed
    folder.finish(epochs=run.entry.epochs)
    return TrainResult(model_paths(run.stem, run.entry.store)[0], made, skipped)


def _prepare(request: TrainRequest) -> tuple[TrainingRun, tuple[str, ...]]:
    """Check all that can be checked before a picture is opened; return notes too."""
    entry = find_model(request.model, request.level)
    check_request(request, entry)
    days = read_days(
        request.layer,
        request.target,
        root=request.root,
        epsg=request.epsg,
        labels=request.labels,
        split_by=request.split_by,
    )
    notes = check_classes(days, supervised=entry.supervised or request.calibrate)
    entry.load_class()
    georeference = georeference_of(days)
    kind = request.features or entry.inputs[0]
    definition = definition_for(
        request.level, georeference, kind, pool=request.pool, size=request.size
    )
    if isinstance(definition, BackboneDefinition) and not entry.supervised:
        definition = replace(definition, maps=True)  # what learns places needs them
    if entry.on_device or isinstance(definition, BackboneDefinition):
        check_device(request.device)
    return TrainingRun(request, entry, days, georeference, definition), notes


def _card(
    run: TrainingRun, fitted: _Fitted, judged: Validation, notes: tuple[str, ...]
) -> ModelCard:
    request, place = run.request, run.georeference
    early = "the solver stopped before its tolerance: give a larger max_iter in --params"
    stopped = () if getattr(fitted.estimator, "converged_", True) else (early,)
    return ModelCard(
        model=run.entry.name,
        level=request.level,
        target=request.target,
        layer=run.days.layer,
        grid=GridOfModel(place.epsg, place.rows, place.cols, place.bbox.as_tuple()),
        parameters={**run.entry.defaults, **request.parameters},
        seed=request.seed,
        features=run.definition.to_json(),
        n_features=run.definition.length,
        classes=fitted.classes,
        threshold=judged.threshold,
        file_bytes=0,
        file_sha256="0" * 64,
        data_sha256=run.days.sha256,
        split_by=run.days.split_by,
        counts=fitted.counts,
        metrics=judged.metrics,
        versions=package_versions(),
        calibration=judged.calibration,
        created=dt.datetime.now(dt.UTC).isoformat("T", "seconds"),
        training_s=round(fitted.seconds, 3),
        peak_memory_mb=round(peak_memory_mb(), 1),
        notes=(*notes, *run.backbone_notes, *stopped, *judged.notes),
        history=fitted.history,
        backbone="" if run.backbone is None else run.backbone.told,
    )
