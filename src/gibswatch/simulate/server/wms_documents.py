"""The documents of the WMS: capabilities of 1.1.1 and 1.3.0, and exception reports.

The form is that of MapServer behind OnEarth, from its samples ``GetCapabilities.1.1.1.xml``,
``GetCapabilities.1.3.0.xml`` and ``MissingLayerResponse.xml``; limits and what a layer's time
dimension lists are those of GIBS's own document of June 2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from gibswatch.catalogue.domains import Period, format_domain
from gibswatch.simulate.server.sources import ServedLayer
from gibswatch.simulate.server.wmts_documents import MOST_PERIODS

__all__ = [
    "LAYER_LIMIT",
    "LEGEND_SIZE",
    "MAX_SIZE",
    "MEDIA_TYPES",
    "ListedLayer",
    "WmsVersion",
    "capabilities",
    "service_exception",
]

WmsVersion = Literal["1.1.1", "1.3.0"]

LAYER_LIMIT = 5
"""Layers that one GetMap may draw."""
MAX_SIZE = 20000
"""Rows and columns of a picture, at most."""
LEGEND_SIZE = (86, 378)
"""Rows and columns of a legend, as GIBS's continuous ones have."""
MEDIA_TYPES = ("image/png", "image/jpeg", "image/tiff")
"""What GetMap can return; OnEarth's time service refuses all others."""

_TITLE = "Global Imagery Browse Services, embedded test server (EPSG:4326)"
_ABSTRACT = "Daily satellite imagery for tests and demonstrations, in the form that NASA GIBS has."
_KEYWORDS = "".join(f"\n    <Keyword>{word}</Keyword>" for word in ("GIBS", "WMS", "Earth"))
_KEYWORD_LIST = f"<KeywordList>{_KEYWORDS}\n  </KeywordList>"
_XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
_DECLARATION = '<?xml version=\'1.0\' encoding="UTF-8" standalone="no" ?>\n'

_HEAD_111 = """\
<!DOCTYPE WMT_MS_Capabilities SYSTEM \
"http://schemas.opengis.net/wms/1.1.1/WMS_MS_Capabilities.dtd"
 [
 <!ELEMENT VendorSpecificCapabilities EMPTY>
 ]>
<WMT_MS_Capabilities version="1.1.1">
"""
_HEAD_130 = """\
<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms" \
xmlns:sld="http://www.opengis.net/sld" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xmlns:ms="http://mapserver.gis.umn.edu/mapserver" \
xsi:schemaLocation="http://www.opengis.net/wms \
http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd">
"""

_SERVICE = """\
<Service>
  <Name>{name}</Name>
  <Title>{title}</Title>
  <Abstract>{abstract}</Abstract>
  {keywords}
  {online}
  <ContactInformation>
    <ContactPersonPrimary>
      <ContactPerson>none</ContactPerson>
      <ContactOrganization>none</ContactOrganization>
    </ContactPersonPrimary>
    <ContactPosition>none</ContactPosition>
    <ContactElectronicMailAddress>none</ContactElectronicMailAddress>
  </ContactInformation>
{limits}</Service>
"""
_LIMITS = f"""\
  <LayerLimit>{LAYER_LIMIT}</LayerLimit>
  <MaxWidth>{MAX_SIZE}</MaxWidth>
  <MaxHeight>{MAX_SIZE}</MaxHeight>
"""

_REQUEST = """\
    <{name}>
      {formats}
      <DCPType>
        <HTTP>
          <Get>{online}</Get>
          <Post>{online}</Post>
        </HTTP>
      </DCPType>
    </{name}>
"""

_SYMBOLS_111 = """\
  <VendorSpecificCapabilities />
  <UserDefinedSymbolization SupportSLD="0" UserLayer="0" UserStyle="0" RemoteWFS="0"/>
"""
_SYMBOLS_130 = """\
  <sld:UserDefinedSymbolization SupportSLD="0" UserLayer="0" UserStyle="0" RemoteWFS="0" \
InlineFeature="0" RemoteWCS="0"/>
"""

_BOX_111 = """\
    <LatLonBoundingBox minx="-180.000000" miny="-90.000000" maxx="180.000000" maxy="90.000000" />
    <BoundingBox SRS="EPSG:4326" minx="-180.000000" miny="-90.000000" \
maxx="180.000000" maxy="90.000000" />
"""
_BOX_130 = """\
    <EX_GeographicBoundingBox>
      <westBoundLongitude>-180.000000</westBoundLongitude>
      <eastBoundLongitude>180.000000</eastBoundLongitude>
      <southBoundLatitude>-90.000000</southBoundLatitude>
      <northBoundLatitude>90.000000</northBoundLatitude>
    </EX_GeographicBoundingBox>
    <BoundingBox CRS="EPSG:4326" minx="-90.000000" miny="-180.000000" \
maxx="90.000000" maxy="180.000000" />
"""

_LAYER = """\
  <Layer queryable="0" opaque="0" cascaded="0">
    <Name>{identifier}</Name>
    <Title>{title}</Title>
{crs}{box}{time}    <MetadataURL type="TC211">
      <Format>text/xml</Format>
      {metadata}
    </MetadataURL>
{style}  </Layer>
"""
_STYLE = """\
    <Style>
      <Name>default</Name>
      <Title>default</Title>
      <LegendURL width="{cols}" height="{rows}">
        <Format>image/png</Format>
        {legend}
      </LegendURL>
    </Style>
"""

_EXCEPTION_111 = """\
<!DOCTYPE ServiceExceptionReport SYSTEM \
"http://schemas.opengis.net/wms/1.1.1/exception_1_1_1.dtd">
<ServiceExceptionReport version="1.1.1">
"""
_EXCEPTION_130 = """\
<ServiceExceptionReport version="1.3.0" xmlns="http://www.opengis.net/ogc" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.opengis.net/ogc \
http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd">
"""


@dataclass(frozen=True, slots=True)
class ListedLayer:
    """What the capabilities say of one layer."""

    served: ServedLayer
    periods: tuple[Period, ...]
    """By start; empty for a layer without time."""
    default_time: str
    """As GIBS writes it; empty for a layer without time."""

    @property
    def title(self) -> str:
        """What the layer shows, in words; its identifier where nobody said."""
        return self.served.title or self.served.identifier

    @property
    def group(self) -> str:
        """The measurement: the title's part before the bracket; empty where it has none."""
        measurement, bracket, _ = self.title.partition(" (")
        return measurement if bracket else ""


def capabilities(layers: Iterable[ListedLayer], version: WmsVersion, address: str) -> bytes:
    """Write the GetCapabilities document of EPSG:4326.

    Parameters
    ----------
    layers : iterable of ListedLayer
        Those with a bracket in their title stand in a parent layer named by what precedes it.
    version : {"1.1.1", "1.3.0"}
    address : str
        Of the service, with the question mark.

    Returns
    -------
    bytes
        A time dimension lists its latest 100 periods, as GIBS's does.
    """
    old = version == "1.1.1"
    online = _online(address)
    crs = "    <SRS>EPSG:4326</SRS>\n" if old else "    <CRS>EPSG:4326</CRS>\n"
    crs += "" if old else "    <CRS>CRS:84</CRS>\n"
    ordered = sorted(layers, key=lambda layer: (layer.group, layer.served.identifier))
    parts = [
        _DECLARATION,
        _HEAD_111 if old else _HEAD_130,
        _SERVICE.format(
            name="OGC:WMS" if old else "WMS",
            title=_TITLE,
            abstract=_ABSTRACT,
            keywords=_KEYWORD_LIST,
            online=online,
            limits="" if old else _LIMITS,
        ),
        f"<Capability>\n  <Request>\n{_requests(version, online)}  </Request>\n",
        _exception_formats(version),
        _SYMBOLS_111 if old else _SYMBOLS_130,
        f"  <Layer>\n    <Name>GIBS_EPSG4326</Name>\n    <Title>{_TITLE}</Title>\n",
        f"    <Abstract>{_ABSTRACT}</Abstract>\n    {_KEYWORD_LIST}\n",
        crs,
        _BOX_111 if old else _BOX_130,
        *_groups(ordered, version, address, crs),
        "  </Layer>\n</Capability>\n",
        "</WMT_MS_Capabilities>\n" if old else "</WMS_Capabilities>\n",
    ]
    return "".join(parts).encode()


def service_exception(text: str, version: WmsVersion, *, code: str | None = None) -> bytes:
    """Write MapServer's exception report, everything in it escaped.

    Parameters
    ----------
    text : str
    version : {"1.1.1", "1.3.0"}
    code : str, optional
        Of the WMS standard, e.g. ``LayerNotDefined``.

    Examples
    --------
    >>> service_exception("a < b", "1.3.0", code="LayerNotDefined").decode().splitlines()[2:4]
    ['<ServiceException code="LayerNotDefined">', 'a &lt; b']
    """
    head = _EXCEPTION_111 if version == "1.1.1" else _EXCEPTION_130
    named = f" code={quoteattr(code)}" if code else ""
    return (
        f"{_DECLARATION}{head}<ServiceException{named}>\n{escape(text)}\n"
        "</ServiceException>\n</ServiceExceptionReport>\n"
    ).encode()


def _requests(version: WmsVersion, online: str) -> str:
    old = version == "1.1.1"
    offered = {
        "GetCapabilities": ("application/vnd.ogc.wms_xml" if old else "text/xml",),
        "GetMap": MEDIA_TYPES,
        "GetLegendGraphic" if old else "sld:GetLegendGraphic": ("image/png",),
        "GetStyles" if old else "ms:GetStyles": ("text/xml",),
    }
    return "".join(
        _REQUEST.format(name=name, formats=_formats(formats), online=online)
        for name, formats in offered.items()
    )


def _exception_formats(version: WmsVersion) -> str:
    old = tuple(f"application/vnd.ogc.se_{word}" for word in ("xml", "inimage", "blank"))
    formats = old if version == "1.1.1" else ("XML", "INIMAGE", "BLANK")
    return f"  <Exception>\n    {_formats(formats)}\n  </Exception>\n"


def _formats(names: Sequence[str]) -> str:
    return "".join(f"<Format>{name}</Format>" for name in names)


def _groups(
    layers: Sequence[ListedLayer], version: WmsVersion, address: str, crs: str
) -> Iterable[str]:
    for group, members in groupby(layers, key=lambda layer: layer.group):
        text = "".join(_layer(member, version, address, crs) for member in members)
        title = f"    <Title>{escape(group)}</Title>\n    <Abstract>{escape(group)}</Abstract>\n"
        yield f"  <Layer>\n{title}{text}  </Layer>\n" if group else text


def _layer(layer: ListedLayer, version: WmsVersion, address: str, crs: str) -> str:
    old = version == "1.1.1"
    identifier = layer.served.identifier
    asked = f"&layer={quote(identifier)}"
    legend = f"{address}version={version}&service=WMS&request=GetLegendGraphic{asked}"
    legend += ("" if old else "&sld_version=1.1.0") + "&format=image/png&STYLE=default"
    rows, cols = LEGEND_SIZE
    style = _STYLE.format(rows=rows, cols=cols, legend=_online(legend, simple=True))
    return _LAYER.format(
        identifier=escape(identifier),
        title=escape(layer.title),
        crs=crs,
        box=_BOX_111 if old else _BOX_130,
        time=_time(layer, version),
        metadata=_online(f"{address}request=GetMetadata{asked}", simple=True),
        style=style if layer.served.image_format == "png" else "",
    )


def _time(layer: ListedLayer, version: WmsVersion) -> str:
    if not layer.periods:
        return ""
    attributes = f'default={quoteattr(layer.default_time)} nearestValue="0"'
    values = escape(format_domain(layer.periods[-MOST_PERIODS:]))
    if version == "1.1.1":
        extent = f'    <Extent name="time" {attributes}>{values}</Extent>\n'
        return f'    <Dimension name="time" units="ISO8601"/>\n{extent}'
    return f'    <Dimension name="time" units="ISO8601" {attributes}>{values}</Dimension>\n'


def _online(address: str, *, simple: bool = False) -> str:
    kind = 'xlink:type="simple" ' if simple else ""
    return f"<OnlineResource {_XLINK} {kind}xlink:href={quoteattr(address)}/>"
