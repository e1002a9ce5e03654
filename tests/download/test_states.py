"""What one answer says of a tile: blank, of another day, or good."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import pytest

from gibswatch.catalogue import Grid, find_layer, plan_grid
from gibswatch.catalogue.windows import TileIndex
from gibswatch.download.plan import TileRequest, expected_steps, plan_day
from gibswatch.download.result import TileResult
from gibswatch.download.states import BLANK_TILES, Answer, judge_answer
from gibswatch.download.wms import as_pictures
from gibswatch.raster import encode_picture
from gibswatch.raster.scene import single_value
from gibswatch.types import ByteArray, ImageFormat

DAY = dt.date(2023, 8, 7)
TODAY = {"Layer-Time-Actual": "2023-08-07T00:00:00Z"}
RAMP: ByteArray = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (2, 512, 3))
BLACK = encode_picture(np.zeros((512, 512, 3), np.uint8), "jpg")
CLEAR = encode_picture(np.zeros((512, 512, 4), np.uint8), "png")


def judge(
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    image_format: ImageFormat = "jpg",
    size: int = 512,
    steps: tuple[dt.date, dt.date] | None = None,
    drawn: bool = False,
) -> TileResult:
    url = "http://127.0.0.1/"
    request = TileRequest("L", DAY, TileIndex(0, 0), image_format, size, url, steps, drawn)
    return judge_answer(request, Answer(200, headers or {}, body), 1)


@pytest.mark.parametrize(("body", "image_format"), [(BLACK, "jpg"), (CLEAR, "png")])
def test_a_picture_of_one_value_without_layer_headers_is_the_servers_blank_tile(
    body: bytes, image_format: ImageFormat
) -> None:
    tile = judge(body, {"Content-Type": "", "ETag": "x"}, image_format=image_format)
    assert tile.state == "server-empty"
    assert (tile.body, tile.sha256) == (body, hashlib.sha256(body).hexdigest())
    assert tile.pixels is not None
    assert not tile.pixels.any()
    assert "no data" in tile.message


@pytest.mark.parametrize(
    "name",
    [
        "Layer-Time-Actual",
        "Layer-Time-Request",
        "Layer-Identifier-Actual",
        "Layer-Identifier-Request",
    ],
)
def test_a_black_tile_with_a_layer_header_is_data(name: str) -> None:
    """Night, or a hole: that must not pass for the blank tile."""
    tile = judge(BLACK, {name: TODAY["Layer-Time-Actual"]})
    assert (tile.state, tile.message) == ("ok", "")


def test_a_picture_with_anything_in_it_is_data() -> None:
    pixels = np.zeros((512, 512, 4), np.uint8)
    pixels[511, 510] = 1  # between the samples that are looked at first
    assert not single_value(pixels)
    tile = judge(encode_picture(pixels, "png"), image_format="png")
    assert tile.state == "ok"
    assert judge(encode_picture(RAMP, "jpg")).state == "ok"


@pytest.mark.parametrize("value", [0, 7, 255])
def test_every_single_value_counts(value: int) -> None:
    pixels = np.full((512, 512, 4), value, np.uint8)
    assert single_value(pixels)
    assert judge(encode_picture(pixels, "png"), image_format="png").state == "server-empty"


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name", ["Blank_RGB_512.jpg", "Blank_RGB_256.jpg", "Blank_RGBA_512.png", "Blank_RGBA_256.png"]
)
def test_the_known_blank_tiles_are_known_by_their_bytes(name: str, real_data: Path) -> None:
    """Even where something on the way has added headers."""
    file = real_data / "service" / "empty_tiles" / name
    body, size = file.read_bytes(), 512 if "512" in name else 256
    assert hashlib.sha256(body).hexdigest() in BLANK_TILES
    image_format: ImageFormat = "jpg" if name.endswith("jpg") else "png"
    for headers in ({}, TODAY):
        tile = judge(body, headers, image_format=image_format, size=size)
        assert tile.state == "server-empty"


def test_an_empty_map_of_wms_is_a_good_picture() -> None:
    """WMS has no Layer-* headers, and a map without fires is a map."""
    tile = judge(CLEAR, image_format="png", drawn=True)
    assert (tile.state, tile.message) == ("ok", "")
    layer = as_pictures(find_layer("MODIS_Combined_Thermal_Anomalies_All"))
    plan = plan_grid(Grid("native", 4326, "16km"), layer.matrix_set(4326))
    assert next(plan_day("http://127.0.0.1", layer, plan, DAY)).drawn


@pytest.mark.parametrize(
    ("served", "state"),
    [
        ("2023-08-05T00:00:00Z", "ok"),
        ("2023-08-05", "ok"),
        ("2023-08-07T00:00:00Z", "wrong-date"),
        ("2023-07-28T00:00:00Z", "wrong-date"),
        ("2023-08-13T00:00:00Z", "wrong-date"),
        ("soon\x1b", "wrong-date"),
    ],
)
def test_the_step_that_contains_the_day_is_the_right_one(served: str, state: str) -> None:
    step = dt.date(2023, 8, 5)
    tile = judge(encode_picture(RAMP, "jpg"), {"Layer-Time-Actual": served}, steps=(step, step))
    assert tile.state == state
    assert (tile.body is None) is (state != "ok")
    assert tile.message.isprintable()


def test_another_days_blank_tile_is_of_another_day() -> None:
    assert judge(BLACK, {"Layer-Time-Actual": "2023-08-06T00:00:00Z"}).state == "wrong-date"


def test_the_expected_steps_of_layers() -> None:
    def steps(name: str, day: dt.date) -> list[str]:
        return [str(one) for one in expected_steps(find_layer(name), day)]

    daily = "MODIS_Terra_CorrectedReflectance_TrueColor"
    assert steps(daily, DAY) == ["2023-08-07"] * 2
    assert steps(daily, dt.date(2100, 1, 1)) == ["2100-01-01"] * 2  # after the packaged domain
    yearly = "MODIS_Combined_L3_IGBP_Land_Cover_Type_Annual"
    assert steps(yearly, dt.date(2012, 3, 11)) == ["2012-01-01"] * 2
    # Beyond what is known nothing is extrapolated: any step that can still contain the day.
    first, last = expected_steps(find_layer(yearly), dt.date(2100, 3, 11))
    assert last == dt.date(2100, 3, 11)
    assert 365 <= (last - first).days <= 372
