"""What a trained model says of the days that a scan judges, beside the verdict.

A task carries a `ModelFile`, not the model: each process loads it once.  Nothing here imports
scikit-learn, or the room of the models, before a model is asked for.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gibswatch.errors import UsageError
from gibswatch.raster.scene import Scene
from gibswatch.types import DayItem, Georeference, ModelScore, VerdictName

if TYPE_CHECKING:
    from gibswatch.models import LoadedModel

__all__ = ["ModelFile", "check_model", "model_note", "number_words", "score_scene", "with_model"]

_MOST_KEPT = 2
"""Models kept by a process: a scan has one, two may run in two threads."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A stored model that was checked, as a worker is told of it."""

    path: Path
    sha256: str
    """Of its card, which holds that of its weights."""


def check_model(
    path: Path | str, layer: str, georeferences: Sequence[Georeference] = ()
) -> ModelFile:
    """Load a model and compare it with what it shall score, before long work begins.

    Parameters
    ----------
    path : path
        ``NAME.skops``, ``NAME.json`` or ``NAME``, as `gibswatch train` stored it.
    layer : str
        Identifier.
    georeferences : sequence of Georeference
        Of the pictures.

    Raises
    ------
    UsageError
        If a file is missing, damaged, hostile, or of another version of Gibswatch; if the model
        was trained on another layer, projection, part of the map or, at pixel level, resolution.
    MissingExtraError
        If the extra ``models`` is not installed.
    """
    model = _load(Path(path))
    if model.layer != layer:
        raise UsageError(
            f"--model {path} was trained on {model.layer}, not on {layer}: train one for this layer"
        )
    for georeference in georeferences:
        model.check_place(georeference)
    file = ModelFile(Path(path), _card_sha256(model))
    _KEPT.keep(file, model)
    return file


def score_scene(file: ModelFile | None, scene: Scene, verdict: VerdictName) -> ModelScore | None:
    """Score a day that was judged and is all there; None for any other, or without a model.

    Parameters
    ----------
    file : ModelFile or None
    scene : Scene
    verdict : str
        Of the detectors.

    Raises
    ------
    UsageError
        If the model's file is not the one that was checked, does not fit to the picture, or gives
        no number.
    """
    if file is None or verdict not in ("clean", "anomalous") or not scene.usable.all():
        return None
    model = _KEPT.of(file)
    found = model.judge(scene)
    return ModelScore(model.card.model, found.score, model.threshold, found.called)


def with_model(reason: str, verdict: VerdictName, score: ModelScore | None) -> str:
    """Put the word of a model behind a reason: of a day that it calls, and of anomalous days.

    Examples
    --------
    >>> with_model("Nothing missing.", "clean", ModelScore("softmax", 0.934, 0.55, called=True))
    'Nothing missing. The model softmax scores it 0.934, over its threshold of 0.55.'
    >>> with_model("Nothing missing.", "clean", ModelScore("softmax", 0.1, 0.55, called=False))
    'Nothing missing.'
    """
    if score is None or not (score.called or verdict == "anomalous"):
        return reason
    side = "over" if score.called else "not over"
    reached, threshold = number_words(score.score), number_words(score.threshold)
    told = f"The model {score.name} scores it {reached}, {side} its threshold of {threshold}."
    return f"{reason} {told}"


def number_words(value: float) -> str:
    """Score or threshold of a model as a person reads it.

    Examples
    --------
    >>> number_words(0.93456), number_words(12821.5)
    ('0.935', '12,822')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def model_note(items: Iterable[DayItem]) -> str:
    """Count in one line what a model calls; empty without one."""
    scored = [(item.verdict, item.model) for item in items if item.model is not None]
    called = [(verdict, model) for verdict, model in scored if model.called]
    if not scored:
        return ""
    clean = sum(verdict == "clean" for verdict, _ in called)
    only = f", {clean} of them clean by the detectors" if called else ""
    return f"model {scored[0][1].name}: calls {len(called)} of {len(scored)} days{only}"


def _load(path: Path) -> LoadedModel:
    from gibswatch.models import load_model  # noqa: PLC0415  (only where a model is asked for)

    return load_model(path)


def _card_sha256(model: LoadedModel) -> str:
    """Hash the card that was read, not the file, which may be exchanged meanwhile."""
    from gibswatch.models.card import card_to_bytes  # noqa: PLC0415

    return hashlib.sha256(card_to_bytes(model.card)).hexdigest()


class _Kept:
    """The last few models that this process loaded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: OrderedDict[ModelFile, LoadedModel] = OrderedDict()

    def of(self, file: ModelFile) -> LoadedModel:
        with self._lock:
            model = self._models.get(file)
            if model is None:
                model = _load(file.path)
                if _card_sha256(model) != file.sha256:
                    raise UsageError(
                        f"{file.path} is no longer the model that the run began with: begin again"
                    )
            self._put(file, model)
            return model

    def keep(self, file: ModelFile, model: LoadedModel) -> None:
        with self._lock:
            self._put(file, model)

    def _put(self, file: ModelFile, model: LoadedModel) -> None:
        self._models[file] = model
        self._models.move_to_end(file)
        while len(self._models) > _MOST_KEPT:
            self._models.popitem(last=False)


_KEPT = _Kept()
