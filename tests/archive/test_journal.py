"""The journal keeps what it is told, and says plainly when it cannot."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibswatch.archive.journal import DayRecord, Journal, TileRecord
from gibswatch.catalogue.windows import Grid, TileIndex
from gibswatch.errors import ArchiveError, GridMismatchError, OutputError
from gibswatch.types import TILE_STATES, BBox

DAY = dt.date(2023, 8, 7)
GRID = Grid("predecessor", 4326, "16km")
TILE = TileRecord(
    DAY,
    TileIndex(1, 2),
    "ok",
    "http://h/1",
    200,
    {"ETag": '"abc"', "Layer-Time-Actual": "2023-08-07T00:00:00Z"},
    4321,
    "0f" * 32,
    "2024-01-01T00:00:00+00:00",
    "",
)
LOST = TileRecord(
    DAY, TileIndex(0, 9), "failed", "http://h/2", None, {}, None, None, "2024-01-01", "no answer"
)
WHOLE = DayRecord(DAY, complete=True, picture="4326/x.jpg", finished_at="2024-01-01")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DATES = st.dates(dt.date(2000, 1, 1), dt.date(2035, 1, 1))
TILES = st.builds(
    TileRecord,
    date=DATES,
    tile=st.builds(TileIndex, st.integers(0, 5000), st.integers(0, 10_000)),
    state=st.sampled_from(TILE_STATES),
    url=TEXTS,
    status=st.none() | st.integers(100, 599),
    headers=st.dictionaries(TEXTS, TEXTS, max_size=4),
    length=st.none() | st.integers(0, 2**40),
    sha256=st.none() | TEXTS,
    retrieved_at=TEXTS,
    message=TEXTS,
)
DAYS = st.builds(
    DayRecord, date=DATES, complete=st.booleans(), picture=st.none() | TEXTS, finished_at=TEXTS
)
GRIDS = st.builds(
    Grid,
    kind=st.sampled_from(["predecessor", "native"]),
    epsg=st.sampled_from([4326, 3413, 3031, 3857]),
    tile_resolution=TEXTS,
    bbox=st.none() | st.builds(BBox, *[st.floats(-4e6, 4e6, allow_nan=False) for _ in range(4)]),
    tiled=st.booleans(),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "4326/.gibswatch/Some_Layer.sqlite"


@settings(max_examples=30, deadline=None)
@given(
    tiles=st.lists(TILES, max_size=6, unique_by=lambda t: (t.date, t.tile)),
    days=st.lists(DAYS, max_size=4, unique_by=lambda d: d.date),
    grid=GRIDS,
)
def test_what_is_written_is_read(
    tiles: list[TileRecord], days: list[DayRecord], grid: Grid
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with Journal(path) as journal:
            journal.claim_grid(grid)
            journal.record_tiles(tiles)
            for day in days:
                journal.record_day(day)
        with Journal(path) as journal:
            assert journal.grid == grid
            for date in {t.date for t in tiles}:
                expected = [t for t in tiles if t.date == date]
                assert journal.tiles(date) == sorted(expected, key=lambda t: t.tile)
            read = journal.days()
    assert list(read) == sorted(day.date for day in days)
    for day in days:
        known = read[day.date]
        assert (known.complete, known.picture, known.finished_at) == (
            day.complete,
            day.picture,
            day.finished_at,
        )
        assert sum(known.tiles.values()) == sum(t.date == day.date for t in tiles)


def test_a_day_and_its_tiles_at_once(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.day(DAY) is None
        assert journal.days() == {}
        journal.record_day(WHOLE, [TILE, LOST])
        record = journal.day(DAY)
        assert record is not None
        assert record.tiles == {"ok": 1, "failed": 1}
        assert journal.tiles(DAY) == [LOST, TILE]
        assert journal.day(DAY + dt.timedelta(days=1)) is None


def test_a_day_is_written_whole_or_not_at_all(path: Path) -> None:
    broken = DayRecord(DAY, complete=True, picture="x", finished_at=None)  # type: ignore[arg-type]
    with Journal(path) as journal:
        with pytest.raises(ArchiveError):
            journal.record_day(broken, [TILE])
        assert journal.tiles(DAY) == []
        assert journal.day(DAY) is None


def test_a_second_record_takes_the_place_of_the_first(path: Path) -> None:
    with Journal(path) as journal:
        journal.record_day(
            DayRecord(DAY, complete=False, picture="a", finished_at="1"), [TILE, LOST]
        )
        found = TileRecord(DAY, LOST.tile, "ok", "http://h/2", 200, {}, 5, "00", "2", "")
        journal.record_tiles([found])
        journal.record_day(WHOLE)
        record = journal.day(DAY)
        assert record is not None
        assert (record.complete, record.tiles) == (True, {"ok": 2})
        assert journal.tiles(DAY)[0] == found


def test_a_forgotten_day(path: Path) -> None:
    other = DayRecord(DAY + dt.timedelta(days=1), complete=True, picture=None, finished_at="1")
    with Journal(path) as journal:
        journal.record_day(WHOLE, [TILE, LOST])
        journal.record_day(other)
        journal.forget_day(DAY)
        journal.forget_day(DAY)
        assert list(journal.days()) == [other.date]
        assert journal.tiles(DAY) == []


def test_another_grid_is_named(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.grid is None
        journal.claim_grid(GRID)
        journal.record_day(WHOLE)
    asked = Grid("native", 4326, "8km", bbox=BBox(-10, -5, 10, 5), tiled=True)
    with Journal(path) as journal:
        journal.claim_grid(GRID)
        with pytest.raises(GridMismatchError) as caught:
            journal.claim_grid(asked)
        assert journal.grid == GRID
    message = str(caught.value)
    assert f"({GRID}; asked for: {asked})" in message
    assert "bbox -10 -5 10 5" in message
    assert str(path.parent.parent) in message
    assert "Some_Layer" in message
    assert "--output-dir" in message


def test_a_grid_of_which_nothing_is_there_binds_nobody(path: Path) -> None:
    native = Grid("native", 4326, "8km")
    with Journal(path) as journal:
        journal.claim_grid(GRID)
        journal.claim_grid(native)
        assert journal.grid == native
        journal.record_tiles([TILE])
        with pytest.raises(GridMismatchError):
            journal.claim_grid(GRID)


def test_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database, it is a letter to my grandmother\n" * 50)
    with pytest.raises(ArchiveError, match=r"Some_Layer\.sqlite is damaged .*move it away"):
        Journal(path)


def test_an_empty_file_is_a_new_journal(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    with Journal(path) as journal:
        assert journal.days() == {}


def test_a_damaged_file(path: Path) -> None:
    with Journal(path) as journal:
        for n in range(200):
            journal.record_tiles(
                [TileRecord(DAY, TileIndex(n, 0), "ok", "u" * 90, 200, {}, 1, "0", "1", "")]
            )
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 2000] = b"\xff" * 2000
    path.write_bytes(data)

    def read() -> None:
        with Journal(path) as journal:
            journal.tiles(DAY)

    with pytest.raises(ArchiveError, match=r"Some_Layer\.sqlite"):
        read()


@pytest.mark.parametrize(
    "damage",
    [
        "update meta set value = '{' where key = 'grid'",
        "update meta set value = '{\"bbox\": null, \"colour\": 1}' where key = 'grid'",
        "update meta set value = '[]' where key = 'grid'",
        "update tiles set headers = 'not json'",
        "update days set date = 'someday'",
    ],
)
def test_damaged_values(path: Path, damage: str) -> None:
    with Journal(path) as journal:
        journal.claim_grid(GRID)
        journal.record_day(WHOLE, [TILE])
    database = sqlite3.connect(path)
    database.execute(damage)
    database.commit()
    database.close()

    def read() -> None:
        with Journal(path) as journal:
            assert journal.grid == GRID
            assert journal.tiles(DAY) == [TILE]
            journal.days()

    with pytest.raises(ArchiveError, match="damaged"):
        read()


def test_a_newer_version(path: Path) -> None:
    Journal(path).close()
    database = sqlite3.connect(path)
    database.execute("update meta set value = '99' where key = 'schema'")
    database.commit()
    database.close()
    with pytest.raises(ArchiveError, match=r"version 99.*update Gibswatch"):
        Journal(path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "4326").write_text("a file in the way")
    with pytest.raises(OutputError, match="something else stands there"):
        Journal(tmp_path / "4326/.gibswatch/Some_Layer.sqlite")


def test_a_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot be written"):
        Journal(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_read_only_folder(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o555)
    with pytest.raises(OutputError, match="cannot be written"):
        Journal(path)


def test_a_read_only_journal_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path) as journal:
        journal.record_day(WHOLE, [TILE])

    def read_only(name: Path, timeout: float) -> sqlite3.Connection:
        return real(f"file:{name}?mode=ro", timeout=timeout, uri=True)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", read_only)
    with Journal(path) as journal:
        assert journal.tiles(DAY) == [TILE]
        with pytest.raises(OutputError, match="readonly"):
            journal.record_day(WHOLE)


def test_a_full_disk(path: Path) -> None:
    with Journal(path) as journal:
        journal._db.execute("pragma max_page_count = 8")
        many = [
            TileRecord(DAY, TileIndex(n, 0), "ok", "u" * 900, 200, {}, 1, "0", "1", "")
            for n in range(200)
        ]
        with pytest.raises(OutputError, match=r"full.*space"):
            journal.record_day(WHOLE, many)
        assert journal.day(DAY) is None


def test_another_process_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibswatch.archive.journal._LOCK_WAIT_S", 0.05)
    with Journal(path) as journal:
        other = sqlite3.connect(path)
        other.execute("begin exclusive")
        with pytest.raises(OutputError, match="is in use"):
            journal.record_day(WHOLE)
        other.close()
        journal.record_day(WHOLE)
        assert journal.day(DAY) is not None
