"""The capabilities of WMTS: against OnEarth's own files, and read by OWSLib and GDAL."""

import datetime as dt
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio

from gibswatch.catalogue.domains import parse_domain
from gibswatch.catalogue.grids import tile_matrix_set, tile_matrix_sets
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.simulate.server.service import TileService
from gibswatch.simulate.server.sources import MatrixLimits
from gibswatch.simulate.server.wmts_documents import capabilities, element, scale_denominator
from gibswatch.types import EPSG_CODES

OWS = "{http://www.opengis.net/ows/1.1}"
WMTS = "{http://www.opengis.net/wmts/1.0}"
XLINK = "{http://www.w3.org/1999/xlink}"
SETS = {4326: "250m", 3413: "250m", 3031: "250m", 3857: "GoogleMapsCompatible_Level9"}
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
EIGHT_DAYS = ",".join(
    f"{year}-01-01/{year}-12-27/P8D,{year}-12-29/{year}-12-29/P1D" for year in range(1960, 2024)
)
DISC = (MatrixLimits(4, 0, 9, 1, 10), MatrixLimits(5, 0, 18, 2, 20))
OWSLIB_BUG = "ignore:Truth-testing of elements:FutureWarning:owslib"


@pytest.fixture(scope="module")
def source(drawn: DrawnDays) -> GlobeSource:
    return GlobeSource(drawn.globe, drawn.dates, "jpg")


@pytest.fixture(scope="module")
def service(source: GlobeSource) -> TileService:
    layers = [
        ServedLayer(LAYER, "jpg", SETS, title="Corrected <Reflectance> & more"),
        ServedLayer("Cut", "png", {4326: "1km"}, periods=parse_domain(EIGHT_DAYS)),
        ServedLayer("Disc", "png", {4326: "1km"}, periods=parse_domain("2023-08-01"), limits=DISC),
        ServedLayer("Static", "png", {4326: "15.625m"}, is_static=True),
    ]
    return TileService({layer.identifier: (layer, source) for layer in layers})


@pytest.fixture(scope="module")
def web(service: TileService) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(create_app(service.layers)) as running:
        yield running


def shape(root: ET.Element, *, without: Iterable[str] = ()) -> Counter[tuple[str, str]]:
    """Count what a document is made of: elements by their paths, with the names of attributes."""
    found: Counter[tuple[str, str]] = Counter()

    def walk(here: ET.Element, above: str) -> None:
        path = f"{above}/{here.tag}"
        if here.tag in without:
            return
        found[path, " ".join(sorted(here.attrib))] += 1
        for child in here:
            walk(child, path)

    walk(root, "")
    return found


def texts(root: ET.Element) -> list[tuple[str, str, str]]:
    """All that a document says, in its order: tag, words, attributes without scheme and host."""
    said = []
    for here in root.iter():
        values = (urlsplit(v)._replace(scheme="", netloc="").geturl() for v in here.attrib.values())
        words, given = (" ".join(text.split()) for text in (here.text or "", " ".join(values)))
        said.append((here.tag, words, given))
    return said


def written(service: TileService, epsg: int = 4326) -> ET.Element:
    return ET.fromstring(capabilities(service, epsg, "best", "http://here"))


def layer_of(root: ET.Element, name: str) -> ET.Element:
    layers = root.findall(f"{WMTS}Contents/{WMTS}Layer")
    return next(layer for layer in layers if layer.findtext(f"{OWS}Identifier") == name)


@pytest.mark.realdata
def test_the_header_is_that_of_onearth(service: TileService, real_data: Path) -> None:
    path = real_data / "service" / "samples" / "epsg4326_best_header_gc.xml"
    theirs, ours = ET.parse(path).getroot(), written(service)
    assert shape(ours, without=[f"{WMTS}Contents"]) == shape(theirs)
    order = [child.tag for child in ours]
    contents = ours.find(f"{WMTS}Contents")
    assert contents is not None
    assert order.index(f"{WMTS}Contents") == len(order) - 2
    ours.remove(contents)
    assert texts(ours) == texts(theirs)


@pytest.mark.realdata
def test_limits_are_written_as_in_onearths_file(service: TileService, real_data: Path) -> None:
    path = real_data / "service" / "samples" / "tilematrixsetlimits.xml"
    theirs = ET.parse(path).getroot()[0]
    theirs.attrib.clear()  # their number, which is not carried over into the capabilities
    ours = layer_of(written(service), "Disc").find(f".//{WMTS}TileMatrixSetLimits")
    assert ours is not None
    bare = ET.fromstring(ET.tostring(ours, encoding="unicode").replace("ns0:", ""))
    assert set(shape(bare)) == set(shape(theirs))
    four, five = texts(bare)[1:7], texts(bare)[7:]
    assert four == texts(theirs[4])
    assert five == texts(theirs[5])


@pytest.mark.realdata
@pytest.mark.parametrize("epsg", EPSG_CODES)
def test_matrix_sets_are_those_of_onearth(service: TileService, real_data: Path, epsg: int) -> None:
    definitions = ET.parse(real_data / "service" / "tilematrixsets.xml").getroot()
    theirs = next(p for p in definitions if p.get("id") == f"EPSG:{epsg}")
    known = {s.findtext(f"{OWS}Identifier"): texts(s) for s in theirs}
    ours = written(service, epsg).findall(f"{WMTS}Contents/{WMTS}TileMatrixSet")
    listed = {
        s.findtext(f"{OWS}Identifier"): [(tag.replace(WMTS, ""), *rest) for tag, *rest in texts(s)]
        for s in ours
    }
    assert listed == known


def test_scale_denominators_agree_with_the_grids() -> None:
    for epsg in EPSG_CODES:
        for name in tile_matrix_sets(epsg):
            grid = tile_matrix_set(epsg, name)
            for level in range(grid.max_level + 1):
                exact = grid.scale_denominator(level)
                assert float(scale_denominator(epsg, level)) == pytest.approx(exact, rel=1e-14)


def test_a_layer(service: TileService) -> None:
    layer = layer_of(written(service), LAYER)
    assert [child.tag.partition("}")[2] for child in layer] == [
        *("Title", "WGS84BoundingBox", "Identifier", "Style", "Dimension"),
        *("TileMatrixSetLink", "Format", *["ResourceURL"] * 8),
    ]
    assert layer.findtext(f"{OWS}Title") == "Corrected <Reflectance> & more"
    box = layer.find(f"{OWS}WGS84BoundingBox")
    assert box is not None
    assert [corner.text for corner in box] == ["-180 -90", "180 90"]
    style = layer.find(f"{WMTS}Style")
    assert style is not None
    assert style.get("isDefault") == "true"
    assert style.findtext(f"{OWS}Identifier") == "default"
    assert layer.findtext(f"{WMTS}Format") == "image/jpeg"
    assert layer.findtext(f"{WMTS}TileMatrixSetLink/{WMTS}TileMatrixSet") == "250m"
    dimension = layer.find(f"{WMTS}Dimension")
    assert dimension is not None
    assert [child.text for child in dimension] == [
        *("Time", "ISO8601", "2023-08-14", "false", "2023-08-01/2023-08-14/P1D")
    ]


def test_addresses(service: TileService) -> None:
    found = layer_of(written(service), LAYER).findall(f"{WMTS}ResourceURL")
    base = "http://here/wmts/epsg4326/best"
    tile = "{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.jpeg"
    tiles = [url.get("template") for url in found if url.get("resourceType") == "tile"]
    assert tiles == [f"{base}/{LAYER}/default/{time}{tile}" for time in ("{Time}/", "", "default/")]
    domains = [url.get("template") for url in found if url.get("resourceType") == "Domains"]
    start = f"{base}/1.0.0/{LAYER}/default/{{TileMatrixSet}}/"
    ends = [(d or "").removeprefix(start) for d in domains]
    assert "all/{TimeStart}--{TimeEnd}.xml" in ends
    assert "{BBOX}/all.xml" in ends
    assert {url.get("format") for url in found} == {"image/jpeg", "text/xml"}


def test_only_the_latest_hundred_periods_are_listed(service: TileService) -> None:
    dimension = layer_of(written(service), "Cut").find(f"{WMTS}Dimension")
    assert dimension is not None
    values = [value.text for value in dimension.findall(f"{WMTS}Value")]
    assert values == EIGHT_DAYS.split(",")[-100:]
    assert dimension.findtext(f"{WMTS}Default") == "2023-12-29"


def test_legends_of_a_coloured_layer(service: TileService) -> None:
    legends = layer_of(written(service), "Cut").findall(f"{WMTS}Style/{WMTS}LegendURL")
    assert [legend.get(f"{XLINK}href") for legend in legends] == [
        "http://here/legends/Cut_H.svg",
        "http://here/legends/Cut_V.svg",
    ]
    assert {legend.get("format") for legend in legends} == {"image/svg+xml"}


def test_a_layer_without_time(service: TileService) -> None:
    layer = layer_of(written(service), "Static")
    assert layer.find(f"{WMTS}Dimension") is None
    templates = [url.get("template", "") for url in layer.findall(f"{WMTS}ResourceURL")]
    assert len(templates) == 2
    assert not [template for template in templates if "Time" in template]


def test_other_projections_list_their_layers_and_boxes(service: TileService) -> None:
    arctic = written(service, 3413)
    names = [e.text for e in arctic.findall(f"{WMTS}Contents/{WMTS}Layer/{OWS}Identifier")]
    assert names == [LAYER]
    boxes = layer_of(arctic, LAYER).findall(f"{OWS}BoundingBox")
    assert [box.get("crs") for box in boxes] == ["urn:ogc:def:crs:EPSG::3413"]
    assert [corner.text for corner in boxes[0]] == ["-4194304 -4194304", "4194304 4194304"]


def test_what_comes_from_outside_is_escaped(service: TileService) -> None:
    root = ET.fromstring(capabilities(service, 4326, "best", 'http://a"<b>&'))
    assert root.find(f".//{OWS}Get") is not None
    assert root[-1].get(f"{XLINK}href", "").startswith('http://a"<b>&/wmts/')
    assert ET.tostring(element("a", "<", {"b": '"'})) == b'<a b="&quot;">&lt;</a>'


@pytest.mark.filterwarnings(OWSLIB_BUG)
def test_owslib_reads_it_and_fetches_a_tile(web: EmbeddedServer, source: GlobeSource) -> None:
    from owslib.wmts import WebMapTileService

    path = "/wmts/epsg4326/best/1.0.0/WMTSCapabilities.xml"
    read = WebMapTileService(url=None, xml=fetch(web, path))
    assert sorted(read.contents) == ["Cut", "Disc", LAYER, "Static"]
    assert list(read.tilematrixsets) == list(tile_matrix_sets(4326))
    layer = read[LAYER]
    assert layer.formats == ["image/jpeg"]
    assert layer.boundingBoxWGS84 == (-180.0, -90.0, 180.0, 90.0)
    assert list(layer.tilematrixsetlinks) == ["250m"]
    assert len(read["Cut"].dimensions["Time"]["values"]) == 100
    assert read["Cut"].styles["default"]["legend"].endswith("/legends/Cut_H.svg")
    limits = read["Disc"].tilematrixsetlinks["1km"].tilematrixlimits
    assert (limits["5"].mintilecol, limits["5"].maxtilecol) == (2, 20)
    level = read.tilematrixsets["250m"].tilematrix["3"]
    assert (level.matrixwidth, level.matrixheight, level.topleftcorner) == (10, 5, (-180.0, 90.0))
    assert [operation.name for operation in read.operations] == ["GetCapabilities", "GetTile"]
    where = {"tilematrixset": "250m", "tilematrix": "2", "row": 1, "column": 2}
    got = read.gettile(layer=LAYER, format="image/jpeg", time="2023-08-05", **where)
    grid = tile_matrix_set(4326, "250m").matrix(2)
    assert got.read() == source.tile(dt.date(2023, 8, 5), 4326, grid, 1, 2)


@pytest.mark.filterwarnings(OWSLIB_BUG)
@pytest.mark.parametrize("epsg", EPSG_CODES)
def test_owslib_reads_every_projection(service: TileService, epsg: int) -> None:
    from owslib.wmts import WebMapTileService

    read = WebMapTileService(url=None, xml=capabilities(service, epsg, "best", "http://here"))
    assert LAYER in read.contents
    assert list(read.tilematrixsets) == list(tile_matrix_sets(epsg))


@pytest.mark.parametrize("epsg", EPSG_CODES)
def test_gdal_opens_every_projection(web: EmbeddedServer, tmp_path: Path, epsg: int) -> None:
    address = f"{web.base_url}/wmts/epsg{epsg}/best/1.0.0/WMTSCapabilities.xml"
    grid = tile_matrix_set(epsg, SETS[epsg])
    with gdal(tmp_path), rasterio.open(f"WMTS:{address},layer={LAYER}") as opened:
        assert opened.driver == "WMTS"
        assert opened.bounds == pytest.approx(grid.extent.as_tuple())
        finest = grid.matrix(grid.max_level)
        assert opened.res == pytest.approx((finest.pixel_size,) * 2)
        assert len(opened.overviews(1)) == grid.max_level


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_gdal_reads_the_default_day(
    web: EmbeddedServer, source: GlobeSource, tmp_path: Path
) -> None:
    address = f"{web.base_url}/wmts/epsg4326/best/1.0.0/WMTSCapabilities.xml"
    web.requests.clear()
    name = f"WMTS:{address},layer={LAYER}"
    with gdal(tmp_path), rasterio.open(name, overview_level=5) as opened:
        window = rasterio.windows.Window(1024, 512, 512, 512)
        pixels = opened.read((1, 2, 3), window=window)
    tiles = [record.path for record in web.requests if record.path.endswith(".jpeg")]
    folder = f"/wmts/epsg4326/best/{LAYER}/default/2023-08-14/250m"
    assert tiles == [f"{folder}/2/1/2.jpeg"]
    made = source.tile(dt.date(2023, 8, 14), 4326, tile_matrix_set(4326, "250m").matrix(2), 1, 2)
    assert made is not None
    with rasterio.io.MemoryFile(made) as file, file.open() as picture:
        assert np.array_equal(pixels, picture.read())


def gdal(folder: Path) -> rasterio.Env:
    """GDAL with a tile cache of its own: it keeps tiles by address, and ports come again."""
    return rasterio.Env(GDAL_DEFAULT_WMS_CACHE_PATH=str(folder))


def fetch(web: EmbeddedServer, path: str) -> bytes:
    with urllib.request.urlopen(web.base_url + path, timeout=10) as answer:
        body: bytes = answer.read()
        return body
