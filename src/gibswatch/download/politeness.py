"""Politeness: how many requests at a time, how fast they begin, and when nobody asks at all.

All requests of a client go through one `Pacer`.  It is a gate with a queue: the first in the queue
waits until a request may begin, the others wait behind it, so requests begin in the order in which
they came, and however many wait, only one of them looks at the clock.

Limits and where they come from: GIBS's usage policy asks for 50 Mbit/s at most, sustained, for at
most 500 connections, and for a slow start ("ramp up"); Retry-After is RFC 9110's.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from types import TracebackType
from typing import Self

from gibswatch.download.retry import Clock, Sleep
from gibswatch.errors import RunStoppedError
from gibswatch.settings import Settings

__all__ = ["Pacer", "refuse_long_wait"]

_FIRST_SHARE = 8
"""A ramp-up starts with one eighth of the connections."""
_LATENESS_S = 0.01
"""What a timer may be late: so much lost time is made good, so that the limits can be reached."""
_BITS_PER_MEGABIT = 1e6
_NEVER = float("-inf")


class Pacer:
    """Lets requests begin; each is an ``async with`` block, as with a semaphore.

    Parameters
    ----------
    settings : Settings
        `connections`, `requests_per_s`, `bandwidth_mbit_s`, `ramp_up_s` and `retry_after_cap_s`.
    clock, sleep : callable, optional
        Seconds from any start, and waiting for some (tests pass a fake pair).

    Notes
    -----
    Bytes are charged once they are here (`charge`), and the next request waits until they are paid
    for: a read that runs is never slowed, so a limit cannot make a time-out.
    """

    def __init__(
        self, settings: Settings, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._most = settings.connections
        self._few = max(1, settings.connections // _FIRST_SHARE)
        self._ramp_s = settings.ramp_up_s
        self._cap_s = settings.retry_after_cap_s
        rate, bandwidth = settings.requests_per_s, settings.bandwidth_mbit_s
        self._s_per_request = 1 / rate if rate else 0.0
        self._s_per_byte = 8 / (bandwidth * _BITS_PER_MEGABIT) if bandwidth else 0.0
        self._gate = asyncio.Lock()
        self._running = 0
        self._ended: asyncio.Future[None] | None = None
        self._ramp_from: float | None = None
        self._next_start = self._paid_at = self._resume_at = _NEVER
        self._stopped: str | None = None

    async def __aenter__(self) -> Self:
        """Wait for a turn.

        Raises
        ------
        RunStoppedError
            If the server asked for a longer pause than is waited for.
        """
        async with self._gate:
            while True:
                self._raise_if_stopped()
                now = self._clock()
                wait_s = max(self._next_start, self._paid_at, self._resume_at) - now
                if wait_s > 0:
                    await self._sleep(wait_s)
                elif self._running < self._allowed(now):
                    break
                else:
                    await self._room(now)
            self._begin(now)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the request."""
        self._running -= 1
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def charge(self, received_bytes: int) -> None:
        """Count bytes that came; the next request begins when they are paid for."""
        if self._s_per_byte:
            begin = max(self._paid_at, self._clock() - _LATENESS_S)
            self._paid_at = begin + received_bytes * self._s_per_byte

    def pause(self, wait_s: float, now: dt.datetime) -> None:
        """Let nobody begin for a while, as the server asks (Retry-After); then start slowly again.

        Parameters
        ----------
        wait_s : float
            At least 0.
        now : datetime
            UTC, for the message.

        Raises
        ------
        RunStoppedError
            If it is longer than `retry_after_cap_s`; from then on every request raises it.
        """
        try:
            refuse_long_wait(wait_s, now, self._cap_s)
        except RunStoppedError as error:
            self._stopped = str(error)
            raise
        if wait_s > 0:
            self._resume_at = max(self._resume_at, self._clock() + wait_s)
            self._ramp_from = self._resume_at

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise RunStoppedError(self._stopped)

    def _begin(self, now: float) -> None:
        if self._ramp_from is None:
            self._ramp_from = now
        if self._s_per_request:
            self._next_start = max(self._next_start, now - _LATENESS_S) + self._s_per_request
        self._running += 1

    def _allowed(self, now: float) -> int:
        """Requests that may run at a time."""
        since = now - (now if self._ramp_from is None else self._ramp_from)
        if since >= self._ramp_s:
            return self._most
        # The small number: what has been waited for, to the last bit, counts as there.
        return self._few + int((self._most - self._few) * since / self._ramp_s + 1e-9)

    async def _room(self, now: float) -> None:
        """Wait until a request ends, or the ramp lets one more run."""
        self._ended = asyncio.get_running_loop().create_future()
        allowed = self._allowed(now)
        if allowed == self._most or self._ramp_from is None:
            await self._ended
            return
        share = (allowed + 1 - self._few) / (self._most - self._few)
        grows_s = self._ramp_from + share * self._ramp_s - now
        timer = asyncio.ensure_future(self._wait(grows_s))
        try:
            await asyncio.wait({timer, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()

    async def _wait(self, seconds: float) -> None:
        await self._sleep(seconds)


def refuse_long_wait(wait_s: float, now: dt.datetime, cap_s: float) -> None:
    """End the run where the server asks for a longer pause than is waited for.

    Parameters
    ----------
    wait_s : float
    now : datetime
        UTC.
    cap_s : float
        `Settings.retry_after_cap_s`.

    Raises
    ------
    RunStoppedError
        It says from when on the command can be run again.
    """
    if wait_s <= cap_s:
        return
    # To the next whole minute: "after 12:05" must not be a few seconds early.
    again = now + dt.timedelta(seconds=wait_s + 59)
    day = "" if again.date() == now.date() else f"{again.date()} "
    raise RunStoppedError(
        f"the server asks to wait {wait_s:.0f} s (Retry-After), more than the {cap_s:g} s of "
        f"GIBSWATCH_RETRY_AFTER_CAP_S: run the same command again after {day}{again:%H:%M} UTC"
    )
