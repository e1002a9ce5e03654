"""The answers of the server as OnEarth gives them: tiles, refusals, and what a time is served."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import simplejpeg
from starlette.requests import Request

from gibswatch.catalogue.domains import format_domain, parse_domain
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.simulate.server.exceptions import NOT_FOUND_TEXT, OwsError, OwsFault
from gibswatch.simulate.server.service import (
    Answer,
    TileRequest,
    TileService,
    document,
    refusal,
    respond,
)
from gibswatch.simulate.server.sources import ServedLayer

ABSENT = "The requested TIME does not exist for this layer"
TIMES = ("Layer-Time-Request", "Layer-Time-Actual")


@dataclass(frozen=True)
class Days:
    """Has the days that it lists; every tile says which one it is of."""

    listed: Collection[dt.date]

    def days(self) -> Collection[dt.date]:
        return self.listed

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        return day.isoformat().encode()


def days(*texts: str) -> Days:
    return Days(frozenset(map(dt.date.fromisoformat, texts)))


def layer(name: str, domain: str = "", *, is_static: bool = False) -> ServedLayer:
    return ServedLayer(
        name, "png", {4326: "1km"}, periods=parse_domain(domain), is_static=is_static
    )


OWS = "{http://www.opengis.net/ows/1.1}"
PICTURE = ServedLayer("A_Layer", "jpg", {4326: "250m", 3857: "GoogleMapsCompatible_Level9"})
MASK = ServedLayer("A_Mask", "png", {4326: "250m"}, version="v1_NRT")
GOOD = TileRequest(4326, "best", "A_Layer", "default", "2023-08-07", "250m", "3", "2", "4", "jpg")


class OneTile:
    """Has tile 3/2/4 of two days only."""

    def days(self) -> frozenset[dt.date]:
        return frozenset({dt.date(2023, 8, 6), dt.date(2023, 8, 7)})

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        return f"{day} {row} {col}".encode() if (matrix.level, row, col) == (3, 2, 4) else None


PLAIN_LAYERS = {"A_Layer": (PICTURE, OneTile()), "A_Mask": (MASK, OneTile())}
PLAIN = TileService(PLAIN_LAYERS)


def faults(body: bytes) -> list[tuple[str | None, ...]]:
    root = ET.fromstring(body)
    assert root.tag == f"{OWS}ExceptionReport"
    return [
        (fault.get("exceptionCode"), fault.get("locator"), fault.findtext(f"{OWS}ExceptionText"))
        for fault in root
    ]


def test_good_tile() -> None:
    answer = PLAIN.answer(GOOD)
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
    answer = PLAIN.answer(replace(GOOD, time=time))
    assert answer.body == b"2023-08-07 2 4"
    assert answer.headers["Layer-Time-Request"] == time
    assert answer.headers["Layer-Time-Actual"] == "2023-08-07T00:00:00Z"


@pytest.mark.parametrize("collection", ["best", "std", "nrt", "all"])
@pytest.mark.parametrize("ext", ["jpg", "jpeg"])
def test_collections_and_endings(collection: str, ext: str) -> None:
    assert PLAIN.answer(replace(GOOD, collection=collection, ext=ext)).status == 200


def test_png() -> None:
    answer = PLAIN.answer(replace(GOOD, layer="A_Mask", ext="png"))
    assert answer.media_type == "image/png"
    assert answer.headers["Layer-Identifier-Actual"] == "A_Mask_v1_NRT"


def test_tile_without_data_is_blank_and_has_no_layer_headers() -> None:
    answer = PLAIN.answer(replace(GOOD, row="1"))
    assert (answer.status, answer.media_type) == (200, "image/jpeg")
    assert not [name for name in answer.headers if name.startswith("Layer-")]
    pixels = simplejpeg.decode_jpeg(answer.body)
    assert pixels.shape == (512, 512, 3)
    assert np.max(pixels) == 0
    mercator = replace(GOOD, row="1", epsg=3857, matrix_set=PICTURE.matrix_sets[3857])
    assert simplejpeg.decode_jpeg(PLAIN.answer(mercator).body).shape == (256, 256, 3)


def test_day_outside_the_domain() -> None:
    asked = replace(GOOD, time="2023-08-08")
    answer = PLAIN.answer(asked)
    assert (answer.status, answer.media_type) == (404, "text/plain")
    assert answer.body.decode() == NOT_FOUND_TEXT
    answer = TileService(PLAIN_LAYERS, absent_status=400).answer(asked)
    assert answer.status == 400
    assert faults(answer.body) == [("InvalidParameterValue", "TIME", ABSENT)]


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
    answer = PLAIN.answer(replace(GOOD, **change))
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
    answer = PLAIN.answer(replace(GOOD, **change))
    assert answer.status == 400
    assert faults(answer.body) == [("InvalidParameterValue", locator, text)]


@pytest.mark.parametrize(
    "time",
    ["2023-8-7", "20230807", "2023-02-30", "2023-08-07T00:00:00.000Z", "2023-08-07T25:00:00Z"],
)
def test_bad_time(time: str) -> None:
    answer = PLAIN.answer(replace(GOOD, time=time))
    text = "Invalid time format, must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"
    assert answer.status == 400
    assert faults(answer.body) == [("InvalidParameterValue", "TIME", text)]


def test_all_faults_are_named_at_once() -> None:
    answer = PLAIN.answer(replace(GOOD, style="x", ext="png", row="x"))
    assert [locator for _, locator, _ in faults(answer.body)] == ["STYLE", "FORMAT", "TILEROW"]


GRANULES = (
    "2026-06-20T07:40:00Z/2026-06-20T08:20:00Z/PT10M,"
    "2026-06-20T09:00:00Z/2026-06-20T09:00:00Z/PT10M"
)
EIGHT_DAYS = "2022-12-03/2022-12-27/P8D,2023-01-01/2023-01-17/P8D"
LAYERS = {
    "Yearly": (layer("Yearly", "2012-01-01/2016-01-01/P1Y"), days("2012-01-01", "2016-01-01")),
    "EightDays": (layer("EightDays", EIGHT_DAYS), days("2022-12-27", "2023-01-01", "2023-01-17")),
    "Gappy": (
        layer("Gappy", "2022-07-26/2022-07-27/P1D,2022-08-10/2022-08-12/P1D"),
        days("2022-07-26", "2022-07-27", "2022-08-10", "2022-08-11"),
    ),
    "Granules": (layer("Granules", GRANULES), days("2026-06-20")),
    "Coastlines": (layer("Coastlines", is_static=True), days("2010-01-01")),
    "Drawn": (layer("Drawn"), days("2023-08-05", "2023-08-01", "2023-08-02")),
}
SERVICE = TileService(LAYERS)


def ask(name: str, time: str, *, service: TileService = SERVICE) -> Answer:
    return service.tile(name, 4326, time, "1km", 3, 2, 4)


@pytest.mark.parametrize(
    ("name", "time", "actual"),
    [
        ("Yearly", "2012-03-11", "2012-01-01T00:00:00Z"),
        ("Yearly", "2012-03-11T12:00:00Z", "2012-01-01T00:00:00Z"),
        ("Yearly", "2016-12-31", "2016-01-01T00:00:00Z"),
        ("EightDays", "2023-01-06", "2023-01-01T00:00:00Z"),
        ("EightDays", "2022-12-29", "2022-12-27T00:00:00Z"),
        ("EightDays", "default", "2023-01-17T00:00:00Z"),
        ("Gappy", "2022-07-27", "2022-07-27T00:00:00Z"),
        ("Granules", "2026-06-20T07:55:59Z", "2026-06-20T07:50:00Z"),
        ("Granules", "2026-06-20T08:29:59Z", "2026-06-20T08:20:00Z"),
        ("Granules", "default", "2026-06-20T09:00:00Z"),
        ("Drawn", "default", "2023-08-05T00:00:00Z"),
    ],
)
def test_a_time_inside_a_step_gets_the_step_before_it(name: str, time: str, actual: str) -> None:
    answer = ask(name, time)
    assert answer.status == 200
    assert [answer.headers[header] for header in TIMES] == [time, actual]
    assert answer.body.decode() == actual[:10]


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("Yearly", "2011-12-31"),
        ("Yearly", "2017-01-01"),
        ("EightDays", "2023-01-25"),
        ("Gappy", "2022-08-01"),
        ("Granules", "2026-06-20T08:30:00Z"),
        ("Granules", "2026-06-20"),
        ("Drawn", "2023-08-03"),
    ],
)
def test_outside_the_domain_is_404_or_400(name: str, time: str) -> None:
    answer = ask(name, time)
    assert (answer.status, answer.body.decode()) == (404, NOT_FOUND_TEXT)
    with pytest.raises(OwsError) as caught:
        ask(name, time, service=TileService(LAYERS, absent_status=400))
    assert caught.value.faults == (OwsFault("InvalidParameterValue", "TIME", ABSENT),)


@pytest.mark.parametrize(
    ("name", "time"), [("Gappy", "2022-08-12"), ("Gappy", "default"), ("Yearly", "2013-05-05")]
)
def test_a_step_without_a_file_is_400_whatever_the_switch_says(name: str, time: str) -> None:
    with pytest.raises(OwsError, match=ABSENT) as caught:
        ask(name, time)
    assert caught.value.status == 400


def test_a_source_may_know_the_moments_of_a_day() -> None:
    moments = [dt.datetime(2026, 6, 20, 7, 40), dt.datetime(2026, 6, 20, 7, 50)]  # noqa: DTZ001
    service = TileService({"Granules": (LAYERS["Granules"][0], Days(moments))})
    answer = ask("Granules", "2026-06-20T07:51:00Z", service=service)
    assert answer.body == b"2026-06-20T07:50:00"


@pytest.mark.parametrize("time", ["default", "2023-01-01", ""])
def test_a_layer_without_time(time: str) -> None:
    answer = ask("Coastlines", time)
    assert (answer.status, answer.body) == (200, b"2010-01-01")
    assert "Layer-Time-Actual" not in answer.headers
    assert answer.headers["Layer-Identifier-Actual"] == "Coastlines_v6_STD"


def test_domains_and_defaults() -> None:
    written = {name: format_domain(SERVICE.domain(name)) for name in LAYERS}
    assert written["Drawn"] == "2023-08-01/2023-08-02/P1D,2023-08-05/2023-08-05/P1D"
    assert written["EightDays"] == EIGHT_DAYS
    assert written["Granules"] == GRANULES
    assert written["Coastlines"] == ""
    assert {name: SERVICE.default_time(name) for name in LAYERS} == {
        "Yearly": "2016-01-01",
        "EightDays": "2023-01-17",
        "Gappy": "2022-08-12",
        "Granules": "2026-06-20T09:00:00Z",
        "Coastlines": "",
        "Drawn": "2023-08-05",
    }


@pytest.mark.parametrize(
    ("change", "locator"),
    [
        ({"layer_id": "None"}, "LAYER"),
        ({"epsg": 3413}, "LAYER"),
        ({"collection": "latest"}, "LAYER"),
        ({"matrix_set": "250m"}, "TILEMATRIXSET"),
        ({"level": 7}, "TILEMATRIX"),
        ({"row": 5}, "TILEROW"),
        ({"time": "yesterday"}, "TIME"),
    ],
)
def test_what_a_tile_is_refused_for(change: dict[str, object], locator: str) -> None:
    words: dict[str, object] = {"layer_id": "Drawn", "epsg": 4326, "time": "2023-08-05"}
    words |= {"matrix_set": "1km", "level": 3, "row": 2, "col": 4}
    with pytest.raises(OwsError) as caught:
        SERVICE.tile(**{**words, **change})  # type: ignore[arg-type]
    assert [fault.locator for fault in caught.value.faults] == [locator]


@pytest.mark.parametrize("name", ["domain", "default_time"])
def test_facts_of_a_layer_that_is_not_there(name: str) -> None:
    with pytest.raises(OwsError, match="LAYER does not exist"):
        getattr(SERVICE, name)("None")


def test_the_table_of_layers_cannot_be_written_to() -> None:
    assert set(SERVICE.layers) == set(LAYERS)
    with pytest.raises(TypeError):
        SERVICE.layers["New"] = LAYERS["Drawn"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"other", {tag}', 304),
        ("*", 304),
        ('"other"', 200),
        ("", 200),
    ],
)
def test_what_the_client_has_is_not_sent_again(known: str, status: int) -> None:
    answer = document(b"<a/>")
    tag = answer.headers["ETag"]
    response = respond(answer, request_with(known.format(tag=tag)))
    assert (response.status_code, response.headers["etag"]) == (status, tag)
    assert response.headers["cache-control"] == "public, max-age=1800"
    assert response.body == (b"" if status == 304 else b"<a/>")


def test_a_refusal_is_sent_whatever_the_client_has() -> None:
    fault = OwsFault("OperationNotSupported", "REQUEST", "<no>")
    response = respond(refusal(OwsError([fault], status=501)), request_with("*"))
    assert response.status_code == 501
    text = ET.fromstring(bytes(response.body))[0].findtext("{*}ExceptionText")
    assert text == "<no>"


def request_with(known: str) -> Request:
    headers = [(b"if-none-match", known.encode())] if known else []
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})
