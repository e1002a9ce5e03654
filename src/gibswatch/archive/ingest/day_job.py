"""The days of a run in flight: each from its first request to its line in the journal."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from gibswatch.archive.ingest.in_flight import as_they_end, in_batches
from gibswatch.archive.ingest.summary import DayOutcome, DownloadSummary
from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.records import USABLE_STATES, DayRecord, TileRecord
from gibswatch.archive.journal.thread import JournalThread, finish_in
from gibswatch.archive.pictures.store import DayPicture, PictureStore
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import TileIndex
from gibswatch.download.engines import Engine, TileFetcher, open_engine
from gibswatch.download.plan import TileRequest, plan_day
from gibswatch.download.result import TileResult
from gibswatch.download.retry import Clock
from gibswatch.errors import RunStoppedError
from gibswatch.settings import Settings

__all__ = ["DayJobs", "kept_tiles"]

_ASKED_AGAIN = frozenset({"absent", "wrong-date"})
"""States that the end of the run may find changed: the service did not have the tile yet."""
_JOURNAL_BATCH = 256
"""Tiles after which the journal is written in the middle of a day whose tiles are kept."""
_MEMORY_BUDGET_BYTES = 2 * 2**30
"""For the pictures of the days in flight."""
_PROBLEMS_KEPT = 1000
_PROBLEMS_HELD = 10
"""Of a day that waits for the end of the run; the journal has them all."""


class DayJobs:
    """Brings the days of one run in, over one client.

    Parameters
    ----------
    store : PictureStore
        Of an archive whose lock is held.
    layer : Layer
    settings : Settings
    engine : {"http", "gdal"}
    clock : callable
        Seconds from any start, for the deadline.
    summary : DownloadSummary
        Told why the run stopped, and of what was given up then.
    on_day : callable
        Told of each day as it ends.
    """

    def __init__(
        self,
        store: PictureStore,
        layer: Layer,
        settings: Settings,
        *,
        engine: Engine,
        clock: Clock,
        summary: DownloadSummary,
        on_day: Callable[[DayOutcome], None],
    ) -> None:
        self._journal = JournalThread(store.layout.journal)
        self._store = store
        self._layer = layer
        self._settings = settings
        self._engine: Engine = engine
        self._deadline = _Deadline(settings.run_deadline_s, clock)
        self._summary = summary
        self._on_day = on_day

    async def run(self, days: Sequence[dt.date]) -> None:
        """Download days; then ask again for the tiles that the service did not have.

        Raises
        ------
        ServerUnreachableError
            If no connection can be made.
        """
        late: dict[dt.date, DayOutcome] = {}
        try:
            async with (
                self._journal,
                self._deadline.over_all(),
                open_engine(self._engine, self._settings, self._store.plan) as client,
            ):
                async with aclosing(self._each(self._day(client, day) for day in days)) as first:
                    async for outcome in first:
                        if _ASKED_AGAIN & outcome.tiles.keys():
                            late[outcome.date] = _trimmed(outcome)
                        else:
                            self._on_day(outcome)
                again = (self._once_more(client, outcome) for outcome in tuple(late.values()))
                async with aclosing(self._each(again)) as second:
                    async for outcome in second:
                        del late[outcome.date]
                        self._on_day(outcome)
        except RunStoppedError as error:
            self._summary.stopped = str(error)
            for outcome in late.values():
                self._on_day(outcome)

    def _each(
        self, jobs: Iterable[Coroutine[Any, Any, DayOutcome]]
    ) -> AsyncGenerator[DayOutcome, None]:
        return as_they_end(jobs, self._days_in_flight())

    def _days_in_flight(self) -> int:
        affordable = _MEMORY_BUDGET_BYTES // max(1, self._store.day_bytes)
        return max(1, min(self._settings.dates_in_flight, affordable))

    async def _day(
        self, client: TileFetcher, day: dt.date, kept: Sequence[TileRecord] | None = None
    ) -> DayOutcome:
        """Download one day but for the tiles that are kept, and write it down."""
        if kept is None:
            kept = await self._journal.call(lambda journal: kept_tiles(self._store, journal, day))
        tally = _Tally(Counter(tile.state for tile in kept))
        with self._store.begin(day) as picture:
            try:
                await self._fetch_tiles(client, day, kept, picture, tally)
            except (asyncio.CancelledError, RunStoppedError):
                await self._drop(tally, picture)
                raise
            return await self._finish(day, picture, tally)

    async def _fetch_tiles(
        self,
        client: TileFetcher,
        day: dt.date,
        kept: Sequence[TileRecord],
        picture: DayPicture,
        tally: _Tally,
    ) -> None:
        jobs = self._jobs(client, day, {record.tile for record in kept})
        async with aclosing(in_batches(jobs, self._settings.connections)) as batches:
            async for batch in batches:
                came = [task.result() for task in batch if task.exception() is None]
                await finish_in(None, partial(_put_all, picture, came))
                for result in came:
                    tally.add(result)
                    tally.records.append(_record(result))
                    if self._store.keeps_tiles and len(tally.records) >= _JOURNAL_BATCH:
                        await self._write_tiles(tally, picture)
                for task in batch:
                    task.result()  # the first error ends the day, once what came beside it is kept

    def _jobs(
        self, client: TileFetcher, day: dt.date, kept: Collection[TileIndex]
    ) -> Iterable[Coroutine[Any, Any, TileResult]]:
        requests = plan_day(self._settings.base_url, self._layer, self._store.plan, day)
        return (self._fetch(client, one) for one in requests if one.tile not in kept)

    async def _fetch(self, client: TileFetcher, request: TileRequest) -> TileResult:
        self._deadline.check()
        return await client.fetch(request)

    async def _finish(self, day: dt.date, picture: DayPicture, tally: _Tally) -> DayOutcome:
        outcome = tally.outcome(day)
        if not self._store.keeps_tiles:
            better = await self._journal.call(partial(self._held_better, outcome))
            if better is not None:
                return replace(outcome, tiles=better.tiles)
            await self._journal.call(lambda journal: journal.forget_day(day))
        path, files = await finish_in(None, partial(picture.finish, complete=outcome.complete))
        record = DayRecord(day, outcome.complete, path, _now(), outcome.tiles, files)
        await self._journal.call(lambda journal: journal.record_day(record, tally.records))
        return outcome

    def _held_better(self, outcome: DayOutcome, journal: Journal) -> DayRecord | None:
        """Return what is on disk if it shows more of the day than what came now."""
        held = journal.day(outcome.date)
        if held is None or held.tiles.get("ok", 0) <= outcome.tiles.get("ok", 0):
            return None
        return held if self._store.holds(held, partial(journal.tiles, held.date)) else None

    async def _write_tiles(self, tally: _Tally, picture: DayPicture) -> None:
        records, tally.records = tally.records, []

        def write(journal: Journal) -> None:
            picture.flush()  # on disk first, then written down
            journal.record_tiles(records)

        await self._journal.call(write)

    async def _drop(self, tally: _Tally, picture: DayPicture) -> None:
        """Give a day up in the middle; tiles that are kept one by one are not asked again."""
        if self._store.keeps_tiles:
            await self._write_tiles(tally, picture)
        saved = {"ok": tally.states["ok"]} if self._store.keeps_tiles else {}
        self._summary.add_dropped(tally.fetched, tally.received, saved)

    async def _once_more(self, client: TileFetcher, outcome: DayOutcome) -> DayOutcome:
        """Ask again for the tiles of a day that the service did not have when it was asked."""
        day = outcome.date
        records = await self._journal.call(lambda journal: journal.tiles(day))
        others = [record for record in records if record.state not in _ASKED_AGAIN]
        if self._store.keeps_tiles:
            rest = [one for one in outcome.problems if one[1] not in _ASKED_AGAIN]
            return _joined(outcome, await self._day(client, day, others), rest)
        fetched, received, came = 0, 0, False
        jobs = self._jobs(client, day, {record.tile for record in others})
        async with aclosing(as_they_end(jobs, self._settings.connections)) as results:
            async for result in results:
                fetched, received = fetched + 1, received + len(result.body or b"")
                if came := result.state in USABLE_STATES:
                    break
        asked = replace(
            outcome,
            fetched=outcome.fetched + fetched,
            received_bytes=outcome.received_bytes + received,
        )
        return _joined(asked, await self._day(client, day)) if came else asked


def kept_tiles(store: PictureStore, journal: Journal, day: dt.date) -> list[TileRecord]:
    """Return the tiles of a day that was interrupted, or is not whole, that are not asked again.

    Blank ones are kept beside others; a day of which all is blank is asked for anew.
    """
    if not store.keeps_tiles:
        return []
    there = [r for r in journal.tiles(day) if r.state in USABLE_STATES and store.holds_tile(r)]
    return there if any(record.state == "ok" for record in there) else []


@dataclass(slots=True)
class _Tally:
    """What came of one day's requests, so far."""

    states: Counter[str]
    fetched: int = 0
    received: int = 0
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    records: list[TileRecord] = field(default_factory=list)
    """Not written down yet."""

    def add(self, result: TileResult) -> None:
        self.states[result.state] += 1
        self.fetched += 1
        self.received += len(result.body or b"")
        if result.state not in USABLE_STATES and len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append((result.request.url, result.state, result.message))

    def outcome(self, day: dt.date) -> DayOutcome:
        return DayOutcome(day, dict(self.states), self.fetched, self.received, tuple(self.problems))


class _Deadline:
    """The end of a run, by a clock."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._begin = clock()

    def check(self) -> None:
        """Raise `RunStoppedError` once the time is up."""
        if self._seconds and self._clock() - self._begin >= self._seconds:
            raise self._error()

    @asynccontextmanager
    async def over_all(self) -> AsyncIterator[None]:
        """End what runs in the block when the time is up, whatever it waits for."""
        if not self._seconds:
            yield
            return
        try:
            async with asyncio.timeout(self._seconds) as scope:
                yield
        except TimeoutError as error:
            if scope.expired():
                raise self._error() from error
            raise

    def _error(self) -> RunStoppedError:
        return RunStoppedError(
            f"the {self._seconds / 60:g} minutes of --deadline are over: run the same command "
            "again, it goes on from here"
        )


def _put_all(picture: DayPicture, results: Iterable[TileResult]) -> None:
    for result in results:
        picture.put(result)


def _trimmed(outcome: DayOutcome) -> DayOutcome:
    return replace(outcome, problems=outcome.problems[:_PROBLEMS_HELD])


def _joined(
    first: DayOutcome, second: DayOutcome, problems: Iterable[tuple[str, str, str]] = ()
) -> DayOutcome:
    """Return how a day went in the end, with what was asked for in both rounds."""
    return replace(
        second,
        fetched=first.fetched + second.fetched,
        received_bytes=first.received_bytes + second.received_bytes,
        problems=(*problems, *second.problems),
    )


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _record(result: TileResult) -> TileRecord:
    return TileRecord(
        result.request.date,
        result.request.tile,
        result.state,
        result.request.url,
        result.status,
        result.headers,
        None if result.body is None else len(result.body),
        result.sha256,
        result.retrieved_at.isoformat(timespec="seconds"),
        result.message,
    )
