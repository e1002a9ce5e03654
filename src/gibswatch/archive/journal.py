"""The journal: what was asked for, what came, and when; "done" is what it says.

One SQLite file a layer and projection (the default rollback journal: WAL does not work on network
folders).  A day is written in one transaction, after its files are on disk.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from gibswatch.catalogue.windows import Grid, TileIndex
from gibswatch.errors import ArchiveError, GridMismatchError, OutputError
from gibswatch.files import storage_errors
from gibswatch.types import BBox, TileState

__all__ = ["DayRecord", "Journal", "TileRecord", "WrittenFile"]

_LOCK_WAIT_S = 30.0
_NOT_WRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_SCHEMA_VERSION = "1"
_SCHEMA = """
create table if not exists meta (key text primary key, value text not null);
create table if not exists tiles (
    date text, row integer, col integer,
    state text not null, url text not null, status integer, headers text not null,
    length integer, sha256 text, retrieved_at text not null, message text not null,
    primary key (date, row, col)
) without rowid;
create table if not exists days (
    date text primary key, complete integer not null, picture text, files text not null,
    finished_at text not null
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class TileRecord:
    """What the journal keeps of one tile."""

    date: dt.date
    tile: TileIndex
    state: TileState
    url: str
    status: int | None
    headers: Mapping[str, str]
    length: int | None
    """Bytes as served."""
    sha256: str | None
    """Of the bytes as served."""
    retrieved_at: str
    """UTC, ISO 8601."""
    message: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file that a day left on disk, other than tiles as served."""

    path: str
    """Relative to the archive's root."""
    length: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What the journal keeps of one day."""

    date: dt.date
    complete: bool
    """Whether every tile is `ok`."""
    picture: str | None
    """The stitched picture, relative to the archive's root; None where tiles are kept."""
    finished_at: str
    """UTC, ISO 8601."""
    tiles: Mapping[str, int] = field(default_factory=dict)
    """Number of tiles by state."""
    files: tuple[WrittenFile, ...] = ()
    """The stitched picture, or the output tiles; none where tiles are kept as served."""


class Journal:
    """The journal of one layer in one projection.  A context manager; one thread only.

    Parameters
    ----------
    path : Path
        Made, with its folder, if it is not there.

    Raises
    ------
    OutputError
        If the folder cannot be written, or another process writes in it for half a minute.
    ArchiveError
        If the file is no journal, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors():
            self._db = sqlite3.connect(path, timeout=_LOCK_WAIT_S)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def grid(self) -> Grid | None:
        """The grid that this folder holds, or None while it holds none."""
        text = self._meta("grid")
        if text is None:
            return None
        with self._errors():
            values = json.loads(text)
            if values["bbox"] is not None:
                values["bbox"] = BBox(**values["bbox"])
            return Grid(**values)

    def claim_grid(self, grid: Grid) -> None:
        """Record the grid of an empty folder, or check that it is the one that is there.

        A grid claimed by a run that wrote nothing down binds nobody.

        Raises
        ------
        GridMismatchError
            If the folder holds another one.
        """
        held = self.grid
        if held is None or (held != grid and self._is_empty()):
            self._set_meta("grid", json.dumps(asdict(grid)))
        elif held != grid:
            raise GridMismatchError(
                f"{self._path.parent.parent} holds {self._path.stem} on another grid ({held}; "
                f"asked for: {grid}): ask for that one, or name another --output-dir"
            )

    def record_tiles(self, tiles: Iterable[TileRecord]) -> None:
        """Write the state of tiles, in one transaction."""
        with self._errors(), self._db:
            self._insert_tiles(tiles)

    def record_day(self, day: DayRecord, tiles: Iterable[TileRecord] = ()) -> None:
        """Write that a day was gone through, with those of its tiles that are not recorded yet."""
        files = json.dumps([astuple(file) for file in day.files])
        row = (day.date.isoformat(), day.complete, day.picture, files, day.finished_at)
        with self._errors(), self._db:
            self._insert_tiles(tiles)
            self._db.execute("insert or replace into days values (?,?,?,?,?)", row)

    def forget_day(self, day: dt.date) -> None:
        """Take a day and its tiles out: its pixels on disk are about to become others."""
        with self._errors(), self._db:
            self._db.execute("delete from days where date = ?", (day.isoformat(),))
            self._db.execute("delete from tiles where date = ?", (day.isoformat(),))

    def _insert_tiles(self, tiles: Iterable[TileRecord]) -> None:
        rows = [
            (
                t.date.isoformat(), t.tile.row, t.tile.col, t.state, t.url, t.status,
                json.dumps(dict(t.headers)), t.length, t.sha256, t.retrieved_at, t.message,
            )
            for t in tiles
        ]  # fmt: skip
        query = "insert or replace into tiles values (?,?,?,?,?,?,?,?,?,?,?)"
        self._db.executemany(query, rows)

    def day(self, day: dt.date) -> DayRecord | None:
        """One day, or None if it was never gone through."""
        return self._days("where date = ?", (day.isoformat(),)).get(day)

    def days(self) -> dict[dt.date, DayRecord]:
        """All days gone through, in order."""
        return self._days("", ())

    def tiles(self, day: dt.date) -> list[TileRecord]:
        """All tiles of one day, row by row."""
        query = "select * from tiles where date = ? order by row, col"
        with self._errors():
            rows = self._db.execute(query, (day.isoformat(),)).fetchall()
            return [
                TileRecord(
                    day, TileIndex(row, col), state, url, status, json.loads(headers),
                    length, sha256, retrieved_at, message,
                )
                for _, row, col, state, url, status, headers, length, sha256, retrieved_at, message
                in rows
            ]  # fmt: skip

    def _days(self, where: str, values: tuple[str, ...]) -> dict[dt.date, DayRecord]:
        counts: dict[str, Counter[str]] = {}
        count_query = f"select date, state, count(*) from tiles {where} group by date, state"  # noqa: S608
        day_query = f"select * from days {where} order by date"  # noqa: S608
        with self._errors():
            for date, state, count in self._db.execute(count_query, values):
                counts.setdefault(date, Counter())[state] = count
            rows = self._db.execute(day_query, values).fetchall()
            return {
                (day := dt.date.fromisoformat(date)): DayRecord(
                    day,
                    bool(complete),
                    picture,
                    finished,
                    dict(counts.get(date, {})),
                    tuple(WrittenFile(*file) for file in json.loads(files)),
                )
                for date, complete, picture, files, finished in rows
            }

    def _prepare(self) -> None:
        with self._errors():
            self._db.executescript(_SCHEMA)
            version = self._meta("schema")
            if version is None:
                self._set_meta("schema", _SCHEMA_VERSION)
        if version not in (None, _SCHEMA_VERSION):
            raise ArchiveError(
                f"journal {self._path} has version {version}, this Gibswatch reads "
                f"{_SCHEMA_VERSION}: update Gibswatch"
            )

    def _is_empty(self) -> bool:
        query = "select exists (select 1 from days) or exists (select 1 from tiles)"
        with self._errors():
            return not self._db.execute(query).fetchone()[0]

    def _meta(self, key: str) -> str | None:
        with self._errors():
            row = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set_meta(self, key: str, value: str) -> None:
        with self._errors(), self._db:
            self._db.execute("insert or replace into meta values (?, ?)", (key, value))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _NOT_WRITABLE:
                raise OutputError(
                    f"journal {self._path} cannot be written ({error}): check its rights and the "
                    "space, or name another --output-dir"
                ) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise OutputError(
                    f"journal {self._path} is in use: wait until the other process in this folder "
                    "ends, or name another --output-dir"
                ) from error
            raise ArchiveError(
                f"journal {self._path} cannot be read ({error}): check the disk, or move it away "
                "and run the command again"
            ) from error
        except (sqlite3.DatabaseError, ValueError, KeyError, TypeError) as error:
            raise ArchiveError(
                f"journal {self._path} is damaged ({error}): move it away and run the command "
                "again, or name another --output-dir"
            ) from error
