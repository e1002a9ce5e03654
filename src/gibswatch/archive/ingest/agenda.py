"""Which days a run asks for: a range that somebody names, or on from where the last run ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gibswatch.archive.journal.records import DayRecord
from gibswatch.catalogue.layers import Layer
from gibswatch.download.plan import plan_days
from gibswatch.errors import DateRangeError

__all__ = ["Agenda", "plan_run"]

_ONE_DAY = dt.timedelta(days=1)
_LONGEST_HOLE = 31
"""Steps.  A run that is killed loses the days that were in flight, 10 by default, while later ones
are written down already; what is longer was left out by somebody who wanted it so."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a run asks for."""

    days: tuple[dt.date, ...]
    """In the order in which they are asked for; none where the archive is up to date."""
    gaps: tuple[dt.date, ...] = ()
    """Days that the layer's domain leaves out."""
    started_late: bool = False
    """Whether the range began before the layer did."""
    again: tuple[dt.date, ...] = ()
    """Those of `days` that were begun before, and are not whole."""
    continued_after: dt.date | None = None
    """The last day checked before, where the run goes on from there."""


def plan_run(
    layer: Layer, records: Mapping[dt.date, DayRecord], start: dt.date | None, stop: dt.date
) -> Agenda:
    """Choose the days of a run.

    Parameters
    ----------
    layer : Layer
    records : mapping
        What the archive holds of this layer in the same projection and on the same grid.
    start : date or None
        The first day; None goes on after the last day checked, asking first for those that were
        not whole, and begins with the layer where nothing was checked yet.
    stop : date
        The day to stop before.

    Raises
    ------
    DateRangeError
        If the range is empty, or the layer has no daily or coarser time.

    Notes
    -----
    A layer coarser than a day is asked for once a step of its domain, on the step's first day.
    """
    broken = {day for day, record in records.items() if not record.complete and day < stop}
    if start is not None:
        plan = plan_days(layer, start, stop)
        again = tuple(day for day in plan.days if day in broken)
        return Agenda(plan.days, plan.gaps, plan.started_late, again)
    if not records:
        if layer.start_date is None:
            raise DateRangeError(f"{layer.identifier} has no first day: give --start-date")
        plan = plan_days(layer, layer.start_date, stop)
        return Agenda(plan.days, plan.gaps)
    last = max(records)
    again = tuple(sorted(broken | set(_holes(layer, records, stop))))
    if last + _ONE_DAY >= stop:
        return Agenda(again, again=again, continued_after=last)
    plan = plan_days(layer, last + _ONE_DAY, stop)
    return Agenda((*again, *plan.days), plan.gaps, again=again, continued_after=last)


def _holes(layer: Layer, records: Mapping[dt.date, DayRecord], stop: dt.date) -> Iterator[dt.date]:
    """Yield the days before and between checked ones that a killed run left out."""
    # Days in flight end in any order: a kill can leave the layer's first day out.
    first, behind = min(*records, layer.start_date or stop), min(max(records), stop)
    if first >= behind:
        return
    for run in _runs(plan_days(layer, first, behind).days, records):
        if len(run) <= _LONGEST_HOLE:
            yield from run


def _runs(steps: Iterable[dt.date], known: Mapping[dt.date, object]) -> Iterator[Sequence[dt.date]]:
    """Yield unbroken runs of steps that are not known."""
    run: list[dt.date] = []
    for day in steps:
        if day not in known:
            run.append(day)
        elif run:
            yield run
            run = []
    if run:
        yield run
