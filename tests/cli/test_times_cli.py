"""`gibswatch times`, at a moment that the test chooses."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from gibswatch.cli import times
from gibswatch.simulate import EmbeddedServer

Run = Callable[..., Any]
TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime(2026, 6, 25, 9, 30)  # noqa: DTZ001 - UTC without a zone
    monkeypatch.setattr(times, "_now", lambda: now)


def test_periods_gaps_and_lateness(run: Run) -> None:
    ended = run("times", TERRA)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"{TERRA}, as of 2026-06"
    assert lines[1:3] == ["9 periods", "  2000-02-24 to 2000-04-25, every P1D"]
    assert "8 gaps" in lines
    assert "  2022-10-11..2022-10-22 (12 days)" in lines
    assert "the newest day, 2026-06-23, is 2 days before today, 2026-06-25 (UTC)" in lines
    assert lines[-1] == "newer days than those of 2026-06 may be there: --live asks"


def test_as_json(run: Run) -> None:
    facts = json.loads(run("times", TERRA, "--json").out)
    assert (facts["layer"], facts["source"]) == (TERRA, "2026-06")
    assert facts["periods"][0] == {
        "first": "2000-02-24",
        "last": "2000-04-25",
        "step": "P1D",
        "steps": 62,
    }
    assert facts["gaps"][0] == {
        "missing": "2000-04-26..2000-04-27",
        "length": "2 days",
        "days": 2,
    }
    assert (facts["newest"], facts["behind_days"]) == ("2026-06-23T00:00:00Z", 2)
    assert facts["goes_on"] is True


def test_a_long_list_is_shortened(run: Run) -> None:
    out = run("times", "MODIS_Terra_L3_NDVI_16Day").out
    assert "the last 20 of them, all with --json" in out
    assert "31 days (1 step of P16D) before today" in out
    assert "0 gaps" in out


def test_a_layer_without_time(run: Run) -> None:
    ended = run("times", "BlueMarble_NextGeneration")
    assert ended.code == 0
    assert "has no time" in ended.out
    assert json.loads(run("times", "BlueMarble_NextGeneration", "--json").out)["newest"] is None


def test_a_layer_that_is_complete(run: Run) -> None:
    assert "no more is expected" in run("times", "VIIRS_CrIS_SNPP_BT_Band33_Fusion_Day").out


@pytest.mark.parametrize("arguments", [(), ("--live",)])
def test_the_service_is_asked(run: Run, server: EmbeddedServer, arguments: tuple[str, ...]) -> None:
    facts = json.loads(run("times", TERRA, "--base-url", server.base_url, "--json", *arguments).out)
    assert facts["source"] == "live 2026-06-25"
    assert [(p["first"], p["last"]) for p in facts["periods"]] == [("2023-08-01", "2023-08-14")]
    assert facts["goes_on"] is False
    assert [record.status for record in server.requests] == [200]


def test_live_without_tiles(run: Run) -> None:
    ended = run("times", "OrbitTracks_Terra_Ascending", "--live")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "leave --live out" in ended.err


def test_unknown_and_old_names(run: Run) -> None:
    assert run("times", "nosuch").code == 2
    ended = run("times", "MODIS_Fires_All")
    assert ended.code == 0
    assert "MODIS_Combined_Thermal_Anomalies_All" in ended.err
