"""Tests of the command line as a whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

_HEAVY = (
    *("torch", "sklearn", "geopandas", "pandas", "numba", "matplotlib", "distributed", "scipy"),
    *("numpy", "aiohttp", "rasterio", "starlette", "lxml", "owslib", "platformdirs"),
)


def test_version(run: Run) -> None:
    ended = run("--version")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("gibswatch ")


@pytest.mark.parametrize("arguments", [(), ("layers",), ("simulate",)])
def test_nothing_asked_shows_the_help(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert "Usage" in ended.out + ended.err
    assert "gibswatch:" not in ended.err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom gibswatch.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit(', '.join(m for m in {_HEAVY!r} if m in sys.modules) or None)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "download" in ended.stdout


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m gibswatch.cli.main layers list | head -1"
    ended = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.stderr == ""
    assert len(ended.stdout.splitlines()) == 1


def test_a_renamed_layer_is_one_line_of_warning(run: Run) -> None:
    ended = run("layers", "show", "MODIS_Fires_All", "--json")
    assert ended.code == 0
    assert len(ended.err.splitlines()) == 1
    assert "MODIS_Combined_Thermal_Anomalies_All" in ended.err
    assert "/" not in ended.err.split("warning:")[0]


def test_a_closed_output_is_no_internal_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m gibswatch.cli.main layers list >&-"
    ended = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_output_is_said_in_one_line(tmp_path: Path) -> None:
    line = f"{sys.executable} -m gibswatch.cli.main layers list --json > /dev/full"
    ended = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("gibswatch: no space left for the output")
    assert len(ended.stderr.splitlines()) == 1
