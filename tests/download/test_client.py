"""What a tile client makes of a server that does what servers do, on the loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import hashlib
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.catalogue.windows import TileIndex
from gibswatch.download.client import USER_AGENT, TileClient, TileResult
from gibswatch.download.plan import TileRequest
from gibswatch.errors import ServerUnreachableError, UsageError
from gibswatch.raster.codec import encode_picture
from gibswatch.settings import Settings
from gibswatch.types import ByteArray, ImageFormat

RAMP: ByteArray = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (2, 512, 3))
JPEG = encode_picture(RAMP, "jpg")
PNG = encode_picture(np.dstack((RAMP, RAMP[..., 0])), "png")
SMALL = encode_picture(RAMP[:256, :256], "jpg")

Answer = Callable[[asyncio.StreamWriter], Awaitable[object]]


def reply(status: int, body: bytes = b"", headers: str = "", length: int | None = None) -> Answer:
    """Say one whole answer; `length` is what it claims."""
    announced = len(body) if length is None else length
    sizes = "" if status == 204 else f"Content-Length: {announced}\r\n"
    head = f"HTTP/1.1 {status} Said\r\n{sizes}{headers}Connection: close\r\n\r\n"
    return raw(head.encode() + body)


def raw(data: bytes) -> Answer:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return say


def reset_after(data: bytes) -> Answer:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.transport.abort()

    return say


@dataclass
class ScriptedServer:
    """Gives one answer of the script a connection, the last one again and again."""

    script: Sequence[Answer]
    heads: list[str] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await self.script[min(len(self.heads), len(self.script)) - 1](writer)
        except ConnectionError:
            return
        finally:
            self.open_now -= 1
            writer.close()

    def hang_after(self, data: bytes) -> Answer:
        async def say(writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()
            await self.over.wait()

        return say


@dataclass
class Outcome:
    results: list[TileResult]
    heads: list[str]
    most_open: int
    sleeps: list[float]

    @property
    def only(self) -> TileResult:
        [result] = self.results
        return result


def request(url: str, image_format: ImageFormat = "jpg", row: int = 0) -> TileRequest:
    day = dt.date(2023, 8, 7)
    return TileRequest("Some_Layer", day, TileIndex(row, 0), image_format, 512, url)


def fetch(
    *script: Answer,
    hang_after: bytes | None = None,
    image_format: ImageFormat = "jpg",
    count: int = 1,
    **options: Any,
) -> Outcome:
    """Fetch `count` tiles from a server that follows the script."""
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)

    async def run() -> Outcome:
        scripted = ScriptedServer(script)
        if hang_after is not None:
            scripted.script = [scripted.hang_after(hang_after)]
        server = await asyncio.start_server(scripted, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        async with server:
            settings = Settings(base_url=base, **options)
            async with TileClient(settings, sleep=sleep) as client:
                asked = [request(f"{base}/{n}", image_format, n) for n in range(count)]
                results = await asyncio.gather(*(client.fetch(one) for one in asked))
            scripted.over.set()
        return Outcome(results, scripted.heads, scripted.most_open, sleeps)

    return asyncio.run(run())


def test_a_good_tile() -> None:
    headers = (
        "Content-Type: image/jpeg\r\n"
        'ETag: "abc"\r\n'
        "Layer-Time-Actual: 2023-08-07T00:00:00Z\r\n"
        "Layer-Identifier-Actual: Some_Layer_v6_STD\r\n"
        "Set-Cookie: a=b\r\n"
        "X-Other: not kept\r\n"
    )
    outcome = fetch(reply(200, JPEG, headers))
    tile = outcome.only
    assert (tile.state, tile.message, tile.status, tile.attempts) == ("ok", "", 200, 1)
    assert tile.body == JPEG
    assert tile.sha256 == hashlib.sha256(JPEG).hexdigest()
    assert tile.pixels is not None
    assert tile.pixels.shape == (512, 512, 3)
    assert tile.headers == {
        "Content-Type": "image/jpeg",
        "ETag": '"abc"',
        "Layer-Time-Actual": "2023-08-07T00:00:00Z",
        "Layer-Identifier-Actual": "Some_Layer_v6_STD",
    }
    assert tile.retrieved_at.utcoffset() == dt.timedelta(0)
    assert outcome.sleeps == []


def test_a_good_png() -> None:
    tile = fetch(reply(200, PNG), image_format="png").only
    assert tile.state == "ok"
    assert tile.pixels is not None
    assert tile.pixels.shape == (512, 512, 4)


def test_the_request_says_who_asks() -> None:
    [head] = fetch(reply(200, JPEG)).heads
    assert head.startswith("GET /0 HTTP/1.1\r\n")
    assert f"User-Agent: {USER_AGENT}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head
    assert "Cookie" not in head


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 451])
def test_absent_is_not_asked_again(status: int) -> None:
    outcome = fetch(reply(status, b"" if status == 204 else b"no such tile"))
    tile = outcome.only
    assert (tile.state, tile.status, tile.attempts) == ("absent", status, 1)
    assert str(status) in tile.message
    assert (tile.body, tile.pixels, tile.sha256) == (None, None, None)
    assert len(outcome.heads) == 1
    assert outcome.sleeps == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_failure_that_passes(status: int) -> None:
    outcome = fetch(reply(status, b"busy"), reply(200, JPEG))
    assert (outcome.only.state, outcome.only.attempts) == ("ok", 2)
    assert outcome.only.body == JPEG
    assert len(outcome.sleeps) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_failure_that_stays(status: int) -> None:
    outcome = fetch(reply(status, b"busy"), attempts=4)
    tile = outcome.only
    assert (tile.state, tile.status, tile.attempts) == ("failed", status, 4)
    assert (tile.body, tile.pixels, tile.sha256) == (None, None, None)
    assert len(outcome.heads) == 4
    assert len(outcome.sleeps) == 3
    assert outcome.sleeps == sorted(outcome.sleeps)


def test_other_server_errors_are_not_asked_again() -> None:
    outcome = fetch(reply(501, b"OperationNotSupported"))
    assert (outcome.only.state, outcome.only.attempts) == ("failed", 1)


def test_a_redirect_is_not_followed() -> None:
    outcome = fetch(reply(302, b"", "Location: /elsewhere\r\n"), reply(200, JPEG))
    assert (outcome.only.state, outcome.only.status, outcome.only.attempts) == ("failed", 302, 1)
    assert len(outcome.heads) == 1


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(reply(200, JPEG[:-200], length=len(JPEG)), id="shorter than announced"),
        pytest.param(reply(200, JPEG, length=len(JPEG) + 5), id="whole JPEG, length wrong"),
        pytest.param(raw(CHUNKED + b"400\r\n" + JPEG[:0x100]), id="cut in a chunk"),
        pytest.param(
            raw(CHUNKED + f"{len(JPEG):x}\r\n".encode() + JPEG + b"\r\n"), id="no last chunk"
        ),
    ],
)
def test_a_short_answer_is_corrupt(broken: Answer) -> None:
    stays = fetch(broken)
    assert (stays.only.state, stays.only.attempts) == ("corrupt", 3)
    assert "short answer" in stays.only.message
    assert stays.only.body is None
    passes = fetch(broken, reply(200, JPEG))
    assert (passes.only.state, passes.only.attempts, passes.only.body) == ("ok", 2, JPEG)


def test_a_whole_chunked_answer_is_good() -> None:
    half = len(JPEG) // 2
    parts = (f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (JPEG[:half], JPEG[half:]))
    tile = fetch(raw(CHUNKED + b"".join(parts) + b"0\r\n\r\n")).only
    assert (tile.state, tile.body) == ("ok", JPEG)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "0 bytes", id="empty"),
        pytest.param(b"<html><b>Sorry</b></html>", "<html><b>Sorry", id="HTML"),
        pytest.param(b'<?xml version="1.0"?><E/>', "<?xml version", id="XML"),
        pytest.param(PNG, "not a JPEG but a PNG", id="PNG for JPEG"),
        pytest.param(SMALL, "256x256 pixels where 512x512", id="dimensions"),
        pytest.param(JPEG[: len(JPEG) // 2], "end marker is missing", id="half a JPEG"),
        pytest.param(JPEG[:-200] + b"\xff\xd9", "damaged JPEG", id="cut, with an end marker"),
        pytest.param(gzip.compress(JPEG), "not a JPEG", id="compressed unasked"),
    ],
)
def test_200_with_something_else_is_corrupt(body: bytes, says: str) -> None:
    tile = fetch(reply(200, body)).only
    assert (tile.state, tile.status, tile.attempts) == ("corrupt", 200, 3)
    assert says in tile.message
    assert (tile.body, tile.pixels, tile.sha256) == (None, None, None)


def test_a_content_encoding_is_not_undone() -> None:
    packed = reply(200, gzip.compress(JPEG), "Content-Encoding: gzip\r\n")
    tile = fetch(packed).only
    assert tile.state == "corrupt"
    assert tile.body is None


def test_control_characters_of_the_server_stay_out_of_the_message() -> None:
    message = fetch(reply(200, b"\x1b[31m\r\n\x00 red")).only.message
    assert message.isprintable()


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("client", "states"):
        monkeypatch.setattr(f"gibswatch.download.{module}.MAX_TILE_BYTES", 10_000)
    tile = fetch(reply(200, JPEG[:2] + b"\0" * 20_000)).only
    assert tile.state == "corrupt"
    assert "more than 10000 bytes" in tile.message


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"nonsense\r\n\r\n"])
def test_a_reset_or_nonsense_before_the_answer(sent: bytes) -> None:
    broken = reset_after(sent)
    outcome = fetch(broken, broken, reply(200, JPEG))
    assert (outcome.only.state, outcome.only.attempts, len(outcome.heads)) == ("ok", 3, 3)
    stays = fetch(reset_after(sent))
    assert (stays.only.state, stays.only.status, stays.only.attempts) == ("failed", None, 3)
    assert stays.only.message


def test_a_reset_in_the_body() -> None:
    tile = fetch(reset_after(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + JPEG[:500])).only
    assert tile.state in {"failed", "corrupt"}
    assert (tile.attempts, tile.body) == (3, None)


@pytest.mark.parametrize(
    "sent",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + JPEG[:500]],
    ids=["before the header", "in the body"],
)
def test_a_hang_ends_in_time(sent: bytes) -> None:
    begin = time.monotonic()
    tile = fetch(hang_after=sent, tile_timeout_s=0.2, attempts=2).only
    assert time.monotonic() - begin < 2.0
    assert (tile.state, tile.attempts) == ("failed", 2)
    assert "in time" in tile.message


def test_waiting_for_a_free_connection_is_not_the_servers_time() -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await reply(200, JPEG)(writer)

    outcome = fetch(slowly, count=8, connections=1, tile_timeout_s=0.5, attempts=1)
    assert [tile.state for tile in outcome.results] == ["ok"] * 8


def test_connections_are_bounded() -> None:
    outcome = fetch(reply(200, JPEG), count=40, connections=3)
    assert [tile.state for tile in outcome.results] == ["ok"] * 40
    assert len(outcome.heads) == 40
    assert outcome.most_open <= 3


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_no_server_there() -> None:
    base = f"http://127.0.0.1:{free_port()}"
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)

    async def run() -> None:
        async with TileClient(Settings(base_url=base), sleep=sleep) as client:
            for n in range(3):
                tile = await client.fetch(request(f"{base}/{n}"))
                assert (tile.state, tile.status, tile.attempts) == ("failed", None, 3)
                assert "no connection" in tile.message
            await client.fetch(request(f"{base}/last"))

    with pytest.raises(ServerUnreachableError, match=f"{base}.*--base-url") as caught:
        asyncio.run(run())
    assert caught.value.exit_code == 5
    assert len(sleeps) == 6


def test_refusals_after_an_answer_are_only_failures() -> None:
    async def run() -> list[str]:
        scripted = ScriptedServer([reply(200, JPEG)])
        server = await asyncio.start_server(scripted, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = Settings(base_url=base, attempts=1)
        async with TileClient(settings) as client:
            async with server:
                first = await client.fetch(request(base))
            rest = [await client.fetch(request(base)) for _ in range(12)]
        return [tile.state for tile in (first, *rest)]

    assert asyncio.run(run()) == ["ok"] + ["failed"] * 12


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_bad_ca_bundle(tmp_path: Path, content: str | None) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)

    async def enter() -> None:
        async with TileClient(Settings(ca_bundle=str(bundle))):
            pass

    with pytest.raises(UsageError, match=r"bundle\.pem is not a readable PEM"):
        asyncio.run(enter())


def test_outside_of_its_block() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(TileClient(Settings()).fetch(request("http://127.0.0.1/")))


@pytest.mark.parametrize(
    ("actual", "state"),
    [
        ("2023-08-07T00:00:00Z", "ok"),
        ("2023-08-06T00:00:00Z", "wrong-date"),
        ("2026-06-23T00:00:00Z", "wrong-date"),
        (None, "ok"),
    ],
)
def test_another_days_tile_is_known_by_its_header(actual: str | None, state: str) -> None:
    header = f"Layer-Time-Actual: {actual}\r\n" if actual else ""
    outcome = fetch(reply(200, JPEG, header))
    tile = outcome.only
    assert (tile.state, tile.attempts) == (state, 1)
    assert (tile.body is None) is (tile.pixels is None) is (state != "ok")
    if state != "ok":
        assert tile.message == f"the server sent the tile of {str(actual)[:10]}"
