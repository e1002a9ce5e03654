"""A second fetch of every tile of a day about which something is to be said.

Bytes that were scrambled on the way decode by design; another SHA-256 the second time tells.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from math import ceil, floor
from pathlib import Path

from gibswatch.archive.ingest.in_flight import as_they_end, beside_any_loop
from gibswatch.archive.ingest.summary import write_problem_list
from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.journal.records import USABLE_STATES, DayRecord, TileRecord
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, GridPlan, TileIndex, TileRange, plan_grid
from gibswatch.download.engines import TileFetcher, open_engine
from gibswatch.download.plan import plan_day
from gibswatch.download.result import TileResult
from gibswatch.download.wms import as_pictures
from gibswatch.files import storage_errors
from gibswatch.settings import Settings

__all__ = ["Confirmation", "confirm_days"]

_SNAP = 1e-6
"""Tiles: an edge this close to another lies on it."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a second fetch of one day's tiles said."""

    compared: int
    """Tiles that came again."""
    suspect: int
    """Those of them that had other bytes than the first time."""
    unanswered: int
    """Tiles that did not come again, or of which the first fetch left no SHA-256."""

    @property
    def confirmed(self) -> bool:
        """Whether every tile came again with the same bytes."""
        return self.compared > 0 and not self.suspect and not self.unanswered


def confirm_days(
    root: Path,
    layer: Layer,
    grid: Grid,
    days: Sequence[dt.date],
    settings: Settings,
    *,
    on_day: Callable[[dt.date], None] | None = None,
) -> dict[dt.date, Confirmation]:
    """Fetch every tile of some days once more, and compare.

    A tile with other bytes becomes `suspect` and its day is not whole any more; a day of which all
    tiles came again with the same bytes is noted as confirmed.

    Parameters
    ----------
    root : Path
        The archive's root.
    layer : Layer
    grid : Grid
        That the folder holds.
    days : sequence of date
        Those that are not whole in the archive are left out.
    settings : Settings
    on_day : callable, optional
        Told of each day as it ends.

    Returns
    -------
    dict of date to Confirmation

    Raises
    ------
    ArchiveInUseError
        If another process writes to this layer's archive.
    OutputError
        If the folder cannot be written.
    ServerUnreachableError
        If no connection can be made.
    RunStoppedError
        If the server asks for a longer pause than is waited for.
    """
    layer = as_pictures(layer)
    plan = plan_grid(grid, layer.matrix_set(grid.epsg))
    store = PictureStore(Layout(root, layer.identifier, grid.epsg), plan, layer.format)

    def job() -> dict[dt.date, Confirmation]:
        with (
            ArchiveLock(store.layout.lock, "gibswatch scan"),
            Journal(store.layout.journal) as journal,
        ):
            journal.claim_grid(grid)
            second = _SecondFetch(journal, store, layer, settings)
            found = asyncio.run(second.run(days, on_day or (lambda _day: None)))
            if any(one.suspect for one in found.values()):
                write_problem_list(store.layout.not_ok_list, journal.problems())
            return found

    return beside_any_loop(job)


class _SecondFetch:
    """Asks again for what the journal has, day by day."""

    def __init__(
        self, journal: Journal, store: PictureStore, layer: Layer, settings: Settings
    ) -> None:
        self._journal = journal
        self._store = store
        self._layer = layer
        self._settings = settings

    async def run(
        self, days: Sequence[dt.date], on_day: Callable[[dt.date], None]
    ) -> dict[dt.date, Confirmation]:
        found: dict[dt.date, Confirmation] = {}
        async with open_engine("http", self._settings, self._store.plan) as client:
            for day in days:
                record = self._journal.day(day)
                if record is not None and record.complete:
                    found[day] = await self._day(client, record)
                on_day(day)
        return found

    async def _day(self, client: TileFetcher, record: DayRecord) -> Confirmation:
        tiles = self._journal.tiles(record.date)
        known = {one.tile: one for one in tiles if one.state in USABLE_STATES and one.sha256}
        compared, suspect = 0, dict[TileIndex, TileRecord]()
        for tile, result in (await self._fetch(client, record.date, known.keys())).items():
            if result.sha256 is None:
                continue
            compared += 1
            if result.sha256 != known[tile].sha256:
                suspect[tile] = _suspect(known[tile], result)
        asked = sum(one.state in USABLE_STATES for one in tiles)
        confirmation = Confirmation(compared, len(suspect), asked - compared)
        if suspect:
            self._doubt(record, suspect.values())
        elif confirmation.confirmed:
            now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            self._journal.record_day(replace(record, confirmed_at=now))
        return confirmation

    async def _fetch(
        self, client: TileFetcher, day: dt.date, tiles: Collection[TileIndex]
    ) -> dict[TileIndex, TileResult]:
        """Fetch tiles again; of a picture only its SHA-256 is kept."""
        requests = plan_day(self._settings.base_url, self._layer, self._store.plan, day)
        jobs = (client.fetch(request) for request in requests if request.tile in tiles)
        found = {}
        async with aclosing(as_they_end(jobs, self._settings.connections)) as results:
            async for result in results:
                found[result.request.tile] = replace(result, pixels=None, body=None)
        return found

    def _doubt(self, record: DayRecord, suspect: Collection[TileRecord]) -> None:
        """Take back that a day is whole.

        The files come first: a kill in between leaves a day whose files are not where the journal
        says, and such a day is asked for again.
        """
        changed = replace(record, complete=False, confirmed_at=None)
        if record.picture is not None:
            changed = self._as_partial(changed, record.picture)
        elif record.files:
            changed = self._without(changed, {one.tile for one in suspect})
        self._journal.record_day(changed, suspect)

    def _as_partial(self, record: DayRecord, picture: str) -> DayRecord:
        """Give the stitched picture the name of one that is not whole."""
        layout = self._store.layout
        path = layout.root / picture
        target = self._store.stored_as.picture_path(record.date, complete=False)
        with storage_errors(path):
            path.replace(target)
        name = target.relative_to(layout.root).as_posix()
        files = tuple(replace(f, path=name) if f.path == picture else f for f in record.files)
        return replace(record, picture=name, files=files)

    def _without(self, record: DayRecord, suspect: Collection[TileIndex]) -> DayRecord:
        """Remove the output tiles in which a suspect tile has pixels, as if it had not come."""
        layout = self._store.layout
        gone = set()
        for tile in self._store.stored_tiles():
            if any(source in suspect for source in _sources(self._store.plan, tile)):
                path = self._store.tile_path(record.date, tile)
                with storage_errors(path):
                    path.unlink(missing_ok=True)
                gone.add(path.relative_to(layout.root).as_posix())
        return replace(record, files=tuple(f for f in record.files if f.path not in gone))


def _sources(plan: GridPlan, tile: TileIndex) -> TileRange:
    """Source tiles that have pixels in an output tile."""
    scale = plan.scale  # both kinds of tile have the same number of pixels
    rows, cols = (
        range(floor(n * scale + _SNAP), max(floor(n * scale) + 1, ceil((n + 1) * scale - _SNAP)))
        for n in (tile.row, tile.col)
    )
    return TileRange(rows, cols)


def _suspect(first: TileRecord, second: TileResult) -> TileRecord:
    """Return the record of a tile whose two fetches differ."""
    digests = f"SHA-256 {(first.sha256 or '')[:12]} and {(second.sha256 or '')[:12]}"
    return replace(first, state="suspect", message=f"two fetches had other bytes ({digests})")
