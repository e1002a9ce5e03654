"""The embedded GIBS server as one ASGI application: every protocol, and a log of what was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gibswatch.simulate.server import twms, wms, wmts
from gibswatch.simulate.server.exceptions import missing_serve_extra
from gibswatch.simulate.server.fault_injector import FaultInjector
from gibswatch.simulate.server.faults import FaultPlan
from gibswatch.simulate.server.service import (
    AbsentStatus,
    Answer,
    TileService,
    not_found,
    respond,
)
from gibswatch.simulate.server.sources import ServedLayer, TileFolderSource, TileSource
from gibswatch.simulate.server.wire import WIRE_STATUS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestLog", "RequestRecord", "create_app", "example_tile_path"]


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that the server answered."""

    method: str
    path: str
    status: int
    """0 where the connection was cut before an answer (a planned fault)."""
    query: str = ""
    """What followed the question mark, as it came."""


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


def create_app(
    layers: Mapping[str, tuple[ServedLayer, TileSource]],
    *,
    absent_status: AbsentStatus = 404,
    faults: FaultPlan | None = None,
) -> Starlette:
    """Build the server's ASGI application.

    Parameters
    ----------
    layers : Mapping[str, tuple[ServedLayer, TileSource]]
        By identifier.
    absent_status : {404, 400}
        How to answer for a date outside the domain.
    faults : FaultPlan, optional
        Which answers are broken on purpose, and how.

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
    except ImportError as error:
        raise missing_serve_extra("starlette") from error
    service = TileService(layers, absent_status=absent_status)
    log = RequestLog()

    def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code != 404:
            text = f"{error.detail}\n".encode()
            answer = Answer(error.status_code, text, "text/plain", error.headers or {})
            return respond(answer, request)
        return respond(not_found(), request)

    app = Starlette(
        routes=[
            *wmts.routes(service),
            *twms.routes(service),
            *wms.routes(service),
        ],
        middleware=[
            Middleware(_Recorder, log=log),
            Middleware(FaultInjector, plan=faults or FaultPlan(), service=service),
        ],
        exception_handlers={HTTPException: refused},
    )
    app.state.requests = log
    return app


def example_tile_path(layer: ServedLayer, source: TileSource) -> str:
    """Path of a tile (EPSG:4326 where it is served) of the latest day."""
    epsg = 4326 if 4326 in layer.matrix_sets else min(layer.matrix_sets)
    where = f"{layer.matrix_sets[epsg]}/2/1/2"
    if isinstance(source, TileFolderSource):
        where = str(source.address)
    day = max(source.days()).isoformat()
    name = f"{layer.identifier}/default/{day}/{where}.{layer.image_format}"
    return f"/wmts/epsg{epsg}/best/{name}"


class _Recorder:
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
                self._record(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, record)
        except Exception:
            if not answered:
                self._record(scope, 500)
            raise
        if not answered:
            self._record(scope, scope.get(WIRE_STATUS, 0))

    def _record(self, scope: Scope, status: int) -> None:
        query = scope["query_string"].decode("latin-1")
        self._log.add(RequestRecord(scope["method"], scope["path"], status, query))
