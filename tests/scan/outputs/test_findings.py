"""Tests of the tables and the JSON document of a scan."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import geopandas
import pyarrow.parquet as pq
import pytest
from shapely.geometry import Polygon, mapping

from gibswatch.scan import items_to_json, write_days, write_days_csv, write_findings
from gibswatch.scan.budget import Budget
from gibswatch.types import BBox, DayItem, Finding, Kind, ModelScore, Shares

_BOX = Polygon([(-36, -18), (-5, -18), (-5, 18), (-36, 18)])
_FINDING = Finding(
    Kind.MISSING_UNEXPECTED, 0.97, "black", 1.2e6, BBox(-36, -18, -5, 18), mapping(_BOX)
)
_ITEMS = (
    DayItem("L", dt.date(2023, 8, 6), "clean", 0.1, "as usual", Shares(0.12, 0.12, 0.0)),
    DayItem(
        "L",
        dt.date(2023, 8, 7),
        "anomalous",
        0.97,
        "=HYPERLINK(1)",
        Shares(0.52, 0.12, 0.4),
        (_FINDING,),
        tiles={"ok": 50},
        file="data/x.jpg",
        date_source="name",
    ),
    DayItem("L", None, "incomplete", 0.0, "unread", None, incomplete_cause="network"),
)


_ALERTS = (False, True, None)


def test_json_has_the_fields_that_others_build_on() -> None:
    document = json.loads(json.dumps(items_to_json("L", _ITEMS), allow_nan=False))
    assert document["layer"] == "L"
    clean, bad, unread = document["items"]
    assert clean["shares"] == {"black": 0.12, "expected": 0.12, "unexpected": 0.0}
    assert bad["verdict"] == "anomalous"
    assert (bad["file"], bad["date"], bad["date_source"]) == ("data/x.jpg", "2023-08-07", "name")
    assert (bad["date_candidates"], bad["incomplete_cause"]) == ([], None)
    assert bad["tiles"] == {"ok": 50}
    (finding,) = bad["findings"]
    assert finding["kind"] == 2
    assert finding["name"] == "missing data, unexpected"
    assert finding["bbox"] == [-36.0, -18.0, -5.0, 18.0]
    assert finding["geometry"]["type"] == "Polygon"
    assert finding["granules"] == []
    assert (unread["date"], unread["shares"], unread["incomplete_cause"]) == (None, None, "network")


def test_alerts_and_their_budget_are_told(tmp_path: Path) -> None:
    items = [replace(item, alert=alert) for item, alert in zip(_ITEMS, _ALERTS, strict=True)]
    budget = Budget(3, 0.41, 212, 3, "")
    document = json.loads(json.dumps(items_to_json("L", items, budget), allow_nan=False))
    assert document["budget"] == {
        "per_month": 3, "threshold": 0.41, "days": 212, "expected": 3, "problem": "",
    }  # fmt: skip
    assert tuple(item["alert"] for item in document["items"]) == _ALERTS
    assert "budget" not in items_to_json("L", items)
    write_days(tmp_path / "days.parquet", items)
    rows = pq.read_table(tmp_path / "days.parquet").to_pylist()
    assert tuple(row["alert"] for row in rows) == _ALERTS


def test_the_word_of_a_model_is_told(tmp_path: Path) -> None:
    score = ModelScore("softmax", 0.123456789, 0.55, called=False)
    items = [replace(_ITEMS[0], model=score), *_ITEMS[1:]]
    document = json.loads(json.dumps(items_to_json("L", items), allow_nan=False))
    assert [item["model"] for item in document["items"]] == [
        {"name": "softmax", "score": 0.123456789, "threshold": 0.55, "called": False}, None, None,
    ]  # fmt: skip
    write_days(tmp_path / "days.parquet", items)
    rows = pq.read_table(tmp_path / "days.parquet").to_pylist()
    columns = ("model", "model_score", "model_threshold", "model_called")
    assert [rows[0][name] for name in columns] == ["softmax", 0.123456789, 0.55, False]
    assert {rows[1][name] for name in columns} == {None}


def test_findings_are_geoparquet_in_lon_lat(tmp_path: Path) -> None:
    write_findings(tmp_path / "findings.parquet", _ITEMS)
    table = geopandas.read_parquet(tmp_path / "findings.parquet")
    assert len(table) == 1
    assert table.crs.to_authority() == ("OGC", "CRS84")
    assert table.geometry[0].equals(_BOX)
    assert table["date"][0] == dt.date(2023, 8, 7)
    assert table["kind"][0] == 2
    assert table["area_km2"][0] == pytest.approx(1.2e6)


def test_days_are_one_row_each(tmp_path: Path) -> None:
    write_days(tmp_path / "days.parquet", _ITEMS)
    rows = pq.read_table(tmp_path / "days.parquet").to_pylist()
    assert [row["verdict"] for row in rows] == ["clean", "anomalous", "incomplete"]
    assert rows[1]["kinds"] == [2]
    assert rows[1]["unexpected"] == pytest.approx(0.4)
    assert rows[2]["black"] is None


def test_csv_has_the_columns_of_the_table_and_no_formula(tmp_path: Path) -> None:
    write_days(tmp_path / "days.parquet", _ITEMS)
    write_days_csv(tmp_path / "days.csv", _ITEMS)
    with (tmp_path / "days.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == pq.read_schema(tmp_path / "days.parquet").names
    assert [row["verdict"] for row in rows] == ["clean", "anomalous", "incomplete"]
    assert (rows[1]["date"], rows[1]["kinds"], rows[1]["score"]) == ("2023-08-07", "2", "0.97")
    assert rows[1]["reason"] == "'=HYPERLINK(1)"
    assert (rows[2]["date"], rows[2]["black"]) == ("", "")


def test_tables_of_nothing_can_be_read(tmp_path: Path) -> None:
    write_days(tmp_path / "days.parquet", ())
    write_findings(tmp_path / "findings.parquet", ())
    assert pq.read_table(tmp_path / "days.parquet").num_rows == 0
    assert geopandas.read_parquet(tmp_path / "findings.parquet").empty
