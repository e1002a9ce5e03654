"""WMTS by addresses and by queries, over loopback, as clients ask."""

import datetime as dt
import http.client
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

import pytest
import simplejpeg

from gibswatch.catalogue.domains import parse_domain
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.simulate.server import EmbeddedServer, ServedLayer, TileService, create_app
from gibswatch.simulate.server.wmts import Endpoint, answer_query

DAYS = frozenset(dt.date(2023, 8, day) for day in (1, 2, 3))
HERE = Endpoint(4326, "best", "http://here")
TILE = {
    "SERVICE": "WMTS",
    "REQUEST": "GetTile",
    "VERSION": "1.0.0",
    "LAYER": "A_Layer",
    "STYLE": "",
    "TIME": "2023-08-02",
    "TILEMATRIXSET": "250m",
    "TILEMATRIX": "3",
    "TILEROW": "2",
    "TILECOL": "4",
    "FORMAT": "image/jpeg",
}


class Named:
    """Every tile says what it is, but for row 0, which has no data."""

    def days(self) -> frozenset[dt.date]:
        return DAYS

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        return f"{day} {epsg} {matrix.level} {row} {col}".encode() if row else None


MOMENTS = "2023-08-01T00:00:00Z/2023-08-03T23:50:00Z/PT10M"
LAYERS = {
    "A_Layer": (ServedLayer("A_Layer", "jpg", {4326: "250m", 3413: "250m"}), Named()),
    "A_Map": (ServedLayer("A_Map", "png", {4326: "15.625m"}, is_static=True), Named()),
    "Granules": (
        ServedLayer("Granules", "png", {4326: "1km"}, periods=parse_domain(MOMENTS)),
        Named(),
    ),
}
SERVICE = TileService(LAYERS)


@pytest.fixture(scope="module")
def web() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(create_app(LAYERS)) as running:
        yield running


def fetch(
    web: EmbeddedServer, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    link = http.client.HTTPConnection(urlsplit(web.base_url).netloc, timeout=10)
    try:
        link.request(method, path, headers=dict(headers or {}))
        answer = link.getresponse()
        fields = {name.lower(): text for name, text in answer.getheaders()}
        return answer.status, fields, answer.read()
    finally:
        link.close()


def faults(body: bytes) -> list[tuple[str | None, str | None, str | None]]:
    return [
        (fault.get("exceptionCode"), fault.get("locator"), fault.findtext("{*}ExceptionText"))
        for fault in ET.fromstring(body)
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("epsg4326/best/A_Layer/default/2023-08-02/250m/3/2/4.jpg", b"2023-08-02 4326 3 2 4"),
        ("epsg4326/std/A_Layer/default/2023-08-02/250m/3/2/4.jpeg", b"2023-08-02 4326 3 2 4"),
        ("epsg3413/nrt/A_Layer/default/2023-08-02/250m/3/2/4.jpg", b"2023-08-02 3413 3 2 4"),
        ("epsg4326/best/A_Layer/default/default/250m/3/2/4.jpeg", b"2023-08-03 4326 3 2 4"),
        ("epsg4326/best/A_Layer/default/250m/3/2/4.jpeg", b"2023-08-03 4326 3 2 4"),
        ("epsg4326/best/A_Map/default/15.625m/12/2/4.png", b"2023-08-03 4326 12 2 4"),
        ("epsg4326/best/A_Map/default/default/15.625m/12/2/4.png", b"2023-08-03 4326 12 2 4"),
        (
            "epsg4326/best/Granules/default/2023-08-02T10:05:00Z/1km/3/2/4.png",
            b"2023-08-02 4326 3 2 4",
        ),
        (
            "epsg4326/best/Granules/default/2023-08-02T10%3A05%3A00Z/1km/3/2/4.png",
            b"2023-08-02 4326 3 2 4",
        ),
    ],
)
def test_addresses_of_tiles(web: EmbeddedServer, path: str, body: bytes) -> None:
    status, _, got = fetch(web, f"/wmts/{path}")
    assert (status, got) == (200, body)


def test_head_is_get_without_the_body(web: EmbeddedServer) -> None:
    path = "/wmts/epsg4326/best/A_Layer/default/default/250m/3/2/4.jpeg"
    _, got, body = fetch(web, path)
    status, head, nothing = fetch(web, path, method="HEAD")
    assert (status, nothing, head["content-length"]) == (200, b"", str(len(body)))
    assert head["layer-time-actual"] == "2023-08-03T00:00:00Z"
    assert {k: v for k, v in head.items() if k != "date"} == {
        k: v for k, v in got.items() if k != "date"
    }


def test_etags_of_tiles_and_documents(web: EmbeddedServer) -> None:
    for path in (
        "/wmts/epsg4326/best/A_Layer/default/2023-08-02/250m/3/2/4.jpg",
        "/wmts/epsg4326/best/1.0.0/WMTSCapabilities.xml",
        "/wmts/epsg4326/best/1.0.0/A_Layer/default/250m/all/all.xml",
    ):
        status, headers, _ = fetch(web, path)
        known = {"If-None-Match": headers["etag"]}
        again, _, body = fetch(web, path, headers=known)
        assert (status, again, body) == (200, 304, b"")
        assert fetch(web, path, headers={"If-None-Match": '"other"'})[0] == 200


def test_a_tile_without_data_is_blank(web: EmbeddedServer) -> None:
    path = "/wmts/epsg4326/best/A_Layer/default/2023-08-02/250m/3/0/4.jpg"
    status, headers, body = fetch(web, path)
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert not [name for name in headers if name.startswith("layer-")]
    assert simplejpeg.decode_jpeg(body).max() == 0


@pytest.mark.parametrize("date", ["2023-08-04", "2023-07-31"])
def test_a_day_that_is_not_there(web: EmbeddedServer, date: str) -> None:
    path = f"/wmts/epsg4326/best/A_Layer/default/{date}/250m/3/2/4.jpg"
    assert fetch(web, path)[0] == 404
    assert answer_query(SERVICE, {**TILE, "TIME": date}, HERE).status == 404
    strict = TileService(LAYERS, absent_status=400)
    assert answer_query(strict, {**TILE, "TIME": date}, HERE).status == 400


@pytest.mark.parametrize("change", ["upper", "lower", "title"])
def test_names_of_a_query_may_have_any_case(web: EmbeddedServer, change: str) -> None:
    words = {getattr(name, change)(): text for name, text in TILE.items()}
    path = f"/wmts/epsg4326/best/wmts.cgi?{urlencode(words)}"
    status, headers, body = fetch(web, path)
    assert (status, body) == (200, b"2023-08-02 4326 3 2 4")
    assert headers["layer-time-request"] == "2023-08-02"
    assert list(web.requests)[-1].query == urlencode(words)


@pytest.mark.parametrize(
    "change",
    [{"STYLE": "default"}, {"SERVICE": "wmts"}, {"REQUEST": "gettile"}, {"FORMAT": "image/JPEG"}],
)
def test_queries_that_mean_the_same(change: dict[str, str]) -> None:
    assert answer_query(SERVICE, {**TILE, **change}, HERE).body == b"2023-08-02 4326 3 2 4"


@pytest.mark.parametrize("time", [None, "", "default"])
def test_a_query_may_leave_out_style_and_time(time: str | None) -> None:
    words = {name: text for name, text in TILE.items() if name not in ("STYLE", "TIME")}
    if time is not None:
        words["TIME"] = time
    answer = answer_query(SERVICE, words, HERE)
    assert answer.body == b"2023-08-03 4326 3 2 4"
    assert answer.headers["Layer-Time-Request"] == "default"


@pytest.mark.parametrize("name", sorted(set(TILE) - {"STYLE", "TIME"}))
@pytest.mark.parametrize("value", [None, ""])
def test_missing_words(name: str, value: str | None) -> None:
    words = {key: text for key, text in TILE.items() if key != name}
    if value is not None:
        words[name] = value
    answer = answer_query(SERVICE, words, HERE)
    assert (answer.status, answer.media_type) == (400, "text/xml")
    assert faults(answer.body) == [("MissingParameterValue", name, f"Missing {name} parameter")]


def test_all_that_is_missing_is_named_at_once() -> None:
    answer = answer_query(SERVICE, {"REQUEST": "GetTile"}, HERE)
    named = [locator for _, locator, _ in faults(answer.body)]
    assert named == [
        *("VERSION", "SERVICE", "LAYER", "FORMAT"),
        *("TILEMATRIXSET", "TILEMATRIX", "TILEROW", "TILECOL"),
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"VERSION": "2.0.0"}, ("VERSION", "VERSION is invalid")),
        ({"SERVICE": "WMS"}, ("SERVICE", "Unrecognized service")),
        ({"LAYER": "<b>"}, ("LAYER", "LAYER does not exist")),
        ({"STYLE": "red"}, ("STYLE", "STYLE is invalid for LAYER")),
        ({"FORMAT": "image/png"}, ("FORMAT", "FORMAT is invalid for LAYER")),
        ({"FORMAT": "text/html"}, ("FORMAT", "FORMAT is invalid for LAYER")),
        ({"TILEMATRIXSET": "2km"}, ("TILEMATRIXSET", "TILEMATRIXSET is invalid for LAYER")),
        ({"TILEROW": "two"}, ("TILEROW", "TILEROW is not a valid integer")),
        (
            {"TIME": "20230802"},
            ("TIME", "Invalid time format, must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"),
        ),
    ],
)
def test_words_that_mean_nothing(change: dict[str, str], fault: tuple[str, str]) -> None:
    answer = answer_query(SERVICE, {**TILE, **change}, HERE)
    assert answer.status == 400
    assert faults(answer.body) == [("InvalidParameterValue", *fault)]


def test_a_tile_out_of_range() -> None:
    answer = answer_query(SERVICE, {**TILE, "TILEMATRIX": "8", "TILEROW": "160"}, HERE)
    text = "TILEROW is out of range, maximum value is 159"
    assert (answer.status, faults(answer.body)) == (400, [("TileOutOfRange", "TILEROW", text)])


def test_an_unknown_request_is_501(web: EmbeddedServer) -> None:
    path = "/wmts/epsg4326/best/wmts.cgi?SERVICE=WMTS&REQUEST=GetFeatureInfo"
    status, _, body = fetch(web, path)
    text = "The request type is not supported"
    assert (status, faults(body)) == (501, [("OperationNotSupported", "REQUEST", text)])


@pytest.mark.parametrize(
    "path",
    [
        "epsg9999/best/1.0.0/WMTSCapabilities.xml",
        "epsg4326/latest/1.0.0/WMTSCapabilities.xml",
        "epsg4326/latest/wmts.cgi?SERVICE=WMTS&REQUEST=GetCapabilities",
        "epsg9999/best/A_Layer/default/2023-08-02/250m/3/2/4.jpg",
        "epsg4326/best/A_Layer.xml",
    ],
)
def test_addresses_that_are_not_there(web: EmbeddedServer, path: str) -> None:
    assert fetch(web, f"/wmts/{path}")[0] == 404


def test_capabilities_by_query_and_by_address_are_one_document(web: EmbeddedServer) -> None:
    base = "/wmts/epsg4326/best"
    status, headers, body = fetch(web, f"{base}/1.0.0/WMTSCapabilities.xml")
    assert (status, headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert headers["cache-control"] == "public, max-age=1800"
    for query in ("SERVICE=WMTS&REQUEST=GetCapabilities", "service=wmts&request=getcapabilities"):
        assert fetch(web, f"{base}/wmts.cgi?{query}")[2] == body
    assert web.base_url.encode() in body


@pytest.mark.parametrize(
    ("time", "domain"),
    [
        ("all", "2023-08-01/2023-08-03/P1D"),
        ("2023-08-02--", "2023-08-02/2023-08-03/P1D"),
        ("--2023-08-02", "2023-08-01/2023-08-02/P1D"),
        ("2023-08-02--2023-08-02", "2023-08-02/2023-08-02/P1D"),
        ("2023-08-02", "2023-08-02/2023-08-03/P1D"),
        ("2024-01-01--", None),
    ],
)
@pytest.mark.parametrize("box", ["all", "-180,-90,180,90"])
def test_describe_domains_by_address(
    web: EmbeddedServer, time: str, domain: str | None, box: str
) -> None:
    path = f"/wmts/epsg4326/best/1.0.0/A_Layer/default/250m/{box}/{time}.xml"
    status, headers, body = fetch(web, path)
    assert (status, headers["content-type"]) == (200, "text/xml; charset=utf-8")
    root = ET.fromstring(body)
    assert (root.findtext("*/Domain") or None) == domain
    assert root.findtext("*/Size") == ("1" if domain else "0")
    by_query = {"SERVICE": "WMTS", "REQUEST": "DescribeDomains", "LAYER": "A_Layer"}
    by_query |= {"TILEMATRIXSET": "250m", "TIME": time.replace("--", "/")}
    assert answer_query(SERVICE, by_query, HERE).body == body


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"LAYER": ""}, ("MissingParameterValue", "LAYER", "Missing LAYER parameter")),
        (
            {"LIMIT": "many"},
            ("InvalidParameterValue", "LIMIT", "LIMIT is not a valid integer"),
        ),
        (
            {"OFFSET": "-1"},
            ("InvalidParameterValue", "OFFSET", "OFFSET is not a valid integer"),
        ),
    ],
)
def test_what_describe_domains_is_refused_for(
    change: dict[str, str], fault: tuple[str, str, str]
) -> None:
    words = {"SERVICE": "WMTS", "REQUEST": "DescribeDomains", "LAYER": "A_Layer", **change}
    answer = answer_query(SERVICE, words, HERE)
    assert (answer.status, faults(answer.body)) == (400, [fault])
