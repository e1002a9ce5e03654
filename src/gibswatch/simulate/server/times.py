"""What a time in a request means: read, and snapped back to the layer's step that holds it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence

from gibswatch.catalogue.domains import Period, Step, domain_step
from gibswatch.simulate.server.sources import ServedLayer, TileSource

__all__ = [
    "BAD_TIME",
    "daily_runs",
    "has_times",
    "latest_step",
    "midnight",
    "read_time",
    "snap_back",
]

BAD_TIME = "Invalid time format, must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"
"""What OnEarth says of a time that `read_time` cannot read."""

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?", re.ASCII)
_DAILY = Step(days=1)


def read_time(text: str) -> dt.datetime | None:
    """Return the instant of a date (its midnight) or of a date and time, UTC; None if neither.

    Examples
    --------
    >>> read_time("2026-07-10T12:20:00Z")
    datetime.datetime(2026, 7, 10, 12, 20)
    """
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return dt.datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return None


def midnight(day: dt.date) -> dt.datetime:
    """Return the instant at which a day begins, UTC without a zone."""
    return dt.datetime.combine(day, dt.time())


def has_times(periods: Sequence[Period]) -> bool:
    """Whether the steps have times of day, not dates alone."""
    return any(p.step.is_sub_daily or p.start.time() != dt.time() for p in periods)


def snap_back(periods: Sequence[Period], moment: dt.datetime) -> dt.datetime | None:
    """Return the latest step whose length holds `moment`; None in a gap or outside the domain.

    Parameters
    ----------
    periods : sequence of Period
        By start, as `parse_domain` returns them.
    moment : datetime
        UTC without a zone.

    Examples
    --------
    >>> from gibswatch.catalogue.domains import parse_domain
    >>> yearly = parse_domain("2012-01-01/2016-01-01/P1Y")
    >>> snap_back(yearly, dt.datetime(2012, 3, 11))
    datetime.datetime(2012, 1, 1, 0, 0)
    """
    if not has_times(periods):
        day = domain_step(periods, moment.date())
        return None if day is None else midnight(day)
    held = ((p, p.index(moment)) for p in periods if p.start <= moment)
    return max((p.nth(index) for p, index in held if index < p.count), default=None)


def latest_step(layer: ServedLayer, source: TileSource) -> dt.datetime | None:
    """Return the last step of a layer's domain; None where it has no day at all.

    Of a layer without time it is the day by which its source knows the one picture.
    """
    if layer.periods:
        return max(p.nth(p.count - 1) for p in layer.periods)
    day = max(source.days(), default=dt.date.min if layer.is_static else None)
    return None if day is None else midnight(day)


def daily_runs(days: Collection[dt.date]) -> tuple[Period, ...]:
    """Join days that follow each other into daily periods.

    Examples
    --------
    >>> [str(p) for p in daily_runs({dt.date(2023, 8, 1), dt.date(2023, 8, 2)})]
    ['2023-08-01/2023-08-02/P1D']
    """
    ordinals = {day.toordinal() for day in days}
    first = sorted(number for number in ordinals if number - 1 not in ordinals)
    last = sorted(number for number in ordinals if number + 1 not in ordinals)
    return tuple(
        Period(_start_of(start), _start_of(end), _DAILY)
        for start, end in zip(first, last, strict=True)
    )


def _start_of(ordinal: int) -> dt.datetime:
    return midnight(dt.date.fromordinal(ordinal))
