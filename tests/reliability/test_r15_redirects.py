"""R15: redirects to elsewhere, and certificates that are not to be trusted."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gibswatch.download import TileClient
from gibswatch.download.documents import document_session, read_document
from gibswatch.errors import ServerUnreachableError, ServiceDocumentError
from gibswatch.settings import Settings


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only its own file vouches for, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    file = tmp_path_factory.mktemp("tls") / "self-signed.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(file) + ".key", "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    return file


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, str(certificate) + ".key")
    return context


async def fetch_from(net: Any, base: str, **options: Any) -> Any:
    async with TileClient(Settings(base_url=base, **options), sleep=net.time.sleep) as client:
        return await client.fetch(net.ask_for(base))


async def read_from(net: Any, base: str) -> bytes:
    settings = Settings(base_url=base, attempts=2)
    async with document_session(settings) as session:
        return await read_document(session, f"{base}/a.xml", settings, sleep=net.time.sleep)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_r15_another_server_gets_no_connection(status: int, net: Any) -> None:
    async def run() -> tuple[Any, Any, str, str]:
        async with net.following(net.answer(200, net.jpeg)) as other:
            said = net.answer(status, b"", Location=f"{other.base}/0.jpg")
            async with net.following(said) as server:
                tile = await fetch_from(net, server.base)
                with pytest.raises(ServiceDocumentError) as caught:
                    await read_from(net, server.base)
            return tile, other, str(caught.value), server.base

    tile, other, message, base = asyncio.run(run())
    assert (other.connections, other.paths) == (0, [])
    assert (tile.state, tile.status, tile.attempts) == ("failed", status, 1)
    assert tile.message == f"HTTP {status}: redirects to {other.base}/0.jpg, not followed"
    assert (
        f"{base}/a.xml redirects to another server ('{other.base}/0.jpg'): not followed" in message
    )


@pytest.mark.parametrize(
    "place",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://127.0.0.1/a.xml",
        "//127.0.0.1:1/a.xml",
        "gopher://127.0.0.1/",
        "http://[::1",
        "\\\\127.0.0.1\\share",
    ],
)
def test_r15_to_a_file_or_to_nonsense(place: str, net: Any) -> None:
    async def run() -> tuple[Any, str]:
        async with net.following(net.answer(302, b"", Location=place)) as server:
            tile = await fetch_from(net, server.base)
            with pytest.raises(ServiceDocumentError) as caught:
                await read_from(net, server.base)
            return tile, str(caught.value)

    tile, message = asyncio.run(run())
    assert (tile.state, tile.attempts, tile.body) == ("failed", 1, None)
    assert "not followed" in message


def test_r15_a_loop_ends(net: Any) -> None:
    async def run() -> tuple[Any, str, list[str]]:
        async with net.following(net.answer(302, b"", Location="/a.xml")) as server:
            tile = await fetch_from(net, server.base)
            with pytest.raises(ServiceDocumentError) as caught:
                await read_from(net, server.base)
            return tile, str(caught.value), server.paths

    tile, message, paths = asyncio.run(run())
    assert (tile.state, tile.attempts) == ("failed", 1)
    assert "redirects more than 3 times" in message
    assert paths == ["/0.jpg"] + ["/a.xml"] * 4


def test_r15_from_https_to_http(net: Any, certificate: Path) -> None:
    async def run() -> tuple[Any, Any, str]:
        async with net.following(net.answer(200, net.jpeg)) as plain:
            said = net.answer(301, b"", Location=f"{plain.base}/0.jpg")
            server = net.following(said)
            server.ssl = server_context(certificate)
            async with server:
                bundle: dict[str, Any] = {"ca_bundle": str(certificate)}
                tile = await fetch_from(net, server.base, **bundle)
                settings = Settings(base_url=server.base, **bundle)
                async with document_session(settings) as session:
                    with pytest.raises(ServiceDocumentError) as caught:
                        await read_document(session, f"{server.base}/a.xml", settings)
            return tile, plain, str(caught.value)

    tile, plain, message = asyncio.run(run())
    assert (plain.connections, tile.state, tile.status) == (0, "failed", 301)
    assert "redirects to another server" in message


def test_r15_a_bad_certificate_is_refused(net: Any, certificate: Path) -> None:
    """Self-signed: refused by default, taken with --ca-bundle, and never asked over it before."""

    async def run() -> tuple[Any, list[str], Any]:
        server = net.following(net.answer(200, net.jpeg))
        server.ssl = server_context(certificate)
        async with server:
            refused = await fetch_from(net, server.base)
            paths = list(server.paths)
            with pytest.raises(ServerUnreachableError, match=r"certificate verify failed.*ca-bund"):
                await read_from(net, server.base)
            trusted = await fetch_from(net, server.base, ca_bundle=str(certificate))
            return refused, paths, trusted

    refused, paths, trusted = asyncio.run(run())
    assert (refused.state, refused.status, paths) == ("failed", None, [])
    assert "certificate verify failed" in refused.message
    assert trusted.state == "ok"


def test_r15_a_certificate_of_another_host_is_refused(net: Any, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    file = tmp_path / "other.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=other", "-addext", "subjectAltName=DNS:other.invalid"]
    subprocess.run(
        [*command, "-keyout", f"{file}.key", "-out", file], check=True, capture_output=True
    )

    async def run() -> tuple[Any, list[str]]:
        server = net.following(net.answer(200, net.jpeg))
        server.ssl = server_context(file)
        async with server:
            return await fetch_from(net, server.base, ca_bundle=str(file)), server.paths

    tile, paths = asyncio.run(run())
    assert (tile.state, paths) == ("failed", [])
    assert "certificate" in tile.message.lower()
