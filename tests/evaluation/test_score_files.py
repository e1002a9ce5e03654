"""Score tables as Parquet and CSV, a scan's table among them, and files that are none."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from gibswatch.errors import UsageError
from gibswatch.evaluation import ScoreTable, _columns, read_scores, write_scores
from gibswatch.scan import write_days, write_days_csv
from gibswatch.types import DayItem, Finding, Kind

DAYS = np.arange("2023-01-01", "2023-01-04", dtype="datetime64[D]")
FULL = ScoreTable(
    "softmax",
    "image",
    DAYS,
    np.array([0.1, 0.7, 1 / 3]),
    np.array([False, True, False]),
    {dt.date(2023, 1, 1): frozenset(), dt.date(2023, 1, 2): frozenset({Kind(2), Kind(3)})},
    {dt.date(2023, 1, 2): "test"},
    {Kind.MISSING_UNEXPECTED: np.array([0.1, 0.6, 0.0])},
    "missing",
    "event",
    0.4,
    "VIIRS_SNPP_CorrectedReflectance_TrueColor",
    12.5,
    0.03,
    812.0,
    ("a note",),
)


def test_parquet_gives_back_all_of_a_table(tmp_path: Path) -> None:
    write_scores(tmp_path / "t.parquet", FULL)
    back = read_scores(tmp_path / "t.parquet")
    for name in FULL.__slots__:
        mine, theirs = getattr(FULL, name), getattr(back, name)
        if name == "class_scores":
            assert {k: v.tolist() for k, v in mine.items()} == {
                k: v.tolist() for k, v in theirs.items()
            }
        elif isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype
            assert mine.tolist() == theirs.tolist()
        else:
            assert mine == theirs, name


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9), st.data()
)
def test_scores_come_back_to_the_last_bit(
    tmp_path: Path, scores: list[float], data: st.DataObject
) -> None:
    truth = np.array([data.draw(st.booleans()) for _ in scores])
    dates = np.datetime64("2019-12-28") + np.arange(len(scores))
    made = ScoreTable("t", "image", dates, np.array(scores), truth)
    for name in ("t.parquet", "t.csv"):
        write_scores(tmp_path / name, made)
        back = read_scores(tmp_path / name)
        assert back.scores.tobytes() == made.scores.tobytes()
        assert back.truth is not None
        assert (back.dates.tolist(), back.truth.tolist()) == (dates.tolist(), truth.tolist())


def test_csv_keeps_the_columns(tmp_path: Path) -> None:
    write_scores(tmp_path / "forest.csv", FULL)
    back = read_scores(tmp_path / "forest.csv")
    assert (back.name, back.level, back.threshold) == ("forest", "image", None)
    assert back.kinds[dt.date(2023, 1, 2)] == {Kind(2), Kind(3)}
    assert back.splits == FULL.splits
    assert back.class_scores[Kind(2)].tolist() == [0.1, 0.6, 0.0]


def test_date_and_score_are_enough(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\ufeffdate, score, other\n2023-01-01, 0.5, =1\n\n")
    back = read_scores(tmp_path / "x.csv", name="mine", level="pixel")
    assert (back.name, back.level, back.truth, back.scores.tolist()) == (
        "mine",
        "pixel",
        None,
        [0.5],
    )
    assert back.kinds == {}


def test_without_a_common_score_the_highest_class_counts(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("date,score_2,score_3\n2023-01-01,0.5,0.75\n")
    back = read_scores(tmp_path / "x.csv")
    assert back.scores.tolist() == [0.75]
    assert set(back.class_scores) == {Kind(2), Kind(3)}


def scanned() -> list[DayItem]:
    def item(day: int, verdict: Any, score: float, *kinds: Kind) -> DayItem:
        found = tuple(Finding(kind, score, "") for kind in kinds)
        return DayItem("L", dt.date(2023, 1, day), verdict, score, "", None, found)

    return [
        item(1, "clean", 0.2),
        item(2, "anomalous", 0.9, Kind.MISSING_UNEXPECTED),
        item(3, "incomplete", 0.0),
        item(4, "anomalous", 0.8, Kind.MISCOLORATION),
        item(5, "clean", 0.3, Kind.ECLIPSE_MISSING),
    ]


@pytest.mark.parametrize("name", ["days.parquet", "days.csv"])
def test_the_table_of_a_scan_is_a_score_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    (write_days if path.suffix == ".parquet" else write_days_csv)(path, scanned())
    table = read_scores(path)
    assert [day.day for day in table.days] == [1, 2, 4, 5]
    assert table.scores.tolist() == [0.2, 0.9, 0.8, 0.3]
    assert table.class_scores[Kind.MISSING_UNEXPECTED].tolist() == [0.2, 0.9, 0.0, 0.3]
    assert table.notes == ("1 days without a verdict by their picture have no score",)
    assert (table.layer, table.truth, table.kinds) == ("L", None, {})
    assert table.threshold is not None
    assert table.threshold < 0.5 <= math.nextafter(table.threshold, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no row"),
        ("date,score\n", "has no row"),
        ("day,score\n2023-01-01,1\n", "has no column date"),
        ("date,skore\n2023-01-01,1\n", "has no column score"),
        ("date,score\n2023-01-01,nan\n", r"column score, row 1: 'nan' cannot be used"),
        ("date,score\n2023-01-01,1\n2023-01-02,inf\n", r"column score, row 2"),
        ("date,score\n2023-01-01,many\n", "column score, row 1"),
        ("date,score\n2023-02-30,1\n", "column date, row 1: '2023-02-30'"),
        ("date,score,label\n2023-01-01,1,maybe\n", "column label, row 1: 'maybe'"),
        ("date,score,label\n2023-01-01,1,\n2023-01-02,1,1\n", "column label, row 1"),
        ("date,score,kinds\n2023-01-01,1,2 11\n", "column kinds, row 1: '2 11' are no codes"),
        ("date,score,split\n2023-01-01,1,exam\n", "column split, row 1: 'exam' is no split"),
        ("date,score\n2023-01-01,1,2\n", "row 1 has 3 cells, its head 2"),
        ("date,score\n2023-01-01,1\n2023-01-01,2\n", "2023-01-01 in 2 rows"),
        ("date,score,score\n2023-01-01,1,2\n", "two columns score"),
        ('date,score\n"2023-01-01,1\n', "cannot be read as CSV"),
    ],
)
def test_a_malformed_table_is_refused_by_file_and_column(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(UsageError, match=says) as caught:
        read_scores(tmp_path / "bad.csv")
    assert "bad.csv" in str(caught.value)


def parquet_of(path: Path, metadata: bytes | None = None, **columns: Any) -> Path:
    table = pa.table({"date": pa.array([dt.date(2023, 1, 1)]), "score": [0.5], **columns})
    if metadata is not None:
        table = table.replace_schema_metadata({b"gibswatch": metadata})
    parquet.write_table(table, path)
    return path


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "no JSON object"),
        (b'{"level": "galaxy"}', "metadata level is none of image, pixel"),
        (b'{"level": ["image"]}', "metadata level"),
        (b'{"training_s": -1}', "metadata training_s is no finite number"),
        (b'{"threshold": NaN}', "metadata threshold"),
        (b'{"threshold": true}', "metadata threshold"),
        (b'{"name": 3}', "metadata name is no text"),
        (b'{"notes": "x"}', "metadata notes"),
    ],
)
def test_hostile_metadata_is_refused(tmp_path: Path, metadata: bytes, says: str) -> None:
    path = parquet_of(tmp_path / "x.parquet", metadata)
    with pytest.raises(UsageError, match=says):
        read_scores(path)


def test_only_known_metadata_come_in_and_without_control_characters(tmp_path: Path) -> None:
    said = {"name": "a\x1b[31m" + "b" * 200, "scores": [1], "__class__": "x", "notes": ["n\n"] * 99}
    table = read_scores(parquet_of(tmp_path / "x.parquet", json.dumps(said).encode()))
    assert (table.name, len(table.notes), table.notes[0]) == ("a [31m" + "b" * 94, 50, "n ")
    assert table.scores.tolist() == [0.5]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"score": pa.array([None], pa.float64())}, "column score, row 1"),
        ({"score": pa.array([[1.0]])}, "column score holds list"),
        ({"date": pa.array([None], pa.date32())}, "column date, row 1"),
        ({"date": pa.array([7])}, "column date, row 1"),
        ({"date": pa.array([3_000_000], pa.int32()).cast(pa.date32())}, "column date, row 1"),
        ({"label": pa.array([2])}, "column label, row 1"),
        ({"kinds": pa.array([[0]])}, "column kinds, row 1"),
        ({"kinds": pa.array([3])}, "column kinds, row 1"),
        ({"kinds": pa.array([["2"]])}, "column kinds holds list"),
        ({"split": pa.array([b"test"])}, "column split holds binary"),
        ({"score": pa.array(["x"])}, "column score, row 1: 'x'"),
    ],
)
def test_parquet_of_other_types_is_refused(tmp_path: Path, columns: Any, says: str) -> None:
    path = parquet_of(tmp_path / "x.parquet", **columns)
    with pytest.raises(UsageError, match=says):
        read_scores(path)


def test_texts_of_parquet_are_read_as_those_of_csv(tmp_path: Path) -> None:
    columns = {
        "score": pa.array(["0.25"]),
        "date": pa.array(["2023-01-05"]),
        "label": pa.array(["1"]),
        "split": pa.array(["val"]).dictionary_encode(),
    }
    table = read_scores(parquet_of(tmp_path / "x.parquet", None, **columns))
    assert (table.scores.tolist(), table.days) == ([0.25], (dt.date(2023, 1, 5),))
    assert table.truth is not None
    assert table.truth.tolist() == [True]
    assert table.splits == {dt.date(2023, 1, 5): "val"}


def test_a_file_that_unfolds_to_more_than_is_meant_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_columns, "_MAX_ROWS", 50_000)
    kinds = pa.array([np.zeros(60_000, dtype=np.int8)], pa.list_(pa.int8()))
    path = parquet_of(tmp_path / "x.parquet", kinds=kinds)
    assert path.stat().st_size < 10_000
    with pytest.raises(UsageError, match="would unfold to 60,000 values"):
        read_scores(path)


def test_a_long_text_in_every_row_is_held_once(tmp_path: Path) -> None:
    count = 20_000
    days = np.datetime64("2000-01-01") + np.arange(count)
    layer = pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), ["L" * 1_000_000])
    table = pa.table({"date": days, "score": np.zeros(count), "layer": layer,
                      "verdict": ["clean"] * count})  # fmt: skip
    parquet.write_table(table, tmp_path / "days.parquet")
    assert len(read_scores(tmp_path / "days.parquet").layer) == 200


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no more")
    (tmp_path / "x.pkl").write_bytes(b"\x80\x04.")
    (tmp_path / "d.csv").mkdir()
    for name, says in (
        ("x.parquet", "cannot be read as Parquet"),
        ("x.pkl", "give a .parquet or .csv file"),
        ("d.csv", "is not there, or no file"),
        ("absent.parquet", "is not there, or no file"),
    ):
        with pytest.raises(UsageError, match=says):
            read_scores(tmp_path / name)
    with pytest.raises(UsageError, match=r"end it in \.parquet or \.csv"):
        write_scores(tmp_path / "x.json", FULL)
