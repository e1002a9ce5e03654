"""Fixtures that several test files share."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import settings

from gibswatch.archive import download_days
from gibswatch.catalogue import find_layer
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.catalogue.windows import Grid, TileIndex
from gibswatch.cli.main import main
from gibswatch.detect.context import REASON_CODES
from gibswatch.download import TileRequest
from gibswatch.errors import ArchiveError
from gibswatch.raster import encode_picture
from gibswatch.raster.codec import encode_mask
from gibswatch.raster.regions import outline, region_area_km2
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.report import planes
from gibswatch.scan.result import ScanResult
from gibswatch.settings import Settings
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.simulate.server import FaultPlan, FaultRule, embedded_server
from gibswatch.sky import expect
from gibswatch.sky.satellites import satellite_of
from gibswatch.types import (
    BBox,
    BoolArray,
    ByteArray,
    DayItem,
    Epsg,
    Finding,
    Georeference,
    ImageFormat,
    Kind,
    Shares,
)

# What others run at the same time stretches the time that an example takes.
settings.register_profile("beside others", deadline=None)
settings.load_profile("beside others")

# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that:
# tests that interrupt themselves or a child need it as it is in a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_REPOSITORY = Path(__file__).resolve().parents[1]
_NO_CATALOGUE = str(Path(tempfile.gettempdir()) / f"no-gibswatch-catalogue-{os.getpid()}.json")
"""Nothing lies there: doctests, fixtures and subprocesses see the packaged table alone."""

os.environ["GIBSWATCH_CATALOGUE_FILE"] = _NO_CATALOGUE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the real imagery where it is not there, saying so."""
    folder = real_data_folder()
    if folder.is_dir():
        return
    reason = f"no real imagery at {folder}: set GIBSWATCH_REAL_DATA"
    for item in items:
        if item.get_closest_marker("realdata"):
            item.add_marker(pytest.mark.skip(reason=reason))


def real_data_folder() -> Path:
    """Where the real imagery lies, if it does."""
    return Path(os.environ.get("GIBSWATCH_REAL_DATA", _REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real imagery; only for tests marked `realdata`."""
    return real_data_folder()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's environment, refreshed catalogue and proxies out of the tests."""
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    for name in list(os.environ):
        ours = name.startswith("GIBSWATCH_") and name != "GIBSWATCH_REAL_DATA"
        if ours or name.lower() in proxies:
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIBSWATCH_CATALOGUE_FILE", _NO_CATALOGUE)


LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


@pytest.fixture(scope="session")
def drawn() -> DrawnDays:
    """Fourteen days of 2023 with a hole on the 8th of August."""
    return DrawnDays(LAYER, 5, dt.date(2023, 8, 1), 14, dt.date(2023, 8, 8), rows=256)


class RememberedSource(GlobeSource):
    """Draws and encodes each tile once: most of what a test's server costs."""

    def __init__(self, function: Callable[[dt.date], ByteArray], days: Iterable[dt.date]) -> None:
        super().__init__(function, tuple(days), "jpg")
        self._tiles: dict[tuple[dt.date, int, TileMatrix, int, int], bytes | None] = {}

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        key = (day, epsg, matrix, row, col)
        if key not in self._tiles:
            self._tiles[key] = super().tile(*key)
        return self._tiles[key]


@pytest.fixture(scope="session")
def remember() -> type[RememberedSource]:
    """Make a source of JPEG tiles that draws each but once, of a function and its days."""
    return RememberedSource


@pytest.fixture(scope="session")
def drawn_source(drawn: DrawnDays) -> GlobeSource:
    """Tiles of the drawn days."""
    return RememberedSource(drawn.globe, drawn.dates)


Start = Callable[[EmbeddedServer], EmbeddedServer]


@pytest.fixture(scope="session")
def _stopping() -> Iterator[ThreadPoolExecutor]:
    """Threads that wait until servers have stopped: each takes its sixth of a second."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def start(_stopping: ThreadPoolExecutor) -> Iterator[Start]:
    """Start a server; it stops when the test ends, and the next test does not wait for it."""
    running: list[EmbeddedServer] = []

    def enter(server: EmbeddedServer) -> EmbeddedServer:
        running.append(server.__enter__())
        return server

    yield enter
    for server in running:
        _stopping.submit(server.__exit__, None, None, None)


@pytest.fixture
def server(start: Start, drawn_source: GlobeSource) -> EmbeddedServer:
    """A server of the drawn days, on loopback, with a request log of its own."""
    served = ServedLayer(LAYER, "jpg", {4326: "250m"})
    return start(EmbeddedServer(create_app({LAYER: (served, drawn_source)})))


@pytest.fixture
def serve_drawn(start: Start, drawn_source: GlobeSource) -> Callable[..., EmbeddedServer]:
    """Start servers of the drawn days, broken by fault rules; all stop at the end."""

    def serve(*rules: FaultRule) -> EmbeddedServer:
        layers = {LAYER: (ServedLayer(LAYER, "jpg", {4326: "250m"}), drawn_source)}
        return start(embedded_server(layers, FaultPlan(rules)))

    return serve


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command line in this process as `gibswatch ARGUMENT...` does."""

    def call(*arguments: object) -> Ended:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return call


@contextmanager
def _held_elsewhere(path: Path, code: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


@pytest.fixture(scope="session")
def held_elsewhere() -> Callable[[Path, str], AbstractContextManager[subprocess.Popen[str]]]:
    """Run code in another process until the block ends: it holds `path`, and says "held"."""
    return _held_elsewhere


DAY = dt.date(2023, 8, 7)
RAMP: ByteArray = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (2, 512, 3))
FAULTY_LAYER = "A_Layer"

Say = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Loopback:
    """A server in the running loop: `say` answers each request, by its path, on a kept connection.

    A connection that `say` closes is closed.
    """

    say: Say
    ssl: Any = None
    paths: list[str] = field(default_factory=list)
    """Of all requests, in order."""
    connections: int = 0
    """Ever made."""
    open_now: int = 0
    most_open: int = 0
    base: str = ""
    _server: asyncio.Server | None = None
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.ssl)
        scheme = "https" if self.ssl else "http"
        self.base = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                self.paths.append(path)
                await self.say(path, writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.open_now -= 1
            self._running.discard(task)
            writer.close()


@dataclass
class FakeTime:
    """A clock that only its own sleeps move."""

    now: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def answer(
    status: int = 200, body: bytes = b"", *, length: int | None = None, **headers: str
) -> bytes:
    """One answer of HTTP; `length` is what it claims."""
    lines = [
        f"HTTP/1.1 {status} Said",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask_for(base: str, number: int = 0, image_format: ImageFormat = "jpg") -> TileRequest:
    """Make the request for a tile of 512 x 512 pixels."""
    where = f"{base}/{number}.{image_format}"
    return TileRequest("A_Layer", DAY, TileIndex(0, number), image_format, 512, where)


def draw(day: dt.date) -> ByteArray:
    """Draw a globe with texture, of another brightness every day."""
    waves = np.sin(np.arange(360)[:, None] / 2.0) + np.cos(np.arange(720) / 3.0)
    return np.repeat((100 + 5 * day.day + 20 * waves).astype(np.uint8)[..., None], 3, axis=2)


class Net:
    """What a test needs of the network, in one fixture."""

    Loopback = Loopback
    answer = staticmethod(answer)
    ask_for = staticmethod(ask_for)
    jpeg = encode_picture(RAMP, "jpg")
    """A whole tile."""
    png = encode_picture(np.dstack((RAMP, RAMP[..., 0])), "png")

    def __init__(self) -> None:
        self.time = FakeTime()

    def following(self, *script: bytes) -> Any:
        """Make a server that gives the answers in turn, the last one from then on."""
        left = list(script)

        async def say(_path: str, writer: asyncio.StreamWriter) -> None:
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()

        return Loopback(say)


@pytest.fixture
def net() -> Net:
    return Net()


@pytest.fixture(scope="session")
def _textured_source() -> GlobeSource:
    return RememberedSource(draw, [DAY])


@pytest.fixture
def serve_with_faults(start: Start, _textured_source: GlobeSource) -> Callable[..., EmbeddedServer]:
    """Start embedded servers of one layer of JPEG tiles, broken by rules; all stop at the end."""

    def serve(*rules: FaultRule) -> EmbeddedServer:
        served = ServedLayer(FAULTY_LAYER, "jpg", {4326: "250m"})
        layers = {FAULTY_LAYER: (served, _textured_source)}
        return start(embedded_server(layers, FaultPlan(rules)))

    return serve


@pytest.fixture
def tile_of() -> Callable[..., TileRequest]:
    """Make the request for a tile of an embedded server, at level 3."""

    def tile(server: EmbeddedServer, row: int, col: int) -> TileRequest:
        where = f"/wmts/epsg4326/best/{FAULTY_LAYER}/default/{DAY}/250m/3/{row}/{col}.jpg"
        url = server.base_url + where
        return TileRequest(FAULTY_LAYER, DAY, TileIndex(row, col), "jpg", 512, url)

    return tile


STANDIN_FIRST = dt.date(2017, 8, 20)
STANDIN_GLOBE = Georeference(4326, -180.0, 90.0, 1.5, 1.5, 120, 240)


@dataclass
class Standin:
    """A scan of made-up days: `days` are clean; `plant` makes one of them otherwise."""

    folder: Path
    georeference: Georeference = STANDIN_GLOBE
    epsg: Epsg = 4326
    explains: bool = True
    """Whether the method gives reasons and an expectation."""
    unreadable: set[dt.date] = field(default_factory=set)
    items: dict[dt.date, DayItem] = field(default_factory=dict)
    faults: dict[dt.date, ByteArray] = field(default_factory=dict)
    pixels: ByteArray | None = None

    def days(self, count: int, first: dt.date = STANDIN_FIRST) -> Standin:
        for n in range(count):
            day = first + dt.timedelta(days=n)
            shares = Shares(0.1, 0.1, 0.0)
            reason = "Nothing unusual."
            link = f"https://worldview.earthdata.nasa.gov/?l={LAYER}&t={day}"
            self.items[day] = DayItem(
                LAYER, day, "clean", 0.01 * (n % 40), reason, shares, worldview=link
            )
        return self

    def plant(self, day: dt.date, kind: Kind, where: BoolArray, score: float = 0.9) -> DayItem:
        kinds = np.where(where, int(kind), 0).astype(np.uint8)
        mask = self.folder / f"{day}.png"
        mask.write_bytes(encode_mask(kinds))
        geometry, box = outline(where, self.georeference)
        area = region_area_km2(where, self.georeference)
        names = (f"{day}T12:05Z", f"{day}T12:10Z")
        finding = Finding(kind, score, "Two granules are black.", area, box, geometry, names)
        self.faults[day] = kinds
        self.items[day] = replace(
            self.items[day],
            verdict="anomalous" if kind.is_fault else "clean",
            score=score if kind.is_fault else 0.1,
            reason="Missing data: two granules are black. Known: the recorder was full (a test).",
            findings=(finding,),
            mask=str(mask),
        )
        return self.items[day]

    def result(self) -> ScanResult:
        items = tuple(self.items[day] for day in sorted(self.items))
        return ScanResult(
            LAYER,
            "gibswatch",
            items,
            Grid("native", self.epsg, "16km"),
            root=self.folder,
            folder=self.folder,
            notes=("a note",),
            orbits=("orbit fitted to the other days",),
        )

    def noise(self) -> ByteArray:
        """Pixels of every day."""
        if self.pixels is None:
            shape = (*self.georeference.shape, 3)
            self.pixels = np.random.default_rng(1).integers(40, 255, shape, dtype=np.uint8)
        return self.pixels

    def scene(self, _layer: str, day: dt.date, _epsg: int) -> Scene:
        if day in self.unreadable:
            raise ArchiveError(f"{day} is damaged")
        pixels = self.noise()
        if day in self.faults:
            pixels = pixels.copy()
            pixels[self.faults[day] > 0] = 0
        return scene_from_picture(
            pixels,
            layer=LAYER,
            date=day,
            image_format="jpg",
            georeference=self.georeference,
            provenance="made up",
        )

    def reasons(self, _result: ScanResult, item: DayItem) -> ByteArray | None:
        if not self.explains or item.date is None:
            return None
        faults = self.faults.get(item.date, np.zeros(self.georeference.shape, np.uint8))
        return np.where(faults > 0, np.uint8(REASON_CODES["unexpected"]), np.uint8(0))

    def expectation(self, _result: ScanResult, item: DayItem) -> object:
        satellite = satellite_of(LAYER)
        if not self.explains or item.date is None or satellite is None:
            return None
        return expect(satellite, self.georeference, item.date)


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """A scan whose pictures are noise."""
    made = Standin(tmp_path)

    class Archive:
        def __init__(self, _root: Path) -> None:
            self.scene: Callable[..., Scene] = made.scene

    monkeypatch.setattr(planes, "Archive", Archive)
    monkeypatch.setattr(planes, "reasons_of", made.reasons)
    monkeypatch.setattr(planes, "expectation_of", made.expectation)
    return made


@pytest.fixture
def block() -> BoolArray:
    """A hole in the globe of `standin`: 6 by 9 pixels of 240 by 120."""
    where = np.zeros(STANDIN_GLOBE.shape, dtype=bool)
    where[50:56, 100:109] = True
    return where


LABELLED_FIRST = dt.date(2023, 1, 1)
LABELLED_DAYS = 96
LABELLED_BOX = BBox(-36, 18, 36, 90)
"""One native tile of level 2."""


def _day_at(index: int) -> dt.date:
    return LABELLED_FIRST + dt.timedelta(days=index)


def _codes_at(index: int) -> tuple[Kind, ...]:
    """Every 8th day has a hole, every 8th another colour, day 50 a scheduled hole."""
    if index == 50:
        return (Kind.MISSING_EXPECTED,)
    found = {3: (Kind.MISSING_UNEXPECTED,), 6: (Kind.MISCOLORATION,)}
    return found.get(index % 8, ())


def _fault_box(index: int) -> tuple[slice, slice]:
    """Where the fault of a day lies, in pixels of the tile."""
    row, col = 32 * (index * 5 % 9), 32 * (index * 3 % 9)
    return slice(row, row + 224), slice(col, col + 224)


def _tile_of_day(index: int) -> ByteArray:
    """Draw the tile of a day: waves of green and blue that move, and its fault."""
    rows, cols = np.mgrid[0:512, 0:512] / 40.0
    chance = np.random.default_rng(index)
    waves = np.stack([np.sin(rows + index), np.cos(cols - index), np.sin(rows - cols)], axis=2)
    noise = chance.normal(0, 6, size=(512, 512, 1))
    pixels = np.clip([70, 120, 150] + 40 * waves + noise, 5, 250).astype(np.uint8)
    box, codes = _fault_box(index), _codes_at(index)
    if Kind.MISSING_UNEXPECTED in codes or Kind.MISSING_EXPECTED in codes:
        pixels[box] = 0
    elif codes:
        pixels[box] = pixels[box][..., ::-1] // 2 + np.array([110, 0, 60], dtype=np.uint8)
    return pixels


class _OneTile(GlobeSource):
    """The tile of each day, whatever tile is asked for."""

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        return encode_picture(_tile_of_day((day - LABELLED_FIRST).days), "jpg")


def _split_at(index: int) -> str:
    """Blocks of 8 days: three of train, one of val, one of test..."""
    return ("train", "val", "train", "test", "train")[index // 8 % 5]


def _label_text() -> str:
    lines = [
        f"{_split_at(i)} {_day_at(i)} {' '.join(str(int(code)) for code in _codes_at(i))}\n"
        for i in range(LABELLED_DAYS)
    ]
    return "".join(lines)


@pytest.fixture(scope="session")
def labelled_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of 96 days with labels, splits and masks; not to be written to."""
    root = tmp_path_factory.mktemp("models") / "data"
    days = [_day_at(i) for i in range(LABELLED_DAYS)]
    source = _OneTile(lambda day: np.zeros((2, 4, 3), np.uint8), days, "jpg")
    served = ServedLayer(LAYER, "jpg", {4326: "250m"})
    grid = Grid("native", 4326, "16km", bbox=LABELLED_BOX)
    with EmbeddedServer(create_app({LAYER: (served, source)})) as server:
        settings = Settings(
            base_url=server.base_url, ramp_up_s=0, requests_per_s=0, bandwidth_mbit_s=0
        )
        download_days(root, find_layer(LAYER), grid, days, settings)
    (root / "4326" / f"{LAYER}.txt").write_text(_label_text())
    for index in range(LABELLED_DAYS):
        mask = np.zeros((512, 512), dtype=np.uint8)
        for code in _codes_at(index):
            mask[_fault_box(index)] = int(code)
        if mask.any():
            folder = root / "4326" / str(_day_at(index))
            (folder / f"{LAYER}_Mask.png").write_bytes(encode_mask(mask))
    return root


@pytest.fixture
def labelled_copy(labelled_archive: Path, tmp_path: Path) -> Path:
    """A copy of the labelled archive that a test may change."""
    return Path(shutil.copytree(labelled_archive, tmp_path / "data"))


@pytest.fixture
def few_labelled_days(labelled_archive: Path, tmp_path: Path) -> Path:
    """The first eight of the labelled days, in an archive that a test may change."""
    root, held = tmp_path / "data", labelled_archive / "4326"
    for name in (".gibswatch", *(str(_day_at(index)) for index in range(8))):
        shutil.copytree(held / name, root / "4326" / name)
    return root


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Two threads of PyTorch that wait for each other are slower than one where others work too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def few_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels of the first 32 days of `labelled_archive`, of which 16 train and 8 validate."""
    path = tmp_path_factory.mktemp("labels") / f"{LAYER}.txt"
    path.write_text("".join(_label_text().splitlines(keepends=True)[:32]))
    return path


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of DenseNet-121's weights that nothing was learned with."""
    import torch

    from gibswatch.models.deep.densenet import DenseNet121
    from gibswatch.models.deep.weights import save_backbone, state_of

    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_backbone(path, state_of(DenseNet121(None, generator=torch.Generator().manual_seed(5))))
    return path


@pytest.fixture(scope="session")
def trained(
    labelled_archive: Path, few_labels: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """Train a model on few days, and each only once: its name and the fields of its request."""
    from gibswatch.models import TrainRequest, TrainResult, train_model

    made: dict[str, TrainResult] = {}

    def train(model: str, **fields: Any) -> TrainResult:
        key = repr((model, sorted(fields.items())))
        if key not in made:
            asked = {"root": labelled_archive, "labels": few_labels} | fields
            asked.setdefault("out", tmp_path_factory.mktemp("trained"))
            made[key] = train_model(TrainRequest(LAYER, model, **asked))
        return made[key]

    return train
