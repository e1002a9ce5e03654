"""The numbers at the head of the report, and the days of which there is nothing to show."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gibswatch.report.calendar import long_date
from gibswatch.report.cards import area_words
from gibswatch.report.status import STATUS_WORDS, STATUSES, Status, status_of
from gibswatch.scan.budget import Budget
from gibswatch.types import DayItem

__all__ = [
    "Run",
    "Total",
    "budget_words",
    "headline",
    "range_words",
    "runs_without_verdict",
    "totals",
]


@dataclass(frozen=True, slots=True)
class Total:
    """Number of days of one status."""

    status: str
    count: int
    share: float
    """Of all days, 0-1."""
    words: str


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row of which the same is said."""

    first: DayItem
    last: DayItem
    days: int
    tiles: Mapping[str, int]


def totals(items: Sequence[DayItem]) -> tuple[Total, ...]:
    """Count the days by status; those of which there is none only if they are good news."""
    counts = Counter(status_of(item) for item in items)
    always = ("anomalous", "explained", "clean", "incomplete")
    number = max(1, len(items))
    return tuple(
        Total(status, counts[status], counts[status] / number, STATUS_WORDS[status])
        for status in STATUSES
        if counts[status] or status in always
    )


def headline(items: Sequence[DayItem]) -> str:
    """Say in a sentence or two what a person should know first."""
    judged = [item for item in items if item.verdict in ("clean", "anomalous")]
    bad = [item for item in judged if item.verdict == "anomalous"]
    if not judged:
        return "No day could be judged."
    days = _count(len(judged), "judged day")
    if not bad:
        return f"Nothing unexplained on {'the' if len(judged) == 1 else 'any of'} {days}."
    shows = "shows" if len(bad) == 1 else "show"
    text = f"{len(bad)} of {days} {shows} something that nothing explains."
    worst = max(bad, key=_unexplained_km2)
    if worst.date is not None and _unexplained_km2(worst) > 0:
        area = area_words(_unexplained_km2(worst))
        text += f" The largest is {area}, on {long_date(worst.date)}."
    return text


def budget_words(budget: Budget | None, items: Sequence[DayItem]) -> str:
    """Say which days are alerts, and why; empty without a budget."""
    if budget is None:
        return ""
    alerts = [item for item in items if item.alert]
    plain = sum(item.verdict == "clean" for item in alerts)
    quiet = sum(item.verdict == "anomalous" and not item.alert for item in items)
    text = f"{budget}. Here {_count(len(alerts), 'day')} {'is' if len(alerts) == 1 else 'are'}"
    text += f" over it, {plain:,} of them by score alone, without a finding"
    return f"{text}; {_count(quiet, 'day')} with a weak finding under it." if quiet else f"{text}."


def range_words(items: Sequence[DayItem]) -> str:
    """First and last day in words."""
    days = [item.date for item in items if item.date is not None]
    if not days:
        return "No day of the range is in the layer's domain"
    first, last = min(days), max(days)
    return long_date(first) if first == last else f"{long_date(first)} to {long_date(last)}"


def runs_without_verdict(items: Sequence[DayItem]) -> tuple[Run, ...]:
    """Join days in a row that have no verdict for the same reason."""
    runs: list[list[DayItem]] = []
    for item in items:
        if item.verdict in ("clean", "anomalous"):
            continue
        if runs and _continues(runs[-1][-1], item):
            runs[-1].append(item)
        else:
            runs.append([item])
    return tuple(Run(run[0], run[-1], len(run), run[0].tiles) for run in runs)


def _continues(before: DayItem, item: DayItem) -> bool:
    if before.date is None or item.date is None:
        return False
    follows = item.date - before.date == dt.timedelta(days=1)
    return follows and _said(before) == _said(item)


def _said(item: DayItem) -> tuple[Status, str | None, str]:
    return status_of(item), item.incomplete_cause, item.reason


def _unexplained_km2(item: DayItem) -> float:
    return sum(f.area_km2 or 0.0 for f in item.findings if f.kind.is_fault)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
