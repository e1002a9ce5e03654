"""Asks for tiles, and tells the truth about what came back."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import html
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from gibswatch.download.plan import TileRequest
from gibswatch.download.tls import ssl_context
from gibswatch.errors import DecodeError, ServerUnreachableError
from gibswatch.raster.codec import decode_picture
from gibswatch.settings import Settings
from gibswatch.types import ByteArray, TileState

__all__ = [
    "RETRIED_STATUSES",
    "USER_AGENT",
    "Reachability",
    "TileClient",
    "TileResult",
    "fetch_repeatedly",
    "is_worth_retrying",
    "retry_delay_s",
    "state_of_status",
]

USER_AGENT = "gibswatch/0.1 (checks daily GIBS imagery)"
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses of failures that may pass."""
_RETRY_DELAYS_S = (0.5, 2.0)
_KEPT_HEADERS = (
    "Content-Type",
    "ETag",
    "Layer-Identifier-Actual",
    "Layer-Time-Actual",
)
_MAX_TILE_BYTES = 8 * 2**20
_REFUSALS_BEFORE_GIVING_UP = 10
_QUOTED_BYTES = 4000
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True, eq=False)
class TileResult:
    """What came back for one tile, after the last attempt."""

    request: TileRequest
    state: TileState
    message: str
    """Why the state is not `ok`; empty if it is."""
    retrieved_at: dt.datetime
    """UTC."""
    attempts: int
    status: int | None = None
    """HTTP status, or None if there was no answer, or GDAL does not tell."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """ETag, Content-Type and the Layer-* headers; empty where GDAL asked."""
    body: bytes | None = None
    """The bytes as served, if the state is `ok` and it was not GDAL that asked."""
    pixels: ByteArray | None = None
    """(tile_size, tile_size, bands) uint8, if the state is `ok`."""
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int | None
    headers: Mapping[str, str]
    body: bytes
    error: str = ""
    short: bool = False
    """The connection ended before the announced length was there."""


class Reachability:
    """Counts refused connections, so that a run ends early where there is no server at all.

    Parameters
    ----------
    base_url : str
        Of the server, for the message.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._answered = False
        self._refusals = 0

    def answered(self) -> None:
        """Note that a connection was made once: from now on refusals are only failures."""
        self._answered = True

    def refused(self, reason: str) -> None:
        """Note that no connection could be made.

        Raises
        ------
        ServerUnreachableError
            With the tenth refusal, if there never was an answer.
        """
        self._refusals += 1
        if not self._answered and self._refusals >= _REFUSALS_BEFORE_GIVING_UP:
            raise ServerUnreachableError(
                f"no connection to {self._base_url} ({reason}): check the network, the proxy "
                "settings or --base-url, and run the same command again"
            )


class TileClient:
    """Fetches tiles over a bounded number of connections; an async context manager.

    Parameters
    ----------
    settings : Settings
    sleep : callable, optional
        Waits between attempts (tests pass a fake).

    Raises
    ------
    ServerUnreachableError
        By `fetch`, once ten connections were refused or timed out and none was ever made.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(settings.connections)
        self._reachability = Reachability(settings.base_url)

    async def __aenter__(self) -> Self:
        s = self._settings
        connector = aiohttp.TCPConnector(limit=s.connections, ssl=ssl_context(s.ca_bundle))
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=s.tile_timeout_s, sock_connect=s.connect_timeout_s),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=True,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, request: TileRequest) -> TileResult:
        """Fetch one tile, asking again after failures that may pass.

        A failure of the network or the server is a state of the result, never an exception.

        Raises
        ------
        ServerUnreachableError
            If no connection to the server can be made at all.
        """

        async def ask(attempt: int) -> TileResult:
            # A request waits here, not in the pool: there its time would be running already.
            async with self._slots:
                answer = await self._ask(request.url)
            return await asyncio.to_thread(_judge, request, answer, attempt)

        return await fetch_repeatedly(ask, self._settings.attempts, self._sleep)

    async def _ask(self, url: str) -> _Answer:
        if self._session is None:
            raise RuntimeError("TileClient is used outside of its `async with` block")
        try:
            # Redirects lead to other hosts or pages, never to a tile of GIBS.
            async with self._session.get(url, allow_redirects=False) as response:
                self._reachability.answered()
                body = await response.content.read(_MAX_TILE_BYTES + 1)
                while chunk := await response.content.read(_MAX_TILE_BYTES + 1 - len(body)):
                    body += chunk
                headers = {k: response.headers[k] for k in _KEPT_HEADERS if k in response.headers}
                return _Answer(response.status, headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            self._reachability.refused(_reason(error))
            return _Answer(None, {}, b"", f"no connection: {_reason(error)}")
        except TimeoutError:
            return _Answer(None, {}, b"", "no whole answer in time")
        except aiohttp.ClientPayloadError as error:
            return _Answer(None, {}, b"", f"short answer: {error}"[:200], short=True)
        except aiohttp.ClientError as error:
            return _Answer(None, {}, b"", f"{type(error).__name__}: {error}"[:200])


async def fetch_repeatedly(
    ask: Callable[[int], Awaitable[TileResult]],
    attempts: int,
    sleep: Callable[[float], Awaitable[object]],
) -> TileResult:
    """Ask until the result is none that may pass, and return the last.

    Parameters
    ----------
    ask : callable
        Takes the number of the attempt, the first being 1.
    attempts : int
        At most so many, at least 1.
    sleep : callable
        Waits between attempts.
    """
    attempt = 1
    while is_worth_retrying(result := await ask(attempt)) and attempt < attempts:
        await sleep(retry_delay_s(attempt))
        attempt += 1
    return result


def is_worth_retrying(result: TileResult) -> bool:
    """Whether a failure may pass: one of the network, an overloaded server, or a damaged answer."""
    if result.state not in ("failed", "corrupt"):
        return False
    return result.status in {None, 200, *RETRIED_STATUSES}


def retry_delay_s(attempt: int) -> float:
    """Seconds to wait after the attempt of this number, the first being 1."""
    return _RETRY_DELAYS_S[min(attempt, len(_RETRY_DELAYS_S)) - 1]


def state_of_status(status: int) -> tuple[TileState, str]:
    """Return what an HTTP status says of a tile, and in words why it is not `ok`.

    Examples
    --------
    >>> state_of_status(404), state_of_status(503)
    (('absent', 'HTTP 404'), ('failed', 'HTTP 503'))
    """
    if status == 200:
        return "ok", ""
    if status == 204 or (400 <= status < 500 and status not in RETRIED_STATUSES):
        return "absent", f"HTTP {status}"
    return "failed", f"HTTP {status}"


def _reason(error: aiohttp.ClientError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _judge(request: TileRequest, answer: _Answer, attempt: int) -> TileResult:
    """Turn an answer into a state; decodes the picture, so it runs in a thread."""
    pixels = None
    state, message = _state_of(answer)
    if state == "ok":
        size = (request.tile_size, request.tile_size)
        try:
            pixels = decode_picture(
                answer.body, image_format=request.image_format, shape=size, max_pixels=2**20
            )
        except DecodeError as error:
            state, message = "corrupt", f"{error}{_server_text(answer.body)}"
    served = answer.headers.get("Layer-Time-Actual", "")[:10]
    if state == "ok" and served and served != request.date.isoformat():
        # 200 and a good picture, but of another day: a default day, or one step back.
        state, message, pixels = "wrong-date", f"the server sent the tile of {served}", None
    kept = state == "ok"
    return TileResult(
        request,
        state,
        message,
        dt.datetime.now(dt.UTC),
        attempt,
        answer.status,
        answer.headers,
        answer.body if kept else None,
        pixels,
        hashlib.sha256(answer.body).hexdigest() if kept else None,
    )


def _state_of(answer: _Answer) -> tuple[TileState, str]:
    if answer.status is None:
        return ("corrupt" if answer.short else "failed"), answer.error
    if answer.status == 200 and len(answer.body) > _MAX_TILE_BYTES:
        return "corrupt", f"a tile of more than {_MAX_TILE_BYTES} bytes"
    return state_of_status(answer.status)


def _server_text(body: bytes) -> str:
    """Quote what a document in a picture's place says; its tags are cut off, nothing is parsed."""
    if not body[:64].lstrip().startswith(b"<"):
        return ""
    text = _TAG.sub(" ", body[:_QUOTED_BYTES].decode("utf-8", "replace"))
    words = " ".join(html.unescape(text).split())[:200]
    return f"; the server says: {''.join(c if c.isprintable() else '.' for c in words)}"
