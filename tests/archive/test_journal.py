"""The journal keeps what it is told, and says plainly when it cannot."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import random
import shlex
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibswatch.archive.journal.grid_file import read_grid_file
from gibswatch.archive.journal.journal import DayRecord, Journal, TileRecord, WrittenFile
from gibswatch.catalogue.windows import Grid, TileIndex
from gibswatch.errors import ArchiveError, GridMismatchError, OutputError
from gibswatch.types import TILE_STATES, BBox, TileState

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

FIELDS = "date, complete, picture, files, finished_at"
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
NAMES = st.from_regex(r"4326/[a-z0-9]{1,9}(\.[a-z]{1,3})?", fullmatch=True)
DAYS = st.builds(
    DayRecord,
    date=DATES,
    complete=st.booleans(),
    picture=st.none() | NAMES,
    finished_at=TEXTS,
    files=st.lists(st.builds(WrittenFile, NAMES, st.integers(0, 2**40), TEXTS), max_size=3).map(
        tuple
    ),
    confirmed_at=st.none() | TEXTS,
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
        states = Counter[str](t.state for t in tiles if t.date == day.date)
        assert known == dataclasses.replace(day, tiles=dict(states))


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
    with pytest.raises(ArchiveError, match=r"Some_Layer\.sqlite is damaged") as caught:
        Journal(path)
    root = shlex.quote(str(path.parents[2]))
    way_out = f"`gibswatch verify Some_Layer --rebuild --output-dir {root}`"
    assert way_out in str(caught.value)


def test_the_way_out_names_the_projection_and_quotes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "my data; rm/3413/.gibswatch/Some_Layer.sqlite"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database " * 100)
    with pytest.raises(ArchiveError) as caught:
        Journal(path)
    words = shlex.split(str(caught.value).split("`")[1])
    root = str(tmp_path / "my data; rm")
    assert words[3:] == ["--rebuild", "--epsg", "3413", "--output-dir", root]


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
        "update meta set value = printf('%.100000c', '[') where key = 'grid'",
        'update meta set value = \'{"kind": [], "epsg": 1, "tile_resolution": 2}\'',
        "update days set files = printf('%.100000c', '[')",
        "update days set counts = printf('%.100000c', '[')",
        "update meta set value = '{\"kind\": \"native\"}' where key = 'grid'",
        "update days set date = 'someday'",
        "update days set counts = '[1]'",
        "update days set counts = '{\"ok\": -1}'",
        "update days set counts = '{\"fine\": 1}'",
        "update days set picture = '../../etc/passwd'",
        "update days set picture = '/etc/passwd'",
        "update days set picture = x'07'",
        'update days set files = \'[["4326/../../x", 1, "0"]]\'',
        'update days set files = \'[["4326/x", -1, "0"]]\'',
        "update days set files = '[1]'",
        "update days set files = '[[1]]'",
        "update folded set tiles = x'00'",
        "update folded set tiles = 'text'",
        "update folded set part = part - 1",
        "delete from folded",
        "update days set counts = '{\"ok\": 2}'",
        "insert into folded select date, 1, tiles from folded",
        "insert into tiles select '2023-08-07', 0, 0, 'ok', '', 1, 'not json', 1, '', '', ''",
        "insert into tiles select '2023-08-07', 0, 0, 'ok', '', 1, '[]', 1, '', '', ''",
        "insert into tiles select '2023-08-07', 0, 0, 'fine', '', 1, '{}', 1, '', '', ''",
        "insert into tiles select '2023-08-07', -1, 0, 'ok', '', 1, '{}', 1, '', '', ''",
        "insert into tiles select '2023-08-07', 0, 'a', 'ok', '', 1, '{}', 1, '', '', ''",
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
        noise = random.Random(5)
        many = [
            TileRecord(
                DAY, TileIndex(n, 0), "ok", noise.randbytes(900).hex(), 200, {}, 1, "0", "1", ""
            )
            for n in range(200)
        ]
        with pytest.raises(OutputError, match=r"full.*space"):
            journal.record_day(WHOLE, many)
        assert journal.day(DAY) is None


def test_another_process_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibswatch.archive.journal.journal._LOCK_WAIT_S", 0.05)
    with Journal(path) as journal:
        other = sqlite3.connect(path)
        other.execute("begin exclusive")
        with pytest.raises(OutputError, match="is in use"):
            journal.record_day(WHOLE)
        other.close()
        journal.record_day(WHOLE)
        assert journal.day(DAY) is not None


def at(day: dt.date, n: int, state: TileState = "ok", when: str = "2024-01-01") -> TileRecord:
    return TileRecord(day, TileIndex(n // 3, n % 3), state, f"u{n}", 200, {}, 1, "0", when, "why")


NEXT = DAY + dt.timedelta(days=1)


def test_a_finished_day_has_no_rows_of_tiles(path: Path) -> None:
    with Journal(path) as journal:
        journal.record_tiles([at(DAY, 0), at(DAY, 4), at(NEXT, 1)])
        assert journal.days() == {}
        journal.record_day(WHOLE, [at(DAY, 1)])
        assert [t.date for t in rows_in_progress(path)] == [NEXT]
        assert [t.tile for t in journal.tiles(DAY)] == [
            TileIndex(0, 0), TileIndex(0, 1), TileIndex(1, 1),
        ]  # fmt: skip
        assert journal.tiles(NEXT) == [at(NEXT, 1)]


def rows_in_progress(path: Path) -> list[TileRecord]:
    database = sqlite3.connect(path)
    found = database.execute("select date, row, col from tiles").fetchall()
    database.close()
    return [at(dt.date.fromisoformat(date), 3 * row + col) for date, row, col in found]


def test_a_tile_asked_again_is_the_one_that_counts(path: Path) -> None:
    with Journal(path) as journal:
        journal.record_day(WHOLE, [at(DAY, n, "failed") for n in range(6)])
        journal.record_tiles([at(DAY, 5), at(DAY, 2), at(DAY, 7)])
        record = journal.day(DAY)
        assert record is not None
        assert journal.days() == {DAY: record}
        assert record.tiles == {"failed": 4, "ok": 3}
        states = [(3 * t.tile.row + t.tile.col, t.state) for t in journal.tiles(DAY)]
        assert [n for n, state in states if state == "ok"] == [2, 5, 7]
        assert [t.tile for t in journal.problems()] == [
            TileIndex(0, 0), TileIndex(0, 1), TileIndex(1, 0), TileIndex(1, 1),
        ]  # fmt: skip


def test_days_are_listed_without_unfolding(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path) as journal:
        journal.record_day(WHOLE, [TILE, LOST])

        def refuse(*_args: object) -> None:
            raise AssertionError("a fold was opened")

        monkeypatch.setattr("gibswatch.archive.journal._rows.unfold", refuse)
        assert journal.days()[DAY].tiles == {"ok": 1, "failed": 1}
        assert journal.last_checked() == DAY
        assert journal.tiles_since(dt.datetime(2023, 1, 1, tzinfo=dt.UTC)) == 2
        with pytest.raises(AssertionError, match="a fold was opened"):
            journal.tiles(DAY)


def test_problems_come_by_day_row_and_column(path: Path) -> None:
    fine = dataclasses.replace(WHOLE, date=DAY - dt.timedelta(days=1))
    with Journal(path) as journal:
        assert list(journal.problems()) == []
        journal.record_tiles([at(NEXT, 5, "corrupt"), at(NEXT, 1, "absent"), at(NEXT, 0)])
        journal.record_day(WHOLE, [at(DAY, 3, "not-yet"), at(DAY, 2, "suspect"), at(DAY, 1)])
        journal.record_day(fine, [at(fine.date, 0, "server-empty"), at(fine.date, 1)])
        found = [(t.date, t.state) for t in journal.problems()]
        assert found == [
            (DAY, "suspect"), (DAY, "not-yet"), (NEXT, "absent"), (NEXT, "corrupt"),
        ]  # fmt: skip
        assert [t.date for t in journal.problems({NEXT, fine.date})] == [NEXT, NEXT]
        assert list(journal.problems(())) == []


def test_problems_are_read_day_by_day(path: Path) -> None:
    with Journal(path) as journal:
        for n in range(3):
            day = dataclasses.replace(WHOLE, date=DAY + dt.timedelta(days=n))
            journal.record_day(day, [at(day.date, 0, "failed")])
        database = sqlite3.connect(path)
        database.execute("update folded set tiles = x'00' where date = ?", (str(NEXT),))
        database.commit()
        database.close()
        problems = journal.problems()
        assert next(problems).date == DAY
        with pytest.raises(ArchiveError, match="damaged"):
            next(problems)


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        (dt.datetime(2024, 1, 1, 11, tzinfo=dt.UTC), 5),
        (dt.datetime(2024, 1, 1, 12, 0, 1, tzinfo=dt.UTC), 4),
        (dt.datetime(2024, 1, 1, 12, 0, 1), 4),  # noqa: DTZ001 - UTC where it names none
        (dt.datetime(2024, 1, 1, 14, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))), 4),
        (dt.datetime(2024, 1, 1, 13, tzinfo=dt.UTC), 3),
        (dt.datetime(2024, 1, 1, 15, tzinfo=dt.UTC), 1),
        (dt.datetime(2024, 1, 2, tzinfo=dt.UTC), 0),
    ],
)
def test_tiles_asked_since(path: Path, moment: dt.datetime, count: int) -> None:
    hours = ["2024-01-01T12:00:00+00:00", "2024-01-01T12:00:01+00:00", "2024-01-01T15:00:00+02:00"]
    with Journal(path) as journal:
        assert journal.tiles_since(moment) == 0
        told = [at(DAY, n, when=when) for n, when in enumerate(hours)]
        odd = [at(DAY, 3, when="some time"), at(DAY, 4, "not-yet", when="2024-06-01")]
        journal.record_day(WHOLE, [*told, *odd])
        later = ["2024-01-01T14:00:00+00:00", "2024-01-01T15:00:00"]
        journal.record_tiles([at(NEXT, n, when=when) for n, when in enumerate(later)])
        assert journal.tiles_since(moment) == count


def test_the_last_day_checked(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.last_checked() is None
        journal.record_tiles([at(NEXT, 0)])
        assert journal.last_checked() is None
        journal.record_day(dataclasses.replace(WHOLE, date=NEXT))
        journal.record_day(WHOLE)
        assert journal.last_checked() == NEXT


def test_a_confirmed_day(path: Path) -> None:
    with Journal(path) as journal:
        journal.record_day(WHOLE, [TILE])
        assert journal.days()[DAY].confirmed_at is None
        journal.record_day(dataclasses.replace(WHOLE, confirmed_at="2024-02-02"))
        assert journal.days()[DAY].confirmed_at == "2024-02-02"
        assert journal.tiles(DAY) == [TILE]


def test_the_grid_is_written_beside_the_journal(path: Path) -> None:
    beside = path.with_name("Some_Layer.grid.json")
    native = Grid("native", 4326, "8km", bbox=BBox(-10, -5, 10, 5), tiled=True)
    with Journal(path) as journal:
        journal.claim_grid(GRID)
        assert read_grid_file(beside) == GRID
        journal.claim_grid(native)
        assert read_grid_file(beside) == native
        beside.unlink()
        journal.claim_grid(native)
        assert read_grid_file(beside) == native
        written = beside.stat().st_mtime_ns
        journal.claim_grid(native)
        assert beside.stat().st_mtime_ns == written


def test_a_transaction_of_another_process_is_waited_for(path: Path) -> None:
    """Two that read first and write then cannot lock each other out."""
    with Journal(path) as one, Journal(path) as two:
        one.record_day(WHOLE, [TILE])
        problems = one.problems()
        two.record_tiles([at(NEXT, 0, "failed")])
        assert [t.date for t in problems] == [NEXT]
        one.forget_day(NEXT)
        assert list(two.problems()) == []


@pytest.mark.parametrize("left", [None, b""])
def test_a_new_journal_does_not_take_the_place_of_a_lost_one(
    tmp_path: Path, left: bytes | None
) -> None:
    path = tmp_path / "4326" / ".gibswatch" / "A.sqlite"
    with Journal(path) as journal:
        journal.claim_grid(GRID)
        journal.record_day(WHOLE, [TILE])
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    with Journal(path) as journal:
        for _again in range(2):
            with pytest.raises(ArchiveError, match=r"was lost .*--rebuild .*grid\.json$"):
                journal.claim_grid(GRID)
        path.with_suffix(".grid.json").unlink()
        journal.claim_grid(GRID)
        assert journal.grid == GRID
