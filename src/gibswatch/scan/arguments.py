"""What people write in a notebook, made the records that the main job works with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from gibswatch.errors import BoundsError, DateRangeError, UsageError
from gibswatch.scan.judging.judge import Workers
from gibswatch.types import BBox

__all__ = ["BoxLike", "DayLike", "as_box", "as_day", "as_paths", "as_workers"]

BoxLike = BBox | Sequence[float]
"""A box, or four numbers W S E N."""
DayLike = dt.date | str
"""A date, a datetime (its day), or YYYY-MM-DD."""


def as_box(box: BoxLike | None) -> BBox | None:
    """Make a box of four numbers.

    Raises
    ------
    BoundsError
        If they are not four numbers.

    Examples
    --------
    >>> str(as_box((-36, -18, 0, 18)))
    '-36 -18 0 18'
    """
    if box is None or isinstance(box, BBox):
        return box
    try:
        west, south, east, north = (float(value) for value in box)
    except (TypeError, ValueError) as error:
        raise BoundsError(f"{box!r} is not a box: give four numbers W S E N") from error
    return BBox(west, south, east, north)


def as_day(day: DayLike) -> dt.date:
    """Make a date.

    Raises
    ------
    DateRangeError
        If it is neither a date nor YYYY-MM-DD.

    Examples
    --------
    >>> as_day("2023-08-07")
    datetime.date(2023, 8, 7)
    """
    if isinstance(day, dt.datetime):
        return day.date()
    if isinstance(day, dt.date):
        return day
    try:
        return dt.date.fromisoformat(day)
    except (TypeError, ValueError) as error:
        shown = str(day)[:40]
        raise DateRangeError(f"{shown!r} is not a date: give a date or YYYY-MM-DD") from error


def as_workers(workers: Workers | int | None) -> Workers:
    """Make a number of processes the record; None is one process."""
    if workers is None:
        return Workers()
    return workers if isinstance(workers, Workers) else Workers(workers)


def as_paths(files: Sequence[Path | str] | Path | str) -> list[Path]:
    """Make a list of paths; one path alone is a list of one.

    Raises
    ------
    UsageError
        If there is none.
    """
    paths = [Path(files)] if isinstance(files, Path | str) else [Path(file) for file in files]
    if not paths:
        raise UsageError("no picture is named: name JPEG or PNG pictures of one layer")
    return paths
