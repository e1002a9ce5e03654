"""DescribeDomains: the complete time domain of one layer, where capabilities cut it.

The body and the way in which a range is cut follow OnEarth's ``gc_service.lua`` (makeDD) and
``time_service.lua`` (range_handler); a layer that is not there has an empty domain, as there.  What
OnEarth writes into ``NextPage`` is not known: here it is the address of the next page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from gibswatch.catalogue.domains import Period, format_domain
from gibswatch.catalogue.grids import tile_matrix_set, tile_matrix_sets
from gibswatch.simulate.server.exceptions import OwsError, invalid_parameter
from gibswatch.simulate.server.service import TileService
from gibswatch.simulate.server.times import read_time
from gibswatch.simulate.server.wmts_documents import element

__all__ = ["DEFAULT_LIMIT", "DomainsRequest", "cut_domain", "domains_document"]

DEFAULT_LIMIT = 25000
"""Periods of one page, where the request names no limit."""

_BAD_RANGE = (
    "Invalid TIME parameter: time range must follow format of START_DATE/END_DATE, or be 'ALL'. "
    "START_DATE and END_DATE must have format of YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"
)


@dataclass(frozen=True, slots=True)
class DomainsRequest:
    """The words of one DescribeDomains request."""

    epsg: int
    layer: str
    matrix_set: str = ""
    """Repeated in the address of the next page; it changes nothing else."""
    time: str = "all"
    """``start/end``, ``start/``, ``/end``, or ``all``."""
    domains: str = "bbox,time"
    """Which of the two are wanted."""
    limit: int = DEFAULT_LIMIT
    """Periods of a page, at least 1."""
    offset: int = 0
    """Periods before the page."""


def domains_document(service: TileService, request: DomainsRequest, address: str) -> bytes:
    """Write the domains of a layer.

    Parameters
    ----------
    service : TileService
    request : DomainsRequest
    address : str
        Of the KVP endpoint, up to the question mark; the next page is asked for there.

    Raises
    ------
    OwsError
        If the time is no range of dates.
    """
    start, end = _read_range(request.time)
    parts = []
    if "bbox" in request.domains:
        parts.append(element("SpaceDomain", [_box(request.epsg)]))
    if "time" in request.domains:
        periods = cut_domain(_domain(service, request), start, end)
        parts.append(element("DimensionDomain", _time_domain(periods, request, address)))
    root = element("Domains", parts, {"xmlns:ows": "http://www.opengis.net/ows/1.1"})
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def cut_domain(
    periods: Sequence[Period], start: dt.datetime | None, end: dt.datetime | None
) -> tuple[Period, ...]:
    """Return the part of a domain whose steps lie in ``start <= step <= end``.

    Parameters
    ----------
    periods : sequence of Period
    start, end : datetime, optional
        UTC without a zone; None for no bound.

    Examples
    --------
    >>> from gibswatch.catalogue import parse_domain
    >>> yearly = parse_domain("2010-01-01/2016-01-01/P1Y")
    >>> format_domain(cut_domain(yearly, dt.datetime(2011, 5, 1), dt.datetime(2013, 5, 1)))
    '2012-01-01/2013-01-01/P1Y'
    """
    kept = []
    for period in periods:
        first = 0 if start is None or start <= period.start else period.index(start)
        if start is not None and period.nth(first) < start:
            first += 1
        last = period.count - 1 if end is None or end >= period.end else period.index(end)
        if first <= last:
            until = period.end if end is None or end >= period.end else period.nth(last)
            kept.append(Period(period.nth(first), until, period.step))
    return tuple(kept)


def _domain(service: TileService, request: DomainsRequest) -> tuple[Period, ...]:
    layer = service.layers.get(request.layer)
    if layer is None or request.epsg not in layer[0].matrix_sets:
        return ()
    return service.domain(request.layer)


def _time_domain(
    periods: Sequence[Period], request: DomainsRequest, address: str
) -> Iterator[ET.Element]:
    stop = request.offset + request.limit
    yield element("ows:Identifier", "time")
    yield element("Domain", format_domain(periods[request.offset : stop]))
    yield element("Size", str(len(periods)))
    if stop < len(periods):
        words = {
            "SERVICE": "WMTS",
            "REQUEST": "DescribeDomains",
            "VERSION": "1.0.0",
            "LAYER": request.layer,
            "TILEMATRIXSET": request.matrix_set,
            "DOMAINS": request.domains,
            "TIME": request.time,
            "limit": str(request.limit),
            "offset": str(stop),
        }
        yield element("NextPage", f"{address}?{urlencode(words)}")


def _box(epsg: int) -> ET.Element:
    extent = tile_matrix_set(epsg, tile_matrix_sets(epsg)[0]).extent
    crs = "urn:ogc:def:crs:OGC:2:84" if epsg == 4326 else f"urn:ogc:def:crs:EPSG::{epsg}"
    sides = {"miny": extent.south, "minx": extent.west, "maxx": extent.east, "maxy": extent.north}
    written = {name: f"{side:.16g}" for name, side in sides.items()}
    return element("BoundingBox", attributes={"crs": crs, **written})


def _read_range(text: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    if text.lower() in ("", "all"):
        return None, None
    first, _, last = text.partition("/")
    start, end = read_time(first), read_time(last)
    if (first and start is None) or (last and end is None) or not first + last:
        raise OwsError([invalid_parameter("TIME", _BAD_RANGE)])
    return start, end
