"""R5: truncated JPEG (half, last 200 bytes, progressive), missing EOI, scrambled, PNG bad CRC."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gibswatch.archive import Journal, Layout
from gibswatch.catalogue import TileMatrix
from gibswatch.errors import DecodeError
from gibswatch.raster.codec import decode_picture
from gibswatch.raster.jpeg_stream import stream_problem
from gibswatch.simulate import (
    DrawnDays,
    EmbeddedServer,
    FaultRule,
    GlobeSource,
    ServedLayer,
    create_app,
)
from gibswatch.types import ByteArray

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
PNG_LAYER = "MODIS_Terra_Land_Surface_Temp_Day"
DAY = dt.date(2023, 8, 5)
HOLE_DAY = "2023-08-08"
BOX = ("--bbox", "-36", "-36", "36", "36")
DAYS = ("--start", "2023-08-01", "--end", "2023-08-15")
Run = Callable[..., Any]


def progressive(body: bytes) -> bytes:
    """Encode the same picture as a progressive JPEG."""
    with Image.open(io.BytesIO(body)) as picture:
        out = io.BytesIO()
        picture.save(out, "JPEG", progressive=True, quality=90)
    return out.getvalue()


def half_progressive(body: bytes) -> bytes:
    """Cut a progressive JPEG where each of its pixels has been told coarsely."""
    whole = progressive(body)
    return whole[: len(whole) // 2]


def bad_crc(body: bytes) -> bytes:
    """Flip a bit of a PNG's checksum of its pixels."""
    place = body.index(b"IDAT")
    length = int.from_bytes(body[place - 4 : place], "big")
    data = bytearray(body)
    data[place + 4 + length] ^= 1
    return bytes(data)


def shown_by_libjpeg(body: bytes) -> bytes:
    """Scramble coded data so that libjpeg has nothing to say against it, but its codes have."""
    start = body.index(b"\xff\xda") + 20
    for seed in range(400):
        drawn = np.random.default_rng(seed)
        place = int(drawn.integers(start, len(body) - 40))
        bad = body[:place] + drawn.integers(0, 255, 20, dtype=np.uint8).tobytes()
        bad += body[place + 20 :]
        try:
            decode_picture(bad, image_format="jpg", known=True)
        except DecodeError:
            continue
        if stream_problem(bad):
            return bad
    raise AssertionError("no such damage among 400")


JPEG_DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda body: body[: len(body) // 2],
    "last 200 bytes": lambda body: body[:-200],
    "half, progressive": half_progressive,
    "no end marker": lambda body: body[:-2],
    "scrambled, and shown by libjpeg": shown_by_libjpeg,
    "end marker after half": lambda body: body[: len(body) // 2] + b"\xff\xd9",
}


@dataclass
class DamagingSource:
    """Tiles of which one day's row 1 is damaged."""

    globe: GlobeSource
    damage: Callable[[bytes], bytes]

    def days(self) -> Collection[dt.date]:
        return self.globe.days()

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        body = self.globe.tile(day, epsg, matrix, row, col)
        return self.damage(body) if body is not None and (day, row) == (DAY, 1) else body


@pytest.mark.parametrize("name", list(JPEG_DAMAGE))
def test_r5_a_damaged_jpeg_is_rejected(
    run: Run,
    drawn_source: GlobeSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setattr("gibswatch.download.retry._FIRST_DELAY_S", 0.01)
    source = DamagingSource(drawn_source, JPEG_DAMAGE[name])
    served = ServedLayer(LAYER, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({LAYER: (served, source)})) as server:
        where = ("--output-dir", tmp_path, "--base-url", server.base_url, *BOX)
        ended = run("scan", LAYER, *DAYS, *where, "--json")
        asked = sum(f"/{DAY}/250m/2/1/" in record.path for record in server.requests)
    assert ended.code == 4
    items = {item["date"]: item for item in json.loads(ended.out)["items"]}
    bad = items.pop(str(DAY))
    assert (bad["verdict"], bad["incomplete_cause"]) == ("incomplete", "network")
    assert (bad["tiles"], bad["findings"]) == ({"ok": 1, "corrupt": 1}, [])
    assert {day for day, item in items.items() if item["verdict"] != "clean"} == {HOLE_DAY}
    assert asked == 3


def test_r5_a_whole_progressive_jpeg_is_good(
    run: Run, drawn_source: GlobeSource, tmp_path: Path
) -> None:
    source = DamagingSource(drawn_source, progressive)
    served = ServedLayer(LAYER, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({LAYER: (served, source)})) as server:
        where = ("--output-dir", tmp_path, "--base-url", server.base_url, *BOX)
        assert run("scan", LAYER, *DAYS, *where).code == 0


def test_r5_a_png_with_a_bad_checksum_is_rejected(
    run: Run, drawn: DrawnDays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gibswatch.download.retry._FIRST_DELAY_S", 0.01)

    def transparent_at_night(day: dt.date) -> ByteArray:
        globe = drawn.globe(day)
        alpha = np.where(globe.any(axis=2, keepdims=True), np.uint8(255), np.uint8(0))
        return np.concatenate((globe, alpha), axis=2)

    source = DamagingSource(GlobeSource(transparent_at_night, drawn.dates, "png"), bad_crc)
    served = ServedLayer(PNG_LAYER, "png", {4326: "1km"})
    with EmbeddedServer(create_app({PNG_LAYER: (served, source)})) as server:
        ended = run(
            "download", "--layer", PNG_LAYER, "--start", DAY, "--end", "2023-08-07", "--grid",
            "native", *BOX, "--output-dir", tmp_path, "--base-url", server.base_url, "--json",
        )  # fmt: skip
    assert ended.code == 4
    document = json.loads(ended.out)
    assert (document["days_complete"], document["tiles"]) == (1, {"ok": 3, "corrupt": 1})
    assert "PNG" in document["problems"][0]["message"]


def states(root: Path, day: str) -> dict[int, str]:
    """Return the state of each of a day's two tiles, by row."""
    with Journal(Layout(root, LAYER, 4326).journal) as journal:
        return {one.tile.row: one.state for one in journal.tiles(dt.date.fromisoformat(day))}


def test_r5_scrambled_bytes_are_suspect_and_never_an_anomaly(
    run: Run, serve_drawn: Callable[..., EmbeddedServer], tmp_path: Path
) -> None:
    """They decode by design; the second fetch of a day about to be flagged compares the bytes."""
    hole = dt.date.fromisoformat(HOLE_DAY)
    server = serve_drawn(FaultRule("scramble", date=(hole, hole), row=(1, 1), first=1))
    command = ("scan", LAYER, *DAYS, *BOX, "--output-dir", tmp_path, "--base-url", server.base_url)
    first = run(*command, "--json")
    assert first.code == 4
    items = {item["date"]: item for item in json.loads(first.out)["items"]}
    bad = items[HOLE_DAY]
    assert (bad["verdict"], bad["incomplete_cause"]) == ("incomplete", "network")
    assert (bad["findings"], bad["mask"]) == ([], None)
    assert not any(item["verdict"] == "anomalous" for item in items.values())
    assert states(tmp_path, HOLE_DAY) == {0: "ok", 1: "suspect"}
    assert not list(tmp_path.rglob("*_Mask.png"))
    # The next run fetches it again; what is then still to be said of the day is true.
    second = run(*command, "--json")
    items = {item["date"]: item for item in json.loads(second.out)["items"]}
    assert {day for day, item in items.items() if item["verdict"] != "clean"} == {HOLE_DAY}
    assert states(tmp_path, HOLE_DAY) == {0: "ok", 1: "ok"}
    server.requests.clear()
    third = run(*command, "--json")
    assert third.out == second.out
    assert len(server.requests) == 0
