"""The answers of the embedded server, as OnEarth gives them."""

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import simplejpeg
from starlette.applications import Starlette

from gibswatch.catalogue.grids import TileMatrix
from gibswatch.simulate.server import ServedLayer, TileRequest, TileService, create_app
from gibswatch.simulate.server.app import RequestRecord, example_tile_path
from gibswatch.simulate.server.exceptions import NOT_FOUND_TEXT

OWS = "{http://www.opengis.net/ows/1.1}"
LAYER = ServedLayer("A_Layer", "jpg", {4326: "250m", 3857: "GoogleMapsCompatible_Level9"})
MASK = ServedLayer("A_Mask", "png", {4326: "250m"}, version="v1_NRT")
DAYS = (dt.date(2023, 8, 6), dt.date(2023, 8, 7))
GOOD = TileRequest(4326, "best", "A_Layer", "default", "2023-08-07", "250m", "3", "2", "4", "jpg")


class OneTile:
    """Has tile 3/2/4 only."""

    def days(self) -> frozenset[dt.date]:
        return frozenset(DAYS)

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        return f"{day} {row} {col}".encode() if (matrix.level, row, col) == (3, 2, 4) else None


class Broken(OneTile):
    """Cannot read its files."""

    def tile(self, *_: Any) -> bytes | None:
        raise OSError("gone")


LAYERS = {"A_Layer": (LAYER, OneTile()), "A_Mask": (MASK, OneTile())}
SERVICE = TileService(LAYERS)


def faults(body: bytes) -> list[tuple[str | None, ...]]:
    root = ET.fromstring(body)
    assert root.tag == f"{OWS}ExceptionReport"
    return [
        (fault.get("exceptionCode"), fault.get("locator"), fault.findtext(f"{OWS}ExceptionText"))
        for fault in root
    ]


def call(
    app: Starlette, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Ask an ASGI application without a network."""
    sent: list[Any] = []
    raw = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
    scope |= {"root_path": "", "scheme": "http", "server": ("test", 80), "http_version": "1.1"}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    answered = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(part.get("body", b"") for part in sent[1:])


def test_good_tile() -> None:
    answer = SERVICE.answer(GOOD)
    assert (answer.status, answer.body, answer.media_type) == (200, b"2023-08-07 2 4", "image/jpeg")
    named = {k: v for k, v in answer.headers.items() if k.startswith("Layer-")}
    assert named == {
        "Layer-Identifier-Request": "A_Layer",
        "Layer-Identifier-Actual": "A_Layer_v6_STD",
        "Layer-Time-Request": "2023-08-07",
        "Layer-Time-Actual": "2023-08-07T00:00:00Z",
    }
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Layer-Time-Actual" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["ETag"].startswith('"')
    assert "max-age" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("time", ["2023-08-07T00:00:00Z", "2023-08-07T23:59:59Z", "default"])
def test_times_that_mean_the_latest_day(time: str) -> None:
    answer = SERVICE.answer(replace(GOOD, time=time))
    assert answer.body == b"2023-08-07 2 4"
    assert answer.headers["Layer-Time-Request"] == time
    assert answer.headers["Layer-Time-Actual"] == "2023-08-07T00:00:00Z"


@pytest.mark.parametrize("collection", ["best", "std", "nrt", "all"])
@pytest.mark.parametrize("ext", ["jpg", "jpeg"])
def test_collections_and_endings(collection: str, ext: str) -> None:
    assert SERVICE.answer(replace(GOOD, collection=collection, ext=ext)).status == 200


def test_png() -> None:
    answer = SERVICE.answer(replace(GOOD, layer="A_Mask", ext="png"))
    assert answer.media_type == "image/png"
    assert answer.headers["Layer-Identifier-Actual"] == "A_Mask_v1_NRT"


def test_tile_without_data_is_blank_and_has_no_layer_headers() -> None:
    answer = SERVICE.answer(replace(GOOD, row="1"))
    assert (answer.status, answer.media_type) == (200, "image/jpeg")
    assert not [name for name in answer.headers if name.startswith("Layer-")]
    pixels = simplejpeg.decode_jpeg(answer.body)
    assert pixels.shape == (512, 512, 3)
    assert np.max(pixels) == 0
    mercator = replace(GOOD, row="1", epsg=3857, matrix_set=LAYER.matrix_sets[3857])
    assert simplejpeg.decode_jpeg(SERVICE.answer(mercator).body).shape == (256, 256, 3)


def test_day_outside_the_domain() -> None:
    asked = replace(GOOD, time="2023-08-08")
    answer = SERVICE.answer(asked)
    assert (answer.status, answer.media_type) == (404, "text/plain")
    assert answer.body.decode() == NOT_FOUND_TEXT
    answer = TileService(LAYERS, absent_status=400).answer(asked)
    assert answer.status == 400
    text = "The requested TIME does not exist for this layer"
    assert faults(answer.body) == [("InvalidParameterValue", "TIME", text)]


@pytest.mark.parametrize(
    ("change", "locator", "maximum"),
    [
        ({"row": "5"}, "TILEROW", 4),
        ({"row": "-1"}, "TILEROW", 4),
        ({"col": "10"}, "TILECOL", 9),
        ({"matrix": "9"}, "TILEMATRIX", 8),
    ],
)
def test_out_of_range(change: dict[str, Any], locator: str, maximum: int) -> None:
    answer = SERVICE.answer(replace(GOOD, **change))
    text = f"{locator} is out of range, maximum value is {maximum}"
    assert (answer.status, answer.media_type) == (400, "text/xml")
    assert faults(answer.body) == [("TileOutOfRange", locator, text)]


@pytest.mark.parametrize(
    ("change", "locator", "text"),
    [
        ({"layer": "<b>&"}, "LAYER", "LAYER does not exist"),
        ({"epsg": 3413}, "LAYER", "LAYER does not exist"),
        ({"style": "none"}, "STYLE", "STYLE is invalid for LAYER"),
        ({"matrix_set": "2km"}, "TILEMATRIXSET", "TILEMATRIXSET is invalid for LAYER"),
        ({"ext": "png"}, "FORMAT", "FORMAT is invalid for LAYER"),
        ({"ext": "mvt"}, "FORMAT", "FORMAT is invalid for LAYER"),
        ({"row": "x"}, "TILEROW", "TILEROW is not a valid integer"),
        ({"col": "1.5"}, "TILECOL", "TILECOL is not a valid integer"),
        ({"matrix": "\u0663"}, "TILEMATRIX", "TILEMATRIX is not a valid integer"),
    ],
)
def test_invalid_words(change: dict[str, Any], locator: str, text: str) -> None:
    answer = SERVICE.answer(replace(GOOD, **change))
    assert answer.status == 400
    assert faults(answer.body) == [("InvalidParameterValue", locator, text)]


@pytest.mark.parametrize(
    "time",
    ["2023-8-7", "20230807", "2023-02-30", "2023-08-07T00:00:00.000Z", "2023-08-07T25:00:00Z"],
)
def test_bad_time(time: str) -> None:
    answer = SERVICE.answer(replace(GOOD, time=time))
    text = "Invalid time format, must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"
    assert answer.status == 400
    assert faults(answer.body) == [("InvalidParameterValue", "TIME", text)]


def test_all_faults_are_named_at_once() -> None:
    answer = SERVICE.answer(replace(GOOD, style="x", ext="png", row="x"))
    assert [locator for _, locator, _ in faults(answer.body)] == ["STYLE", "FORMAT", "TILEROW"]


def test_the_application_and_its_records() -> None:
    app = create_app(LAYERS)
    path = "/wmts/epsg4326/best/A_Layer/default/2023-08-07/250m/3/2/4.jpg"
    status, headers, body = call(app, path)
    assert (status, body, headers["content-length"]) == (200, b"2023-08-07 2 4", "14")
    assert headers["content-type"] == "image/jpeg"
    status, again, body = call(app, path, headers={"If-None-Match": headers["etag"]})
    assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    assert call(app, path, method="HEAD")[0] == 200
    assert call(app, path, method="POST")[0] == 405
    status, headers, body = call(app, "/wmts/epsg4326/latest/A_Layer")
    assert (status, body.decode()) == (404, NOT_FOUND_TEXT)
    asked = [("GET", 200), ("GET", 304), ("HEAD", 200), ("POST", 405), ("GET", 404)]
    records = list(app.state.requests)
    assert [(record.method, record.status) for record in records] == asked
    assert records[0] == RequestRecord("GET", path, 200)
    app.state.requests.clear()
    assert len(app.state.requests) == 0


@pytest.mark.parametrize(
    "path", ["/", "/wmts/epsg4326/latest/A_Layer/default/2023-08-07/250m/3/2/4.jpg"]
)
def test_unknown_addresses(path: str) -> None:
    assert call(create_app(LAYERS), path)[0] == 404


def test_a_failing_source_is_a_500_and_recorded() -> None:
    app = create_app({"A_Layer": (LAYER, Broken())})
    with pytest.raises(OSError, match="gone"):
        call(app, "/wmts/epsg4326/best/A_Layer/default/2023-08-07/250m/3/2/4.jpg")
    assert [record.status for record in app.state.requests] == [500]


def test_example_path_is_of_the_latest_day() -> None:
    path = example_tile_path(LAYER, OneTile())
    assert path == "/wmts/epsg4326/best/A_Layer/default/2023-08-07/250m/2/1/2.jpg"
