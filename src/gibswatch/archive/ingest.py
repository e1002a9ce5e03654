"""Days into the archive: fetch, check, put in place, write down.

A day goes: `plan_day` -> `TileClient.fetch` (each tile with its state) -> tile files, or one
stitched picture -> `Journal`.  The journal comes last, and forgets a day before its picture is
replaced, so a kill at any moment leaves a day that is asked again, never one that is wrongly done.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from gibswatch.archive.journal import DayRecord, Journal, TileRecord
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures import PictureStore
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, TileIndex, plan_grid
from gibswatch.download.client import TileResult
from gibswatch.download.engines import Engine, TileFetcher, check_engine, open_engine
from gibswatch.download.plan import plan_day
from gibswatch.download.wms import as_pictures
from gibswatch.files import output_folder
from gibswatch.settings import Settings

__all__ = ["DayOutcome", "DownloadSummary", "download_days"]

_CANVAS_BUDGET_BYTES = 2 * 2**30
"""Memory for the mosaics of the days in flight."""
_JOURNAL_BATCH = 256
"""Tiles after which the journal is written in the middle of a day whose tiles are kept."""
_PROBLEMS_KEPT = 1000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """How one day went."""

    date: dt.date
    tiles: Mapping[str, int]
    """Number of tiles by state, those kept from earlier runs included."""
    fetched: int
    """Tiles asked for in this run."""
    received_bytes: int = 0
    problems: tuple[tuple[str, str, str], ...] = ()
    """(address, state, message) of the tiles that are not `ok`; the first thousand."""

    @property
    def complete(self) -> bool:
        """Whether every tile is `ok`."""
        return set(self.tiles) <= {"ok"}


@dataclass(slots=True)
class DownloadSummary:
    """What a run did, in total."""

    days: int = 0
    """Days that the run was asked for."""
    days_kept: int = 0
    """Days that were whole already, and not asked again."""
    days_complete: int = 0
    days_incomplete: int = 0
    fetched: int = 0
    received_bytes: int = 0
    tiles: Counter[str] = field(default_factory=Counter)
    """Tiles of this run's days by state."""
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """(address, state, message); the first thousand."""

    @property
    def nothing_came(self) -> bool:
        """Whether tiles were asked for and not one of all the days is there."""
        return self.fetched > 0 and not self.tiles["ok"] and not self.days_kept

    @property
    def first_problem(self) -> str:
        """What happened to the first tile that did not come, in a few words."""
        if not self.problems:
            return ""
        url, state, message = self.problems[0]
        return f"{state}: {url if len(url) <= 200 else url[:197] + '...'} ({message})"

    def add(self, outcome: DayOutcome) -> None:
        """Count one day."""
        self.days_complete += outcome.complete
        self.days_incomplete += not outcome.complete
        self.fetched += outcome.fetched
        self.received_bytes += outcome.received_bytes
        self.tiles.update(outcome.tiles)
        self.problems.extend(outcome.problems[: _PROBLEMS_KEPT - len(self.problems)])


def download_days(
    root: Path,
    layer: Layer,
    grid: Grid,
    days: Sequence[dt.date],
    settings: Settings,
    *,
    engine: Engine = "http",
    on_day: Callable[[DayOutcome], None] | None = None,
) -> DownloadSummary:
    """Bring days into the archive; what is there is not asked again.

    Parameters
    ----------
    root : Path
        The archive's root (`--output-dir`).
    layer : Layer
        A vector layer is taken as PNG pictures.
    grid : Grid
        Must be the one that the folder holds, if it holds one.
    days : sequence of date
    settings : Settings
    engine : {"http", "gdal"}
        What fetches the tiles: Gibswatch's own client, or GDAL through rasterio.
    on_day : callable, optional
        Told of each day as it ends.

    Raises
    ------
    GridMismatchError
        If the folder holds another grid.
    UsageError
        If the engine cannot do what the grid or the layer needs.
    OutputError
        If the folder cannot be written.
    ServerUnreachableError
        If no connection can be made.
    """
    layer = as_pictures(layer)
    plan = plan_grid(grid, layer.matrix_set(grid.epsg))
    check_engine(engine, layer, plan)
    store = PictureStore(Layout(root, layer.identifier, grid.epsg), plan, layer.format)
    output_folder(root)
    job = partial(_download, store, layer, days, settings, engine=engine, on_day=on_day)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return job()
    with ThreadPoolExecutor(1) as thread:  # in a notebook a loop runs here already
        return thread.submit(job).result()


def _download(
    store: PictureStore,
    layer: Layer,
    days: Sequence[dt.date],
    settings: Settings,
    *,
    engine: Engine,
    on_day: Callable[[DayOutcome], None] | None,
) -> DownloadSummary:
    with Journal(store.layout.journal) as journal:
        journal.claim_grid(store.plan.grid)
        known = journal.days()
        todo = [day for day in days if not _is_done(store, journal, known.get(day))]
        summary = DownloadSummary(days=len(days), days_kept=len(days) - len(todo))

        def note(outcome: DayOutcome) -> None:
            summary.add(outcome)
            if on_day is not None:
                on_day(outcome)

        ingest = _Ingest(journal, store, layer, settings, engine=engine, on_day=note)
        asyncio.run(ingest.run(todo))
    return summary


def _is_done(store: PictureStore, journal: Journal, record: DayRecord | None) -> bool:
    """Whether the journal says that the day is whole; a file that is gone or short is not."""
    if record is None or not record.complete:
        return False
    return store.holds(record, partial(journal.tiles, record.date))


class _Ingest:
    """One run: days in flight, each with its own mosaic, over one client."""

    def __init__(
        self,
        journal: Journal,
        store: PictureStore,
        layer: Layer,
        settings: Settings,
        *,
        engine: Engine,
        on_day: Callable[[DayOutcome], None],
    ) -> None:
        self._journal = journal
        self._store = store
        self._layer = layer
        self._settings = settings
        self._engine: Engine = engine
        self._on_day = on_day

    async def run(self, days: Sequence[dt.date]) -> None:
        async with open_engine(self._engine, self._settings, self._store.plan) as client:
            jobs = (self._day(client, day) for day in days)
            async with aclosing(_as_they_end(jobs, self._days_in_flight())) as outcomes:
                async for outcome in outcomes:
                    self._on_day(outcome)

    def _days_in_flight(self) -> int:
        if self._store.keeps_tiles:
            return self._settings.dates_in_flight
        rows, cols = self._store.plan.source_window().shape
        affordable = max(1, _CANVAS_BUDGET_BYTES // (rows * cols * 8))
        return min(self._settings.dates_in_flight, affordable)

    async def _day(self, client: TileFetcher, day: dt.date) -> DayOutcome:
        kept = self._kept_tiles(day)
        requests = plan_day(self._settings.base_url, self._layer, self._store.plan, day)
        jobs = (client.fetch(request) for request in requests if request.tile not in kept)
        tally = _Tally(Counter({"ok": len(kept)} if kept else {}))
        records: list[TileRecord] = []
        picture = self._store.begin(day)
        async with aclosing(_as_they_end(jobs, self._settings.connections)) as results:
            async for result in results:
                await asyncio.to_thread(picture.put, result)
                tally.add(result)
                records.append(_record(result))
                if self._store.keeps_tiles and len(records) >= _JOURNAL_BATCH:
                    self._journal.record_tiles(records)
                    records = []
        outcome = tally.outcome(day)
        if not self._store.keeps_tiles:
            self._journal.forget_day(day)
        path, files = await asyncio.to_thread(picture.finish, complete=outcome.complete)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        record = DayRecord(day, outcome.complete, path, now, outcome.tiles, files)
        self._journal.record_day(record, records)
        return outcome

    def _kept_tiles(self, day: dt.date) -> frozenset[TileIndex]:
        """Tiles of an interrupted or incomplete day that need not be asked again."""
        if not self._store.keeps_tiles:
            return frozenset()
        return frozenset(
            record.tile
            for record in self._journal.tiles(day)
            if record.state == "ok" and self._store.holds_tile(record)
        )


@dataclass(slots=True)
class _Tally:
    """What came of one day's requests, so far."""

    states: Counter[str]
    fetched: int = 0
    received: int = 0
    problems: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, result: TileResult) -> None:
        self.states[result.state] += 1
        self.fetched += 1
        self.received += len(result.body or b"")
        if result.state != "ok" and len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append((result.request.url, result.state, result.message))

    def outcome(self, day: dt.date) -> DayOutcome:
        return DayOutcome(day, dict(self.states), self.fetched, self.received, tuple(self.problems))


async def _as_they_end(
    jobs: Iterable[Coroutine[Any, Any, _T]], limit: int
) -> AsyncGenerator[_T, None]:
    """Run a sliding window of `limit` jobs; results come as they end.

    The first error leaves as it is, not in a group; whatever still runs then is cancelled and has
    ended when this generator is closed.
    """
    waiting = iter(jobs)
    running: set[asyncio.Task[_T]] = set()
    ended: set[asyncio.Task[_T]] = set()
    try:
        while True:
            free = limit - len(running)
            running |= {asyncio.create_task(job) for job in islice(waiting, free)}
            if not running:
                return
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, *ended, return_exceptions=True)


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
