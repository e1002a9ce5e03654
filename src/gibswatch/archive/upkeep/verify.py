"""Every file of an archive against its journal, and what is wrong fetched again, nothing else.

What stands in a bad file's place is moved to the folder ``set-aside``; only what a killed run left
under a temporary name is removed.  Then the journal has the tiles down as to be asked again, before
the first request: if the service cannot be reached, the next download asks for them.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.archive.ingest.run import download_days
from gibswatch.archive.ingest.summary import DayOutcome, DownloadSummary
from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.journal.records import USABLE_STATES, DayRecord, TileRecord
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.archive.upkeep.check import Fault, check_archive
from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, TileIndex, plan_grid
from gibswatch.download.plan import plan_days
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import (
    ArchiveInUseError,
    DateRangeError,
    OutputError,
    ServerUnreachableError,
    UsageError,
)
from gibswatch.files import storage_errors
from gibswatch.settings import Settings, read_settings
from gibswatch.types import Epsg, ImageFormat

__all__ = ["VerifyReport", "verify_archive"]

_COMMAND = "verify"
_OUTPUT_TILE = re.compile(r"_Tile_(?P<col>\d+)-(?P<row>\d+)\.\w+$", re.ASCII)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found, and what became of it."""

    layer: str
    root: Path
    epsg: Epsg
    grid: Grid | None
    """None where there is no journal."""
    days: int
    """Days that the journal knows."""
    faults: tuple[Fault, ...]
    """All that was found, by day and path."""
    set_aside: tuple[tuple[str, str], ...] = ()
    """(path, where it lies now) of what was moved; both relative to the root."""
    left: tuple[Fault, ...] = ()
    """What is still bad: all faults if nothing was fetched."""
    download: DownloadSummary | None = None
    """What was fetched again; None where nothing was asked."""
    not_complete: tuple[dt.date, ...] = ()
    """Days that the journal has as not whole, in the end; the next download asks for them."""
    notes: tuple[str, ...] = ()
    """What a person should know."""

    @property
    def good(self) -> bool:
        """Whether nothing is left that is bad."""
        return not self.left


def verify_archive(
    root: Path,
    layer: str,
    epsg: int = 4326,
    *,
    settings: Settings | None = None,
    fetch: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Check every file of a layer, and fetch again what is not what the journal says.

    Parameters
    ----------
    root : Path
        The archive's root (`--output-dir`).
    layer : str
    epsg : {4326, 3413, 3031, 3857}
    settings : Settings, optional
        For what is fetched.
    fetch : bool
        False only lists: nothing on disk is changed.
    on_progress : callable, optional
        Told (done, total) of the days that are fetched again, as each ends.

    Raises
    ------
    UsageError
        If the archive holds nothing of the layer.
    ArchiveInUseError
        If another process writes here.
    ArchiveError
        If the journal is damaged; the message says how it is rebuilt.
    """
    known, code = find_picture_layer(layer), check_epsg(epsg)
    layout = Layout(root, known.identifier, code)
    if not layout.journal.is_file():
        return _without_journal(layout, known.format)
    with ExitStack() as stack:
        _take_lock(stack, layout, fetch=fetch)
        journal = stack.enter_context(Journal(layout.journal))
        grid = journal.grid
        if grid is None:  # made anew where one was lost: it must not condemn what is there
            return _without_journal(layout, known.format)
        store = PictureStore(layout, plan_grid(grid, known.matrix_set(code)), known.format)
        faults = tuple(check_archive(layout, journal, store, known.format))
        report = VerifyReport(known.identifier, root, code, grid, len(journal.days()), faults)
        if not fetch or not faults:
            return replace(report, left=faults, not_complete=_not_complete(journal))
        moved = _clear(layout, faults)
        again, notes = _mark(journal, store, known, faults)
    report = replace(report, set_aside=tuple(moved), notes=tuple(notes))
    return _fetch(report, known, again, settings or read_settings(), on_progress)


def _without_journal(layout: Layout, image_format: ImageFormat) -> VerifyReport:
    """Nothing is known: list what there is, and say how it can be taken over."""
    faults = tuple(check_archive(layout, None, None, image_format))
    if not any(fault.kind != "temporary" for fault in faults):
        raise UsageError(
            f"{layout.root} holds no {layout.layer} in EPSG:{layout.epsg}: name the --output-dir "
            "of a download"
        )
    note = (
        "there is no journal, so nothing vouches for these files: `--adopt` takes over what "
        "gibs-ml downloaded, `--rebuild` what Gibswatch did; or download into another --output-dir"
    )
    found = VerifyReport(layout.layer, layout.root, layout.epsg, None, 0, faults)
    return replace(found, left=faults, notes=(note,))


def _take_lock(stack: ExitStack, layout: Layout, *, fetch: bool) -> None:
    """Keep others from writing meanwhile; a folder that cannot be written can still be read."""
    try:
        stack.enter_context(ArchiveLock(layout.lock, _COMMAND))
    except ArchiveInUseError:
        raise
    except OutputError:
        if fetch:
            raise


def _clear(layout: Layout, faults: Sequence[Fault]) -> list[tuple[str, str]]:
    """Move bad files aside and remove temporary ones."""
    moved: list[tuple[str, str]] = []
    for fault in faults:
        path = layout.root / fault.path
        if fault.kind == "temporary":
            with storage_errors(path):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        elif fault.kind != "missing":
            moved.append((fault.path, _set_aside(layout, fault.path)))
    return moved


def _set_aside(layout: Layout, name: str) -> str:
    """Move a file to the folder for such, under a name that is free there."""
    target = layout.set_aside / name
    number = 0
    while target.exists() or target.is_symlink():
        number += 1
        target = layout.set_aside / f"{name}.{number}"
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        (layout.root / name).rename(target)
    return target.relative_to(layout.root).as_posix()


def _mark(
    journal: Journal, store: PictureStore, layer: Layer, faults: Sequence[Fault]
) -> tuple[list[dt.date], list[str]]:
    """Write into the journal what is to be asked again; return the days of it."""
    again: list[dt.date] = []
    notes: list[str] = []
    by_day: dict[dt.date, list[Fault]] = {}
    for fault in faults:
        if fault.date is not None and fault.kind != "temporary":
            by_day.setdefault(fault.date, []).append(fault)
    for day, found in by_day.items():
        record = journal.day(day)
        bad = [fault for fault in found if _is_known(fault, record)]
        if record is not None and bad:
            _mark_day(journal, store, record, bad)
        if record is None and not _is_listed(layer, day):
            notes.append(f"{day}: GIBS has no picture of {layer.identifier}; nothing is asked")
        elif record is None or bad:
            again.append(day)
    return again, notes


def _is_known(fault: Fault, record: DayRecord | None) -> bool:
    """Whether the journal vouched for the file."""
    if record is None:
        return False
    return fault.tile is not None or any(file.path == fault.path for file in record.files)


def _mark_day(
    journal: Journal, store: PictureStore, record: DayRecord, bad: Sequence[Fault]
) -> None:
    """Take what the bad files held out of a day's record: its tiles are to be asked again."""
    gone = {fault.path: fault for fault in bad}
    lost: dict[TileIndex, str] = {}
    for fault in bad:
        for tile in _sources(store, fault):
            lost[tile] = f"its file {fault.message}"
    tiles = [_lost(tile, lost.get(tile.tile)) for tile in journal.tiles(record.date)]
    marked = replace(
        record,
        complete=False,
        picture=None if record.picture in gone else record.picture,
        tiles=dict(Counter(tile.state for tile in tiles)),
        files=tuple(file for file in record.files if file.path not in gone),
        confirmed_at=None,
    )
    journal.record_day(marked, tiles)


def _sources(store: PictureStore, fault: Fault) -> Iterator[TileIndex]:
    """Source tiles that are to be asked again for a bad file.

    Of an output tile the one under its middle: the whole day is fetched for it, and must not take
    the place of the other output tiles if it comes with more tiles missing.
    """
    if fault.tile is not None:
        yield fault.tile
        return
    found = _OUTPUT_TILE.search(fault.path) if store.plan.grid.tiled else None
    middle = None
    if found is not None:
        scale = store.plan.scale  # both kinds of tile have the same number of pixels
        row, col = (int((int(found[name]) + 0.5) * scale) for name in ("row", "col"))
        middle = TileIndex(row, col)
    for tile in store.plan.source_tiles():
        if middle is None or tile == middle:
            yield tile


def _lost(tile: TileRecord, message: str | None) -> TileRecord:
    if message is None or tile.state not in USABLE_STATES:
        return tile
    return replace(tile, state="corrupt", length=None, sha256=None, message=message)


def _is_listed(layer: Layer, day: dt.date) -> bool:
    """Whether GIBS lists a picture of the day."""
    today = dt.datetime.now(dt.UTC).date()
    with suppress(DateRangeError):
        return day <= today and day in plan_days(layer, day, day + dt.timedelta(days=1)).days
    return False


def _fetch(
    report: VerifyReport,
    layer: Layer,
    days: Sequence[dt.date],
    settings: Settings,
    on_progress: Callable[[int, int], None] | None,
) -> VerifyReport:
    """Fetch the days, then look again at what was bad."""
    done = itertools.count(1)

    def note(_outcome: DayOutcome) -> None:
        if on_progress is not None:
            on_progress(next(done), len(days))

    layout = Layout(report.root, report.layer, report.epsg)
    if days and layout.simulated_mark.is_file():
        line = "these days are simulated: run gibswatch simulate or bench again, which makes them"
        report = replace(report, notes=(*report.notes, line))
    elif report.grid is not None and days:
        try:
            summary = download_days(report.root, layer, report.grid, days, settings, on_day=note)
            report = replace(report, download=summary)
            if summary.stopped:
                report = replace(report, notes=(*report.notes, summary.stopped))
        except ServerUnreachableError as error:
            line = f"nothing was fetched ({error}); a download asks for what was bad"
            report = replace(report, notes=(*report.notes, line))
    return _looked_at_again(report, layer, frozenset(days))


def _looked_at_again(
    report: VerifyReport, layer: Layer, asked: Collection[dt.date]
) -> VerifyReport:
    """Tell the faults whose file is not there again, and files that are bad anew."""
    if report.grid is None:
        return report
    layout = Layout(report.root, layer.identifier, report.grid.epsg)
    plan = plan_grid(report.grid, layer.matrix_set(report.grid.epsg))
    store = PictureStore(layout, plan, layer.format)
    with Journal(layout.journal) as journal:
        looked_at = {fault.date for fault in report.faults if fault.date is not None}
        found = check_archive(layout, journal, store, layer.format, looked_at)
        bad = {fault.path: fault for fault in found}
        for fault in report.faults:
            if fault.date is None or fault.date not in asked or fault.kind == "temporary":
                continue
            record = journal.day(fault.date)
            if record is None or not (record.complete or _came(journal, record, fault)):
                bad.setdefault(fault.path, fault)
        return replace(report, left=tuple(bad.values()), not_complete=_not_complete(journal))


def _not_complete(journal: Journal) -> tuple[dt.date, ...]:
    return tuple(day for day, record in journal.days().items() if not record.complete)


def _came(journal: Journal, record: DayRecord, fault: Fault) -> bool:
    """Whether the file is there again, though its day is not whole."""
    if fault.tile is None:
        return any(file.path == fault.path for file in record.files)
    return any(
        tile.tile == fault.tile and tile.state in USABLE_STATES
        for tile in journal.tiles(record.date)
    )
