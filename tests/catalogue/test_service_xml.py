"""Service files: their text, and that GDAL reads the right tiles of the right day through them.

The clients are rasterio's GDAL and Debian's gdalinfo and gdal_translate, the server is the embedded
one, and the tiles hold noise, so that a tile in another's place cannot go unseen.
"""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import re
import subprocess
import threading
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import simplejpeg
from owslib.wmts import WebMapTileService
from rasterio.errors import RasterioIOError

from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set
from gibswatch.catalogue.layers import Layer, find_layer, load_catalogue
from gibswatch.catalogue.service_xml import (
    ServiceProtocol,
    parse_moment,
    service_xml,
    write_service_xml,
)
from gibswatch.errors import (
    DateRangeError,
    GibswatchWarning,
    OutputError,
    UnknownGridError,
    UsageError,
)
from gibswatch.raster.codec import decode_picture
from gibswatch.simulate import EmbeddedServer, ServedLayer, create_app
from gibswatch.simulate.server.cut import RasterFormat, encode_tile
from gibswatch.simulate.server.twms_documents import tile_service
from gibswatch.types import ByteArray

COLOR = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
BAND = find_layer("VIIRS_SNPP_Brightness_Temp_BandI5_Day")
STATIC = find_layer("BlueMarble_NextGeneration")
SUB_DAILY = find_layer("GOES-East_ABI_GeoColor")
DAY = dt.date(2023, 8, 7)
LATEST = dt.date(2023, 8, 9)

# projection: columns and rows of the WMS driver's raster at 250m, then of the two others', its
# west and north edge, its pixel
GRIDS: dict[int, tuple[tuple[int, int], tuple[int, int], tuple[float, float], float]] = {
    4326: ((262144, 131072), (163840, 81920), (-180, 90), 360 / 163840),
    3413: ((32768, 32768), (32768, 32768), (-4194304, 4194304), 256),
    3031: ((32768, 32768), (32768, 32768), (-4194304, 4194304), 256),
    3857: (
        (131072, 131072),
        (131072, 131072),
        (-20037508.34278925, 20037508.34278925),
        2 * 20037508.34278925 / 131072,
    ),
}
VIEWS: list[tuple[ServiceProtocol, int]] = [
    ("tms", 4326),
    ("twms", 4326),
    ("wmts", 4326),
    ("tms", 3413),
    ("wmts", 3413),
    ("tms", 3031),
    ("wmts", 3031),
    ("tms", 3857),
    ("twms", 3857),
    ("wmts", 3857),
]
needs_gdal = pytest.mark.skipif(
    not Path("/usr/bin/gdal_translate").exists(), reason="needs the Debian package gdal-bin"
)


class NoiseSource:
    """Tiles of noise, another one for each day, projection, level, row and column."""

    def __init__(self, image_format: RasterFormat) -> None:
        self.image_format: RasterFormat = image_format

    def days(self) -> Sequence[dt.date]:
        return [DAY - dt.timedelta(days=1), DAY, LATEST]

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes:
        rng = np.random.default_rng((day.toordinal(), epsg, matrix.level, row, col))
        coarse = rng.integers(0, 256, (16, 16, 4), np.uint8)
        coarse[..., 3] = np.where(coarse[..., 3] > 99, 255, 0)
        return encode_tile(np.kron(coarse, _block(matrix.tile_size // 16)), self.image_format)

    def pixels(self, epsg: int, matrix: TileMatrix, row: int, col: int) -> list[ByteArray]:
        """What a tile of DAY shows, decoded by us: bands, rows, columns.

        A JPEG is decoded in both ways of enlarging its chroma: libjpeg's own, which is Pillow's,
        ours and Debian's, and the plain one, which rasterio's GDAL 3.10 takes (and rounds by
        itself, so that a step of 1 is allowed).
        """
        data = self.tile(DAY, epsg, matrix, row, col)
        decoded = [decode_picture(data, image_format=self.image_format)]
        if self.image_format == "jpg":
            decoded.append(simplejpeg.decode_jpeg(data, "RGB", fastupsample=True))
        return [np.moveaxis(pixels, 2, 0) for pixels in decoded]


def _block(size: int) -> ByteArray:
    return np.ones((size, size, 1), np.uint8)


@pytest.fixture(scope="module")
def gibs() -> Iterator[EmbeddedServer]:
    """A server of a JPEG layer, a PNG layer and one without time, in all projections."""
    layers = {}
    for layer in (COLOR, BAND, STATIC):
        image_format: RasterFormat = "png" if layer.format == "png" else "jpg"
        served = ServedLayer(
            layer.identifier, image_format, layer.projections, is_static=not layer.domain
        )
        layers[layer.identifier] = (served, NoiseSource(image_format))
    with EmbeddedServer(create_app(layers)) as running:
        yield running


@pytest.fixture(autouse=True)
def gdal_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's GDAL settings out, and GDAL's cache inside the test's folder."""
    for name in list(os.environ):
        if name.startswith(("GDAL_", "CPL_", "VSI_")):
            monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CACHE_HOME", "GDAL_DEFAULT_WMS_CACHE_PATH"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def asked_days(server: EmbeddedServer) -> set[str]:
    """Every date that the server was asked tiles of; ``none`` for a tile without one."""
    days = set()
    for record in server.requests:
        assert record.status == 200, record
        tile_query = re.search(r"request=GetMap", record.query, re.IGNORECASE)
        if "/wmts/" in record.path or tile_query:
            found = re.findall(r"\d{4}-\d\d-\d\d", f"{record.path}?{record.query}")
            days |= set(found or ["none"])
    return days


def expected(layer: Layer, epsg: int, matrix: TileMatrix, row: int, col: int) -> list[ByteArray]:
    """Return four tiles as one picture, in each way to decode them."""
    source = NoiseSource("png" if layer.format == "png" else "jpg")
    tiles = [source.pixels(epsg, matrix, r, c) for r in (row, row + 1) for c in (col, col + 1)]
    return [
        np.concatenate([np.concatenate(way[:2], axis=2), np.concatenate(way[2:], axis=2)], axis=1)
        for way in zip(*tiles, strict=True)
    ]


@pytest.mark.parametrize("layer", [COLOR, BAND], ids=lambda layer: layer.format)
@pytest.mark.parametrize(("protocol", "epsg"), VIEWS)
def test_rasterio_reads_the_tiles_of_the_day(
    gibs: EmbeddedServer, tmp_path: Path, protocol: ServiceProtocol, epsg: int, layer: Layer
) -> None:
    target = tmp_path / "a folder & more%20" / "service.xml"
    files = write_service_xml(
        target, layer, protocol, epsg=epsg, day=DAY, base_url=gibs.base_url + "/"
    )
    assert len(files) == (2 if protocol == "wmts" else 1)
    matrix = tile_matrix_set(epsg, layer.matrix_set(epsg)).matrices[-1]
    size, row, col = matrix.tile_size, matrix.matrix_rows // 3, matrix.matrix_cols // 4
    gibs.requests.clear()
    with rasterio.open(target) as opened:
        assert opened.driver == ("WMTS" if protocol == "wmts" else "WMS")
        _has_the_grid(opened.shape[::-1], opened.transform.to_gdal(), protocol, epsg)
        assert opened.crs.to_epsg() == epsg
        assert opened.count == (4 if layer.format == "png" else 3)
        assert len(opened.overviews(1)) >= matrix.level
        rows = (row * size + 100, row * size + size + 100)
        cols = (col * size + 40, col * size + size + 40)
        read = opened.read(window=(rows, cols))
    ways = expected(layer, epsg, matrix, row, col)
    steps = 0 if layer.format == "png" else 1
    shown = (slice(None), slice(100, size + 100), slice(40, size + 40))
    assert min(_difference(read, way[shown]) for way in ways) <= steps
    assert asked_days(gibs) == {str(DAY)}
    assert not (tmp_path / "cache").exists(), "GDAL kept tiles, which GIBS may renew"


def _difference(one: ByteArray, other: ByteArray) -> int:
    return int(np.abs(one.astype(int) - other).max())


def _has_the_grid(
    size: Sequence[int], transform: Sequence[float], protocol: ServiceProtocol, epsg: int
) -> None:
    tms_size, size_on_globe, (west, north), pixel = GRIDS[epsg]
    assert tuple(size) == (tms_size if protocol == "tms" else size_on_globe)
    assert transform == pytest.approx((west, pixel, 0, north, 0, -pixel), rel=1e-9, abs=1e-9)


@needs_gdal
@pytest.mark.parametrize("layer", [COLOR, BAND], ids=lambda layer: layer.format)
@pytest.mark.parametrize(("protocol", "epsg"), VIEWS)
def test_debians_gdal_reads_the_tiles_of_the_day(
    gibs: EmbeddedServer, tmp_path: Path, protocol: ServiceProtocol, epsg: int, layer: Layer
) -> None:
    write_service_xml(
        Path("service.xml"), layer, protocol, epsg=epsg, day=DAY, base_url=gibs.base_url
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    gibs.requests.clear()
    told = json.loads(_gdal(elsewhere, "gdalinfo", "-json", "../service.xml"))
    _has_the_grid(told["size"], told["geoTransform"], protocol, epsg)
    matrix = tile_matrix_set(epsg, layer.matrix_set(epsg)).matrices[-1]
    size, row, col = matrix.tile_size, matrix.matrix_rows // 2, matrix.matrix_cols // 2
    window = map(str, (col * size, row * size, 2 * size, 2 * size))
    _gdal(elsewhere, "gdal_translate", "-q", "-srcwin", *window, "../service.xml", "out.tif")
    with rasterio.open(elsewhere / "out.tif") as opened:
        np.testing.assert_array_equal(opened.read(), expected(layer, epsg, matrix, row, col)[0])
    assert asked_days(gibs) == {str(DAY)}


def _gdal(folder: Path, *command: str) -> str:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


@pytest.mark.parametrize("epsg", [4326, 3413, 3857])
@pytest.mark.parametrize("protocol", ["tms", "wmts"])
def test_tile_resolution_limits_the_levels(
    gibs: EmbeddedServer, tmp_path: Path, protocol: ServiceProtocol, epsg: int
) -> None:
    write_service_xml(
        tmp_path / "service.xml",
        BAND,
        protocol,
        epsg=epsg,
        day=DAY,
        tile_resolution="2km",
        base_url=gibs.base_url,
    )
    finest = GRIDS[epsg][3] * 8
    with rasterio.open(tmp_path / "service.xml") as opened:
        assert opened.transform.a == pytest.approx(finest)
        gibs.requests.clear()
        opened.read(1, window=((0, 64), (0, 64)))
    level = {4326: 5, 3413: 2, 3857: 6}[epsg]
    assert [record.path.split("/")[-3] for record in gibs.requests] == [str(level)]


@pytest.mark.parametrize("protocol", ["tms", "twms", "wmts"])
def test_a_layer_without_time_is_asked_without_one(
    gibs: EmbeddedServer, tmp_path: Path, protocol: ServiceProtocol
) -> None:
    write_service_xml(tmp_path / "service.xml", STATIC, protocol, base_url=gibs.base_url)
    gibs.requests.clear()
    with rasterio.open(tmp_path / "service.xml") as opened:
        read = opened.read(window=((0, 512), (0, 512)))
    data = NoiseSource("jpg").tile(LATEST, 4326, tile_matrix_set(4326, "500m").matrices[-1], 0, 0)
    wanted = simplejpeg.decode_jpeg(data, "RGB", fastupsample=True)
    assert _difference(np.moveaxis(read, 0, 2), wanted) <= 1
    assert asked_days(gibs) == {"none"}
    assert not any("default/default" in record.path for record in gibs.requests)


@pytest.mark.parametrize("protocol", ["tms", "twms", "wmts"])
def test_without_a_day_the_server_shows_its_latest(
    gibs: EmbeddedServer, tmp_path: Path, protocol: ServiceProtocol
) -> None:
    write_service_xml(tmp_path / "service.xml", BAND, protocol, base_url=gibs.base_url)
    with rasterio.open(tmp_path / "service.xml") as opened:
        read = opened.read(window=((0, 512), (0, 512)))
    matrix = tile_matrix_set(4326, "250m").matrices[-1]
    data = NoiseSource("png").tile(LATEST, 4326, matrix, 0, 0)
    np.testing.assert_array_equal(np.moveaxis(read, 0, 2), decode_picture(data, image_format="png"))


def test_a_missing_tile_is_an_error_and_not_black(gibs: EmbeddedServer, tmp_path: Path) -> None:
    absent = dt.date(2023, 7, 1)
    write_service_xml(tmp_path / "service.xml", COLOR, "tms", day=absent, base_url=gibs.base_url)
    with rasterio.open(tmp_path / "service.xml") as opened, pytest.raises(RasterioIOError):
        opened.read(1, window=((0, 512), (0, 512)))


@pytest.mark.parametrize("epsg", [4326, 3413, 3031, 3857])
def test_gdal_opens_the_capabilities_alone(gibs: EmbeddedServer, tmp_path: Path, epsg: int) -> None:
    text = service_xml(BAND, "wmts", epsg=epsg, day=DAY, base_url=gibs.base_url)
    (tmp_path / "layer.xml").write_text(text, "utf-8")
    with rasterio.open(tmp_path / "layer.xml") as opened:
        _has_the_grid(opened.shape[::-1], opened.transform.to_gdal(), "wmts", epsg)
        gibs.requests.clear()
        opened.read(1, window=((0, 64), (0, 64)))
    assert asked_days(gibs) == {str(DAY)}


@pytest.mark.filterwarnings("ignore:Truth-testing of elements:FutureWarning")  # OWSLib on lxml 6
@pytest.mark.parametrize("epsg", [4326, 3413, 3031, 3857])
def test_owslib_reads_the_capabilities(epsg: int) -> None:
    text = service_xml(COLOR, "wmts", epsg=epsg, day=DAY)
    service = WebMapTileService("http://127.0.0.1:9/", xml=text.encode())
    layer = service.contents[COLOR.identifier]
    assert layer.title == COLOR.title
    assert list(layer.tilematrixsetlinks) == [COLOR.matrix_set(epsg)]
    assert "/default/{Time}/{TileMatrixSet}/" in layer.resourceURLs[0]["template"]
    matrices = service.tilematrixsets[COLOR.matrix_set(epsg)].tilematrix
    matrix_set = tile_matrix_set(epsg, COLOR.matrix_set(epsg))
    assert len(matrices) == len(matrix_set.matrices)
    last = matrices[str(matrix_set.max_level)]
    assert last.scaledenominator == pytest.approx(
        matrix_set.scale_denominator(matrix_set.max_level)
    )
    assert (last.matrixwidth, last.tilewidth) == (
        matrix_set.matrices[-1].matrix_cols,
        matrix_set.matrices[-1].tile_size,
    )


class _OneLayerHandler(http.server.BaseHTTPRequestHandler):
    """GetTileService of the layer that is the first part of the path."""

    def do_GET(self) -> None:
        name = self.path.split("/")[1]
        layer = load_catalogue()[name]
        epsg = int(re.findall(r"epsg(\d+)", self.path)[0])
        image_format: RasterFormat = "png" if layer.format == "png" else "jpg"
        served = ServedLayer(
            layer.name_in(epsg), image_format, layer.projections, is_static=not layer.domain
        )
        body = tile_service([served], epsg, f"http://{self.headers['Host']}/")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def one_layer_url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _OneLayerHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


TILED = [layer for layer in load_catalogue().values() if layer.service in ("wmts", "variable")]
UNTILED = [layer for layer in load_catalogue().values() if layer.service in ("vector", "wms")]


def day_of(layer: Layer) -> dt.date | None:
    if not layer.domain:
        return None
    last = layer.periods[-1].start
    return last if layer.is_sub_daily else last.date()


@pytest.mark.parametrize("chunk", range(12))
@pytest.mark.parametrize("protocol", ["tms", "twms"])
def test_every_tiled_layer_opens(one_layer_url: str, protocol: ServiceProtocol, chunk: int) -> None:
    count = 0
    for layer in TILED[chunk::12]:
        base_url = f"{one_layer_url}/{layer.identifier}"
        for epsg, matrix_set_id in layer.projections.items():
            if not matrix_set_id:
                continue
            polar_twms = protocol == "twms" and epsg in (3413, 3031)
            refused = (
                pytest.raises(UnknownGridError, match="polar") if polar_twms else nullcontext()
            )
            rounded = protocol == "twms" and matrix_set_id == "15.625m"
            noted = pytest.warns(GibswatchWarning, match="six dec") if rounded else nullcontext()
            with refused, noted:
                xml = service_xml(layer, protocol, epsg=epsg, day=day_of(layer), base_url=base_url)
            if not polar_twms:
                _opens(xml, layer, epsg)
                count += 1
    assert count > 100


def _opens(xml: str, layer: Layer, epsg: int) -> None:
    matrix = tile_matrix_set(epsg, layer.matrix_set(epsg)).matrices[-1]
    with rasterio.open(xml) as opened:
        assert opened.driver == "WMS"
        assert opened.count == (4 if layer.format == "png" else 3)
        assert opened.transform.a == pytest.approx(matrix.pixel_size, rel=1e-5)
        assert opened.block_shapes[0] == (matrix.tile_size, matrix.tile_size)
        assert opened.crs.to_epsg() == epsg


def test_the_catalogue_is_what_the_figures_speak_of() -> None:
    assert (len(TILED), len(UNTILED)) == (944, 77)


@pytest.mark.parametrize("protocol", ["tms", "twms", "wmts"])
def test_layers_without_picture_tiles_say_why(protocol: ServiceProtocol) -> None:
    for layer in UNTILED:
        why = "vector shapes" if layer.service == "vector" else "drawn by the server"
        for epsg in layer.projections:
            with pytest.raises(UnknownGridError, match=f"{why}.*no --xml {protocol} for it"):
                service_xml(layer, protocol, epsg=epsg, day=day_of(layer))


@pytest.mark.parametrize(
    ("protocol", "options", "error", "says"),
    [
        ("twms", {"epsg": 3413}, UnknownGridError, "EPSG:3413.*equator.*use --xml tms"),
        ("twms", {"epsg": 3031}, UnknownGridError, "EPSG:3031.*equator.*use --xml tms"),
        ("wms", {}, UsageError, "use tms, twms, wmts"),
        ("tms", {"epsg": 1}, UnknownGridError, "EPSG:1 is not a projection"),
        ("tms", {"tile_resolution": "31.25m"}, UnknownGridError, "finer than.*use 250m"),
        ("twms", {"tile_resolution": "31.25m"}, UnknownGridError, "finer than.*use 250m"),
        ("wmts", {"tile_resolution": "3km"}, UnknownGridError, "use 16km, 8km"),
        ("tms", {"day": dt.date(1999, 1, 1)}, DateRangeError, "2000-02-24 to today"),
        ("tms", {"day": dt.date(9999, 1, 1)}, DateRangeError, "in the future"),
        ("tms", {"base_url": "ftp://x"}, UsageError, "not an address"),
        ("tms", {"base_url": "http://a\x01b"}, UsageError, "characters that no address has"),
    ],
)
def test_refusals(
    protocol: ServiceProtocol, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        service_xml(COLOR, protocol, **options)


def test_days_of_special_layers() -> None:
    with pytest.raises(DateRangeError, match="has no time"):
        service_xml(STATIC, "tms", day=DAY)
    with pytest.raises(DateRangeError, match=r"give the time too, 2023-08-07Thh:mm:ssZ"):
        service_xml(SUB_DAILY, "tms", day=DAY)
    ended = find_layer("VIIRS_SNPP_DayNightBand_ENCC")
    if ended.end_date is not None:
        with pytest.raises(DateRangeError, match="its days are"):
            service_xml(ended, "tms", day=ended.end_date + dt.timedelta(days=1))
    with pytest.raises(UnknownGridError, match="use EPSG:4326, EPSG:3857"):
        service_xml(find_layer("MODIS_Terra_L2_Chlorophyll_A"), "tms", epsg=3413)


def test_a_day_in_a_gap_is_warned_of() -> None:
    with pytest.warns(GibswatchWarning, match="gap on 2022-10-12"):
        service_xml(COLOR, "tms", day=dt.date(2022, 10, 12))


def test_twms_says_that_it_has_all_levels() -> None:
    with pytest.warns(GibswatchWarning, match="use --xml tms"):
        service_xml(COLOR, "twms", day=DAY, tile_resolution="2km")


def test_instants_are_written_as_the_layer_has_them() -> None:
    instant = dt.datetime(2026, 6, 22, 14, 10, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert "/default/2026-06-22T12:10:00Z/" in service_xml(SUB_DAILY, "tms", day=instant)
    assert "/default/2023-08-07/" in service_xml(
        COLOR, "tms", day=dt.datetime(2023, 8, 7, 12, tzinfo=dt.UTC)
    )


@pytest.mark.parametrize("protocol", ["tms", "twms", "wmts"])
def test_texts_start_with_their_root_and_hide_no_error(protocol: ServiceProtocol) -> None:
    xml = service_xml(COLOR, protocol, day=DAY)
    assert xml.startswith("<Capabilities" if protocol == "wmts" else "<GDAL_WMS>")
    assert not re.search("UnsafeSSL|ZeroBlock|Cache", xml)


def test_the_polar_name_of_a_layer_is_asked_for() -> None:
    layer = find_layer("Coastlines_15m")
    assert "/best/Coastlines/default/" in service_xml(layer, "tms", epsg=3413)
    assert "<ows:Identifier>Coastlines</ows:Identifier>" in service_xml(layer, "wmts", epsg=3413)


@pytest.mark.parametrize("protocol", ["tms", "twms", "wmts"])
def test_values_are_escaped(tmp_path: Path, protocol: ServiceProtocol) -> None:
    nasty = "<&\"'>"
    layer = Layer(nasty, nasty, "", "wmts", "png", {4326: "2km"})
    written = write_service_xml(
        tmp_path / "a&b.xml", layer, protocol, base_url="http://127.0.0.1/a&b"
    )
    texts = [ET.fromstring(path.read_text("utf-8")) for path in written]
    words = [word for root in texts for e in root.iter() for word in (e.text, *e.attrib.values())]
    assert any(word and nasty in word for word in words)
    if protocol == "wmts":
        assert str(written[1]) in words


def test_a_moment_is_a_day_or_an_instant() -> None:
    assert parse_moment("2023-08-07") == DAY
    assert type(parse_moment("2023-08-07")) is dt.date
    for text in ("2023-8-7", "2023-08-07T12:00", "today", "2023-08-07T12:00:00+00:00", "x" * 99):
        with pytest.raises(DateRangeError, match="is not a date: give YYYY-MM-DD"):
            parse_moment(text)
    with pytest.raises(DateRangeError, match="not in the calendar"):
        parse_moment("2023-02-29")


def test_files_are_whole_or_absent(tmp_path: Path) -> None:
    (tmp_path / "taken.xml").mkdir()
    with pytest.raises(OutputError):
        write_service_xml(tmp_path / "taken.xml", COLOR, "tms", day=DAY)
    with pytest.raises(DateRangeError):
        write_service_xml(tmp_path / "new.xml", COLOR, "tms", day=dt.date(9999, 1, 1))
    assert [path.name for path in tmp_path.iterdir()] == ["taken.xml"]


def test_no_warning_for_a_day_that_the_layer_has() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        service_xml(COLOR, "tms", day=DAY)
