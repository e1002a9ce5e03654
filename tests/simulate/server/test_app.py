"""The application: its addresses, its records, and what a failing source does."""

import asyncio
import datetime as dt
from typing import Any

import pytest
from starlette.applications import Starlette

from gibswatch.catalogue.grids import TileMatrix
from gibswatch.simulate.server import ServedLayer, create_app
from gibswatch.simulate.server.app import RequestRecord, example_tile_path
from gibswatch.simulate.server.exceptions import NOT_FOUND_TEXT

LAYER = ServedLayer("A_Layer", "jpg", {4326: "250m", 3857: "GoogleMapsCompatible_Level9"})
DAYS = (dt.date(2023, 8, 6), dt.date(2023, 8, 7))


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


LAYERS = {"A_Layer": (LAYER, OneTile())}


def call(
    app: Starlette,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    query: str = "",
) -> tuple[int, dict[str, str], bytes]:
    """Ask an ASGI application without a network."""
    sent: list[Any] = []
    raw = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": raw}
    scope |= {"query_string": query.encode()}
    scope |= {"root_path": "", "scheme": "http", "server": ("test", 80), "http_version": "1.1"}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    answered = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(part.get("body", b"") for part in sent[1:])


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
    assert call(app, path, query="TIME=2023-08-06&x=%2F")[0] == 200
    assert list(app.state.requests)[-1].query == "TIME=2023-08-06&x=%2F"
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
