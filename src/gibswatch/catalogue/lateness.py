"""How late a layer is, and how long each of its gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gibswatch.catalogue.domains import Period

__all__ = ["GapSpan", "Lateness", "gap_spans", "lateness", "newest_step", "span_text"]

_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GapSpan:
    """A time between two periods that no step stands for."""

    start: dt.datetime
    """End of the last step before it, UTC without a zone."""
    stop: dt.datetime
    """First step after it; not in the gap."""

    @property
    def length(self) -> dt.timedelta:
        """How long it is."""
        return self.stop - self.start

    def __str__(self) -> str:
        if self.start.time() == self.stop.time() == dt.time():
            first, last = self.start.date(), (self.stop - _ONE_DAY).date()
            return f"{first}" if first == last else f"{first}..{last}"
        return f"{_instant(self.start)}..{_instant(self.stop)}"


@dataclass(frozen=True, slots=True)
class Lateness:
    """How far the newest step of a layer lies behind a moment."""

    newest: dt.datetime
    """The newest step, UTC without a zone."""
    behind: dt.timedelta
    """Time since it began; whole days for steps of a day or longer; never negative."""
    steps: int
    """Whole steps of the last period's length in that time; no date is derived from them."""
    text: str
    """The same in plain words."""


def newest_step(periods: Sequence[Period]) -> Period | None:
    """Return the period that holds the newest step; None of no periods."""
    return max(periods, key=lambda p: p.nth(p.count - 1), default=None)


def lateness(periods: Sequence[Period], now: dt.datetime) -> Lateness | None:
    """Say how late a layer is at a moment.

    Parameters
    ----------
    periods : sequence of Period
    now : datetime
        UTC, without a zone.

    Returns
    -------
    Lateness or None
        None for a layer without time.

    Examples
    --------
    >>> from gibswatch.catalogue.domains import parse_domain
    >>> late = lateness(parse_domain("2015-11-24/2026-06-20/P1D"), dt.datetime(2026, 6, 23, 11))
    >>> late.text
    'the newest day, 2026-06-20, is 3 days before today, 2026-06-23 (UTC)'
    """
    period = newest_step(periods)
    if period is None:
        return None
    newest = period.nth(period.count - 1)
    if period.step.is_sub_daily:
        behind = max(dt.timedelta(), now - newest)
        shown, since = _instant(newest), f"now, {_instant(now)}"
    else:
        behind = max(dt.timedelta(), dt.timedelta(days=(now.date() - newest.date()).days))
        shown, since = str(newest.date()), f"today, {now.date()} (UTC)"
    steps = period.index(max(newest, now)) - (period.count - 1)
    is_daily = str(period.step) == "P1D"
    what = f"the newest {'day' if is_daily else 'step'}, {shown},"
    if not behind:
        return Lateness(newest, behind, 0, f"{what} is not behind {since}")
    unit = "step" if steps == 1 else "steps"
    counted = "" if is_daily else f" ({steps} {unit} of {period.step})"
    said = f"{what} is {span_text(behind)}{counted} before {since}"
    return Lateness(newest, behind, steps, said)


def gap_spans(periods: Sequence[Period]) -> tuple[GapSpan, ...]:
    """Every gap between periods, also those shorter than a day.

    Examples
    --------
    >>> from gibswatch.catalogue.domains import parse_domain
    >>> [str(g) for g in gap_spans(parse_domain("2026-04-01/2026-04-28/P1D,2026-04-30"))]
    ['2026-04-29']
    """
    found = []
    covered: dt.datetime | None = None
    for period in sorted(periods):
        if covered is not None and period.start > covered:
            found.append(GapSpan(covered, period.start))
        after = period.nth(period.count)
        covered = after if covered is None else max(covered, after)
    return tuple(found)


def span_text(span: dt.timedelta) -> str:
    """Length of a time in its two largest units.

    Examples
    --------
    >>> span_text(dt.timedelta(days=1)), span_text(dt.timedelta(hours=26, minutes=5))
    ('1 day', '1 day 2 hours')
    """
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second"))
    said = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in units if n]
    return " ".join(said[:2]) or "no time"


def _instant(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"
