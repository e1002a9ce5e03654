"""What a request asks for, read from its address alone, so that a fault plan can select it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

from gibswatch.catalogue.grids import tile_matrix_set
from gibswatch.simulate.server.exceptions import OwsError
from gibswatch.simulate.server.faults import PROTOCOLS, Asked, ProtocolName
from gibswatch.simulate.server.service import TileService
from gibswatch.simulate.server.twms import find_tile
from gibswatch.types import BBox

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["read_asked", "with_time"]

_REST_PARTS = 10
"""protocol, epsg, collection, layer, style, time, set, level, row, column.ending"""
_TIME_PART = 5
_DOCUMENTS = {"getcapabilities", "gettileservice", "describedomains"}


def read_asked(scope: Scope, service: TileService) -> Asked | None:
    """Return what a request asks for, or None if its address is of no protocol.

    Parameters
    ----------
    scope : Scope
        Of ASGI.
    service : TileService
        Knows the layers' grids and latest days.
    """
    parts = scope["path"].split("/")[1:]
    protocol = next((known for known in PROTOCOLS if parts[0] == known), None)
    if protocol is None or len(parts) < 3:
        return None
    epsg = int(code) if (code := parts[1].removeprefix("epsg")).isdecimal() else 0
    words = _words(scope)
    if protocol == "wmts" and _is_rest_tile(parts):
        level, row, col = (_number(word.partition(".")[0]) for word in parts[-3:])
        time = parts[_TIME_PART] if len(parts) == _REST_PARTS else ""
        date = _date(time, parts[3], service)
        return Asked(protocol, parts[3], epsg, date, level, row, col)
    layer = words.get("layer" if protocol == "wmts" else "layers", "")
    if not layer or words.get("request", "").lower() in _DOCUMENTS:
        rest = scope["path"] + "?" + urlencode(sorted(words.items()))
        return Asked(protocol, epsg=epsg, rest=rest)
    date = _date(words.get("time", ""), layer, service)
    place, rest = _place(protocol, epsg, layer, words, service)
    return Asked(protocol, layer, epsg, date, *place, rest)


def with_time(scope: Scope, time: str) -> Scope:
    """Return the scope of the same request for another time; ``default`` for the latest."""
    parts = scope["path"].split("/")
    changed = dict(scope)
    if parts[1] == "wmts" and _is_rest_tile(parts[1:]):
        if len(parts) == _REST_PARTS + 1:
            parts[_TIME_PART + 1] = time
        changed["path"] = "/".join(parts)
        changed["raw_path"] = quote(changed["path"]).encode()
        return changed
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, text) for name, text in query if name.lower() != "time"]
    if time != "default":
        kept.append(("TIME", time))
    changed["query_string"] = urlencode(kept).encode()
    return changed


def _is_rest_tile(parts: list[str]) -> bool:
    return len(parts) in (_REST_PARTS - 1, _REST_PARTS) and parts[3] != "1.0.0"


def _words(scope: Scope) -> dict[str, str]:
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return {name.lower(): text for name, text in query}


def _place(
    protocol: ProtocolName,
    epsg: int,
    layer: str,
    words: Mapping[str, str],
    service: TileService,
) -> tuple[tuple[int | None, int | None, int | None], str]:
    """Level, row and column; or, for what is on no grid, what else tells it apart."""
    if protocol == "wmts":
        address = ("tilematrix", "tilerow", "tilecol")
        level, row, col = (_number(words.get(name, "")) for name in address)
        return (level, row, col), ""
    tile = _tile_of_box(epsg, layer, words.get("bbox", ""), service) if protocol == "twms" else None
    if tile is not None:
        return tile, ""
    names = ("bbox", "width", "height", "format")
    return (None, None, None), urlencode([(name, words.get(name, "")) for name in names])


def _tile_of_box(
    epsg: int, layer: str, text: str, service: TileService
) -> tuple[int, int, int] | None:
    if layer not in service.layers or epsg not in service.layers[layer][0].matrix_sets:
        return None
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        return None
    matrix_set = tile_matrix_set(epsg, service.layers[layer][0].matrix_sets[epsg])
    return find_tile(matrix_set, BBox(west, south, east, north))


def _date(time: str, layer: str, service: TileService) -> dt.date | None:
    try:
        known = service.default_time(layer) if time in ("", "default") else time
        return dt.date.fromisoformat(known[:10])
    except (OwsError, ValueError):
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
