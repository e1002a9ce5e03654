"""WMTS of the embedded server: tiles and documents, by addresses (REST) and by queries (KVP).

A query's names may have any case, its values (but for SERVICE and REQUEST) have theirs.  All that
is missing in a query is named in one report, as OnEarth's ``mod_wmts_wrapper`` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gibswatch.simulate.server.domains_document import (
    DEFAULT_LIMIT,
    DomainsRequest,
    domains_document,
)
from gibswatch.simulate.server.exceptions import OwsError, OwsFault, invalid_parameter
from gibswatch.simulate.server.service import (
    COLLECTIONS,
    MEDIA_TYPES,
    Answer,
    TileRequest,
    TileService,
    document,
    not_found,
    refusal,
    respond,
)
from gibswatch.simulate.server.wmts_documents import capabilities
from gibswatch.types import EPSG_CODES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

__all__ = ["Endpoint", "answer_query", "routes"]

_BASE = "/wmts/epsg{epsg:int}/{collection}"
_TILE = "{matrix_set}/{matrix}/{row}/{col}.{ext}"
_EXTENSIONS = {media_type: ext for ext, media_type in MEDIA_TYPES.items()}
_TILE_WORDS = ("LAYER", "FORMAT", "TILEMATRIXSET", "TILEMATRIX", "TILEROW", "TILECOL")
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_REQUESTS = ("gettile", "getcapabilities", "describedomains")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a request came in."""

    epsg: int
    collection: str
    root: str
    """Scheme, host and port as the client knows them."""

    @property
    def query_address(self) -> str:
        """Address of the queries, up to the question mark."""
        return f"{self.root}/wmts/epsg{self.epsg}/{self.collection}/wmts.cgi"


def routes(service: TileService) -> list[Route]:
    """Return the addresses of WMTS, for an application.

    Parameters
    ----------
    service : TileService
        Answers for them.
    """
    from starlette.routing import Route  # noqa: PLC0415

    def tile(request: Request) -> Response:
        return respond(service.answer(TileRequest(**request.path_params)), request)

    def tile_without_time(request: Request) -> Response:
        words = TileRequest(time="default", **request.path_params)
        return respond(service.answer(words), request)

    def query(request: Request) -> Response:
        words = {name.upper(): text for name, text in request.query_params.multi_items()}
        return respond(answer_query(service, words, _endpoint(request)), request)

    def all_layers(request: Request) -> Response:
        words = {"SERVICE": "WMTS", "REQUEST": "GetCapabilities"}
        return respond(answer_query(service, words, _endpoint(request)), request)

    def domains(request: Request) -> Response:
        words = _domain_words(request.path_params)
        return respond(answer_query(service, words, _endpoint(request)), request)

    addresses = {
        "wmts.cgi": query,
        "1.0.0/WMTSCapabilities.xml": all_layers,
        "1.0.0/{layer}/default/{matrix_set}/{bbox}/{time}.xml": domains,
        f"{{layer}}/{{style}}/{_TILE}": tile_without_time,
        f"{{layer}}/{{style}}/{{time}}/{_TILE}": tile,
    }
    return [Route(f"{_BASE}/{path}", made, methods=["GET"]) for path, made in addresses.items()]


def answer_query(service: TileService, words: Mapping[str, str], where: Endpoint) -> Answer:
    """Answer a query: a tile, a document, or a report of what is wrong with it.

    Parameters
    ----------
    service : TileService
    words : Mapping[str, str]
        The query's values by name, in capitals.
    where : Endpoint
    """
    if where.collection not in COLLECTIONS or where.epsg not in EPSG_CODES:
        return not_found()
    try:
        request = _check(words)
        if request == "gettile":
            return service.answer(_tile_request(words, where))
        if request == "getcapabilities":
            return document(capabilities(service, where.epsg, where.collection, where.root))
        asked = _domains_request(words, where)
        return document(domains_document(service, asked, where.query_address))
    except OwsError as error:
        return refusal(error)


def _endpoint(request: Request) -> Endpoint:
    given = request.path_params
    return Endpoint(given["epsg"], given["collection"], str(request.base_url).rstrip("/"))


def _domain_words(given: Mapping[str, str]) -> dict[str, str]:
    """Return the query that a DescribeDomains address stands for; the box changes nothing."""
    return {
        "SERVICE": "WMTS",
        "REQUEST": "DescribeDomains",
        "LAYER": given["layer"],
        "TILEMATRIXSET": given["matrix_set"],
        "TIME": given["time"].replace("--", "/"),
    }


def _check(words: Mapping[str, str]) -> str:
    """Return the request in small letters, or refuse the query for all that it lacks."""
    request = words.get("REQUEST", "").lower()
    if request and request not in _REQUESTS:
        fault = OwsFault("OperationNotSupported", "REQUEST", "The request type is not supported")
        raise OwsError([fault], status=501)
    wanted = ["REQUEST", "SERVICE"]
    if request == "gettile":
        wanted = ["VERSION", *wanted, *_TILE_WORDS]
    elif request == "describedomains":
        wanted.append("LAYER")
    faults = [
        OwsFault("MissingParameterValue", name, f"Missing {name} parameter")
        for name in wanted
        if not words.get(name)
    ]
    if words.get("VERSION", "") not in ("", "1.0.0"):
        faults.append(invalid_parameter("VERSION", "VERSION is invalid"))
    if words.get("SERVICE", "").upper() not in ("", "WMTS"):
        faults.append(invalid_parameter("SERVICE", "Unrecognized service"))
    if faults:
        raise OwsError(faults)
    return request


def _tile_request(words: Mapping[str, str], where: Endpoint) -> TileRequest:
    return TileRequest(
        epsg=where.epsg,
        collection=where.collection,
        layer=words["LAYER"],
        style=words.get("STYLE", ""),
        time=words.get("TIME") or "default",
        matrix_set=words["TILEMATRIXSET"],
        matrix=words["TILEMATRIX"],
        row=words["TILEROW"],
        col=words["TILECOL"],
        ext=_EXTENSIONS.get(words["FORMAT"].lower(), ""),
    )


def _domains_request(words: Mapping[str, str], where: Endpoint) -> DomainsRequest:
    counts = {"LIMIT": DEFAULT_LIMIT, "OFFSET": 0}
    faults = [
        invalid_parameter(name, f"{name} is not a valid integer")
        for name in counts
        if not _COUNT.fullmatch(words.get(name) or "0")
    ]
    if faults:
        raise OwsError(faults)
    counts |= {name: int(words[name]) for name in counts if words.get(name)}
    return DomainsRequest(
        epsg=where.epsg,
        layer=words["LAYER"],
        matrix_set=words.get("TILEMATRIXSET", ""),
        time=words.get("TIME") or "all",
        domains=words.get("DOMAINS", "bbox,time").lower(),
        limit=max(1, counts["LIMIT"]),
        offset=counts["OFFSET"],
    )
