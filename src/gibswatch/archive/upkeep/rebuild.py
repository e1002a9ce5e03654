"""A new journal from the files, where the old one is damaged or lost.

The damaged journal is set aside, never deleted.  Whole pictures that decode become days, kept tiles
become tiles again; everything else is left to be asked for.  What only the journal knew stays
unknown: headers, and the hashes of tiles that were joined into a picture.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.journal.records import DayRecord, TileRecord, WrittenFile
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore, decode_stored
from gibswatch.archive.upkeep.check import day_folders, find_files
from gibswatch.archive.upkeep.find_grid import find_grid
from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import TileIndex, plan_grid
from gibswatch.download.plan import tile_url
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import DecodeError, OutputError, UsageError
from gibswatch.files import storage_errors
from gibswatch.settings import DEFAULT_BASE_URL

__all__ = ["RebuildReport", "rebuild_journal"]

_REBUILT = "rebuilt from the file"
_COMPANIONS = ("-journal", "-wal", "-shm")
"""SQLite's own files: left in place they would be played into the new journal."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What the new journal holds, and what it does not."""

    days: int
    """Whole days."""
    tiles: int
    """Tiles of them, and of days in progress where tiles are kept."""
    left_out: tuple[tuple[str, str], ...]
    """(path relative to the root, reason) of what was not taken; it is asked for again."""
    set_aside: Path | None
    """Where the damaged journal lies now; None if there was none."""


@dataclass(frozen=True, slots=True)
class _File:
    """A picture that is whole."""

    name: str
    """Relative to the root."""
    length: int
    sha256: str
    changed_at: str
    """UTC, ISO 8601."""


def rebuild_journal(root: Path, layer: str, epsg: int = 4326) -> RebuildReport:
    """Make the journal of a layer anew from the files that lie there.

    Killed at any moment, it leaves the old journal or the new one; the old one is also set aside.

    Parameters
    ----------
    root : Path
        The archive's root (`--output-dir`).
    layer : str
    epsg : {4326, 3413, 3031, 3857}

    Raises
    ------
    UsageError
        If there is nothing of the layer.
    ArchiveError
        If nobody knows the grid of what there is.
    ArchiveInUseError
        If another process writes here.
    OutputError
        If the folder cannot be written.
    """
    known, code = find_picture_layer(layer), check_epsg(epsg)
    layout = Layout(root, known.identifier, code)
    if not layout.journal.exists() and not day_folders(layout):
        raise UsageError(
            f"{root} holds no {known.identifier} in EPSG:{code}: name the --output-dir of a "
            "download"
        )
    with ArchiveLock(layout.lock, "verify --rebuild"):
        grid = find_grid(layout, known)
        store = PictureStore(layout, plan_grid(grid, known.matrix_set(code)), known.format)
        with _work_folder(layout) as folder:
            new = folder / layout.journal.name
            rebuilder = _Rebuilder(store, known)
            with Journal(new) as journal:
                journal.claim_grid(grid)
                rebuilder.fill(journal)
            aside = _set_aside(layout)
            with storage_errors(layout.journal):
                new.replace(layout.journal)
        with Journal(layout.journal) as journal:
            journal.claim_grid(grid)
    return RebuildReport(rebuilder.days, rebuilder.tiles, tuple(rebuilder.left_out), aside)


class _Rebuilder:
    """Walks the days' folders and writes down what is whole."""

    def __init__(self, store: PictureStore, layer: Layer) -> None:
        self._store = store
        self._layer = layer
        self._root = store.layout.root
        self.days = 0
        self.tiles = 0
        self.left_out: list[tuple[str, str]] = []

    def fill(self, journal: Journal) -> None:
        grid = self._store.plan.grid
        for day in sorted(day_folders(self._store.layout)):
            taken: set[str] = set()
            try:
                if self._store.keeps_tiles:
                    self._kept_tiles(journal, day, taken)
                elif grid.tiled:
                    self._output_tiles(journal, day, taken)
                else:
                    self._stitched(journal, day, taken)
                strangers = list(find_files(self._store.layout, day))
            except OutputError as error:  # a folder that is a link out of the root
                self._leave_out(Path(str(self._store.layout.epsg), day.isoformat()), str(error))
                continue
            told = {name for name, _ in self.left_out}
            for path in strangers:
                name = path.relative_to(self._root)
                if name.as_posix() not in taken | told:
                    self._leave_out(name, _reason(path, self._layer.identifier))

    def _stitched(self, journal: Journal, day: dt.date, taken: set[str]) -> None:
        path = self._store.stored_as.picture_path(day, complete=True)
        file = self._examine(path, self._store.plan.window.shape)
        if file is not None:
            taken.add(file.name)
            self._write_day(journal, day, file.name, [file])

    def _output_tiles(self, journal: Journal, day: dt.date, taken: set[str]) -> None:
        """Take a day whose tiles are all there: one that lacks some is fetched as a whole."""
        files = [file for _, file in self._tile_files(day)]
        if len(files) == len(self._store.stored_tiles()):
            taken |= {file.name for file in files}
            self._write_day(journal, day, None, files)
        else:
            for file in files:
                self._leave_out(Path(file.name), "other tiles of this day are missing")

    def _kept_tiles(self, journal: Journal, day: dt.date, taken: set[str]) -> None:
        """Take every tile; a day that lacks some is one in progress."""
        found = list(self._tile_files(day))
        taken |= {file.name for _, file in found}
        records = [self._record(day, tile, file, kept=True) for tile, file in found]
        if records and len(records) == len(self._store.stored_tiles()):
            latest = max(file.changed_at for _, file in found)
            journal.record_day(DayRecord(day, True, None, latest), records)  # noqa: FBT003
            self.days += 1
        else:
            journal.record_tiles(records)
        self.tiles += len(records)

    def _tile_files(self, day: dt.date) -> Iterator[tuple[TileIndex, _File]]:
        size = self._store.plan.source.tile_size
        for tile in self._store.stored_tiles():
            file = self._examine(self._store.tile_path(day, tile), (size, size))
            if file is not None:
                yield tile, file

    def _write_day(
        self, journal: Journal, day: dt.date, picture: str | None, files: list[_File]
    ) -> None:
        latest = max(files, key=lambda file: file.changed_at)
        tiles = [
            self._record(day, tile, latest, kept=False) for tile in self._store.plan.source_tiles()
        ]
        written = tuple(WrittenFile(file.name, file.length, file.sha256) for file in files)
        record = DayRecord(day, True, picture, latest.changed_at, files=written)  # noqa: FBT003
        journal.record_day(record, tiles)
        self.days += 1
        self.tiles += len(tiles)

    def _record(self, day: dt.date, tile: TileIndex, file: _File, *, kept: bool) -> TileRecord:
        url = tile_url(DEFAULT_BASE_URL, self._layer, self._store.plan, day, tile)
        length, sha256 = (file.length, file.sha256) if kept else (None, None)
        return TileRecord(day, tile, "ok", url, None, {}, length, sha256, file.changed_at, _REBUILT)

    def _examine(self, path: Path, shape: tuple[int, int]) -> _File | None:
        """Read a picture whole; one that is not is left out, one that is not there is nothing."""
        name = path.relative_to(self._root)
        try:
            data = path.read_bytes()
            changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
            decode_stored(data, self._store.image_format, shape=shape)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._leave_out(name, f"cannot be read ({error.strerror or error})")
            return None
        except DecodeError as error:
            self._leave_out(name, str(error))
            return None
        moment = changed.isoformat(timespec="seconds")
        return _File(name.as_posix(), len(data), hashlib.sha256(data).hexdigest(), moment)

    def _leave_out(self, name: Path, reason: str) -> None:
        self.left_out.append((name.as_posix(), reason))


def _reason(path: Path, layer: str) -> str:
    if path.name.startswith(f"{layer}.partial."):
        return "a picture with missing tiles"
    return "not a file of this grid"


@contextlib.contextmanager
def _work_folder(layout: Layout) -> Iterator[Path]:
    """A folder beside the journal; what a killed rebuild left in it is removed first."""
    folder = layout.journal.parent / f".part-{layout.layer}"
    with storage_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _set_aside(layout: Layout) -> Path | None:
    """Keep the old journal under a free name; it also stays where it is until it is replaced."""
    journal = layout.journal
    if not journal.exists():
        return None
    folder = layout.set_aside
    numbers = itertools.chain([""], (f".{n}" for n in itertools.count(1)))
    aside = next(p for n in numbers if not (p := folder / f"{journal.name}{n}").exists())
    with storage_errors(aside):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(journal, aside)
        except OSError:  # a file system without links
            shutil.copyfile(journal, aside)
        for end in _COMPANIONS:
            companion = journal.with_name(journal.name + end)
            if companion.exists():
                companion.replace(folder / (aside.name + end))
    return aside
