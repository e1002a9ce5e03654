"""Asks for tiles, and tells the truth about what came back."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import aiohttp

from gibswatch.download.connection import USER_AGENT, open_session, reason_of
from gibswatch.download.plan import TileRequest
from gibswatch.download.politeness import Pacer
from gibswatch.download.reachability import Reachability
from gibswatch.download.result import TileResult
from gibswatch.download.retry import (
    RETRIED_STATUSES,
    Clock,
    Sleep,
    TimeBudget,
    fetch_repeatedly,
    retry_after_s,
)
from gibswatch.download.states import MAX_TILE_BYTES, Answer, judge_answer, one_line
from gibswatch.settings import Settings

__all__ = ["USER_AGENT", "TileClient", "TileResult"]


class TileClient:
    """Fetches tiles over a bounded number of connections; an async context manager.

    Parameters
    ----------
    settings : Settings
    pacer : Pacer, optional
        Lets requests begin; default: one of its own, made from the settings.
    clock, sleep : callable, optional
        Tell the time, and wait between attempts (tests pass fakes).
    chance : Random, optional
        For the jitter of the waits.

    Raises
    ------
    ServerUnreachableError
        By `fetch`, once ten connections were refused or timed out and none was ever made.
    RunStoppedError
        By `fetch`, if the server asks for a longer pause than is waited for.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pacer: Pacer | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._pacer = pacer or Pacer(settings)
        self._clock = clock
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - jitter is no secret
        self._session: aiohttp.ClientSession | None = None
        self._judges: ThreadPoolExecutor | None = None
        self._reachability = Reachability(settings.base_url)

    async def __aenter__(self) -> Self:
        self._session = open_session(self._settings, accept_encoding="identity")
        # Decoding keeps a core busy: more threads than cores would only wait for each other.
        self._judges = ThreadPoolExecutor(os.cpu_count() or 1, "judge")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._judges is not None:
            self._judges.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, request: TileRequest) -> TileResult:
        """Fetch one tile, asking again after failures that may pass.

        A failure of the network or the server is a state of the result, never an exception.

        Raises
        ------
        ServerUnreachableError
            If no connection to the server can be made at all.
        RunStoppedError
            If the server asks for a longer pause than is waited for.
        """

        async def ask(attempt: int, budget: TimeBudget) -> TileResult:
            # A request waits for its turn here, not in the pool of connections: there its time
            # would be running already.
            async with self._pacer:
                with budget.spending():
                    answer = await self._ask(request.url, budget.left_s)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._judges, judge_answer, request, answer, attempt)

        return await fetch_repeatedly(
            ask, self._settings, clock=self._clock, sleep=self._sleep, chance=self._chance
        )

    async def _ask(self, url: str, left_s: float) -> Answer:
        if self._session is None:
            raise RuntimeError("TileClient is used outside of its `async with` block")
        s = self._settings
        timeout = aiohttp.ClientTimeout(
            total=min(s.tile_timeout_s, left_s), sock_connect=s.connect_timeout_s
        )
        try:
            # Redirects lead to other hosts or pages, never to a tile of GIBS.
            async with self._session.get(url, allow_redirects=False, timeout=timeout) as response:
                self._reachability.answered()
                self._heed(response)
                return await self._read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            self._reachability.refused(reason_of(error))
            return Answer(None, error=one_line(f"no connection: {reason_of(error)}"))
        except TimeoutError:
            return Answer(None, error="no whole answer in time")
        except aiohttp.ClientPayloadError as error:
            return Answer(None, error=one_line(f"short answer: {error}"), short=True)
        except aiohttp.ClientResponseError as error:
            # No status line, or something behind a body that was as long as announced.
            return Answer(None, error=one_line(f"this is no HTTP: {error.message}"))
        except aiohttp.ClientError as error:
            return Answer(None, error=one_line(f"{type(error).__name__}: {error}"))

    def _heed(self, response: aiohttp.ClientResponse) -> None:
        """Pause everything, or end the run, where the server asks for it."""
        if response.status not in RETRIED_STATUSES:
            return
        now = dt.datetime.now(dt.UTC)
        wait_s = retry_after_s(response.headers.get("Retry-After"), now)
        if wait_s is not None:
            self._pacer.pause(wait_s, now)

    async def _read(self, response: aiohttp.ClientResponse) -> Answer:
        """Read the body, never holding more than the largest tile and a piece."""
        pieces: list[bytes] = []
        size = 0
        try:
            while size <= MAX_TILE_BYTES and (piece := await response.content.readany()):
                pieces.append(piece)
                size += len(piece)
        finally:
            self._pacer.charge(size)
        return Answer(response.status, response.headers, b"".join(pieces))
