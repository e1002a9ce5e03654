"""Ctrl-C in the middle of a real process: one line, exit code 130, and the next run goes on."""

from __future__ import annotations

import datetime as dt
import hashlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gibswatch.catalogue import TileMatrix
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_STUCK_DAY = dt.date(2023, 8, 6)


class _StuckSource:
    """Serves drawn days, but holds one day's tiles back until it is told to go on."""

    def __init__(self, drawn: DrawnDays) -> None:
        self._globes = GlobeSource(drawn.globe, drawn.dates, "jpg")
        self.reached, self.go_on = threading.Event(), threading.Event()

    def days(self) -> frozenset[dt.date]:
        return self._globes.days()

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        if day == _STUCK_DAY:
            self.reached.set()
            assert self.go_on.wait(60)
        return self._globes.tile(day, epsg, matrix, row, col)


@pytest.fixture
def stuck(drawn: DrawnDays) -> Iterator[tuple[_StuckSource, EmbeddedServer]]:
    source = _StuckSource(drawn)
    served = ServedLayer(_LAYER, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({_LAYER: (served, source)})) as server:
        yield source, server
        source.go_on.set()


def test_ctrl_c_keeps_what_is_finished_and_the_next_run_goes_on(
    tmp_path: Path, stuck: tuple[_StuckSource, EmbeddedServer], run: Callable[..., Any]
) -> None:
    source, server = stuck
    folder = tmp_path / "data"
    command = (
        "download", "--layer-name", _LAYER, "--start", "2023-08-01", "--end", "2023-08-11",
        "--bbox", "-36", "-36", "36", "36", "--num-threads", "1", "--base-url", server.base_url,
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "gibswatch.cli.main", *command, "--output-dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert source.reached.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.startswith("gibswatch: stopped; what was finished is kept")
    assert len(err.splitlines()) == 1
    assert not list(folder.rglob(".part-*"))
    finished = {path.parent.name for path in folder.rglob(f"{_LAYER}.jpg")}
    assert finished == {f"2023-08-0{n}" for n in range(1, 6)}

    source.go_on.set()
    server.requests.clear()
    assert run(*command, "--output-dir", folder).code == 0
    asked = {record.path.split("/")[6] for record in server.requests}
    assert "2023-08-01" not in asked
    assert str(_STUCK_DAY) in asked
    assert run(*command, "--output-dir", tmp_path / "undisturbed").code == 0
    assert _hashes(folder) == _hashes(tmp_path / "undisturbed")


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_ctrl_c_while_the_packages_are_loaded_is_one_line_too() -> None:
    code = (
        "import sys\n"
        "from gibswatch.cli.entry import run\n"
        "class Stopped:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stopped())\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "gibswatch: stopped; what was finished is kept\n"
