"""`gibswatch layers`, in process."""

from __future__ import annotations

import datetime as dt
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gibswatch.cli import layers as module
from gibswatch.cli.layers import app
from gibswatch.errors import RenamedLayerWarning, UnknownLayerError

TRUE_COLOR = "VIIRS_SNPP_CorrectedReflectance_TrueColor"


def layers(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_list_prints_a_line_a_layer() -> None:
    lines = layers("list").splitlines()
    assert len(lines) == 1021
    assert not any("\t" in line for line in lines)
    line = next(line for line in lines if line.startswith(TRUE_COLOR + " "))
    assert line.split() == [TRUE_COLOR, "jpg", "250m", "2015-11-24", "ongoing"]


def test_list_searches() -> None:
    assert len(layers("list", "--search", "snpp true color").splitlines()) == 2
    assert "use fewer" in layers("list", "--search", "no such words")


def test_list_as_json() -> None:
    rows = json.loads(layers("list", "--json", "--search", "cris fusion band33 day"))
    assert {row["last_day"] for row in rows} == {"2023-08-13", "ongoing"}
    assert json.loads(layers("list", "--json", "--search", "no such words")) == []


def test_list_on_a_terminal_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    class Sys:
        stdout = Terminal

    monkeypatch.setattr(module, "sys", Sys)
    output = layers("list", "--search", "noaa-21 true color")
    assert "first day" in output


def test_show_names_gaps_and_rows() -> None:
    output = layers("show", TRUE_COLOR)
    assert "2024-07-25..2024-07-28" in output
    assert "2026-04-29" in output
    assert "16km, 8km, 4km, 2km, 1km, 500m, 250m\n" in output
    assert "GoogleMapsCompatible_Level9" in output


def test_show_as_json() -> None:
    facts = json.loads(layers("show", TRUE_COLOR, "--json"))
    assert facts["gap_count"] == len(facts["gaps"]) == 6
    assert facts["tile_resolutions"][-1] == "250m"
    assert facts["domain"].startswith("2015-11-24/2022-07-27/P1D")


def test_show_keeps_to_the_last_ten_gaps() -> None:
    output = layers("show", "MODIS_Terra_L2_Chlorophyll_A")
    line = next(line for line in output.splitlines() if line.startswith("gaps "))
    assert "the last 10" in line
    assert line.count(",") == 9
    assert "periods, all of them with --json" in output


def test_show_layers_without_tiles_or_time() -> None:
    assert "(no tiles)" in layers("show", "OrbitTracks_Terra_Ascending")
    facts = json.loads(layers("show", "BlueMarble_NextGeneration", "--json"))
    assert (facts["first_day"], facts["cadence"], facts["gaps"]) == (None, None, [])


def test_show_warns_of_an_old_name() -> None:
    with pytest.warns(RenamedLayerWarning):
        assert "MODIS_Combined_Thermal_Anomalies_All" in layers("show", "MODIS_Fires_All")


def test_show_raises_for_an_unknown_name() -> None:
    with pytest.raises(UnknownLayerError):
        CliRunner().invoke(app, ["show", "nosuch"], catch_exceptions=False)


def test_show_prints_a_service_file() -> None:
    xml = layers("show", TRUE_COLOR, "--xml", "tms", "--date", "2023-08-07")
    assert xml.startswith("<GDAL_WMS>")
    assert (
        f"/wmts/epsg4326/best/{TRUE_COLOR}/default/2023-08-07/250m/${{z}}/${{y}}/${{x}}.jpg" in xml
    )
    options = ("--epsg", "3857", "--tile-resolution", "2km", "--base-url", "http://127.0.0.1:9/")
    root = ET.fromstring(layers("show", TRUE_COLOR, "--xml", "tms", *options))
    assert root.findtext("DataWindow/TileLevel") == "6"
    assert str(root.findtext("Service/ServerUrl")).startswith("http://127.0.0.1:9/wmts/epsg3857/")


def test_show_takes_today_and_an_instant() -> None:
    today = dt.datetime.now(dt.UTC).date()
    assert f"/{today}/" in layers("show", TRUE_COLOR, "--xml", "tms", "--date", "Today")
    goes = "GOES-East_ABI_GeoColor"
    xml = layers("show", goes, "--xml", "tms", "--date", "2026-06-22T12:10:00Z")
    assert "/2026-06-22T12:10:00Z/" in xml


def test_show_takes_the_server_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBSWATCH_BASE_URL", "http://127.0.0.1:9")
    assert "<ServerUrl>http://127.0.0.1:9/twms/" in layers("show", TRUE_COLOR, "--xml", "twms")


def test_show_writes_service_files(tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "wmts.xml"
    printed = layers(
        "show", TRUE_COLOR, "--xml", "wmts", "--date", "2023-08-07", "--output", str(target)
    )
    beside = target.with_name("wmts.capabilities.xml")
    assert printed.splitlines() == [str(target), str(beside)]
    assert sorted(target.parent.iterdir()) == [beside, target]
    assert ET.fromstring(target.read_text()).findtext("GetCapabilitiesUrl") == str(beside)
    assert "<Default>2023-08-07</Default>" in beside.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--xml", "wmts"), "give --output FILE"),
        (("--xml", "tms", "--json"), "ask for one of them"),
        (("--xml", "wms"), "'wms' is not one of 'tms', 'twms', 'wmts'"),
        (("--xml", "twms", "--epsg", "3413"), "use --xml tms or --xml wmts"),
        (("--xml", "tms", "--date", "yesterday"), "not a date: give YYYY-MM-DD"),
        (("--xml", "tms", "--date", "1999-01-01"), "its days are 2015-11-24 to today"),
        (("--xml", "tms", "--tile-resolution", "31.25m"), "use 250m or coarser"),
        (("--xml", "tms", "--output", "/dev/null/x.xml"), "/dev/null/x.xml"),
        (("--date", "2023-08-07"), "--date is for a service file: give --xml"),
        (("--output", "x.xml"), "--output is for a service file: give --xml"),
    ],
)
def test_show_refuses_in_one_line(
    run: Callable[..., Any], arguments: tuple[str, ...], says: str
) -> None:
    ended = run("layers", "show", TRUE_COLOR, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_show_says_why_a_vector_layer_has_no_service_file(run: Callable[..., Any]) -> None:
    ended = run("layers", "show", "VIIRS_SNPP_Thermal_Anomalies_375m_Day", "--xml", "tms")
    assert ended.code == 2
    assert "vector shapes" in ended.err


def test_show_warns_of_a_day_in_a_gap(run: Callable[..., Any]) -> None:
    ended = run("layers", "show", TRUE_COLOR, "--xml", "tms", "--date", "2026-04-29")
    assert (ended.code, "gap on 2026-04-29" in ended.err) == (0, True)
