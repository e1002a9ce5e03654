"""Days into the archive: fetch, check, put in place, write down.

A day goes: `plan_day` -> `TileClient.fetch` (each tile with its state) -> tile files, or one
stitched picture -> `Journal`.  The journal comes last, and forgets a day before its picture is
replaced, so a kill at any moment leaves a day that is asked again, never one that is wrongly done.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from gibswatch.archive.ingest.day_job import DayJobs, kept_tiles
from gibswatch.archive.ingest.in_flight import beside_any_loop
from gibswatch.archive.ingest.summary import DayOutcome, DownloadSummary, write_problem_list
from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.journal.records import DayRecord, TileRecord
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.download.engines import Engine, check_engine
from gibswatch.download.horizon import published_until
from gibswatch.download.plan import plan_day
from gibswatch.download.retry import Clock
from gibswatch.download.wms import as_pictures
from gibswatch.errors import RunStoppedError, UsageError
from gibswatch.files import output_folder
from gibswatch.settings import Settings

__all__ = ["BULK_TILES", "download_days", "is_done", "tiles_to_ask"]

BULK_TILES = 1_000_000
"""Tiles in 24 hours that GIBS wants to be told of beforehand (source: GIBS usage policy)."""


def download_days(
    root: Path,
    layer: Layer,
    grid: Grid,
    days: Sequence[dt.date],
    settings: Settings,
    *,
    engine: Engine = "http",
    on_day: Callable[[DayOutcome], None] | None = None,
    bulk_approved: bool = False,
    clock: Clock = time.monotonic,
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
        Told of each day as it ends; of one with tiles that the service did not have, once they
        were asked for again at the end of the run.
    bulk_approved : bool
        Whether GIBS knows of a run that takes the last 24 hours over 1,000,000 tiles.
    clock : callable, optional
        Seconds from any start, for `Settings.run_deadline_s` (tests pass a fake).

    Returns
    -------
    DownloadSummary
        A run that was stopped before its end (by its deadline, or by a Retry-After over the cap)
        says so in `stopped`; its finished days are kept.

    Raises
    ------
    GridMismatchError
        If the folder holds another grid.
    ArchiveInUseError
        If another process writes to this layer's archive.
    UsageError
        If the engine cannot do what the grid or the layer needs, the run is too large, or the
        folder holds simulated days and lacks one.
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

    def job() -> DownloadSummary:
        with (
            ArchiveLock(store.layout.lock, "gibswatch download"),
            Journal(store.layout.journal) as journal,
        ):
            journal.claim_grid(grid)
            run = _Run(journal, store, layer, settings, engine=engine, clock=clock)
            return run.download(days, on_day, bulk_approved=bulk_approved)

    return beside_any_loop(job)


class _Run:
    """One run over an archive that nobody else writes to."""

    def __init__(
        self,
        journal: Journal,
        store: PictureStore,
        layer: Layer,
        settings: Settings,
        *,
        engine: Engine,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._store = store
        self._layer = layer
        self._settings = settings
        self._engine: Engine = engine
        self._clock = clock

    def download(
        self,
        days: Sequence[dt.date],
        on_day: Callable[[DayOutcome], None] | None,
        *,
        bulk_approved: bool,
    ) -> DownloadSummary:
        records = self._journal.days()
        todo = [day for day in days if not is_done(self._store, self._journal, records.get(day))]
        if todo and self._store.layout.simulated_mark.is_file():
            raise UsageError(
                f"{self._store.layout.root} holds simulated days of {self._layer.identifier}: "
                f"{todo[0]} and the like come from gibswatch simulate archive; name another "
                "--output-dir for downloaded ones"
            )
        if not bulk_approved:
            self._check_bulk(todo)
        summary = DownloadSummary(days=len(days))
        summary.keep(len(days) - len(todo))

        def note(outcome: DayOutcome) -> None:
            summary.add(outcome)
            if on_day is not None:
                on_day(outcome)

        jobs = DayJobs(
            self._store, self._layer, self._settings,
            engine=self._engine, clock=self._clock, summary=summary, on_day=note,
        )  # fmt: skip
        try:
            put_off = self._put_off(todo, records, summary)
        except RunStoppedError as error:  # the list of days itself was asked for too often
            summary.stopped = str(error)
        else:
            for outcome in put_off.values():
                note(outcome)
            if asked := [day for day in todo if day not in put_off]:
                asyncio.run(jobs.run(asked))
        path = self._store.layout.not_ok_list
        summary.problem_list = write_problem_list(path, self._journal.problems())
        return summary

    def _check_bulk(self, todo: Sequence[dt.date]) -> None:
        """Refuse a run of which GIBS wants to be told, before anything is asked for.

        Raises
        ------
        UsageError
            If it would take the last 24 hours over 1,000,000 tiles.
        """
        since = self._journal.tiles_since(dt.datetime.now(dt.UTC) - dt.timedelta(hours=24))
        if len(todo) * len(self._store.plan.source_tiles()) + since <= BULK_TILES:
            return
        planned = sum(tiles_to_ask(self._store, self._journal, day) for day in todo)
        if planned and planned + since > BULK_TILES:
            recent = f", and {since:,} were in the last 24 hours" if since else ""
            raise UsageError(
                f"this run asks for {planned:,} tiles{recent}: GIBS's policy is that more than "
                f"{BULK_TILES:,} in 24 hours are agreed with earthdata-support@nasa.gov 48 hours "
                "before. Write to them and give gibswatch download --bulk-approved, or take a "
                "coarser --tile-resolution, a --bbox or a shorter range of dates"
            )

    def _put_off(
        self,
        todo: Sequence[dt.date],
        records: Mapping[dt.date, DayRecord],
        summary: DownloadSummary,
    ) -> dict[dt.date, DayOutcome]:
        """Write down the days that the service has not published, by its own list of days."""
        known = self._layer.last_known_date
        late = [day for day in todo if known is not None and day > known]
        # What came of a day once is not taken back because a list says less today.
        late = [day for day in late if not (day in records and records[day].tiles.get("ok"))]
        if not late:
            return {}
        last = published_until(self._layer, self._store.plan, self._settings)
        summary.published_until = last
        return {day: self._not_yet(day, last) for day in late if last is not None and day > last}

    def _not_yet(self, day: dt.date, last: dt.date) -> DayOutcome:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        why = f"not published yet: the service's list of days ends on {last}"
        base_url = self._settings.base_url
        tiles = [
            TileRecord(day, request.tile, "not-yet", request.url, None, {}, None, None, now, why)
            for request in plan_day(base_url, self._layer, self._store.plan, day)
        ]
        counts = {"not-yet": len(tiles)}
        record = DayRecord(day, complete=False, picture=None, finished_at=now, tiles=counts)
        self._journal.record_day(record, tiles)
        return DayOutcome(day, counts, 0)


def is_done(store: PictureStore, journal: Journal, record: DayRecord | None) -> bool:
    """Whether the journal says that the day is whole; a file that is gone or short is not."""
    if record is None or not record.complete:
        return False
    return store.holds(record, partial(journal.tiles, record.date))


def tiles_to_ask(store: PictureStore, journal: Journal, day: dt.date) -> int:
    """Count the tiles that a run would ask for of a day that is not whole."""
    return len(store.plan.source_tiles()) - len(kept_tiles(store, journal, day))
