"""The whole time domain of a layer, from the service's DescribeDomains, page by page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

import aiohttp

from gibswatch.catalogue.describe_domains import read_domains
from gibswatch.catalogue.domains import Period
from gibswatch.download.documents import document_session, read_document, same_host
from gibswatch.errors import ServiceDocumentError
from gibswatch.settings import Settings
from gibswatch.types import Epsg

__all__ = ["HistoryRequest", "fetch_history", "read_history"]

_MAX_PAGES = 40
"""Of 25,000 periods each: more than any layer has."""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Whose time domain is asked for."""

    base_url: str
    epsg: Epsg
    layer: str
    """Its name on the server."""
    matrix_set: str

    def url(self, offset: int = 0) -> str:
        """Address of the whole domain, or of what follows after a number of periods.

        The first is the REST form of GIBS's documentation, the other OnEarth's KVP form: only it
        has an offset.
        """
        base = f"{self.base_url.rstrip('/')}/wmts/epsg{self.epsg}/best"
        if not offset:
            return f"{base}/1.0.0/{self.layer}/default/{self.matrix_set}/all/all.xml"
        query = {
            "SERVICE": "WMTS",
            "REQUEST": "DescribeDomains",
            "VERSION": "1.0.0",
            "LAYER": self.layer,
            "TILEMATRIXSET": self.matrix_set,
            "offset": offset,
        }
        return f"{base}/wmts.cgi?{urlencode(query)}"

    def next_url(self, named: str, received: int) -> str:
        """Address of the next page: as the server names it on the same host, else by what came."""
        try:
            url = urljoin(self.url(), named) if "/" in named or "?" in named else ""
        except ValueError:  # half an IPv6 address
            url = ""
        return url if same_host(self.url(), url) else self.url(received)


def fetch_history(request: HistoryRequest, settings: Settings) -> tuple[Period, ...]:
    """Ask for the whole time domain of a layer, outside of an event loop; see `read_history`.

    Raises
    ------
    ServiceDocumentError
        If an answer does not come or cannot be read, or the server knows no time of the layer.
    ServerUnreachableError
        If no connection can be made.
    """

    async def fetch() -> tuple[Period, ...]:
        async with document_session(settings) as session:
            return await read_history(session, request, settings)

    return asyncio.run(fetch())


async def read_history(
    session: aiohttp.ClientSession, request: HistoryRequest, settings: Settings
) -> tuple[Period, ...]:
    """Ask for the whole time domain of a layer.

    Parameters
    ----------
    session : ClientSession
        From `document_session`.
    request : HistoryRequest
    settings : Settings

    Returns
    -------
    tuple of Period
        By start, at least one.

    Raises
    ------
    ServiceDocumentError, ServerUnreachableError
        As `fetch_history`.
    """
    periods: list[Period] = []
    asked: set[str] = set()
    url = request.url()
    while url not in asked and len(asked) < _MAX_PAGES:
        asked.add(url)
        page = read_domains(await read_document(session, url, settings), what=url)
        periods += page.periods
        if not periods:
            raise ServiceDocumentError(
                f"{url} lists no time: the server does not know {request.layer}, or it has none"
            )
        if page.next_page is None:
            return tuple(sorted(set(periods)))
        if not page.periods:
            break
        url = request.next_url(page.next_page, len(periods))
    raise ServiceDocumentError(f"{url} names next pages without end: none of them is used")
