"""Service files with which GDAL opens a layer of GIBS: TMS, TiledWMS and WMTS.

A TMS or TiledWMS file is the text that GDAL's WMS driver opens, from a file or as a name.  GDAL's
WMTS driver knows no time and always takes a layer's ``<Default>``: for it we write a capabilities
document of the one layer with the wanted day as default, and a service file that names it.

No file has ``<UnsafeSSL>``, nor ``<ZeroBlockHttpCodes>`` or ``<ZeroBlockOnServerException>``, which
turn a failed tile into black pixels.

Facts: GIBS documentation, ``map-library-usage.md`` (windows, tile counts, levels); GDAL's pages on
its WMS and WMTS drivers; OnEarth's ``tilematrixsets.xml`` and ``gc_service.lua`` (see
``docs/sources.md``).
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

from gibswatch.catalogue._service_documents import (
    SERVER_DEFAULT,
    ServiceView,
    tms_document,
    twms_document,
    wmts_capabilities,
    wmts_document,
)
from gibswatch.catalogue.domains import domain_step
from gibswatch.catalogue.grids import check_epsg, tile_matrix_set
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.errors import DateRangeError, GibswatchWarning, UnknownGridError, UsageError
from gibswatch.files import write_bytes
from gibswatch.settings import DEFAULT_BASE_URL, Settings

__all__ = [
    "SERVICE_PROTOCOLS",
    "ServiceProtocol",
    "parse_moment",
    "service_xml",
    "write_service_xml",
]

ServiceProtocol = Literal["tms", "twms", "wmts"]
SERVICE_PROTOCOLS: tuple[ServiceProtocol, ...] = get_args(ServiceProtocol)

_DOCUMENTS: Mapping[ServiceProtocol, Callable[[ServiceView], str]] = {
    "tms": tms_document,
    "twms": twms_document,
    "wmts": wmts_capabilities,
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def parse_moment(text: str) -> dt.date | dt.datetime:
    """Read ``YYYY-MM-DD`` as a day, ``YYYY-MM-DDThh:mm:ssZ`` as an instant (UTC, without a zone).

    Raises
    ------
    DateRangeError
        If it is neither.

    Examples
    --------
    >>> parse_moment("2023-08-07T12:10:00Z")
    datetime.datetime(2023, 8, 7, 12, 10)
    """
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
        if _INSTANT.fullmatch(text):
            return dt.datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError as error:
        raise DateRangeError(f"{text!r} is not in the calendar: {error}") from error
    raise DateRangeError(
        f"{text[:40]!r} is not a date: give YYYY-MM-DD, or YYYY-MM-DDThh:mm:ssZ for a layer of "
        "several pictures a day"
    )


def service_xml(
    layer: Layer,
    protocol: ServiceProtocol,
    *,
    epsg: int = 4326,
    day: dt.date | dt.datetime | None = None,
    tile_resolution: str | None = None,
    base_url: str = DEFAULT_BASE_URL,
) -> str:
    """Return the text of a service file with which GDAL opens a layer of one day.

    Parameters
    ----------
    layer : Layer
    protocol : {"tms", "twms", "wmts"}
        For ``wmts`` the text is the capabilities document of the one layer and day: GDAL opens a
        file of it as it is, with four bands and with its cache on disk, which keeps tiles for a
        week; `write_service_xml` adds the service file, which has neither.
    epsg : {4326, 3413, 3031, 3857}
    day : date or datetime, optional
        The day; an instant for a layer of several pictures a day (a datetime with a zone is taken
        to UTC).  Without one the server shows its latest, and another one tomorrow.
    tile_resolution : str, optional
        Finest level to offer, e.g. ``16km``; default the layer's own.  TiledWMS takes its levels
        from the server and cannot be limited: a warning says so.
    base_url : str
        Scheme and host of the service.

    Returns
    -------
    str
        XML without a declaration: GDAL looks for the root element in the first characters.

    Raises
    ------
    UnknownGridError
        If the layer has no picture tiles, or not in this projection or so fine; for TiledWMS in a
        polar projection.
    DateRangeError
        If the layer has no such day: before its first, after its last, in the future; a day for a
        layer without time, or without the time of day where there are several pictures.
    UsageError
        If the protocol or the address is none.

    Warns
    -----
    GibswatchWarning
        If the day is in a gap of the layer's time domain as the catalogue knows it.

    Examples
    --------
    >>> from gibswatch.catalogue import find_layer
    >>> layer = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
    >>> print(service_xml(layer, "twms", day=dt.date(2023, 8, 7)))
    <GDAL_WMS>
      <Service name="TiledWMS">
        <ServerUrl>https://gibs.earthdata.nasa.gov/twms/epsg4326/best/twms.cgi?</ServerUrl>
        <TiledGroupName>MODIS Terra CorrectedReflectance TrueColor tileset</TiledGroupName>
        <Change key="${time}">2023-08-07</Change>
      </Service>
    </GDAL_WMS>
    """
    if protocol not in SERVICE_PROTOCOLS:
        raise UsageError(
            f"{protocol!r} is not a protocol that GDAL has a service file for: use "
            f"{', '.join(SERVICE_PROTOCOLS)}"
        )
    view = _view(
        layer, protocol, epsg=epsg, day=day, tile_resolution=tile_resolution, base_url=base_url
    )
    return _DOCUMENTS[protocol](view)


def write_service_xml(
    target: Path,
    layer: Layer,
    protocol: ServiceProtocol,
    *,
    epsg: int = 4326,
    day: dt.date | dt.datetime | None = None,
    tile_resolution: str | None = None,
    base_url: str = DEFAULT_BASE_URL,
) -> tuple[Path, ...]:
    """Write the service file of a layer, whole or not at all.

    For ``wmts`` these are two files: `target`, and beside it the capabilities document, called
    ``NAME.capabilities.xml``, that `target` names by its absolute path.

    Parameters
    ----------
    target : Path
        The file to give to GDAL.
    layer, protocol, epsg, day, tile_resolution, base_url
        As for `service_xml`.

    Returns
    -------
    tuple of Path
        The files, `target` first.

    Raises
    ------
    OutputError
        If a file cannot be written.
    UsageError
        As `service_xml` does.
    """
    document = service_xml(
        layer,
        protocol,
        epsg=epsg,
        day=day,
        tile_resolution=tile_resolution,
        base_url=base_url,
    )
    files = {target: document}
    if protocol == "wmts":
        beside = target.with_name(f"{target.stem}.capabilities.xml")
        files = {target: wmts_document(layer, epsg, beside.absolute()), beside: document}
    for path, text in reversed(files.items()):  # a service file never names one that is not there
        write_bytes(path, f"{text}\n".encode())
    return tuple(files)


def _view(
    layer: Layer,
    protocol: ServiceProtocol,
    *,
    epsg: int,
    day: dt.date | None,
    tile_resolution: str | None,
    base_url: str,
) -> ServiceView:
    known_epsg = check_epsg(epsg)
    _refuse_without_tiles(layer, protocol)
    if protocol == "twms" and known_epsg in (3413, 3031):
        raise UnknownGridError(
            f"--xml twms is not for EPSG:{epsg}: GIBS computes the TiledWMS tile sizes of polar "
            "projections with the equator's circumference, so every tile would lie wrong: "
            "use --xml tms or --xml wmts"
        )
    matrix_set = tile_matrix_set(known_epsg, layer.matrix_set(known_epsg))
    level = matrix_set.max_level
    if tile_resolution is not None and tile_resolution != matrix_set.identifier:
        grid = Grid("native", known_epsg, tile_resolution)
        level = plan_grid(grid, matrix_set.identifier).source.level
    address = Settings(base_url=base_url).base_url.rstrip("/")
    return ServiceView(layer.name_in(epsg), layer, matrix_set, level, _time(layer, day), address)


def _refuse_without_tiles(layer: Layer, protocol: ServiceProtocol) -> None:
    if layer.service == "vector":
        raise UnknownGridError(
            f"{layer.identifier} is served as vector shapes (Mapbox vector tiles), and GDAL's TMS, "
            f"TiledWMS and WMTS read tiles of pictures: there is no --xml {protocol} for it; "
            "GIBS draws it over WMS only"
        )
    if layer.service == "wms":
        raise UnknownGridError(
            f"{layer.identifier} is drawn by the server for each request (WMS) and stored in no "
            f"tiles: there is no --xml {protocol} for it; choose a layer of png or jpg tiles "
            "(gibswatch layers list)"
        )


def _time(layer: Layer, day: dt.date | None) -> str | None:
    if not layer.domain:
        if day is not None:
            raise DateRangeError(f"{layer.identifier} has no time: leave the date {day} away")
        return None
    if day is None:
        return SERVER_DEFAULT
    if isinstance(day, dt.datetime):
        instant = day.astimezone(dt.UTC).replace(tzinfo=None) if day.tzinfo else day
        _check_day(layer, instant.date())
        return f"{instant:%Y-%m-%dT%H:%M:%SZ}" if layer.is_sub_daily else str(instant.date())
    if layer.is_sub_daily:
        raise DateRangeError(
            f"{layer.identifier} has several pictures a day: give the time too, {day}Thh:mm:ssZ"
        )
    _check_day(layer, day)
    return str(day)


def _check_day(layer: Layer, day: dt.date) -> None:
    """Refuse a day that the layer cannot have; warn of one that its domain leaves out."""
    today = dt.datetime.now(dt.UTC).date()
    if day > today:
        raise DateRangeError(f"{day} is in the future: today is {today} (UTC)")
    first = layer.start_date
    last = None if layer.ongoing else max(p.last_covered_day for p in layer.periods)
    if (first is not None and day < first) or (last is not None and day > last):
        raise DateRangeError(
            f"{layer.identifier} has no {day}: its days are {first} to {last or 'today'}"
        )
    known = layer.last_known_date
    if known is not None and day <= known and domain_step(layer.periods, day) is None:
        warnings.warn(
            f"{layer.identifier} has a gap on {day}: the server will have no tile of that day",
            GibswatchWarning,
            stacklevel=5,
        )
