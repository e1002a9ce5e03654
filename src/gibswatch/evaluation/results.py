"""What is asked of score tables, and what comes out: records."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from gibswatch.archive.labels import Split
from gibswatch.evaluation.intervals import DEFAULT_RESAMPLES, Interval, UnitName
from gibswatch.evaluation.metrics import Confusion, Curve
from gibswatch.evaluation.scores import ScoreTable
from gibswatch.evaluation.threshold import Threshold, ThresholdSource
from gibswatch.models.targets import Target
from gibswatch.types import Kind

__all__ = ["Evaluation", "Judged", "KindRecall", "Measure", "Mistake", "Options"]

Judged = Split | Literal["all"]


@dataclass(frozen=True, slots=True)
class Options:
    """How tables are evaluated."""

    target: Target = "any"
    by: UnitName = "day"
    """What intervals are drawn over."""
    per_days: float = 30
    """One false alarm in so many clean days."""
    threshold_on: ThresholdSource | None = None
    """Whose clean days choose the threshold; None: those of validation where there are some."""
    on: Judged | None = None
    """Which days are evaluated; None: those of test where there are some, else all."""
    resamples: int = DEFAULT_RESAMPLES
    seed: int = 999


@dataclass(frozen=True, slots=True)
class Measure:
    """A number, and how well it is known."""

    value: float | None
    """None where it is not defined: a class has no example."""
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class KindRecall:
    """How much of one kind is found."""

    kind: Kind
    days: int
    events: int
    """Runs of days with the kind."""
    recall: Measure
    """At the threshold."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A day on the wrong side of the threshold."""

    date: dt.date
    is_miss: bool
    """Positive and no alarm; else a false alarm."""
    score: float
    kinds: tuple[Kind, ...]
    """What the label says."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What the scores of one table are worth."""

    table: ScoreTable
    """Of the days that were evaluated."""
    target: Target
    kind: Kind | None
    """The class, where this is one of ``multi``."""
    on: Judged
    """Which days were evaluated."""
    days: int
    rows: int
    positives: int
    """Rows that are positive."""
    base_rate: float
    """Their share, 0-1: the average precision of chance."""
    auroc: Measure
    average_precision: Measure
    recall: Measure
    """Of the positives, at the threshold."""
    threshold: Threshold | None
    """None without a clean day, and for pixels."""
    confusion: Confusion | None
    """At the threshold."""
    own_confusion: Confusion | None
    """At the model's own threshold, if it has one."""
    kinds: tuple[KindRecall, ...]
    roc: Curve | None
    precision_recall: Curve | None
    mistakes: tuple[Mistake, ...]
    """Of days, not pixels: false alarms, the highest first, then misses, the lowest first."""
    notes: tuple[str, ...]
    classes: tuple[Evaluation, ...] = ()
    """Of ``multi``: one against the rest; the measures above are then means over the classes that
    have examples."""

    @property
    def lift(self) -> float | None:
        """Average precision in units of the base rate."""
        value = self.average_precision.value
        return None if value is None or not self.base_rate else value / self.base_rate
