"""A training before it runs: what is asked for, what that means, and whether it can be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gibswatch.archive.reader import Archive
from gibswatch.archive.split import SplitMethod
from gibswatch.catalogue.windows import plan_grid
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import ArchiveError, UsageError
from gibswatch.features.pixels import LEAST_SIDE, MOST_SIDE
from gibswatch.models.registry import Input, ModelEntry
from gibswatch.models.rows.backbones import BackboneFile
from gibswatch.models.rows.extraction import DayTask, Definition, estimator_settings
from gibswatch.models.rows.matrix import FeatureMatrix
from gibswatch.models.rows.patches import MaskPlace, PatchSampling
from gibswatch.models.storage.store import package_versions
from gibswatch.models.targets import Level, Target, class_name
from gibswatch.models.training.dataset import LabelledDays
from gibswatch.types import Georeference

__all__ = [
    "TrainRequest",
    "TrainingRun",
    "check_request",
    "georeference_of",
    "num_epochs_of",
    "plan_of",
    "tasks_of",
    "training_rows",
]

_MOST_SEED = 2**32 - 1
_MOST_STEPS = 10**6
_FEWEST_PATCHES, _MOST_PATCHES = 100, 10_000_000


_CAUTIONS = {
    "ImageNet": "the network learned from photographs of ImageNet, which are unlike pictures of "
    "the Earth from space: what it sees best may not be what is wrong here",
    "self-supervised": "no ImageNet weights: the network learned from the training days themselves",
}
_UNKNOWN = "what the network learned from is unknown: its file does not say"


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What is to be trained."""

    layer: str
    model: str
    """Name in the registry."""
    target: Target = "any"
    level: Level = "image"
    root: Path = Path("data")
    epsg: int = 4326
    labels: Path | None = None
    """Default: the archive's own label file."""
    features: Input | None = None
    """Of whole pictures; None: what the model learns from by default."""
    pool: bool = True
    """Whether gradients are pooled over the picture; else each place has its own, as gibs-ml's."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    calibrate: bool = False
    resume: bool = False
    out: Path = Path("models")
    """Folder of the model."""
    masks: Path | None = None
    """Folder of masks, at pixel level; default: the archive's own."""
    max_patches: int = 100_000
    split_by: SplitMethod | None = None
    """How the days were split; default: found out."""
    workers: int | None = 1
    weights: str | None = None
    """Of DenseNet-121: a path, a URL, or ``self``; only for features of the backbone."""
    self_steps: int = 200
    """Batches from which DenseNet-121 learns by itself, with ``--weights self``."""
    size: int = 256
    """Longer side of the grid that pictures are averaged to, for pixels and backbone."""
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A request and what was read for it."""

    request: TrainRequest
    entry: ModelEntry
    days: LabelledDays
    georeference: Georeference
    definition: Definition
    backbone: BackboneFile | None = None
    """Set when its weights are there."""

    @property
    def features(self) -> Input:
        """What is learned from."""
        return self.request.features or self.entry.inputs[0]

    @property
    def workers(self) -> int | None:
        """Processes that make rows: PyTorch uses all cores by itself."""
        return 1 if self.features == "backbone" else self.request.workers

    @property
    def backbone_notes(self) -> tuple[str, ...]:
        """What the card says of the network before the estimator."""
        return () if self.backbone is None else (_CAUTIONS.get(self.backbone.trained_on, _UNKNOWN),)

    def make_estimator(self) -> Any:
        """Make the unfitted estimator for these rows."""
        given = estimator_settings(self.definition)
        given |= {"device": self.request.device} if self.entry.on_device else {}
        return self.entry.make(self.request.parameters, self.request.seed, **given)

    @property
    def stem(self) -> Path:
        """Name that all files of the model share."""
        parts = [self.days.layer, self.entry.name, self.request.target]
        parts += ["pixel"] if self.request.level == "pixel" else []
        parts += ["backbone"] if self.features == "backbone" and len(self.entry.inputs) > 1 else []
        parts += [str(self.days.epsg)] if self.days.epsg != 4326 else []
        return self.request.out / "_".join(parts)


def check_request(request: TrainRequest, entry: ModelEntry) -> None:
    """Refuse options that do not go together, before anything is read.

    Raises
    ------
    UsageError
        With the option to change.
    """
    if not 0 <= request.seed <= _MOST_SEED:
        raise UsageError(f"--seed {request.seed} is none: give a number from 0 to {_MOST_SEED}")
    if not _FEWEST_PATCHES <= request.max_patches <= _MOST_PATCHES:
        raise UsageError(
            f"--max-patches {request.max_patches} is out of range: give {_FEWEST_PATCHES} to "
            f"{_MOST_PATCHES}"
        )
    if request.masks is not None and request.level != "pixel":
        raise UsageError("--masks says what pixels show: give --level pixel too")
    if request.masks is not None and not request.masks.is_dir():
        raise UsageError(f"--masks {request.masks} is no folder: give one of masks")
    if request.calibrate and request.level == "pixel":
        raise UsageError("--calibrate is for whole pictures: leave it or --level pixel out")
    _check_input(request, entry)
    if request.target == "multi" and not entry.supervised:
        raise UsageError(
            f"{entry.name} learns from normal days alone and tells no kinds: give --target any"
        )


def _check_input(request: TrainRequest, entry: ModelEntry) -> None:
    """Refuse features that the model has not, and weights where there is nothing to weigh."""
    features = request.features or entry.inputs[0]
    if features not in entry.inputs:
        raise UsageError(
            f"{entry.name} does not learn from {features}: give --features "
            f"{' or '.join(entry.inputs)}"
        )
    if not LEAST_SIDE <= request.size <= MOST_SIDE:
        raise UsageError(
            f"--size {request.size} is out of range: give {LEAST_SIDE} to {MOST_SIDE} pixels"
        )
    if not 1 <= request.self_steps <= _MOST_STEPS:
        raise UsageError(
            f"--self-steps {request.self_steps}: give a number from 1 to {_MOST_STEPS}"
        )
    if features == "backbone" and not request.weights:
        from gibswatch.models.deep.weight_source import OFFICIAL_URL  # noqa: PLC0415

        raise UsageError(
            f"{entry.name} on features of DenseNet-121 needs its weights: give --weights FILE or "
            f"URL (the official ones: {OFFICIAL_URL}), or --weights self to learn them from the "
            "training days"
        )
    if features != "backbone" and request.weights:
        raise UsageError(
            f"--weights are of DenseNet-121, which {entry.name} does not use: leave it"
        )


def georeference_of(days: LabelledDays) -> Georeference:
    """Where the pixels of the archive's pictures lie."""
    grid = Archive(days.root).grid(days.layer, days.epsg)
    if grid is None:
        raise ArchiveError(f"{days.root} has no grid of {days.layer}: run `gibswatch verify`")
    return plan_grid(grid, find_picture_layer(days.layer).matrix_set(grid.epsg)).georeference


def num_epochs_of(run: TrainingRun) -> float | None:
    """Most epochs that the training may have; None for a model without epochs."""
    return {**run.entry.defaults, **run.request.parameters}.get("num_epochs")


def plan_of(run: TrainingRun) -> dict[str, Any]:
    """All that decides what comes out, but the number of epochs, to which more may be added."""
    request = run.request
    parameters = {**run.entry.defaults, **request.parameters}
    parameters.pop("num_epochs", None)
    versions = package_versions()
    return {
        "model": run.entry.name,
        "level": request.level,
        "target": request.target,
        "layer": run.days.layer,
        "days": run.days.sha256,
        "features": run.definition.to_json(),
        "params": parameters,
        "seed": request.seed,
        "masks": str(request.masks) if request.masks else None,
        "max_patches": request.max_patches if request.level == "pixel" else None,
        "device": request.device if run.entry.on_device else None,
        "weights": request.weights,
        "self_steps": request.self_steps if request.weights == "self" else None,
        "versions": {name: versions.get(name) for name in ("numpy", "scikit-learn", "torch")},
    }


def tasks_of(run: TrainingRun) -> list[DayTask]:
    """Training days, only the normal ones for a model that learns from them; validation days."""
    request, days = run.request, run.days
    train = [day for day in days.of("train") if run.entry.supervised or day.number == 0]
    wanted = [*train, *days.of("val")]
    masks = sampling = None
    if request.level == "pixel":
        masks = MaskPlace(days.root, days.layer, days.epsg, request.target, request.masks)
        per_class = max(1, request.max_patches // (2 * len(wanted)))
        sampling = PatchSampling(per_class, request.seed)
    return [
        DayTask(
            days.root,
            days.layer,
            days.epsg,
            day.date,
            day.number,
            run.definition,
            masks,
            sampling,
            run.backbone,
        )
        for day in wanted
    ]


def training_rows(run: TrainingRun, matrix: FeatureMatrix) -> int:
    """Count the rows of training days, which are the first.

    Raises
    ------
    UsageError
        If a class lost all its rows to damaged pictures, or no mask shows it.
    """
    dates = np.array([day.date for day in run.days.of("train")], dtype="M8[D]")
    training = int(np.isin(matrix.dates, dates).sum())
    found = np.unique(matrix.classes) if run.entry.supervised else np.array([0])
    parts = {"train": matrix.classes[:training], "val": matrix.classes[training:]}
    for split, classes in parts.items():
        for number in {0, *found.tolist()}:
            if number not in classes:
                what = "patch" if run.request.level == "pixel" else "picture"
                raise UsageError(
                    f"no {what} of the {split} days that can be read is "
                    f"{class_name(number, run.request.target)} ({len(matrix.skipped)} days "
                    f"skipped): `gibswatch verify {run.days.layer}` mends pictures, `gibswatch "
                    "label` makes masks"
                )
    if run.entry.supervised and len(found) < 2:
        raise UsageError(
            f"no mask shows a patch that is {run.request.target}: make masks with "
            "`gibswatch label`, or name a folder with --masks"
        )
    return training
