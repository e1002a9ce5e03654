"""The WMS: what it answers, and what clients that we did not write make of it."""

import datetime as dt
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
import simplejpeg
from owslib.util import ServiceException
from owslib.wms import WebMapService
from rasterio.windows import Window

from gibswatch.raster import decode_picture
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.simulate.server import TileService
from gibswatch.simulate.server.service import Answer
from gibswatch.simulate.server.wms import answer
from gibswatch.simulate.server.wms_documents import WmsVersion

NAME = "MODIS_Terra_CorrectedReflectance_TrueColor"
DRAWN = DrawnDays(NAME, 3, dt.date(2023, 8, 5), 4, rows=128)
SERVED = ServedLayer(NAME, "jpg", {4326: "250m"}, title="Corrected Reflectance (True Color)")
LAYERS = {
    NAME: (SERVED, GlobeSource(DRAWN.globe, DRAWN.dates, "jpg")),
    "A_Mask": (
        ServedLayer("A_Mask", "png", {4326: "1km"}),
        GlobeSource(DRAWN.globe, DRAWN.dates, "png"),
    ),
}
SERVICE = TileService(LAYERS)
ADDRESS = "http://127.0.0.1:1/wms/epsg4326/best/?"
OWS = "{http://www.opengis.net/ows/1.1}"
OGC = "{http://www.opengis.net/ogc}"
VERSIONS: tuple[WmsVersion, ...] = ("1.1.1", "1.3.0")
TILE_BOX = (-36.0, 18.0, 0.0, 54.0)


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(create_app(LAYERS)) as server:
        yield server


@pytest.fixture
def server(running: EmbeddedServer) -> EmbeddedServer:
    running.requests.clear()
    return running


def ask(**words: str) -> Answer:
    return answer(SERVICE, "best", words, ADDRESS)


def get_map(**words: str) -> Answer:
    given = {"request": "GetMap", "version": "1.3.0", "layers": NAME, "styles": ""}
    given |= {"crs": "EPSG:4326", "bbox": "18,-36,54,0", "width": "512", "height": "512"}
    given |= {"format": "image/png", "time": "2023-08-07"}
    return ask(**{**given, **words})


def pixels_of(found: Answer) -> np.ndarray:
    assert (found.status, found.media_type) == (200, "image/png")
    return decode_picture(found.body, image_format="png")


def tile(time: str) -> np.ndarray:
    return np.asarray(
        simplejpeg.decode_jpeg(SERVICE.tile(NAME, 4326, time, "250m", 3, 1, 4).body, "RGB")
    )


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2023-08-07", "2023-08-07"),
        ("2023-08-07T13:00:00Z", "2023-08-07"),
        ("2023-08-06/2023-08-08", "2023-08-06"),
        ("2023-08-06/2023-08-08/P1D", "2023-08-06"),
        ("default", "2023-08-08"),
        ("", "2023-08-08"),
    ],
)
def test_a_map_is_of_the_asked_day(time: str, day: str) -> None:
    np.testing.assert_array_equal(pixels_of(get_map(time=time))[..., :3], tile(day))
    assert not np.array_equal(tile("2023-08-06"), tile("2023-08-07"))


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2023-8-7", "Invalid time format"),
        ("2023-02-30", "Invalid time format"),
        ("current", "Invalid time format"),
        ("2023-08-07/now", "Invalid time range format"),
        ("2023-08-07/2023-08-08/P1D/x", "Invalid time format"),
    ],
)
def test_bad_times_are_ows_reports_with_status_200(time: str, text: str) -> None:
    found = get_map(time=time)
    assert (found.status, found.media_type) == (200, "text/xml")
    fault = ET.fromstring(found.body)[0]
    assert (fault.get("exceptionCode"), fault.get("locator")) == ("InvalidParameterValue", "TIME")
    assert (fault.findtext(f"{OWS}ExceptionText") or "").startswith(text)


@pytest.mark.realdata
def test_refusals_are_the_real_ones(real_data: Path) -> None:
    samples = real_data / "service" / "samples"
    found = get_map(format="cr2")
    assert found.status == 200
    wanted = ET.fromstring((samples / "InvalidGetMapFormatResponse.xml").read_bytes())
    ours = ET.fromstring(found.body)
    assert (ours.tag, ours.attrib, ours[0].attrib) == (wanted.tag, wanted.attrib, wanted[0].attrib)
    assert ours[0][0].text == wanted[0][0].text
    found = get_map(layers="No_Such")
    assert found.body.split() == (samples / "MissingLayerResponse.xml").read_bytes().split()


def test_missing_words_are_pages_with_status_200() -> None:
    for found, name in ((ask(), "REQUEST"), (get_map(format=""), "FORMAT")):
        assert (found.status, found.media_type) == (200, "text/html")
        assert found.body.decode() == f"<html><body>No {name} parameter specified</body></html>"


def test_other_requests() -> None:
    found = ask(request="GetFeatureInfo", version="1.1.1")
    assert (found.status, found.media_type) == (200, "application/vnd.ogc.se_xml")
    assert ET.fromstring(found.body)[0].get("code") == "OperationNotSupported"
    legend = ask(request="GetLegendGraphic", layer="A_Mask", format="image/png")
    assert pixels_of(legend).shape == (86, 378, 4)
    assert answer(SERVICE, "latest", {}, ADDRESS).status == 404


def test_a_day_outside_the_domain_is_an_exception_with_status_200() -> None:
    found = get_map(time="2023-09-01")
    assert (found.status, found.media_type) == (200, "text/xml")
    (fault,) = ET.fromstring(found.body)
    assert fault.tag == f"{OGC}ServiceException"
    assert f"Failed to draw layer named '{NAME}'" in (fault.text or "")


def test_exceptions_as_pictures() -> None:
    blank = pixels_of(get_map(layers="No_Such", exceptions="BLANK"))
    assert (blank.shape, blank.max()) == ((512, 512, 4), 0)
    written = get_map(layers="No_Such", exceptions="application/vnd.ogc.se_inimage")
    assert pixels_of(written)[:20, :, 0].max() > 0


def test_over_http(server: EmbeddedServer) -> None:
    query = (
        f"Service=WMS&REQUEST=GetMap&Version=1.1.1&LAYERS={NAME}&SRS=EPSG:4326&BBOX=-36,18,0,54"
        "&WIDTH=512&HEIGHT=512&FORMAT=image%2Fpng&TIME=2023-08-07"
    )
    address = f"{server.base_url}/wms/epsg4326/best"
    replies = []
    for url, body in (
        (f"{address}/wms.cgi?{query}", None),
        (f"{address}/?{query}", None),
        (f"{address}/?", query.encode()),
    ):
        with urllib.request.urlopen(url, body, timeout=20) as reply:
            assert reply.headers["Content-Type"] == "image/png"
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
            replies.append(reply.read())
    assert replies[0] == replies[1] == replies[2]
    pixels = decode_picture(replies[0], image_format="png")
    np.testing.assert_array_equal(pixels[..., :3], tile("2023-08-07"))
    assert [record.method for record in server.requests] == ["GET", "GET", "POST"]
    assert next(iter(server.requests)).query == query


@pytest.mark.parametrize("version", VERSIONS)
def test_owslib(server: EmbeddedServer, version: WmsVersion) -> None:
    service = WebMapService(f"{server.base_url}/wms/epsg4326/best/wms.cgi", version=version)
    assert service[NAME].timepositions == ["2023-08-05/2023-08-08/P1D"]
    given = {"srs": "EPSG:4326", "bbox": TILE_BOX, "size": (512, 512), "time": "2023-08-07"}
    reply = service.getmap(layers=[NAME], format="image/png", transparent=True, **given)
    pixels = decode_picture(reply.read(), image_format="png")
    np.testing.assert_array_equal(pixels[..., :3], tile("2023-08-07"))
    reply = service.getmap(layers=[NAME, "A_Mask"], format="image/jpeg", **given)
    assert simplejpeg.decode_jpeg(reply.read()).shape == (512, 512, 3)
    maps = [parse_qs(record.query.lower()) for record in server.requests][1:]
    assert [asked["time"] for asked in maps] == [["2023-08-07"]] * 2
    box = "18.0,-36.0,54.0,0.0" if version == "1.3.0" else "-36.0,18.0,0.0,54.0"
    assert maps[0]["bbox"] == [box]


def test_owslib_names_the_refusal(server: EmbeddedServer) -> None:
    service = WebMapService(f"{server.base_url}/wms/epsg4326/best/wms.cgi", version="1.1.1")
    given = {"srs": "EPSG:4326", "bbox": TILE_BOX, "size": (8, 8), "format": "image/png"}
    with pytest.raises(ServiceException, match=r"invalid LAYER\(s\)"):
        service.getmap(layers=["No_Such"], **given)


def service_xml(server: EmbeddedServer, version: WmsVersion) -> str:
    crs, order = ("SRS", "xyXY") if version == "1.1.1" else ("CRS", "yxYX")
    return (
        f'<GDAL_WMS><Service name="WMS"><Version>{version}</Version>'
        f"<ServerUrl>{server.base_url}/wms/epsg4326/best/wms.cgi?TIME=2023-08-07</ServerUrl>"
        f"<{crs}>EPSG:4326</{crs}><BBoxOrder>{order}</BBoxOrder>"
        f"<ImageFormat>image/png</ImageFormat><Layers>{NAME}</Layers></Service>"
        "<DataWindow><UpperLeftX>-180</UpperLeftX><UpperLeftY>90</UpperLeftY>"
        "<LowerRightX>180</LowerRightX><LowerRightY>-90</LowerRightY>"
        "<SizeX>5120</SizeX><SizeY>2560</SizeY></DataWindow>"
        "<Projection>EPSG:4326</Projection><BandsCount>3</BandsCount>"
        "<BlockSizeX>512</BlockSizeX><BlockSizeY>512</BlockSizeY></GDAL_WMS>"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_rasterio(server: EmbeddedServer, version: WmsVersion) -> None:
    with rasterio.open(service_xml(server, version)) as dataset:
        pixels = dataset.read(window=Window(4 * 512, 512, 512, 512))
    np.testing.assert_array_equal(np.moveaxis(pixels, 0, 2), tile("2023-08-07"))
    maps = [parse_qs(record.query.lower()) for record in server.requests]
    assert {asked["time"][0] for asked in maps} == {"2023-08-07"}


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
    address = f"{server.base_url}/wms/epsg4326/best/wms.cgi"
    told = run_gdal("/usr/bin/gdalinfo", f"WMS:{address}?SERVICE=WMS&REQUEST=GetCapabilities")
    assert f"LAYERS={NAME}" in told
    (tmp_path / "layer.xml").write_text(service_xml(server, "1.3.0"), "utf-8")
    window = ("-projwin", -36, 54, 0, 18)
    picture = tmp_path / "out.tif"
    run_gdal("/usr/bin/gdal_translate", "-q", *window, tmp_path / "layer.xml", picture)
    with rasterio.open(picture) as dataset:
        np.testing.assert_array_equal(np.moveaxis(dataset.read(), 0, 2), tile("2023-08-07"))
