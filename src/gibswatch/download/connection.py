"""What all requests have in common: who asks, whom it trusts, and that it asks once."""

from __future__ import annotations

import contextlib
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from gibswatch.download.tls import ssl_context
from gibswatch.errors import UsageError
from gibswatch.settings import Settings

__all__ = ["USER_AGENT", "open_session", "proxy_for", "reason_of"]

USER_AGENT = "gibswatch/0.1 (checks daily GIBS imagery)"


class _ConnectionLostError(aiohttp.ClientConnectionError):
    """A connection that ended before an answer; aiohttp does not repeat the request after it."""


class _StaleConnectionError(aiohttp.ClientError):
    """A kept connection holds bytes that nobody asked for; nothing was sent over it."""


class _CleanRequest(aiohttp.ClientRequest):
    """A request that is sent only where the answer before it has ended.

    A body longer than its Content-Length leaves bytes behind, and aiohttp takes what lies in a kept
    connection for the answer to the next request: one tile's bytes under another tile's name.
    """

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Send it, or refuse the connection, which aiohttp then closes."""
        if conn.protocol is not None and conn.protocol.should_close:
            raise _StaleConnectionError("unread bytes of the answer before")
        return await super().send(conn)


def open_session(settings: Settings, *, accept_encoding: str) -> aiohttp.ClientSession:
    """Open a session; nothing is asked yet.

    Parameters
    ----------
    settings : Settings
    accept_encoding : str
        How bodies may be packed; they are handed on as they came.

    Raises
    ------
    UsageError
        If the file of certificate authorities cannot be read, or the proxy is of another kind
        than HTTP.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=settings.connections, ssl=ssl_context(settings.ca_bundle)
        ),
        timeout=aiohttp.ClientTimeout(
            total=settings.tile_timeout_s, sock_connect=settings.connect_timeout_s
        ),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": accept_encoding},
        auto_decompress=False,
        middlewares=(_ask_once,),
        request_class=_CleanRequest,
        proxy=proxy_for(settings.base_url),
    )


def proxy_for(base_url: str) -> str | None:
    """Address of the proxy that the environment (or the system) names for a server, if it does.

    Looked up once: with aiohttp's `trust_env` it is for every request, in a thread, together with
    ~/.netrc, whose passwords are no business of a tile server's.

    Parameters
    ----------
    base_url : str
        Of the server.

    Returns
    -------
    str or None
        It may hold a password: not to be shown.

    Raises
    ------
    UsageError
        If the proxy is of another kind than HTTP.
    """
    server = urlsplit(base_url)
    address = getproxies().get(server.scheme)
    if not address or proxy_bypass(server.hostname or ""):
        return None
    try:
        proxy = urlsplit(address if "://" in address else f"http://{address}")
        if proxy.scheme in ("http", "https") and proxy.hostname and proxy.port != 0:
            return proxy.geturl()
        shown = f"{proxy.scheme}://{proxy.hostname or ''}"
    except ValueError:  # whose message may quote a password
        shown = "its host or port cannot be read"
    raise UsageError(
        f"the proxy that {server.scheme}_proxy names is no HTTP proxy ({shown}): set it to "
        "http://HOST:PORT, or name the server in no_proxy"
    )


def reason_of(error: aiohttp.ClientError) -> str:
    """Say in a few words why no connection was made."""
    return getattr(error, "strerror", None) or str(error)


async def _ask_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request once: over a clean connection, and not again unless we say so.

    After a lost connection aiohttp repeats a GET without a word (RFC 9110, 9.2.2, allows that), and
    then one attempt of ours is two requests: more than what is configured, and more than what the
    journal says.  It does so for two errors only, so here they become another one.
    """
    while True:
        with contextlib.suppress(_StaleConnectionError):  # closed by now; there are not many
            return await _send(request, handler)


async def _send(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise  # no connection was made: aiohttp does not repeat after these
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        text = str(error) or type(error).__name__
        raise _ConnectionLostError(f"connection lost: {text}") from error
