"""Vector layers as pictures: what is asked of a WMS, and what comes of its answers."""

from __future__ import annotations

import datetime as dt
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from gibswatch.archive import Archive, Journal, Layout, download_days
from gibswatch.catalogue import Grid, TileIndex, find_layer, load_catalogue, plan_grid
from gibswatch.download import plan_day, plan_days
from gibswatch.download.wms import (
    DrawnLayer,
    as_pictures,
    day_and_night,
    find_picture_layer,
    get_map_url,
    picture_note,
)
from gibswatch.errors import (
    DateRangeError,
    RenamedLayerWarning,
    UnknownGridError,
    UnknownLayerError,
    UsageError,
)
from gibswatch.raster.codec import encode_picture
from gibswatch.raster.scene import STATE_CODES
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import BBox, ByteArray

FIRES = "MODIS_Combined_Thermal_Anomalies_All"
DAY = dt.date(2021, 8, 7)
GRID = Grid("native", 4326, "16km", bbox=BBox(2, 2, 70, 52))


def drawn_layer(name: str = FIRES) -> DrawnLayer:
    layer = find_picture_layer(name)
    assert isinstance(layer, DrawnLayer)
    return layer


def words(url: str) -> dict[str, str]:
    return {name: text for name, [text] in parse_qs(urlsplit(url).query, True).items()}


def test_what_is_asked() -> None:
    layer = drawn_layer()
    plan = plan_grid(GRID, layer.matrix_set(4326))
    url = get_map_url("http://127.0.0.1:1/", layer, plan, DAY, TileIndex(1, 2))
    assert url.startswith("http://127.0.0.1:1/wms/epsg4326/best/wms.cgi?SERVICE=WMS&VERSION=1.1.1")
    assert words(url) == {
        "SERVICE": "WMS",
        "VERSION": "1.1.1",
        "REQUEST": "GetMap",
        "LAYERS": FIRES,
        "STYLES": "",
        "SRS": "EPSG:4326",
        "BBOX": "-36,-54,36,18",  # longitude first, as 1.1.1 has it
        "WIDTH": "512",
        "HEIGHT": "512",
        "FORMAT": "image/png",
        "TRANSPARENT": "true",
        "TIME": "2021-08-07",
    }


@pytest.mark.parametrize("resolution", ["16km", "4km", "1km"])
def test_boxes_lie_on_the_grid_of_the_tiles(resolution: str) -> None:
    layer = drawn_layer()
    plan = plan_grid(replace(GRID, tile_resolution=resolution), layer.matrix_set(4326))
    requests = list(plan_day("http://127.0.0.1:1", layer, plan, DAY))
    assert len(requests) == len(plan.source_tiles())
    span = 288 / 2**plan.source.level
    for request in requests:
        west, south, east, north = (float(n) for n in words(request.url)["BBOX"].split(","))
        assert (request.image_format, request.tile_size) == ("png", 512)
        assert (east - west, north - south) == (span, span)
        assert (west, north) == (-180 + request.tile.col * span, 90 - request.tile.row * span)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("MODIS_Fires_All", FIRES),
        ("MODIS_Fires_Terra", "MODIS_Terra_Thermal_Anomalies_All"),
        ("VIIRS_SNPP_Fires_375m_Day", "VIIRS_SNPP_Thermal_Anomalies_375m_Day"),
        ("VIIRS_SNPP_Fires_375m_Night", "VIIRS_SNPP_Thermal_Anomalies_375m_Night"),
        ("VIIRS_SNPP_Fires_375m_All", "VIIRS_SNPP_Thermal_Anomalies_375m_All"),
    ],
)
def test_the_predecessors_names(name: str, identifier: str) -> None:
    with pytest.warns(RenamedLayerWarning, match=f"taking {identifier}"):
        layer = drawn_layer(name)
    assert layer.identifier == identifier
    assert (layer.format, layer.extension) == ("png", "png")
    assert layer.served_as == {4326: identifier}


def test_every_vector_layer_has_pictures_and_no_other_layer_changes() -> None:
    for layer in load_catalogue().values():
        pictures = as_pictures(layer)
        assert (pictures is layer) == (layer.service != "vector")
        if layer.service == "vector":
            assert pictures.matrix_set(4326) == layer.projections[4326]
            assert as_pictures(pictures) is pictures
            note = picture_note(pictures)
            assert note is not None
            assert layer.identifier in note
        else:
            assert picture_note(pictures) is None


def test_pictures_are_in_4326_only() -> None:
    with pytest.raises(UnknownGridError, match="EPSG:4326 only, not in EPSG:3413: use --epsg 4326"):
        drawn_layer().matrix_set(3413)


def without_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave only Day and Night of one family in the catalogue."""
    name = "VIIRS_NOAA20_Thermal_Anomalies_375m_All"
    known = {key: layer for key, layer in load_catalogue().items() if key != name}
    monkeypatch.setattr("gibswatch.catalogue.layers.load_catalogue", lambda: known)
    monkeypatch.setattr("gibswatch.download.wms.load_catalogue", lambda: known)


def test_day_and_night_are_joined_where_there_is_no_all(monkeypatch: pytest.MonkeyPatch) -> None:
    without_all(monkeypatch)
    stem = "VIIRS_NOAA20_Thermal_Anomalies_375m"
    layer = drawn_layer(f"{stem}_All")
    assert layer.identifier == f"{stem}_All"
    assert layer.start_date == dt.date(2020, 7, 27)  # Night's; Day has more
    plan = plan_grid(GRID, layer.matrix_set(4326))
    [request, *_] = plan_day("http://127.0.0.1:1", layer, plan, DAY)
    assert words(request.url)["LAYERS"] == f"{stem}_Day,{stem}_Night"
    assert plan_days(layer, DAY, DAY + dt.timedelta(days=2)).days == (DAY, dt.date(2021, 8, 8))


def test_the_joined_days_are_those_of_both() -> None:
    day = replace(
        find_layer("VIIRS_NOAA20_Thermal_Anomalies_375m_Day"), domain="2020-01-01/2020-01-09/P1D"
    )
    night = replace(
        day, identifier="N", domain="2020-01-03/2020-01-04/P1D,2020-01-08/2020-02-01/P1D"
    )
    joined = day_and_night("Both_All", day, night)
    assert joined.domain == "2020-01-03/2020-01-04/P1D,2020-01-08/2020-01-09/P1D"
    with pytest.raises(DateRangeError, match="no day in common"):
        day_and_night("Both_All", day, replace(night, domain="2021-01-01/2021-02-01/P1D"))


@pytest.mark.parametrize("name", ["Nothing_All", "MODIS_Terra_NDVI_8Day_All", "Coastlines_x"])
def test_unknown_names_stay_unknown(name: str) -> None:
    with pytest.raises(UnknownLayerError, match="layers list --search"):
        find_picture_layer(name)


def fires(day: dt.date) -> ByteArray:
    """Draw a globe with a few red spots."""
    pixels = np.zeros((640, 1280, 4), dtype=np.uint8)
    spots = np.random.default_rng(day.toordinal()).integers(0, 640, (4000, 2))
    pixels[spots[:, 0], 2 * spots[:, 1]] = (255, 0, 0, 255)
    return pixels


def pixels_of(root: Path, layer: str, day: dt.date) -> ByteArray:
    with Image.open(root / "4326" / str(day) / f"{layer}.png") as picture:
        return np.asarray(picture)


def test_a_day_of_fires_from_the_embedded_server(tmp_path: Path) -> None:
    layer, days = drawn_layer(), [DAY, dt.date(2021, 8, 8)]
    served = ServedLayer(FIRES, "png", {4326: "1km"})
    grid = Grid("native", 4326, "16km", BBox(40, -90, 180, 0))  # its edge tiles overhang the globe
    with EmbeddedServer(create_app({FIRES: (served, GlobeSource(fires, days, "png"))})) as server:
        settings = Settings(base_url=server.base_url, attempts=1)
        summary = download_days(tmp_path, layer, grid, days, settings)
        assert (summary.days_complete, dict(summary.tiles)) == (2, {"ok": 8}), summary.problems
        assert {record.path for record in server.requests} == {"/wms/epsg4326/best/wms.cgi"}
        server.requests.clear()
        again = download_days(tmp_path, layer, grid, days, settings)
        assert (again.days_kept, len(server.requests)) == (2, 0)
    for day in days:
        kept = pixels_of(tmp_path, FIRES, day)
        assert kept.shape == (640, 996, 4)
        globe = fires(day).repeat(2, axis=0).repeat(2, axis=1)
        assert np.array_equal(kept, globe[640:, -996:])
        scene = Archive(tmp_path).scene(FIRES, day)
        assert np.array_equal(scene.pixels, kept)
        assert (scene.state == STATE_CODES["ok"]).all()


def test_a_plain_vector_layer_is_taken_as_pictures(tmp_path: Path) -> None:
    served = ServedLayer(FIRES, "png", {4326: "1km"})
    with EmbeddedServer(create_app({FIRES: (served, GlobeSource(fires, [DAY], "png"))})) as server:
        settings = Settings(base_url=server.base_url)
        tiles = replace(GRID, tiled=True)
        summary = download_days(tmp_path, find_layer(FIRES), tiles, [DAY], settings)
    assert dict(summary.tiles) == {"ok": 4}, summary.problems
    assert len(list(tmp_path.rglob("*.png"))) == 4


Answer = Callable[[dict[str, str]], tuple[int, str, bytes]]
CLEAR = encode_picture(np.zeros((512, 512, 4), np.uint8), "png")


@pytest.fixture
def scripted() -> Iterator[tuple[str, list[Answer]]]:
    """Give the address of a WMS that answers as the one function in the list says."""
    answers: list[Answer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answers[-1](words(self.path))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", answers
        server.shutdown()
        thread.join()


REFUSALS = {
    "OWS": (
        (
            b'<?xml version="1.0"?><ExceptionReport xmlns="http://www.opengis.net/ows/1.1">'
            b'<Exception exceptionCode="InvalidParameterValue" locator="TIME"><ExceptionText>'
            b"Invalid time format, must be YYYY-MM-DD</ExceptionText></Exception></ExceptionReport>"
        ),
        "Invalid time format, must be YYYY-MM-DD",
    ),
    "MapServer": (
        (
            b'<ServiceExceptionReport version="1.1.1"><ServiceException code="LayerNotDefined">\n'
            b"msWMSLoadGetMapParams(): Invalid layer(s) &lt;given&gt;.\n</ServiceException>"
            b"</ServiceExceptionReport>"
        ),
        "msWMSLoadGetMapParams(): Invalid layer(s) <given>.",
    ),
    "HTML": (b"<html><title>Busy</title>\x07</html>", "Busy ."),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_an_error_with_status_200_is_no_picture(
    scripted: tuple[str, list[Answer]], tmp_path: Path, kind: str
) -> None:
    base, answers = scripted
    body, says = REFUSALS[kind]

    def answer(asked: dict[str, str]) -> tuple[int, str, bytes]:
        if asked["BBOX"].startswith("-36,"):
            return 200, "text/xml", body
        return 200, "image/png", CLEAR

    answers.append(answer)
    settings = Settings(base_url=base, attempts=1)
    summary = download_days(tmp_path, drawn_layer(), GRID, [DAY], settings)
    assert summary.days_incomplete == 1
    assert summary.tiles["corrupt"] == len(summary.problems) > 0
    for _, state, message in summary.problems:
        assert state == "corrupt"
        assert f"the server says: {says}" in message
        assert message.isprintable()
    with Journal(Layout(tmp_path, FIRES, 4326).journal) as journal:
        assert {record.state for record in journal.tiles(DAY)} == {"ok", "corrupt"}


def test_nothing_but_errors(scripted: tuple[str, list[Answer]], tmp_path: Path) -> None:
    base, answers = scripted
    answers.append(lambda _asked: (200, "text/xml", REFUSALS["OWS"][0]))
    settings = Settings(base_url=base, attempts=1)
    summary = download_days(tmp_path, drawn_layer(), GRID, [DAY], settings)
    assert summary.nothing_came
    assert summary.first_problem.startswith("corrupt")
    assert "the server says: Invalid time" in summary.first_problem
    names = [path.name for path in tmp_path.rglob("*.png")]
    assert names == [f"{FIRES}.partial.png"]


def test_day_and_night_come_in_one_request(
    scripted: tuple[str, list[Answer]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_all(monkeypatch)
    base, answers = scripted
    asked: list[str] = []

    def answer(given: dict[str, str]) -> tuple[int, str, bytes]:
        asked.append(given["LAYERS"])
        return 200, "image/png", CLEAR

    answers.append(answer)
    stem = "VIIRS_NOAA20_Thermal_Anomalies_375m"
    layer = find_picture_layer(f"{stem}_All")
    summary = download_days(tmp_path, layer, GRID, [DAY], Settings(base_url=base))
    assert dict(summary.tiles) == {"ok": 4}
    assert asked == [f"{stem}_Day,{stem}_Night"] * 4
    assert Archive(tmp_path).scene(f"{stem}_All", DAY).image_format == "png"


def test_gdal_is_not_for_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="vector shapes drawn over WMS: leave --engine out"):
        download_days(tmp_path, drawn_layer(), GRID, [DAY], Settings(), engine="gdal")


def test_one_warning_for_one_old_name() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        find_picture_layer("VIIRS_SNPP_Fires_375m_All")
    assert len(caught) == 1
    assert caught[0].filename == __file__
