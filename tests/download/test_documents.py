"""Fetching documents: what is followed, what is refused, and that nothing grows without end."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gibswatch.catalogue.xml_guard import MAX_DOCUMENT_BYTES
from gibswatch.download.documents import document_session, fetch_document, read_document, same_host
from gibswatch.errors import ServerUnreachableError, ServiceDocumentError
from gibswatch.settings import Settings

XML = {"Content-Type": "application/xml"}
Say = Callable[[BaseHTTPRequestHandler], object]


@dataclass
class Script:
    """A server on the loopback that says what it is told, by path, and counts who asks."""

    url: str = ""
    answers: dict[str, list[Say]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def say(self, path: str, *answers: Say) -> str:
        """Give answers in turn, the last one from then on; return the address."""
        self.answers[path] = list(answers)
        return self.url + path

    def settings(self, **values: float) -> Settings:
        return Settings(base_url=self.url, attempts=1, **values)  # type: ignore[arg-type]


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.asked.append(self.path)
            answers = script.answers[self.path]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield script
        server.shutdown()
        thread.join()


def reply(body: bytes, status: int = 200, length: int | None = None, **headers: str) -> Say:
    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (XML | {k.replace("_", "-"): v for k, v in headers.items()}).items():
            if value:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return say


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Say 200 MB without announcing it."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/xml")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b"<a/>" * (2**18))


def bomb() -> bytes:
    """Two hundred megabytes, packed twice as tightly as most: 200 kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b"<a/>" * 2**18) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize(
    "kind", ["text/xml", "application/xml; charset=utf-8", "image/svg+xml", ""]
)
def test_a_document_comes_as_it_is(script: Script, kind: str) -> None:
    url = script.say("/a", reply(b"<a/>", Content_Type=kind))
    assert fetch_document(url, script.settings()) == b"<a/>"


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_packed_documents(script: Script, name: str, pack: Callable[[bytes], bytes]) -> None:
    text = b"<a>" + b"words " * 100_000 + b"</a>"
    url = script.say("/a", reply(pack(text), Content_Encoding=name))
    assert fetch_document(url, script.settings()) == text


REFUSED = {
    "announced 200 MB": (reply(b"<a/>", length=200 * 10**6), "larger than"),
    "said 200 MB": (endless, "larger than"),
    "gzip bomb": (reply(bomb(), Content_Encoding="gzip"), "larger than"),
    "unknown packing": (reply(b"<a/>", Content_Encoding="br"), "packed as 'br'"),
    "damaged packing": (reply(b"no gzip", Content_Encoding="gzip"), "is damaged"),
    "half packed": (reply(gzip.compress(b"<a/>")[:-9], Content_Encoding="gzip"), "end is missing"),
    "packed twice": (reply(2 * gzip.compress(b"<a/>"), Content_Encoding="gzip"), "follows its end"),
    "a page": (
        reply(b"<html>\x1b[31mLog in, \n please</html>", Content_Type="text/html"),
        r"'text/html' and no XML, saying '<html>\\x1b\[31mLog in, please</html>'",
    ),
    "no such": (reply(b"<E>No such layer</E>", 404), "HTTP 404, saying '<E>No such layer</E>'"),
    "packed refusal": (reply(b"x", 400, Content_Encoding="gzip"), "saying something packed"),
    "nothing": (reply(b"", 204), "HTTP 204, saying ''"),
    "short": (reply(b"<a>", length=99), "did not come whole"),
    "a loop": (reply(b"", 302, Location="/it"), "more than 3 times"),
    "elsewhere": (reply(b"", 301, Location="http://localhost:9/x"), "another server"),
    "other port": (reply(b"", 307, Location="http://127.0.0.1:9/x"), "another server"),
    "a file": (reply(b"", 302, Location="file:///etc/passwd"), "another server"),
    "no address": (reply(b"", 302, Location="http://[::1"), "another server"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(script: Script, name: str) -> None:
    answer, message = REFUSED[name]
    url = script.say("/it", answer)
    started = time.process_time()
    with pytest.raises(ServiceDocumentError, match=message) as caught:
        fetch_document(url, script.settings())
    assert time.process_time() - started < 1
    assert str(caught.value).isprintable()
    assert set(script.asked) == {"/it"}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
@pytest.mark.parametrize("name", ["said 200 MB", "gzip bomb"])
def test_two_hundred_megabytes_take_no_memory(script: Script, name: str) -> None:
    url = script.say("/it", REFUSED[name][0])
    code = f"""
import re, time
from pathlib import Path
from gibswatch.download.documents import ServiceDocumentError, Settings, fetch_document

def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before, started = memory("VmRSS"), time.monotonic()
try: fetch_document({url!r}, Settings(base_url={script.url!r}))
except ServiceDocumentError: print(memory("VmHWM") - before, time.monotonic() - started)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    kilobytes, seconds = map(float, ended.stdout.split())
    assert kilobytes * 1024 < 50 * 10**6
    assert seconds < 1
    assert len(script.asked) == 1


def test_the_largest_document_is_read(script: Script) -> None:
    url = script.say("/a", reply(bytes(MAX_DOCUMENT_BYTES)))
    assert len(fetch_document(url, script.settings())) == MAX_DOCUMENT_BYTES


def test_redirects_on_the_same_host_are_followed(script: Script) -> None:
    url = script.say("/a", reply(b"", 302, Location="/b"))
    script.say("/b", reply(b"<b/>"))
    assert fetch_document(url, script.settings()) == b"<b/>"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failures_that_may_pass_are_asked_again(script: Script, status: int) -> None:
    url = script.say("/a", reply(b"later", status), reply(b"<a/>"))
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def fetch() -> bytes:
        settings = Settings(base_url=script.url, attempts=3)
        async with document_session(settings) as session:
            return await read_document(session, url, settings, sleep=sleep)

    assert asyncio.run(fetch()) == b"<a/>"
    assert (len(script.asked), len(waits)) == (2, 1)


def test_a_refusal_is_not_asked_again(script: Script) -> None:
    url = script.say("/a", reply(b"", 404))
    with pytest.raises(ServiceDocumentError):
        fetch_document(url, Settings(base_url=script.url, attempts=3))
    assert len(script.asked) == 1


def test_a_server_that_hangs(script: Script) -> None:
    over = threading.Event()
    url = script.say("/a", lambda _handler: over.wait(30))
    with pytest.raises(ServiceDocumentError, match="no whole answer in time"):
        fetch_document(url, script.settings(tile_timeout_s=0.2))
    over.set()


def test_no_server(script: Script) -> None:
    settings = Settings(base_url="http://127.0.0.1:9", attempts=1)
    with pytest.raises(ServerUnreachableError, match="check the network"):
        fetch_document("http://127.0.0.1:9/a", settings)


def test_same_host() -> None:
    assert same_host("http://a/x", "http://a/y?z")
    assert not same_host("https://a/x", "http://a/x")
    assert not same_host("http://a/x", "http://a:81/x")
    assert not same_host("http://a/x", "http://[/x")
    assert not same_host("http://a/x", "http://a@b/x")
