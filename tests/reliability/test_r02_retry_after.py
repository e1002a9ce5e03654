"""R2: 429 and 503 with Retry-After, in seconds, as a date, and absurd."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from email.utils import format_datetime
from typing import Any

import pytest

from gibswatch.download import Pacer, TileClient
from gibswatch.download.documents import document_session, read_document
from gibswatch.download.retry import retry_after_s, retry_delay_s
from gibswatch.errors import RunStoppedError, ServiceDocumentError
from gibswatch.settings import Settings
from gibswatch.simulate import FaultRule

NOW = dt.datetime(2023, 8, 7, 12, 0, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("30", 30.0),
        (" 30 ", 30.0),
        ("86400", 86400.0),
        ("9" * 5000, 1e9),
        ("Mon, 07 Aug 2023 12:00:30 GMT", 30.0),
        ("Monday, 07-Aug-23 12:00:30 GMT", 30.0),
        ("Mon Aug  7 12:00:30 2023", 30.0),
        ("Mon, 07 Aug 2023 11:59:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1e9),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("soon", None),
        ("١٢", None),
        ("Mon, 99 Aug 2023 12:00:30 GMT", None),
        ("Mon, 07 Aug 99999 12:00:30 GMT", None),
        ("30, 60", None),
    ],
)
def test_r2_seconds_dates_and_nonsense(text: str | None, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds


def fetch_behind(net: Any, server: Any, *, count: int = 1, **options: Any) -> tuple[list[Any], Any]:
    """Fetch tiles in a fake time."""
    values: dict[str, Any] = {"requests_per_s": 0, "bandwidth_mbit_s": 0, "ramp_up_s": 0}

    async def run() -> tuple[list[Any], Any]:
        async with server:
            settings = Settings(base_url=server.base, **(values | options))
            clock, sleep = net.time.clock, net.time.sleep
            pacer = Pacer(settings, clock=clock, sleep=sleep)
            async with TileClient(settings, pacer=pacer, clock=clock, sleep=sleep) as client:
                jobs = (client.fetch(net.ask_for(server.base, n)) for n in range(count))
                return await asyncio.gather(*jobs, return_exceptions=True), server

    return asyncio.run(run())


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_r2_one_pause_for_all_workers(status: int, form: str, net: Any) -> None:
    """While the server's pause lasts nobody begins a request, whichever tile was told to wait."""
    begun: list[tuple[float, str]] = []
    told: list[int] = []

    async def say(path: str, writer: asyncio.StreamWriter) -> None:
        begun.append((net.time.now, path))
        if path == "/3.jpg" and not told:
            told.append(len(begun))
            until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=31)
            wait = "30" if form == "seconds" else format_datetime(until, usegmt=True)
            writer.write(net.answer(status, b"busy", Retry_After=wait))
        else:
            writer.write(net.answer(200, net.jpeg))
        await writer.drain()

    results, server = fetch_behind(
        net, net.Loopback(say), count=40, connections=4, requests_per_s=10
    )
    assert [tile.state for tile in results] == ["ok"] * 40
    assert results[3].attempts == 2
    told_at = begun[told[0] - 1][0]
    # Requests that were under way when it said so could not know; at most the other three.
    late = [when for when, _ in begun[told[0] :] if when < told_at + 29]
    assert len(late) <= 3
    assert len(server.paths) == 41
    assert server.most_open <= 4
    assert max(net.time.sleeps) >= 29


def test_r2_after_the_pause_it_starts_slowly_again(net: Any) -> None:
    settings = Settings(connections=16, ramp_up_s=10, requests_per_s=0, bandwidth_mbit_s=0)
    pacer = Pacer(settings, clock=net.time.clock, sleep=net.time.sleep)
    running = 0
    seen: list[tuple[float, int]] = []
    over = asyncio.Event()

    async def one() -> None:
        nonlocal running
        async with pacer:
            running += 1
            seen.append((net.time.now, running))
            if len(seen) == 16:
                over.set()
            await over.wait()  # holds its place until all have theirs
            running -= 1

    async def run() -> None:
        async with pacer:  # the first ramp-up begins with the first request
            net.time.now = 100.0
        pacer.pause(20, NOW)
        await asyncio.gather(*(one() for _ in range(16)))

    asyncio.run(run())
    assert seen[:2] == [(120.0, 1), (120.0, 2)]
    assert seen[2][0] > 120.0
    assert [count for _, count in seen] == list(range(1, 17))
    assert seen[-1][0] == pytest.approx(130.0)


def test_r2_no_more_than_the_configured_attempts(net: Any) -> None:
    server = net.following(net.answer(503, b"busy", Retry_After="1"))

    results, server = fetch_behind(net, server, count=5, attempts=3)
    assert [(tile.state, tile.attempts) for tile in results] == [("failed", 3)] * 5
    assert len(server.paths) == 15


@pytest.mark.parametrize("wait", ["-1", "soon", "", "Mon, 99 Aug 2023 12:00:30 GMT"])
def test_r2_what_cannot_be_read_is_no_header(wait: str, net: Any) -> None:
    server = net.following(net.answer(429, b"", Retry_After=wait), net.answer(200, net.jpeg))

    [tile], _ = fetch_behind(net, server)
    assert (tile.state, tile.attempts) == ("ok", 2)
    [delay] = net.time.sleeps  # our own, with jitter
    assert 0.25 <= delay <= 0.5


def test_r2_a_date_that_is_over_is_no_pause(net: Any) -> None:
    server = net.following(
        net.answer(503, b"", Retry_After="Thu, 01 Jan 1970 00:00:00 GMT"), net.answer(200, net.jpeg)
    )

    [tile], _ = fetch_behind(net, server)
    assert tile.state == "ok"
    assert net.time.now <= 0.5


@pytest.mark.parametrize(
    ("wait", "cap"), [("86400", 120.0), ("9" * 40, 120.0), ("121", 120.0), ("1", 0.0)]
)
def test_r2_beyond_the_cap_the_run_ends_and_says_when_to_come_again(
    wait: str, cap: float, net: Any
) -> None:
    server = net.following(net.answer(429, b"", Retry_After=wait))

    results, server = fetch_behind(net, server, count=50, connections=2, retry_after_cap_s=cap)
    assert all(isinstance(error, RunStoppedError) for error in results)
    assert len(server.paths) <= 2  # those that were under way; nobody else asked
    message = str(results[0])
    assert f"more than the {cap:g} s of GIBSWATCH_RETRY_AFTER_CAP_S" in message
    assert "run the same command again after " in message
    assert message.endswith(" UTC")
    assert results[0].exit_code == 4


def test_r2_the_message_names_time_and_day() -> None:
    pacer = Pacer(Settings())
    with pytest.raises(RunStoppedError, match=r"wait 300 s .* after 12:05 UTC"):
        pacer.pause(300, NOW)
    with pytest.raises(RunStoppedError, match=r"after 2023-08-08 12:00 UTC"):
        pacer.pause(86400, NOW)


def test_r2_the_waits_have_jitter() -> None:
    for attempt, whole in [(1, 0.5), (2, 2.0), (3, 8.0), (4, 30.0), (9, 30.0), (10**6, 30.0)]:
        waits = {retry_delay_s(attempt, random.Random(seed)) for seed in range(50)}
        assert len(waits) == 50
        assert whole / 2 <= min(waits) < max(waits) <= whole
    same = [retry_delay_s(1, random.Random(4)) for _ in range(2)]
    assert same[0] == same[1]


def test_r2_tiles_that_fail_together_do_not_come_again_together(net: Any) -> None:
    server = net.following(net.answer(503, b"busy"))

    fetch_behind(net, server, count=10, attempts=2, connections=10)
    assert len(net.time.sleeps) == 10
    assert len(set(net.time.sleeps)) == 10


def test_r2_against_the_embedded_server(serve_with_faults: Any, tile_of: Any, net: Any) -> None:
    server = serve_with_faults(
        FaultRule("status", status=429, first=1, row=(1, 1), headers=(("Retry-After", "7"),))
    )
    asked = [tile_of(server, row, col) for row in range(3) for col in range(4)]

    async def run() -> list[Any]:
        settings = Settings(
            base_url=server.base_url,
            connections=4,
            requests_per_s=0,
            bandwidth_mbit_s=0,
            ramp_up_s=0,
        )
        pacer = Pacer(settings, clock=net.time.clock, sleep=net.time.sleep)
        async with TileClient(settings, pacer=pacer, sleep=net.time.sleep) as client:
            return await asyncio.gather(*(client.fetch(one) for one in asked))

    tiles = asyncio.run(run())
    assert [tile.state for tile in tiles] == ["ok"] * 12
    assert [tile.attempts for tile in tiles] == [1] * 4 + [2] * 4 + [1] * 4
    assert len(server.requests) == 16
    # Besides the server's pause only the four tiles wait, half a second each: those who wait at the
    # gate sleep what is left of the seven, in pieces if a later answer asks for seven more.
    assert max(net.time.sleeps) <= 7 <= net.time.now


def read(net: Any, *said: bytes) -> tuple[Any, int]:
    """Read a document from a server that follows the script."""

    async def run() -> tuple[Any, int]:
        async with net.following(*said) as server:
            settings = Settings(base_url=server.base)
            async with document_session(settings) as session:
                url = f"{server.base}/caps.xml"
                data = await read_document(session, url, settings, sleep=net.time.sleep)
        return data, len(server.paths)

    return asyncio.run(run())


def test_r2_documents_wait_as_told_too(net: Any) -> None:
    good = net.answer(200, b"<a/>", Content_Type="text/xml")
    assert read(net, net.answer(503, b"", Retry_After="20"), good) == (b"<a/>", 2)
    assert net.time.sleeps == [20.0]
    with pytest.raises(RunStoppedError, match="wait 3600 s"):
        read(net, net.answer(429, b"", Retry_After="3600"), good)
    busy = net.answer(429, b"busy", Retry_After="1")
    with pytest.raises(ServiceDocumentError, match="HTTP 429"):
        read(net, busy, busy, busy)
