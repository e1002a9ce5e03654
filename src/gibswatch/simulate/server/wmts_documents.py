"""The capabilities document of WMTS 1.0.0, as OnEarth writes it for one projection.

Header, elements, their order and the templates follow OnEarth's ``epsg4326_best_header_gc.xml``,
``tilematrixsets.xml`` and ``gc_service.lua`` (see ``docs/sources.md``); only the latest 100 periods
of a layer are listed.  All that comes from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from gibswatch.catalogue.grids import TileMatrixSet, tile_matrix_set, tile_matrix_sets
from gibswatch.simulate.server.service import MEDIA_TYPES, TileService
from gibswatch.simulate.server.sources import MatrixLimits, ServedLayer

__all__ = ["MOST_PERIODS", "capabilities", "element", "scale_denominator"]

MOST_PERIODS = 100
"""Periods that a capabilities document lists at most: the latest ones."""

_HEADER = """\
<?xml version="1.0" encoding="UTF-8"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1" \
xmlns:xlink="http://www.w3.org/1999/xlink" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:gml="http://www.opengis.net/gml" \
xsi:schemaLocation="http://www.opengis.net/wmts/1.0 \
http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd" version="1.0.0">
<ows:ServiceIdentification>
<ows:Title xml:lang="en">NASA Global Imagery Browse Services for EOSDIS</ows:Title>
<ows:Abstract xml:lang="en">Near real time imagery from multiple NASA instruments</ows:Abstract>
<ows:Keywords><ows:Keyword>World</ows:Keyword><ows:Keyword>Global</ows:Keyword></ows:Keywords>
<ows:ServiceType>OGC WMTS</ows:ServiceType>
<ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion>
<ows:Fees>none</ows:Fees>
<ows:AccessConstraints>none</ows:AccessConstraints>
</ows:ServiceIdentification>
<ows:ServiceProvider>
<ows:ProviderName>National Aeronautics and Space Administration</ows:ProviderName>
<ows:ProviderSite xlink:href="https://earthdata.nasa.gov/"/>
<ows:ServiceContact><ows:IndividualName/><ows:PositionName/><ows:ContactInfo><ows:Address>
<ows:DeliveryPoint/><ows:City/><ows:AdministrativeArea/><ows:PostalCode/><ows:Country/>
<ows:ElectronicMailAddress/>
</ows:Address></ows:ContactInfo></ows:ServiceContact>
</ows:ServiceProvider>
<ows:OperationsMetadata>
{operations}</ows:OperationsMetadata>
"""
_OPERATION = """\
<ows:Operation name="{name}"><ows:DCP><ows:HTTP>
{rest}{kvp}</ows:HTTP></ows:DCP></ows:Operation>
"""
_GET = """\
<ows:Get xlink:href="{href}"><ows:Constraint name="GetEncoding"><ows:AllowedValues>\
<ows:Value>{encoding}</ows:Value></ows:AllowedValues></ows:Constraint></ows:Get>
"""
_DOCUMENT = "1.0.0/WMTSCapabilities.xml"

_CRS: Mapping[int, str] = {
    4326: "urn:ogc:def:crs:OGC:1.3:CRS84",
    3413: "urn:ogc:def:crs:EPSG::3413",
    3031: "urn:ogc:def:crs:EPSG::3031",
    3857: "urn:ogc:def:crs:EPSG:6.18:3:3857",
}
_LON_LAT: Mapping[int, tuple[str, str]] = {
    4326: ("-180 -90", "180 90"),
    3413: ("-180 38.807151", "180 90"),
    3031: ("-180 -90", "180 -38.941373"),
    3857: ("-180 -85.051129", "180 85.051129"),
}
_SCALES_4326 = (
    "223632905.6114871 111816452.8057436 55908226.40287178 27954113.20143589 13977056.60071795 "
    "6988528.300358973 3494264.150179486 1747132.075089743 873566.0375448716 436783.0187724358 "
    "218391.5093862179 109195.75469310895 54597.877346554475"
)
_SCALES_POLAR = (
    "29257142.85714286 14628571.42857143 7314285.714285715 3657142.857142857 1828571.428571429 "
    "914285.7142857143 457142.857142857 228571.428571429 114285.714285714"
)
_SCALES_3857 = (
    "559082264.0287178 279541132.0143589 139770566.0071794 69885283.00358972 34942641.50179486 "
    "17471320.75089743 8735660.375448715 4367830.187724357 2183915.093862179 1091957.546931089 "
    "545978.7734655447 272989.3867327723 136494.6933663862 68247.3466831931"
)
_SCALES: Mapping[int, str] = {
    4326: _SCALES_4326,
    3413: _SCALES_POLAR,
    3031: _SCALES_POLAR,
    3857: _SCALES_3857,
}
_TILE = "{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}"
_DOMAINS = (
    "{BBOX}/{TimeStart}",
    "all/{TimeStart}",
    "all/--{TimeEnd}",
    "all/{TimeStart}--{TimeEnd}",
    "{BBOX}/all",
)


def capabilities(service: TileService, epsg: int, collection: str, root: str) -> bytes:
    """Write the capabilities of one projection and collection.

    Parameters
    ----------
    service : TileService
        Its layers of that projection are listed, by title.
    epsg : int
    collection : str
        ``best`` for instance; part of every address in the document.
    root : str
        Scheme, host and port of the addresses.

    Returns
    -------
    bytes
        An XML document in UTF-8.
    """
    base = f"{root}/wmts/epsg{epsg}/{collection}/"
    served = [layer for layer, _ in service.layers.values() if epsg in layer.matrix_sets]
    served.sort(key=lambda layer: (layer.title or layer.identifier, layer.identifier))
    sets = [tile_matrix_set(epsg, name) for name in tile_matrix_sets(epsg)]
    layers = [_layer(service, layer, epsg, base, root) for layer in served]
    contents = element("Contents", [*layers, *map(_matrix_set, sets)])
    end = element("ServiceMetadataURL", attributes={"xlink:href": base + _DOCUMENT})
    parts = (_header(base), _write(contents), _write(end), "</Capabilities>\n")
    return "".join(parts).encode()


def element(
    tag: str, content: str | Iterable[ET.Element] = "", attributes: Mapping[str, str] | None = None
) -> ET.Element:
    """Return an XML element; text and attributes are escaped when it is written.

    Examples
    --------
    >>> ET.tostring(element("ows:Title", "a < b", {"xml:lang": "en"}), encoding="unicode")
    '<ows:Title xml:lang="en">a &lt; b</ows:Title>'
    """
    made = ET.Element(tag, dict(attributes or {}))
    if isinstance(content, str):
        made.text = content or None
    else:
        made.extend(content)
    return made


def scale_denominator(epsg: int, level: int) -> str:
    """Return the scale denominator of a level, digit by digit as the service writes it."""
    return _SCALES[epsg].split()[level]


def _write(tree: ET.Element) -> str:
    ET.indent(tree)
    return ET.tostring(tree, encoding="unicode") + "\n"


def _header(base: str) -> str:
    quoted = {'"': "&quot;"}
    kvp = _GET.format(href=escape(f"{base}wmts.cgi?", quoted), encoding="KVP")
    operations = "".join(
        _OPERATION.format(
            name=name,
            rest=_GET.format(href=escape(base + path, quoted), encoding="RESTful"),
            kvp=kvp,
        )
        for name, path in (("GetCapabilities", _DOCUMENT), ("GetTile", ""))
    )
    return _HEADER.format(operations=operations)


def _layer(service: TileService, layer: ServedLayer, epsg: int, base: str, root: str) -> ET.Element:
    title = layer.title or layer.identifier
    matrix_set = element("TileMatrixSet", layer.matrix_sets[epsg])
    limits = [_limits(layer.limits)] if epsg == 4326 and layer.limits else []
    return element(
        "Layer",
        [
            element("ows:Title", title, {"xml:lang": "en"}),
            *_boxes(tile_matrix_set(epsg, layer.matrix_sets[epsg])),
            element("ows:Identifier", layer.identifier),
            element("Style", _style(layer, root), {"isDefault": "true"}),
            *_dimension(service, layer),
            element("TileMatrixSetLink", [matrix_set, *limits]),
            element("Format", MEDIA_TYPES[layer.image_format]),
            *_templates(layer, base),
        ],
    )


def _boxes(matrix_set: TileMatrixSet) -> Iterator[ET.Element]:
    def box(tag: str, crs: str, lower: str, upper: str) -> ET.Element:
        corners = [element("ows:LowerCorner", lower), element("ows:UpperCorner", upper)]
        return element(tag, corners, {"crs": crs})

    epsg, extent = matrix_set.epsg, matrix_set.extent
    yield box("ows:WGS84BoundingBox", "urn:ogc:def:crs:OGC:2:84", *_LON_LAT[epsg])
    if epsg != 4326:
        lower, upper = _corner(extent.west, extent.south), _corner(extent.east, extent.north)
        yield box("ows:BoundingBox", f"urn:ogc:def:crs:EPSG::{epsg}", lower, upper)


def _style(layer: ServedLayer, root: str) -> Iterator[ET.Element]:
    """Yield the one style; layers of PNG are coloured by value and have legends."""
    yield element("ows:Title", "default", {"xml:lang": "en"})
    yield element("ows:Identifier", "default")
    if layer.image_format != "png":
        return
    for way in ("Horizontal", "Vertical"):
        yield element(
            "LegendURL",
            attributes={
                "format": "image/svg+xml",
                "xlink:type": "simple",
                "xlink:role": f"http://earthdata.nasa.gov/gibs/legend-type/{way.lower()}",
                "xlink:href": f"{root}/legends/{layer.identifier}_{way[0]}.svg",
                "xlink:title": f"GIBS Color Map Legend: {way}",
            },
        )


def _dimension(service: TileService, layer: ServedLayer) -> Iterator[ET.Element]:
    periods = service.domain(layer.identifier)[-MOST_PERIODS:]
    if not periods:
        return
    known = {
        "ows:Identifier": "Time",
        "ows:UOM": "ISO8601",
        "Default": service.default_time(layer.identifier),
        "Current": "false",
    }
    facts = [element(tag, text) for tag, text in known.items()]
    yield element("Dimension", [*facts, *(element("Value", str(period)) for period in periods)])


def _limits(limits: Iterable[MatrixLimits]) -> ET.Element:
    return element(
        "TileMatrixSetLimits",
        [
            element(
                "TileMatrixLimits",
                [
                    element("TileMatrix", str(limit.level)),
                    element("MinTileRow", str(limit.min_row)),
                    element("MaxTileRow", str(limit.max_row)),
                    element("MinTileCol", str(limit.min_col)),
                    element("MaxTileCol", str(limit.max_col)),
                ],
            )
            for limit in limits
        ],
    )


def _templates(layer: ServedLayer, base: str) -> Iterator[ET.Element]:
    """Yield the addresses of tiles (with time, without, and the default's) and of domains."""
    media_type = MEDIA_TYPES[layer.image_format]
    ending = media_type.removeprefix("image/")

    def address(kind: str, form: str, template: str) -> ET.Element:
        facts = {"format": form, "resourceType": kind, "template": base + template}
        return element("ResourceURL", attributes=facts)

    for time in ("", "default/") if layer.is_static else ("{Time}/", "", "default/"):
        yield address("tile", media_type, f"{layer.identifier}/default/{time}{_TILE}.{ending}")
    for words in () if layer.is_static else _DOMAINS:
        path = f"1.0.0/{layer.identifier}/default/{{TileMatrixSet}}/{words}.xml"
        yield address("Domains", "text/xml", path)


def _matrix_set(matrix_set: TileMatrixSet) -> ET.Element:
    epsg, extent = matrix_set.epsg, matrix_set.extent
    corner = _corner(extent.west, extent.north)
    known_set = element("WellKnownScaleSet", "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible")
    facts = [
        element("ows:Identifier", matrix_set.identifier),
        element("ows:SupportedCRS", _CRS[epsg]),
        *([known_set] if epsg == 3857 else []),
    ]
    for matrix in matrix_set.matrices:
        known = {
            "ows:Identifier": str(matrix.level),
            "ScaleDenominator": scale_denominator(epsg, matrix.level),
            "TopLeftCorner": corner,
            "TileWidth": str(matrix.tile_size),
            "TileHeight": str(matrix.tile_size),
            "MatrixWidth": str(matrix.matrix_cols),
            "MatrixHeight": str(matrix.matrix_rows),
        }
        facts.append(element("TileMatrix", [element(tag, text) for tag, text in known.items()]))
    return element("TileMatrixSet", facts)


def _corner(across: float, up: float) -> str:
    return f"{across:.16g} {up:.16g}"
