"""The embedded GIBS server: answers WMTS REST requests as OnEarth does.

`TileService` knows the protocol and nothing of HTTP frameworks: a `TileRequest` goes in, an
`Answer` comes out.  `create_app` puts it on the web.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gibswatch.catalogue.grids import TileMatrixSet, tile_matrix_set
from gibswatch.simulate.server.cut import blank_tile
from gibswatch.simulate.server.exceptions import (
    NOT_FOUND_TEXT,
    OwsError,
    OwsFault,
    exception_report,
    missing_serve_extra,
)
from gibswatch.simulate.server.sources import ServedLayer, TileFolderSource, TileSource

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "COLLECTIONS",
    "AbsentStatus",
    "Answer",
    "RequestLog",
    "RequestRecord",
    "TileRequest",
    "TileService",
    "create_app",
    "example_tile_path",
]

AbsentStatus = Literal[404, 400]
"""How the server answers for a date outside the domain; GIBS has been seen to do both."""

COLLECTIONS = ("best", "std", "nrt", "all")

_REST_PATH = (
    "/wmts/epsg{epsg:int}/{collection}/{layer}/{style}/{time}/"
    "{matrix_set}/{matrix}/{row}/{col}.{ext}"
)
_FORMATS = {"jpg": "jpg", "jpeg": "jpg", "png": "png"}
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}Z)?", re.ASCII)
_BAD_TIME = "Invalid time format, must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
_LAYER_HEADERS = (
    "Layer-Identifier-Request",
    "Layer-Identifier-Actual",
    "Layer-Time-Request",
    "Layer-Time-Actual",
)
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(_LAYER_HEADERS),
}
_CACHE_CONTROL = "public, max-age=1200"


@dataclass(frozen=True, slots=True)
class TileRequest:
    """The words of one tile request, as they came."""

    epsg: int
    collection: str
    layer: str
    style: str
    time: str
    matrix_set: str
    matrix: str
    row: str
    col: str
    ext: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that the server answered."""

    method: str
    path: str
    status: int


class RequestLog:
    """The requests so far, oldest first; safe to fill and read from many threads."""

    def __init__(self) -> None:
        self._records: list[RequestRecord] = []
        self._lock = threading.Lock()

    def add(self, record: RequestRecord) -> None:
        """Append one record."""
        with self._lock:
            self._records.append(record)

    def clear(self) -> None:
        """Forget all records."""
        with self._lock:
            self._records.clear()

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[RequestRecord]:
        with self._lock:
            return iter(tuple(self._records))


class TileService:
    """Answers tile requests for a table of layers.

    Parameters
    ----------
    layers : Mapping[str, tuple[ServedLayer, TileSource]]
        By identifier.
    absent_status : {404, 400}
        How to answer for a date outside the domain.
    """

    def __init__(
        self,
        layers: Mapping[str, tuple[ServedLayer, TileSource]],
        *,
        absent_status: AbsentStatus = 404,
    ) -> None:
        self._layers = dict(layers)
        self._absent_status = absent_status

    def answer(self, request: TileRequest) -> Answer:
        """Answer one request: a tile, a blank tile, a 404 or an exception report."""
        if request.collection not in COLLECTIONS:
            return _not_found()
        try:
            return self._tile(request)
        except OwsError as error:
            return Answer(400, exception_report(error.faults), "text/xml", _CORS)

    def _tile(self, request: TileRequest) -> Answer:
        if request.layer not in self._layers:
            raise OwsError([_invalid("LAYER", "LAYER does not exist")])
        layer, source = self._layers[request.layer]
        if request.epsg not in layer.matrix_sets:
            raise OwsError([_invalid("LAYER", "LAYER does not exist")])
        _check_words(request, layer)
        matrix_set = tile_matrix_set(request.epsg, request.matrix_set)
        level, row, col = int(request.matrix), int(request.row), int(request.col)
        _check_range(matrix_set, level, row, col)
        day = max(source.days()) if request.time == "default" else _read_time(request.time)
        if day is None or day not in source.days():
            return self._absent()
        matrix = matrix_set.matrix(level)
        body = source.tile(day, request.epsg, matrix, row, col)
        if body is None:
            blank = blank_tile(layer.image_format, matrix.tile_size)
            return _image(blank, layer, {})
        named = (
            request.layer,
            f"{layer.identifier}_{layer.version}",
            request.time,
            f"{day.isoformat()}T00:00:00Z",
        )
        return _image(body, layer, dict(zip(_LAYER_HEADERS, named, strict=True)))

    def _absent(self) -> Answer:
        if self._absent_status == 404:
            return _not_found()
        raise OwsError([_invalid("TIME", "The requested TIME does not exist for this layer")])


def create_app(
    layers: Mapping[str, tuple[ServedLayer, TileSource]], *, absent_status: AbsentStatus = 404
) -> Starlette:
    """Build the server's ASGI application.

    Parameters
    ----------
    layers : Mapping[str, tuple[ServedLayer, TileSource]]
        By identifier.
    absent_status : {404, 400}
        How to answer for a date outside the domain.

    Returns
    -------
    Starlette
        ``app.state.requests`` is a `RequestLog` of all that was asked.

    Raises
    ------
    MissingExtraError
        If starlette is not installed.
    """
    try:
        from starlette.applications import Starlette  # noqa: PLC0415
        from starlette.exceptions import HTTPException  # noqa: PLC0415
        from starlette.middleware import Middleware  # noqa: PLC0415
        from starlette.routing import Route  # noqa: PLC0415
    except ImportError as error:
        raise missing_serve_extra("starlette") from error
    service = TileService(layers, absent_status=absent_status)
    log = RequestLog()

    def tile(request: Request) -> Response:
        answer = service.answer(TileRequest(**request.path_params))
        return _respond(answer, request.headers.get("if-none-match"))

    def refused(_request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code != 404:
            text = f"{error.detail}\n".encode()
            return _respond(Answer(error.status_code, text, "text/plain", error.headers or {}))
        return _respond(_not_found())

    app = Starlette(
        routes=[Route(_REST_PATH, tile, methods=["GET"])],
        middleware=[Middleware(_Counter, log=log)],
        exception_handlers={HTTPException: refused},
    )
    app.state.requests = log
    return app


def example_tile_path(layer: ServedLayer, source: TileSource) -> str:
    """Path of a tile (EPSG:4326) that the server has, of the latest day."""
    where = f"{layer.matrix_sets[4326]}/2/1/2"
    if isinstance(source, TileFolderSource):
        where = str(source.address)
    day = max(source.days()).isoformat()
    name = f"{layer.identifier}/default/{day}/{where}.{layer.image_format}"
    return f"/wmts/epsg4326/best/{name}"


class _Counter:
    """ASGI middleware: records every request as its answer starts."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def record(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                self._log.add(RequestRecord(scope["method"], scope["path"], message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, record)
        except Exception:
            if not answered:
                self._log.add(RequestRecord(scope["method"], scope["path"], 500))
            raise


def _respond(answer: Answer, known_etag: str | None = None) -> Response:
    from starlette.responses import Response  # noqa: PLC0415

    if known_etag is not None and known_etag == answer.headers.get("ETag"):
        return Response(status_code=304, headers=dict(answer.headers))
    return Response(
        answer.body,
        status_code=answer.status,
        media_type=answer.media_type,
        headers=dict(answer.headers),
    )


def _image(body: bytes, layer: ServedLayer, named: Mapping[str, str]) -> Answer:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": _CACHE_CONTROL, **_CORS, **named}
    return Answer(200, body, _MEDIA_TYPES[layer.image_format], headers)


def _not_found() -> Answer:
    return Answer(404, NOT_FOUND_TEXT.encode(), "text/plain", _CORS)


def _invalid(locator: str, text: str) -> OwsFault:
    return OwsFault("InvalidParameterValue", locator, text)


def _check_words(request: TileRequest, layer: ServedLayer) -> None:
    """Refuse words that mean nothing, all at once."""
    faults = []
    if request.style != "default":
        faults.append(_invalid("STYLE", "STYLE is invalid for LAYER"))
    if request.matrix_set != layer.matrix_sets[request.epsg]:
        faults.append(_invalid("TILEMATRIXSET", "TILEMATRIXSET is invalid for LAYER"))
    if _FORMATS.get(request.ext) != layer.image_format:
        faults.append(_invalid("FORMAT", "FORMAT is invalid for LAYER"))
    numbers = {
        "TILEMATRIX": request.matrix,
        "TILEROW": request.row,
        "TILECOL": request.col,
    }
    faults += [
        _invalid(name, f"{name} is not a valid integer")
        for name, word in numbers.items()
        if not _NUMBER.fullmatch(word)
    ]
    if request.time != "default" and _read_time(request.time) is None:
        faults.append(_invalid("TIME", _BAD_TIME))
    if faults:
        raise OwsError(faults)


def _check_range(matrix_set: TileMatrixSet, level: int, row: int, col: int) -> None:
    if not 0 <= level <= matrix_set.max_level:
        raise OwsError([_out_of_range("TILEMATRIX", matrix_set.max_level)])
    matrix = matrix_set.matrix(level)
    faults = []
    if not 0 <= col < matrix.matrix_cols:
        faults.append(_out_of_range("TILECOL", matrix.matrix_cols - 1))
    if not 0 <= row < matrix.matrix_rows:
        faults.append(_out_of_range("TILEROW", matrix.matrix_rows - 1))
    if faults:
        raise OwsError(faults)


def _out_of_range(locator: str, maximum: int) -> OwsFault:
    text = f"{locator} is out of range, maximum value is {maximum}"
    return OwsFault("TileOutOfRange", locator, text)


def _read_time(text: str) -> dt.date | None:
    """Day of a date or datetime (snapped back to the day's start); None if it is neither."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        return dt.datetime.fromisoformat(text).date() if match[2] else dt.date.fromisoformat(text)
    except ValueError:
        return None
