"""What a run says of itself, and the table of tiles that did not come."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from gibswatch.archive import DayOutcome, DownloadSummary, TileRecord
from gibswatch.archive.ingest.summary import write_problem_list
from gibswatch.catalogue import TileIndex

DAY = dt.date(2023, 8, 7)


def tile(message: str, url: str = "http://127.0.0.1/1.jpg", state: str = "failed") -> TileRecord:
    return TileRecord(DAY, TileIndex(1, 2), state, url, 503, {}, None, None, "", message)  # type: ignore[arg-type]


def test_days_are_counted_by_verdict() -> None:
    summary = DownloadSummary(days=9)
    summary.keep(2)
    for tiles in (
        {"ok": 4},
        {"ok": 3, "failed": 1},
        {"ok": 3, "absent": 1},
        {"wrong-date": 4},
        {"not-yet": 4},
    ):
        summary.add(DayOutcome(DAY, tiles, fetched=4, received_bytes=10))
    assert dict(summary.verdicts) == {
        "complete": 3,
        "incomplete-network": 1,
        "incomplete-server": 1,
        "wrong-date": 1,
        "no-data": 1,
    }
    assert (summary.days_complete, summary.days_incomplete, summary.days_no_data) == (1, 3, 1)
    assert (summary.days_left, summary.fetched, summary.received_bytes) == (2, 20, 50)
    assert not summary.nothing_came


def test_nothing_came_is_said_only_where_something_was_asked_for() -> None:
    assert not DownloadSummary().nothing_came
    put_off = DownloadSummary(days=1)
    put_off.add(DayOutcome(DAY, {"not-yet": 4}, 0))
    assert not put_off.nothing_came
    blank = DownloadSummary(days=1)
    blank.add(DayOutcome(DAY, {"server-empty": 4}, 4))
    assert not blank.nothing_came
    lost = DownloadSummary(days=1)
    lost.add(DayOutcome(DAY, {"failed": 4}, 4, problems=(("http://x/1", "failed", "HTTP 503"),)))
    assert lost.nothing_came
    assert lost.first_problem == "failed: http://x/1 (HTTP 503)"
    stopped = DownloadSummary(days=1, stopped="the time is over")
    assert stopped.nothing_came
    assert stopped.first_problem == "the time is over"
    stopped.add_dropped(3, 100, {"ok": 3})
    assert not stopped.nothing_came


def test_tiles_that_came_for_a_day_that_was_given_up_are_not_nothing() -> None:
    stopped = DownloadSummary(days=1, stopped="the time is over")
    assert stopped.nothing_line == "no tile could be had: the time is over"
    stopped.add_dropped(3, 100, {})
    assert not stopped.nothing_came


def test_days_that_are_not_complete_are_named() -> None:
    summary = DownloadSummary(days=3)
    other = DAY + dt.timedelta(days=1)
    summary.add(DayOutcome(DAY, {"server-empty": 4}, 4))
    summary.add(DayOutcome(other, {"ok": 3, "failed": 1}, 4))
    summary.add(DayOutcome(other + dt.timedelta(days=1), {"ok": 4}, 4))
    assert summary.not_complete == {DAY: "incomplete-server", other: "incomplete-network"}


def test_the_table_lists_every_tile_and_goes_when_all_came(tmp_path: Path) -> None:
    path = tmp_path / "Layer.not-ok.csv"
    assert write_problem_list(path, [tile("HTTP 503"), tile("a, b\nand c")]) == path
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "date": "2023-08-07",
        "row": "1",
        "col": "2",
        "state": "failed",
        "url": "http://127.0.0.1/1.jpg",
        "reason": "HTTP 503",
    }
    assert rows[1]["reason"] == "a, b and c"
    assert write_problem_list(path, []) is None
    assert list(tmp_path.iterdir()) == []
    assert write_problem_list(path, []) is None


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_cell_is_a_formula(tmp_path: Path, start: str) -> None:
    path = tmp_path / "table.csv"
    evil = f'{start}HYPERLINK("http://127.0.0.1")'
    write_problem_list(path, [tile(evil, url=evil)])
    with path.open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert row["reason"].startswith("'")
    assert row["url"].startswith("'")


def test_a_table_that_breaks_off_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_problem_list(path, [tile("old")])
    before = path.read_bytes()

    def breaking() -> Iterator[TileRecord]:
        yield tile("new")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write_problem_list(path, breaking())
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["table.csv"]
