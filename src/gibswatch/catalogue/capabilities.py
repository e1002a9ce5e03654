"""What a WMTS capabilities document says of each layer, through OWSLib.

OWSLib gives up the whole document for one malformed layer (as cartopy #2391 met): here each layer
is given to it alone, and one that cannot be read is a problem of its own.  Time is text for
OWSLib; `gibswatch.catalogue.domains` reads it, with every step that GIBS has.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gibswatch.catalogue.domains import Period, parse_domain
from gibswatch.catalogue.grids import tile_matrix_set
from gibswatch.catalogue.xml_guard import local_name, parse_xml, quoted
from gibswatch.errors import ServiceDocumentError, UsageError
from gibswatch.files import safe_name
from gibswatch.types import Epsg, ImageFormat

__all__ = ["LISTED_PERIODS", "CapabilitiesReport", "ListedLayer", "read_capabilities"]

LISTED_PERIODS = 100
"""The service lists this many periods of a layer at most, the latest (gibs-facts section 1)."""

_WMTS = "{http://www.opengis.net/wmts/1.0}"
_IDENTIFIER = "{http://www.opengis.net/ows/1.1}Identifier"
_FORMATS: Mapping[str, ImageFormat] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/vnd.mapbox-vector-tile": "mvt",
    "application/x-protobuf;type=mapbox-vector": "mvt",
}
_OWSLIB_ERRORS = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class ListedLayer:
    """One layer as the service lists it in one projection."""

    identifier: str
    """Its name on the server, fit to be part of a path."""
    title: str
    format: ImageFormat
    matrix_set: str
    """Tile matrix set of GIBS that its tiles lie in."""
    periods: tuple[Period, ...] = ()
    """Time domain as listed, by start; empty for a layer without time."""
    default_time: str | None = None

    @property
    def may_be_cut(self) -> bool:
        """Whether so many periods are listed that older ones may have been left out."""
        return len(self.periods) >= LISTED_PERIODS


@dataclass(frozen=True, slots=True)
class CapabilitiesReport:
    """What was read of a document, and what could not be."""

    layers: Mapping[str, ListedLayer]
    """By identifier, in the document's order."""
    problems: tuple[str, ...]
    """One line for each layer that was left out or doubled, saying why."""


def read_capabilities(data: bytes, epsg: Epsg, *, what: str = "capabilities") -> CapabilitiesReport:
    """Read the layers of a WMTS capabilities document.

    Parameters
    ----------
    data : bytes
        The document, as fetched.
    epsg : {4326, 3413, 3031, 3857}
        Projection that it is of.
    what : str
        How an error calls it.

    Raises
    ------
    ServiceDocumentError
        If the bytes are refused (`parse_xml`), or are no WMTS capabilities; the message quotes a
        server's exception.
    """
    root = parse_xml(data, what=what)
    contents = root.find(f"{_WMTS}Contents") if root.tag == f"{_WMTS}Capabilities" else None
    if contents is None:
        raise ServiceDocumentError(
            f"{what} is a {quoted(local_name(root))} and no list of WMTS layers: "
            f"it says {quoted(' '.join(root.itertext()))}"
        )
    strangers = sum(
        local_name(child) == "Layer" and child.tag != f"{_WMTS}Layer" for child in contents
    )
    # Inner layers first, each taken out once it is read: a bad one cannot spoil the one around it.
    read = []
    for position, element in reversed(list(enumerate(contents.iter(f"{_WMTS}Layer"), 1))):
        read.append(_read_alone(element, epsg, position))
        element.getparent().remove(element)
    layers: dict[str, ListedLayer] = {}
    problems = []
    for one in reversed(read):
        if isinstance(one, str):
            problems.append(one)
        elif layers.setdefault(one.identifier, one) is not one:
            problems.append(f"{one.identifier} (EPSG:{epsg}) is listed twice: the first is taken")
    if strangers:
        problems.append(f"{strangers} layers of an unknown namespace (EPSG:{epsg}) are left out")
    return CapabilitiesReport(MappingProxyType(layers), tuple(problems))


def _read_alone(element: Any, epsg: Epsg, position: int) -> ListedLayer | str:
    """Read one layer; where it cannot be read, say so in a line."""
    from owslib.wmts import ContentMetadata  # noqa: PLC0415 - brings requests, 0.2 s

    name = (element.findtext(_IDENTIFIER) or "").strip()
    name = _plain(name) if name else f"layer {position}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of doubled links and dimensions: the first holds
            return _listed(ContentMetadata(element), epsg)
    except _OWSLIB_ERRORS as error:
        # Ours (UsageError) are sentences; OWSLib's are not, and hold addresses of objects.
        reason = str(error) if isinstance(error, UsageError) else _cause(element, error)
        return f"{name} (EPSG:{epsg}) is left out: {reason}"


def _listed(read: Any, epsg: Epsg) -> ListedLayer:
    if not read.id:
        raise UsageError("it has no identifier")
    dimension = next((d for n, d in read.dimensions.items() if (n or "").lower() == "time"), None)
    values: list[str] = []
    if dimension is not None:
        values = [(value or "").strip() for value in dimension["values"]]
        if not all(values):
            raise UsageError("a Value of its Time is empty")
    default = dimension["default"] if dimension else None
    return ListedLayer(
        safe_name(read.id, what="layer identifier"),
        read.title or read.id,
        _format_of(read.formats),
        _matrix_set_of(read, epsg),
        parse_domain(",".join(values)),
        default.strip() if default else None,
    )


def _format_of(formats: list[str | None]) -> ImageFormat:
    for name in formats:
        if name and (known := _FORMATS.get(name.strip().lower())):
            return known
    said = ", ".join(_plain(name or "") for name in formats[:3]) or "none"
    raise UsageError(f"its format is {said}, not one of {', '.join(_FORMATS)}")


def _matrix_set_of(read: Any, epsg: Epsg) -> str:
    names = [name.strip() for name in read.tilematrixsetlinks]
    for name in names:
        try:
            return tile_matrix_set(epsg, name).identifier
        except UsageError:
            continue
    said = ", ".join(_plain(name) for name in names[:3]) or "none"
    raise UsageError(f"its tile matrix set is {said}, none that GIBS has in this projection")


def _cause(element: Any, error: Exception) -> str:
    """Say what OWSLib stumbled over: named where it is the Time, else its own words."""
    for dimension in element.iterfind(f"{_WMTS}Dimension"):
        if dimension.find(f"{_WMTS}Value") is None:
            return "a dimension lists no Value"
        if dimension.find(f"{_WMTS}Default") is None:
            return "a dimension has no Default"
    return f"OWSLib cannot read it ({type(error).__name__}: {quoted(str(error))})"


def _plain(text: str) -> str:
    return text if text.isascii() and text.isprintable() and len(text) <= 80 else quoted(text)
