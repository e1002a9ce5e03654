"""The journal: what was asked for, what came, and when; "done" is what it says.

One SQLite file a layer and projection (the default rollback journal: WAL does not work on network
folders).  A day is written in one transaction, after its files are on disk; its tiles are folded
into it (`_folding`).  What the tables hold is told in `_journal_rows`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shlex
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from gibswatch.archive.journal import _rows as rows
from gibswatch.archive.journal.grid_file import (
    grid_from_text,
    grid_text,
    read_grid_file,
    write_grid_file,
)
from gibswatch.archive.journal.records import USABLE_STATES, DayRecord, TileRecord, WrittenFile
from gibswatch.catalogue.windows import Grid
from gibswatch.errors import ArchiveError, GibswatchError, GridMismatchError, OutputError
from gibswatch.files import storage_errors, within

__all__ = ["DayRecord", "Journal", "TileRecord", "WrittenFile"]

_LOCK_WAIT_S = 30.0
_NOT_WRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_SCHEMA_VERSION = "2"


class Journal:
    """The journal of one layer in one projection.  A context manager; one thread only.

    A journal of version 1 is brought to version 2 as it is opened.

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
        with self._errors():
            return None if text is None else grid_from_text(text)

    def claim_grid(self, grid: Grid) -> None:
        """Record the grid of an empty folder, or check that it is the one that is there.

        A grid claimed by a run that wrote nothing down binds nobody.  The grid is also written to a
        file beside the journal.

        Raises
        ------
        GridMismatchError
            If the folder holds another one.
        ArchiveError
            If the file says that there was a journal, and this is a new one.
        OutputError
            If the file cannot be written.
        """
        held = self.grid
        file = self._path.with_suffix(".grid.json")
        if held is None and read_grid_file(file) is not None:
            # Written after the journal's first transaction: all that was done would be done again.
            raise ArchiveError(
                f"journal {self._path} was lost ({file.name} beside it is of an older one): "
                f"{self._way_out()}; to begin anew remove {file}"
            )
        if held is None or (held != grid and self._is_empty()):
            with self._writing():
                self._set_meta("grid", grid_text(grid))
        elif held != grid:
            raise GridMismatchError(
                f"{self._path.parent.parent} holds {self._path.stem} on another grid ({held}; "
                f"asked for: {grid}): ask for that one, or name another --output-dir"
            )
        projection = self._path.parent.parent
        parts = (projection.name, self._path.parent.name, file.name)
        write_grid_file(within(projection.parent, *parts), grid)

    def record_tiles(self, tiles: Iterable[TileRecord]) -> None:
        """Write the state of tiles of days in progress, in one transaction."""
        with self._writing():
            rows.insert_tiles(self._db, tiles)

    def record_day(self, day: DayRecord, tiles: Iterable[TileRecord] = ()) -> None:
        """Write that a day was gone through, in one transaction.

        Parameters
        ----------
        day : DayRecord
            Its `tiles` are not read: they are counted.
        tiles : iterable of TileRecord
            Those of the day's tiles that are not recorded yet; a later record of a tile takes the
            place of an earlier one.
        """
        with self._writing():
            rows.store_day(self._db, day, tiles)

    def forget_day(self, day: dt.date) -> None:
        """Take a day and its tiles out: its pixels on disk are about to become others."""
        with self._writing():
            rows.forget_day(self._db, day)

    def day(self, day: dt.date) -> DayRecord | None:
        """One day, or None if it was never gone through."""
        with self._errors():
            return rows.read_days(self._db, day).get(day)

    def days(self) -> dict[dt.date, DayRecord]:
        """All days gone through, in order."""
        with self._errors():
            return rows.read_days(self._db)

    def last_checked(self) -> dt.date | None:
        """The last day gone through, or None if there is none."""
        with self._errors():
            (date,) = self._db.execute("select max(date) from days").fetchone()
            return None if date is None else dt.date.fromisoformat(date)

    def tiles(self, day: dt.date) -> list[TileRecord]:
        """All tiles of one day, row by row; also of a day in progress."""
        with self._errors():
            return list(rows.tiles_of(self._db, day))

    def problems(self, days: Collection[dt.date] | None = None) -> Iterator[TileRecord]:
        """Yield every tile that is not usable, by day, row and column.

        Parameters
        ----------
        days : collection of date, optional
            Only of these days; None for all.
        """
        with self._errors():
            for day in rows.days_with_problems(self._db, days):
                for tile in rows.tiles_of(self._db, day):
                    if tile.state not in USABLE_STATES:
                        yield tile

    def tiles_since(self, moment: dt.datetime) -> int:
        """Count the tiles that were asked for at a moment (UTC where it names no zone) or later.

        A tile that was asked again counts once: the journal keeps its last answer.
        """
        with self._errors():
            return rows.tiles_asked_since(self._db, moment)

    def _prepare(self) -> None:
        with self._errors():
            tables = self._db.execute("select name from sqlite_master where name = 'meta'")
            version = self._meta("schema") if tables.fetchone() else None
        if version is None:
            self._make()
        elif version == "1":
            self._migrate()
        elif version != _SCHEMA_VERSION:
            raise ArchiveError(
                f"journal {self._path} has version {version}, this Gibswatch reads "
                f"{_SCHEMA_VERSION}: update Gibswatch"
            )

    def _make(self) -> None:
        with self._writing():
            self._db.execute(
                "create table if not exists meta (key text primary key, value text not null)"
            )
            for table in rows.TABLES:
                self._db.execute(table)
            self._set_meta("schema", _SCHEMA_VERSION)

    def _migrate(self) -> None:
        """Fold the tiles of each day of version 1 (they were rows), in one transaction."""
        with self._writing():
            if self._meta("schema") != "1":  # another process was faster
                return
            self._db.execute("alter table days rename to old_days")
            for table in rows.TABLES:
                self._db.execute(table)
            rows.store_old_days(self._db)
            self._db.execute("drop table old_days")
            self._set_meta("schema", _SCHEMA_VERSION)
        with contextlib.suppress(sqlite3.Error):  # a tenth of the space is enough now
            self._db.execute("vacuum")

    def _is_empty(self) -> bool:
        query = "select exists (select 1 from days) or exists (select 1 from tiles)"
        with self._errors():
            return not self._db.execute(query).fetchone()[0]

    def _meta(self, key: str) -> str | None:
        with self._errors():
            row = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("insert or replace into meta values (?, ?)", (key, value))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of the block, or nothing of it."""
        with self._errors(), self._db:
            # At once, not with the first change: two that read first could not both go on.
            self._db.execute("begin immediate")
            yield

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except GibswatchError:
            raise
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
                f"journal {self._path} cannot be read ({error}): check the disk; {self._way_out()}"
            ) from error
        except (sqlite3.DatabaseError, ValueError, TypeError, RecursionError) as error:
            raise ArchiveError(
                f"journal {self._path} is damaged ({error}): {self._way_out()}"
            ) from error

    def _way_out(self) -> str:
        """What a person can do about a damaged journal."""
        projection = self._path.parent.parent
        epsg = "" if projection.name == "4326" else f" --epsg {projection.name}"
        root = shlex.quote(str(projection.parent))
        return (
            f"`gibswatch verify {self._path.stem} --rebuild{epsg} --output-dir {root}` makes a new "
            "one from the files"
        )
