"""R6: HTTP 200 with something else than the tile: rejected, and the server is quoted."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from gibswatch.download import TileClient
from gibswatch.raster import encode_picture
from gibswatch.settings import Settings
from gibswatch.simulate import FaultRule


def fetch_said(net: Any, said: bytes, image_format: str = "jpg", **options: Any) -> Any:
    async def run() -> Any:
        async with net.following(said) as server:
            settings = Settings(base_url=server.base, **options)
            async with TileClient(settings, sleep=net.time.sleep) as client:
                return await client.fetch(net.ask_for(server.base, 0, image_format))

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (FaultRule("xml_200"), "The service is out of order, by plan"),
        (FaultRule("html_200"), "Service temporarily unavailable"),
        (FaultRule("empty_200"), "0 bytes"),
        (FaultRule("wrong_type"), "Content-Type image/png where jpg belongs"),
    ],
    ids=["XML", "HTML", "empty", "PNG for JPEG"],
)
def test_r6_200_with_something_else(
    rule: FaultRule, says: str, net: Any, serve_with_faults: Any, tile_of: Any
) -> None:
    server = serve_with_faults(rule)

    async def run() -> Any:
        settings = Settings(base_url=server.base_url)
        async with TileClient(settings, sleep=net.time.sleep) as client:
            return await client.fetch(tile_of(server, 2, 4))

    tile = asyncio.run(run())
    assert (tile.state, tile.status, tile.attempts) == ("corrupt", 200, 3)
    assert says in tile.message
    assert (tile.body, tile.pixels, tile.sha256) == (None, None, None)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("image/jpeg", "ok"),
        ("IMAGE/JPEG; q=1", "ok"),
        ("image/jpg", "ok"),
        ("application/octet-stream", "ok"),
        ("", "ok"),
        ("image/png", "corrupt"),
        ("text/html; charset=utf-8", "corrupt"),
        ("application/json", "corrupt"),
    ],
)
def test_r6_the_content_type_is_believed(kind: str, state: str, net: Any) -> None:
    tile = fetch_said(net, net.answer(200, net.jpeg, Content_Type=kind), attempts=1)
    assert tile.state == state
    assert (tile.body is None) is (state != "ok")
    if state != "ok":
        assert f"Content-Type {kind.partition(';')[0]}" in tile.message


def test_r6_a_jpeg_in_a_pngs_place_and_the_other_way_round(net: Any) -> None:
    tile = fetch_said(net, net.answer(200, net.jpeg), "png", attempts=1)
    assert (tile.state, "not a PNG but a JPEG" in tile.message) == ("corrupt", True)
    tile = fetch_said(net, net.answer(200, net.png), "jpg", attempts=1)
    assert (tile.state, "not a JPEG but a PNG" in tile.message) == ("corrupt", True)


@pytest.mark.parametrize("shape", [(256, 256), (512, 511), (1024, 1024), (512, 513)])
def test_r6_other_dimensions(shape: tuple[int, int], net: Any) -> None:
    body = encode_picture(np.full((*shape, 3), 90, np.uint8), "jpg")
    tile = fetch_said(net, net.answer(200, body), attempts=1)
    assert tile.state == "corrupt"
    assert f"{shape[1]}x{shape[0]} pixels where 512x512 belong" in tile.message


def test_r6_the_quoted_text_is_harmless(net: Any) -> None:
    text = (
        "<?xml version='1.0'?><E>&lt;script&gt;\x1b[31m\r\n\x00\u202eevil" + "long " * 900 + "</E>"
    )
    tile = fetch_said(net, net.answer(200, text.encode(), Content_Type="text/xml"), attempts=1)
    assert tile.state == "corrupt"
    assert "the server says: " in tile.message
    assert tile.message.isprintable()
    assert len(tile.message) < 400
    assert len(tile.message.splitlines()) == 1


def test_r6_a_refusal_is_quoted_too(net: Any) -> None:
    report = (
        b"<ExceptionReport><ExceptionText>TILEROW is out of range</ExceptionText></ExceptionReport>"
    )
    tile = fetch_said(net, net.answer(400, report, Content_Type="text/xml"))
    assert (tile.state, tile.attempts) == ("absent", 1)
    assert tile.message == "HTTP 400; the server says: TILEROW is out of range"
