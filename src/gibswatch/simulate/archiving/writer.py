"""Simulated days as an archive: pictures, a journal that says `ok`, the truth beside them, labels.

Processes make and write days (`day_files`); this one writes the journal and the labels.  A kill at
any moment leaves whole files, and days that the next run finishes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gibswatch.archive import (
    DayRecord,
    Journal,
    LabelLine,
    Layout,
    TileRecord,
    WrittenFile,
    read_labels,
    write_labels,
)
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.labels import Split, label_path
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.catalogue import Grid, GridPlan, find_layer, plan_grid
from gibswatch.errors import ArchiveError, UnknownGridError, UsageError
from gibswatch.files import output_folder
from gibswatch.parallel import map_ordered
from gibswatch.simulate.archiving.day_files import held_day, read_truth_document, write_day
from gibswatch.simulate.archiving.origin import claim_origin
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.types import Georeference, Kind

__all__ = ["ArchiveOrder", "WriteSummary", "write_archives"]

_MOST_PIXELS = 33_554_432
"""8192 x 4096: a picture that is made at once."""

_Job = tuple[Layout, DaySpec, Georeference]


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """Days of one layer on one grid, to be written under one root."""

    root: Path
    grid: Grid
    specs: tuple[DaySpec, ...]
    """One a day, all of one layer."""
    origin: Mapping[str, Any] = field(hash=False)
    """What the days were drawn from; a folder holds days of one origin only."""
    split: Split = "test"
    """Word at the beginning of the label lines."""

    @property
    def layer(self) -> str:
        """Identifier of the layer."""
        return self.specs[0].layer


@dataclass(slots=True)
class WriteSummary:
    """What a run did."""

    days: int = 0
    """Days that the run was asked for."""
    days_kept: int = 0
    """Days that were there already."""
    days_made: int = 0
    written_bytes: int = 0


def write_archives(
    orders: Sequence[ArchiveOrder],
    *,
    workers: int | None = None,
    on_day: Callable[[int, int], None] | None = None,
) -> WriteSummary:
    """Make and write all days that are not there yet.

    Parameters
    ----------
    orders : sequence of ArchiveOrder
    workers : int, optional
        Processes; None is one a core for many days.
    on_day : callable, optional
        Told (done, total) as each day ends.

    Raises
    ------
    UsageError
        If a folder holds days of another origin, or an order has no days.
    GridMismatchError
        If a folder holds another grid.
    UnknownGridError
        If the grid cannot be one picture a day, or is too large.
    ArchiveInUseError
        If another process writes to one of the archives.
    OutputError
        If a folder cannot be written.
    """
    stores = [_Store(order) for order in orders]
    with contextlib.ExitStack() as locks:
        for store in stores:
            store.open(locks)
        return _write_all(stores, workers, on_day)


def _write_all(
    stores: Sequence[_Store],
    workers: int | None,
    on_day: Callable[[int, int], None] | None,
) -> WriteSummary:
    """Make and write the days of archives that nobody else writes to."""
    jobs = [(store, spec) for store in stores for spec in store.missing()]
    total = sum(store.days for store in stores)
    summary = WriteSummary(total, total - len(jobs))
    begun = time.time()
    items = [(store.layout, spec, store.plan.georeference) for store, spec in jobs]
    try:
        with contextlib.closing(_written(items, workers)) as sizes:
            for done, ((store, spec), size) in enumerate(
                zip(jobs, sizes, strict=True), summary.days_kept + 1
            ):
                store.record(spec)
                summary.days_made += 1
                summary.written_bytes += size
                if on_day is not None:
                    on_day(done, total)
    except BaseException:
        _sweep(items, begun)
        raise
    finally:
        for store in stores:
            store.write_labels()
    return summary


def _written(items: Sequence[_Job], workers: int | None) -> Generator[int, None, None]:
    """Write days; closing this ends the processes that do."""
    yield from map_ordered(_write, items, workers=workers)


def _write(job: _Job) -> int:
    """Make and write a day; runs in a process of its own."""
    layout, spec, georeference = job
    return write_day(layout, spec, georeference)


def _sweep(items: Sequence[_Job], begun: float) -> None:
    """Remove what processes that were ended in the middle of a file have left of this run."""
    for folder in {layout.day_folder(spec.day) for layout, spec, _ in items}:
        for path in folder.rglob(".part-*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime >= begun - 1.0:
                    path.unlink()


class _Store:
    """The folder of one order."""

    def __init__(self, order: ArchiveOrder) -> None:
        if not order.specs:
            raise UsageError("no days to simulate: give a longer range")
        self._order = order
        self._layer = find_layer(order.layer)
        self.layout = Layout(order.root, self._layer.identifier, order.grid.epsg)

    @property
    def days(self) -> int:
        """Days that are asked for."""
        return len(self._order.specs)

    @cached_property
    def plan(self) -> GridPlan:
        """The grid, worked out."""
        plan = plan_grid(self._order.grid, self._layer.matrix_set(self._order.grid.epsg))
        rows, cols = plan.window.shape
        if plan.grid.tiled:
            raise UnknownGridError(
                "a simulated archive has one picture a day: leave --tiled-world out, or download "
                "tiles from gibswatch simulate serve"
            )
        if rows * cols > _MOST_PIXELS:
            raise UnknownGridError(
                f"a simulated picture of {cols}x{rows} pixels is over the limit of {_MOST_PIXELS}: "
                "use a --bbox or a coarser --tile-resolution"
            )
        stored = PictureStore(self.layout, plan, self._layer.format).stored_as.stored
        if stored != self._layer.format:
            raise UnknownGridError(
                f"a simulated picture of {self._layer.identifier} is stored as it is served, as "
                f"{self._layer.format}, not as {stored}: name another --output-dir"
            )
        return plan

    def open(self, locks: contextlib.ExitStack) -> None:
        """Claim the folder for this grid and this origin, and keep others from writing to it."""
        plan = self.plan  # what cannot be written leaves no folder behind
        output_folder(self.layout.root)
        read_labels(label_path(self.layout))  # a line that cannot be read is told before the work
        locks.enter_context(ArchiveLock(self.layout.lock, "gibswatch simulate archive"))
        claim_origin(self.layout, self._order.origin)
        with Journal(self.layout.journal) as journal:
            journal.claim_grid(plan.grid)

    def missing(self) -> list[DaySpec]:
        """Days that are not there as they should be; what is, but not written down, is now."""
        place = self.plan.georeference
        lacking = []
        with Journal(self.layout.journal) as journal:
            records = journal.days()
            for spec in self._order.specs:
                record = records.get(spec.day)
                picture = held_day(self.layout, spec, place)
                if picture is None:
                    lacking.append(spec)
                    if record is not None:  # its pixels are about to become others
                        journal.forget_day(spec.day)
                elif record is None or record.files != (picture,):
                    self._note(journal, spec, picture)
        return lacking

    def record(self, spec: DaySpec) -> None:
        """Write down a day whose files are there."""
        picture = held_day(self.layout, spec, self.plan.georeference)
        if picture is None:
            raise ArchiveError(
                f"{self.layout.day_folder(spec.day)} changed while it was written: end the other "
                "program and run the command again"
            )
        with Journal(self.layout.journal) as journal:
            self._note(journal, spec, picture)

    def write_labels(self) -> None:
        """Write the label lines of the days that are there."""
        layout = self.layout
        with Journal(layout.journal) as journal:
            days = journal.days()
        found = ((day, read_truth_document(layout, day)) for day in days)
        lines = [
            LabelLine(self._order.split, day, tuple(Kind(code) for code in document["codes"]))
            for day, document in found
            if document is not None
        ]
        if lines:
            path = label_path(layout)
            before = read_labels(path)
            after = before.with_lines(lines)
            if after != before:
                write_labels(path, after, before=before)

    def _note(self, journal: Journal, spec: DaySpec, picture: WrittenFile) -> None:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        tiles = list(self._tiles(spec, now))
        counts = {"ok": len(tiles)}
        # A second fetch, which a scan asks for before it accuses a day, could say nothing else.
        record = DayRecord(
            spec.day,
            complete=True,
            picture=picture.path,
            finished_at=now,
            tiles=counts,
            files=(picture,),
            confirmed_at=now,
        )
        journal.record_day(record, tiles)

    def _tiles(self, spec: DaySpec, now: str) -> Iterator[TileRecord]:
        """Every source tile, as one that came: what is black in the picture is black indeed."""
        url = f"simulated:{spec.layer}/{spec.day}?seed={spec.seed}"
        for tile in self.plan.source_tiles():
            yield TileRecord(spec.day, tile, "ok", url, None, {}, None, None, now, "")
