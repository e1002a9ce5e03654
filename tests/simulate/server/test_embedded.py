"""The embedded server over real HTTP on the loopback."""

import asyncio
import datetime as dt
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import aiohttp
import numpy as np
import pytest
import simplejpeg

from gibswatch.errors import UsageError
from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.simulate.server import example_tile_path, serve_forever

LAYER = ServedLayer("MODIS_Terra_CorrectedReflectance_TrueColor", "jpg", {4326: "250m"})
DRAWN = DrawnDays(LAYER.identifier, 3, dt.date(2023, 8, 5), 3, dt.date(2023, 8, 7), rows=128)
SOURCE = GlobeSource(DRAWN.globe, DRAWN.dates, "jpg")
PATH = f"/wmts/epsg4326/best/{LAYER.identifier}/default/2023-08-07/250m"


def server(port: int = 0) -> EmbeddedServer:
    return EmbeddedServer(create_app({LAYER.identifier: (LAYER, SOURCE)}), port=port)


def test_tiles_come_over_http() -> None:
    with server() as running:
        assert running.base_url.startswith("http://127.0.0.1:")
        url = running.base_url + example_tile_path(LAYER, SOURCE)
        with urllib.request.urlopen(url, timeout=20) as reply:
            assert reply.headers["Layer-Time-Actual"] == "2023-08-07T00:00:00Z"
            assert reply.headers["Content-Type"] == "image/jpeg"
            assert simplejpeg.decode_jpeg(reply.read()).shape == (512, 512, 3)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{running.base_url}{PATH}/2/9/0.jpg", timeout=20)
        with refused.value as error:
            assert error.code == 400
            assert b"TileOutOfRange" in error.read()
    assert [record.status for record in running.requests] == [200, 400]


def test_a_whole_day_at_once() -> None:
    async def fetch(base_url: str) -> list[bytes]:
        async with aiohttp.ClientSession(raise_for_status=True) as session:

            async def tile(row: int, col: int) -> bytes:
                async with session.get(f"{base_url}{PATH}/2/{row}/{col}.jpg") as reply:
                    return await reply.read()

            return await asyncio.gather(*(tile(n // 5, n % 5) for n in range(15)))

    with server() as running:
        tiles = [simplejpeg.decode_jpeg(data) for data in asyncio.run(fetch(running.base_url))]
    rows = [np.hstack(tiles[start : start + 5]) for start in (0, 5, 10)]
    globe = np.vstack(rows)[:1280, :2560]
    truth = np.kron(DRAWN.truth(dt.date(2023, 8, 7)), np.ones((10, 10), np.bool_))
    assert np.mean(globe.max(axis=2)[truth] <= 20) > 0.97  # JPEG rings at the edges
    assert np.median(globe.max(axis=2)[truth]) == 0
    assert len(running.requests) == 15


def test_nothing_is_left_behind() -> None:
    before = threading.active_count()
    with server() as running:
        port = int(running.base_url.rpartition(":")[2])
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", port))
    assert threading.active_count() <= before
    with server(port) as again:
        assert again.base_url == running.base_url


def test_taken_port_is_named() -> None:
    with server() as running:
        port = int(running.base_url.rpartition(":")[2])
        with pytest.raises(UsageError, match=rf"port {port} of 127.0.0.1 is in use.*--port 0"):
            server(port).__enter__()
        with pytest.raises(UsageError, match="is in use"):
            serve_forever(create_app({}), "127.0.0.1", port)


def test_other_addresses_that_cannot_be() -> None:
    app = create_app({})
    with pytest.raises(UsageError, match="use 0 to 65535"):
        serve_forever(app, "127.0.0.1", 70000)
    with pytest.raises(UsageError, match="not an address of this machine"):
        serve_forever(app, "192.0.2.1", 0)
    with pytest.raises(UsageError, match="with statement"):
        _ = EmbeddedServer(app).base_url


def test_import_needs_no_server_packages() -> None:
    code = (
        "import sys; sys.modules['starlette'] = sys.modules['uvicorn'] = None\n"
        "import gibswatch.simulate as s\n"
        "names = ('starlette.', 'uvicorn.', 'matplotlib')\n"
        "assert not [m for m in sys.modules if m.startswith(names)]\n"
        "try:\n    s.create_app({})\nexcept ImportError as error:\n    print(error)\n"
        "try:\n    s.EmbeddedServer(None).__enter__()\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count('pip install "gibswatch[serve]"') == 2
