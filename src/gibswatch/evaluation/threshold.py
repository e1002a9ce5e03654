"""From which score on a row is an alarm: so many false ones in so many clean days."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from gibswatch.errors import UsageError
from gibswatch.types import FloatArray

__all__ = ["Threshold", "ThresholdSource", "check_per_days", "from_normals", "on_table"]

ThresholdSource = Literal["validation", "table"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, and what it rests on."""

    value: float
    """A row that scores more is an alarm."""
    per_days: float
    """One false alarm in so many clean days was asked for."""
    normals: int
    """Clean days that it was chosen on."""
    source: ThresholdSource
    """Whose clean days: those of validation, or the evaluated ones themselves."""
    rate: float
    """Share of clean days that exceed it, 0-1: to be expected of new days if the source is
    validation, counted if it is the table."""

    @property
    def is_reached(self) -> bool:
        """Whether there were enough days for so small a rate."""
        return self.rate * self.per_days <= 1 + 1e-9

    def __str__(self) -> str:
        asked = f"1 in {self.per_days:g}"
        days = f"{self.normals} clean day{'' if self.normals == 1 else 's'}"
        if self.source == "table":
            return f"{self.value:.4g}: {self.rate:.1%} of the {days} evaluated ({asked} asked for)"
        text = f"{self.value:.4g}, from {days} of validation: {self.rate:.1%} expected"
        few = f"; too few for {asked}, it is their highest score"
        return f"{text} ({asked} asked for)" if self.is_reached else text + few


def check_per_days(per_days: float) -> float:
    """Return a number of clean days with one false alarm that can be asked for.

    Raises
    ------
    UsageError
        If it is not a number over 1.
    """
    if not (math.isfinite(per_days) and per_days > 1):
        raise UsageError(
            f"--false-alarms {per_days:g}: give the number of clean days with one false alarm, "
            "over 1, e.g. 30"
        )
    return per_days


def from_normals(scores: FloatArray, per_days: float = 30) -> Threshold:
    """Choose a threshold on clean days of validation that new clean days seldom exceed.

    The (n + 1 - k)-th lowest of n scores, with k = floor((n + 1) / per_days): a new day of the
    same kind exceeds it with chance k / (n + 1) at most, whatever the distribution (the order
    statistics of split conformal prediction; Vovk et al. 2005).  With fewer than per_days - 1
    days none is high enough: the highest is taken, with its own chance 1 / (n + 1).

    Parameters
    ----------
    scores : (n,) ndarray of float
        Of clean days that the model did not learn from.
    per_days : float
        One false alarm in so many days.

    Raises
    ------
    UsageError
        If there is no day, or no such rate.
    """
    check_per_days(per_days)
    count = len(scores)
    if count == 0:
        raise UsageError(
            "no clean day to choose a threshold on: label normal days of the val split, or choose "
            "it on the evaluated days (--threshold-on table)"
        )
    over = max(1, math.floor(Fraction(count + 1) / Fraction(str(float(per_days)))))
    value = float(np.sort(scores)[count - over])
    return Threshold(value, per_days, count, "validation", over / (count + 1))


def on_table(scores: FloatArray, per_days: float = 30) -> Threshold:
    """Choose the lowest threshold that 1 in `per_days` of the very clean days exceed, or fewer.

    What a ROC curve shows at that rate; kinder than `from_normals`, as the days vouch for
    themselves.

    Parameters
    ----------
    scores : (n,) ndarray of float
        Of the evaluated clean days.
    per_days : float

    Raises
    ------
    UsageError
        If there is no day, or no such rate.
    """
    check_per_days(per_days)
    count = len(scores)
    if count == 0:
        raise UsageError("no clean day among those evaluated: false alarms cannot be counted")
    allowed = math.floor(Fraction(count) / Fraction(str(float(per_days))))
    value = float(np.sort(scores)[count - 1 - allowed])
    return Threshold(value, per_days, count, "table", float((scores > value).mean()))
