"""The layers that GIBS offers, from a table of facts (``data/layers.json``).

The table holds Worldview's catalogue of December 2021 with the time domains of June 2026 laid over
it where they are known; ``tools/build_catalogue.py`` writes it.  What ``gibswatch layers refresh``
has read from the service since lies over both (`gibswatch.catalogue.live`).  Which of the three a
domain is from says `Layer.domain_source`.  First days move when GIBS reprocesses, and start anew
every day for rolling layers: the table is a start, not the last word.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from gibswatch.catalogue.domains import Period, parse_domain, parse_step
from gibswatch.catalogue.live import LiveRecord, live_file, read_live
from gibswatch.errors import RenamedLayerWarning, UnknownGridError, UnknownLayerError
from gibswatch.types import ImageFormat

__all__ = [
    "PREDEFINED",
    "DomainSource",
    "Layer",
    "Service",
    "find_layer",
    "load_catalogue",
    "renamed_warning",
    "retired_names",
    "search_layers",
]

Service = Literal["wmts", "wms", "vector", "variable"]
DomainSource = str
"""``2021-12`` and ``2026-06`` in the packaged table, ``live YYYY-MM-DD`` once refreshed."""

PREDEFINED: tuple[str, ...] = (
    "MODIS_Terra_CorrectedReflectance_TrueColor",
    "MODIS_Terra_CorrectedReflectance_Bands367",
    "MODIS_Terra_CorrectedReflectance_Bands721",
    "MODIS_Aqua_CorrectedReflectance_TrueColor",
    "MODIS_Aqua_CorrectedReflectance_Bands721",
    "MODIS_Terra_Data_No_Data",
    "MODIS_Aqua_Data_No_Data",
    "MODIS_Fires_All",
    "MODIS_Terra_Chlorophyll_A",
    "MODIS_Terra_Land_Surface_Temp_Day",
    "MODIS_Terra_NDVI_8Day",
    "VIIRS_SNPP_CorrectedReflectance_TrueColor",
    "VIIRS_SNPP_CorrectedReflectance_BandsM11_I2_I1",
    "VIIRS_SNPP_CorrectedReflectance_BandsM3_I3_M11",
    "VIIRS_SNPP_Brightness_Temp_BandI5_Day",
    "VIIRS_SNPP_Fires_375m_Day",
    "VIIRS_SNPP_Fires_375m_Night",
    "VIIRS_SNPP_DayNightBand_ENCC",
)
"""The predecessor's 18 layers under the names that it used; `find_layer` knows every one."""

_LONGEST_COMPARED = 120
"""Characters of a name that are compared with the catalogue's (the longest there has 90)."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What is known of one layer."""

    identifier: str
    title: str
    subtitle: str
    """Source of the picture as Worldview shows it, e.g. ``Terra / MODIS``; may be empty."""
    service: Service
    """How GIBS serves it: ``wmts`` alone has pictures in tiles (``variable``: not everywhere)."""
    format: ImageFormat
    projections: Mapping[int, str] = field(hash=False)
    """EPSG code to the identifier of the tile matrix set; empty text where there are no tiles."""
    platform: str | None = None
    instrument: str | None = None
    cadence: str | None = None
    """The commonest step of the domain, e.g. ``P1D``; None for a layer without time."""
    domain: str = ""
    """Periods as GIBS writes them; empty for a layer without time."""
    domain_source: DomainSource | None = None
    """Year and month that the domain is from, or ``live`` and the day it was read."""
    ongoing: bool = False
    """Whether new days were still being added when the domain was read."""
    day_night: tuple[str, ...] = ()
    """``day``, ``night``, both, or nothing where the catalogue does not say."""
    served_as: Mapping[int, str] = field(default_factory=dict, hash=False)
    """EPSG code to the name on the server, where that is not the identifier."""

    @property
    def periods(self) -> tuple[Period, ...]:
        """The domain, read when first asked for."""
        return parse_domain(self.domain)

    @property
    def start_date(self) -> dt.date | None:
        """First day of the domain; None for a layer without time."""
        return self.periods[0].first_day if self.domain else None

    @property
    def last_known_date(self) -> dt.date | None:
        """Last day of the domain as it was read, ongoing or not; None for a layer without time."""
        return max(p.last_day for p in self.periods) if self.domain else None

    @property
    def end_date(self) -> dt.date | None:
        """Last day of a layer that is complete; None where it goes on, or has no time."""
        return None if self.ongoing else self.last_known_date

    @property
    def is_sub_daily(self) -> bool:
        """Whether the layer has more than one picture a day."""
        return self.cadence is not None and parse_step(self.cadence).is_sub_daily

    @property
    def extension(self) -> str:
        """Ending of its files and tile addresses, without the dot."""
        return self.format

    def name_in(self, epsg: int) -> str:
        """Name to ask the server for (a few polar base layers are called otherwise there)."""
        return self.served_as.get(epsg, self.identifier)

    def matrix_set(self, epsg: int) -> str:
        """Identifier of the layer's tile matrix set in a projection, e.g. ``250m``.

        Raises
        ------
        UnknownGridError
            If the layer is not offered in the projection, or not as tiles of pictures.

        Examples
        --------
        >>> find_layer("MODIS_Terra_CorrectedReflectance_TrueColor").matrix_set(3857)
        'GoogleMapsCompatible_Level9'
        """
        if self.service in ("vector", "wms"):
            what = "vector shapes" if self.service == "vector" else "whole maps over WMS"
            raise UnknownGridError(
                f"{self.identifier} is served as {what}, it has no picture tiles here: "
                "choose a layer of png or jpg tiles (gibswatch layers list)"
            )
        if matrix_set := self.projections.get(epsg):
            return matrix_set
        known = ", ".join(f"EPSG:{code}" for code, name in self.projections.items() if name)
        raise UnknownGridError(f"{self.identifier} is not offered in EPSG:{epsg}: use {known}")


def load_catalogue() -> Mapping[str, Layer]:
    """All layers by identifier, in alphabetical order; not to be written to.

    The packaged table with the refreshed one over it, if there is one; each state of that file is
    read once.

    Warns
    -----
    GibswatchWarning
        If the refreshed table is damaged or of a newer Gibswatch: the packaged one is used alone.
    """
    path = live_file()
    try:
        state = path.stat()
    except OSError:
        return _packaged()[0]
    return _with_live(path, state.st_mtime_ns, state.st_size)


def retired_names() -> Mapping[str, str]:
    """Names that GIBS no longer uses, each with the one that took its place."""
    return _packaged()[1]


def renamed_warning(old: str, new: str) -> RenamedLayerWarning:
    """Return what to warn with where a layer is taken under another name than the asked one."""
    return RenamedLayerWarning(f"{old} is no longer offered by GIBS under this name: taking {new}")


def find_layer(name: str) -> Layer:
    """Return the layer called `name`.

    A name may also have ``_`` for every ``-`` (as the predecessor wrote it), or be one that GIBS
    has retired: then a `RenamedLayerWarning` says the new one.

    Raises
    ------
    UnknownLayerError
        If there is none; the message names the nearest.

    Examples
    --------
    >>> find_layer("VIIRS_SNPP_CorrectedReflectance_BandsM11_I2_I1").identifier
    'VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1'
    """
    catalogue = load_catalogue()
    if (new := retired_names().get(name)) is not None:
        warnings.warn(renamed_warning(name, new), stacklevel=2)
        return catalogue[new]
    if name in catalogue:
        return catalogue[name]
    for identifier, layer in catalogue.items():
        if identifier.replace("-", "_") == name:
            return layer
    raise UnknownLayerError(_unknown(name))


def search_layers(text: str) -> list[Layer]:
    """Layers that have every word of `text` in identifier, title or subtitle, in any case.

    Examples
    --------
    >>> [layer.identifier for layer in search_layers("noaa-21 true color")]
    ['VIIRS_NOAA21_CorrectedReflectance_TrueColor']
    """
    words = text.casefold().split()
    found = []
    for layer in load_catalogue().values():
        known = f"{layer.identifier}\n{layer.title}\n{layer.subtitle}".casefold()
        if all(word in known for word in words):
            found.append(layer)
    return found


def _unknown(name: str) -> str:
    by_folded = {identifier.casefold(): identifier for identifier in load_catalogue()}
    asked = name[:_LONGEST_COMPARED].casefold()
    nearest = [by_folded[n] for n in difflib.get_close_matches(asked, by_folded, n=3, cutoff=0.5)]
    hint = f"did you mean {', '.join(nearest)}? Else" if nearest else "no name there is like it;"
    shown = repr(name if len(name) <= 60 else name[:57] + "...")
    return (
        f"no layer {shown} in the catalogue: {hint} look with gibswatch layers list --search WORD"
    )


@functools.lru_cache(maxsize=4)
def _with_live(path: Path, _changed_ns: int, _size: int) -> Mapping[str, Layer]:
    """Lay the refreshed table over the packaged one; the arguments tell its states apart."""
    packaged = _packaged()[0]
    records = read_live(path)
    if not records:
        return packaged
    layers = dict(packaged)
    for record in records:
        layers[record["id"]] = _renewed(layers.get(record["id"]), record)
    return MappingProxyType(dict(sorted(layers.items())))


def _renewed(known: Layer | None, record: LiveRecord) -> Layer:
    """Lay what the service lists of a layer over what was known of it."""
    by_code: dict[str, Any] = {
        key: {int(code): name for code, name in record.get(key, {}).items()}
        for key in ("projections", "served_as")
    }
    time = {
        key: record[key]
        for key in ("cadence", "domain", "domain_source", "ongoing")
        if key in record
    }
    facts: dict[str, Any] = {"service": record["service"], "format": record["format"], **time}
    if known is None:
        return Layer(record["id"], record["title"], "", **facts, **by_code)
    if known.service == "variable":
        del facts["service"]
    merged: dict[str, Any] = {
        key: {**getattr(known, key), **names} for key, names in by_code.items()
    }
    return replace(known, **facts, **merged)


@functools.cache
def _packaged() -> tuple[Mapping[str, Layer], Mapping[str, str]]:
    file = resources.files("gibswatch.catalogue") / "data" / "layers.json"
    table = json.loads(file.read_text(encoding="utf-8"))
    layers = {record["id"]: _layer(record, table) for record in table["layers"]}
    return MappingProxyType(layers), MappingProxyType(table["retired"])


def _layer(line: dict[str, Any], table: dict[str, Any]) -> Layer:
    """Make the record of one line of the table, which leaves out what has its default."""
    with_domain = table["defaults_with_domain"] if "domain" in line else {}
    facts = {"subtitle": "", **table["defaults"], **with_domain, **line}
    facts["identifier"] = facts.pop("id")
    for key in ("projections", "served_as"):
        facts[key] = {int(code): name for code, name in facts.get(key, {}).items()}
    facts["day_night"] = tuple(facts.get("day_night", ()))
    return Layer(**facts)
