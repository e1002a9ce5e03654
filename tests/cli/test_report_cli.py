"""`gibswatch report`, and the outputs of a scan that it stands on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.archive.ingest.summary import DownloadSummary
from gibswatch.cli.scan import _exit_code
from gibswatch.scan import ScanResult
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import DayItem, VerdictName

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
Run = Callable[..., Any]


def test_a_report_is_made_again_without_network(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    scanned = run(
        "scan", _LAYER, "--start", "2023-08-01", "--end", "2023-08-10", "--bbox", "-36", "-36",
        "36", "36", "--output-dir", tmp_path, "--base-url", server.base_url, "--cog",
        "--compat-masks", "--write-labels", "--json",
    )  # fmt: skip
    assert scanned.code == 0
    assert "labels: 9 days written" in scanned.err
    day = tmp_path / "4326/2023-08-08"
    assert (day / f"{_LAYER}_Mask.tif").is_file()
    assert (day / "MODIS_Terra_CorrectedReflectance_Missing_Data.png").is_file()
    assert "2023-08-08 2\n" in (tmp_path / f"4326/{_LAYER}.txt").read_text()
    page = tmp_path / "4326/scans" / _LAYER / "report.html"
    page.unlink()
    server.requests.clear()

    ended = run("report", _LAYER, "--output-dir", tmp_path)
    assert ended.code == 0
    assert ended.out.splitlines()[0].startswith("2023-08-08  anomalous")
    assert ended.out.splitlines()[-1] == f"report: {page}"
    assert "2023-08-08" in page.read_text(encoding="utf-8")
    again = run("report", _LAYER, "--output-dir", tmp_path, "--json")
    assert json.loads(again.out) == json.loads(scanned.out)
    assert len(server.requests) == 0

    assert run("report", "--output-dir", tmp_path).out == f"{_LAYER}\n"
    other = run("report", "MODIS_Aqua_CorrectedReflectance_TrueColor", "--output-dir", tmp_path)
    assert other.code == 2
    assert f"there is one of {_LAYER}" in other.err
    polar = run("report", _LAYER, "--epsg", "3413", "--output-dir", tmp_path)
    assert (polar.code, "EPSG:3413" in polar.err) == (2, True)
    (page.parent / "scan.json").write_text("[]")
    damaged = run("report", _LAYER, "--output-dir", tmp_path)
    assert damaged.code == 1
    assert "scan.json is damaged" in damaged.err
    assert damaged.err.count("\n") == 1


def test_where_nothing_was_scanned_it_says_what_to_do(run: Run, tmp_path: Path) -> None:
    ended = run("report", "--output-dir", tmp_path)
    assert ended.code == 2
    assert "holds no scan in EPSG:4326: run gibswatch scan first" in ended.err
    assert run("report", _LAYER, "--output-dir", tmp_path / "none").code == 1


@pytest.mark.parametrize(
    ("verdicts", "fail_on", "code"),
    [
        (("clean", "no-data"), "any", 0),
        (("anomalous",), None, 0),
        (("anomalous",), "anomalous", 3),
        (("anomalous",), "incomplete", 0),
        (("anomalous",), "any", 3),
        (("incomplete",), None, 4),
        (("incomplete",), "anomalous", 4),
        (("incomplete",), "incomplete", 3),
        (("wrong-date",), "any", 3),
        (("wrong-date",), "anomalous", 4),
        (("incomplete", "anomalous"), None, 4),
        (("incomplete", "anomalous"), "anomalous", 3),
    ],
)
def test_what_fail_on_names_goes_before_incomplete(
    verdicts: tuple[VerdictName, ...], fail_on: str | None, code: int
) -> None:
    items = tuple(DayItem("L", None, verdict, 0.0, "", None) for verdict in verdicts)
    assert _exit_code(ScanResult("L", "gibswatch", items), fail_on) == code


@pytest.mark.parametrize(
    ("alert", "fail_on", "code"),
    [
        (True, "alert", 3),
        (True, "any", 3),
        (True, "anomalous", 0),
        (True, None, 0),
        (False, "alert", 0),
        (None, "any", 0),
    ],
)
def test_fail_on_may_name_alerts(alert: bool | None, fail_on: str | None, code: int) -> None:
    item = DayItem("L", None, "clean", 0.4, "", None, alert=alert)
    assert _exit_code(ScanResult("L", "gibswatch", (item,)), fail_on) == code


def test_nothing_came_goes_before_all(capfd: pytest.CaptureFixture[str]) -> None:
    items = (DayItem("L", None, "incomplete", 0.0, "", None),)
    download = DownloadSummary(days=1, fetched=2, days_incomplete=1)
    result = ScanResult("L", "gibswatch", items, download=download)
    assert _exit_code(result, "any") == 5
    assert "no tile could be had" in capfd.readouterr().err


def test_bad_combinations_are_told_before_anything_is_downloaded(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    days = ("--start", "2023-08-01", "--end", "2023-08-03")
    where = ("--output-dir", tmp_path, "--base-url", server.base_url)
    viirs = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
    mask = run("scan", viirs, *days, *where, "--with-mask")
    assert (mask.code, "leave --with-mask out" in mask.err) == (2, True)
    reasons = run("scan", _LAYER, *days, *where, "--method", "black-share", "--reasons")
    assert (reasons.code, "leave one of them out" in reasons.err) == (2, True)
    assert run("scan", _LAYER, *days, *where, "--fail-on", "never").code == 2
    alert = run("scan", _LAYER, *days, *where, "--fail-on", "alert")
    assert (alert.code, "give --alerts-per-month too" in alert.err) == (2, True)
    many = run("scan", _LAYER, *days, *where, "--alerts-per-month", "31")
    assert (many.code, "must be over 0 and under 30" in many.err) == (2, True)
    assert len(server.requests) == 0
    assert not list(tmp_path.iterdir())
