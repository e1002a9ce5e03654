"""R19: a job of 10,000 tiles keeps every limit, measured where the requests arrive."""

from __future__ import annotations

import asyncio
import selectors
from bisect import bisect_left
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from gibswatch.download import Pacer, TileClient
from gibswatch.settings import Settings


class JumpingSelector(selectors.DefaultSelector):
    """Does not wait: where nothing is ready, the loop's time jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in which an hour of waiting takes no time."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


@dataclass
class Arrivals:
    """What a server sees of a job."""

    begun: list[float] = field(default_factory=list)
    at_once: list[int] = field(default_factory=list)
    """Open requests, as each began."""
    ended_bytes: list[tuple[float, int]] = field(default_factory=list)

    def most_in(self, seconds: float) -> int:
        """Most requests that began in any window of so many seconds."""
        begun = self.begun
        return max(n + 1 - bisect_left(begun, begun[n] - seconds) for n in range(len(begun)))


def job(settings: Settings, tiles: int, *, takes_s: float, tile_bytes: int = 30_000) -> Arrivals:
    """Run a job against a server that takes `takes_s` for each tile, all in virtual time."""
    seen = Arrivals()
    open_now = 0

    async def one(pacer: Pacer, loop: VirtualLoop) -> None:
        nonlocal open_now
        async with pacer:
            open_now += 1
            seen.begun.append(loop.time())
            seen.at_once.append(open_now)
            await asyncio.sleep(takes_s)
            open_now -= 1
            pacer.charge(tile_bytes)
            seen.ended_bytes.append((loop.time(), tile_bytes))

    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        pacer = Pacer(settings, clock=loop.time)
        await asyncio.gather(*(one(pacer, loop) for _ in range(tiles)))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        work: Coroutine[Any, Any, None] = run()
        runner.run(work)
    return seen


def test_r19_ten_thousand_tiles_at_the_defaults() -> None:
    settings = Settings()
    seen = job(settings, 10_000, takes_s=0.4)
    assert len(seen.begun) == 10_000
    assert max(seen.at_once) <= settings.connections
    # A timer's lateness of 0.01 s may be made good: one request more a second.
    assert seen.most_in(1.0) <= settings.requests_per_s + 2
    assert seen.most_in(60.0) <= 60 * settings.requests_per_s + 2
    whole_s = seen.ended_bytes[-1][0]
    assert 10_000 * 30_000 * 8 / whole_s <= settings.bandwidth_mbit_s * 1e6
    assert whole_s == pytest.approx(32 / 2 * 10 / 32 + 10_000 * 0.4 / 32, rel=0.05)  # no slower


def test_r19_the_bandwidth_holds() -> None:
    settings = Settings(bandwidth_mbit_s=8, requests_per_s=0)
    seen = job(settings, 1_000, takes_s=0.1, tile_bytes=100_000)
    whole_s = seen.ended_bytes[-1][0]
    assert 1_000 * 100_000 * 8 / whole_s <= 8e6 * 1.04  # what was under way when it began
    assert whole_s == pytest.approx(100, rel=0.04)
    # A window in the middle: what comes over the limit is at most what the connections hold.
    window = sum(size for when, size in seen.ended_bytes if 40 <= when < 60)
    assert window <= 20 * 1e6 + settings.connections * 100_000


def test_r19_the_rate_holds() -> None:
    seen = job(Settings(requests_per_s=20, ramp_up_s=0, bandwidth_mbit_s=0), 1_000, takes_s=0.01)
    assert seen.most_in(1.0) <= 22
    assert seen.most_in(10.0) <= 202
    assert seen.begun[-1] == pytest.approx(50, rel=0.02)


def test_r19_the_ramp_up_is_visible() -> None:
    settings = Settings(connections=32, ramp_up_s=10, requests_per_s=0, bandwidth_mbit_s=0)
    seen = job(settings, 3_000, takes_s=0.5)
    by_second = [
        max(n for when, n in zip(seen.begun, seen.at_once, strict=True) if s <= when < s + 1)
        for s in range(12)
    ]
    assert seen.at_once[: seen.begun.index(seen.begun[4])] == [1, 2, 3, 4]
    assert by_second == sorted(by_second)
    assert by_second[0] <= 7
    assert 16 <= by_second[5] <= 22
    assert by_second[11] == 32


def test_r19_without_limits_nothing_waits() -> None:
    settings = Settings(connections=8, ramp_up_s=0, requests_per_s=0, bandwidth_mbit_s=0)
    seen = job(settings, 80, takes_s=1)
    assert seen.begun == [float(n // 8) for n in range(80)]


@pytest.mark.parametrize("connections", [1, 2, 7])
def test_r19_few_connections_ramp_up_too(connections: int) -> None:
    settings = Settings(connections=connections)
    seen = job(settings, 150, takes_s=0.5)
    assert max(seen.at_once) == connections
    assert seen.at_once[0] == 1


def test_r19_requests_begin_in_the_order_in_which_they_came() -> None:
    order: list[int] = []

    async def one(pacer: Pacer, number: int) -> None:
        async with pacer:
            order.append(number)
            await asyncio.sleep(0.3 if number % 7 else 5)

    async def run() -> None:
        pacer = Pacer(Settings(connections=5), clock=asyncio.get_running_loop().time)
        await asyncio.gather(*(one(pacer, number) for number in range(200)))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())
    assert order == list(range(200))


def test_r19_whoever_gives_up_waiting_holds_nobody_up() -> None:
    begun: list[int] = []

    async def one(pacer: Pacer, number: int) -> None:
        async with pacer:
            begun.append(number)
            await asyncio.sleep(1)

    async def run() -> None:
        settings = Settings(connections=1, ramp_up_s=0, requests_per_s=0)
        pacer = Pacer(settings, clock=asyncio.get_running_loop().time)
        tasks = [asyncio.create_task(one(pacer, number)) for number in range(5)]
        await asyncio.sleep(0.5)
        tasks[0].cancel()  # it runs
        tasks[1].cancel()  # it is the next
        tasks[3].cancel()  # it waits behind others
        await asyncio.gather(*tasks, return_exceptions=True)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())
    assert begun == [0, 2, 4]


def test_r19_over_http_the_server_sees_no_more_connections(net: Any) -> None:
    """Real requests: the peak at the server is the configured one, after a ramp-up."""
    open_now, peaks = 0, []

    async def say(_path: str, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now
        open_now += 1
        peaks.append(open_now)
        await asyncio.sleep(0.005)
        open_now -= 1
        writer.write(net.answer(404))
        await writer.drain()

    async def run() -> Any:
        async with net.Loopback(say) as server:
            settings = Settings(
                base_url=server.base, connections=8, ramp_up_s=0.2, requests_per_s=0
            )
            async with TileClient(settings) as client:
                jobs = (client.fetch(net.ask_for(server.base, n)) for n in range(600))
                tiles = await asyncio.gather(*jobs)
            return tiles, server

    tiles, server = asyncio.run(run())
    assert [tile.state for tile in tiles] == ["absent"] * 600
    assert len(server.paths) == 600
    assert peaks[0] == 1
    assert max(peaks) <= 8
    assert server.most_open <= 8
    assert server.connections <= 8  # kept and used again
