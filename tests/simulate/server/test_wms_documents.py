"""The documents of the WMS, as MapServer and GIBS write them."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from owslib.wms import WebMapService

from gibswatch.catalogue import parse_domain
from gibswatch.simulate.server import ServedLayer
from gibswatch.simulate.server.wms_documents import (
    ListedLayer,
    WmsVersion,
    capabilities,
    service_exception,
)

ADDRESS = "http://127.0.0.1:1/wms/epsg4326/best/?"
COLOUR = ListedLayer(
    ServedLayer("A_Colour", "jpg", {4326: "250m"}, title="Reflectance <True> (Terra)"),
    parse_domain("2023-08-01/2023-08-14/P1D,2023-08-16/2023-08-20/P1D"),
    "2023-08-20",
)
BANDS = ListedLayer(
    ServedLayer("A_Bands", "jpg", {4326: "250m"}, title="Reflectance <True> (Bands)"),
    parse_domain("2023-08-01/2023-08-14/P1D"),
    "2023-08-14",
)
COAST = ListedLayer(ServedLayer("Coast & Co", "png", {4326: "15.625m"}, is_static=True), (), "")
LAYERS = [COLOUR, COAST, BANDS]
VERSIONS: tuple[WmsVersion, ...] = ("1.1.1", "1.3.0")
WMS = "{http://www.opengis.net/wms}"


def shape(element: ET.Element) -> set[tuple[str, str]]:
    """Parents with their children, and elements with their attributes."""
    pairs = {(element.tag, f"@{name}") for name in element.attrib}
    for child in element:
        pairs |= {(element.tag, child.tag), *shape(child)}
    return pairs


@pytest.mark.parametrize("version", VERSIONS)
def test_owslib_reads_the_capabilities(version: WmsVersion) -> None:
    body = capabilities(LAYERS, version, ADDRESS)
    service = WebMapService("http://127.0.0.1:1/", version=version, xml=body)
    assert {"A_Colour", "A_Bands", "Coast & Co"} <= set(service.contents)
    colour, coast = service["A_Colour"], service["Coast & Co"]
    assert colour.title == "Reflectance <True> (Terra)"
    assert colour.parent.title == "Reflectance <True>"
    assert colour.timepositions == ["2023-08-01/2023-08-14/P1D", "2023-08-16/2023-08-20/P1D"]
    assert (colour.defaulttimeposition, colour.styles) == ("2023-08-20", {})
    assert colour.boundingBoxWGS84 == (-180.0, -90.0, 180.0, 90.0)
    assert coast.timepositions is None
    assert "GetLegendGraphic&layer=Coast%20%26%20Co" in coast.styles["default"]["legend"]
    operation = service.getOperationByName("GetMap")
    assert operation.formatOptions == ["image/png", "image/jpeg", "image/tiff"]
    assert operation.methods[0]["url"] == ADDRESS
    assert "EPSG:4326" in colour.crsOptions


def test_axis_order_and_limits_of_1_3_0() -> None:
    root = ET.fromstring(capabilities(LAYERS, "1.3.0", ADDRESS))
    limits = [root.findtext(f"{WMS}Service/{WMS}{name}") for name in ("LayerLimit", "MaxWidth")]
    assert limits == ["5", "20000"]
    box = root.find(f"{WMS}Capability/{WMS}Layer/{WMS}BoundingBox")
    assert box is not None
    assert (box.get("CRS"), box.get("minx"), box.get("miny")) == (
        "EPSG:4326",
        "-90.000000",
        "-180.000000",
    )
    (dimension,) = root.findall(f".//{WMS}Layer[{WMS}Name='A_Bands']/{WMS}Dimension")
    assert dimension.attrib == {
        "name": "time",
        "units": "ISO8601",
        "default": "2023-08-14",
        "nearestValue": "0",
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_only_the_latest_hundred_periods_are_listed(version: WmsVersion) -> None:
    domain = ",".join(f"{year}-01-01/{year}-12-18/P16D" for year in range(1900, 2020))
    layer = ListedLayer(COLOUR.served, parse_domain(domain), "2019-12-18")
    body = capabilities([layer], version, ADDRESS).decode()
    assert body.count("/P16D") == 100
    assert "1919-01-01" not in body
    assert "1920-01-01/1920-12-18/P16D,1921-01-01" in body
    assert "2019-01-01/2019-12-18/P16D<" in body


@pytest.mark.parametrize("version", VERSIONS)
def test_the_address_is_escaped(version: WmsVersion) -> None:
    address = 'http://a"><script>/?'
    root = ET.fromstring(capabilities(LAYERS, version, address))
    links = [link.get("{http://www.w3.org/1999/xlink}href", "") for link in root.iter()]
    assert all(link.startswith(address) for link in links if link)
    assert sum(map(bool, links)) > 10


@pytest.mark.realdata
@pytest.mark.parametrize("version", VERSIONS)
def test_same_elements_and_attributes_as_the_real_one(real_data: Path, version: WmsVersion) -> None:
    sample = real_data / "service" / "samples" / f"GetCapabilities.{version}.xml"
    theirs = ET.fromstring(sample.read_bytes())
    assert shape(ET.fromstring(capabilities(LAYERS, version, ADDRESS))) == shape(theirs)


@pytest.mark.realdata
def test_the_real_capabilities_parse_like_ours(real_data: Path) -> None:
    for version in VERSIONS:
        sample = real_data / "service" / "samples" / f"GetCapabilities.{version}.xml"
        service = WebMapService("http://127.0.0.1:1/", version=version, xml=sample.read_bytes())
        layer = service["snap_test_3a"]
        assert layer.timepositions == ["1948-01-01/1948-03-01/P1M", "2015-01-01/2016-01-01/P1M"]
        assert layer.defaulttimeposition == "2015-01-01"


@pytest.mark.realdata
def test_exceptions_are_the_real_ones(real_data: Path) -> None:
    samples = real_data / "service" / "samples"
    text = "msWMSLoadGetMapParams(): WMS server error. Unable to access -- invalid LAYER(s)"
    ours = service_exception(text, "1.3.0", code="LayerNotDefined")
    assert ours.split() == (samples / "MissingLayerResponse.xml").read_bytes().split()
    theirs = ET.fromstring((samples / "MissingShapefileResponse.xml").read_bytes())
    same = ET.fromstring(service_exception(theirs[0].text or "", "1.3.0"))
    assert shape(same) == shape(theirs)


def test_exceptions_of_1_1_1() -> None:
    root = ET.fromstring(service_exception("a <b>", "1.1.1", code="LayerNotDefined"))
    assert (root.tag, root.get("version")) == ("ServiceExceptionReport", "1.1.1")
    assert (root[0].get("code"), (root[0].text or "").strip()) == ("LayerNotDefined", "a <b>")
