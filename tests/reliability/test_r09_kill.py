"""R9: kill -9 at random points, a full disk, two processes in one folder, a read-only folder.

Real processes: `gibswatch download` against a server in this one.  A point is never a time: it is
the n-th request, or the n-th step of work on the disk (`kill_at_step.py`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.archive import Journal, Layout
from gibswatch.catalogue import TileMatrix
from gibswatch.cli.main import main
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import ByteArray

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAYS = tuple(dt.date(2023, 8, day) for day in range(1, 7))
GRIDS = {
    "stitched": (),
    "native tiles": ("--grid", "native", "--tile-resolution", "8km", "--tiled-world"),
    "output tiles": ("--tiled-world",),
}
KILL_AT_STEP = Path(__file__).with_name("kill_at_step.py")
_DEADLINE_S = 60
_KILLS_A_FOLDER = 5


def draw(day: dt.date) -> ByteArray:
    """Draw a smooth globe without black, another one every day."""
    rows, cols = np.mgrid[0:128, 0:256] / 20.0
    waves = [np.sin(rows + day.day), np.cos(cols * day.day), np.sin(rows - cols)]
    return np.asarray(np.rint(130 + 60 * np.stack(waves, axis=2)), dtype=np.uint8)


class CountingSource:
    """Tiles of drawn days; `on_tile` is called with the number of every request."""

    def __init__(self, globe: GlobeSource) -> None:
        self._globe = globe
        self._lock = threading.Lock()
        self.asked = 0
        self.on_tile: Callable[[int], None] = lambda number: None

    def days(self) -> frozenset[dt.date]:
        return frozenset(self._globe.days())

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        with self._lock:
            self.asked += 1
            number = self.asked
        self.on_tile(number)
        return self._globe.tile(day, epsg, matrix, row, col)

    def reset(self, on_tile: Callable[[int], None] = lambda number: None) -> None:
        self.asked, self.on_tile = 0, on_tile


@dataclass
class Service:
    """The server, and real downloads from it."""

    server: EmbeddedServer
    source: CountingSource
    runner: subprocess.Popen[str]
    """Runs commands that can be killed (`kill_at_step.py`)."""
    folder: Path
    """Where the runner puts what it has to say."""

    def arguments(self, grid: str, root: Path) -> list[str]:
        return [
            "download", "--layer-name", LAYER, "--start", f"{DAYS[0]}", "--end", "2023-08-07",
            "--bbox", "-34", "-34", "34", "34", *GRIDS[grid], "--num-threads", "2",
            "--connections", "4", "--base-url", self.server.base_url, "--output-dir", str(root),
        ]  # fmt: skip

    @contextmanager
    def start(self, grid: str, root: Path) -> Iterator[subprocess.Popen[str]]:
        """Start the command anew; whatever is left of it at the end of the block is killed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "gibswatch.cli.main", *self.arguments(grid, root)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def run(self, grid: str, root: Path, *, step: int = 0, request: int = 0) -> tuple[int, str]:
        """Download, killed at a step or as a request arrives; exit code and standard error."""
        known = threading.Event()
        victim: list[int] = []

        def on_tile(number: int) -> None:
            if number == request and known.wait(_DEADLINE_S):
                os.kill(victim[0], signal.SIGKILL)

        self.source.reset(on_tile)
        err = self.folder / "err"
        asked = {
            "step": step, "folder": str(root), "steps_to": str(self.folder / "steps"),
            "err_to": str(err), "arguments": self.arguments(grid, root),
        }  # fmt: skip
        assert self.runner.stdin is not None
        assert self.runner.stdout is not None
        self.runner.stdin.write(json.dumps(asked) + "\n")
        self.runner.stdin.flush()
        victim.append(int(self.runner.stdout.readline()))
        known.set()
        return int(self.runner.stdout.readline()), err.read_text()

    @property
    def steps(self) -> int:
        """How many steps the last run took that was not killed."""
        return int((self.folder / "steps").read_text())


def environment() -> dict[str, str]:
    """Return the environment of a download that is not slowed down."""
    limits = ("RAMP_UP_S", "REQUESTS_PER_S", "BANDWIDTH_MBIT_S")
    return {**os.environ, **{f"GIBSWATCH_{name}": "0" for name in limits}}


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, remember: Callable[..., GlobeSource]
) -> Iterator[Service]:
    source = CountingSource(remember(draw, DAYS))
    layer = ServedLayer(LAYER, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({LAYER: (layer, source)})) as server:
        folder = tmp_path_factory.mktemp("runner")
        with subprocess.Popen(
            [sys.executable, str(KILL_AT_STEP)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=environment(),
        ) as runner:  # fmt: skip
            yield Service(server, source, runner, folder)


@dataclass(frozen=True)
class Undisturbed:
    """What a run leaves that nobody disturbs."""

    files: dict[str, str]
    journal: list[Any]
    requests: int
    steps: int


@pytest.fixture(scope="module")
def undisturbed(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Undisturbed]:
    known: dict[str, Undisturbed] = {}

    def get(grid: str) -> Undisturbed:
        if grid not in known:
            root = tmp_path_factory.mktemp("undisturbed") / "data"
            assert service.run(grid, root)[0] == 0
            steps = service.steps
            known[grid] = Undisturbed(tree(root), journal(root), service.source.asked, steps)
            assert service.source.asked >= 6 * len(DAYS)
            assert steps > 50
        return known[grid]

    return get


def tree(root: Path) -> dict[str, str]:
    """Hash of every file, but for the journal, the lock and what a kill left half written."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not re.search(r"\.sqlite(-journal|-wal|-shm)?$|\.lock$", path.name)
        and not any(part.startswith(".part-") for part in path.parts)
    }


def journal(root: Path) -> list[Any]:
    """Everything that the journal says, but for the times."""
    with Journal(Layout(root, LAYER, 4326).journal) as opened:
        said: list[Any] = [opened.grid]
        for day, record in opened.days().items():
            said.append((day, record.complete, record.picture, dict(record.tiles), record.files))
            said.extend(
                (t.tile, t.state, t.url, t.status, dict(t.headers), t.length, t.sha256, t.message)
                for t in opened.tiles(day)
            )
    return said


def finished(root: Path) -> set[dt.date]:
    """Days that the journal calls whole."""
    path = Layout(root, LAYER, 4326).journal
    if not path.exists():
        return set()
    with Journal(path) as opened:
        return {day for day, record in opened.days().items() if record.complete}


def draw_point(draw: random.Random, root: Path, whole: Undisturbed) -> dict[str, int]:
    """Draw a step or a request among about as many as are left to do."""
    kind, count = draw.choice([("step", whole.steps), ("request", whole.requests)])
    left = 1 - len(finished(root)) / len(DAYS)
    return {kind: draw.randint(1, max(1, round(left * count)))}


def kill_until_done(
    service: Service, grid: str, root: Path, draw: random.Random, whole: Undisturbed
) -> int:
    """Kill up to five downloads in one folder, then let one end; returns the kills."""
    for kills in range(_KILLS_A_FOLDER + 1):
        point = draw_point(draw, root, whole) if kills < _KILLS_A_FOLDER else {}
        ended, err = service.run(grid, root, **point)
        assert tree(root).items() <= whole.files.items(), "a file that is not whole"
        for day in finished(root):
            names = {name for name in whole.files if f"/{day}/" in name}
            assert names <= tree(root).keys(), "a day seen as done that is not"
        if ended == 0:
            break
        assert point, "the last run was killed by nobody"
        assert (ended, err) == (-signal.SIGKILL, "")
    service.source.reset()
    assert main(service.arguments(grid, root)) == 0
    assert service.source.asked == 0, "what is there is asked again"
    assert tree(root) == whole.files
    assert journal(root) == whole.journal
    return kills


def check_kills(service: Service, grid: str, base: Path, whole: Undisturbed, wanted: int) -> None:
    draw = random.Random(f"{grid} {wanted}")
    kills = 0
    for number in range(wanted):
        kills += kill_until_done(service, grid, base / f"archive-{number}", draw, whole)
        if kills >= wanted:
            return
    raise AssertionError(f"only {kills} kills")


@pytest.mark.parametrize("grid", ["stitched", "native tiles"])
def test_r9_kill_at_random_points(
    service: Service, tmp_path: Path, undisturbed: Callable[[str], Undisturbed], grid: str
) -> None:
    check_kills(service, grid, tmp_path, undisturbed(grid), 10)


@pytest.mark.slow
@pytest.mark.parametrize("grid", list(GRIDS))
def test_r9_kill_at_many_random_points(
    service: Service, tmp_path: Path, undisturbed: Callable[[str], Undisturbed], grid: str
) -> None:
    check_kills(service, grid, tmp_path, undisturbed(grid), 60)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a file system in memory on a folder; skips where that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "gibswatch-test", str(folder)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if made.returncode != 0:
        pytest.skip(f"no right to mount: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("grid", ["stitched", "native tiles"])
def test_r9_disk_full(
    service: Service, tmp_path: Path, undisturbed: Callable[[str], Undisturbed], grid: str
) -> None:
    whole, disk = undisturbed(grid), tmp_path / "disk"
    with mounted(disk, "size=400k"):
        code, err = service.run(grid, disk / "data")
        assert code == 2
        assert "no space left" in err or "cannot be written" in err
        assert len(err.splitlines()) == 1
        assert tree(disk / "data").items() <= whole.files.items()
        assert not list(disk.rglob(".part-*"))
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        assert service.run(grid, disk / "data") == (0, "")
        assert tree(disk / "data") == whole.files
        assert journal(disk / "data") == whole.journal


def test_r9_read_only_folder(service: Service, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "ro"):
        code, err = service.run("stitched", tmp_path / "disk" / "data")
    assert code == 2
    assert "no right to write" in err
    assert "name another folder" in err
    assert len(err.splitlines()) == 1
    assert service.source.asked == 0


def test_r9_two_processes_in_one_folder(
    service: Service, tmp_path: Path, undisturbed: Callable[[str], Undisturbed]
) -> None:
    whole, root = undisturbed("stitched"), tmp_path / "data"
    reached, go_on = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        reached.set()
        assert go_on.wait(_DEADLINE_S)

    service.source.reset(hold)
    try:
        with service.start("stitched", root) as first:
            assert reached.wait(_DEADLINE_S)
            asked = service.source.asked
            with service.start("stitched", root) as second:
                _, err = second.communicate(timeout=_DEADLINE_S)
            assert second.returncode == 2
            assert str(first.pid) in err
            assert "download" in err
            assert len(err.splitlines()) == 1
            assert service.source.asked <= max(asked, 4)
            go_on.set()
            first.communicate(timeout=_DEADLINE_S)
    finally:
        go_on.set()
    assert first.returncode == 0
    assert tree(root) == whole.files
    assert journal(root) == whole.journal
    # The lock dies with its process: nobody has to remove a file.
    assert service.run("stitched", root)[0] == 0
