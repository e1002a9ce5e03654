"""The card beside a model: everything about it that is no weight, as JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from gibswatch.archive.split import SplitMethod
from gibswatch.errors import UsageError
from gibswatch.models.calibration import Calibration
from gibswatch.models.registry import find_model
from gibswatch.models.targets import LEVELS, TARGETS, Level, Target
from gibswatch.types import EPSG_CODES, Kind

__all__ = [
    "SCHEMA_VERSION", "EpochRecord", "GridOfModel", "ModelCard", "card_to_bytes", "read_card",
]  # fmt: skip

SCHEMA_VERSION = 1
_MAX_BYTES = 2**20
_MAX_FEATURES = 10_000_000
_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class GridOfModel:
    """Pixels of the pictures that a model was trained on."""

    epsg: int
    rows: int
    cols: int
    bbox: tuple[float, float, float, float]
    """West, south, east, north; units of the projection."""


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """How far one epoch came."""

    epoch: int
    """From 1."""
    loss: float
    """Mean over the training rows, as they were varied."""
    average_precision: float
    """Of the validation rows."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a stored model."""

    model: str
    """Name in the registry."""
    level: Level
    target: Target
    layer: str
    grid: GridOfModel
    parameters: Mapping[str, float]
    """Of the estimator."""
    seed: int
    features: Mapping[str, Any]
    """The feature definition, with its version."""
    n_features: int
    classes: tuple[int, ...]
    """The first is the normal one; only that one for a model that learns from normal days."""
    threshold: float
    """A day that scores more is called anomalous."""
    file_bytes: int
    file_sha256: str
    """Of the file of weights."""
    data_sha256: str
    """Of dates, splits, classes and pictures of the days learned from."""
    split_by: SplitMethod | None
    """How the days were split; None if unknown."""
    counts: Mapping[str, Mapping[str, int]]
    """Days (patches) by split and class."""
    metrics: Mapping[str, float]
    """On validation days."""
    versions: Mapping[str, str]
    """Of the packages that made it."""
    calibration: Calibration | None = None
    created: str = ""
    """UTC, ISO 8601."""
    training_s: float = 0.0
    peak_memory_mb: float = 0.0
    notes: tuple[str, ...] = ()
    history: tuple[EpochRecord, ...] = ()
    """Of a model that trains in epochs."""
    backbone: str = ""
    """Where the weights of DenseNet-121 come from; empty for a model without it."""
    schema_version: int = field(default=SCHEMA_VERSION)


def card_to_bytes(card: ModelCard) -> bytes:
    """Give the card as JSON."""
    return (json.dumps(asdict(card), indent=1, allow_nan=False) + "\n").encode()


def read_card(path: Path) -> ModelCard:
    """Read and check a card.

    Raises
    ------
    UsageError
        If it is not there, is damaged, of another version of Gibswatch, or has a value out of its
        range.
    """
    document = _read_json(path)
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path} is a card of version {str(version)[:20]}, this Gibswatch reads version "
            f"{SCHEMA_VERSION}: update Gibswatch, or train the model again"
        )
    try:
        card = _card_of(document)
        _check(card)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        if isinstance(error, UsageError):
            raise UsageError(f"{path}: {error}") from error
        raise UsageError(
            f"{path} is damaged ({type(error).__name__}: {str(error)[:80]}): train the model again"
        ) from error
    return card


def _read_json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path} cannot be read ({reason}): a model is a file of weights and its .json card"
        ) from error
    try:
        document = json.loads(data[:_MAX_BYTES], parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no card of a model: train the model again") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no card of a model: train the model again")
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _card_of(document: Mapping[str, Any]) -> ModelCard:
    known = set(ModelCard.__dataclass_fields__)
    values = {name: value for name, value in document.items() if name in known}
    grid, calibration = values["grid"], values.get("calibration")
    values["grid"] = GridOfModel(**(grid | {"bbox": tuple(map(float, grid["bbox"]))}))
    values["calibration"] = None if calibration is None else Calibration.of(calibration)
    values["classes"] = tuple(map(int, values["classes"]))
    values["notes"] = tuple(map(str, _listed(values.get("notes", []))))
    values["history"] = tuple(EpochRecord(**one) for one in values.get("history", ()))
    return ModelCard(**values)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:40]!r} is no list")
    return value


def _check(card: Any) -> None:
    """Refuse values that no training writes."""
    entry = find_model(card.model, card.level)
    known = {parameter.name: parameter for parameter in entry.parameters}
    for name, value in card.parameters.items():
        known[name].check(value)
    classes = list(card.classes)
    checks = {
        "level": card.level in LEVELS,
        "target": card.target in TARGETS,
        "layer": isinstance(card.layer, str) and len(card.layer) <= 200,
        "grid": _is_grid(card.grid),
        "seed": isinstance(card.seed, int) and 0 <= card.seed < 2**32,
        "features": isinstance(card.features, dict),
        "n_features": isinstance(card.n_features, int) and 0 < card.n_features <= _MAX_FEATURES,
        "classes": classes == sorted(set(classes)) and classes[0] == 0 and classes[-1] <= max(Kind),
        "threshold": math.isfinite(card.threshold),
        "file_bytes": isinstance(card.file_bytes, int),
        "file_sha256": _SHA.fullmatch(card.file_sha256) is not None,
        "split_by": card.split_by is None or card.split_by in get_args(SplitMethod),
        "training_s": math.isfinite(card.training_s),
        "peak_memory_mb": math.isfinite(card.peak_memory_mb),
        "counts": all(isinstance(counts, dict) for counts in card.counts.values()),
        "metrics": all(isinstance(value, float) for value in card.metrics.values()),
        "created": bool(dt.datetime.fromisoformat(card.created)),
        "history": all(map(_is_epoch, card.history)),
        "backbone": isinstance(card.backbone, str) and len(card.backbone) <= 400,
        "versions": all(isinstance(text, str) for text in card.versions.values()),
    }
    wrong = [name for name, right in checks.items() if not right]
    if wrong:
        raise ValueError(f"{wrong[0]} is {str(getattr(card, wrong[0]))[:60]}")


def _is_grid(grid: GridOfModel) -> bool:
    """Whether it says a size and a place that are."""
    sizes = [size for size in (grid.rows, grid.cols) if type(size) is int and 0 < size < 2**20]
    if grid.epsg not in EPSG_CODES or len(sizes) != 2 or len(grid.bbox) != 4:
        return False
    west, south, east, north = grid.bbox
    return all(map(math.isfinite, grid.bbox)) and west < east and south < north


def _is_epoch(record: EpochRecord) -> bool:
    numbers = (record.loss, record.average_precision)
    return type(record.epoch) is int and all(math.isfinite(number) for number in numbers)
