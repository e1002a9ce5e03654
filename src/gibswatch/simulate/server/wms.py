"""WMS 1.1.1 and 1.3.0 of the embedded server, for EPSG:4326: capabilities, and maps of any window.

What OnEarth's ``wms_time_service.lua`` checks (REQUEST, TIME, FORMAT) is refused with an OWS
report, the rest as MapServer does it, which stands behind it.  Either comes with status 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import numpy as np
from PIL import Image, ImageDraw

from gibswatch.simulate.server.cut import encode_tile
from gibswatch.simulate.server.exceptions import OwsError, invalid_parameter
from gibswatch.simulate.server.service import (
    COLLECTIONS,
    CORS,
    Answer,
    TileService,
    document,
    not_found,
    refusal,
    respond,
)
from gibswatch.simulate.server.times import BAD_TIME, read_time
from gibswatch.simulate.server.wms_documents import (
    LEGEND_SIZE,
    MEDIA_TYPES,
    ListedLayer,
    capabilities,
    service_exception,
)
from gibswatch.simulate.server.wms_map import (
    MapRequest,
    WmsError,
    draw_map,
    encode_map,
    read_map_request,
    wms_version,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

__all__ = ["answer", "routes"]

_ADDRESS = "/wms/epsg4326/{collection}"
_BAD_RANGE = (
    "Invalid time range format, must be YYYY-MM-DD/YYYY-MM-DD or "
    "YYYY-MM-DDThh:mm:ssZ/YYYY-MM-DDThh:mm:ssZ/interval"
)
_UNSUPPORTED = "msWMSDispatch(): WMS server error. Incomplete or unsupported WMS request"
_LONGEST_BODY = 65536


def routes(service: TileService) -> list[Route]:
    """Return the addresses of the WMS, for an application."""
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def ask(request: Request) -> Response:
        given = list(request.query_params.multi_items())
        if request.method == "POST":
            body = await request.body()
            given += parse_qsl(body[:_LONGEST_BODY].decode("latin-1"))
        words = {name.lower(): text for name, text in given}
        collection = request.path_params["collection"]
        address = f"{request.base_url}wms/epsg4326/{collection}/?"
        return respond(
            await run_in_threadpool(answer, service, collection, words, address), request
        )

    return [Route(f"{_ADDRESS}/{name}", ask, methods=["GET", "POST"]) for name in ("wms.cgi", "")]


def answer(service: TileService, collection: str, words: Mapping[str, str], address: str) -> Answer:
    """Answer one request of the WMS.

    Parameters
    ----------
    service : TileService
    collection : str
    words : Mapping[str, str]
        The query, names in lower case.
    address : str
        Of the service, with the question mark, for the capabilities.

    Returns
    -------
    Answer
        Status 200 whatever happens, also with an exception report (but 404 for an unknown
        collection).
    """
    if collection not in COLLECTIONS:
        return not_found()
    try:
        return _answered(service, collection, words, address)
    except OwsError as error:
        return refusal(error)
    except WmsError as error:
        return _exception(error, words)


def _answered(
    service: TileService, collection: str, words: Mapping[str, str], address: str
) -> Answer:
    asked = words.get("request", "").lower()
    if not asked:
        return _page("No REQUEST parameter specified")
    time = _read_time(words.get("time") or "default")
    if asked == "getmap":
        return _map(service, collection, words, time)
    if asked == "getcapabilities":
        return _capabilities(service, words, address)
    if asked == "getlegendgraphic":
        return _picture(encode_tile(np.zeros((*LEGEND_SIZE, 4), np.uint8), "png"), "image/png")
    raise WmsError(_UNSUPPORTED, "OperationNotSupported")


def _map(service: TileService, collection: str, words: Mapping[str, str], time: str) -> Answer:
    media_type = words.get("format", "")
    if not media_type:
        return _page("No FORMAT parameter specified")
    if media_type not in MEDIA_TYPES:
        text = (
            f'Invalid format parameter "{media_type}", must be image/png, image/jpeg, or '
            "image/tiff for GetMap requests."
        )
        raise OwsError([invalid_parameter("FORMAT", text)], status=200)
    request = read_map_request(words)
    try:
        pixels = draw_map(service, request, time, collection=collection)
    except WmsError as error:
        wanted = words.get("exceptions", "").upper()
        if wanted.endswith(("BLANK", "INIMAGE")):
            text = error.text if wanted.endswith("INIMAGE") else ""
            return _picture(_message(request, text), media_type)
        raise
    return _picture(encode_map(pixels, request), media_type)


def _message(request: MapRequest, text: str) -> bytes:
    """A map without layers, with `text` on it."""
    picture = Image.new("RGBA", (request.cols, request.rows))
    if text:
        ImageDraw.Draw(picture).text((4, 4), text, fill=(255, 0, 0, 255))
    return encode_map(np.array(picture), request)


def _capabilities(service: TileService, words: Mapping[str, str], address: str) -> Answer:
    listed = [
        ListedLayer(layer, service.domain(name), service.default_time(name))
        for name, (layer, _) in service.layers.items()
        if 4326 in layer.matrix_sets
    ]
    version = wms_version(words)
    media_type = "text/xml" if version == "1.3.0" else "application/vnd.ogc.wms_xml"
    return document(capabilities(listed, version, address), media_type)


def _read_time(text: str) -> str:
    """Return the time to ask tiles for: of a range ``a/b`` or ``a/b/step`` it is a."""
    if text == "default":
        return text
    parts = text.split("/")
    if 2 <= len(parts) <= 3:
        if None in map(read_time, parts[:2]):
            raise OwsError([invalid_parameter("TIME", _BAD_RANGE)], status=200)
    elif read_time(text) is None:
        raise OwsError([invalid_parameter("TIME", BAD_TIME)], status=200)
    return parts[0]


def _picture(body: bytes, media_type: str) -> Answer:
    return Answer(200, body, media_type, CORS)


def _page(text: str) -> Answer:
    return Answer(200, f"<html><body>{text}</body></html>".encode(), "text/html", CORS)


def _exception(error: WmsError, words: Mapping[str, str]) -> Answer:
    version = wms_version(words)
    body = service_exception(error.text, version, code=error.code)
    media_type = "text/xml" if version == "1.3.0" else "application/vnd.ogc.se_xml"
    return Answer(200, body, media_type, CORS)
