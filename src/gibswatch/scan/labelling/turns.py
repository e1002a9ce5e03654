"""Choosing days of several kinds in turns, spread over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Turn", "take_turns"]

_APART = dt.timedelta(days=8)
"""Between two days, at least: faults last for days, and one of them says it all."""
_SAME_EVENT = dt.timedelta(days=3)
"""Up to which distance days of one kind are one event: a fault may hide for two days."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One day of one kind."""

    date: dt.date
    kind: int
    """Number of its kind."""
    place: int
    """Among the days of its kind as they were given."""
    event: int
    """Number of its event among those of its kind."""


def take_turns(kinds: Sequence[Sequence[dt.date]], count: int) -> list[Turn]:
    """Choose days: one of each kind after the other, of each the first that fits.

    Days are at least 8 days apart.  Where that leaves some of `count`, only days of one kind are,
    and at last days of one event: a kind with at most two days between.

    Parameters
    ----------
    kinds : sequence of sequences of datetime.date
        Days of each kind, the best first.
    count : int
        How many days, at most.

    Examples
    --------
    >>> days = [dt.date(2016, 4, n) for n in (1, 2, 12)]
    >>> [turn.date.day for turn in take_turns([days, [dt.date(2016, 4, 3)]], 4)]
    [1, 12, 3]
    """
    pool = [turn for number, days in enumerate(kinds) for turn in _turns(number, days)]
    taken: list[Turn] = []
    for fits in (_far_from_all, _far_from_its_kind, _of_another_event):
        _take(taken, [[t for t in pool if t.kind == n] for n in range(len(kinds))], count, fits)
    return taken


def _turns(kind: int, days: Sequence[dt.date]) -> list[Turn]:
    events: dict[dt.date, int] = {}
    event, last = -1, dt.date.min
    for day in sorted(days):
        event += day - last > _SAME_EVENT
        events[day] = event
        last = day
    return [Turn(day, kind, place, events[day]) for place, day in enumerate(days)]


def _far_from_all(new: Turn, taken: Sequence[Turn]) -> bool:
    return all(abs(new.date - other.date) >= _APART for other in taken)


def _far_from_its_kind(new: Turn, taken: Sequence[Turn]) -> bool:
    return _far_from_all(new, [other for other in taken if other.kind == new.kind])


def _of_another_event(new: Turn, taken: Sequence[Turn]) -> bool:
    return all((other.kind, other.event) != (new.kind, new.event) for other in taken)


def _take(
    taken: list[Turn],
    left: list[list[Turn]],
    count: int,
    fits: Callable[[Turn, Sequence[Turn]], bool],
) -> None:
    """Go round over the kinds as long as any day fits beside those taken."""
    while len(taken) < count and any(left):
        for days in left:
            at = next((n for n, day in enumerate(days) if fits(day, taken)), len(days))
            if at < len(days) and len(taken) < count:
                taken.append(days[at])
            del days[: at + 1]  # what does not fit now never will
