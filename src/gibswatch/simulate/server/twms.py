"""Tiled WMS of the embedded server: GetTileService, GetCapabilities, and GetMap of whole tiles.

GetMap follows OnEarth's ``mod_twms``: the box says which tile is meant, and the layer and the time
what picture; ``srs``, ``format``, ``styles``, ``width`` and ``height`` are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

from gibswatch.catalogue.grids import TileMatrix, TileMatrixSet, tile_matrix_set
from gibswatch.simulate.server.exceptions import OwsError, OwsFault, invalid_parameter
from gibswatch.simulate.server.service import (
    COLLECTIONS,
    Answer,
    TileService,
    document,
    not_found,
    refusal,
    respond,
)
from gibswatch.simulate.server.sources import ServedLayer
from gibswatch.simulate.server.twms_documents import capabilities, tile_service
from gibswatch.types import EPSG_CODES, BBox

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

__all__ = ["answer", "find_tile", "routes"]


def routes(service: TileService) -> list[Route]:
    """Return the addresses of the Tiled WMS, for an application."""
    from starlette.routing import Route  # noqa: PLC0415

    def ask(request: Request) -> Response:
        epsg, collection = request.path_params["epsg"], request.path_params["collection"]
        address = f"{request.base_url}twms/epsg{epsg}/{collection}/"
        words = {name.lower(): text for name, text in request.query_params.items()}
        return respond(answer(service, epsg, collection, words, address), request)

    base = "/twms/epsg{epsg:int}/{collection}"
    return [Route(f"{base}/{name}", ask, methods=["GET"]) for name in ("twms.cgi", "")]


def answer(
    service: TileService, epsg: int, collection: str, words: Mapping[str, str], address: str
) -> Answer:
    """Answer one request of the Tiled WMS.

    Parameters
    ----------
    service : TileService
    epsg : int
    collection : str
    words : Mapping[str, str]
        The query, names in lower case.  ``layers`` limits GetTileService too (OnEarth has no such
        parameter): a comma list of identifiers.
    address : str
        Of the service, up to the last slash, for the documents.

    Returns
    -------
    Answer
        400 with an exception report where the layer is unknown, or the box is no tile's.
    """
    if epsg not in EPSG_CODES or collection not in COLLECTIONS:
        return not_found()
    asked = words.get("request", "").lower()
    try:
        if asked == "gettileservice":
            layers = _named_layers(service, words.get("layers"))
            return document(tile_service(layers, epsg, address))
        if asked == "getcapabilities":
            listed = [layer for layer, _ in service.layers.values()]
            return document(capabilities(listed, epsg, address))
        return _get_map(service, epsg, collection, words)
    except OwsError as error:
        return refusal(error)


def find_tile(matrix_set: TileMatrixSet, box: BBox) -> tuple[int, int, int] | None:
    """Return level, row and column of the tile that covers `box`, to half a pixel.

    None where there is no such tile.

    Examples
    --------
    >>> from gibswatch.catalogue.grids import tile_matrix_set
    >>> find_tile(tile_matrix_set(4326, "250m"), BBox(-18, 27, -13.5, 31.5))
    (6, 13, 36)
    """
    for matrix in matrix_set.matrices:
        half = (box.east - box.west) / matrix.tile_size / 2
        wide = abs(box.east - box.west - matrix.tile_span) <= half
        if half > 0 and wide and abs(box.north - box.south - matrix.tile_span) <= half:
            return _at(matrix_set, matrix, box, half)
    return None


def _at(
    matrix_set: TileMatrixSet, matrix: TileMatrix, box: BBox, half: float
) -> tuple[int, int, int] | None:
    right = box.west - matrix_set.extent.west
    down = matrix_set.extent.north - box.north
    col, row = round(right / matrix.tile_span), round(down / matrix.tile_span)
    if abs(right - col * matrix.tile_span) > half or abs(down - row * matrix.tile_span) > half:
        return None
    inside = 0 <= row < matrix.matrix_rows and 0 <= col < matrix.matrix_cols
    return (matrix.level, row, col) if inside else None


def _get_map(service: TileService, epsg: int, collection: str, words: Mapping[str, str]) -> Answer:
    box = _read_box(_needed(words, "bbox"))
    name = _needed(words, "layers")
    layer = service.layers[name][0] if name in service.layers else None
    if layer is None or epsg not in layer.matrix_sets:
        raise OwsError([invalid_parameter("LAYERS", "LAYER does not exist")])
    matrix_set = layer.matrix_sets[epsg]
    tile = find_tile(tile_matrix_set(epsg, matrix_set), box)
    if tile is None:
        raise OwsError([invalid_parameter("BBOX", "BBOX is not that of a tile")])
    time = words.get("time") or "default"
    return service.tile(name, epsg, time, matrix_set, *tile, collection=collection)


def _named_layers(service: TileService, names: str | None) -> list[ServedLayer]:
    if names is None:
        return [layer for layer, _ in service.layers.values()]
    wanted = names.split(",")
    if unknown := [name for name in wanted if name not in service.layers]:
        raise OwsError([invalid_parameter("LAYERS", f"{unknown[0]!r} does not exist")])
    return [service.layers[name][0] for name in wanted]


def _needed(words: Mapping[str, str], name: str) -> str:
    if text := words.get(name):
        return text
    upper = name.upper()
    raise OwsError([OwsFault("MissingParameterValue", upper, f"Missing {upper} parameter")])


def _read_box(text: str) -> BBox:
    """Read four numbers; GDAL pads them with zeros (``0036.00000000``)."""
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not all(map(isfinite, (west, south, east, north))):
        fault = invalid_parameter("BBOX", "BBOX is not four numbers: west,south,east,north")
        raise OwsError([fault])
    return BBox(west, south, east, north)
