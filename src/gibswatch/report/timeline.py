"""How much of the picture was black, day after day: one band in SVG for any number of days."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gibswatch.report.calendar import long_date
from gibswatch.report.status import day_id, status_of
from gibswatch.types import DayItem, Shares

__all__ = ["Bar", "Timeline", "timeline"]

_WIDE, _HEIGHT = 1000.0, 120.0
_TOPS = (0.02, 0.04, 0.06, 0.1, 0.14, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""Upper edges whose half is a plain number too."""
_TICK_WIDTH = 78.0


@dataclass(frozen=True, slots=True)
class Bar:
    """Black that nothing explains on one day, in units of SVG, on top of the band."""

    x: float
    y: float
    width: float
    height: float
    css_class: str
    target: str
    title: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Black share of every judged day."""

    width: float
    height: float
    band: str
    """Path: the black that is explained."""
    bars: tuple[Bar, ...]
    """Of days that are not clean."""
    ticks: tuple[tuple[float, str], ...]
    top: float
    """Share at the upper edge, 0-1."""


def timeline(items: Sequence[DayItem], width: float = _WIDE) -> Timeline | None:
    """Draw the shares of the days that have some; None for fewer than two of them.

    Parameters
    ----------
    items : sequence of DayItem
        In the order of their dates.
    width : float
        Of the chart, in units of SVG: about its pixels on a screen.
    """
    known = [(i.date, i, i.shares) for i in items if i.date is not None and i.shares is not None]
    if len(known) < 2:
        return None
    first, last = known[0][0], known[-1][0]
    step = width / ((last - first).days + 1)
    most = max(shares.black for _, _, shares in known)
    top = next((level for level in _TOPS if level >= most), 1.0)

    def at(day: dt.date) -> float:
        return round((day - first).days * step, 2)

    band = "".join(_piece(piece, at, step, top) for piece in _pieces(known))
    bars = []
    for day, item, shares in known:
        if status_of(item) in ("clean", "no-data"):
            continue
        low = _HEIGHT * (1 - min(shares.expected, top) / top)
        high = _HEIGHT * (1 - min(shares.black, top) / top)
        title = f"{long_date(day)}: {shares.unexpected:.1%} of the picture unexplained"
        height = max(low - high, 3.0)
        y = min(high, _HEIGHT - height)
        bars.append(Bar(at(day), round(y, 2), round(max(step * 0.92, 1.5), 2), round(height, 2),
                        status_of(item), day_id(day), title))  # fmt: skip
    return Timeline(width, _HEIGHT, band, tuple(bars), _ticks(first, last, step, width), top)


_Known = tuple[dt.date, DayItem, Shares]


def _pieces(known: list[_Known]) -> list[list[_Known]]:
    """Runs of days without a gap."""
    pieces = [[known[0]]]
    for before, after in pairwise(known):
        if (after[0] - before[0]).days > 1:
            pieces.append([])
        pieces[-1].append(after)
    return pieces


def _piece(piece: list[_Known], at: Callable[[dt.date], float], step: float, top: float) -> str:
    heights = [
        (at(day), _HEIGHT * (1 - min(shares.expected, top) / top)) for day, _, shares in piece
    ]
    path = f"M{heights[0][0]:.1f} {_HEIGHT:g}"
    for x, y in heights:
        path += f"V{y:.1f}H{x + step:.1f}"
    return path + f"V{_HEIGHT:g}Z"


def _ticks(
    first: dt.date, last: dt.date, step: float, width: float
) -> tuple[tuple[float, str], ...]:
    """Names of days in a short scan, of months in a longer one, of years in a long one."""
    most = int(width // _TICK_WIDTH)
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    if len(days) <= 62:
        every = -(-len(days) // most)
        return tuple(
            ((day - first).days * step, f"{day.day} {calendar.month_abbr[day.month]}")
            for day in days[::every]
        )
    starts = [day for day in days if day.day == 1]
    if len(starts) > 36:
        years = [day for day in starts if day.month == 1]
        return tuple(((day - first).days * step, str(day.year)) for day in years)
    every = -(-len(starts) // most)
    return tuple(
        ((day - first).days * step, f"{calendar.month_abbr[day.month]} {day.year}")
        for day in starts[::every]
    )
