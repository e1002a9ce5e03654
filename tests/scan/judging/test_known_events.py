"""Tests of the known cause beside what is said of a day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

from gibswatch.catalogue import Event
from gibswatch.scan.judging.known_events import with_events
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import DayItem, VerdictName

AQUA = "MODIS_Aqua_CorrectedReflectance_TrueColor"
TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"


def item(day: dt.date, verdict: VerdictName) -> DayItem:
    return DayItem(AQUA, day, verdict, 0.0, "Much is black.", None)


def test_a_known_outage_is_named_and_the_verdict_stays() -> None:
    found = with_events(item(dt.date(2020, 8, 20), "anomalous"))
    assert found.verdict == "anomalous"
    assert found.reason.startswith("Much is black. Known: ")
    assert "mostly-empty" in found.reason


def test_a_clean_day_needs_no_cause() -> None:
    clean = item(dt.date(2020, 8, 20), "clean")
    assert with_events(clean) is clean


def test_a_day_without_an_event_is_as_it_was() -> None:
    plain = item(dt.date(2019, 5, 5), "anomalous")
    assert with_events(plain) is plain


def test_the_users_own_events_come_too() -> None:
    own = Event(
        dt.date(2019, 5, 5), dt.date(2019, 5, 5), ("Aqua",), ("MODIS_Aqua_*",), "missing",
        "the dish was painted", "our log",
    )  # fmt: skip
    found = with_events(item(dt.date(2019, 5, 5), "anomalous"), (own,))
    assert "the dish was painted" in found.reason


def test_scan_names_the_orbit_and_the_users_event(
    run: Callable[..., object], server: EmbeddedServer, tmp_path: Path
) -> None:
    events = tmp_path / "events.json"
    row = {
        "first": "2023-08-08", "last": "2023-08-08", "satellites": ["Terra"],
        "layers": ["MODIS_Terra_*"], "effect": "partial", "what": "the dish was painted",
        "source": "our log",
    }  # fmt: skip
    events.write_text(json.dumps({"events": [row]}))
    ended = run(
        "scan", TERRA, "--start", "2023-08-01", "--end", "2023-08-15", "--output-dir",
        tmp_path / "data", "--base-url", server.base_url, "--bbox", "-36", "-36", "36", "36",
        "--events", events, "--json",
    )  # fmt: skip
    items = {day["date"]: day for day in json.loads(ended.out)["items"]}  # type: ignore[attr-defined]
    assert items["2023-08-08"]["verdict"] == "anomalous"
    assert "Known: the dish was painted" in items["2023-08-08"]["reason"]
    assert "the dish was painted" not in items["2023-08-09"]["reason"]
    report = (tmp_path / "data/4326/scans" / TERRA / "report.html").read_text()
    assert "Orbit of Terra: " in report
    assert "the dish was painted" in report
