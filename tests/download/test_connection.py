"""Proxies of the environment: looked up once, used, and refused where they cannot be."""

from __future__ import annotations

import asyncio
import datetime as dt

import numpy as np
import pytest

from gibswatch.catalogue.windows import TileIndex
from gibswatch.download.client import TileClient
from gibswatch.download.plan import TileRequest
from gibswatch.download.result import TileResult
from gibswatch.errors import UsageError
from gibswatch.raster import encode_picture
from gibswatch.settings import Settings

TILE = encode_picture(np.arange(512 * 512 * 3, dtype=np.uint8).reshape(512, 512, 3), "jpg")
SERVER = "http://gibs.invalid"


def fetch_through(monkeypatch: pytest.MonkeyPatch, proxy: str) -> tuple[TileResult, list[str]]:
    """Fetch a tile of a server that is not there, behind a proxy on the loopback."""
    heads: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + TILE)
        writer.close()

    async def run() -> TileResult:
        listener = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        monkeypatch.setenv("http_proxy", proxy.format(port=port))
        async with listener, TileClient(Settings(base_url=SERVER)) as client:
            day = dt.date(2023, 8, 7)
            asked = TileRequest("L", day, TileIndex(0, 0), "jpg", 512, f"{SERVER}/a.jpg")
            return await client.fetch(asked)

    return asyncio.run(run()), heads


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{port}", "127.0.0.1:{port}"])
def test_the_proxy_is_asked(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    tile, [head] = fetch_through(monkeypatch, proxy)
    assert (tile.state, tile.body) == ("ok", TILE)
    assert head.startswith(f"GET {SERVER}/a.jpg HTTP/1.1\r\n")
    assert "Authorization" not in head


def test_a_proxy_with_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    tile, [head] = fetch_through(monkeypatch, "http://me:secret@127.0.0.1:{port}")
    assert tile.state == "ok"
    assert "Proxy-Authorization: Basic " in head
    assert "secret" not in head


@pytest.mark.parametrize("port", ["99999", "secret", "0"])
def test_a_proxy_without_a_port_that_there_is_is_refused(
    monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    with pytest.raises(UsageError, match="set it to http://HOST:PORT") as caught:
        asyncio.run(_open(Settings(base_url=SERVER)))
    assert "secret" not in str(caught.value)


async def _open(settings: Settings) -> None:
    async with TileClient(settings):
        pass


def test_another_kind_of_proxy_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "socks5://me:secret@127.0.0.1:1080")
    with pytest.raises(UsageError, match=r"socks5://127\.0\.0\.1.*http://HOST:PORT") as caught:
        asyncio.run(_open(Settings(base_url=SERVER)))
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("no_proxy", "gibs.invalid")
    asyncio.run(_open(Settings(base_url=SERVER)))
    asyncio.run(_open(Settings(base_url="https://gibs.invalid")))
