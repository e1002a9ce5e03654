"""R4: bodies shorter or longer than they claim, chunks cut, and bodies packed unasked."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from gibswatch.download import TileClient
from gibswatch.settings import Settings
from gibswatch.simulate import FaultRule

RULES = {
    "shorter than announced": {"effect": "truncate", "how": "length", "keep": 0.5},
    "last byte missing": {"effect": "wrong_length", "length_by": 1},
    "longer than announced": {"effect": "wrong_length", "length_by": -1},
    "much longer": {"effect": "wrong_length", "length_by": -5000},
    "chunks cut": {"effect": "truncate", "how": "chunked", "keep": 0.9},
    "half a file": {"effect": "truncate", "how": "file"},
    "packed": {"effect": "gzip", "how": "whole"},
    "packed and cut": {"effect": "gzip", "how": "broken"},
    "said to be packed": {"effect": "gzip", "how": "lie"},
    "packed without a word": {"effect": "gzip", "how": "unsaid"},
    "a bomb": {"effect": "gzip", "how": "bomb"},
}


def fetch(net: Any, base: str, asked: list[Any], **options: Any) -> list[Any]:
    async def run() -> list[Any]:
        settings = Settings(base_url=base, requests_per_s=0, ramp_up_s=0, **options)
        async with TileClient(settings, sleep=net.time.sleep) as client:
            return await asyncio.gather(*(client.fetch(one) for one in asked))

    return asyncio.run(run())


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_r4_rejected_and_retried(
    rule: dict[str, Any], net: Any, serve_with_faults: Any, tile_of: Any
) -> None:
    server = serve_with_faults(FaultRule(**rule))
    [tile] = fetch(net, server.base_url, [tile_of(server, 2, 4)])
    # What follows the announced length is no HTTP, and then there was no answer at all.
    assert tile.state == ("failed" if rule.get("length_by", 1) < 0 else "corrupt")
    assert (tile.attempts, tile.body, tile.pixels, tile.sha256) == (3, None, None, None)
    assert tile.message
    assert tile.message.isprintable()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_r4_what_passes_leaves_the_right_bytes(
    rule: dict[str, Any], net: Any, serve_with_faults: Any, tile_of: Any
) -> None:
    whole = serve_with_faults()
    broken = serve_with_faults(FaultRule(**rule, first=1))
    where = [(row, col) for row in range(3) for col in range(4)]
    right = fetch(net, whole.base_url, [tile_of(whole, *place) for place in where])
    again = fetch(net, broken.base_url, [tile_of(broken, *place) for place in where], connections=2)
    assert [tile.state for tile in again] == ["ok"] * 12
    assert {tile.attempts for tile in again} == {2}
    assert [tile.body for tile in again] == [tile.body for tile in right]


def test_r4_a_packed_tile_is_not_unpacked(net: Any) -> None:
    packed = net.answer(200, gzip.compress(net.jpeg), Content_Encoding="gzip")
    lied = net.answer(200, net.jpeg, Content_Encoding="br")
    plain = net.answer(200, net.jpeg, Content_Encoding="identity")

    async def run() -> Any:
        async with net.following(packed, lied, plain) as server:
            settings = Settings(base_url=server.base, attempts=3)
            async with TileClient(settings, sleep=net.time.sleep) as client:
                tile = await client.fetch(net.ask_for(server.base))
                return tile, len(server.paths)

    tile, requests = asyncio.run(run())
    assert (tile.state, tile.body, requests) == ("ok", net.jpeg, 3)


@pytest.mark.parametrize("late", [False, True], ids=["at once", "while the connection is kept"])
def test_r4_what_follows_a_body_is_no_other_tiles_answer(net: Any, late: bool) -> None:
    """A whole answer behind the announced one: it must not become that of the next request."""
    smuggled = net.answer(200, net.jpeg[:-2] + b"\xff\xd9", X_Smuggled="yes", ETag="smuggled")
    sent = asyncio.Event()

    async def say(_path: str, writer: asyncio.StreamWriter) -> None:
        good = net.answer(200, net.jpeg, ETag="asked")
        writer.write(good if late else good + smuggled)
        await writer.drain()
        if late:
            await sent.wait()
            writer.write(smuggled)
            await writer.drain()

    async def run() -> tuple[list[Any], Any]:
        async with net.Loopback(say) as server:
            settings = Settings(base_url=server.base, requests_per_s=0, ramp_up_s=0)
            async with TileClient(settings, sleep=net.time.sleep) as client:
                tiles = []
                for n in range(3):
                    sent.clear()
                    tiles.append(await client.fetch(net.ask_for(server.base, n)))
                    sent.set()
                    await asyncio.sleep(0.05)  # what was smuggled arrives
                return tiles, server

    tiles, server = asyncio.run(run())
    assert [tile.headers["ETag"] for tile in tiles] == ["asked"] * 3
    assert [tile.attempts for tile in tiles] == [1, 1, 1]
    assert server.paths == ["/0.jpg", "/1.jpg", "/2.jpg"]
    assert server.connections == 3
