"""Tiles through GDAL: the same pixels as ours, and every failure told for what it is."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from gibswatch.catalogue import Grid, GridPlan, TileIndex, find_layer, plan_grid
from gibswatch.catalogue.service_xml import service_xml
from gibswatch.download.client import TileClient, TileResult
from gibswatch.download.engines import TileFetcher
from gibswatch.download.gdal_engine import GdalEngine, tms_service
from gibswatch.download.plan import TileRequest, plan_day
from gibswatch.download.politeness import Pacer
from gibswatch.errors import ServerUnreachableError, UsageError
from gibswatch.raster.codec import decode_picture, encode_picture
from gibswatch.raster.mosaic import Mosaic
from gibswatch.settings import Settings
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import BBox, ByteArray, Epsg, ImageFormat

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
DAY = dt.date(2023, 8, 7)
RAMP: ByteArray = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (2, 512, 3))
JPEG = encode_picture(RAMP, "jpg")
PNG = encode_picture(np.dstack((RAMP, RAMP[..., 0])), "png")
BLACK = encode_picture(np.zeros_like(RAMP), "jpg")
REPORT = (
    b"<ServiceExceptionReport><ServiceException>bad day</ServiceException></ServiceExceptionReport>"
)


@dataclass(frozen=True)
class Said:
    """One answer of the scripted server; `length` is what it claims."""

    status: int
    body: bytes = b""
    length: int | None = None
    hangs: bool = False
    resets: bool = False


@dataclass
class Scripted:
    """A loopback server that gives one answer of the script a request, the last again and again."""

    script: tuple[Said, ...] = ()
    paths: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    base: str = ""

    def next(self, path: str, agent: str) -> Said:
        self.paths.append(path)
        self.agents.append(agent)
        return self.script[min(len(self.paths), len(self.script)) - 1]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = script.next(self.path, self.headers.get("User-Agent", ""))
            if said.hangs:
                script.over.wait(20)
            if said.hangs or said.resets:
                self.close_connection = True
                return
            self.send_response(said.status)
            length = len(said.body) if said.length is None else said.length
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        script.base = f"http://127.0.0.1:{server.server_port}"
        yield script
        script.over.set()
        server.shutdown()
        thread.join()


def native(epsg: Epsg = 4326, resolution: str = "16km", matrix_set: str = "250m") -> GridPlan:
    return plan_grid(Grid("native", epsg, resolution), matrix_set)


def request(base: str, image_format: ImageFormat = "jpg", tile: TileIndex | None = None) -> Any:
    where = tile or TileIndex(1, 2)
    url = f"{base}/wmts/epsg4326/best/L/default/{DAY}/250m/2/{where.row}/{where.col}.{image_format}"
    return TileRequest("L", DAY, where, image_format, 512, url)


@dataclass
class Outcome:
    tile: TileResult
    sleeps: list[float]


def fetch(
    scripted: Scripted, *script: Said, image_format: ImageFormat = "jpg", **options: Any
) -> Any:
    """Fetch one tile through GDAL from a server that follows the script."""
    scripted.script = script
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)

    async def run() -> Outcome:
        settings = Settings(base_url=scripted.base, **options)
        async with GdalEngine(settings, native(), sleep=sleep) as engine:
            return Outcome(await engine.fetch(request(scripted.base, image_format)), sleeps)

    return asyncio.run(run())


def mosaic(
    fetcher: TileFetcher,
    requests: list[TileRequest],
    plan: GridPlan,
    decode: Callable[[bytes], ByteArray] | None = None,
) -> ByteArray:
    """Fetch and stitch tiles; `decode` takes the place of our own decoder."""

    async def run() -> ByteArray:
        canvas = Mosaic(plan, requests[0].image_format)
        async with fetcher:
            for result in await asyncio.gather(*(fetcher.fetch(one) for one in requests)):
                assert result.state in {"ok", "server-empty"}, result.message
                pixels = result.pixels
                if decode is not None:
                    assert result.body is not None
                    pixels = decode(result.body)
                canvas.place(result.request.tile, pixels, result.state)
        return canvas.picture()[0]

    return asyncio.run(run())


def decode_by_gdal(body: bytes) -> ByteArray:
    with MemoryFile(body) as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open() as dataset:
            return np.moveaxis(dataset.read(), 0, -1)


@dataclass
class Mosaics:
    """One day three times."""

    requests: list[TileRequest]
    ours: ByteArray
    ours_by_gdals_decoder: ByteArray
    """Our client's bytes; only the JPEG decoder is that of rasterio's GDAL."""
    gdals: ByteArray


def mosaics(base: str, layer_name: str, plan: GridPlan, day: dt.date) -> Mosaics:
    settings = Settings(base_url=base, connections=4)
    asked = list(plan_day(base, find_layer(layer_name), plan, day))
    return Mosaics(
        asked,
        mosaic(TileClient(settings), asked, plan),
        mosaic(TileClient(settings), asked, plan, decode_by_gdal),
        mosaic(GdalEngine(settings, plan), asked, plan),
    )


@pytest.mark.skipif(shutil.which("gdal_translate") is None, reason="no gdal_translate (gdal-bin)")
def test_our_mosaic_is_gdal_translates_pixel_by_pixel(
    server: EmbeddedServer, drawn: DrawnDays, tmp_path: Path
) -> None:
    """Debian's GDAL decodes with libjpeg-turbo, as we do: not one pixel is another."""
    settings = Settings(base_url=server.base_url)
    plan = plan_grid(Grid("native", 4326, "16km", BBox(-36, -54, 108, 36)), "250m")
    window = plan.window
    rows, cols = window.shape
    for day in (drawn.dates[0], dt.date(2023, 8, 8)):
        asked = list(plan_day(server.base_url, LAYER, plan, day))
        ours = mosaic(TileClient(settings), asked, plan)
        service, out = tmp_path / "service.xml", tmp_path / f"{day}.tif"
        service.write_text(tms_service(asked[0], plan, settings.tile_timeout_s))
        corner = [str(n) for n in (window.col_start, window.row_start, cols, rows)]
        command = [
            "gdal_translate",
            "-q",
            "-of",
            "GTiff",
            "-srcwin",
            *corner,
            str(service),
            str(out),
        ]
        subprocess.run(command, check=True, timeout=60)
        with rasterio.open(out) as dataset:
            gdals = np.moveaxis(dataset.read(), 0, -1)
            assert dataset.bounds == pytest.approx((-36, -54, 108, 36))
        assert ours.any()
        assert np.array_equal(ours, gdals)


@pytest.mark.realdata
@pytest.mark.skipif(shutil.which("gdal_translate") is None, reason="no gdal_translate (gdal-bin)")
def test_real_tiles_decode_as_with_gdal_translate(real_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "tile.tif"
    for tile in sorted((real_data / "real/terra_tile_2023").glob("*/2023-0[1-3]-1*.jpg"))[:6]:
        subprocess.run(["gdal_translate", "-q", "-of", "GTiff", str(tile), str(out)], check=True)
        ours = decode_picture(tile.read_bytes(), image_format="jpg")
        assert np.array_equal(ours, decode_by_gdal(out.read_bytes()))


def test_our_mosaic_is_rasterios_but_for_the_decoder(
    server: EmbeddedServer, drawn: DrawnDays
) -> None:
    """The wheel of rasterio 1.4.4 brings libjpeg 9f, which smooths colour otherwise than turbo."""
    plan = native()
    for day in (drawn.dates[0], dt.date(2023, 8, 8)):
        made = mosaics(server.base_url, LAYER.identifier, plan, day)
        assert made.ours.shape == (1280, 2560, 3)
        assert made.ours.any()
        assert np.array_equal(made.ours_by_gdals_decoder, made.gdals)
        difference = np.abs(made.ours.astype(int) - made.gdals)
        assert difference.mean() < 1.0


def test_one_tile_is_one_request(server: EmbeddedServer, drawn: DrawnDays) -> None:
    """Not one a band: the block cache is counted in bytes.  What is black is confirmed."""
    plan = native()
    asked = list(plan_day(server.base_url, LAYER, plan, drawn.dates[0]))
    picture = mosaic(GdalEngine(Settings(base_url=server.base_url), plan), asked, plan)
    rows, cols = range(0, 1280, 512), range(0, 2560, 512)
    black = sum(not picture[r : r + 512, c : c + 512].any() for r in rows for c in cols)
    paths = [record.path for record in server.requests]
    assert len(paths) == len(asked) + black
    assert {server.base_url + path for path in paths} == {one.url for one in asked}


@pytest.mark.parametrize(("epsg", "resolution"), [(3413, "8km"), (3031, "8km"), (3857, "16km")])
def test_the_other_projections(drawn: DrawnDays, epsg: Epsg, resolution: str) -> None:
    served = ServedLayer(LAYER.identifier, "jpg", LAYER.projections)
    source = GlobeSource(drawn.globe, drawn.dates, "jpg")
    plan = native(epsg, resolution, LAYER.matrix_set(epsg))
    with EmbeddedServer(create_app({LAYER.identifier: (served, source)})) as server:
        made = mosaics(server.base_url, LAYER.identifier, plan, drawn.dates[0])
    assert made.ours.any()
    assert np.array_equal(made.ours_by_gdals_decoder, made.gdals)


def test_our_mosaic_of_png_is_rasterios() -> None:
    name = "MODIS_Terra_Land_Surface_Temp_Day"

    def globe(day: dt.date) -> ByteArray:
        random = np.random.default_rng(day.day)
        pixels = random.integers(0, 255, (128, 256, 4)).astype(np.uint8)
        pixels[..., 3] = np.where(pixels[..., 3] > 90, 255, 0)
        pixels[:, :64] = 0  # whole tiles that are transparent
        return pixels

    layer = find_layer(name)
    served = ServedLayer(name, "png", {4326: layer.matrix_set(4326)})
    plan = native(matrix_set=layer.matrix_set(4326))
    with EmbeddedServer(create_app({name: (served, GlobeSource(globe, [DAY], "png"))})) as server:
        made = mosaics(server.base_url, name, plan, DAY)
    assert made.ours.shape == (1280, 2560, 4)
    assert set(np.unique(made.ours[..., 3])) == {0, 255}
    assert np.array_equal(made.ours, made.gdals)


def test_a_good_tile(scripted: Scripted) -> None:
    outcome = fetch(scripted, Said(200, JPEG))
    tile = outcome.tile
    assert (tile.state, tile.message, tile.attempts, tile.body) == ("ok", "", 1, None)
    assert tile.pixels.shape == (512, 512, 3)
    assert scripted.paths == [f"/wmts/epsg4326/best/L/default/{DAY}/250m/2/1/2.jpg"]
    assert "gibswatch" in scripted.agents[0]
    assert outcome.sleeps == []


@pytest.mark.parametrize(
    ("said", "state", "attempts", "message"),
    [
        pytest.param(Said(404, b"no such tile"), "absent", 1, "GDAL: HTTP 404", id="404"),
        pytest.param(Said(400, REPORT), "absent", 1, "GDAL: HTTP 400", id="400"),
        pytest.param(Said(410), "absent", 1, "GDAL: HTTP 410", id="410"),
        pytest.param(Said(429), "failed", 2, "GDAL: HTTP 429", id="429"),
        pytest.param(Said(500), "failed", 2, "GDAL: HTTP 500", id="500"),
        pytest.param(Said(501), "failed", 1, "GDAL: HTTP 501", id="501"),
        pytest.param(Said(200, REPORT), "corrupt", 2, "bad day", id="XML"),
        pytest.param(Said(200, b"<html>sorry</html>"), "corrupt", 2, "GDAL: ", id="HTML"),
        pytest.param(Said(200), "corrupt", 2, "nothing in it", id="empty"),
        pytest.param(Said(200, JPEG[:3000]), "corrupt", 2, "Premature end", id="cut"),
        pytest.param(
            Said(200, JPEG[:3000], len(JPEG)), "corrupt", 2, "Premature end", id="shorter than said"
        ),
        pytest.param(
            Said(200, encode_picture(RAMP[:256, :256], "jpg")),
            "corrupt",
            2,
            "Incorrect size 256 x 256",
            id="size",
        ),
        pytest.param(Said(200, resets=True), "failed", 2, "Empty reply", id="reset"),
    ],
)
def test_every_failure_has_its_state(
    scripted: Scripted, said: Said, state: str, attempts: int, message: str
) -> None:
    tile = fetch(scripted, said, attempts=2).tile
    assert (tile.state, tile.attempts) == (state, attempts)
    assert message in tile.message
    assert tile.message.isprintable()
    assert tile.pixels is None
    assert len(scripted.paths) == attempts


def test_a_failure_that_passes(scripted: Scripted) -> None:
    outcome = fetch(scripted, Said(503), Said(200, JPEG))
    assert (outcome.tile.state, outcome.tile.attempts) == ("ok", 2)
    [delay] = outcome.sleeps
    assert 0.25 <= delay <= 0.5


def test_a_hang_ends_in_time(scripted: Scripted) -> None:
    tile = fetch(scripted, Said(200, hangs=True), tile_timeout_s=1, attempts=1).tile
    assert tile.state == "failed"
    assert "timed out" in tile.message


def test_204_is_black_to_gdal_but_not_ok_to_us(scripted: Scripted) -> None:
    tile = fetch(scripted, Said(204)).tile
    assert (tile.state, tile.status, tile.pixels) == ("absent", 204, None)
    assert len(scripted.paths) == 2  # GDAL's, and ours to confirm


def test_a_black_picture_is_confirmed(scripted: Scripted) -> None:
    tile = fetch(scripted, Said(200, BLACK)).tile
    assert (tile.state, tile.attempts, tile.status) == ("server-empty", 2, 200)
    assert not tile.pixels.any()
    assert tile.body == BLACK
    assert len(set(scripted.paths)) == 1


def test_a_picture_of_one_value_is_confirmed_whatever_the_value(scripted: Scripted) -> None:
    """A layer's empty tile can be of its fill colour, and only plain HTTP shows the headers."""
    grey = encode_picture(np.full((512, 512, 4), 99, np.uint8), "png")
    empty = fetch(scripted, Said(200, grey), image_format="png").tile
    assert (empty.state, empty.attempts, len(scripted.paths)) == ("server-empty", 2, 2)


def test_gdals_requests_keep_the_limits(scripted: Scripted) -> None:
    """At most so many at a time, and as many bytes charged as GIBS's policy counts a tile with."""
    scripted.script = (Said(200, JPEG),)
    waits: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds

    async def run() -> None:
        settings = Settings(
            base_url=scripted.base, bandwidth_mbit_s=0.512, requests_per_s=0, ramp_up_s=0
        )
        pacer = Pacer(settings, clock=lambda: now, sleep=sleep)
        async with GdalEngine(settings, native(), pacer=pacer) as engine:
            for _ in range(3):
                assert (await engine.fetch(request(scripted.base))).state == "ok"

    asyncio.run(run())
    assert waits == pytest.approx([1.0, 1.0], abs=0.02)


def test_a_204_that_passes_gives_the_picture(scripted: Scripted) -> None:
    tile = fetch(scripted, Said(204), Said(200, JPEG)).tile
    assert tile.state == "ok"
    assert tile.pixels.any()


def test_a_transparent_png_is_confirmed(scripted: Scripted) -> None:
    empty = encode_picture(np.zeros((512, 512, 4), np.uint8), "png")
    tile = fetch(scripted, Said(200, empty), image_format="png").tile
    assert (tile.state, tile.pixels.shape) == ("server-empty", (512, 512, 4))
    assert fetch(scripted, Said(200, PNG), image_format="png").tile.state == "ok"


def test_what_gdal_hides(scripted: Scripted) -> None:
    """A JPEG in a PNG's place is opaque to GDAL; our client refuses it (docs/engines.md)."""
    tile = fetch(scripted, Said(200, JPEG), image_format="png").tile
    assert tile.state == "ok"
    assert (tile.pixels[..., 3] == 255).all()


def test_no_server_there() -> None:
    base = "http://127.0.0.1:1"
    count = 0

    async def sleep(_seconds: float) -> None:
        """Do not wait."""

    async def run() -> None:
        nonlocal count
        async with GdalEngine(Settings(base_url=base), native(), sleep=sleep) as engine:
            while True:
                tile = await engine.fetch(request(base))
                assert (tile.state, tile.status) == ("failed", None)
                count += 1

    with pytest.raises(ServerUnreachableError, match=f"{base}.*--base-url"):
        asyncio.run(run())
    assert count == 3


@pytest.mark.parametrize(
    "url",
    [
        "{base}/wms/epsg4326/best/wms.cgi?SERVICE=WMS",
        "{base}/wmts/epsg4326/best/L/default/2023-08-07/250m/3/1/2.jpg",
        "{base}/wmts/epsg4326/best/L/default/2023-08-07/250m/2/2/1.jpg",
    ],
)
def test_only_tiles_of_the_level(scripted: Scripted, url: str) -> None:
    asked = TileRequest("L", DAY, TileIndex(1, 2), "jpg", 512, url.format(base=scripted.base))
    with pytest.raises(UsageError, match="leave --engine out"):
        tms_service(asked, native(), 60.0)


def test_outside_of_its_block() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(GdalEngine(Settings(), native()).fetch(request("http://127.0.0.1:1")))


@pytest.mark.parametrize("epsg", [4326, 3413, 3031, 3857])
def test_the_service_is_the_one_of_the_catalogue(epsg: Epsg) -> None:
    """The same windows and levels as `layers show --xml tms`, and nothing that makes zeros."""
    plan = native(epsg, "250m", LAYER.matrix_set(epsg))
    settings = Settings()
    asked = next(plan_day(settings.base_url, LAYER, plan, DAY))
    ours = ET.fromstring(tms_service(asked, plan, settings.tile_timeout_s))
    theirs = ET.fromstring(service_xml(LAYER, "tms", epsg=epsg, day=DAY))
    for element in theirs.iter():
        if element.text and element.text.strip():
            found = ours.find(f".//{element.tag}")
            assert found is not None, element.tag
            assert _plain(found.text) == _plain(element.text), element.tag
    tags = {element.tag for element in ours.iter()}
    refused = {"Cache", "UnsafeSSL", "ZeroBlockHttpCodes", "ZeroBlockOnServerException"}
    assert not tags & refused


def _plain(text: str | None) -> str | float:
    try:
        return float(text or "")
    except ValueError:
        return text or ""


def test_gdals_options_hold_against_the_environment(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "3")
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", "0.01")
    monkeypatch.setenv("GDAL_ERROR_ON_LIBJPEG_WARNING", "FALSE")
    assert fetch(scripted, Said(503), attempts=1).tile.state == "failed"
    assert len(scripted.paths) == 1
    assert fetch(scripted, Said(200, JPEG[:3000]), attempts=1).tile.state == "corrupt"
