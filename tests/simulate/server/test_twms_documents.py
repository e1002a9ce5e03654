"""GetTileService and GetCapabilities of the Tiled WMS, as OnEarth writes them."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gibswatch.catalogue import find_layer, load_catalogue, parse_domain, tile_matrix_set
from gibswatch.simulate.server import ServedLayer
from gibswatch.simulate.server.twms_documents import (
    capabilities,
    group_name,
    tile_patterns,
    tile_service,
)

NAME = "MODIS_Terra_CorrectedReflectance_TrueColor"
COLOUR = ServedLayer(
    NAME,
    "jpg",
    {4326: "250m", 3857: "GoogleMapsCompatible_Level9", 3413: "250m"},
    title="Corrected <Reflectance> & more",
)
MASK = ServedLayer("A_Mask", "png", {4326: "16km"}, is_static=True)
ADDRESS = "http://127.0.0.1:1/twms/epsg4326/best/"


def shape(element: ET.Element) -> set[tuple[str, str]]:
    """Parents with their children, and elements with their attributes."""
    pairs = {(element.tag, f"@{name}") for name in element.attrib}
    for child in element:
        pairs |= {(element.tag, child.tag), *shape(child)}
    return pairs


def test_one_group_a_layer() -> None:
    body = tile_service([COLOUR, MASK], 4326, ADDRESS)
    assert body.startswith(b"<WMS_Tile_Service")  # GDAL finds nothing behind an XML declaration
    root = ET.fromstring(body)
    assert (root.tag, root.get("version")) == ("WMS_Tile_Service", "0.1.0")
    patterns = root.find("TiledPatterns")
    assert patterns is not None
    first, second = patterns.findall("TiledGroup")
    assert first.findtext("Name") == group_name(NAME) == f"{NAME.replace('_', ' ')} tileset"
    assert first.findtext("Title") == COLOUR.title
    assert [group.findtext("Bands") for group in (first, second)] == ["3", "4"]
    assert [group.findtext("Pad") for group in (first, second)] == ["0", "0"]
    assert first.findtext("Key") == "${time}"
    assert (first.findtext("Projection") or "").startswith('GEOGCS["WGS 84"')
    assert [len(group.findall("TilePattern")) for group in (first, second)] == [9, 3]
    box = first.find("LatLonBoundingBox")
    assert box is not None
    assert [box.get(name) for name in ("minx", "miny", "maxx", "maxy")] == [
        "-180.0",
        "-90.0",
        "180.0",
        "90.0",
    ]
    links = [link.attrib for link in root.iter("OnlineResource")]
    assert {link["{http://www.w3.org/1999/xlink}href"] for link in links} == {ADDRESS}


def test_patterns_are_finest_first_with_and_without_time() -> None:
    finest, *_, coarsest = tile_patterns(COLOUR, 4326)
    start = f"request=GetMap&layers={NAME}&srs=EPSG:4326&format=image/jpeg&styles="
    end = "&width=512&height=512&bbox=-180.000000,88.875000,-178.875000,90.000000"
    assert finest == f"{start}&time=${{time}}{end}\n{start}{end}"
    assert coarsest.endswith("bbox=-180.000000,-198.000000,108.000000,90.000000")
    assert len(tile_patterns(MASK, 4326)[0].splitlines()) == 1
    assert b"&amp;time=${time}&amp;width" in tile_service([COLOUR], 4326, ADDRESS)


def test_numbers_about_zero_are_zero_as_in_onearth() -> None:
    finest, next_one, *_ = tile_patterns(COLOUR, 3857)
    assert "&width=256&height=256&" in finest
    assert finest.endswith("bbox=-20037508.342789,19959236.825825,-19959236.825825,20037508.342789")
    assert tile_patterns(COLOUR, 3857)[-2].endswith("bbox=-20037508.342789,0,0,20037508.342789")
    assert next_one != finest


def test_polar_boxes_are_as_wrong_as_the_real_ones() -> None:
    coarsest = tile_patterns(COLOUR, 3413)[-1]
    assert coarsest.endswith("bbox=-4194304.000000,3316341.244179,-3316341.244179,4194304.000000")
    assert round(4194304 - 3316341.244179) == 877963
    assert tile_matrix_set(3413, "250m").matrix(0).tile_span == 4194304


@pytest.mark.parametrize("epsg", [4326, 3857])
def test_every_pattern_of_the_catalogue_is_of_its_own_grid(epsg: int) -> None:
    tiled = [
        ServedLayer(
            layer.identifier, layer.format, {epsg: name}, periods=parse_domain("2020-01-01")
        )
        for layer in load_catalogue().values()
        if layer.service == "wmts" and layer.format in ("jpg", "png")
        if (name := layer.projections.get(epsg))
    ]
    assert len(tiled) > 800
    for layer in tiled:
        spans = [
            matrix.tile_span for matrix in tile_matrix_set(epsg, layer.matrix_sets[epsg]).matrices
        ]
        for span, pattern in zip(reversed(spans), tile_patterns(layer, epsg), strict=True):
            west, south, east, north = map(float, pattern.rpartition("=")[2].split(","))
            assert (east - west, north - south) == pytest.approx((span, span), abs=1e-5)
    root = ET.fromstring(tile_service(tiled, epsg, ADDRESS))
    assert len(root.findall("TiledPatterns/TiledGroup")) == len(tiled)


def test_layers_of_other_projections_are_left_out() -> None:
    for body in (
        tile_service([COLOUR, MASK], 3857, ADDRESS),
        capabilities([COLOUR, MASK], 3857, ""),
    ):
        assert NAME.encode() in body
        assert b"A_Mask" not in body


def test_capabilities() -> None:
    root = ET.fromstring(capabilities([COLOUR, MASK], 4326, ADDRESS))
    assert (root.tag, root.get("version")) == ("WMT_MS_Capabilities", "1.1.1")
    layers = root.findall("Capability/Layer/Layer")
    assert [layer.findtext("Name") for layer in layers] == [NAME, "A_Mask"]
    assert [layer.findtext("Title") for layer in layers] == [COLOUR.title, "A_Mask"]
    assert root.findtext("Capability/Layer/SRS") == "EPSG:4326"
    (link,) = root.findall("Capability/Request/GetTileService/DCPType/HTTP/Get/OnlineResource")
    assert link.get("{http://www.w3.org/1999/xlink}href") == f"{ADDRESS}twms.cgi?"


def test_the_address_is_escaped() -> None:
    address = 'http://a"><script>/twms/epsg4326/best/'
    for body in (tile_service([], 4326, address), capabilities([], 4326, address)):
        links = [link.attrib.values() for link in ET.fromstring(body).iter("OnlineResource")]
        assert all(any(value.startswith(address) for value in link) for link in links)


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name", ["epsg4326_best_header_gts.xml", "epsg4326_best_header_twms_gc.xml"]
)
def test_same_elements_and_attributes_as_the_real_headers(real_data: Path, name: str) -> None:
    theirs = ET.fromstring((real_data / "service" / "samples" / name).read_bytes())
    make = tile_service if "gts" in name else capabilities
    empty, full = (ET.fromstring(make(layers, 4326, ADDRESS)) for layers in ([], [COLOUR, MASK]))
    added = {("WMS_Tile_Service", "TiledPatterns"), ("TiledPatterns", "OnlineResource")}
    added |= {("TiledPatterns", "LatLonBoundingBox")}
    added |= {("LatLonBoundingBox", f"@{key}") for key in ("minx", "miny", "maxx", "maxy")}
    assert shape(theirs) <= shape(empty) <= shape(full)
    assert shape(empty) - shape(theirs) <= added
    service = [element.tag for element in theirs.iter()]
    assert [e.tag for e in empty.iter() if e.tag in service][: len(service)] == service


def test_catalogue_titles_are_words() -> None:
    layer = find_layer(NAME)
    served = ServedLayer(NAME, "jpg", {4326: "250m"}, title=layer.title)
    assert f'<Title xml:lang="en">{layer.title}<'.encode() in tile_service([served], 4326, "")
