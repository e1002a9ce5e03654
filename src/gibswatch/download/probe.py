"""Whether the service answers: one short request, and what is in the way if it does not."""

from __future__ import annotations

import asyncio
import errno
import time
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

import aiohttp

from gibswatch.download.connection import open_session, proxy_for, reason_of
from gibswatch.download.documents import REDIRECTS, is_xml_type
from gibswatch.download.refresh import capabilities_url
from gibswatch.download.retry import RETRIED_STATUSES
from gibswatch.download.states import one_line
from gibswatch.settings import Settings

__all__ = ["ProbeCause", "ServiceProbe", "probe_service"]

ProbeCause = Literal[
    "dns", "refused", "network", "proxy", "tls", "time-out", "lost", "status", "redirect", "answer"
]

_LIMIT_S = 10.0
"""Seconds for all of it: who waits for this looks at a terminal."""
_WANTS_NAME = 407
_FORBIDS = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class ServiceProbe:
    """What came of one request to the service."""

    url: str
    """What was asked for."""
    seconds: float
    """Until the head of the answer came, or it failed."""
    status: int | None = None
    """HTTP status; None if no answer came."""
    cause: ProbeCause | None = None
    """Why the service cannot be used; None where it can."""
    text: str = ""
    """The cause in words, one line; empty where there is none."""
    advice: str = ""
    """What to do about it."""
    proxy: str | None = None
    """Host and port of the proxy that was asked in its place, without its password."""


_Failure = tuple[ProbeCause, str, str]
"""Cause, text and advice."""


def probe_service(settings: Settings) -> ServiceProbe:
    """Ask for the head of the service's capabilities, once; outside of an event loop.

    Proxies and certificate authorities are those of a download.  The body, some megabytes, is not
    read.

    Parameters
    ----------
    settings : Settings
        Its time limits hold where they are shorter than ten seconds.

    Raises
    ------
    UsageError
        If the file of certificate authorities cannot be read, or the proxy is of another kind
        than HTTP.
    """
    hasty = replace(
        settings,
        connect_timeout_s=min(settings.connect_timeout_s, _LIMIT_S),
        tile_timeout_s=min(settings.tile_timeout_s, _LIMIT_S),
    )
    return asyncio.run(_probe(hasty))


async def _probe(settings: Settings) -> ServiceProbe:
    url = capabilities_url(settings.base_url, 4326)
    proxy = _place_of(proxy_for(settings.base_url))
    status: int | None = None
    failure: _Failure | None
    async with open_session(settings, accept_encoding="identity") as session:
        begin = time.monotonic()
        try:
            async with session.get(url, allow_redirects=False) as response:
                status, failure = response.status, _judge(response)
        except TimeoutError:
            failure = _too_slow(url, settings.tile_timeout_s)
        except aiohttp.ClientResponseError as error:
            failure = _no_answer(error, url)
        except aiohttp.ClientConnectorError as error:
            failure = _no_connection(error, url, proxy)
        except aiohttp.ClientError as error:
            failure = ("lost", one_line(str(error)), "run it again later, or check --base-url")
        seconds = time.monotonic() - begin
    if failure is None:
        return ServiceProbe(url, seconds, status, proxy=proxy)
    return ServiceProbe(url, seconds, status, *failure, proxy=proxy)


def _place_of(address: str | None) -> str | None:
    """Return host and port of an address."""
    return None if address is None else urlsplit(address).netloc.rpartition("@")[2]


def _judge(response: aiohttp.ClientResponse) -> _Failure | None:
    """Say what is wrong with the head of an answer."""
    status, url = response.status, str(response.url)
    if status in REDIRECTS:
        place = one_line(response.headers.get("Location", ""))
        text = f"HTTP {status}: redirects to {place}, and no redirect of a tile is followed"
        return "redirect", text, "if that is the right server, give it as --base-url"
    if status != 200:
        return "status", f"HTTP {status}", _advice_on(status, url)
    kind = response.headers.get("Content-Type", "")
    if is_xml_type(kind):
        return None
    text = f"{one_line(kind)} came where the list of layers (XML) belongs"
    return "answer", text, f"see {url} in a browser: is it a log-in page?  Else check --base-url"


def _advice_on(status: int, url: str) -> str:
    if status == _WANTS_NAME:
        return f"the proxy wants a name: set {_variable(url)} to http://NAME:PASSWORD@HOST:PORT"
    if status in _FORBIDS:
        return "check --base-url, and whether a proxy or firewall forbids it"
    if status in RETRIED_STATUSES:
        return "the server is busy or broken: run it again later"
    return "check --base-url: it is the address without /wmts"


def _too_slow(url: str, limit_s: float) -> _Failure:
    advice = f"check the network, set {_variable(url)} if there is a proxy, or run it again later"
    return "time-out", f"no answer within {limit_s:g} s", advice


def _no_answer(error: aiohttp.ClientResponseError, url: str) -> _Failure:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        advice = f"check {_variable(url)}, or name the server in no_proxy"
        if error.status == _WANTS_NAME:
            advice = _advice_on(error.status, url)
        return "proxy", f"the proxy answers with HTTP {error.status}", advice
    return "answer", one_line(f"this is no HTTP: {error.message}"), "check the port of --base-url"


def _no_connection(error: aiohttp.ClientConnectorError, url: str, proxy: str | None) -> _Failure:
    """Tell the ways apart in which a connection is not made."""
    reason = one_line(reason_of(error))
    unknown = isinstance(error, aiohttp.ClientConnectorDNSError)
    # With a proxy, only its name is looked up here: it looks up the server's.
    if isinstance(error, aiohttp.ClientProxyConnectionError) or (unknown and proxy is not None):
        text = f"no connection to the proxy {proxy} ({reason})"
        return "proxy", text, f"check {_variable(url)}, or name the server in no_proxy"
    if unknown:
        advice = f"check --base-url and the network, or set {_variable(url)} if there is a proxy"
        return "dns", f"DNS gives no address of {error.host} ({reason})", advice
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        said = getattr(error.certificate_error, "verify_message", "") or reason
        advice = "check the clock; give the authority that your network trusts as --ca-bundle"
        return "tls", f"TLS: the certificate is not trusted ({one_line(said)})", advice
    if isinstance(error, aiohttp.ClientSSLError):
        advice = "check the port of --base-url, and that it should not begin with http://"
        return "tls", f"TLS: {one_line(str(error.os_error))}", advice
    if error.errno == errno.ECONNREFUSED:
        advice = "check the port of --base-url, and whether a firewall refuses it"
        return "refused", f"connection refused ({reason})", advice
    return "network", reason, "check the network, the proxy settings and --base-url"


def _variable(url: str) -> str:
    """Name the environment variable of the proxy."""
    return f"{urlsplit(url).scheme}_proxy"
