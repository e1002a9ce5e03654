"""The Tiled WMS: what it answers, and what GDAL's TiledWMS driver makes of it."""

import datetime as dt
import subprocess
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
import simplejpeg
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile
from rasterio.windows import Window

from gibswatch.catalogue import tile_matrix_set, tile_matrix_sets
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.simulate.server import TileService
from gibswatch.simulate.server.service import Answer
from gibswatch.simulate.server.twms import answer, find_tile
from gibswatch.simulate.server.twms_documents import group_name
from gibswatch.types import BBox, ByteArray

NAME = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAY = dt.date(2023, 8, 7)
SETS = {4326: "250m", 3857: "GoogleMapsCompatible_Level9"}
COLOUR = ServedLayer(NAME, "jpg", SETS)
MASK = ServedLayer("A_Mask", "png", {4326: "1km"})
DRAWN = DrawnDays(NAME, 3, dt.date(2023, 8, 5), 4, rows=128)
LAYERS = {
    NAME: (COLOUR, GlobeSource(DRAWN.globe, DRAWN.dates, "jpg")),
    "A_Mask": (MASK, GlobeSource(DRAWN.globe, DRAWN.dates, "png")),
}
SERVICE = TileService(LAYERS)
ADDRESS = "http://127.0.0.1:1/twms/epsg4326/best/"


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(create_app(LAYERS)) as server:
        yield server


@pytest.fixture
def server(running: EmbeddedServer) -> EmbeddedServer:
    running.requests.clear()
    return running


def ask(epsg: int = 4326, /, **words: str) -> Answer:
    return answer(SERVICE, epsg, "best", words, ADDRESS)


def get_map(epsg: int = 4326, /, **words: str) -> Answer:
    given = {"request": "GetMap", "layers": NAME, "time": "2023-08-07", "bbox": "-36,18,0,54"}
    return ask(epsg, **{**given, **words})


def service_xml(server: EmbeddedServer, epsg: int = 4326, *, day: str | None = "2023-08-07") -> str:
    change = f'<Change key="${{time}}">{day}</Change>' if day else ""
    return (
        '<GDAL_WMS><Service name="TiledWMS">'
        f"<ServerUrl>{server.base_url}/twms/epsg{epsg}/best/twms.cgi?</ServerUrl>"
        f"<TiledGroupName>{group_name(NAME)}</TiledGroupName>{change}</Service></GDAL_WMS>"
    )


def asked_times(server: EmbeddedServer) -> set[str]:
    queries = [parse_qs(record.query) for record in server.requests]
    maps = [query for query in queries if query.get("request") == ["GetMap"]]
    assert maps
    return {query.get("time", ["none"])[0] for query in maps}


def wmts_tile(server: EmbeddedServer, where: str, epsg: int = 4326) -> bytes:
    path = f"/wmts/epsg{epsg}/best/{NAME}/default/2023-08-07/{SETS[epsg]}/{where}.jpg"
    with urllib.request.urlopen(server.base_url + path, timeout=20) as reply:
        return bytes(reply.read())


def decoded_by_gdal(data: bytes) -> ByteArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with MemoryFile(data) as file, file.open() as dataset:
            return np.asarray(dataset.read())


def test_a_map_is_the_tile() -> None:
    found = get_map()
    same = SERVICE.tile(NAME, 4326, "2023-08-07", "250m", 3, 1, 4)
    assert (found.status, found.body, found.headers) == (200, same.body, same.headers)
    assert found.headers["Layer-Time-Actual"] == "2023-08-07T00:00:00Z"
    assert get_map(bbox="-036.00000000,0018.00000000,0000.00000000,0054.00000000") == found
    assert get_map(width="256", srs="EPSG:1", format="x") == found  # mod_twms does not look at them
    assert get_map(request="") == found


def test_without_a_time_it_is_the_default_day() -> None:
    for words in ({"time": ""}, {"time": "default"}):
        assert get_map(**words).headers["Layer-Time-Actual"] == "2023-08-08T00:00:00Z"
    assert get_map(time="2023-09-01").status == 404


def test_web_mercator_tiles_have_256_pixels() -> None:
    half = tile_matrix_set(3857, SETS[3857]).matrix(1).tile_span
    found = get_map(3857, bbox=f"0,0,{half:.6f},{half:.6f}")
    assert simplejpeg.decode_jpeg(found.body).shape == (256, 256, 3)


@pytest.mark.parametrize(
    ("words", "locator"),
    [
        ({"bbox": "-35.8,18,0.2,54"}, "BBOX"),  # off by more than half of 0.0703125 degrees
        ({"bbox": "-36,18,1,55"}, "BBOX"),
        ({"bbox": "0,54,-36,18"}, "BBOX"),
        ({"bbox": "180,18,216,54"}, "BBOX"),
        ({"bbox": "-36,18,0"}, "BBOX"),
        ({"bbox": "-36,18,0,north"}, "BBOX"),
        ({"bbox": "nan,18,0,54"}, "BBOX"),
        ({"bbox": ""}, "BBOX"),
        ({"layers": "No_Such"}, "LAYERS"),
        ({"layers": ""}, "LAYERS"),
        ({"layers": f"{NAME},A_Mask"}, "LAYERS"),
        ({"time": "yesterday"}, "TIME"),
    ],
)
def test_refusals(words: dict[str, str], locator: str) -> None:
    found = get_map(**words)
    assert (found.status, found.media_type) == (400, "text/xml")
    assert f'locator="{locator}"' in found.body.decode()


def test_layers_are_of_their_projections_and_collections() -> None:
    half = tile_matrix_set(3857, SETS[3857]).matrix(0).tile_span / 2
    box = f"{-half:.6f},{-half:.6f},{half:.6f},{half:.6f}"
    asked = {"request": "GetMap", "layers": "A_Mask", "bbox": box}
    assert answer(SERVICE, 3857, "best", asked, ADDRESS).status == 400
    assert answer(SERVICE, 4326, "latest", {}, ADDRESS).status == 404
    assert answer(SERVICE, 4258, "best", {}, ADDRESS).status == 404


def test_half_a_pixel_is_forgiven() -> None:
    grid = tile_matrix_set(4326, "250m")
    step = grid.matrix(6).pixel_size
    for off, found in ((0.4, (6, 13, 36)), (-0.4, (6, 13, 36)), (0.6, None), (-0.6, None)):
        moved = off * step
        box = BBox(-18 + moved, 27 + moved, -13.5 + moved, 31.5 + moved)
        assert find_tile(grid, box) == found


@pytest.mark.parametrize("epsg", [4326, 3857, 3413, 3031])
def test_every_corner_tile_is_found(epsg: int) -> None:
    grid = tile_matrix_set(epsg, tile_matrix_sets(epsg)[-1])
    for matrix in grid.matrices:
        for row, col in ((0, 0), (matrix.matrix_rows - 1, matrix.matrix_cols - 1)):
            west = grid.extent.west + col * matrix.tile_span
            north = grid.extent.north - row * matrix.tile_span
            edges = (west, north - matrix.tile_span, west + matrix.tile_span, north)
            box = BBox(*(float(f"{edge:.6f}") for edge in edges))
            assert find_tile(grid, box) == (matrix.level, row, col)


def test_documents() -> None:
    every = ask(request="gettileservice")
    assert (every.status, every.media_type) == (200, "text/xml")
    assert every.headers["Cache-Control"] == "public, max-age=1800"
    names = [name.text for name in ET.fromstring(every.body).iter("Name")]
    assert names[1:] == [group_name(NAME), group_name("A_Mask")]
    one = ask(request="GETTILESERVICE", layers="A_Mask")
    assert [name.text for name in ET.fromstring(one.body).iter("Name")][1:] == ["A Mask tileset"]
    assert ask(request="GetTileService", layers="No_Such").status == 400
    listed = ask(request="GetCapabilities")
    assert b"<Name>A_Mask</Name>" in listed.body


def test_over_http_names_in_any_case(server: EmbeddedServer) -> None:
    base = f"{server.base_url}/twms/epsg4326/best/twms.cgi"
    for query in ("ReQuest=GETCAPABILITIES", "REQUEST=GetTileService"):
        with urllib.request.urlopen(f"{base}?{query}", timeout=20) as reply:
            assert f"{server.base_url}/twms/epsg4326/best/".encode() in reply.read()
    query = f"REQUEST=GetMap&LAYERS={NAME}&TIME=2023-08-07&BBox=-36,18,0,54"
    with urllib.request.urlopen(f"{base}?{query}", timeout=20) as reply:
        assert reply.headers["Content-Type"] == "image/jpeg"
    assert list(server.requests)[-1].query == query


@pytest.mark.parametrize("epsg", [4326, 3857])
def test_rasterio_reads_the_pixels_of_the_tiles(server: EmbeddedServer, epsg: int) -> None:
    with rasterio.open(service_xml(server, epsg)) as dataset:
        sizes = {4326: (163840, 81920), 3857: (131072, 131072)}
        assert (dataset.width, dataset.height) == sizes[epsg]
        assert (dataset.count, dataset.crs.to_epsg()) == (3, epsg)
        size = dataset.block_shapes[0][0]
        factor = 2 ** (8 - 3) if epsg == 4326 else 2 ** (9 - 2)
        window = Window(size * factor, size * factor, size * factor, size * factor)
        pixels = dataset.read(window=window, out_shape=(3, size, size))
    where = "3/1/1" if epsg == 4326 else "2/1/1"
    np.testing.assert_array_equal(pixels, decoded_by_gdal(wmts_tile(server, where, epsg)))
    assert len(np.unique(pixels)) > 50
    assert asked_times(server) == {"2023-08-07"}


def test_gdal_without_a_change_asks_for_the_default_day(server: EmbeddedServer) -> None:
    with rasterio.open(service_xml(server, day=None)) as dataset:
        dataset.read(1, window=Window(0, 0, 512, 512))
    assert asked_times(server) == {"none"}


def test_png_layers_have_four_bands(server: EmbeddedServer) -> None:
    xml = service_xml(server).replace(group_name(NAME), group_name("A_Mask"))
    limited = xml.replace("twms.cgi?", "twms.cgi?layers=A_Mask&amp;")
    with rasterio.open(limited) as dataset:
        assert (dataset.count, dataset.width) == (4, 40960)
    assert next(iter(server.requests)).query.startswith("layers=A_Mask&request=Get")


def run_gdal(*arguments: object) -> str:
    done = subprocess.run(
        [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.skipif(not Path("/usr/bin/gdal_translate").exists(), reason="no gdal_translate")
def test_debians_gdal(server: EmbeddedServer, tmp_path: Path) -> None:
    (tmp_path / "layer.xml").write_text(service_xml(server), "utf-8")
    told = run_gdal("/usr/bin/gdalinfo", tmp_path / "layer.xml")
    assert "Size is 163840, 81920" in told
    assert "Change=${time}=2023-08-07" in told
    window = ("-outsize", 512, 512, "-projwin", -36, 54, 0, 18)
    picture = tmp_path / "out.tif"
    run_gdal("/usr/bin/gdal_translate", "-q", *window, tmp_path / "layer.xml", picture)
    with rasterio.open(picture) as dataset:
        pixels = np.moveaxis(dataset.read(), 0, 2)
    np.testing.assert_array_equal(pixels, simplejpeg.decode_jpeg(wmts_tile(server, "3/1/4"), "RGB"))
    assert asked_times(server) == {"2023-08-07"}
