"""Every planned fault, seen from the client's side."""

import asyncio
import datetime as dt
import gzip
import io
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from gibswatch.catalogue.windows import TileIndex
from gibswatch.download.client import TileClient, TileResult
from gibswatch.download.plan import TileRequest
from gibswatch.errors import DecodeError
from gibswatch.raster.codec import decode_picture
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, FaultPlan, FaultRule, GlobeSource, ServedLayer
from gibswatch.simulate.server import embedded_server
from gibswatch.simulate.server.faults import Effect
from gibswatch.types import ByteArray

LAYER = "A_Layer"
MASK = "A_Mask"
DAYS = tuple(dt.date(2023, 8, day) for day in (5, 6, 7, 9))
DAY = DAYS[1]
REST = "/wmts/epsg4326/best/{}/default/{}/250m/{}/{}/{}.{}"
PATH = REST.format(LAYER, DAY, 3, 2, 4, "jpg")
OTHER = REST.format(LAYER, DAY, 3, 2, 5, "jpg")


def draw(day: dt.date) -> ByteArray:
    """Draw a globe with texture, of another brightness every day."""
    waves = np.sin(np.arange(360)[:, None] / 2.0) + np.cos(np.arange(720) / 3.0)
    return np.repeat((100 + 10 * day.day + 20 * waves).astype(np.uint8)[..., None], 3, axis=2)


LAYERS = {
    LAYER: (
        ServedLayer(LAYER, "jpg", {4326: "250m", 3857: "GoogleMapsCompatible_Level9"}),
        GlobeSource(draw, DAYS, "jpg"),
    ),
    MASK: (ServedLayer(MASK, "png", {4326: "250m"}), GlobeSource(draw, DAYS, "png")),
}


def serve(*rules: FaultRule, seed: int = 0) -> EmbeddedServer:
    return embedded_server(LAYERS, FaultPlan(rules, seed))


rule: Callable[..., FaultRule] = partial(FaultRule, col=(4, 4))


def dial(server: EmbeddedServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.base_url.rpartition(":")[2])), 10)


def ask(
    server: EmbeddedServer, path: str = PATH, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """Ask over a raw socket, and read until the server closes."""
    with closing(dial(server)) as line:
        request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        line.sendall(request.encode())
        data = b"".join(iter(lambda: line.recv(65536), b""))
    return parse(data)


def parse(data: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (ln.partition(":") for ln in lines)}
    return int(first.split()[1]), headers, body


def fetch(server: EmbeddedServer, path: str = PATH, **settings: Any) -> TileResult:
    """Ask as the downloader does, without waits between attempts."""
    options = {"attempts": 1, "tile_timeout_s": 5.0, **settings}

    async def run() -> TileResult:
        async def sleep(_: float) -> None: ...

        async with TileClient(Settings(base_url=server.base_url, **options), sleep=sleep) as client:
            url = server.base_url + path
            return await client.fetch(TileRequest(LAYER, DAY, TileIndex(2, 4), "jpg", 512, url))

    return asyncio.run(run())


@pytest.fixture(scope="module")
def good() -> bytes:
    with serve() as server:
        return ask(server)[2]


def mean(body: bytes) -> float:
    return float(simplejpeg.decode_jpeg(body).mean())


def test_status_with_headers_and_the_third_request_is_good(good: bytes) -> None:
    plan = rule("status", status=429, headers=(("Retry-After", "2"),), first=2)
    with serve(plan) as server:
        for _ in range(2):
            status, headers, _ = ask(server)
            assert (status, headers["retry-after"]) == (429, "2")
        assert ask(server)[2] == good
        assert ask(server, OTHER)[0] == 200
    assert [record.status for record in server.requests] == [429, 429, 200, 200]
    with serve(plan) as server:
        result = fetch(server, attempts=3)
    assert (result.state, result.attempts, result.body) == ("ok", 3, good)


@pytest.mark.parametrize(
    ("status", "state"), [(404, "absent"), (400, "absent"), (500, "failed"), (503, "failed")]
)
def test_status_as_the_client_sees_it(status: int, state: str) -> None:
    with serve(rule("status", status=status)) as server:
        assert fetch(server).state == state


def test_delay(good: bytes) -> None:
    with serve(rule("delay", delay_s=0.3)) as server:
        start = time.monotonic()
        assert ask(server)[2] == good
        assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("keep", [None, 0.3])
def test_hang_until_the_client_goes(keep: float | None) -> None:
    with serve(rule("hang", keep=keep)) as server:
        result = fetch(server, tile_timeout_s=0.3)
        assert (result.state, result.status) == ("failed", None)
        assert ask(server, OTHER)[0] == 200


def test_hang_until_the_server_stops() -> None:
    before = threading.active_count()
    with serve(rule("hang", keep=0.5)) as server:
        line = dial(server)
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"
        start = time.monotonic()
    stopped = time.monotonic()
    line.close()
    assert stopped - start < 3
    # Starlette's worker threads are told to end with the loop, and are not waited for.
    while threading.active_count() > before and time.monotonic() - stopped < 3:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_delay_ends_as_the_server_stops() -> None:
    with serve(rule("delay", delay_s=60.0)) as server:
        line = dial(server)
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert ask(server, OTHER)[0] == 200
        start = time.monotonic()
    assert time.monotonic() - start < 3
    line.close()


def test_truncate_by_length(good: bytes) -> None:
    with serve(rule("truncate")) as server:
        status, headers, body = ask(server)
        assert (status, int(headers["content-length"])) == (200, len(good))
        assert body == good[: len(good) // 2]
        assert headers["layer-time-actual"] == f"{DAY}T00:00:00Z"
        assert fetch(server).state == "corrupt"
    assert [record.status for record in server.requests] == [200, 200]


def test_truncate_in_chunks(good: bytes) -> None:
    with serve(rule("truncate", how="chunked", keep=0.25)) as server:
        _, headers, body = ask(server)
        assert headers["transfer-encoding"] == "chunked"
        assert "content-length" not in headers
        size, _, rest = body.partition(b"\r\n")
        assert rest == good[: int(size, 16)] + b"\r\n"
        assert int(size, 16) == len(good) // 4
        assert fetch(server).state == "corrupt"


def test_half_a_file(good: bytes) -> None:
    with serve(rule("truncate", how="file")) as server:
        _, headers, body = ask(server)
        assert int(headers["content-length"]) == len(body) == len(good) // 2
        result = fetch(server)
    assert (result.state, result.message) == ("corrupt", "short JPEG: its end marker is missing")


def test_scramble_that_decodes(good: bytes) -> None:
    with serve(rule("scramble")) as server:
        body = ask(server)[2]
        assert len(body) == len(good)
        assert body != good
        assert not np.array_equal(simplejpeg.decode_jpeg(body), simplejpeg.decode_jpeg(good))
        assert ask(server)[2] == body
        assert fetch(server).state == "ok"
    with serve(rule("scramble"), seed=1) as server:
        assert ask(server)[2] != body


def test_scramble_that_does_not_decode(good: bytes) -> None:
    with serve(rule("scramble", how="broken")) as server:
        body = ask(server)[2]
        assert len(body) == len(good)
        assert (body[:2], body[-2:]) == (good[:2], good[-2:])
        assert fetch(server).state == "corrupt"


@pytest.mark.parametrize("how", ["decodes", "broken"])
def test_scrambled_png(how: str) -> None:
    path = REST.format(MASK, DAY, 3, 2, 4, "png")
    with serve() as server:
        good = ask(server, path)[2]
    with serve(rule("scramble", how=how)) as server:
        body = ask(server, path)[2]
    if how == "broken":
        with pytest.raises(DecodeError):
            decode_picture(body, image_format="png")
        return
    before, after = (decode_picture(data, image_format="png") for data in (good, body))
    assert before.shape == after.shape
    assert not np.array_equal(before, after)


@pytest.mark.parametrize(
    ("days_off", "how", "served", "told"),
    [
        (-1, None, DAYS[0], DAYS[0]),
        (1, "actual", DAYS[2], DAYS[2]),
        (2, "asked", DAYS[3], DAY),
        (-5, "asked", DAYS[0], DAY),
    ],
)
def test_wrong_day(days_off: int, how: Any, served: dt.date, told: dt.date) -> None:
    with serve() as server:
        other = ask(server, REST.format(LAYER, served, 3, 2, 4, "jpg"))[2]
    with serve(rule("wrong_day", days_off=days_off, how=how)) as server:
        status, headers, body = ask(server)
        assert fetch(server).state in ("ok", "wrong-date")
    assert (status, body) == (200, other)
    assert headers["layer-time-actual"] == f"{told}T00:00:00Z"
    assert headers["layer-time-request"] == str(DAY)


def test_wrong_day_at_the_first_day_is_the_next_one() -> None:
    path = REST.format(LAYER, DAYS[0], 3, 2, 4, "jpg")
    with serve(rule("wrong_day")) as server:
        assert ask(server, path)[1]["layer-time-actual"].startswith(str(DAYS[1]))


def test_default_day_by_every_address() -> None:
    kvp = (
        f"/wmts/epsg4326/best/wmts.cgi?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={LAYER}"
        f"&STYLE=&TIME={DAY}&TILEMATRIXSET=250m&TILEMATRIX=3&TILEROW=2&TILECOL=4&FORMAT=image/jpeg"
    )
    twms = (
        f"/twms/epsg4326/best/twms.cgi?request=GetMap&layers={LAYER}&srs=EPSG:4326&styles="
        f"&format=image/jpeg&time={DAY}&width=512&height=512&bbox=-36,-18,0,18"
    )
    with serve(rule("default_day", row=(2, 2), level=(3, 3))) as server:
        bodies = [ask(server, path)[1:] for path in (PATH, kvp, twms)]
    for headers, body in bodies:
        assert headers["layer-time-actual"] == f"{DAYS[-1]}T00:00:00Z"
        assert abs(mean(body) - draw(DAYS[-1]).mean()) < 4


def test_blank_has_no_layer_headers() -> None:
    with serve(rule("blank")) as server:
        status, headers, body = ask(server)
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert not [name for name in headers if name.startswith("layer-")]
    assert simplejpeg.decode_jpeg(body).shape == (512, 512, 3)
    assert simplejpeg.decode_jpeg(body).max() == 0


def test_blank_png_is_transparent() -> None:
    with serve(rule("blank")) as server:
        body = ask(server, REST.format(MASK, DAY, 3, 2, 4, "png"))[2]
    with Image.open(io.BytesIO(body)) as png:
        assert png.mode == "RGBA"
        assert not np.asarray(png).any()


@pytest.mark.parametrize("keep", [None, 0.4])
def test_reset(keep: float | None) -> None:
    with serve(rule("reset", keep=keep)) as server:
        with pytest.raises(ConnectionResetError):
            ask(server)
        assert ask(server, OTHER)[0] == 200
        assert [record.status for record in server.requests] == [200 if keep else 0, 200]
        assert fetch(server).state in ("failed", "corrupt")


@pytest.mark.parametrize("length_by", [100, -100])
def test_wrong_length(good: bytes, length_by: int) -> None:
    with serve(rule("wrong_length", length_by=length_by)) as server:
        _, headers, body = ask(server)
        assert int(headers["content-length"]) == len(good) + length_by
        assert body == good
        assert fetch(server).state in ("failed", "corrupt")


@pytest.mark.parametrize(
    ("effect", "media_type", "start"),
    [
        ("xml_200", "text/xml", b"<?xml"),
        ("html_200", "text/html", b"<!DOCTYPE html>"),
        ("empty_200", "image/jpeg", b""),
        ("wrong_type", "image/png", b"\x89PNG"),
    ],
)
def test_no_picture_with_status_200(effect: Effect, media_type: str, start: bytes) -> None:
    with serve(rule(effect)) as server:
        status, headers, body = ask(server)
        assert (status, headers["content-type"].partition(";")[0]) == (200, media_type)
        assert int(headers["content-length"]) == len(body)
        assert body.startswith(start)
        assert bool(body) == bool(start)
        assert fetch(server).state == "corrupt"


def test_jpeg_for_a_png_layer() -> None:
    with serve(rule("wrong_type")) as server:
        _, headers, body = ask(server, REST.format(MASK, DAY, 3, 2, 4, "png"))
    assert headers["content-type"] == "image/jpeg"
    assert simplejpeg.decode_jpeg(body).shape == (512, 512, 3)


def test_documents_have_faults_of_their_own() -> None:
    caps = "/wmts/epsg4326/best/1.0.0/WMTSCapabilities.xml"
    with serve(FaultRule("status", documents=True, first=1)) as server:
        assert [ask(server, path)[0] for path in (caps, caps, PATH)] == [503, 200, 200]


def test_rate_breaks_the_same_tiles_in_any_order() -> None:
    paths = [REST.format(LAYER, DAY, 3, row, col, "jpg") for row in range(4) for col in range(8)]
    broken = []
    for order in (paths, paths[::-1]):
        with serve(FaultRule("status", rate=0.3), seed=5) as server:
            broken.append({path for path in order if ask(server, path)[0] == 503})
    assert broken[0] == broken[1]
    assert 0 < len(broken[0]) < len(paths)


def test_what_has_no_body_goes_out_as_it_is() -> None:
    for effect in ("truncate", "wrong_length", "blank", "wrong_day", "scramble"):
        with serve(rule(effect)) as server:
            status, headers, body = ask(server, method="HEAD")
        assert (status, body) == (200, b"")
        assert int(headers["content-length"]) > 1000


def test_drip_until_the_client_goes(good: bytes) -> None:
    with serve(rule("drip", bytes_per_s=1000.0)) as server:
        with closing(dial(server)) as line:
            line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            status, headers, _ = parse(read_until(line, b"\r\n\r\n"))
            assert (status, int(headers["content-length"])) == (200, len(good))
            drops = [line.recv(65536) for _ in range(3)]
        assert 0 < max(map(len, drops)) < 1000
        assert ask(server, OTHER)[0] == 200
        result = fetch(server, tile_timeout_s=0.3)
        assert (result.state, result.status) == ("failed", None)


def test_a_drip_comes_to_its_end(good: bytes) -> None:
    with serve(rule("drip", bytes_per_s=100_000.0)) as server:
        assert ask(server)[2] == good


def test_drip_ends_as_the_server_stops() -> None:
    with serve(rule("drip")) as server, closing(dial(server)) as line:
        line.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"
        start = time.monotonic()
        server.__exit__(None, None, None)
        assert time.monotonic() - start < 3


def read_until(line: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        data += line.recv(1)
    return data


def test_gzip(good: bytes) -> None:
    bodies = {}
    for how in ("whole", "broken", "lie", "unsaid", "bomb"):
        with serve(rule("gzip", how=how)) as server:
            status, headers, bodies[how] = ask(server)
            assert (status, int(headers["content-length"])) == (200, len(bodies[how]))
            assert headers.get("content-encoding") == (None if how == "unsaid" else "gzip")
            if how != "lie":  # whose bytes are those of the picture
                assert fetch(server).state == "corrupt"
    assert gzip.decompress(bodies["whole"]) == gzip.decompress(bodies["unsaid"]) == good
    assert bodies["lie"] == good
    with pytest.raises(EOFError):
        gzip.decompress(bodies["broken"])
    assert len(bodies["bomb"]) < 1 << 20
    assert gzip.decompress(bodies["bomb"]) == bytes(64 << 20)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body(status: int) -> None:
    with serve(rule("status", status=status)) as server:
        answered, _, body = ask(server)
        assert (answered, body) == (status, b"")
        assert ask(server, OTHER)[0] == 200
