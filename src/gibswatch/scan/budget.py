"""The alert budget: how high a day must score to be an alert, for so many false ones a month.

The threshold is a quantile of the scores of days believed clean; no day has to be labelled.  It is
always a score that some of these days do not exceed, so not all days can be alerts.

A day does not vouch for itself: it is over the quantile exactly if fewer than so many *other* days
score as high, whatever it scores itself.  A day that comes later is over it with the chance that
was asked for, if it is like the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gibswatch.errors import UsageError
from gibswatch.types import DayItem

__all__ = [
    "BELIEVED_UNDER",
    "DAYS_A_MONTH",
    "FEWEST_DAYS",
    "Budget",
    "believed_clean",
    "calibrate",
    "check_per_month",
    "spend",
]

DAYS_A_MONTH = 30
FEWEST_DAYS = 60
"""Days believed clean under which nothing is calibrated: two months."""
BELIEVED_UNDER = 0.6
"""Scores under this may be chance: 1.5 times the evidence that is just enough for a finding.

Were only days without findings believed clean, false findings would come on top of the budget: on
200 simulated days of VIIRS at 256x128, of a tuning year, they were two a month."""
_OWN = math.nextafter(0.5, 0.0)
"""What a finding exceeds: the detectors have theirs from 0.5 on."""


@dataclass(frozen=True, slots=True)
class Budget:
    """From which score on a day is an alert, and what that was learned from."""

    per_month: float
    """Alerts that were asked for, in 30 clean days."""
    threshold: float
    """A day that scores more is an alert."""
    days: int
    """Days believed clean that there are to calibrate on."""
    expected: float | None
    """Alerts to expect in 30 clean days, less than asked for where scores tie; None if unknown."""
    problem: str = ""
    """Why the threshold is not the one that was asked for; empty if it is."""

    def is_alert(self, score: float) -> bool:
        """Whether a day that was judged is an alert."""
        return score > self.threshold

    def __str__(self) -> str:
        unit = "alert" if self.per_month == 1 else "alerts"
        days = f"{self.days} day{'' if self.days == 1 else 's'} believed clean"
        text = f"{self.per_month:g} {unit} a month: threshold {self.threshold:.2f}"
        return f"{text}, {self.problem}" if self.problem else f"{text}, calibrated on {days}"


def check_per_month(per_month: float) -> float:
    """Return a number of alerts a month that can be asked for.

    Raises
    ------
    UsageError
        If it is not over 0 and under 30.
    """
    if not 0 < per_month < DAYS_A_MONTH:
        raise UsageError(
            f"--alerts-per-month {per_month:g} must be over 0 and under {DAYS_A_MONTH}: a month "
            "has no more days"
        )
    return per_month


def believed_clean(scores: Iterable[float]) -> list[float]:
    """Return the scores of days that may be clean, ascending: all but those of clear findings."""
    return sorted(score for score in scores if 0 <= score < BELIEVED_UNDER)


def calibrate(scores: Iterable[float], per_month: float) -> Budget:
    """Find the threshold.

    Parameters
    ----------
    scores : iterable of float
        Of days that were judged by one method, of one layer on one grid; 0-1, in any order.  Those
        of clear findings, and NaN, are left out.
    per_month : float
        Alerts that may be, in 30 clean days.

    Returns
    -------
    Budget
        With the quantile of the scores that a next day of the same kind exceeds with the chance
        ``per_month / 30``: place ``(n + 1) p`` among n of them, between two by a straight line.
        Where scores tie there, fewer days exceed it, never more.

    Raises
    ------
    UsageError
        If no such number of alerts can be asked for.
    """
    share = check_per_month(per_month) / DAYS_A_MONTH
    clean = believed_clean(scores)
    count = len(clean)
    if count < FEWEST_DAYS:
        why = f"the detector's own: {_days(count)} believed clean are too few, {FEWEST_DAYS} do"
        return Budget(per_month, _OWN, count, None, why)
    place = (count + 1) * (1.0 - share)
    if place > count:
        why = f"over all {_days(count)} believed clean: too few for so small a rate"
        return Budget(per_month, max(clean[-1], _OWN), count, None, why)
    threshold = _between(clean, max(place, 1.0))
    budget = Budget(per_month, threshold, count, per_month)
    over = sum(map(budget.is_alert, clean))
    if over < math.floor(share * count):
        expected = DAYS_A_MONTH * over / count
        why = f"which {_days(over)} of {count} believed clean exceed: their scores tie"
        return replace(budget, expected=expected, problem=why)
    return budget


def spend(
    items: Sequence[DayItem], per_month: float, *, others: Iterable[DayItem] = ()
) -> tuple[tuple[DayItem, ...], Budget]:
    """Say of every day that was judged whether it is an alert.

    Parameters
    ----------
    items : sequence of DayItem
    per_month : float
        As in `calibrate`.
    others : iterable of DayItem
        More days to calibrate on, of the same layer, grid and method.

    Returns
    -------
    items : tuple of DayItem
        The same with `alert`; None of days that have no verdict by their picture.
    budget : Budget
    """
    known = (_score(item) for item in (*items, *others))
    budget = calibrate((score for score in known if score is not None), per_month)
    scores = ((item, _score(item)) for item in items)
    return tuple(
        replace(item, alert=None if score is None else budget.is_alert(score))
        for item, score in scores
    ), budget


def _between(ascending: Sequence[float], place: float) -> float:
    """Score at a place, the first being 1, by a straight line between two."""
    below = math.floor(place)
    low, high = ascending[below - 1], ascending[min(below, len(ascending) - 1)]
    # Written so that two that tie give just their score: rounding must not flag them.
    return low + (place - below) * (high - low)


def _score(item: DayItem) -> float | None:
    """Score of a judged day, as `scan.json` keeps it: days of earlier scans come from there."""
    return round(item.score, 4) if item.verdict in ("clean", "anomalous") else None


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
