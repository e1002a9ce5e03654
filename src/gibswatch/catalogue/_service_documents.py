"""The XML of GDAL's service files, element by element; what goes in is checked in `service_xml`."""

from __future__ import annotations

import warnings
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from gibswatch.catalogue.grids import TileMatrixSet
from gibswatch.catalogue.layers import Layer
from gibswatch.errors import GibswatchWarning
from gibswatch.types import BBox

__all__ = [
    "SERVER_DEFAULT",
    "ServiceView",
    "tms_document",
    "twms_document",
    "wmts_capabilities",
    "wmts_document",
]

SERVER_DEFAULT = "default"
"""What GIBS takes in place of a time for a layer's latest day."""

_OVERHANG = BBox(-180.0, -198.0, 396.0, 90.0)
"""What the two tiles of level 0 of EPSG:4326 span."""
_CRS_NAMES = {
    4326: "urn:ogc:def:crs:OGC:1.3:CRS84",
    3413: "urn:ogc:def:crs:EPSG::3413",
    3031: "urn:ogc:def:crs:EPSG::3031",
    3857: "urn:ogc:def:crs:EPSG:6.18:3:3857",
}
_LONLAT_BOXES = {
    4326: BBox(-180, -90, 180, 90),
    3413: BBox(-180, 38.807151, 180, 90),
    3031: BBox(-180, -90, 180, -38.941373),
    3857: BBox(-180, -85.051129, 180, 85.051129),
}
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_NAMESPACES = {
    "xmlns": "http://www.opengis.net/wmts/1.0",
    "xmlns:ows": "http://www.opengis.net/ows/1.1",
    "version": "1.0.0",
}


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One layer as one service file shows it."""

    name: str
    """What the server calls the layer in this projection."""
    layer: Layer
    matrix_set: TileMatrixSet
    level: int
    """Finest level to offer."""
    time: str | None
    """As GIBS writes it; ``default`` for the server's latest day, None for a layer without time."""
    base_url: str

    @property
    def epsg(self) -> int:
        """The projection."""
        return self.matrix_set.epsg

    @property
    def bands(self) -> int:
        """Red, green, blue; PNG tiles have alpha too (palettes are expanded by GDAL)."""
        return 4 if self.layer.format == "png" else 3

    @property
    def tile_folder(self) -> str:
        """Address of a layer's tiles up to the tile matrix set."""
        dated = "" if self.time is None else f"/{self.time}"
        return f"{self.base_url}/wmts/epsg{self.epsg}/best/{self.name}/default{dated}"


def tms_document(view: ServiceView) -> str:
    """Make a file for the WMS driver's TMS service; rows count from the top, as in GIBS."""
    first = view.matrix_set.matrices[0]
    window = _OVERHANG if view.epsg == 4326 else view.matrix_set.extent
    address = f"{view.tile_folder}/{view.matrix_set.identifier}/${{z}}/${{y}}/${{x}}"
    root = ET.Element("GDAL_WMS")
    service = ET.SubElement(root, "Service", name="TMS")
    _add(service, "ServerUrl", f"{address}.{view.layer.extension}")
    data = ET.SubElement(root, "DataWindow")
    _add(data, "UpperLeftX", window.west)
    _add(data, "UpperLeftY", window.north)
    _add(data, "LowerRightX", window.east)
    _add(data, "LowerRightY", window.south)
    _add(data, "TileLevel", view.level)
    _add(data, "TileCountX", first.matrix_cols)
    _add(data, "TileCountY", first.matrix_rows)
    _add(data, "YOrigin", "top")
    _add(root, "Projection", f"EPSG:{view.epsg}")
    _add(root, "BlockSizeX", first.tile_size)
    _add(root, "BlockSizeY", first.tile_size)
    _add(root, "BandsCount", view.bands)
    return _text(root)


def twms_document(view: ServiceView) -> str:
    """Make a file for the WMS driver's TiledWMS service, which asks the server for the grid."""
    finest = view.matrix_set.matrices[-1]
    if view.level < finest.level:
        _warn("takes its levels from the server, --tile-resolution does not limit them")
    if view.epsg == 4326 and round(finest.tile_span, 6) != finest.tile_span:
        _warn(
            f"is told the size of a tile with six decimals, too few at {view.matrix_set.identifier}"
            ": tiles far from the top left will not be found"
        )
    root = ET.Element("GDAL_WMS")
    service = ET.SubElement(root, "Service", name="TiledWMS")
    _add(service, "ServerUrl", f"{view.base_url}/twms/epsg{view.epsg}/best/twms.cgi?")
    _add(service, "TiledGroupName", f"{view.name.replace('_', ' ')} tileset")
    if view.time not in (None, SERVER_DEFAULT):
        _add(service, "Change", view.time).set("key", "${time}")
    return _text(root)


def _warn(what: str) -> None:
    warnings.warn(f"TiledWMS {what}: use --xml tms", GibswatchWarning, stacklevel=4)


def wmts_document(layer: Layer, epsg: int, capabilities: Path) -> str:
    """Make a file for the WMTS driver; the capabilities must be at that place when it is read."""
    root = ET.Element("GDAL_WMTS")
    _add(root, "GetCapabilitiesUrl", capabilities)
    _add(root, "Layer", layer.name_in(epsg))
    _add(root, "Style", "default")
    _add(root, "TileMatrixSet", layer.matrix_set(epsg))
    _add(root, "Projection", f"EPSG:{epsg}")
    _add(root, "BandsCount", 4 if layer.format == "png" else 3)
    return _text(root)


def wmts_capabilities(view: ServiceView) -> str:
    """Make WMTS 1.0.0 capabilities of the one layer, whose default time is the wanted one."""
    root = ET.Element("Capabilities", _NAMESPACES)
    service = ET.SubElement(root, "ows:ServiceIdentification")
    _add(service, "ows:Title", "One layer of NASA GIBS")
    _add(service, "ows:ServiceType", "OGC WMTS")
    _add(service, "ows:ServiceTypeVersion", "1.0.0")
    contents = ET.SubElement(root, "Contents")
    layer = ET.SubElement(contents, "Layer")
    _add(layer, "ows:Title", view.layer.title)
    _add_box(layer, "ows:WGS84BoundingBox", "urn:ogc:def:crs:OGC:2:84", _LONLAT_BOXES[view.epsg])
    if view.epsg != 4326:
        _add_box(layer, "ows:BoundingBox", _CRS_NAMES[view.epsg], view.matrix_set.extent)
    _add(layer, "ows:Identifier", view.name)
    style = ET.SubElement(layer, "Style", isDefault="true")
    _add(style, "ows:Identifier", "default")
    media_type = _MEDIA_TYPES[view.layer.format]
    _add(layer, "Format", media_type)
    folder = view.tile_folder
    if view.time is not None:
        _add_time(layer, view.time)
        folder = f"{folder.removesuffix(view.time)}{{Time}}"
    link = ET.SubElement(layer, "TileMatrixSetLink")
    _add(link, "TileMatrixSet", view.matrix_set.identifier)
    address = f"{folder}/{{TileMatrixSet}}/{{TileMatrix}}/{{TileRow}}/{{TileCol}}"
    resource = {"format": media_type, "resourceType": "tile"}
    ET.SubElement(layer, "ResourceURL", resource, template=f"{address}.{view.layer.extension}")
    _add_matrices(contents, view)
    return _text(root)


def _add_time(layer: ET.Element, time: str) -> None:
    dimension = ET.SubElement(layer, "Dimension")
    _add(dimension, "ows:Identifier", "Time")
    _add(dimension, "ows:UOM", "ISO8601")
    _add(dimension, "Default", time)
    _add(dimension, "Current", "false")
    _add(dimension, "Value", time)


def _add_matrices(contents: ET.Element, view: ServiceView) -> None:
    extent = view.matrix_set.extent
    matrices = ET.SubElement(contents, "TileMatrixSet")
    _add(matrices, "ows:Identifier", view.matrix_set.identifier)
    _add(matrices, "ows:SupportedCRS", _CRS_NAMES[view.epsg])
    for matrix in view.matrix_set.matrices[: view.level + 1]:
        element = ET.SubElement(matrices, "TileMatrix")
        _add(element, "ows:Identifier", matrix.level)
        _add(element, "ScaleDenominator", view.matrix_set.scale_denominator(matrix.level))
        _add(element, "TopLeftCorner", f"{_number(extent.west)} {_number(extent.north)}")
        _add(element, "TileWidth", matrix.tile_size)
        _add(element, "TileHeight", matrix.tile_size)
        _add(element, "MatrixWidth", matrix.matrix_cols)
        _add(element, "MatrixHeight", matrix.matrix_rows)


def _add_box(parent: ET.Element, tag: str, crs: str, box: BBox) -> None:
    element = ET.SubElement(parent, tag, crs=crs)
    _add(element, "ows:LowerCorner", f"{_number(box.west)} {_number(box.south)}")
    _add(element, "ows:UpperCorner", f"{_number(box.east)} {_number(box.north)}")


def _add(parent: ET.Element, tag: str, value: object) -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = _number(value) if isinstance(value, float) else str(value)
    return element


def _text(root: ET.Element) -> str:
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


def _number(value: float) -> str:
    """Write a number in full, whole ones without a point."""
    return str(value).removesuffix(".0")
