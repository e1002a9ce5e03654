"""Vector layers as pictures: one WMS GetMap a tile, on the same grid as the tiles of rasters.

GIBS serves Thermal_Anomalies (once Fires) and a few other layers as vector tiles; its WMS draws
them.  `as_pictures` turns such a layer into a `DrawnLayer`: a layer of PNG tiles, each asked for as
a map of 512x512 pixels that covers exactly one tile of the layer's tile matrix set, so that states,
journal and archive know no difference.  WMS 1.1.1 is spoken, because its boxes are west, south,
east, north for EPSG:4326 too (1.3.0 has latitude first).

Facts: GIBS API documentation, "Map Library Usage" and "Access Basics" (WMS renders vector layers);
OnEarth's ``wms_time_service.lua``: errors come with HTTP status 200 and an XML body, which here is
a tile that is `corrupt`, with the server's words in its message.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from gibswatch.catalogue.domains import Period, days_in, format_domain, parse_step
from gibswatch.catalogue.layers import (
    Layer,
    find_layer,
    load_catalogue,
    renamed_warning,
    retired_names,
)
from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.errors import DateRangeError, UnknownGridError, UnknownLayerError
from gibswatch.types import BBox

__all__ = [
    "DrawnLayer",
    "as_pictures",
    "day_and_night",
    "find_picture_layer",
    "get_map_url",
    "picture_note",
]

_EPSG = 4326
_ALL, _DAY, _NIGHT = "_All", "_Day", "_Night"
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DrawnLayer(Layer):
    """A vector layer as PNG pictures that the service's WMS draws.

    `Layer.served_as` holds what LAYERS asks for: one name, or several by comma.
    """

    def matrix_set(self, epsg: int) -> str:
        """Identifier of the tile matrix set whose tiles the pictures cover.

        Raises
        ------
        UnknownGridError
            If the projection is another than EPSG:4326.
        """
        if epsg != _EPSG:
            raise UnknownGridError(
                f"{self.identifier} is vector shapes, drawn over WMS in EPSG:4326 only, not in "
                f"EPSG:{epsg}: use --epsg 4326"
            )
        return self.projections[_EPSG]


def as_pictures(layer: Layer) -> Layer:
    """Return a vector layer as one of PNG pictures; any other layer as it is.

    Examples
    --------
    >>> fires = as_pictures(find_layer("MODIS_Combined_Thermal_Anomalies_All"))
    >>> fires.format, fires.matrix_set(4326)
    ('png', '1km')
    """
    if layer.service != "vector" or isinstance(layer, DrawnLayer):
        return layer
    if not layer.projections.get(_EPSG):
        return layer
    return _drawn(layer, layer.name_in(_EPSG))


def day_and_night(name: str, day: Layer, night: Layer) -> DrawnLayer:
    """Join a layer's Day and Night to one picture, under `name`.

    Both are asked for in one GetMap (``LAYERS=..._Day,..._Night``), on the days that both have.

    Raises
    ------
    DateRangeError
        If the two have no day in common.
    """
    periods = tuple(_days_of_both(day, night))
    if not periods:
        raise DateRangeError(
            f"{day.identifier} and {night.identifier} have no day in common: download each alone"
        )
    return _drawn(
        day,
        f"{day.name_in(_EPSG)},{night.name_in(_EPSG)}",
        identifier=name,
        title=f"{day.title} + {night.title}",
        domain=format_domain(periods),
        ongoing=day.ongoing and night.ongoing,
        day_night=("day", "night"),
    )


def find_picture_layer(name: str) -> Layer:
    """Return the layer called `name` as one of pictures; else as `find_layer`.

    Where a vector layer has only Day and Night, its ``..._All`` is both of them joined; the
    predecessor's names (``VIIRS_SNPP_Fires_375m_All``) work too.

    Raises
    ------
    UnknownLayerError
        If there is none; the message names the nearest.
    DateRangeError
        If it is both halves joined, and they have no day in common.

    Examples
    --------
    >>> find_picture_layer("VIIRS_SNPP_Thermal_Anomalies_375m_All").format
    'png'
    """
    try:
        return as_pictures(find_layer(name))
    except UnknownLayerError:
        joined = _joined(name)
        if joined is None:
            raise
        return joined


def picture_note(layer: Layer) -> str | None:
    """Return what a person should know of how a layer is fetched; None for tiles of pictures."""
    if not isinstance(layer, DrawnLayer):
        return None
    return (
        f"{layer.identifier} is vector shapes: taken as PNG pictures that WMS draws of "
        f"{layer.served_as[_EPSG]}; where nothing was found they are transparent"
    )


def get_map_url(
    base_url: str, layer: DrawnLayer, plan: GridPlan, day: dt.date, tile: TileIndex
) -> str:
    """WMS GetMap address (1.1.1) of the map that covers one tile of the plan's source level."""
    matrix = plan.source
    box = _tile_box(plan, tile)
    words = {
        "SERVICE": "WMS",
        "VERSION": "1.1.1",
        "REQUEST": "GetMap",
        "LAYERS": layer.name_in(_EPSG),
        "STYLES": "",
        "SRS": f"EPSG:{_EPSG}",
        "BBOX": ",".join(f"{value:.12g}" for value in box.as_tuple()),
        "WIDTH": matrix.tile_size,
        "HEIGHT": matrix.tile_size,
        "FORMAT": "image/png",
        "TRANSPARENT": "true",
        "TIME": day.isoformat(),
    }
    query = urlencode(words, safe=",:/")
    return f"{base_url.rstrip('/')}/wms/epsg{_EPSG}/best/wms.cgi?{query}"


def _tile_box(plan: GridPlan, tile: TileIndex) -> BBox:
    """Box of a whole tile, its overhang beyond the globe included."""
    extent, span = plan.matrix_set.extent, plan.source.tile_span
    north, west = extent.north - tile.row * span, extent.west + tile.col * span
    return BBox(west, north - span, west + span, north)


def _drawn(layer: Layer, asked: str, **changes: Any) -> DrawnLayer:
    facts: dict[str, Any] = {one.name: getattr(layer, one.name) for one in fields(Layer)}
    facts |= {
        "format": "png",
        "projections": {_EPSG: layer.projections[_EPSG]},
        "served_as": {_EPSG: asked},
    }
    return DrawnLayer(**(facts | changes))


def _joined(name: str) -> Layer | None:
    """Look for an ``..._All`` layer by its halves; None if there is no such pair of vectors."""
    if not name.endswith(_ALL):
        return None
    stem = name.removesuffix(_ALL)
    retired, catalogue = retired_names(), load_catalogue()
    halves = [stem + _DAY, stem + _NIGHT]
    day, night = (catalogue.get(retired.get(half, half)) for half in halves)
    if day is None or night is None or {day.service, night.service} != {"vector"}:
        return None
    today = day.identifier.removesuffix(_DAY) + _ALL
    if today != name:
        warnings.warn(renamed_warning(name, today), stacklevel=3)
    whole = catalogue.get(today)
    return day_and_night(today, day, night) if whole is None else as_pictures(whole)


def _days_of_both(day: Layer, night: Layer) -> Iterable[Period]:
    """Yield the days that two layers have in common, as unbroken runs."""
    step = parse_step("P1D")
    run: list[dt.date] = []
    for one in _common_days(day, night):
        if run and one - run[-1] != _ONE_DAY:
            yield Period(_midnight(run[0]), _midnight(run[-1]), step)
            run = []
        run.append(one)
    if run:
        yield Period(_midnight(run[0]), _midnight(run[-1]), step)


def _common_days(day: Layer, night: Layer) -> list[dt.date]:
    first = max(layer.start_date or dt.date.max for layer in (day, night))
    last = min(layer.last_known_date or dt.date.min for layer in (day, night))
    if first > last:
        return []
    stop = last + _ONE_DAY
    other = set(days_in(night.periods, first, stop))
    return [one for one in days_in(day.periods, first, stop) if one in other]


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())
