"""Documents of the service: capabilities and time domains, fetched with their size bounded."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import zlib
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import urljoin, urlsplit

import aiohttp

from gibswatch.catalogue.xml_guard import MAX_DOCUMENT_BYTES, quoted
from gibswatch.download.connection import open_session, reason_of
from gibswatch.download.politeness import refuse_long_wait
from gibswatch.download.retry import RETRIED_STATUSES, Sleep, retry_after_s, retry_delay_s
from gibswatch.errors import ServerUnreachableError, ServiceDocumentError
from gibswatch.settings import Settings

__all__ = [
    "REDIRECTS",
    "document_session",
    "fetch_document",
    "is_xml_type",
    "read_document",
    "same_host",
]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""HTTP statuses that name another place."""
_MAX_REDIRECTS = 3
_CHUNK = 64 * 2**10
_PIECE = 2**20
_QUOTED_BYTES = 4000
_ZLIB_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class _PassingError(ServiceDocumentError):
    """A failure that asking again may cure."""

    retry_after: str | None = None
    """The header of the answer, if it had one."""


def fetch_document(url: str, settings: Settings) -> bytes:
    """Fetch one XML document, outside of an event loop; see `read_document`.

    Raises
    ------
    ServiceDocumentError
        If it does not come whole, is no XML by its type, or is larger than is read.
    ServerUnreachableError
        If no connection can be made.
    """

    async def fetch() -> bytes:
        async with document_session(settings) as session:
            return await read_document(session, url, settings)

    return asyncio.run(fetch())


def document_session(settings: Settings) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """Open a session that `read_document` asks with.

    Raises
    ------
    UsageError
        If the file of certificate authorities cannot be read.
    """
    return open_session(settings, accept_encoding="gzip, deflate")


async def read_document(
    session: aiohttp.ClientSession,
    url: str,
    settings: Settings,
    *,
    sleep: Sleep = asyncio.sleep,
) -> bytes:
    """Fetch one XML document, asking again after failures that may pass.

    Parameters
    ----------
    session : ClientSession
        From `document_session`.
    url : str
    settings : Settings
    sleep : callable, optional
        Waits between attempts (tests pass a fake).

    Returns
    -------
    bytes
        The document, unpacked; at most `MAX_DOCUMENT_BYTES`.

    Raises
    ------
    ServiceDocumentError
        If the status is not 200 (the message quotes the server), the type is not XML, it ends
        early, is larger than is read (as sent or unpacked), or a redirect leads to another host.
    ServerUnreachableError
        If no connection can be made.
    RunStoppedError
        If the server asks for a longer pause (Retry-After) than `retry_after_cap_s`.
    """
    chance = random.Random()  # noqa: S311 - jitter is no secret
    for attempt in range(1, settings.attempts + 1):
        told_s = 0.0
        try:
            return await _follow(session, url)
        except (_PassingError, ServerUnreachableError) as error:
            told_s = _wait_told(error, settings)
            if attempt == settings.attempts:
                raise
        await sleep(max(told_s, retry_delay_s(attempt, chance)))
    raise AssertionError("Settings has at least one attempt")


def same_host(url: str, other: str) -> bool:
    """Whether two addresses have scheme, host and port in common."""
    try:
        one, two = ((u.scheme, u.hostname, u.port) for u in (urlsplit(url), urlsplit(other)))
    except ValueError:
        return False
    return one == two


def is_xml_type(content_type: str) -> bool:
    """Whether a Content-Type is that of XML; a server that says nothing is believed.

    Examples
    --------
    >>> is_xml_type("application/xml; charset=utf-8"), is_xml_type("text/html")
    (True, False)
    """
    kind = _media_type(content_type)
    return kind in ("", "text/xml", "application/xml") or kind.endswith("+xml")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _wait_told(error: ServiceDocumentError | ServerUnreachableError, settings: Settings) -> float:
    """Seconds that the server asks to wait; the run ends where that is too long."""
    now = dt.datetime.now(dt.UTC)
    text = error.retry_after if isinstance(error, _PassingError) else None
    told_s = retry_after_s(text, now) or 0.0
    refuse_long_wait(told_s, now, settings.retry_after_cap_s)
    return told_s


async def _follow(session: aiohttp.ClientSession, url: str) -> bytes:
    where = url
    for _ in range(_MAX_REDIRECTS + 1):
        answer = await _ask(session, where)
        if isinstance(answer, bytes):
            return answer
        target = _joined(where, answer)
        if not same_host(url, target):
            raise ServiceDocumentError(
                f"{url} redirects to another server ({quoted(target)}): not followed; "
                "if it is right, give it as --base-url"
            )
        where = target
    raise ServiceDocumentError(f"{url} redirects more than {_MAX_REDIRECTS} times: not followed")


def _joined(where: str, place: str) -> str:
    try:
        return urljoin(where, place)
    except ValueError:
        return place


async def _ask(session: aiohttp.ClientSession, url: str) -> bytes | str:
    """Return the document, or the place that the server redirects to."""
    try:
        async with session.get(url, allow_redirects=False) as response:
            if response.status in REDIRECTS:
                return response.headers.get("Location", "")
            if response.status != 200:
                raise await _refusal(response, url)
            await _check_type(response, url)
            return await _read(response, url)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise ServerUnreachableError(
            f"no connection for {url} ({reason_of(error)}): check the network, the proxy settings, "
            "--ca-bundle or --base-url, and run the same command again"
        ) from error
    except TimeoutError as error:
        raise _PassingError(f"{url} gave no whole answer in time: run the command again") from error
    except aiohttp.ClientError as error:
        raise _PassingError(
            f"{url} did not come whole ({type(error).__name__}: {quoted(str(error))}): "
            "run the command again"
        ) from error


async def _refusal(response: aiohttp.ClientResponse, url: str) -> ServiceDocumentError:
    message = (
        f"{url} is answered with HTTP {response.status}, saying {await _said(response)}: "
        "check --base-url"
    )
    if response.status not in RETRIED_STATUSES:
        return ServiceDocumentError(message)
    passing = _PassingError(message)
    passing.retry_after = response.headers.get("Retry-After")
    return passing


async def _check_type(response: aiohttp.ClientResponse, url: str) -> None:
    kind = _media_type(response.headers.get("Content-Type", ""))
    if is_xml_type(kind):
        return
    raise ServiceDocumentError(
        f"{url} is {quoted(kind)} and no XML, saying {await _said(response)}: check --base-url"
    )


async def _said(response: aiohttp.ClientResponse) -> str:
    """First words of an answer that is no document."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return "something packed"
    text = await response.content.read(_QUOTED_BYTES)
    return quoted(text.decode("utf-8", "replace"))


async def _read(response: aiohttp.ClientResponse, url: str) -> bytes:
    """Read and unpack the body, never holding more than the cap."""
    if (response.content_length or 0) > MAX_DOCUMENT_BYTES:
        raise _too_large(url)
    unpacker = _Unpacker(response.headers.get("Content-Encoding", ""), url)
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        for piece in unpacker.feed(chunk):
            body += piece
            if len(body) > MAX_DOCUMENT_BYTES:
                raise _too_large(url)
    unpacker.check_whole()
    return bytes(body)


class _Unpacker:
    """Takes the chunks of a packed body and gives it back in small pieces."""

    def __init__(self, encoding: str, url: str) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", *_ZLIB_BITS):
            raise ServiceDocumentError(
                f"{url} is packed as {quoted(name)}, which was not asked for: check --base-url"
            )
        self._url = url
        self._zlib = zlib.decompressobj(_ZLIB_BITS[name]) if name in _ZLIB_BITS else None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what a chunk holds."""
        if self._zlib is None:
            yield chunk
            return
        while chunk:
            try:
                yield self._zlib.decompress(chunk, _PIECE)
            except zlib.error as error:
                raise self._damaged(str(error)) from error
            if self._zlib.unused_data:
                raise self._damaged("something follows its end")
            chunk = self._zlib.unconsumed_tail

    def check_whole(self) -> None:
        """Raise if the end of what was packed did not come."""
        if self._zlib is not None and not self._zlib.eof:
            raise self._damaged("its end is missing")

    def _damaged(self, reason: str) -> ServiceDocumentError:
        return _PassingError(f"{self._url} is damaged ({reason}): run the command again")


def _too_large(url: str) -> ServiceDocumentError:
    return ServiceDocumentError(
        f"{url} is larger than the {MAX_DOCUMENT_BYTES} bytes that are read: check --base-url"
    )
