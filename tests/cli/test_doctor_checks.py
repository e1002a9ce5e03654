"""Disk, compiled kernels and settings, each where it is well and where it is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gibswatch
from gibswatch.cli.doctor_checks import (
    WANTED_BYTES,
    Check,
    check_disk,
    check_kernels,
    check_service,
    check_settings,
    exit_code_of,
)
from gibswatch.settings import Settings


def test_a_folder_that_is_there(tmp_path: Path) -> None:
    check = check_disk(tmp_path, wanted_bytes=1)
    assert (check.mark, check.exit_code) == ("ok", 0)
    assert check.facts["free_bytes"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    check = check_disk(tmp_path / "a" / "b", wanted_bytes=1)
    assert check.mark == "ok"
    assert f"would be made in {tmp_path}" in check.text
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    check = check_disk(tmp_path, wanted_bytes=10**18)
    assert (check.mark, check.exit_code) == ("problem", 2)
    assert "are wanted: a day of one layer takes" in check.text
    assert "--output-dir" in check.advice
    assert 10**8 < WANTED_BYTES < 10**10


@pytest.mark.parametrize("name", ["file", "file/under", "link"])
def test_something_else_is_in_its_place(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    check = check_disk(tmp_path / name)
    assert (check.mark, check.exit_code) == ("problem", 2)
    assert "cannot be written" in check.text
    assert "name another folder" in check.text


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_no_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    check = check_disk(tmp_path / "data")
    tmp_path.chmod(0o700)
    assert (check.mark, check.exit_code) == ("problem", 2)
    assert "no right to write" in check.text


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_where_nobody_may_write() -> None:
    check = check_disk(Path("/proc/data"))
    assert (check.mark, check.exit_code) == ("problem", 2)
    assert "name another folder" in check.text


def test_kernels_are_kept() -> None:
    check = check_kernels()
    assert (check.mark, check.exit_code) == ("ok", 0)
    assert Path(check.facts["folder"]).is_dir()


def kernels_in_a_child(**variables: str) -> dict[str, Any]:
    """Check in a process of its own: numba reads its variables once."""
    code = (
        "import dataclasses, json\nfrom gibswatch.cli.doctor_checks import check_kernels\n"
        "print(json.dumps(dataclasses.asdict(check_kernels())))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | variables,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_kernels_that_numba_is_told_not_to_make() -> None:
    check = kernels_in_a_child(NUMBA_DISABLE_JIT="1")
    assert (check["mark"], check["exit_code"]) == ("problem", 0)
    assert "NUMBA_DISABLE_JIT" in check["advice"]


def test_kernels_that_no_folder_takes(tmp_path: Path) -> None:
    source = Path(gibswatch.__file__).parent
    copy = tmp_path / "gibswatch"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    taken = copy / "raster" / "__pycache__"
    taken.write_text("a file where the folder would be")
    check = kernels_in_a_child(PYTHONPATH=str(tmp_path), XDG_CACHE_HOME=str(taken))
    assert (check["mark"], check["exit_code"]) == ("problem", 0)
    assert "NUMBA_CACHE_DIR" in check["advice"]


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBSWATCH_CONNECTIONS", "8")
    check, settings = check_settings("http://127.0.0.1:9", None)
    assert check.mark == "ok"
    assert "GIBSWATCH_CONNECTIONS" in check.text
    assert settings is not None
    assert (settings.base_url, settings.connections) == ("http://127.0.0.1:9", 8)


def test_settings_that_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBSWATCH_CONNECTIONS", "many")
    check, settings = check_settings(None, None)
    assert (check.mark, check.exit_code) == ("problem", 2)
    assert "GIBSWATCH_CONNECTIONS='many' is not a number: set it to one" in check.text
    assert settings is None


def test_a_file_of_authorities_that_is_none(tmp_path: Path) -> None:
    missing = str(tmp_path / "no.pem")
    check = check_service(Settings(base_url="https://127.0.0.1:9", ca_bundle=missing))
    assert (check.mark, check.exit_code) == ("problem", 2)
    assert "--ca-bundle" in check.text
    assert missing in check.text


def test_what_has_to_be_changed_here_goes_before_the_service() -> None:
    def ends(code: int) -> Check:
        return Check("disk", "a", "ok", "b", exit_code=code)

    assert exit_code_of([ends(0)]) == 0
    assert exit_code_of([ends(0), ends(5)]) == 5
    assert exit_code_of([ends(5), ends(2)]) == 2
    assert exit_code_of([]) == 0


def test_a_line_is_one_line() -> None:
    check = Check("disk", "a", "problem", "two\nlines\x1b[31m \udcff", "mend it")
    assert check.line == "problem  a: two lines.[31m .: mend it"
