"""What lies on disk against what the journal says: every file by its length and SHA-256.

Nothing is changed here; `gibswatch.archive.upkeep.verify` mends what this finds.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.records import USABLE_STATES, DayRecord
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.archive.upkeep.foreign import decode_foreign, why_black
from gibswatch.catalogue.windows import TileIndex
from gibswatch.errors import DecodeError
from gibswatch.files import storage_errors
from gibswatch.types import ImageFormat

__all__ = ["Fault", "FaultKind", "check_archive", "day_folders", "find_files"]

FaultKind = Literal[
    "missing", "empty", "short", "changed", "unreadable", "unknown", "black", "temporary"
]

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ENDINGS = r"\.(jpg|png|tif)"


@dataclass(frozen=True, slots=True)
class Fault:
    """One file that is not what the journal says, or that it does not know."""

    path: str
    """Relative to the archive's root."""
    kind: FaultKind
    message: str
    date: dt.date | None = None
    """Day of the folder that it lies in."""
    tile: TileIndex | None = None
    """The tile that it is, where tiles are kept as served."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """A file as the journal knows it."""

    path: str
    length: int | None
    sha256: str | None
    tile: TileIndex | None = None


def check_archive(
    layout: Layout,
    journal: Journal | None,
    store: PictureStore | None,
    image_format: ImageFormat,
    days: Collection[dt.date] | None = None,
) -> Iterator[Fault]:
    """Compare the files of a layer with the journal.

    Parameters
    ----------
    layout : Layout
    journal : Journal or None
        None: nothing is known, every file under the layer's names is a fault.
    store : PictureStore or None
        On the journal's grid; None where the journal holds none.
    image_format : {"jpg", "png"}
        Of the layer.
    days : collection of date, optional
        Look at these alone; None looks at all, and for temporary files beside the days' folders.
    """
    records = {} if journal is None else journal.days()
    folders = day_folders(layout)
    for day in sorted(records.keys() | folders):
        if days is not None and day not in days:
            continue
        expected: list[_Expected] = []
        known: set[str] = set()
        if journal is not None and store is not None:
            expected, known = _expected(layout, journal, store, records.get(day), day)
        for file in expected:
            fault = _compare(layout.root, file, day)
            if fault is not None:
                yield fault
        if day in folders:
            yield from _strangers(layout, image_format, day, known)
    if days is None:
        base = layout.root / str(layout.epsg)
        yield from _temporaries(layout, base, None)
        yield from _temporaries(layout, base / ".gibswatch", None)


def day_folders(layout: Layout) -> set[dt.date]:
    """Days that have a folder."""
    return {
        day
        for entry in _entries(layout.root / str(layout.epsg))
        if entry.is_dir() and (day := _date(entry.name)) is not None
    }


def find_files(layout: Layout, day: dt.date, names: Collection[str] = ()) -> Iterator[Path]:
    """Yield the pictures and tiles of one day under a layer's names, of any grid and format.

    Parameters
    ----------
    layout : Layout
    day : date
    names : collection of str
        What the files are called; none takes the layer's identifier.
    """
    name = "(?:" + "|".join(re.escape(name) for name in names or (layout.layer,)) + ")"
    picture = re.compile(rf"{name}(\.partial)?{_ENDINGS}")
    tile = re.compile(rf"{name}_Tile_\d+-\d+{_ENDINGS}", re.ASCII)
    folder = layout.day_folder(day)
    yield from (Path(e.path) for e in _entries(folder) if picture.fullmatch(e.name) and _file(e))
    for below in _tile_folders(folder):
        yield from (Path(e.path) for e in _entries(below) if tile.fullmatch(e.name) and _file(e))


def _expected(
    layout: Layout,
    journal: Journal,
    store: PictureStore,
    record: DayRecord | None,
    day: dt.date,
) -> tuple[list[_Expected], set[str]]:
    """Files that the journal vouches for, and all paths that it may have had written."""
    if not store.keeps_tiles:
        files = record.files if record is not None else ()
        return (
            [_Expected(file.path, file.length, file.sha256) for file in files],
            {file.path for file in files},
        )
    expected, known = [], set()
    for tile in journal.tiles(day):
        path = store.tile_path(day, tile.tile).relative_to(layout.root).as_posix()
        known.add(path)
        if tile.state in USABLE_STATES:
            expected.append(_Expected(path, tile.length, tile.sha256, tile.tile))
    return expected, known


def _compare(root: Path, file: _Expected, day: dt.date) -> Fault | None:
    """Hold one file against the journal."""
    path = root / file.path
    kind: FaultKind = "unreadable"
    try:
        with path.open("rb") as stream:
            length = os.fstat(stream.fileno()).st_size
            if file.length is None or length == file.length:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
                if file.sha256 is None or found == file.sha256:
                    return None
                kind, message = "changed", "has another SHA-256 than the journal's"
            elif length == 0:
                kind, message = "empty", f"has 0 bytes of {file.length}"
            else:
                kind = "short" if length < file.length else "changed"
                message = f"has {length} bytes, the journal says {file.length}"
    except FileNotFoundError:
        kind, message = "missing", "is not there"
    except OSError as error:
        message = f"cannot be read ({error.strerror or error})"
    return Fault(file.path, kind, message, day, file.tile)


def _strangers(
    layout: Layout, image_format: ImageFormat, day: dt.date, known: Collection[str]
) -> Iterator[Fault]:
    """Files of a day that no journal vouches for."""
    for path in find_files(layout, day):
        name = path.relative_to(layout.root).as_posix()
        if name not in known:
            yield _judge_stranger(path, name, image_format, day)
    folder = layout.day_folder(day)
    for place in (folder, *_tile_folders(folder)):
        yield from _temporaries(layout, place, day)


def _judge_stranger(path: Path, name: str, image_format: ImageFormat, day: dt.date) -> Fault:
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"cannot be read ({error.strerror or error})"
        return Fault(name, "unreadable", message, day)
    if not data:
        return Fault(name, "empty", "has 0 bytes, and the journal does not know it", day)
    try:
        black = why_black(decode_foreign(data, image_format))
    except DecodeError as error:
        message = f"the journal does not know it, and it is damaged: {error}"
        return Fault(name, "unreadable", message, day)
    if black is not None:
        return Fault(name, "black", f"the journal does not know it, and it is {black}", day)
    return Fault(name, "unknown", "the journal does not know it", day)


def _temporaries(layout: Layout, folder: Path, day: dt.date | None) -> Iterator[Fault]:
    """Files and folders under the names that `atomic_path` and `StagedFiles` give."""
    rest = r"(\..*|_(Mask|Reason|Missing_Data|Miscoloration)\..*|_Tile_\d.*)?"
    ours = re.compile(rf"\.part-{re.escape(layout.layer)}{rest}", re.ASCII)
    for entry in _entries(folder):
        if ours.fullmatch(entry.name):
            name = Path(entry.path).relative_to(layout.root).as_posix()
            yield Fault(name, "temporary", "left by a run that was killed", day)


def _tile_folders(folder: Path) -> list[Path]:
    """The folder of tiles, and those of native levels in it; links are not followed."""
    tiles = folder / "tiles"
    if tiles.is_symlink() or not tiles.is_dir():
        return []
    below = [e.path for e in _entries(tiles) if e.is_dir(follow_symlinks=False)]
    return [tiles, *(Path(path) for path in below)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name; nothing where there is none."""
    with storage_errors(folder):
        try:
            with os.scandir(folder) as found:
                return sorted(found, key=lambda entry: entry.name)
        except FileNotFoundError:
            return []


def _file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file() or entry.is_symlink()


def _date(name: str) -> dt.date | None:
    if not _DAY.fullmatch(name):
        return None
    try:
        return dt.date.fromisoformat(name)
    except ValueError:
        return None
