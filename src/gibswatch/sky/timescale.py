"""Epoch seconds: UTC as one float, seconds since 2000-01-01T00:00.

Leap seconds are not counted: every UTC day has 86,400 of them, as in POSIX time, so that days and
seconds turn into each other without a table.  What is lost (a second at each of five leap seconds
since 2000) is 0.004 degree of Earth rotation.
"""

from __future__ import annotations

import datetime as dt

__all__ = ["DAY_S", "EPOCH", "datetime_at", "day_start_s", "epoch_s"]

EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
DAY_S = 86400.0
"""Seconds of a day."""


def epoch_s(moment: dt.datetime) -> float:
    """Epoch seconds of a moment; one without a time zone is taken as UTC.

    >>> epoch_s(dt.datetime(2000, 1, 2, tzinfo=dt.UTC))
    86400.0
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - EPOCH).total_seconds()


def datetime_at(seconds: float) -> dt.datetime:
    """Return the moment, in UTC, of epoch seconds (to the microsecond)."""
    return EPOCH + dt.timedelta(seconds=float(seconds))


def day_start_s(day: dt.date) -> float:
    """Epoch seconds at which a UTC day begins."""
    return (day - EPOCH.date()).days * DAY_S
