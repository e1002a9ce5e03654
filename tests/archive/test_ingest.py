"""Days into the archive, over real HTTP on the loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import functools
import hashlib
import io
import logging
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from gibswatch.archive import DayOutcome, DownloadSummary, Journal, Layout, download_days
from gibswatch.archive.ingest.in_flight import as_they_end
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.catalogue import find_layer
from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set
from gibswatch.catalogue.windows import Grid, TileIndex, plan_grid
from gibswatch.errors import (
    ArchiveError,
    GridMismatchError,
    OutputError,
    ServerUnreachableError,
    UnknownGridError,
)
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.simulate.server.exceptions import OwsError, OwsFault
from gibswatch.types import BBox, ByteArray

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
DAYS = tuple(dt.date(2023, 8, day) for day in (5, 6, 7))
DAY = DAYS[0]
Fault: TypeAlias = Literal["absent", "corrupt", "failed"]


def draw(day: dt.date) -> ByteArray:
    """Draw a smooth globe without black, another one every day."""
    rows, cols = np.mgrid[0:128, 0:256] / 20.0
    waves = [np.sin(rows + day.day), np.cos(cols * day.day), np.sin(rows - cols)]
    return np.asarray(np.rint(130 + 60 * np.stack(waves, axis=2)), dtype=np.uint8)


@dataclass
class FaultySource:
    """Tiles of a drawn globe, but for those that have a fault."""

    globe: GlobeSource
    faults: dict[tuple[dt.date, TileIndex], Fault] = field(default_factory=dict)

    def days(self) -> Collection[dt.date]:
        return self.globe.days()

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        body = self.globe.tile(day, epsg, matrix, row, col)
        match self.faults.get((day, TileIndex(row, col))):
            case "absent":
                text = "The requested TIME does not exist for this layer"
                raise OwsError([OwsFault("InvalidParameterValue", "TIME", text)])
            case "failed":
                raise RuntimeError("asked to fail")
            case "corrupt":
                return (body or b"")[:-100]
        return body

    def served(self, day: dt.date, level: int, tile: TileIndex) -> bytes:
        """Return the bytes that a healthy server gives."""
        matrix = tile_matrix_set(4326, "250m").matrix(level)
        body = self.globe.tile(day, 4326, matrix, tile.row, tile.col)
        assert body is not None
        return body


@dataclass
class Service:
    """The server, what it serves, and downloads from it."""

    server: EmbeddedServer
    source: FaultySource

    @property
    def settings(self) -> Settings:
        return Settings(
            base_url=self.server.base_url,
            attempts=1,
            connections=8,
            bandwidth_mbit_s=0,
            requests_per_s=0,
            ramp_up_s=0,
        )

    def download(
        self,
        root: Path,
        grid: Grid,
        days: tuple[dt.date, ...] = DAYS,
        *,
        on_day: Callable[[DayOutcome], None] | None = None,
        dates_in_flight: int = 2,
    ) -> DownloadSummary:
        settings = replace(self.settings, dates_in_flight=dates_in_flight)
        return download_days(root, LAYER, grid, days, settings, on_day=on_day)

    def asked(self) -> list[str]:
        """Return the paths asked for since the last time, without their beginning."""
        paths = [record.path.partition("/default/")[2] for record in self.server.requests]
        self.server.requests.clear()
        return sorted(paths)


@pytest.fixture(scope="session")
def _service(remember: Callable[..., GlobeSource]) -> Iterator[Service]:
    source = FaultySource(remember(draw, DAYS))
    layer = ServedLayer(LAYER.identifier, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({LAYER.identifier: (layer, source)})) as server:
        yield Service(server, source)


@pytest.fixture
def service(_service: Service) -> Service:
    """Give the one server, healthy and with an empty list of requests."""
    _service.source.faults.clear()
    _service.server.requests.clear()
    return _service


@pytest.fixture(params=["stitched", "tiles", "native stitched", "native tiles"])
def any_grid(request: pytest.FixtureRequest) -> Grid:
    """Give one of the four forms of a folder; each takes four or nine tiles a day."""
    return make_grid(request.param)


def make_grid(form: str) -> Grid:
    kind: Literal["native", "predecessor"] = "native" if "native" in form else "predecessor"
    return Grid(kind, 4326, "16km", bbox=BBox(2, 2, 70, 52), tiled="tiles" in form)


def tree(root: Path) -> dict[str, str]:
    """Hash of every file by its path, but for the journal's folder, which holds times."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != ".gibswatch"
    }


def folder(root: Path, day: dt.date = DAY) -> Path:
    return root / "4326" / day.isoformat()


def known_states(root: Path, day: dt.date = DAY) -> list[str]:
    with Journal(Layout(root, LAYER.identifier, 4326).journal) as journal:
        return [record.state for record in journal.tiles(day)]


def test_one_picture_a_day(service: Service, tmp_path: Path) -> None:
    outcomes: list[DayOutcome] = []
    summary = service.download(tmp_path, make_grid("stitched"), on_day=outcomes.append)
    assert (summary.days, summary.days_complete, summary.days_incomplete) == (3, 3, 0)
    assert (summary.fetched, dict(summary.tiles), summary.problems) == (12, {"ok": 12}, [])
    assert sorted(outcome.date for outcome in outcomes) == list(DAYS)
    assert all(outcome.complete for outcome in outcomes)
    assert sum(outcome.received_bytes for outcome in outcomes) == summary.received_bytes > 0
    name = LAYER.identifier
    for day in DAYS:
        files = sorted(path.name for path in folder(tmp_path, day).iterdir())
        assert files == [f"{name}.jpg", f"{name}.wld"]
        pixels = simplejpeg.decode_jpeg((folder(tmp_path, day) / f"{name}.jpg").read_bytes())
        assert pixels.shape == (570, 775, 3)
        assert pixels.min() > 40
    with Journal(Layout(tmp_path, name, 4326).journal) as journal:
        record = journal.day(DAY)
        assert record is not None
        assert (record.complete, record.picture) == (True, f"4326/{DAY}/{name}.jpg")
        [first, *_] = journal.tiles(DAY)
    assert first.status == 200
    assert first.headers["Layer-Time-Actual"] == "2023-08-05T00:00:00Z"
    assert first.url.startswith(service.server.base_url)


def test_native_tiles_are_kept_byte_for_byte(service: Service, tmp_path: Path) -> None:
    service.download(tmp_path, make_grid("native tiles"))
    found = sorted(path for path in tmp_path.rglob("*.jpg"))
    assert len(found) == 12
    for day in DAYS:
        for tile in (TileIndex(row, col) for row in (0, 1) for col in (2, 3)):
            name = f"{LAYER.identifier}_Tile_{tile.col}-{tile.row}.jpg"
            data = (folder(tmp_path, day) / "tiles/250m-2" / name).read_bytes()
            assert data == service.source.served(day, 2, tile)
    with Journal(Layout(tmp_path, LAYER.identifier, 4326).journal) as journal:
        [record, *_] = journal.tiles(DAY)
    body = service.source.served(DAY, 2, record.tile)
    assert (record.length, record.sha256) == (len(body), hashlib.sha256(body).hexdigest())


def test_native_picture(service: Service, tmp_path: Path) -> None:
    service.download(tmp_path, make_grid("native stitched"), DAYS[:1])
    data = (folder(tmp_path) / f"{LAYER.identifier}.jpg").read_bytes()
    assert simplejpeg.decode_jpeg(data).shape == (356, 484, 3)


def test_predecessor_tiles(service: Service, tmp_path: Path) -> None:
    service.download(tmp_path, make_grid("tiles"), DAYS[:1])
    tiles = sorted((folder(tmp_path) / "tiles").iterdir())
    names = [f"{LAYER.identifier}_Tile_{col}-{row}.jpg" for col in (4, 5) for row in (0, 1)]
    assert [path.name for path in tiles] == names
    for path in tiles:
        assert simplejpeg.decode_jpeg(path.read_bytes()).shape == (512, 512, 3)


def test_a_second_run_asks_for_nothing(service: Service, tmp_path: Path, any_grid: Grid) -> None:
    first = service.download(tmp_path, any_grid)
    before = tree(tmp_path)
    assert len(service.asked()) == first.fetched
    told: list[DayOutcome] = []
    second = service.download(tmp_path, any_grid, on_day=told.append)
    assert service.asked() == []
    assert (second.days, second.days_kept, second.fetched, told) == (3, 3, 0, [])
    assert tree(tmp_path) == before


def test_a_deleted_file_is_asked_again(service: Service, tmp_path: Path, any_grid: Grid) -> None:
    service.download(tmp_path, any_grid)
    before = tree(tmp_path)
    service.asked()
    next(folder(tmp_path).rglob("*.jpg")).unlink()
    summary = service.download(tmp_path, any_grid)
    asked = service.asked()
    assert tree(tmp_path) == before
    assert (summary.days_kept, summary.days_complete) == (2, 1)
    assert all(path.startswith(str(DAY)) for path in asked)
    if any_grid.kind == "native" and any_grid.tiled:
        assert len(asked) == summary.fetched == 1


@pytest.mark.parametrize("fault", ["absent", "failed", "corrupt"])
def test_only_the_tile_that_failed_is_asked_again(
    service: Service, tmp_path: Path, fault: Fault
) -> None:
    bad = TileIndex(1, 3)
    service.source.faults[DAY, bad] = fault
    grid = make_grid("native tiles")
    first = service.download(tmp_path, grid)
    assert (first.days_complete, first.days_incomplete) == (2, 1)
    assert dict(first.tiles) == {"ok": 11, fault: 1}
    [(url, state, message)] = first.problems
    assert url.endswith(f"/default/{DAY}/250m/2/1/3.jpg")
    assert state == fault
    assert message
    assert known_states(tmp_path) == ["ok", "ok", "ok", fault]
    service.asked()
    again = service.download(tmp_path, grid)
    # What the service did not have is asked for once more at the end of the run.
    assert service.asked() == [f"{DAY}/250m/2/1/3.jpg"] * (2 if fault == "absent" else 1)
    assert dict(again.tiles) == {"ok": 3, fault: 1}
    service.source.faults.clear()
    healed = service.download(tmp_path, grid)
    assert service.asked() == [f"{DAY}/250m/2/1/3.jpg"]
    assert (healed.days_kept, healed.days_complete, healed.fetched) == (2, 1, 1)
    assert known_states(tmp_path) == ["ok"] * 4
    service.download(tmp_path, grid)
    assert service.asked() == []


def test_a_day_that_is_not_whole(service: Service, tmp_path: Path) -> None:
    service.source.faults[DAY, TileIndex(1, 5)] = "absent"
    grid, name = make_grid("stitched"), LAYER.identifier
    service.download(tmp_path, grid)
    files = sorted(path.name for path in folder(tmp_path).iterdir())
    assert files == [f"{name}.partial.jpg", f"{name}.wld"]
    partial = simplejpeg.decode_jpeg((folder(tmp_path) / files[0]).read_bytes())
    assert partial[:380, :380].max() < 20
    assert partial[400:].min() > 40
    assert sorted(known_states(tmp_path)) == ["absent", "ok", "ok", "ok"]
    service.asked()
    service.source.faults.clear()
    summary = service.download(tmp_path, grid)
    assert len(service.asked()) == summary.fetched == 4
    files = sorted(path.name for path in folder(tmp_path).iterdir())
    assert files == [f"{name}.jpg", f"{name}.wld"]
    assert known_states(tmp_path) == ["ok"] * 4


def test_output_tiles_of_a_day_that_is_not_whole(service: Service, tmp_path: Path) -> None:
    service.source.faults[DAY, TileIndex(0, 5)] = "corrupt"
    grid = make_grid("tiles")
    service.download(tmp_path, grid, DAYS[:1])
    names = {path.name.rpartition("_")[2] for path in (folder(tmp_path) / "tiles").iterdir()}
    assert names == {"4-1.jpg", "5-0.jpg", "5-1.jpg"}
    service.source.faults.clear()
    service.download(tmp_path, grid, DAYS[:1])
    whole = tmp_path / "undisturbed"
    service.download(whole, grid, DAYS[:1])
    assert (
        tree(whole).items()
        <= {
            path.removeprefix("undisturbed/"): value for path, value in tree(tmp_path).items()
        }.items()
    )
    assert len(list((folder(tmp_path) / "tiles").iterdir())) == 4


class CrashError(Exception):
    """Stands for anything that may go wrong."""


def crash_at(monkeypatch: pytest.MonkeyPatch, target: str, call: int) -> None:
    """Let the `call`-th call of `target` (counted from 0) raise before it does anything."""
    owner, _, name = target.rpartition(".")
    module = {"Journal": Journal, "PictureStore": PictureStore}.get(owner)
    real = getattr(module, name) if module else _resolve(target)
    calls = iter(range(10_000))

    def sometimes(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            raise CrashError(target)
        return real(*args, **options)

    if module:
        monkeypatch.setattr(module, name, sometimes)
    else:
        monkeypatch.setattr(target, sometimes)


def _resolve(target: str) -> Any:
    return pytest.importorskip(target.rpartition(".")[0]).__dict__[target.rpartition(".")[2]]


CRASHES = [
    ("gibswatch.files.atomic_path", 1),
    ("gibswatch.files.atomic_path", 4),
    ("gibswatch.files._flush_to_disk", 1),
    ("gibswatch.files._flush_to_disk", 2),
    ("Journal.record_day", 0),
    ("Journal.record_day", 1),
    ("Journal.forget_day", 1),
    ("gibswatch.archive.ingest.day_job._record", 2),
]


@pytest.fixture(scope="module")
def undisturbed(
    _service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, str]]:
    """Give the files of two days that nothing disturbed."""

    @functools.cache
    def download(form: str) -> dict[str, str]:
        root = tmp_path_factory.mktemp("whole")
        _service.download(root, make_grid(form), DAYS[:2])
        return tree(root)

    return download


@pytest.mark.parametrize("crash", CRASHES, ids=str)
@pytest.mark.parametrize("form", ["stitched", "native tiles", "tiles"])
def test_a_crash_leaves_nothing_half_written(
    service: Service,
    undisturbed: Callable[[str], dict[str, str]],
    tmp_path: Path,
    form: str,
    crash: tuple[str, int],
) -> None:
    target, call = crash
    grid, days = make_grid(form), DAYS[:2]
    with pytest.MonkeyPatch.context() as monkeypatch:
        crash_at(monkeypatch, target, call)
        if form == "native tiles" and target == "Journal.forget_day":
            service.download(tmp_path, grid, days)
        else:
            with pytest.raises(CrashError):
                service.download(tmp_path, grid, days)
    assert list(tmp_path.rglob(".part-*")) == []
    summary = service.download(tmp_path, grid, days)
    assert summary.days_kept + summary.days_complete == 2
    assert tree(tmp_path) == undisturbed(form)


@pytest.mark.parametrize("target", [*dict.fromkeys(target for target, _ in CRASHES), "nothing"])
def test_a_crash_never_makes_a_lost_tile_look_good(
    service: Service, tmp_path: Path, target: str
) -> None:
    """Another tile is lost in the second run than in the first, and the second run crashes."""
    grid = make_grid("stitched")
    service.source.faults[DAY, TileIndex(1, 5)] = "absent"
    service.download(tmp_path, grid, DAYS[:1])
    service.source.faults.clear()
    service.source.faults[DAY, TileIndex(2, 6)] = "absent"
    with pytest.MonkeyPatch.context() as monkeypatch:
        if target != "nothing":
            crash_at(monkeypatch, target, 0)
            with pytest.raises(CrashError):
                service.download(tmp_path, grid, DAYS[:1])
        else:
            service.download(tmp_path, grid, DAYS[:1])
    layout = Layout(tmp_path, LAYER.identifier, 4326)
    with Journal(layout.journal) as journal:
        record, tiles = journal.day(DAY), journal.tiles(DAY)
    if record is None:
        assert tiles == []
        return
    store = PictureStore(layout, plan_grid(grid, "250m"), "jpg")
    scene = store.read(record, tiles)
    assert scene.pixels[scene.usable].max(axis=1).min() > 8
    assert not scene.usable.all()


def test_a_long_day_is_not_written_down_before_its_picture(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gibswatch.archive.ingest.day_job._JOURNAL_BATCH", 2)
    grid = make_grid("stitched")
    service.source.faults[DAY, TileIndex(1, 5)] = "absent"
    service.download(tmp_path, grid, DAYS[:1])
    service.source.faults.clear()
    with pytest.MonkeyPatch.context() as patch:
        crash_at(patch, "gibswatch.archive.ingest.day_job._record", 3)
        with pytest.raises(CrashError):
            service.download(tmp_path, grid, DAYS[:1])
    assert sorted(known_states(tmp_path)) == ["absent", "ok", "ok", "ok"]


def test_tiles_of_a_long_day_are_written_down_on_the_way(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gibswatch.archive.ingest.day_job._JOURNAL_BATCH", 2)
    grid = make_grid("native tiles")
    with pytest.MonkeyPatch.context() as patch:
        crash_at(patch, "gibswatch.archive.ingest.day_job._record", 3)
        with pytest.raises(CrashError):
            service.download(tmp_path, grid, DAYS[:1])
    assert known_states(tmp_path) == ["ok", "ok"]
    service.asked()
    service.download(tmp_path, grid, DAYS[:1])
    assert len(service.asked()) == 2


def interrupt_by_exception(_outcome: DayOutcome) -> None:
    raise KeyboardInterrupt


def interrupt_by_signal(_outcome: DayOutcome) -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("interrupt", [interrupt_by_exception, interrupt_by_signal])
@pytest.mark.parametrize("in_flight", [1, 3])
def test_ctrl_c_and_again(
    service: Service,
    tmp_path: Path,
    any_grid: Grid,
    interrupt: Callable[[DayOutcome], None],
    in_flight: int,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        service.download(tmp_path, any_grid, on_day=interrupt, dates_in_flight=in_flight)
    assert list(tmp_path.rglob(".part-*")) == []
    with Journal(Layout(tmp_path, LAYER.identifier, 4326).journal) as journal:
        done = [day for day, record in journal.days().items() if record.complete]
    assert len(done) >= 1
    summary = service.download(tmp_path, any_grid)
    assert summary.days_kept == len(done)
    assert summary.days_complete == 3 - len(done)


def test_an_error_of_the_caller_comes_back_as_it_is(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_outcome: DayOutcome) -> None:
        raise CrashError

    threads = threading.active_count()
    with caplog.at_level(logging.WARNING, "asyncio"), pytest.raises(CrashError):
        service.download(tmp_path, make_grid("stitched"), on_day=refuse)
    assert [record for record in caplog.records if record.name == "asyncio"] == []
    assert threading.active_count() <= threads + 8  # the server's own


def test_nothing_there(service: Service, tmp_path: Path, any_grid: Grid) -> None:
    days = (dt.date(2023, 9, 1), dt.date(2023, 9, 2))
    summary = service.download(tmp_path, any_grid, days)
    assert summary.nothing_came
    assert summary.days_incomplete == 2
    assert summary.first_problem.startswith("absent: http://")
    assert summary.first_problem.endswith("(HTTP 404)")
    later = service.download(tmp_path, any_grid, (DAY, *days))
    assert later.days_complete == 1
    assert not later.nothing_came


def test_no_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = Settings(base_url=f"http://127.0.0.1:{port}")
    grid = replace(make_grid("stitched"), bbox=None)
    with caplog.at_level(logging.WARNING, "asyncio"), pytest.raises(ServerUnreachableError):
        download_days(tmp_path, LAYER, grid, DAYS, settings)
    assert [record for record in caplog.records if record.name == "asyncio"] == []
    assert tree(tmp_path) == {}


def test_an_unreachable_server_leaves_the_grid_open(service: Service, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = Settings(base_url=f"http://127.0.0.1:{port}")
    grid = replace(make_grid("stitched"), bbox=None)
    with pytest.raises(ServerUnreachableError):
        download_days(tmp_path, LAYER, grid, DAYS, settings)
    assert service.download(tmp_path, make_grid("native tiles")).days_complete == 3


def test_a_file_in_place_of_the_folder(service: Service, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    for root in (tmp_path / "data", tmp_path / "data" / "deeper"):
        with pytest.raises(OutputError, match="name another folder"):
            service.download(root, make_grid("stitched"))
    assert service.asked() == []


def test_a_file_in_place_of_a_day(service: Service, tmp_path: Path, any_grid: Grid) -> None:
    folder(tmp_path).parent.mkdir()
    folder(tmp_path).write_text("a file")
    with pytest.raises(OutputError, match="something else stands there"):
        service.download(tmp_path, any_grid)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EACCES, "no right to write"),
        (errno.EROFS, "no right to write"),
    ],
)
def test_a_disk_that_refuses(
    service: Service, tmp_path: Path, any_grid: Grid, number: int, says: str
) -> None:
    calls = iter(range(10_000))

    def refuse(path: Path) -> None:
        if next(calls) >= 2:
            raise OSError(number, "refused", str(path))

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("gibswatch.files._flush_to_disk", refuse)
        with pytest.raises(OutputError, match=says) as caught:
            service.download(tmp_path, any_grid)
    assert caught.value.exit_code == 2
    assert list(tmp_path.rglob(".part-*")) == []
    assert service.download(tmp_path, any_grid).days_incomplete == 0


def test_a_full_disk_while_a_file_is_removed(service: Service, tmp_path: Path) -> None:
    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if not path.name.startswith(".part-"):
            raise OSError(errno.EACCES, "refused", str(path))

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Path, "unlink", refuse)
        with pytest.raises(OutputError, match="no right"):
            service.download(tmp_path, make_grid("stitched"), DAYS[:1])


def test_a_damaged_journal(service: Service, tmp_path: Path) -> None:
    journal = Layout(tmp_path, LAYER.identifier, 4326).journal
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"something else" * 100)
    with pytest.raises(ArchiveError, match="damaged"):
        service.download(tmp_path, make_grid("stitched"))
    assert service.asked() == []


def test_another_grid_in_the_folder(service: Service, tmp_path: Path) -> None:
    held, asked = make_grid("stitched"), make_grid("native tiles")
    service.download(tmp_path, held)
    before = tree(tmp_path)
    service.asked()
    with pytest.raises(GridMismatchError) as caught:
        service.download(tmp_path, asked)
    assert str(held) in str(caught.value)
    assert service.asked() == []
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        (Grid("predecessor", 4326, "1km"), "65536x32768 pixels is more than a JPEG can hold"),
        (Grid("native", 4326, "250m"), "more than a JPEG can hold"),
        (Grid("predecessor", 4326, "16km", tiled=True, tile_level=8), "GiB of memory"),
    ],
)
def test_too_large_is_refused_at_once(
    service: Service, tmp_path: Path, grid: Grid, says: str
) -> None:
    with pytest.raises(UnknownGridError, match=says) as caught:
        service.download(tmp_path, grid)
    assert "--bbox" in str(caught.value)
    assert service.asked() == []
    assert list(tmp_path.iterdir()) == []
    assert service.download(tmp_path, make_grid("stitched")).days_complete == 3


def test_a_day_asked_for_by_no_one(service: Service, tmp_path: Path) -> None:
    summary = service.download(tmp_path, make_grid("stitched"), ())
    assert (summary.days, summary.fetched) == (0, 0)
    assert service.asked() == []


def test_a_window_of_jobs_is_bounded_and_ends_with_its_reader() -> None:
    running, most, cancelled = 0, 0, 0

    async def job(number: int) -> int:
        nonlocal running, most, cancelled
        running += 1
        most = max(most, running)
        try:
            for _ in range(3 + number % 4):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            cancelled += 1
            raise
        finally:
            running -= 1
        return number

    async def run() -> None:
        numbers = [number async for number in as_they_end(map(job, range(40)), 5)]
        assert sorted(numbers) == list(range(40))
        results = as_they_end(map(job, range(40)), 5)
        await anext(results)
        await results.aclose()
        assert running == 0

    asyncio.run(run())
    assert most == 5
    assert cancelled > 0


def test_png_layers_are_never_averaged(tmp_path: Path) -> None:
    plan = plan_grid(Grid("native", 4326, "16km"), "2km")
    store = PictureStore(Layout(tmp_path, "Some_Layer", 4326), plan, "png")
    picture = store.begin(DAY)
    path, (file,) = picture.finish(complete=False)
    assert path == file.path
    assert path == f"4326/{DAY}/Some_Layer.partial.png"
    with Image.open(io.BytesIO((tmp_path / path).read_bytes())) as image:
        assert (image.mode, image.size) == ("RGBA", (2560, 1280))
        assert not np.asarray(image).any()


def test_a_notebook_where_a_loop_runs_can_download_too(service: Service, tmp_path: Path) -> None:
    grid = Grid("native", 4326, "16km", bbox=BBox(2, 2, 70, 52), tiled=True)

    async def cell() -> DownloadSummary:
        return service.download(tmp_path, grid)

    assert asyncio.run(cell()).days_complete == len(DAYS)


@pytest.mark.parametrize("damage", ["short", "empty", "gone"])
def test_a_damaged_file_is_asked_again(
    service: Service, tmp_path: Path, any_grid: Grid, damage: str
) -> None:
    service.download(tmp_path, any_grid)
    whole = tree(tmp_path)
    path = sorted(folder(tmp_path).rglob("*.jpg"))[0]
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes({"short": data[:-300], "empty": b""}[damage])
    again = service.download(tmp_path, any_grid)
    assert (again.days_kept, again.days_complete) == (len(DAYS) - 1, 1)
    assert tree(tmp_path) == whole
