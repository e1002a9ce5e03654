"""The days that a layer has: GIBS's time domains, read, walked and written.

A domain is a comma list of periods ``start/end/step``, for instance
``2000-02-24/2000-04-25/P1D,2000-04-28/2000-08-06/P1D``.  A step holds from its own date until the
next one (or for the step's length, where it is the last of its period): a yearly picture of
2012-01-01 stands for 2012-03-11 too.  Nothing is extrapolated: 8- and 16-day series start anew
every January, and what lies between two periods is a gap.
"""

from __future__ import annotations

import datetime as dt
import heapq
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gibswatch.errors import DateRangeError

__all__ = [
    "Period",
    "Step",
    "days_in",
    "domain_step",
    "format_domain",
    "gap_around",
    "gaps",
    "parse_domain",
    "parse_step",
]

_DAY_S = 86400
_ONE_DAY = dt.timedelta(days=1)
_NEVER = dt.datetime.combine(dt.date.max, dt.time.max)
"""Stands for a step beyond the last year of the calendar."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?", re.ASCII)
_STEP = re.compile(
    r"P(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?"
    r"(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,5})S)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """The distance from one picture of a layer to the next, an ISO 8601 duration."""

    months: int = 0
    """Calendar months; a year is twelve."""
    days: int = 0
    """Whole days; a week is seven."""
    seconds: int = 0
    """The part after the T, at most what was written there."""

    @property
    def is_sub_daily(self) -> bool:
        """Whether a day holds more than one step."""
        return self.months == 0 and self.days * _DAY_S + self.seconds < _DAY_S

    def __str__(self) -> str:
        years, months = (0, self.months) if self.months % 12 else (self.months // 12, 0)
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        day_part = _units((years, "Y"), (months, "M"), (self.days, "D"))
        time_part = _units((hours, "H"), (minutes, "M"), (seconds, "S"))
        return f"P{day_part}T{time_part}" if time_part else f"P{day_part}"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One unbroken series of steps."""

    start: dt.datetime
    """The first step, UTC without a zone; midnight where the step is a day or longer."""
    end: dt.datetime
    """No step is later; UTC without a zone."""
    step: Step

    @property
    def first_day(self) -> dt.date:
        """Date of the first step."""
        return self.start.date()

    @property
    def last_day(self) -> dt.date:
        """Date of the end as the service lists it (for long steps: where the last one begins)."""
        return self.end.date()

    @property
    def last_covered_day(self) -> dt.date:
        """Last day that the last step stands for."""
        if self.step.is_sub_daily:
            return self.last_day
        after = self.nth(self.count)
        return dt.date.max if after == _NEVER else after.date() - _ONE_DAY

    @property
    def count(self) -> int:
        """Number of steps."""
        return self.index(self.end) + 1

    def nth(self, index: int) -> dt.datetime:
        """Time of a step, counted from 0, also beyond the end; the 31st becomes a month's last."""
        try:
            moment = _add_months(self.start, index * self.step.months)
            seconds = self.step.days * _DAY_S + self.step.seconds
            return moment + dt.timedelta(seconds=index * seconds)
        except (OverflowError, ValueError):
            return _NEVER

    def index(self, moment: dt.datetime) -> int:
        """Index of the last step at or before `moment`, also past the end; -1 before the start."""
        if moment < self.start:
            return -1
        seconds = self.step.days * _DAY_S + self.step.seconds
        elapsed = moment - self.start
        if not self.step.months:
            return elapsed // dt.timedelta(seconds=seconds)
        shortest = dt.timedelta(days=28 * self.step.months, seconds=seconds)
        return bisect_right(range(elapsed // shortest + 1), moment, key=self.nth) - 1

    def __str__(self) -> str:
        midnight = dt.time()
        if self.step.seconds or self.start.time() != midnight or self.end.time() != midnight:
            start, end = (t.isoformat(timespec="seconds") + "Z" for t in (self.start, self.end))
            return f"{start}/{end}/{self.step}"
        return f"{self.first_day}/{self.last_day}/{self.step}"


def parse_step(text: str) -> Step:
    """Read an ISO 8601 duration of GIBS, e.g. ``P1D``, ``P1429D`` or ``PT39M49S``.

    Raises
    ------
    DateRangeError
        If it is none, or of no length.

    Examples
    --------
    >>> parse_step("PT39M49S")
    Step(months=0, days=0, seconds=2389)
    """
    match = _STEP.fullmatch(text)
    parts = {k: int(v) for k, v in match.groupdict(default="0").items()} if match else {}
    if not any(parts.values()):
        raise DateRangeError(
            f"{_shown(text)} is not a step of time: write it like P1D, P8D, P1M, P1Y or PT10M"
        )
    return Step(
        months=parts["years"] * 12 + parts["months"],
        days=parts["weeks"] * 7 + parts["days"],
        seconds=parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"],
    )


@lru_cache(maxsize=256)
def parse_domain(text: str) -> tuple[Period, ...]:
    """Read a time domain; an empty one belongs to a layer without time.

    Parameters
    ----------
    text : str
        Comma list of ``start/end/step``; a date alone stands for one day.

    Returns
    -------
    tuple of Period
        By start.

    Raises
    ------
    DateRangeError
        If a period cannot be read, or ends before it starts.

    Examples
    --------
    >>> [str(p.first_day) for p in parse_domain("2012-01-01/2012-01-01/P1Y,2016-01-01")]
    ['2012-01-01', '2016-01-01']
    """
    if not text.strip():
        return ()
    return tuple(sorted(_parse_period(part.strip()) for part in text.split(",")))


def format_domain(periods: Iterable[Period]) -> str:
    """Write periods as GIBS does; `parse_domain` reads them back."""
    return ",".join(str(period) for period in periods)


def domain_step(periods: Sequence[Period], day: dt.date) -> dt.date | None:
    """Return the date of the step that contains `day`, or None in a gap or outside the domain.

    Where periods overlap the latest step wins, as the picture that is nearest to the day.

    Parameters
    ----------
    periods : sequence of Period
        By start, as `parse_domain` returns them.
    day : date

    Examples
    --------
    >>> str(domain_step(parse_domain("2012-01-01/2016-01-01/P1Y"), dt.date(2012, 3, 11)))
    '2012-01-01'
    """
    best: dt.date | None = None
    for period in periods[: bisect_right(periods, day, key=lambda p: p.first_day)]:
        found = _step_of(period, day)
        if found is not None and (best is None or found > best):
            best = found
    return best


def days_in(periods: Sequence[Period], start: dt.date, stop: dt.date) -> Iterator[dt.date]:
    """Yield the dates of the domain's steps with ``start <= date < stop``, ascending, each once.

    Sub-daily layers give each day that has a step; nothing is yielded beyond a period's end.
    """
    near = [p for p in periods if p.first_day < stop and p.last_day >= start]
    last: dt.date | None = None
    for day in heapq.merge(*(_period_days(p, start, stop) for p in near)):
        if day != last:
            yield day
        last = day


def gaps(periods: Sequence[Period]) -> tuple[tuple[dt.date, dt.date], ...]:
    """First and last missing day of every gap between the domain's periods.

    Examples
    --------
    >>> [(str(a), str(b)) for a, b in gaps(parse_domain("2026-04-01/2026-04-28/P1D,2026-04-30"))]
    [('2026-04-29', '2026-04-29')]
    """
    found = []
    covered: dt.date | None = None
    for period in sorted(periods):
        if covered is not None and period.first_day.toordinal() > covered.toordinal() + 1:
            found.append((covered + _ONE_DAY, period.first_day - _ONE_DAY))
        last = period.last_covered_day
        covered = last if covered is None else max(covered, last)
    return tuple(found)


def gap_around(periods: Sequence[Period], day: dt.date) -> tuple[dt.date, dt.date] | None:
    """First and last missing day of the gap that holds `day`.

    None where the day is in the domain, before its first or after its last day.
    """
    for first, last in gaps(periods):
        if first <= day <= last:
            return (first, last)
    return None


def _step_of(period: Period, day: dt.date) -> dt.date | None:
    if period.step.is_sub_daily:
        return day if period.first_day <= day <= period.last_day else None
    index = period.index(min(period.end, dt.datetime.combine(day, dt.time.max)))
    after = period.nth(index + 1)
    return period.nth(index).date() if day < after.date() or after == _NEVER else None


def _period_days(period: Period, start: dt.date, stop: dt.date) -> Iterator[dt.date]:
    stop = min(stop, dt.date.max)
    if period.step.is_sub_daily:
        first = max(start, period.first_day).toordinal()
        last = min(stop.toordinal() - 1, period.last_day.toordinal())
        yield from map(dt.date.fromordinal, range(first, last + 1))
        return
    index = max(0, period.index(dt.datetime.combine(start, dt.time())))
    for k in range(index, period.count):
        day = period.nth(k).date()
        if day >= stop:
            return
        if day >= start:
            yield day


def _parse_period(text: str) -> Period:
    parts = text.split("/")
    if len(parts) == 1 and _DATE.fullmatch(text):
        parts = [text, text, "P1D"]
    if len(parts) != 3:
        raise DateRangeError(
            f"{_shown(text)} is not a period: write it like 2000-02-24/2000-04-25/P1D"
        )
    period = Period(_parse_time(parts[0]), _parse_time(parts[1]), parse_step(parts[2]))
    if period.end < period.start:
        raise DateRangeError(f"{_shown(text)} ends before it starts: swap the two dates")
    return period


def _parse_time(text: str) -> dt.datetime:
    if _DATE.fullmatch(text) or _INSTANT.fullmatch(text):
        try:
            return dt.datetime.fromisoformat(text.removesuffix("Z"))
        except ValueError as error:
            raise DateRangeError(f"{_shown(text)} is not in the calendar: {error}") from error
    raise DateRangeError(
        f"{_shown(text)} is not a date: write it like 2000-02-24 or 2000-02-24T00:10:00Z"
    )


def _add_months(moment: dt.datetime, months: int) -> dt.datetime:
    if not months:
        return moment
    year, month0 = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    following = dt.date(year + month0 // 11, (month0 + 1) % 12 + 1, 1)
    return moment.replace(
        year=year, month=month0 + 1, day=min(moment.day, (following - _ONE_DAY).day)
    )


def _units(*parts: tuple[int, str]) -> str:
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
