"""Tests of wrong input: one line that says what to do, an exit code, nothing half-written."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gibswatch.simulate import EmbeddedServer

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_SCAN = ("scan", _LAYER, "--start", "2023-08-01", "--end", "2023-08-03")

Run = Callable[..., Any]


@pytest.fixture
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("scan", "MODIS_Terra_CorrectedReflectance_TruColor"),
            "did you mean MODIS_Terra_CorrectedReflectance_TrueColor, .*, .*\\?",
        ),
        (("scan", "../../x"), "no layer '../../x'"),
        (("scan", "a\0b"), "no layer"),
        (("scan", "x" * 300), "no layer 'x{57}\\.\\.\\.'"),
        (("scan", "CON"), "no layer 'CON'"),
        (("inspect", "x.jpg", "--layer", "../../etc"), "no layer"),
        (("download", "--layer-name", "../x"), "no layer"),
        (("scan", _LAYER, "--start", "2023-08-05", "--end", "2023-08-03"), "not before"),
        (("scan", _LAYER, "--start", "2023-08-05", "--end", "2023-08-05"), "not before"),
        (("scan", _LAYER, "--start", "1999-01-01", "--end", "1999-02-01"), "2000-02-24"),
        (("scan", _LAYER, "--start", "2023-13-01"), "not a date: give YYYY-MM-DD or Today"),
        (("scan", _LAYER, "--start", "../..", "--end", "Today"), "not a date"),
        (("scan", _LAYER, "--start", "9999-01-01"), "in the future"),
        (("scan", "GOES-East_ABI_GeoColor", "--start", "2023-08-01"), "several pictures a day"),
        (
            (*_SCAN, "--tile-resolution", "31.25m"),
            "finer than the layer's own \\(250m\\): use 250m",
        ),
        ((*_SCAN, "--tile-resolution", "3km"), "use 16km, 8km"),
        ((*_SCAN, "--bbox", "10", "0", "-10", "5"), "empty or reversed"),
        ((*_SCAN, "--bbox", "10", "5", "20", "5"), "empty or reversed"),
        ((*_SCAN, "--bbox", "0", "0", "200", "5"), "reaches outside"),
        ((*_SCAN, "--bbox", "nan", "0", "1", "5"), "finite"),
        ((*_SCAN, "--bbox", "0", "0", "1"), "4 arguments"),
        ((*_SCAN, "--bbox", "0", "0", "1", "x"), "--bbox"),
        ((*_SCAN, "--epsg", "1234"), "EPSG:1234 is not a projection of GIBS"),
        ((*_SCAN, "--grid", "mine"), "--grid"),
        (
            (*_SCAN, "--method", "best"),
            "gibswatch, climatology, gibs-ml, gibs-ml-deviation, gibs-ml-mask, black-share",
        ),
        ((*_SCAN, "--base-url", "ftp://x"), "is not an address"),
        ((*_SCAN, "--base-url", "nonsense"), "is not an address"),
        ((*_SCAN, "--connections", "0"), "give 1 or more"),
        ((*_SCAN, "--nonsense"), "--nonsense"),
        (("scan",), "layer"),
        (("nonsense",), "nonsense"),
        (("inspect", "none.jpg", "--layer", _LAYER), "none.jpg is no file"),
        (("inspect", ".", "--layer", _LAYER), "is no file"),
        (("simulate", "serve"), "nothing to serve"),
        (("simulate", "serve", "--tile", "x"), "--tile"),
        (("layers", "show", "nonsense"), "no layer 'nonsense'"),
    ],
    ids=lambda value: " ".join(value)[:70] if isinstance(value, tuple) else "",
)
def test_wrong_input_is_one_line_and_exit_code_2(
    run: Run, in_empty_folder: Path, arguments: tuple[str, ...], says: str
) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    line = ended.err.rstrip("\n")
    assert "\n" not in line
    assert "Traceback" not in line
    assert "\0" not in line
    assert re.search(says, line), line
    assert not list(in_empty_folder.iterdir())


def test_a_date_before_the_layers_start_is_said_and_begun_at_the_start(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    ended = run(
        "scan", _LAYER, "--start", "2000-02-20", "--end", "2000-02-26", "--output-dir", tmp_path,
        "--base-url", server.base_url, "--bbox", "-36", "-18", "0", "18",
    )  # fmt: skip
    assert ended.code == 5  # the drawn days are of 2023
    dates = {record.path.split("/")[6] for record in server.requests}
    assert dates == {"2000-02-24", "2000-02-25"}


def test_a_late_start_is_said_by_download(run: Run, tmp_path: Path, server: EmbeddedServer) -> None:
    ended = run(
        "download", "--layer-name", _LAYER, "--start", "2000-02-20", "--end", "2000-02-26",
        "--output-dir", tmp_path, "--base-url", server.base_url, "--bbox", "-36", "-18", "0", "18",
    )  # fmt: skip
    assert f"{_LAYER} starts on 2000-02-24, not 2000-02-20: begun there" in ended.err


def test_another_grid_in_the_folder_names_the_one_that_is_there(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    where = ("--output-dir", tmp_path, "--base-url", server.base_url)
    assert run(*_SCAN, "--bbox", "-36", "-18", "0", "18", *where).code == 0
    before = _tree(tmp_path)
    ended = run(*_SCAN, "--grid", "predecessor", *where)
    assert ended.code == 2
    assert "native grid at 16km, EPSG:4326, one picture a day, bbox -36 -18 0 18" in ended.err
    assert "--output-dir" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert _tree(tmp_path) == before


def test_a_server_that_cannot_be_reached_ends_with_5(run: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ended = run(*_SCAN, "--output-dir", tmp_path, "--base-url", f"http://127.0.0.1:{port}")
    assert ended.code == 5
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert "no connection to http://127.0.0.1" in ended.err
    assert "--base-url" in ended.err
    assert not list(tmp_path.rglob("*.jpg"))
    assert not list(tmp_path.rglob(".part-*"))


def test_a_folder_that_is_a_file_ends_with_2(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    (tmp_path / "file").write_text("mine")
    ended = run(*_SCAN, "--output-dir", tmp_path / "file", "--base-url", server.base_url)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert "name another folder" in ended.err
    assert (tmp_path / "file").read_text() == "mine"
    assert len(server.requests) == 0


@pytest.mark.parametrize(
    ("code", "says"),
    [(errno.ENOSPC, "no space left"), (errno.EACCES, "no right to write")],
)
def test_a_folder_that_takes_no_more_ends_with_2_and_is_resumed(
    run: Run,
    tmp_path: Path,
    server: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    code: int,
    says: str,
) -> None:
    command = (
        *_SCAN, "--bbox", "-36", "-18", "0", "18", "--output-dir", tmp_path,
        "--base-url", server.base_url, "--json",
    )  # fmt: skip

    def full(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr("gibswatch.files.os.fsync", full)
        ended = run(*command)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert says in ended.err
    assert not list(tmp_path.rglob("*.jpg"))
    assert not list(tmp_path.rglob(".part-*"))
    assert run(*command).code == 0
    assert len(list(tmp_path.rglob(f"{_LAYER}.jpg"))) == 2


def test_pictures_that_are_none_are_said_and_end_with_4(run: Run, tmp_path: Path) -> None:
    (tmp_path / "2023-08-01.jpg").write_bytes(b"")
    (tmp_path / "2023-08-02.jpg").write_bytes(b"\xff\xd8\xff\xe0 half a picture")
    ended = run("inspect", *sorted(tmp_path.iterdir()), "--layer", _LAYER)
    assert ended.code == 4
    assert "0 bytes" in ended.out
    assert "end marker is missing" in ended.out
    assert "2 pictures (2 incomplete)" in ended.out


def test_an_error_of_ours_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("gibswatch.catalogue.layers.load_catalogue", broken)
    ended = run("layers", "show", "x")
    assert ended.code == 1
    assert (
        ended.err == "gibswatch: internal error: ZeroDivisionError: of ours (--debug shows where)\n"
    )
    with pytest.raises(ZeroDivisionError):
        run("--debug", "layers", "show", "x")


def test_debug_shows_where_and_keeps_the_exit_code(run: Run) -> None:
    ended = run("--debug", "layers", "show", "nothing")
    assert ended.code == 2
    assert ended.err.startswith("Traceback")
    assert ended.err.splitlines()[-1].startswith("gibswatch: no layer 'nothing'")


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
