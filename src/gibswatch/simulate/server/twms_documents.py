"""The two documents of the Tiled WMS: GetTileService and GetCapabilities.

Both follow OnEarth: its header files (``epsg4326_best_header_gts.xml`` and ``..._twms_gc.xml``) and
what ``gc_service.lua`` (makeGTS, makeTWMSGCLayer) adds a layer.  GetTileService has no XML
declaration: GDAL 3.6.2 does not find ``TiledPatterns`` behind one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import pi
from xml.sax.saxutils import escape, quoteattr

from gibswatch.catalogue.grids import TileMatrix, TileMatrixSet, tile_matrix_set, tile_matrix_sets
from gibswatch.simulate.server.service import MEDIA_TYPES
from gibswatch.simulate.server.sources import ServedLayer

__all__ = ["capabilities", "group_name", "tile_patterns", "tile_service"]

_EQUATOR_M = 2 * pi * 6378137.0
_BANDS = {"jpg": 3, "png": 4}
_XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:type="simple"'

_TILE_SERVICE = """\
<WMS_Tile_Service version="0.1.0">
  <Service>
    <Name>GIBS:WMS:Tile</Name>
    <Title>WMS Tile Service</Title>
    <Abstract>Tiled WMS service, tiled in a global grid</Abstract>
    <KeywordList>
      <Keyword>WMS</Keyword>
      <Keyword>Tile</Keyword>
      <Keyword>GIBS</Keyword>
      <Keyword>Global</Keyword>
      <Keyword>Earth</Keyword>
    </KeywordList>
    {online}
    <ContactInformation>
      <ContactPersonPrimary>
        <ContactPerson></ContactPerson>
        <ContactOrganization></ContactOrganization>
      </ContactPersonPrimary>
      <ContactElectronicMailAddress></ContactElectronicMailAddress>
    </ContactInformation>
    <Fees>none</Fees>
    <AccessConstraints>none</AccessConstraints>
  </Service>
  <TiledPatterns>
    {online}
    {box}
{groups}  </TiledPatterns>
</WMS_Tile_Service>
"""

_GROUP = """\
    <TiledGroup>
      <Name>{name}</Name>
      <Title xml:lang="en">{title}</Title>
      <Abstract xml:lang="en">{identifier} abstract</Abstract>
      <Projection>{wkt}</Projection>
      <Pad>0</Pad>
      <Bands>{bands}</Bands>
      {box}
      <Key>${{time}}</Key>
{patterns}    </TiledGroup>
"""

_CAPABILITIES = """\
<?xml version="1.0" encoding="UTF-8" standalone="no"?>\
<!DOCTYPE WMT_MS_Capabilities SYSTEM \
"http://schemas.opengis.net/wms/1.1.1/WMS_MS_Capabilities.dtd">
<WMT_MS_Capabilities version="1.1.1">
<Service>
<Name>OGC:WMS</Name>
<Title>Global Imagery Browse Services, embedded test server</Title>
<Abstract>Daily satellite imagery, tiled in a global grid</Abstract>
<KeywordList>
<Keyword>GIBS</Keyword>
<Keyword>NASA</Keyword>
<Keyword>WMS</Keyword>
<Keyword>Earth</Keyword>
</KeywordList>
{online}
<ContactInformation>
<ContactPersonPrimary>
<ContactPerson/>
<ContactOrganization/>
</ContactPersonPrimary>
<ContactElectronicMailAddress/>
</ContactInformation>
<Fees>none</Fees>
<AccessConstraints>none</AccessConstraints>
</Service>
<Capability>
<Request>
{requests}</Request>
<Exception>
<Format>application/vnd.ogc.se_xml</Format>
</Exception>
<VendorSpecificCapabilities/>
<UserDefinedSymbolization SupportSLD="0" UserLayer="0" UserStyle="1" RemoteWFS="0"/>
<Layer queryable="0">
<Title>Global Imagery Browse Services</Title>
<SRS>EPSG:{epsg}</SRS>
<CRS>EPSG:{epsg}</CRS>
{layers}</Layer>
</Capability>
</WMT_MS_Capabilities>
"""

_REQUEST = """\
<{name}>
{formats}<DCPType>
<HTTP>
<Get>
{online}
</Get>
</HTTP>
</DCPType>
</{name}>
"""

_REQUESTS = {
    "GetCapabilities": ("application/vnd.ogc.wms_xml",),
    "GetMap": ("image/jpeg", "image/png"),
    "GetTileService": ("text/xml",),
}

_LAYER = """\
<Layer queryable="0">
<Name>{identifier}</Name>
<Title xml:lang="en">{title}</Title>
<Abstract xml:lang="en">{identifier} abstract</Abstract>
{box}
<Style>
<Name>default</Name>
<Title xml:lang="en">(default) Default style</Title>
</Style>
<ScaleHint min="10" max="100"/>
<MinScaleDenominator>100</MinScaleDenominator>
</Layer>
"""


def group_name(layer_id: str) -> str:
    """Return the ``TiledGroupName`` of a layer, as GDAL's TiledWMS driver is given it.

    Examples
    --------
    >>> group_name("MODIS_Aqua_CorrectedReflectance_TrueColor")
    'MODIS Aqua CorrectedReflectance TrueColor tileset'
    """
    return f"{layer_id.replace('_', ' ')} tileset"


def tile_service(layers: Iterable[ServedLayer], epsg: int, address: str) -> bytes:
    """Write the GetTileService document, without an XML declaration.

    Parameters
    ----------
    layers : iterable of ServedLayer
        Those without tiles in the projection are left out.
    epsg : int
    address : str
        Of the service, up to the last slash; GDAL asks it for tiles.

    Returns
    -------
    bytes
        One ``TiledGroup`` a layer, finest ``TilePattern`` first.

    Raises
    ------
    UnknownGridError
        If a layer's tile matrix set is not one of GIBS's.
    """
    online, box = _online(address), _box(epsg)
    groups = (
        _GROUP.format(
            name=escape(group_name(layer.identifier)),
            identifier=escape(layer.identifier),
            title=escape(layer.title or layer.identifier),
            wkt=escape(_wkt(epsg)),
            bands=_BANDS[layer.image_format],
            box=box,
            patterns="".join(
                f"      <TilePattern>{escape(text)}</TilePattern>\n"
                for text in tile_patterns(layer, epsg)
            ),
        )
        for layer in layers
        if epsg in layer.matrix_sets
    )
    text = _TILE_SERVICE.format(online=online, box=box, groups="".join(groups))
    return text.encode()


def tile_patterns(layer: ServedLayer, epsg: int) -> tuple[str, ...]:
    """Return the request of each level's top left tile, finest first.

    Each is two lines, with time and without; a layer without time has the latter alone.

    Raises
    ------
    UnknownGridError
        If the layer's tile matrix set is not one of GIBS's.

    Notes
    -----
    Sizes are OnEarth's: it takes every scale denominator for one on the equator, so in EPSG:3413
    and 3031 the boxes are wrong (the coarsest is 877963 m wide, a tile there has 4194304 m), and
    no client can use TWMS there.

    Examples
    --------
    >>> layer = ServedLayer("A", "jpg", {4326: "16km"}, is_static=True)
    >>> tile_patterns(layer, 4326)[0].partition("&styles=")[2]
    '&width=512&height=512&bbox=-180.000000,18.000000,-108.000000,90.000000'
    """
    matrix_set = tile_matrix_set(epsg, layer.matrix_sets[epsg])
    start = (
        f"request=GetMap&layers={layer.identifier}&srs=EPSG:{epsg}"
        f"&format={MEDIA_TYPES[layer.image_format]}&styles="
    )
    patterns = []
    for matrix in reversed(matrix_set.matrices):
        box = ",".join(map(_number, _first_box(matrix_set, matrix)))
        size = f"&width={matrix.tile_size}&height={matrix.tile_size}&bbox={box}"
        timed = "" if layer.is_static else f"{start}&time=${{time}}{size}\n"
        patterns.append(f"{timed}{start}{size}")
    return tuple(patterns)


def capabilities(layers: Iterable[ServedLayer], epsg: int, address: str) -> bytes:
    """Write the Tiled WMS's own GetCapabilities document (the form of WMS 1.1.1).

    Parameters
    ----------
    layers : iterable of ServedLayer
        Those without tiles in the projection are left out.
    epsg : int
    address : str
        Of the service, up to the last slash.
    """
    cgi = _online(f"{address}twms.cgi?")
    requests = (
        _REQUEST.format(
            name=name,
            formats="".join(f"<Format>{text}</Format>\n" for text in formats),
            online=cgi,
        )
        for name, formats in _REQUESTS.items()
    )
    listed = (
        _LAYER.format(
            identifier=escape(layer.identifier),
            title=escape(layer.title or layer.identifier),
            box=_box(epsg),
        )
        for layer in layers
        if epsg in layer.matrix_sets
    )
    text = _CAPABILITIES.format(
        online=_online(address), requests="".join(requests), epsg=epsg, layers="".join(listed)
    )
    return text.encode()


def _first_box(matrix_set: TileMatrixSet, matrix: TileMatrix) -> tuple[float, float, float, float]:
    """West, south, east, north of the top left tile, as OnEarth works it out."""
    extent = matrix_set.extent
    metres = matrix_set.scale_denominator(matrix.level) * 0.28e-3
    around = _EQUATOR_M / metres  # pixels
    width = (extent.east - extent.west) * matrix.tile_size / around
    down = around / 2 if matrix_set.epsg == 4326 else around
    height = (extent.north - extent.south) * matrix.tile_size / down
    return (extent.west, extent.north - height, extent.west + width, extent.north)


def _number(value: float) -> str:
    """Six decimals; OnEarth writes what is between -1 and 1 as 0."""
    return "0" if -1 < value < 1 else f"{value:.6f}"


def _online(address: str) -> str:
    return f"<OnlineResource {_XLINK} xlink:href={quoteattr(address)}/>"


def _box(epsg: int) -> str:
    """The projection's whole extent, in its own units in spite of the element's name."""
    extent = tile_matrix_set(epsg, tile_matrix_sets(epsg)[0]).extent
    west, south, east, north = extent.as_tuple()
    return f'<LatLonBoundingBox minx="{west}" miny="{south}" maxx="{east}" maxy="{north}"/>'


@lru_cache(maxsize=4)
def _wkt(epsg: int) -> str:
    from pyproj import CRS  # noqa: PLC0415
    from pyproj.enums import WktVersion  # noqa: PLC0415

    return str(CRS.from_epsg(epsg).to_wkt(WktVersion.WKT1_GDAL))
