"""A scan on disk: read back as it was, refused if it is not what it should be, merged."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import pyarrow.parquet as pq
import pytest
from shapely.geometry import Polygon, mapping

from gibswatch.archive.layout import Layout
from gibswatch.catalogue.windows import Grid
from gibswatch.errors import ArchiveError, UsageError
from gibswatch.scan.budget import Budget
from gibswatch.scan.outputs.stored import (
    SCAN_FILE,
    read_scan,
    scan_folder,
    scanned_layers,
    write_scan,
)
from gibswatch.scan.outputs.tables import write_tables
from gibswatch.scan.result import DaySky, ScanResult
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BBox, DayItem, Finding, Kind, ModelScore, Shares

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_OUTLINE = mapping(Polygon([(-36, -18), (-5, -18), (-5, 18), (-36, 18)]))
_DAY = dt.date(2017, 3, 2)


def _day(number: int) -> dt.date:
    return dt.date(2017, 3, number)


def _item(root: Path, number: int, *, bad: bool = False) -> DayItem:
    day = _day(number)
    clean = DayItem(
        LAYER, day, "clean", 0.125, "Nothing missing.", Shares(0.12, 0.12, 0.0),
        tiles={"ok": 2}, file=str(root / f"4326/{day}/{LAYER}.jpg"), date_source="name",
    )  # fmt: skip
    if not bad:
        return clean
    finding = Finding(
        Kind.MISSING_UNEXPECTED, 0.97, "a hole", 1.2e6, BBox(-36, -18, -5, 18), _OUTLINE,
        ("2017-03-02T12:05Z",),
    )  # fmt: skip
    mask = str(root / f"4326/{day}/{LAYER}_Mask.png")
    return replace(
        clean, verdict="anomalous", findings=(finding,), mask=mask, date_candidates=(_day(9),),
        worldview="https://worldview.earthdata.nasa.gov/?t=2017-03-02",
    )  # fmt: skip


def _result(root: Path, first: int, last: int, bad: int = 2, **changed: Any) -> ScanResult:
    items = tuple(_item(root, n, bad=n == bad) for n in range(first, last + 1))
    sky = DaySky(anchor_orbit(SATELLITES["Terra"], _day(bad)), 86.25)
    result = ScanResult(
        LAYER, "gibswatch", items, Grid("native", 4326, "16km", BBox(-36, -36, 36, 36)),
        root=root, folder=Layout(root, LAYER, 4326).scan_folder, notes=("a note",),
        orbits=("an orbit",), start=_day(first), stop=_day(last + 1),
        skies={_day(bad): sky} if first <= bad <= last else {}, version="0.1.0",
        written=dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC),
    )  # fmt: skip
    return replace(result, **changed)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    result = _result(tmp_path, 1, 3)
    path = write_scan(result)
    assert result.folder is not None
    again = read_scan(result.folder)
    assert replace(again, items=()) == replace(result, items=())
    assert again.items[0] == result.items[0]
    (finding,) = again.items[1].findings
    (told,) = result.items[1].findings
    assert finding.geometry == json.loads(json.dumps(told.geometry))
    assert replace(finding, geometry=None) == replace(told, geometry=None)
    assert replace(again.items[1], findings=()) == replace(result.items[1], findings=())
    assert json.loads(path.read_bytes())["items"][1]["file"] == f"4326/{_DAY}/{LAYER}.jpg"


@pytest.mark.parametrize("expected", [3.0, None])
def test_a_budget_is_read_back_and_scans_before_it_have_none(
    tmp_path: Path, expected: float | None
) -> None:
    budget = Budget(3.0, math.nextafter(0.5, 0.0), 212, expected, "why")
    whole = _result(tmp_path, 1, 3, budget=budget)
    alerts = (True, False, None)
    items = [replace(item, alert=a) for item, a in zip(whole.items, alerts, strict=True)]
    path = write_scan(replace(whole, items=tuple(items)))
    again = read_scan(path.parent)
    assert again.budget == budget
    assert tuple(item.alert for item in again.items) == alerts
    assert [item.date for item in again.alerts] == [_day(1)]
    document = json.loads(path.read_bytes())
    for part in (document, *document["items"]):
        part.pop("budget", None)
        part.pop("alert", None)
    path.write_text(json.dumps(document))
    assert read_scan(path.parent).budget is None
    assert not read_scan(path.parent).alerts


def test_the_word_of_a_model_is_read_back_and_scans_before_it_have_none(tmp_path: Path) -> None:
    whole = _result(tmp_path, 1, 3)
    score = ModelScore("random-forest", 0.1 + 0.2, 0.55, called=False)
    items = (whole.items[0], replace(whole.items[1], model=score), whole.items[2])
    path = write_scan(replace(whole, items=items))
    assert [item.model for item in read_scan(path.parent).items] == [None, score, None]
    document = json.loads(path.read_bytes())
    for item in document["items"]:
        item.pop("model")
    path.write_text(json.dumps(document))
    assert {item.model for item in read_scan(path.parent).items} == {None}


def test_an_archive_that_was_moved_is_read(tmp_path: Path) -> None:
    here = tmp_path / "here"
    write_scan(_result(here, 1, 3))
    here.rename(tmp_path / "there")
    again = read_scan(scan_folder(tmp_path / "there", LAYER, 4326))
    assert again.root == tmp_path / "there"
    assert again.items[1].mask == str(tmp_path / f"there/4326/{_DAY}/{LAYER}_Mask.png")


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d.pop("grid"),
        lambda d: d["items"][0].update(verdict="fine"),
        lambda d: d["items"][0].update(score="high"),
        lambda d: d["items"][0].update(file="../../../etc/passwd"),
        lambda d: d["items"][1].update(mask="/etc/passwd"),
        lambda d: d["items"][1].update(worldview="javascript:alert(1)"),
        lambda d: d["items"][1]["findings"][0].update(kind=17),
        lambda d: d["items"][1]["findings"][0].update(geometry={"type": "Point"}),
        lambda d: d["items"][1]["sky"].update(satellite="Sputnik"),
        lambda d: d["items"][0].update(alert="yes"),
        lambda d: d["items"][0].update(model={"name": "x", "score": 1, "threshold": 1}),
        lambda d: d["items"][0].update(
            model={"name": "x", "score": 1, "threshold": 1, "called": None}
        ),
        lambda d: d["items"][0].update(
            model={"name": "x", "score": "1", "threshold": 1, "called": True}
        ),
        lambda d: d.update(budget={"threshold": 0.4}),
        lambda d: d.update(items={}),
    ],
)
def test_a_damaged_scan_is_refused(tmp_path: Path, break_it: Callable[[Any], object]) -> None:
    path = write_scan(_result(tmp_path, 1, 3))
    document = json.loads(path.read_bytes())
    break_it(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ArchiveError, match=r"scan\.json is damaged .*: scan again"):
        read_scan(path.parent)


def test_half_a_file_and_another_version_are_refused(tmp_path: Path) -> None:
    path = write_scan(_result(tmp_path, 1, 3))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArchiveError, match="damaged"):
        read_scan(path.parent)
    path.write_bytes(whole.replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(ArchiveError, match="version '2', this Gibswatch reads 1"):
        read_scan(path.parent)


def test_where_there_is_no_scan_those_that_there_are_are_named(tmp_path: Path) -> None:
    assert scanned_layers(tmp_path, 4326) == []
    with pytest.raises(UsageError, match="holds no scan"):
        read_scan(tmp_path)
    write_scan(_result(tmp_path, 1, 3))
    assert scanned_layers(tmp_path, 4326) == [LAYER]
    with pytest.raises(UsageError, match=f"no scan of Other.*one of {LAYER}"):
        scan_folder(tmp_path, "Other", 4326)


def test_days_of_earlier_scans_stay_and_the_newest_wins(tmp_path: Path) -> None:
    write_tables(_result(tmp_path, 1, 3))
    later = write_tables(_result(tmp_path, 3, 5, bad=3))
    assert later.notes[-1].startswith("2 days of earlier scans stay in the tables")
    assert [item.date for item in later.items] == [_day(3), _day(4), _day(5)]
    assert later.folder is not None
    rows = pq.read_table(later.folder / "days.parquet").to_pylist()
    assert [(row["date"].day, row["verdict"]) for row in rows] == [
        (1, "clean"), (2, "anomalous"), (3, "anomalous"), (4, "clean"), (5, "clean"),
    ]  # fmt: skip
    with (later.folder / "days.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == list(rows[0])
    assert [line["date"] for line in lines] == [str(row["date"]) for row in rows]
    assert list(geopandas.read_parquet(later.folder / "findings.parquet")["date"]) == [
        _day(2), _day(3),
    ]  # fmt: skip
    assert [item.date for item in read_scan(later.folder).items] == [_day(3), _day(4), _day(5)]
    every = read_scan(later.folder, whole=True)
    assert [item.date for item in every.items] == [_day(n) for n in range(1, 6)]
    assert set(every.skies) == {_day(2), _day(3)}


def test_another_method_or_grid_begins_anew_and_says_so(tmp_path: Path) -> None:
    write_tables(_result(tmp_path, 1, 3))
    later = write_tables(_result(tmp_path, 4, 5, method="gibs-ml"))
    assert later.notes[-1].startswith("3 days of earlier scans leave the tables: method gibswatch")
    assert later.folder is not None
    assert pq.read_table(later.folder / "days.parquet").num_rows == 2


def test_a_damaged_file_of_before_stops_no_scan(tmp_path: Path) -> None:
    first = write_tables(_result(tmp_path, 1, 3))
    assert first.folder is not None
    (first.folder / SCAN_FILE).write_text("{")
    later = write_tables(_result(tmp_path, 4, 5))
    assert "damaged" in later.notes[-1]
    assert len(read_scan(first.folder).items) == 2
