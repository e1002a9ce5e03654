"""The journal's tables, and how tiles and days go into them and come out.

A day in progress has a row a tile in `tiles`.  A finished day has one row in `days`, with all that
the list of days needs, and its tiles folded in `folded`, which only who asks for tiles opens.  A
tile of a finished day that was asked again stands in `tiles` until the day is folded anew; it is
the one that counts.

These functions take part in the caller's transaction and let `sqlite3` and value errors through.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import astuple
from typing import Any

from gibswatch.archive.journal._folding import folds, unfold
from gibswatch.archive.journal.records import USABLE_STATES, DayRecord, TileRecord, WrittenFile
from gibswatch.catalogue.windows import TileIndex
from gibswatch.types import TILE_STATES

__all__ = [
    "TABLES",
    "days_with_problems",
    "forget_day",
    "insert_tiles",
    "read_days",
    "store_day",
    "store_old_days",
    "tiles_asked_since",
    "tiles_of",
]

TABLES = (
    """create table if not exists tiles (
    date text, row integer, col integer,
    state text not null, url text not null, status integer, headers text not null,
    length integer, sha256 text, retrieved_at text not null, message text not null,
    primary key (date, row, col)
) without rowid""",
    """create table if not exists days (
    date text primary key, complete integer not null, picture text, files text not null,
    finished_at text not null, confirmed_at text,
    counts text not null, problems integer not null,
    asked integer not null, asked_from real, asked_until real
) without rowid""",
    """create table if not exists folded (
    date text, part integer, tiles blob not null, primary key (date, part)
)""",
)
_PAGE = 2048
"""Rows of a day in progress that are read at one time."""
_BEFORE_ALL = -(2**63)
"""The lowest number that SQLite knows: a row with it is seen, and refused."""


def insert_tiles(db: sqlite3.Connection, tiles: Iterable[TileRecord]) -> None:
    """Write tiles of days in progress."""
    rows = (
        (
            t.date.isoformat(), t.tile.row, t.tile.col, t.state, t.url, t.status,
            json.dumps(dict(t.headers)), t.length, t.sha256, t.retrieved_at, t.message,
        )
        for t in tiles
    )  # fmt: skip
    db.executemany("insert or replace into tiles values (?,?,?,?,?,?,?,?,?,?,?)", rows)


def store_day(db: sqlite3.Connection, day: DayRecord, tiles: Iterable[TileRecord] = ()) -> None:
    """Write a day with all that is known of its tiles, folded."""
    given = {t.tile: t for t in tiles}
    newest = sorted(given.values(), key=_place)
    tally = _Tally()
    known = _overlaid(tiles_of(db, day.date), iter(newest))
    parts = [(day.date.isoformat(), i, p) for i, p in enumerate(folds(map(tally.add, known)))]
    forget_day(db, day.date)
    db.executemany("insert into folded values (?,?,?)", parts)
    row = (
        day.date.isoformat(), day.complete, day.picture,
        json.dumps([astuple(file) for file in day.files]), day.finished_at, day.confirmed_at,
        json.dumps(tally.states), tally.problems, tally.asked, tally.first, tally.last,
    )  # fmt: skip
    db.execute("insert into days values (?,?,?,?,?,?,?,?,?,?,?)", row)


def store_old_days(db: sqlite3.Connection) -> None:
    """Write the days of a journal of version 1 (`old_days`, with a row a tile in `tiles`)."""
    query = "select date, complete, picture, files, finished_at from old_days order by date"
    for row in db.execute(query).fetchall():
        store_day(db, _day(db, (*row, None, "{}"), changed=False))


def forget_day(db: sqlite3.Connection, day: dt.date) -> None:
    """Take a day and its tiles out."""
    for table in ("days", "folded", "tiles"):
        db.execute(f"delete from {table} where date = ?", (day.isoformat(),))  # noqa: S608


def tiles_of(db: sqlite3.Connection, day: dt.date) -> Iterator[TileRecord]:
    """Tiles of a day, row by row; in memory there is never more than a part of them."""
    return _overlaid(_folded_tiles(db, day), _tiles_in_progress(db, day))


def read_days(db: sqlite3.Connection, day: dt.date | None = None) -> dict[dt.date, DayRecord]:
    """Days in order, or the one that is asked for; no fold is opened but where a tile changed."""
    where = "" if day is None else "where date = ?"
    values = () if day is None else (day.isoformat(),)
    columns = "date, complete, picture, files, finished_at, confirmed_at, counts"
    rows = db.execute(f"select {columns} from days {where} order by date", values).fetchall()  # noqa: S608
    changed = {row[0] for row in db.execute(f"select distinct date from tiles {where}", values)}  # noqa: S608
    found = (_day(db, row, changed=row[0] in changed) for row in rows)
    return {record.date: record for record in found}


def days_with_problems(
    db: sqlite3.Connection, days: Collection[dt.date] | None = None
) -> list[dt.date]:
    """Days, finished or in progress, of which some tile is not usable, in order."""
    found = {date for (date,) in db.execute("select date from days where problems > 0")}
    in_progress = db.execute("select distinct date, state from tiles")
    found |= {date for date, state in in_progress if state not in USABLE_STATES}
    known = sorted(dt.date.fromisoformat(date) for date in found)
    return known if days is None else [day for day in known if day in days]


def tiles_asked_since(db: sqlite3.Connection, moment: dt.datetime) -> int:
    """Count the tiles that were asked for at a moment or later."""
    since = _timestamp(moment)
    query = "select coalesce(sum(asked), 0) from days where asked_from >= ?"
    total = int(db.execute(query, (since,)).fetchone()[0])
    query = "select date from days where asked_from < ? and asked_until >= ? order by date"
    for (date,) in db.execute(query, (since, since)).fetchall():
        total += _asked_since(_folded_tiles(db, dt.date.fromisoformat(date)), since)
    for (date,) in db.execute("select distinct date from tiles order by date").fetchall():
        total += _asked_since(_tiles_in_progress(db, dt.date.fromisoformat(date)), since)
    return total


class _Tally:
    """What the row of a day says of its tiles."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.asked = 0
        self.first: float | None = None
        self.last: float | None = None

    @property
    def problems(self) -> int:
        return sum(n for state, n in self.states.items() if state not in USABLE_STATES)

    def add(self, tile: TileRecord) -> TileRecord:
        self.states[tile.state] += 1
        moment = _moment_asked(tile)
        if moment is not None:
            self.asked += 1
            self.first = moment if self.first is None else min(moment, self.first)
            self.last = moment if self.last is None else max(moment, self.last)
        return tile


def _moment_asked(tile: TileRecord) -> float | None:
    """When a tile was asked for, in seconds; None if it never was."""
    if tile.state == "not-yet":
        return None
    try:
        return _timestamp(dt.datetime.fromisoformat(tile.retrieved_at))
    except (ValueError, OverflowError):
        return None


def _timestamp(moment: dt.datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _asked_since(tiles: Iterable[TileRecord], since: float) -> int:
    moments = map(_moment_asked, tiles)
    return sum(moment is not None and moment >= since for moment in moments)


def _place(tile: TileRecord) -> TileIndex:
    return tile.tile


def _overlaid(below: Iterator[TileRecord], above: Iterator[TileRecord]) -> Iterator[TileRecord]:
    """Merge two rows of tiles in order; of a tile that both have, the one above."""
    under, over = next(below, None), next(above, None)
    while under is not None or over is not None:
        if over is None or (under is not None and under.tile < over.tile):
            if under is not None:
                yield under
            under = next(below, None)
        else:
            if under is not None and under.tile == over.tile:
                under = next(below, None)
            yield over
            over = next(above, None)


def _folded_tiles(db: sqlite3.Connection, day: dt.date) -> Iterator[TileRecord]:
    known = db.execute("select counts from days where date = ?", (day.isoformat(),)).fetchone()
    missing = 0 if known is None else sum(_counts(known[0]).values())
    query = "select tiles from folded where date = ? and part = ?"
    part, last = 0, TileIndex(-1, -1)
    while row := db.execute(query, (day.isoformat(), part)).fetchone():
        tiles = unfold(day, row[0])
        if not tiles or tiles[0].tile <= last:
            raise ValueError(f"the parts of {day} are not in order")
        yield from tiles
        part, last, missing = part + 1, tiles[-1].tile, missing - len(tiles)
    if missing:
        raise ValueError(f"{missing} tiles of {day} are not there")


def _tiles_in_progress(db: sqlite3.Connection, day: dt.date) -> Iterator[TileRecord]:
    query = "select * from tiles where date = ? and (row, col) > (?, ?) order by row, col limit ?"
    row, col = _BEFORE_ALL, _BEFORE_ALL
    while rows := db.execute(query, (day.isoformat(), row, col, _PAGE)).fetchall():
        yield from (_tile(day, values) for values in rows)
        row, col = rows[-1][1:3]


def _tile(day: dt.date, values: tuple[Any, ...]) -> TileRecord:
    _, row, col, state, url, status, headers, length, sha256, retrieved_at, message = values
    known = json.loads(headers)
    indices = _is_count(row) and _is_count(col)
    if not indices or state not in TILE_STATES or not isinstance(known, dict):
        raise ValueError(f"tile {row}, {col} of {day} is {state}")
    return TileRecord(
        day, TileIndex(row, col), state, url, status, known, length, sha256, retrieved_at, message
    )


def _day(db: sqlite3.Connection, row: tuple[Any, ...], *, changed: bool) -> DayRecord:
    date, complete, picture, files, finished_at, confirmed_at, counts = row
    day = dt.date.fromisoformat(date)
    return DayRecord(
        day,
        bool(complete),
        None if picture is None else _relative(picture),
        finished_at,
        dict(Counter(t.state for t in tiles_of(db, day))) if changed else _counts(counts),
        tuple(_file(*file) for file in json.loads(files)),
        confirmed_at,
    )


def _counts(text: str) -> dict[str, int]:
    counts = json.loads(text)
    if (
        not isinstance(counts, dict)
        or not set(counts) <= set(TILE_STATES)
        or not all(map(_is_count, counts.values()))
    ):
        raise ValueError(f"a day with tiles {text[:80]}")
    return counts


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _file(path: object, length: object, sha256: object) -> WrittenFile:
    if not (isinstance(sha256, str) and isinstance(length, int) and length >= 0):
        raise ValueError(f"a file of length {length!r} and hash {sha256!r}")
    return WrittenFile(_relative(path), length, sha256)


def _relative(path: object) -> str:
    """Return a path that a journal names, if it stays in the archive."""
    if not isinstance(path, str):
        raise TypeError(f"{path!r} is no path")
    parts = path.replace("\\", "/").split("/")
    if path.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in path:
        raise ValueError(f"{path[:80]!r} is no path in an archive")
    return path
