"""Weights from an address: whole or not at all, and only from where they may come."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from aiohttp import web

from gibswatch.errors import (
    NothingFetchedError,
    OutputError,
    ServerUnreachableError,
    UnsafeNameError,
    UsageError,
)
from gibswatch.models.deep import weight_source as module
from gibswatch.models.deep.weight_source import OFFICIAL_URL, local_weights
from gibswatch.settings import Settings

BODY = bytes(range(256)) * 5000
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """A server on the loopback that answers by path, and counts who asks."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[web.BaseRequest] = field(default_factory=list)

    def say(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return self.url + path


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server, loop = Server(), asyncio.new_event_loop()
    ready, over = threading.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        server.asked.append(request)
        return await server.answers[unquote(urlsplit(request.path_qs).path)](request)  # type: ignore[arg-type]

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield server
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


@pytest.fixture
def server(running: Server) -> Server:
    running.answers.clear()
    running.asked.clear()
    return running


def reply(body: bytes = BODY, status: int = 200, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers=named)

    return answer


def broken(announced: int | None, sent: int, *, silent: bool = False) -> Answer:
    """Announce more than is sent, then hang up or say nothing more."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = announced
        if announced is None:
            response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(bytes(sent))
        if silent:
            await asyncio.sleep(1)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


def fetch(url: str, folder: Path, **settings: float) -> Path:
    return local_weights(url, folder, Settings(attempts=1, **settings))  # type: ignore[arg-type]


def test_a_file_is_used_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"x")
    assert local_weights(str(path), tmp_path / "not made", Settings()) == path
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_comes_whole(server: Server, tmp_path: Path) -> None:
    url = server.say("/models/dense-net.pth", reply())
    steps: list[tuple[int, int | None]] = []
    path = local_weights(
        url + "?key=1", tmp_path / "new", Settings(), on_progress=lambda *step: steps.append(step)
    )
    assert path == tmp_path / "new" / "dense-net.pth"
    assert path.read_bytes() == BODY
    assert list(path.parent.iterdir()) == [path]
    assert steps[-1] == (len(BODY), len(BODY))
    assert steps == sorted(steps)
    assert len(steps) > 2
    [request] = server.asked
    assert request.headers["User-Agent"].startswith("gibswatch/")
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.query == {"key": "1"}


def test_a_file_is_fetched_anew_unless_its_name_proves_it(server: Server, tmp_path: Path) -> None:
    sha = hashlib.sha256(BODY).hexdigest()
    plain, tagged, wrong = (
        server.say(f"/{name}", reply())
        for name in ("net.pth", f"net-{sha[:8]}.pth", "net-20240101.safetensors")
    )
    for _ in range(2):
        for url in (plain, tagged, wrong):
            assert fetch(url, tmp_path).read_bytes() == BODY
    assert [request.path for request in server.asked] == [
        "/net.pth", f"/net-{sha[:8]}.pth", "/net-20240101.safetensors",
        "/net.pth", "/net-20240101.safetensors",
    ]  # fmt: skip
    (tmp_path / f"net-{sha[:8]}.pth").write_bytes(BODY[:-1])
    assert fetch(tagged, tmp_path).read_bytes() == BODY


def test_without_a_length(server: Server, tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(BODY)
        return response

    steps: list[tuple[int, int | None]] = []
    url = server.say("/a.pth", answer)
    path = local_weights(url, tmp_path, Settings(), on_progress=lambda *step: steps.append(step))
    assert path.read_bytes() == BODY
    assert steps[-1] == (len(BODY), None)


FAILURES: dict[str, tuple[Answer, str]] = {
    "not there": (reply(b"gone", 404), r"HTTP 404 \('Not Found'\)"),
    "forbidden": (reply(b"", 403), "HTTP 403"),
    "fault": (reply(b"", 500), "HTTP 500"),
    "a part": (reply(BODY, 206), "HTTP 206"),
    "no content": (reply(b"", 204), "HTTP 204"),
    "empty": (reply(b""), "is empty"),
    "packed": (reply(BODY, Content_Encoding="gzip"), "packed as 'gzip'"),
    "short": (broken(10**6, 10**5), "did not come whole"),
    "cut off": (broken(None, 10**5), "did not come whole"),
    "nothing came": (broken(10**6, 0), "did not come whole"),
    "silent": (broken(10**6, 10**5, silent=True), "fell silent"),
    "announced too large": (broken(201 * 10**6, 10), "larger than the 200000000 bytes"),
    "a loop": (reply(b"", 302, Location="/it.pth"), "redirects more than 5 times"),
    "elsewhere": (reply(b"", 302, Location="http://example.invalid/it.pth"), "not followed"),
    "another port": (reply(b"", 307, Location="http://127.0.0.1:9/it.pth"), "not followed"),
    "a file": (reply(b"", 301, Location="file:///etc/passwd"), "not followed"),
    "no address": (reply(b"", 301, Location="http://[::1"), "not followed"),
    "no host": (reply(b"", 301, Location="https:///x"), "not followed"),
    "a password": (reply(b"", 301, Location="https://me:pw@example.invalid/x"), "not followed"),
    "no place": (reply(b"", 301), "redirects more than"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_does_not_come_leaves_nothing(server: Server, tmp_path: Path, name: str) -> None:
    answer, message = FAILURES[name]
    url = server.say("/it.pth", answer)
    (tmp_path / "it.pth").write_bytes(b"before")
    with pytest.raises(NothingFetchedError, match=message) as caught:
        fetch(url + "?token=secret", tmp_path, tile_timeout_s=0.3)
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("it.pth", b"before")]


def test_more_than_announced_is_cut(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(100):
            await response.write(BODY)
        return response

    monkeypatch.setattr(module, "MAX_WEIGHTS_BYTES", 3 * 10**6)
    with pytest.raises(NothingFetchedError, match="larger than the 3000000 bytes"):
        fetch(server.say("/it.pth", endless), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_on_the_same_server(server: Server, tmp_path: Path) -> None:
    url = server.say("/a.pth", reply(b"", 302, Location="/other/b"))
    server.say("/other/b", reply())
    path = fetch(url, tmp_path)
    assert (path.name, path.read_bytes()) == ("a.pth", BODY)


def test_a_redirect_to_https_elsewhere_is_followed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.say("/a.pth", reply(b"", 302, Location="https://127.0.0.1:9/b"))
    with pytest.raises(ServerUnreachableError, match="https://127"):
        fetch(url, tmp_path)


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(ServerUnreachableError, match="check the network"):
        fetch("http://127.0.0.1:9/a.pth", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_proxy_of_the_environment_is_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one for this address; that to the tile server may be another, or none."""
    monkeypatch.setattr(module, "_is_loopback", lambda host: True)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "gibs.earthdata.nasa.gov")
    server.say("/a.pth", reply())
    assert fetch("http://weights.invalid/a.pth", tmp_path).read_bytes() == BODY
    assert server.asked[0].headers["Host"] == "weights.invalid"
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ServerUnreachableError):
        fetch("https://weights.invalid/a.pth", tmp_path)


def test_a_bundle_of_authorities_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ca-bundle"):
        local_weights(OFFICIAL_URL, tmp_path, Settings(ca_bundle=str(tmp_path / "none.pem")))


SOURCES = {
    "": "are no file",
    "none.pth": "are no file",
    ".": "are no file",
    "a\0b": "are no file",
    "x" * 5000: "are no file",
    "ftp://example.invalid/a.pth": "at no web address",
    "file:///etc/passwd": "at no web address",
    "s3://bucket/a.pth": "at no web address",
    "http://example.invalid/a.pth": "give an https address",
    "HTTP://example.invalid/a.pth": "give an https address",
    "http://localhost.example.invalid/a.pth": "give an https address",
    "https://me:secret@example.invalid/a.pth": "holds a name or password",
    "https:///a.pth": "no address that can be asked",
    "https://[::1/a.pth": "no address that can be asked",
    "https://example.invalid:99999/a.pth": "no address that can be asked",
    "https://example.invalid:0/a.pth": "no address that can be asked",
    "https://example.invalid/a b.pth": "no address that can be asked",
    "https://example.invalid\\@127.0.0.1/a.pth": "no address that can be asked",
    "https://example.invalid/\x1b[2J.pth": "no address that can be asked",
}


@pytest.mark.parametrize("source", SOURCES)
def test_sources_that_are_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError, match=SOURCES[source]) as caught:
        local_weights(source, tmp_path, Settings())
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "path", ["", "/", "/models/", "/..", "/%2e%2e", "/a%2fb.pth", "/.pth", "/con.pth", "/%00"]
)
def test_names_that_are_no_file_names(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnsafeNameError, match="last part"):
        local_weights(f"https://example.invalid{path}", tmp_path, Settings())


def test_a_folder_that_takes_nothing(server: Server, tmp_path: Path) -> None:
    url = server.say("/a.pth", reply())
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        fetch(url, tmp_path / "file")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.pth").symlink_to("/etc/hostname")
    with pytest.raises(OutputError, match="leads out"):
        fetch(url, tmp_path / "inner")
