"""Asking the service once: each way in which it can fail has a name, and a way out."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gibswatch.download import ServiceProbe, probe_service
from gibswatch.errors import UsageError
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer
from gibswatch.simulate.server import FaultRule

CAPABILITIES = "/wmts/epsg4326/best/1.0.0/WMTSCapabilities.xml"
BEHIND_PROXY = "http://gibs.invalid"
XML = b"<?xml version='1.0'?><Capabilities/>"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, and where nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def probe_answer(net: Any, said: bytes, **options: Any) -> tuple[ServiceProbe, Any]:
    """Probe a server on the loopback that gives one answer to everything."""

    async def run() -> tuple[ServiceProbe, Any]:
        async with net.following(said) as server:
            settings = Settings(base_url=server.base, **options)
            return await asyncio.to_thread(probe_service, settings), server

    return asyncio.run(run())


def test_a_service_that_answers(server: EmbeddedServer) -> None:
    probe = probe_service(Settings(base_url=server.base_url))
    assert (probe.status, probe.cause, probe.text, probe.advice) == (200, None, "", "")
    assert probe.url == server.base_url + CAPABILITIES
    assert [(record.path, record.status) for record in server.requests] == [(CAPABILITIES, 200)]
    assert 0 <= probe.seconds < 10
    assert probe.proxy is None


def test_refused(closed_port: int) -> None:
    probe = probe_service(Settings(base_url=f"http://127.0.0.1:{closed_port}"))
    assert (probe.status, probe.cause) == (None, "refused")
    assert probe.text.startswith("connection refused (")
    assert "--base-url" in probe.advice


def test_a_name_that_nobody_has() -> None:
    host = ".".join(["a" * 60] * 5)  # longer than a name may be: refused before anybody is asked
    probe = probe_service(Settings(base_url=f"https://{host}"))
    assert (probe.status, probe.cause) == (None, "dns")
    assert host in probe.text
    assert "https_proxy" in probe.advice


def test_too_slow(serve_drawn: Callable[..., EmbeddedServer]) -> None:
    server = serve_drawn(FaultRule("hang", documents=True))
    probe = probe_service(Settings(base_url=server.base_url, tile_timeout_s=0.2))
    assert (probe.status, probe.cause, probe.text) == (None, "time-out", "no answer within 0.2 s")
    assert "http_proxy" in probe.advice


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (503, "run it again later"),
        (429, "run it again later"),
        (404, "check --base-url"),
        (403, "whether a proxy or firewall forbids it"),
        (407, "http://NAME:PASSWORD@HOST:PORT"),
    ],
)
def test_another_status(net: Any, status: int, advice: str) -> None:
    probe, server = probe_answer(net, net.answer(status, b"no"))
    assert (probe.status, probe.cause, probe.text) == (status, "status", f"HTTP {status}")
    assert advice in probe.advice
    assert server.paths == [CAPABILITIES]  # no status is asked for twice


def test_a_redirect_is_not_followed(net: Any) -> None:
    said = net.answer(302, b"", Location="https://elsewhere.invalid/")
    probe, server = probe_answer(net, said)
    assert (probe.status, probe.cause) == (302, "redirect")
    assert "https://elsewhere.invalid/" in probe.text
    assert server.paths == [CAPABILITIES]


def test_a_page_in_place_of_the_service(net: Any) -> None:
    said = net.answer(200, b"<html>please log in</html>", Content_Type="text/html")
    probe, _ = probe_answer(net, said)
    assert (probe.status, probe.cause) == (200, "answer")
    assert "text/html" in probe.text
    assert "log-in page" in probe.advice


def test_no_http(net: Any) -> None:
    probe, _ = probe_answer(net, b"SSH-2.0-OpenSSH_9.2\r\n")
    assert (probe.status, probe.cause) == (None, "answer")
    assert "\n" not in probe.text


def test_a_connection_that_is_lost(serve_drawn: Callable[..., EmbeddedServer]) -> None:
    server = serve_drawn(FaultRule("reset", documents=True))
    probe = probe_service(Settings(base_url=server.base_url))
    assert (probe.status, probe.cause) == (None, "lost")


def test_the_body_is_not_read(net: Any) -> None:
    said = net.answer(200, XML, length=10**9, Content_Type="application/xml")
    probe, _ = probe_answer(net, said)
    assert (probe.status, probe.cause) == (200, None)


def test_the_proxy_is_asked_and_its_password_not_shown(
    net: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> tuple[ServiceProbe, Any]:
        async with net.following(net.answer(200, XML, Content_Type="text/xml")) as proxy:
            place = proxy.base.removeprefix("http://")
            monkeypatch.setenv("http_proxy", f"http://me:secret@{place}")
            return await asyncio.to_thread(probe_service, Settings(base_url=BEHIND_PROXY)), proxy

    probe, proxy = asyncio.run(run())
    assert probe.cause is None
    assert probe.proxy == proxy.base.removeprefix("http://")
    assert proxy.paths == [BEHIND_PROXY + CAPABILITIES]
    assert "secret" not in str(probe)


def test_no_proxy_is_there(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{closed_port}")
    probe = probe_service(Settings(base_url=BEHIND_PROXY))
    assert probe.cause == "proxy"
    assert f"the proxy 127.0.0.1:{closed_port}" in probe.text
    assert "http_proxy" in probe.advice
    assert "secret" not in str(probe)


@pytest.mark.parametrize(("status", "advice"), [(407, "wants a name"), (403, "no_proxy")])
def test_a_proxy_that_makes_no_tunnel(
    net: Any, monkeypatch: pytest.MonkeyPatch, status: int, advice: str
) -> None:
    async def run() -> ServiceProbe:
        async with net.following(net.answer(status, b"")) as proxy:
            monkeypatch.setenv("https_proxy", proxy.base)
            return await asyncio.to_thread(probe_service, Settings(base_url="https://gibs.invalid"))

    probe = asyncio.run(run())
    assert (probe.cause, probe.text) == ("proxy", f"the proxy answers with HTTP {status}")
    assert advice in probe.advice


def test_a_proxy_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(UsageError, match="no HTTP proxy"):
        probe_service(Settings(base_url=BEHIND_PROXY))


def test_tls_where_none_is_spoken(server: EmbeddedServer) -> None:
    probe = probe_service(Settings(base_url=server.base_url.replace("http:", "https:")))
    assert (probe.status, probe.cause) == (None, "tls")
    assert probe.text.startswith("TLS: ")
    assert "http://" in probe.advice


def test_a_certificate_that_only_its_own_file_vouches_for(net: Any, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    file, key = tmp_path / "self-signed.pem", tmp_path / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)

    async def run() -> tuple[ServiceProbe, ServiceProbe]:
        served = net.following(net.answer(200, XML, Content_Type="application/xml"))
        served.ssl = context
        async with served as server:
            plain = Settings(base_url=server.base)
            trusting = Settings(base_url=server.base, ca_bundle=str(file))
            return (
                await asyncio.to_thread(probe_service, plain),
                await asyncio.to_thread(probe_service, trusting),
            )

    refused, trusted = asyncio.run(run())
    assert (refused.status, refused.cause) == (None, "tls")
    assert "self-signed certificate" in refused.text.replace("self signed", "self-signed")
    assert "--ca-bundle" in refused.advice
    assert (trusted.status, trusted.cause) == (200, None)
