"""Scores of days to tables, rasters and heat maps: what stands between models and evaluation."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from gibswatch.archive import Layout
from gibswatch.archive.labels import LabelLine, label_path
from gibswatch.catalogue.grids import check_epsg
from gibswatch.errors import DecodeError, UsageError
from gibswatch.evaluation import ScoreTable, target_kinds, write_scores
from gibswatch.files import write_bytes
from gibswatch.models import DayScore, LoadedModel, SkippedDay, score_days
from gibswatch.models.explain import check_explains, explain
from gibswatch.models.rasters import score_patches, write_score_raster
from gibswatch.models.rows.patches import MaskPlace, known_mask
from gibswatch.models.targets import class_of
from gibswatch.raster.scene import Scene
from gibswatch.report.heat_maps import heat_picture
from gibswatch.types import ModelScore

if TYPE_CHECKING:
    from gibswatch.types import BoolArray, FloatArray

__all__ = ["Predicted", "Wanted", "label_file_of", "predict_days"]

Labels = Mapping[dt.date, LabelLine]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where things come from and go to."""

    root: Path
    """The archive."""
    out: Path | None = None
    """Table of days."""
    rasters: Path | None = None
    """Folder of GeoTIFFs."""
    patches: Path | None = None
    """Table of patches."""
    masks: Path | None = None
    """Folder of masks; None: the archive's."""
    heat: Path | None = None
    """Folder of pictures and GeoTIFFs of where the model sees a fault."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was scored."""

    scores: tuple[DayScore, ...]
    skipped: tuple[SkippedDay, ...]
    without_patches: tuple[SkippedDay, ...] = ()
    """Days that the table of patches leaves out: they are faulty, and nobody knows where."""


@dataclass(slots=True)
class _Patches:
    """Scores and truth of patches, day by day."""

    dates: list[dt.date] = field(default_factory=list)
    scores: list[FloatArray] = field(default_factory=list)
    faulty: list[BoolArray] = field(default_factory=list)
    left_out: list[SkippedDay] = field(default_factory=list)
    have_truth: bool = True
    """Whether each day has a mask or a label."""


def label_file_of(loaded: LoadedModel, root: Path, named: Path | None) -> Path | None:
    """The label file to go by: the one named, else the archive's, if it is there.

    Raises
    ------
    UsageError
        If one is named that is not there.
    """
    if named is not None:
        if not named.is_file():
            raise UsageError(f"--labels {named} is not there: name a label file")
        return named
    own = label_path(Layout(root, loaded.layer, check_epsg(loaded.card.grid.epsg)))
    return own if own.is_file() else None


def predict_days(
    loaded: LoadedModel,
    days: Sequence[dt.date],
    said: Labels,
    wanted: Wanted,
    tell: Callable[[str, int, int], None] | None = None,
) -> Predicted:
    """Score days, and write what is wanted.

    Parameters
    ----------
    loaded : LoadedModel
    days : sequence of date
    said : mapping of date to LabelLine
        Labels, as far as there are any.
    wanted : Wanted
    tell : callable, optional
        Told (pass, done, total).

    Raises
    ------
    UsageError
        If no day can be read, the model does not fit to the archive, no day's patches can be told
        faulty from normal, or the model cannot say where it sees a fault and shall (said before any
        picture is read).
    OutputError
        If a folder cannot take a file.
    """
    patches = _Patches()
    card = loaded.card
    epsg = check_epsg(card.grid.epsg)
    place = MaskPlace(wanted.root, loaded.layer, epsg, card.target, wanted.masks)

    if wanted.heat is not None:
        check_explains(loaded)

    def on_scene(scene: Scene, score: DayScore) -> None:
        if wanted.rasters is not None:
            path = wanted.rasters / f"{scene.date}_{loaded.layer}_Score.tif"
            write_score_raster(path, loaded.score_raster(scene), scene.georeference)
        if wanted.heat is not None:
            _write_heat(wanted.heat, loaded, scene, score)
        if wanted.patches is not None:
            _add_patches(patches, loaded, scene, place, said)

    began = time.perf_counter()
    each = score_days(loaded, days, root=wanted.root, on_progress=tell, on_scene=on_scene)
    found = list(each)
    scores = tuple(one for one in found if isinstance(one, DayScore))
    skipped = tuple(one for one in found if isinstance(one, SkippedDay))
    if not scores:
        first = skipped[0]
        raise UsageError(
            f"none of {len(days)} days can be read (the first: {first.date}, {first.reason}): run "
            "`gibswatch verify`"
        )
    seconds = (time.perf_counter() - began) / len(found)
    if wanted.out is not None:
        write_scores(wanted.out, _table(loaded, scores, said, seconds))
    if wanted.patches is not None:
        _write_patches(wanted.patches, loaded, patches, said)
    return Predicted(scores, skipped, tuple(patches.left_out))


def _add_patches(
    patches: _Patches, loaded: LoadedModel, scene: Scene, place: MaskPlace, said: Labels
) -> None:
    """Score the patches of a day, if it is known which of them are faulty, or nothing is known."""
    day = scene.date
    if day is None:
        return
    label = said.get(day)
    day_class = None if label is None else class_of(label.codes, place.target)
    try:
        mask = known_mask(place, day, scene.georeference.shape, day_class)
    except DecodeError as error:
        patches.left_out.append(SkippedDay(day, str(error)))
        return
    scores, faulty = score_patches(loaded, scene, mask)
    patches.have_truth &= mask is not None or label is not None
    patches.dates.append(day)
    patches.scores.append(scores)
    patches.faulty.append(faulty)


def _write_patches(path: Path, loaded: LoadedModel, patches: _Patches, said: Labels) -> None:
    if not patches.dates:
        first = patches.left_out[0]
        raise UsageError(
            f"{path} is not written: none of {len(patches.left_out)} days has a mask (the first: "
            f"{first.date}, {first.reason})"
        )
    write_scores(path, _patch_table(loaded, patches, said))


def _write_heat(folder: Path, loaded: LoadedModel, scene: Scene, said: DayScore) -> None:
    """Write where the model sees a fault, for a person and for a program."""
    heat = explain(loaded, scene)
    score = ModelScore(loaded.card.model, said.score, loaded.threshold, said.called)
    name = f"{scene.date}_{loaded.layer}_Heat"
    write_bytes(folder / f"{name}.png", heat_picture(scene, heat, score))
    write_score_raster(folder / f"{name}.tif", heat.values, scene.georeference)


def _table(
    loaded: LoadedModel, scores: Sequence[DayScore], said: Labels, seconds: float
) -> ScoreTable:
    """Make the table of days, with truth where every day has a label."""
    card = loaded.card
    days = [one.date for one in scores if one.date is not None]
    positive = target_kinds(card.target)
    known = all(day in said for day in days)
    truth = np.array([bool(positive & set(said[day].codes)) for day in days]) if known else None
    kinds = sorted({kind for one in scores for kind in one.class_scores})
    return ScoreTable(
        name=card.model,
        level="image",
        dates=np.array(days, dtype="datetime64[D]"),
        scores=np.array([one.score for one in scores]),
        truth=truth,
        kinds={day: frozenset(said[day].codes) for day in days if day in said},
        splits=_splits(days, said),
        class_scores={k: np.array([one.class_scores[k] for one in scores]) for k in kinds},
        target=card.target,
        split_by=card.split_by,
        threshold=card.threshold,
        layer=card.layer,
        training_s=card.training_s,
        inference_s_per_day=seconds,
        peak_memory_mb=card.peak_memory_mb or None,
        notes=card.notes,
    )


def _patch_table(loaded: LoadedModel, patches: _Patches, said: Labels) -> ScoreTable:
    card = loaded.card
    days = np.array(patches.dates, dtype="datetime64[D]")
    return ScoreTable(
        name=card.model,
        level="pixel",
        dates=np.repeat(days, [len(scores) for scores in patches.scores]),
        scores=np.concatenate(patches.scores),
        truth=np.concatenate(patches.faulty) if patches.have_truth else None,
        kinds={day: frozenset(said[day].codes) for day in patches.dates if day in said},
        splits=_splits(patches.dates, said),
        target=card.target,
        split_by=card.split_by,
        layer=card.layer,
        training_s=card.training_s,
        peak_memory_mb=card.peak_memory_mb or None,
        notes=card.notes,
    )


def _splits(
    days: Sequence[dt.date], said: Labels
) -> dict[dt.date, Literal["train", "val", "test"]]:
    found = {day: said[day].split for day in days if day in said}
    return {day: split for day, split in found.items() if split is not None}
