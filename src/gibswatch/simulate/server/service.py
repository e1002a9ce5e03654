"""What the embedded GIBS server answers, apart from the form in which it was asked.

`TileService` knows the layers, their days and their tiles, and nothing of HTTP frameworks: every
protocol of the server asks it for tiles and sends its `Answer` on with `respond`.  Statuses, texts
and headers follow OnEarth (section 3 of the project's notes on GIBS; ``docs/sources.md``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from gibswatch.catalogue.domains import Period
from gibswatch.catalogue.grids import TileMatrixSet, tile_matrix_set
from gibswatch.simulate.server.cut import blank_tile
from gibswatch.simulate.server.exceptions import (
    NOT_FOUND_TEXT,
    OwsError,
    OwsFault,
    exception_report,
    invalid_parameter,
)
from gibswatch.simulate.server.sources import ServedLayer, TileSource
from gibswatch.simulate.server.times import (
    BAD_TIME,
    daily_runs,
    has_times,
    latest_step,
    midnight,
    read_time,
    snap_back,
)
from gibswatch.types import EPSG_CODES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = [
    "COLLECTIONS",
    "CORS",
    "MEDIA_TYPES",
    "AbsentStatus",
    "Answer",
    "TileRequest",
    "TileService",
    "document",
    "not_found",
    "refusal",
    "respond",
]

AbsentStatus = Literal[404, 400]
"""How the server answers for a date outside the domain; GIBS has been seen to do both."""

COLLECTIONS = ("best", "std", "nrt", "all")
MEDIA_TYPES: Mapping[str, str] = MappingProxyType({"jpg": "image/jpeg", "png": "image/png"})

_LAYER_HEADERS = (
    "Layer-Identifier-Request",
    "Layer-Identifier-Actual",
    "Layer-Time-Request",
    "Layer-Time-Actual",
)
CORS: Mapping[str, str] = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": ", ".join(_LAYER_HEADERS),
    }
)
"""Headers of every answer: pages of other sites may read it."""

_FORMATS = {"jpg": "jpg", "jpeg": "jpg", "png": "png"}
_TILE_CACHE = "public, max-age=1200"
_DOCUMENT_CACHE = "public, max-age=1800"
_DEFAULT = "default"
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
_ABSENT = "The requested TIME does not exist for this layer"


@dataclass(frozen=True, slots=True)
class TileRequest:
    """The words of one tile request, as they came."""

    epsg: int
    collection: str
    layer: str
    style: str
    """``default``, or nothing."""
    time: str
    """Date, date and time, or ``default``."""
    matrix_set: str
    matrix: str
    row: str
    col: str
    ext: str
    """Ending of the picture's format; ``jpeg`` is ``jpg``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class TileService:
    """Answers for a table of layers.

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

    @property
    def layers(self) -> Mapping[str, tuple[ServedLayer, TileSource]]:
        """The layers by identifier, each with its source; not to be written to."""
        return MappingProxyType(self._layers)

    def domain(self, layer_id: str) -> tuple[Period, ...]:
        """Return the time domain of a layer, by start; empty for one without time.

        Raises
        ------
        OwsError
            If there is no such layer.
        """
        layer, source = self._find(layer_id)
        if layer.is_static:
            return ()
        return layer.periods or daily_runs(source.days())

    def default_time(self, layer_id: str) -> str:
        """Return the layer's latest step as GIBS writes it; empty for a layer without time.

        Raises
        ------
        OwsError
            If there is no such layer.
        """
        layer, source = self._find(layer_id)
        step = latest_step(layer, source)
        if layer.is_static or step is None:
            return ""
        return f"{step.isoformat()}Z" if has_times(layer.periods) else step.date().isoformat()

    def answer(self, request: TileRequest) -> Answer:
        """Answer one request: a tile, a blank tile, a 404 or an exception report."""
        if request.collection not in COLLECTIONS or request.epsg not in EPSG_CODES:
            return not_found()
        try:
            _check_words(request, self._served(request.layer, request.epsg))
            level, row, col = int(request.matrix), int(request.row), int(request.col)
            return self.tile(
                request.layer,
                request.epsg,
                request.time,
                request.matrix_set,
                level,
                row,
                col,
                collection=request.collection,
            )
        except OwsError as error:
            return refusal(error)

    def tile(  # noqa: PLR0917 - the words of a tile's address, in its order
        self,
        layer_id: str,
        epsg: int,
        time: str,
        matrix_set: str,
        level: int,
        row: int,
        col: int,
        *,
        collection: str = "best",
    ) -> Answer:
        """Answer for one tile, whichever protocol asked for it.

        Parameters
        ----------
        layer_id : str
        epsg : int
        time : str
            Date, date and time, or ``default``; one inside a step gets the step's picture.
        matrix_set : str
        level, row, col : int
        collection : {"best", "std", "nrt", "all"}
            All hold the same pictures here.

        Returns
        -------
        Answer
            200 with the tile, or with a blank one (no ``Layer-*`` headers) where it has no data;
            404 where the time is outside the domain.

        Raises
        ------
        OwsError
            If the layer, its projection, the set or the collection are not served, the time cannot
            be read, the tile is out of range, or the picture of a day in the domain is missing
            (and, with ``absent_status=400``, for a time outside the domain).
        """
        layer = self._served(layer_id, epsg)
        if collection not in COLLECTIONS:
            raise OwsError([invalid_parameter("LAYER", "LAYER does not exist")])
        if matrix_set != layer.matrix_sets[epsg]:
            raise OwsError([_bad_matrix_set()])
        grid = tile_matrix_set(epsg, matrix_set)
        _check_range(grid, level, row, col)
        step = self._step(layer_id, time)
        if step is None:
            return self._absent()
        source, matrix = self._layers[layer_id][1], grid.matrix(level)
        body = source.tile(_picture_day(layer, source, step), epsg, matrix, row, col)
        if body is None:
            return _image(blank_tile(layer.image_format, matrix.tile_size), layer, {})
        actual = f"{layer.identifier}_{layer.version}"
        named = (layer_id, actual, time, "" if layer.is_static else f"{step.isoformat()}Z")
        given = zip(_LAYER_HEADERS, named, strict=True)
        return _image(body, layer, {name: text for name, text in given if text})

    def _find(self, layer_id: str) -> tuple[ServedLayer, TileSource]:
        try:
            return self._layers[layer_id]
        except KeyError:
            fault = invalid_parameter("LAYER", "LAYER does not exist")
            raise OwsError([fault]) from None

    def _served(self, layer_id: str, epsg: int) -> ServedLayer:
        layer = self._find(layer_id)[0]
        if epsg not in layer.matrix_sets:
            raise OwsError([invalid_parameter("LAYER", "LAYER does not exist")])
        return layer

    def _step(self, layer_id: str, time: str) -> dt.datetime | None:
        """Snap a time back to the step that it lies in; None outside the domain."""
        layer, source = self._layers[layer_id]
        if layer.is_static or time == _DEFAULT:
            return latest_step(layer, source)
        moment = read_time(time)
        if moment is None:
            raise OwsError([invalid_parameter("TIME", BAD_TIME)])
        if layer.periods:
            return snap_back(layer.periods, moment)
        day = moment.date()
        return midnight(day) if day in source.days() else None

    def _absent(self) -> Answer:
        if self._absent_status == 404:
            return not_found()
        raise OwsError([invalid_parameter("TIME", _ABSENT)])


def not_found() -> Answer:
    """Return the 404 of an address, or of a date, that the server does not know."""
    return Answer(404, NOT_FOUND_TEXT.encode(), "text/plain", CORS)


def refusal(error: OwsError) -> Answer:
    """Return the exception report that names what is wrong with a request."""
    return Answer(error.status, exception_report(error.faults), "text/xml", CORS)


def document(body: bytes, media_type: str = "text/xml") -> Answer:
    """Return a capabilities or other service document, with the headers that GIBS gives it."""
    headers = {"ETag": _etag(body), "Cache-Control": _DOCUMENT_CACHE, **CORS}
    return Answer(200, body, media_type, headers)


def respond(answer: Answer, request: Request) -> Response:
    """Send an answer on, or 304 where the client has it already (``If-None-Match``)."""
    from starlette.responses import Response  # noqa: PLC0415

    headers = dict(answer.headers)
    known = request.headers.get("if-none-match", "")
    asked = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if answer.status == 200 and asked & {headers.get("ETag", ""), "*"} - {""}:
        return Response(status_code=304, headers=headers)
    return Response(
        answer.body, status_code=answer.status, media_type=answer.media_type, headers=headers
    )


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _image(body: bytes, layer: ServedLayer, named: Mapping[str, str]) -> Answer:
    headers = {"ETag": _etag(body), "Cache-Control": _TILE_CACHE, **CORS, **named}
    return Answer(200, body, MEDIA_TYPES[layer.image_format], headers)


def _check_words(request: TileRequest, layer: ServedLayer) -> None:
    """Refuse words that mean nothing, all at once."""
    faults = []
    if request.style not in ("", "default"):
        faults.append(invalid_parameter("STYLE", "STYLE is invalid for LAYER"))
    if request.matrix_set != layer.matrix_sets[request.epsg]:
        faults.append(_bad_matrix_set())
    if _FORMATS.get(request.ext) != layer.image_format:
        faults.append(invalid_parameter("FORMAT", "FORMAT is invalid for LAYER"))
    numbers = {"TILEMATRIX": request.matrix, "TILEROW": request.row, "TILECOL": request.col}
    faults += [
        invalid_parameter(name, f"{name} is not a valid integer")
        for name, word in numbers.items()
        if not _NUMBER.fullmatch(word)
    ]
    if request.time != _DEFAULT and not layer.is_static and read_time(request.time) is None:
        faults.append(invalid_parameter("TIME", BAD_TIME))
    if faults:
        raise OwsError(faults)


def _bad_matrix_set() -> OwsFault:
    return invalid_parameter("TILEMATRIXSET", "TILEMATRIXSET is invalid for LAYER")


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


def _picture_day(layer: ServedLayer, source: TileSource, step: dt.datetime) -> dt.date:
    """Return what the source knows the step by: its instant, or else its date."""
    days = source.days()
    if step in days:
        return step
    if step.date() in days or layer.is_static:
        return step.date()
    raise OwsError([invalid_parameter("TIME", _ABSENT)])
