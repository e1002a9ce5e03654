"""Asking again: after what, how long after, and when no more."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Protocol

from gibswatch.download.result import TileResult
from gibswatch.settings import Settings

__all__ = [
    "RETRIED_STATUSES",
    "Ask",
    "Clock",
    "Sleep",
    "TimeBudget",
    "fetch_repeatedly",
    "is_worth_retrying",
    "retry_after_s",
    "retry_delay_s",
]

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]

RETRIED_STATUSES = frozenset({408, 425, 429} | set(range(500, 600)) - {501, 505})
"""HTTP statuses of failures that may pass; "not implemented" and "no such HTTP" do not."""

_FIRST_DELAY_S = 0.5
_DELAY_GROWTH = 4.0
_LONGEST_DELAY_S = 30.0
_SECONDS = re.compile(r"\d+", re.ASCII)
_AGES_S = 10**9
"""Stands for any longer wait: a date that far off can still be counted with."""


class TimeBudget:
    """The time that one tile may take, of its own: what is not measured does not count.

    Parameters
    ----------
    total_s : float
    clock : callable
        Seconds, from any start.
    """

    def __init__(self, total_s: float, clock: Clock) -> None:
        self.left_s = total_s
        self._clock = clock

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Take the time of the block off the budget."""
        begin = self._clock()
        try:
            yield
        finally:
            self.left_s -= self._clock() - begin


class Ask(Protocol):
    """Makes one request for a tile."""

    async def __call__(self, attempt: int, budget: TimeBudget) -> TileResult:
        """Ask once, in at most what the budget has left, and take the time off it."""
        ...


async def fetch_repeatedly(
    ask: Ask, settings: Settings, *, clock: Clock, sleep: Sleep, chance: random.Random
) -> TileResult:
    """Ask until the result is none that may pass, and return the last.

    Parameters
    ----------
    ask : callable
        Takes the number of the attempt, the first being 1, and the tile's `TimeBudget`.
    settings : Settings
        For `attempts` and `tile_deadline_s`.
    clock, sleep : callable
        Tell and spend the time.
    chance : Random
        For the jitter of the waits.
    """
    budget = TimeBudget(settings.tile_deadline_s, clock)
    attempt = 1
    while is_worth_retrying(result := await ask(attempt, budget)) and attempt < settings.attempts:
        delay_s = retry_delay_s(attempt, chance)
        if delay_s >= budget.left_s:
            over = f"the {settings.tile_deadline_s:g} s for one tile are over"
            return replace(result, message=f"{result.message}; {over}")
        with budget.spending():
            await sleep(delay_s)
        attempt += 1
        if budget.left_s <= 0:  # the wait was longer than it should be
            break
    return result


def is_worth_retrying(result: TileResult) -> bool:
    """Whether a failure may pass: one of the network, an overloaded server, or a damaged answer."""
    if result.state not in ("failed", "corrupt"):
        return False
    return result.status is None or result.status == 200 or result.status in RETRIED_STATUSES


def retry_delay_s(attempt: int, chance: random.Random) -> float:
    """Seconds to wait after the attempt of this number, the first being 1.

    0.5 s, 2 s, 8 s and then 30 s, of which the second half is left to chance: tiles that failed
    together are not asked for together again.
    """
    # Not the power itself: with thousands of attempts it would be no float any more.
    whole_s = min(_FIRST_DELAY_S * _DELAY_GROWTH ** min(attempt - 1, 10), _LONGEST_DELAY_S)
    return whole_s * (1 + chance.random()) / 2


def retry_after_s(text: str | None, now: dt.datetime) -> float | None:
    """Seconds that a Retry-After header asks to wait; None where there is none to read.

    Parameters
    ----------
    text : str or None
        The header: seconds, or a date (RFC 9110, 10.2.3).
    now : datetime
        UTC, with its zone.

    Returns
    -------
    float or None
        0 for a date in the past.

    Examples
    --------
    >>> now = dt.datetime(2023, 8, 7, 12, tzinfo=dt.UTC)
    >>> retry_after_s("30", now), retry_after_s("Mon, 07 Aug 2023 12:01:00 GMT", now)
    (30.0, 60.0)
    >>> retry_after_s("-5", now), retry_after_s("soon", now)
    (None, None)
    """
    words = (text or "").strip()
    if _SECONDS.fullmatch(words):
        return float(_AGES_S if len(words) > 9 else int(words))
    try:
        when = parsedate_to_datetime(words)
        if when.tzinfo is None:
            when = when.replace(tzinfo=dt.UTC)  # a date of HTTP is always UTC
        wait_s = (when - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, wait_s), float(_AGES_S))
