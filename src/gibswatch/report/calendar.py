"""The calendar of a scan: a cell a day, in months for a short scan and in years for a long one."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from gibswatch.report.status import day_id, kinds_of, level_of, status_of
from gibswatch.types import DayItem

__all__ = ["Block", "Calendar", "Cell", "heat_map", "long_date"]

_MOST_MONTHS = 8
"""Longer scans are drawn as years."""
_FEW_MONTHS = 2
_MONTH_CELL, _YEAR_CELL = 34.0, 15.0
_GAP = 3.0
_TOP, _LEFT = 20.0, 26.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One day, in units of SVG."""

    x: float
    y: float
    css_class: str
    target: str
    """Where a click leads, inside the page."""
    title: str
    number: str
    """Day of the month where there is room for it; else empty."""
    is_stop: bool
    """Whether the Tab key halts here: at days that are not clean."""


@dataclass(frozen=True, slots=True)
class Block:
    """A month, or a year."""

    title: str
    width: float
    height: float
    cells: tuple[Cell, ...]
    ticks: tuple[tuple[float, float, str], ...]
    """(x, y, text): names of weekdays and, in a year, of months."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """All blocks, first to last."""

    unit: str
    """``month`` or ``year``."""
    cell: float
    """Side of a cell."""
    blocks: tuple[Block, ...]

    @property
    def is_small(self) -> bool:
        """Whether there is room for the chart beside it."""
        return self.unit == "month" and len(self.blocks) <= _FEW_MONTHS


def heat_map(items: Sequence[DayItem]) -> Calendar:
    """Lay out a cell for every day that has a date.

    Parameters
    ----------
    items : sequence of DayItem
        In any order; of a day that is there twice the higher score is shown.
    """
    by_day: dict[dt.date, DayItem] = {}
    for item in sorted(items, key=lambda item: item.score):
        if item.date is not None:
            by_day[item.date] = item
    days = sorted(by_day)
    months = {(day.year, day.month) for day in days}
    if len(months) <= _MOST_MONTHS:
        groups = groupby(days, lambda day: (day.year, day.month))
        blocks = [_month(year, month, list(found), by_day) for (year, month), found in groups]
        return Calendar("month", _MONTH_CELL, tuple(blocks))
    years = [(year, list(found)) for year, found in groupby(days, lambda day: day.year)]
    return Calendar("year", _YEAR_CELL, tuple(_year(year, found, by_day) for year, found in years))


def long_date(day: dt.date) -> str:
    """Date as a person writes it, e.g. ``21 August 2017``."""
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def _month(year: int, month: int, days: list[dt.date], by_day: Mapping[dt.date, DayItem]) -> Block:
    step = _MONTH_CELL + _GAP
    lead = dt.date(year, month, 1).weekday()
    first, last = ((lead + day.day - 1) // 7 for day in (days[0], days[-1]))
    cells = []
    for day in days:
        week, weekday = divmod(lead + day.day - 1, 7)
        cells.append(_cell(by_day[day], weekday * step, _TOP + (week - first) * step, str(day.day)))
    ticks = [(n * step + _MONTH_CELL / 2, _TOP - 7, "MTWTFSS"[n]) for n in range(7)]
    title = f"{calendar.month_name[month]} {year}"
    height = _TOP + (last - first + 1) * step
    return Block(title, 7 * step - _GAP, height, tuple(cells), tuple(ticks))


def _year(year: int, days: list[dt.date], by_day: Mapping[dt.date, DayItem]) -> Block:
    step = _YEAR_CELL + _GAP
    first = dt.date(year, 1, 1)

    def column(day: dt.date) -> int:
        return (first.weekday() + (day - first).days) // 7

    cells = [
        _cell(by_day[day], _LEFT + column(day) * step, _TOP + day.weekday() * step, "")
        for day in days
    ]
    ticks = [(0.0, _TOP + n * step + 11, name) for n, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))]
    for month in range(1, 13):
        start = dt.date(year, month, 1)
        x = _LEFT + (column(start) + (start.weekday() > 3)) * step
        ticks.append((x, _TOP - 7, calendar.month_abbr[month]))
    return Block(str(year), _LEFT + 54 * step, _TOP + 7 * step, tuple(cells), tuple(ticks))


def _cell(item: DayItem, x: float, y: float, number: str) -> Cell:
    status = status_of(item)
    return Cell(
        round(x, 1),
        round(y, 1),
        f"{status} l{level_of(item)}",
        day_id(item.date),
        _title(item),
        number,
        status != "clean",
    )


def _title(item: DayItem) -> str:
    assert item.date is not None  # noqa: S101  (only dated items have a cell)
    parts = [f"{calendar.day_abbr[item.date.weekday()]} {long_date(item.date)}", status_of(item)]
    if item.incomplete_cause:
        parts[-1] += f" ({item.incomplete_cause})"
    parts += [name for name, _ in kinds_of(item)[:2]]
    if item.shares is not None:
        parts.append(f"score {item.score:.2f}, {item.shares.black:.1%} black")
    return " · ".join(parts)
