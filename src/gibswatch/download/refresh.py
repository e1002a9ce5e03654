"""Reads the service's own catalogue and keeps it: capabilities, and whole histories.

Capabilities list the latest 100 periods of a layer.  Where that many are listed, DescribeDomains is
asked for all of them; where it does not answer, the layer keeps what was known of its time, since
a cut list would look like a late start.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from gibswatch.catalogue.capabilities import ListedLayer, read_capabilities
from gibswatch.catalogue.domains import Period, format_domain
from gibswatch.catalogue.layers import Layer, load_catalogue
from gibswatch.catalogue.live import (
    LiveRecord,
    cadence_of,
    goes_on,
    live_file,
    read_live,
    write_live,
)
from gibswatch.download.documents import document_session, read_document
from gibswatch.download.history import HistoryRequest, read_history
from gibswatch.errors import NothingFetchedError, ServiceDocumentError
from gibswatch.settings import Settings
from gibswatch.types import EPSG_CODES, Epsg

__all__ = [
    "RefreshReport",
    "capabilities_url",
    "refresh_catalogue",
]

_HISTORIES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh read and wrote."""

    file: Path
    read: dt.date
    """Day of the refresh, UTC."""
    listed: Mapping[int, int]
    """EPSG code to the number of layers read there."""
    histories: int
    """Layers whose whole history DescribeDomains gave."""
    added: tuple[str, ...]
    """Layers that the catalogue did not have before."""
    moved: tuple[str, ...]
    """Layers whose first day is another than before, as when old days were removed or added."""
    unlisted: tuple[str, ...]
    """Layers of tiles that the catalogue has in one of the projections, and the service not."""
    problems: tuple[str, ...]
    """One line for each layer, history or projection that could not be read."""


@dataclass(slots=True)
class _Reading:
    """What is gathered of one layer over the projections."""

    listed: ListedLayer
    """As its first projection lists it."""
    projections: dict[int, str] = field(default_factory=dict)
    served_as: dict[int, str] = field(default_factory=dict)
    epsg: Epsg = 4326
    """Projection that its time is taken from: the first that lists any."""
    timed: ListedLayer | None = None
    periods: tuple[Period, ...] = ()
    """Its time domain, whole; empty where it has none or it is not known whole."""


def capabilities_url(base_url: str, epsg: int) -> str:
    """Address of a projection's WMTS capabilities."""
    return f"{base_url.rstrip('/')}/wmts/epsg{epsg}/best/1.0.0/WMTSCapabilities.xml"


def refresh_catalogue(
    settings: Settings,
    projections: Sequence[Epsg] = (4326, 3413, 3031, 3857),
    *,
    today: dt.date | None = None,
) -> RefreshReport:
    """Read what the service lists now, and write it over the packaged table.

    A malformed layer, or a projection that does not answer, is a problem of the report; layers
    that were not read stay as they were.  Rolling starts are kept as the service lists them.

    Parameters
    ----------
    settings : Settings
    projections : sequence of {4326, 3413, 3031, 3857}
        The first that lists a layer's time is the one it is taken from.
    today : date, optional
        Day that the domains are marked with; default: today, UTC.

    Raises
    ------
    NothingFetchedError
        If no layer of any projection could be read.
    ServerUnreachableError
        If no connection can be made; then nothing is written.
    OutputError
        If the file cannot be written.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    before = load_catalogue()
    gathered, listed, histories, problems = asyncio.run(_gather(settings, projections, before))
    if not gathered:
        reason = problems[0] if problems else "no layer is listed: check --base-url"
        raise NothingFetchedError(f"nothing was read from {settings.base_url}: {reason}")
    path = live_file(settings)
    records = {str(record["id"]): record for record in read_live(path)}
    for name, reading in gathered.items():
        records[name] = _record(name, reading, records.get(name), day)
    write_live(path, records.values(), settings.base_url)
    return RefreshReport(
        path,
        day,
        listed,
        histories,
        tuple(sorted(gathered.keys() - before.keys())),
        tuple(sorted(name for name in gathered if _moved(before.get(name), gathered[name]))),
        _unlisted(before.values(), gathered, listed),
        tuple(problems),
    )


async def _gather(
    settings: Settings, projections: Sequence[Epsg], known: Mapping[str, Layer]
) -> tuple[dict[str, _Reading], dict[int, int], int, list[str]]:
    gathered: dict[str, _Reading] = {}
    listed: dict[int, int] = {}
    problems: list[str] = []
    async with document_session(settings) as session:
        for epsg in projections:
            url = capabilities_url(settings.base_url, epsg)
            try:
                data = await read_document(session, url, settings)
                report = await asyncio.to_thread(read_capabilities, data, epsg, what=url)
            except ServiceDocumentError as error:
                problems.append(str(error))
                continue
            problems += report.problems
            listed[epsg] = len(report.layers)
            _merge(gathered, report.layers.values(), epsg, known)
        histories = await _histories(session, settings, gathered, problems)
    return gathered, listed, histories, problems


def _merge(
    gathered: dict[str, _Reading],
    layers: Iterable[ListedLayer],
    epsg: Epsg,
    known: Mapping[str, Layer],
) -> None:
    """Add a projection's layers, under the names that the catalogue has for them."""
    ours = {layer.name_in(epsg): name for name, layer in known.items() if epsg in layer.served_as}
    for layer in layers:
        name = ours.get(layer.identifier, layer.identifier)
        reading = gathered.setdefault(name, _Reading(layer))
        reading.projections[epsg] = layer.matrix_set
        if layer.identifier != name:
            reading.served_as[epsg] = layer.identifier
        if reading.timed is None and layer.periods:
            reading.timed, reading.epsg = layer, epsg
            reading.periods = () if layer.may_be_cut else layer.periods


async def _histories(
    session: aiohttp.ClientSession,
    settings: Settings,
    gathered: Mapping[str, _Reading],
    problems: list[str],
) -> int:
    """Ask for the histories that capabilities may have cut; return how many came."""
    slots = asyncio.Semaphore(min(_HISTORIES_AT_ONCE, settings.connections))

    async def ask(name: str, reading: _Reading, layer: ListedLayer) -> bool:
        try:
            async with slots:
                where = (settings.base_url, reading.epsg, layer.identifier, layer.matrix_set)
                reading.periods = await read_history(session, HistoryRequest(*where), settings)
        except NothingFetchedError as error:
            problems.append(f"{name} keeps the time it had, its list may be cut: {error}")
        return bool(reading.periods)

    asked = [
        ask(name, reading, reading.timed)
        for name, reading in gathered.items()
        if reading.timed is not None and reading.timed.may_be_cut
    ]
    return sum(await asyncio.gather(*asked))


def _record(name: str, reading: _Reading, old: LiveRecord | None, day: dt.date) -> LiveRecord:
    """Make the file's record of a layer; what was not read now stays as it was read before."""
    layer = reading.listed
    record: dict[str, Any] = {
        **(old or {}),
        "id": name,
        "title": layer.title,
        "service": "vector" if layer.format == "mvt" else "wmts",
        "format": layer.format,
        "projections": _by_text((old or {}).get("projections"), reading.projections),
        "served_as": _by_text((old or {}).get("served_as"), reading.served_as),
    }
    if reading.periods:
        record |= {
            "domain": format_domain(reading.periods),
            "cadence": cadence_of(reading.periods),
            "ongoing": goes_on(reading.periods, day),
            "domain_source": f"live {day}",
        }
    return record


def _by_text(old: Mapping[str, str] | None, new: Mapping[int, str]) -> dict[str, str]:
    """EPSG code as JSON's text to a name; in the order of GIBS's projections."""
    merged = {**(old or {}), **{str(code): name for code, name in new.items()}}
    return {str(code): merged[str(code)] for code in EPSG_CODES if str(code) in merged}


def _moved(before: Layer | None, reading: _Reading) -> bool:
    if before is None or not reading.periods:
        return False
    return before.start_date != min(period.first_day for period in reading.periods)


def _unlisted(
    before: Iterable[Layer], gathered: Mapping[str, _Reading], listed: Mapping[int, int]
) -> tuple[str, ...]:
    return tuple(
        layer.identifier
        for layer in before
        if layer.service in ("wmts", "vector")
        and layer.identifier not in gathered
        and any(layer.projections.get(epsg) for epsg in listed)
    )
