"""R3: errors 500, resets, no such host, and servers that hang or drip: every run ends."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from gibswatch.download import Pacer, TileClient
from gibswatch.errors import ServerUnreachableError
from gibswatch.settings import Settings
from gibswatch.simulate import FaultRule

_NEVER_S = 60.0
"""A test that takes this long hangs: it is stopped, and fails."""


def fetch(net: Any, base: str, asked: list[Any], **options: Any) -> list[Any]:
    """Fetch tiles in real time, but for the waits between attempts."""

    async def run() -> list[Any]:
        settings = Settings(base_url=base, requests_per_s=0, ramp_up_s=0, **options)
        async with asyncio.timeout(_NEVER_S), TileClient(settings, sleep=net.time.sleep) as client:
            return await asyncio.gather(*(client.fetch(one) for one in asked))

    return asyncio.run(run())


@pytest.mark.parametrize(
    "rule",
    [
        FaultRule("status", status=500, row=(1, 1)),
        FaultRule("status", status=520, row=(1, 1)),
        FaultRule("reset", row=(1, 1)),
        FaultRule("reset", keep=0.3, row=(1, 1)),
        FaultRule("hang", row=(1, 1)),
        FaultRule("hang", keep=0.3, row=(1, 1)),
        FaultRule("drip", row=(1, 1)),
    ],
    ids=["500", "520", "reset", "reset in the body", "hang", "hang in the body", "1 byte a second"],
)
def test_r3_the_run_ends_and_the_other_tiles_are_there(
    rule: FaultRule, net: Any, serve_with_faults: Any, tile_of: Any
) -> None:
    server = serve_with_faults(rule)
    asked = [tile_of(server, row, col) for row in range(3) for col in range(4)]
    tiles = fetch(net, server.base_url, asked, connections=4, attempts=3, tile_timeout_s=0.5)
    assert [tile.state for tile in tiles[:4] + tiles[8:]] == ["ok"] * 8
    for tile in tiles[4:8]:
        assert tile.state in {"failed", "corrupt"}
        assert (tile.attempts, tile.pixels, tile.body) == (3, None, None)
        assert tile.message
    asked_for = [record.path for record in server.requests]
    assert all(asked_for.count(path) <= 3 for path in asked_for)
    assert len(asked_for) <= 8 + 4 * 3


def test_r3_a_kept_connection_that_is_lost_is_an_attempt(net: Any) -> None:
    """Alone aiohttp would ask again without a word, and the tile would be asked for six times."""
    good_once = iter([net.answer(200, net.jpeg)])

    async def say(_path: str, writer: asyncio.StreamWriter) -> None:
        if said := next(good_once, b""):
            writer.write(said)
            await writer.drain()
        else:
            writer.transport.abort()

    async def run() -> tuple[list[Any], list[str]]:
        async with net.Loopback(say) as server:
            settings = Settings(base_url=server.base, requests_per_s=0, ramp_up_s=0)
            async with TileClient(settings, sleep=net.time.sleep) as client:
                tiles = [await client.fetch(net.ask_for(server.base, n)) for n in range(2)]
        return tiles, server.paths

    [good, lost], paths = asyncio.run(run())
    assert (good.state, good.attempts) == ("ok", 1)
    assert (lost.state, lost.attempts) == ("failed", 3)
    assert "connection lost" in lost.message
    assert paths == ["/0.jpg", "/1.jpg", "/1.jpg", "/1.jpg"]


def slow_server(net: Any, seconds: float) -> Any:
    """A server that takes so long (of the fake time), and then drops the connection."""

    async def say(_path: str, writer: asyncio.StreamWriter) -> None:
        net.time.now += seconds
        writer.transport.abort()

    return net.Loopback(say)


@pytest.mark.parametrize(("seconds", "requests"), [(50.0, 4), (170.0, 2), (179.9, 1), (500.0, 1)])
def test_r3_no_attempt_begins_after_the_tiles_deadline(
    seconds: float, requests: int, net: Any
) -> None:
    async def run() -> tuple[Any, list[str]]:
        async with slow_server(net, seconds) as server:
            settings = Settings(base_url=server.base, attempts=9, tile_deadline_s=180)
            clock, sleep = net.time.clock, net.time.sleep
            pacer = Pacer(settings, clock=clock, sleep=sleep)
            async with TileClient(settings, pacer=pacer, clock=clock, sleep=sleep) as client:
                return await client.fetch(net.ask_for(server.base)), server.paths

    tile, paths = asyncio.run(run())
    assert (tile.state, tile.attempts, len(paths)) == ("failed", requests, requests)
    assert "the 180 s for one tile are over" in tile.message


def test_r3_an_attempts_own_timeout_is_cut_to_what_is_left(net: Any) -> None:
    """With the 60 s of one request this test would not end in time."""

    async def say(_path: str, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async def run() -> Any:
        async with net.Loopback(say) as server:
            settings = Settings(base_url=server.base, tile_timeout_s=3600, tile_deadline_s=0.2)
            async with asyncio.timeout(_NEVER_S), TileClient(settings) as client:
                return await client.fetch(net.ask_for(server.base))

    tile = asyncio.run(run())
    assert (tile.state, tile.attempts) == ("failed", 1)
    assert "no whole answer in time" in tile.message


def test_r3_waiting_for_a_turn_is_not_the_tiles_time(net: Any) -> None:
    """A pause that the server asks for may be longer than the deadline of a tile."""
    script = [net.answer(503, b"", Retry_After="100"), net.answer(200, net.jpeg)]

    async def run() -> Any:
        async with net.following(*script) as server:
            settings = Settings(base_url=server.base, tile_deadline_s=20)
            clock, sleep = net.time.clock, net.time.sleep
            pacer = Pacer(settings, clock=clock, sleep=sleep)
            async with TileClient(settings, pacer=pacer, clock=clock, sleep=sleep) as client:
                return await client.fetch(net.ask_for(server.base))

    tile = asyncio.run(run())
    assert (tile.state, tile.attempts) == ("ok", 2)
    assert net.time.now >= 99


def test_r3_a_connection_that_nobody_takes(net: Any) -> None:
    """The queue of a listener that never accepts is full: the next connection hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        held = []
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            held.append(one)
        base = f"http://127.0.0.1:{address[1]}"
        limits: dict[str, Any] = {"connect_timeout_s": 0.2, "tile_timeout_s": 0.4, "attempts": 2}
        [tile] = fetch(net, base, [net.ask_for(base)], **limits)
        for one in held:
            one.close()
    assert (tile.state, tile.attempts, tile.status) == ("failed", 2, None)


def test_r3_no_such_host(net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_args: Any, **_options: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", unknown)
    base = "http://no-such-host.invalid"
    [tile] = fetch(net, base, [net.ask_for(base)])
    assert (tile.state, tile.attempts) == ("failed", 3)
    assert "no connection" in tile.message
    with pytest.raises(ServerUnreachableError, match=r"Name or service not known.*--base-url"):
        fetch(net, base, [net.ask_for(base, n) for n in range(4)])
