"""`gibswatch layers`, in process."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gibswatch.cli import layers as module
from gibswatch.cli.layers import app
from gibswatch.errors import RenamedLayerWarning, UnknownLayerError

TRUE_COLOR = "VIIRS_SNPP_CorrectedReflectance_TrueColor"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_list_prints_a_line_a_layer() -> None:
    lines = run("list").splitlines()
    assert len(lines) == 1021
    assert not any("\t" in line for line in lines)
    line = next(line for line in lines if line.startswith(TRUE_COLOR + " "))
    assert line.split() == [TRUE_COLOR, "jpg", "250m", "2015-11-24", "ongoing"]


def test_list_searches() -> None:
    assert len(run("list", "--search", "snpp true color").splitlines()) == 2
    assert "use fewer" in run("list", "--search", "no such words")


def test_list_as_json() -> None:
    rows = json.loads(run("list", "--json", "--search", "cris fusion band33 day"))
    assert {row["last_day"] for row in rows} == {"2023-08-13", "ongoing"}
    assert json.loads(run("list", "--json", "--search", "no such words")) == []


def test_list_on_a_terminal_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    class Sys:
        stdout = Terminal

    monkeypatch.setattr(module, "sys", Sys)
    output = run("list", "--search", "noaa-21 true color")
    assert "first day" in output


def test_show_names_gaps_and_rows() -> None:
    output = run("show", TRUE_COLOR)
    assert "2024-07-25..2024-07-28" in output
    assert "2026-04-29" in output
    assert "16km, 8km, 4km, 2km, 1km, 500m, 250m\n" in output
    assert "GoogleMapsCompatible_Level9" in output


def test_show_as_json() -> None:
    facts = json.loads(run("show", TRUE_COLOR, "--json"))
    assert facts["gap_count"] == len(facts["gaps"]) == 6
    assert facts["tile_resolutions"][-1] == "250m"
    assert facts["domain"].startswith("2015-11-24/2022-07-27/P1D")


def test_show_keeps_to_the_last_ten_gaps() -> None:
    output = run("show", "MODIS_Terra_L2_Chlorophyll_A")
    line = next(line for line in output.splitlines() if line.startswith("gaps "))
    assert "the last 10" in line
    assert line.count(",") == 9
    assert "periods, all of them with --json" in output


def test_show_layers_without_tiles_or_time() -> None:
    assert "(no tiles)" in run("show", "OrbitTracks_Terra_Ascending")
    facts = json.loads(run("show", "BlueMarble_NextGeneration", "--json"))
    assert (facts["first_day"], facts["cadence"], facts["gaps"]) == (None, None, [])


def test_show_warns_of_an_old_name() -> None:
    with pytest.warns(RenamedLayerWarning):
        assert "MODIS_Combined_Thermal_Anomalies_All" in run("show", "MODIS_Fires_All")


def test_show_raises_for_an_unknown_name() -> None:
    with pytest.raises(UnknownLayerError):
        CliRunner().invoke(app, ["show", "nosuch"], catch_exceptions=False)
