"""How well a measure is known: bootstrap over days, or over events and blocks of days.

Days of one event look alike and are found or missed together, so an interval over days takes fifty
pictures of one fault for fifty faults.  Over events, whole events and whole blocks of the days
between them are drawn (block bootstrap, Künsch 1989; percentile intervals, Efron 1979).  Units with
a positive row and units without are drawn apart, so every copy has both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gibswatch.archive.split import event_blocks, event_spans
from gibswatch.evaluation.resampled import WeightedMeasure, count_rows
from gibswatch.evaluation.scores import DayArray
from gibswatch.types import KIND_NAMES, BoolArray, FloatArray, Kind

__all__ = [
    "DEFAULT_RESAMPLES",
    "Interval",
    "Runs",
    "UnitName",
    "Units",
    "bootstrap",
    "count_events",
    "event_words",
    "make_units",
]

UnitName = Literal["day", "event"]
DEFAULT_RESAMPLES = 1000
_SUMS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which values a measure lies, with what it rests on."""

    low: float
    high: float
    level: float
    """Share of the copies between them, e.g. 0.95."""
    by: UnitName
    positive_units: int
    """Days or events with a positive row."""
    negative_units: int
    """Days or blocks without."""
    resamples: int


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Which rows are drawn together."""

    by: UnitName
    number: NDArray[np.intp]
    """(n,) unit of each row, from 0."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Days with a code, and the events that they make."""

    days: int
    events: int


def make_units(dates: DayArray, by: UnitName, positive: Collection[dt.date] = (),
               known: Collection[dt.date] = ()) -> Units:  # fmt: skip
    """Group rows by day, or by event and block.

    Parameters
    ----------
    dates : (n,) ndarray of datetime64[D]
    by : {"day", "event"}
    positive : collection of date
        Days with the code; those that follow each other are one event
        (`gibswatch.archive.split.event_spans`).
    known : collection of date
        More days of the label file: an event whose days are not all evaluated stays one.
    """
    days, number = np.unique(dates, return_inverse=True)
    if by == "day":
        return Units(by, number)
    there = sorted({*days.tolist(), *known})
    events, blocks = event_blocks(there, set(positive))
    unit_of = {day: unit for unit, run in enumerate((*events, *blocks)) for day in run}
    of_day = np.array([unit_of[day] for day in days.tolist()], dtype=np.intp)
    return Units(by, np.unique(of_day[number], return_inverse=True)[1])


def count_events(
    days: Collection[dt.date], positive: Collection[dt.date], known: Collection[dt.date] = ()
) -> Runs:
    """Count the positive days among `days`, and the events that they belong to."""
    spans = event_spans(sorted({*days, *known, *positive}), set(positive))
    wanted = set(days) & set(positive)
    events = sum(any(first <= day <= last for day in wanted) for first, last in spans)
    return Runs(len(wanted), events)


def event_words(kind: Kind, evaluated: Runs, known: Runs) -> str | None:
    """Say of a kind how few cases its numbers rest on; None where they are five or more.

    Parameters
    ----------
    kind : Kind
    evaluated, known : Runs
        Among the evaluated days, and among all of the label file.
    """
    name, days = KIND_NAMES[kind], f"{known.days} day{'' if known.days == 1 else 's'}"
    cases = "one event" if known.events == 1 else f"{known.events} events"
    if not known.days or evaluated.events >= 5:
        return None
    if not evaluated.days:
        return f"{name} is {cases} of {days}, none of them evaluated: nothing is said of it"
    if evaluated.days < known.days:
        part = "" if known.events == evaluated.events else f" in {evaluated.events}"
        days += f" ({evaluated.days} of them{part} evaluated)"
    rests = "one case" if evaluated.events == 1 else f"{evaluated.events} cases"
    return f"{name} is {cases} of {days}: its recall is not known better than from {rests}"


def bootstrap(
    truth: BoolArray,
    scores: FloatArray,
    units: Units,
    measure: WeightedMeasure,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = 999,
    level: float = 0.95,
    is_recall: bool = False,
) -> Interval | None:
    """Percentile interval of a measure.

    Parameters
    ----------
    truth : (n,) ndarray of bool
    scores : (n,) ndarray of float
    units : Units
        Of the same rows.
    measure : WeightedMeasure
        E.g. `gibswatch.evaluation.resampled.weighted_auroc`.
    resamples : int
        Copies.
    seed : int
    level : float
        Over 0 and under 1.
    is_recall : bool
        The measure is a share of the positive rows.  Where all of them are found, or none, copies
        say the same however few cases there are: the exact bound of a binomial share takes their
        place (Clopper and Pearson 1934), with units for trials.

    Returns
    -------
    Interval or None
        None with fewer than two units that hold a positive row, or a negative one: one case has
        no spread; and where no copy differs from another.
    """
    count = int(units.number.max()) + 1 if len(units.number) else 0
    positive = np.zeros(count, dtype=np.bool_)
    positive[units.number[truth]] = True
    groups = (np.flatnonzero(positive), np.flatnonzero(~positive))
    if min(len(groups[0]), len(np.unique(units.number[~truth]))) < 2:
        return None
    random = np.random.default_rng(seed)
    rows = count_rows(truth, scores, units.number)
    step = max(1, _SUMS_AT_ONCE // max(count, len(rows.lowest)))
    values = []
    for start in range(0, resamples, step):
        drawn = _draw(random, groups, min(step, resamples - start))
        values.append(measure(rows.sums(drawn)))
    found = np.concatenate(values)
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2]).tolist()
    if found.min() == found.max():
        reach = ((1 - level) / 2) ** (1 / len(groups[0]))
        if not is_recall or low not in (0, 1):
            return None
        low, high = (reach, 1.0) if low == 1 else (0.0, 1 - reach)
    return Interval(low, high, level, units.by, len(groups[0]), len(groups[1]), len(found))


def _draw(
    random: np.random.Generator, groups: Sequence[NDArray[Any]], copies: int
) -> NDArray[np.float64]:
    """How often each unit is in each copy, (copies, units): as many of each sort as there are."""
    drawn = np.zeros((copies, sum(map(len, groups))))
    for group in filter(len, groups):
        chances = np.full(len(group), 1 / len(group))
        drawn[:, group] = random.multinomial(len(group), chances, size=copies)
    return drawn
