"""The score table: what one model said of every day (or pixel), and what is true.

A table of a model or of an unsupervised detector looks the same; evaluation needs no more than
this, and runs nothing itself.  `gibswatch.evaluation.score_files` reads and writes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.archive.labels import LabelFile, Split
from gibswatch.archive.split import SplitMethod
from gibswatch.errors import UsageError
from gibswatch.models.targets import TARGET_KINDS, Level, Target
from gibswatch.types import BoolArray, FloatArray, Kind

__all__ = [
    "DayArray",
    "Joined",
    "ScoreTable",
    "join_labels",
    "target_kinds",
]

DayArray = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """Scores of one model, a row a day or a pixel."""

    name: str
    """Of the model or detector."""
    level: Level
    """What a row is: a day's picture, or a pixel (or patch) of one."""
    dates: DayArray
    """(n,) datetime64[D]; at image level each day once."""
    scores: FloatArray
    """(n,) float64, finite; higher is more anomalous."""
    truth: BoolArray | None = None
    """(n,): whether a row is positive; None where nobody has said it yet."""
    kinds: Mapping[dt.date, frozenset[Kind]] = field(default_factory=dict)
    """True codes of days, as far as they are known: the empty set is a normal day.  Days without a
    score may be among them, so that an event of which few days are scored stays one."""
    splits: Mapping[dt.date, Split] = field(default_factory=dict)
    """Split of the days, as far as they have one."""
    class_scores: Mapping[Kind, FloatArray] = field(default_factory=dict)
    """(n,) float64 each: scores of single kinds, of a model that tells them apart."""
    target: Target | None = None
    """What the model was trained to tell; None for a detector that tells all kinds."""
    split_by: SplitMethod | None = None
    """How the days of training were chosen; None where nothing was trained."""
    threshold: float | None = None
    """The model's own: a row that scores more is an alarm."""
    layer: str = ""
    """Whose pictures they are; empty if unknown."""
    training_s: float | None = None
    """Seconds of training; None if unknown, or nothing was trained."""
    inference_s_per_day: float | None = None
    """Seconds for one day's picture, from file to score."""
    peak_memory_mb: float | None = None
    """Most memory of the process, in units of 2**20 bytes."""
    notes: tuple[str, ...] = ()
    """What a person should know."""

    def __post_init__(self) -> None:
        shapes = [column.shape for column in (self.scores, *self.class_scores.values())]
        shapes += [] if self.truth is None else [self.truth.shape]
        if any(shape != self.dates.shape for shape in shapes) or self.dates.ndim != 1:
            raise ValueError(f"columns of {self.name!r} have not the same length")

    def __len__(self) -> int:
        return len(self.dates)

    @property
    def days(self) -> tuple[dt.date, ...]:
        """Each day once, in order."""
        return tuple(np.unique(self.dates).tolist())

    def rows_on(self, days: Collection[dt.date]) -> BoolArray:
        """Say which rows are of certain days, as (n,) bools."""
        wanted = np.array(sorted(days), dtype="datetime64[D]")
        return np.asarray(np.isin(self.dates, wanted), dtype=np.bool_)

    def only(self, days: Collection[dt.date]) -> ScoreTable:
        """Keep the rows of certain days."""
        rows = self.rows_on(days)
        return replace(
            self,
            dates=self.dates[rows],
            scores=self.scores[rows],
            truth=None if self.truth is None else self.truth[rows],
            class_scores={kind: scores[rows] for kind, scores in self.class_scores.items()},
        )


@dataclass(frozen=True, slots=True)
class Joined:
    """A table with the truth of a label file, and the days that one of the two does not have."""

    table: ScoreTable
    """Of the days that both have."""
    without_label: tuple[dt.date, ...]
    """Days with a score that the file does not name."""
    without_score: tuple[dt.date, ...]
    """Days that the file names and the table does not."""


def target_kinds(target: Target, kind: Kind | None = None) -> frozenset[Kind]:
    """Codes that make a day positive: of one class of ``multi`` where `kind` is given."""
    return TARGET_KINDS[target] if kind is None else frozenset({kind})


def join_labels(table: ScoreTable, labels: LabelFile, target: Target = "any") -> Joined:
    """Give the rows of a table the truth and the split of a label file.

    A split that the table has itself stays: the model was trained by it.  At pixel level the file
    tells codes and split of the days; the truth of the pixels is the table's own.

    Parameters
    ----------
    table : ScoreTable
    labels : LabelFile
    target : {"missing", "miscoloration", "any", "multi"}
        Which codes make a day positive: 2; 3; any fault (2, 3, 4, 7, 8, 9).  ``multi`` as ``any``.

    Raises
    ------
    UsageError
        If they have no day in common, or a table of pixels has no truth.
    """
    said = labels.labels
    both = [day for day in table.days if day in said]
    if not both:
        raise UsageError(
            f"{labels.name} names none of the {len(table.days)} days of {table.name}: give the "
            "label file of the same layer and years"
        )
    if table.level == "pixel" and table.truth is None:
        raise UsageError(
            f"{table.name} has pixels without truth, and labels are of days: add a column `label`"
        )
    found = table.only(both)
    kinds = {day: frozenset(line.codes) for day, line in said.items()}
    split_of = {day: split for day in both if (split := said[day].split) is not None}
    splits = {day: table.splits.get(day, split_of.get(day)) for day in both}
    truth, notes = found.truth, table.notes
    if table.level == "image":
        positive = [day for day in both if kinds[day] & TARGET_KINDS[target]]
        truth = found.rows_on(positive)
        notes += _differences(found, truth, target)
    joined = replace(
        found,
        truth=truth,
        kinds=kinds,
        splits={day: split for day, split in splits.items() if split is not None},
        notes=notes,
    )
    scored = set(both)
    return Joined(
        joined,
        tuple(day for day in table.days if day not in scored),
        tuple(day for day in sorted(said) if day not in scored),
    )


def _differences(table: ScoreTable, truth: BoolArray, target: Target) -> tuple[str, ...]:
    """Say how often a table's own truth is another than the label file's, for the same target."""
    if table.truth is None or table.target not in (None, target):
        return ()
    count = int((table.truth != truth).sum())
    return (f"{count} days have another label in the table: the label file's counts",) * bool(count)
