"""`gibswatch layers refresh` against the embedded server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.simulate import EmbeddedServer

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "catalogue.json"
    monkeypatch.setenv("GIBSWATCH_CATALOGUE_FILE", str(path))
    return path


def test_refresh_then_show(run: Callable[..., Any], server: EmbeddedServer, path: Path) -> None:
    ended = run("layers", "refresh", "--base-url", server.base_url, "--epsg", 4326)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("layers read: EPSG:4326 1; 0 whole histories; kept in ")
    assert "1 with another first day than before: MODIS_Terra_Corrected" in ended.out
    assert "known here, but not listed: " in ended.out
    assert path.is_file()
    facts = json.loads(run("layers", "show", TERRA, "--json").out)
    assert facts["domain_read"].startswith("live 20")
    assert (facts["first_day"], facts["last_known_day"]) == ("2023-08-01", "2023-08-14")


def test_refresh_as_json(run: Callable[..., Any], server: EmbeddedServer, path: Path) -> None:
    arguments = ("--base-url", server.base_url, "--epsg", 4326, "--epsg", 3857, "--json")
    facts = json.loads(run("layers", "refresh", *arguments).out)
    assert facts["listed"]["EPSG:4326"] == 1
    assert facts["moved"] == [TERRA]
    assert facts["file"] == str(path)


def test_a_server_without_a_catalogue(run: Callable[..., Any], server: EmbeddedServer) -> None:
    ended = run("layers", "refresh", "--base-url", f"{server.base_url}/nothing", "--epsg", 4326)
    assert (ended.code, ended.out) == (5, "")
    assert "HTTP 404" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_projection_that_gibs_has_not(run: Callable[..., Any]) -> None:
    ended = run("layers", "refresh", "--epsg", 4258)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_a_damaged_file_is_one_line_of_warning(run: Callable[..., Any], path: Path) -> None:
    path.write_text("{", "utf-8")
    ended = run("layers", "show", TERRA, "--json")
    assert ended.code == 0
    assert "is damaged" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_another_server_does_not_replace_nasas_list(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIBSWATCH_CATALOGUE_FILE")
    ended = run("layers", "refresh", "--base-url", "http://127.0.0.1:9")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert "set GIBSWATCH_CATALOGUE_FILE" in ended.err
