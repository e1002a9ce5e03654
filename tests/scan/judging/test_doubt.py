"""A picture with damaged blocks, or without information, is neither an anomaly nor clean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import gibswatch as gw
from gibswatch.catalogue import TileMatrix
from gibswatch.raster.codec import decode_picture, encode_picture
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.scan.judging.doubt import doubt_about
from gibswatch.scan.pictures import ArchivedDay, Picture
from gibswatch.scan.result import ScanResult
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import ByteArray, DayItem, Georeference, ImageFormat

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAMAGED, PLAIN = dt.date(2023, 8, 5), dt.date(2023, 8, 10)
HOLE = dt.date(2023, 8, 8)


def banded(pixels: ByteArray) -> ByteArray:
    """Shift the levels of eight rows of blocks, up to the right edge."""
    drawn = np.random.default_rng(4)
    result = pixels.copy()
    for row in range(160, 224, 8):
        part = result[row : row + 8, 300 + int(drawn.integers(40)) :]
        jump = drawn.choice([-1, 1], 3) * drawn.uniform(40, 90, 3)
        part[:] = (part.astype(np.float32) + jump).clip(20, 235).astype(np.uint8)
    return result


def plain(pixels: ByteArray) -> ByteArray:
    """Return grey with a little noise."""
    noise = np.random.default_rng(5).integers(0, 2, (*pixels.shape[:2], 1))
    return (np.full_like(pixels, 128) + noise).astype(np.uint8)


@dataclass
class SpoiltSource:
    """Tiles of which those of two days are spoilt before they are encoded."""

    globe: GlobeSource

    def days(self) -> set[dt.date]:
        return set(self.globe.days())

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        body = self.globe.tile(day, epsg, matrix, row, col)
        if body is None or day not in (DAMAGED, PLAIN) or (day == DAMAGED and row != 1):
            return body
        change = banded if day == DAMAGED else plain
        return encode_picture(change(decode_picture(body, image_format="jpg")), "jpg", quality=100)


@pytest.fixture
def spoilt(start: Callable[..., EmbeddedServer], drawn_source: GlobeSource) -> EmbeddedServer:
    """A server of the drawn days, two of them spoilt."""
    served = ServedLayer(LAYER, "jpg", {4326: "250m"})
    return start(EmbeddedServer(create_app({LAYER: (served, SpoiltSource(drawn_source))})))


def scan(root: Path, server: EmbeddedServer, method: str = "gibswatch") -> ScanResult:
    return gw.scan(
        LAYER, "2023-08-01", "2023-08-15", root=root, bbox=(-36, -36, 36, 36), method=method,
        settings=Settings(base_url=server.base_url),
    )  # fmt: skip


def by_day(result: ScanResult) -> dict[dt.date | None, DayItem]:
    return {item.date: item for item in result.items}


@pytest.mark.parametrize("method", ["gibswatch", "climatology"])
def test_spoilt_days_of_an_archive_are_incomplete(
    tmp_path: Path, spoilt: EmbeddedServer, method: str
) -> None:
    items = by_day(scan(tmp_path, spoilt, method))
    damaged, blank = items.pop(DAMAGED), items.pop(PLAIN)
    assert (damaged.verdict, damaged.incomplete_cause) == ("incomplete", "network")
    assert damaged.reason.startswith("The picture is suspect: its JPEG blocks are damaged (rows")
    assert "download the day again" in damaged.reason
    assert (blank.verdict, blank.incomplete_cause) == ("incomplete", "server")
    assert "carries no information: it has" in blank.reason
    for item in (damaged, blank):
        assert (item.findings, item.mask, item.score) == ((), None, 0.0)
        assert item.tiles == {"ok": 2}
    assert {day for day, item in items.items() if item.verdict != "clean"} == {HOLE}


def test_a_damaged_day_is_fetched_once_more_and_a_better_answer_asked_for(
    tmp_path: Path, spoilt: EmbeddedServer, server: EmbeddedServer
) -> None:
    scan(tmp_path, spoilt)
    asked = [one.path for one in spoilt.requests if f"/{DAMAGED}/" in one.path]
    assert len(asked) == 4  # two tiles, twice
    spoilt.requests.clear()
    scan(tmp_path, spoilt)
    assert not spoilt.requests  # the same bytes twice: the service has it so
    damaged = next(tmp_path.rglob(f"{DAMAGED}/{LAYER}.jpg"))
    damaged.unlink()
    assert by_day(scan(tmp_path, server))[DAMAGED].verdict == "clean"


def scene(pixels: ByteArray, *, layer: str = LAYER, form: ImageFormat = "jpg") -> Scene:
    rows, cols = pixels.shape[:2]
    georeference = Georeference(4326, -36.0, 36.0, 72 / cols, 72 / rows, rows, cols)
    return scene_from_picture(
        pixels, layer=layer, date=DAMAGED, image_format=form, georeference=georeference,
        provenance="drawn",
    )  # fmt: skip


def picture(**tiles: int) -> Picture:
    ref = ArchivedDay(Path("data"), LAYER, 4326, DAMAGED)
    return Picture(ref, LAYER, "data/picture.jpg", "name", tiles)


def texture() -> ByteArray:
    rows, cols = np.mgrid[:512, :512]
    shade = 120 + 40 * np.sin(rows / 37 + cols / 91) + 40 * np.sin(cols / 23)
    return np.dstack([shade, shade + 5, shade + 20]).astype(np.uint8)


def test_what_stands_behind_a_picture_decides_the_words() -> None:
    loose = doubt_about(picture(), scene(banded(texture())))
    kept = doubt_about(picture(ok=2), scene(banded(texture())))
    assert loose is not None
    assert kept is not None
    assert (loose.cause, kept.cause) == ("network", "network")
    assert loose.reason.endswith("get the picture again.")
    assert "delete data/picture.jpg" in kept.reason
    blank = doubt_about(picture(), scene(plain(texture())))
    assert blank is not None
    assert blank.cause is None
    assert doubt_about(picture(), scene(texture())) is None


def test_no_doubt_where_the_tiles_tell_or_the_picture_is_none_of_imagery() -> None:
    assert doubt_about(picture(ok=1, failed=1), scene(banded(texture()))) is None
    few = scene(plain(texture()), layer="MODIS_Terra_Data_No_Data")
    assert doubt_about(picture(), few) is None
    whole = np.dstack([banded(texture()), np.full((512, 512), 255, np.uint8)])
    assert doubt_about(picture(), scene(whole, form="png")) is None
    # A tile of 250 m may be nothing but snow.
    snow = scene(plain(texture()))
    near = replace(snow.georeference, pixel_width=0.002, pixel_height=0.002)
    assert doubt_about(picture(), replace(snow, georeference=near)) is None


def test_inspect_tells_them_too(tmp_path: Path) -> None:
    for day in range(1, 4):
        body = encode_picture(texture(), "jpg")
        (tmp_path / f"2023-08-0{day}.jpg").write_bytes(body)
    (tmp_path / f"{DAMAGED}.jpg").write_bytes(encode_picture(banded(texture()), "jpg"))
    for method in ("gibswatch", "climatology"):
        result = gw.inspect(
            sorted(tmp_path.glob("*.jpg")), LAYER, bounds=(-36, -36, 36, 36), method=method
        )
        item = by_day(result)[DAMAGED]
        assert (item.verdict, item.incomplete_cause) == ("incomplete", "network"), item.reason
        assert "JPEG blocks are damaged" in item.reason
