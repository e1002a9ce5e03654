"""The predecessor's `GIBSLayer` under its old names, so that notebooks written for it still run.

New code takes `gibswatch.catalogue.layers.find_layer`: it says what is wrong with a name, where
this class returns None as it always did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gibswatch.catalogue.layers import Layer, find_layer
from gibswatch.catalogue.service_xml import ServiceProtocol, parse_moment, service_xml
from gibswatch.errors import UnknownGridError, UnknownLayerError

__all__ = ["GIBSLayer"]

_DATED = re.compile(r"\d{4}-.*", re.ASCII)
_FORMAT_NAMES = {"jpg": "JPEG", "png": "PNG", "mvt": "MVT"}


@dataclass(unsafe_hash=True)
class GIBSLayer:
    """A layer in geographic projection, described in the predecessor's words."""

    layer: Layer
    """Our own record of it."""
    gibs_xml: str = field(default="", compare=False)
    """The service file that `generate_xml` made last; empty before."""

    @classmethod
    def get_gibs_layer(cls, layer_name: str) -> GIBSLayer | None:
        """Return the layer of that name, old or new, or None if GIBS has none.

        Examples
        --------
        >>> layer = GIBSLayer.get_gibs_layer("VIIRS_SNPP_CorrectedReflectance_TrueColor")
        >>> layer.date_min, layer.format, layer.tilematrixset
        ('2015-11-24', 'JPEG', '250m')
        """
        try:
            return cls(find_layer(layer_name))
        except UnknownLayerError:
            return None

    @property
    def title(self) -> str:
        """What the layer shows, in words."""
        return self.layer.title

    @property
    def layer_name(self) -> str:
        """Identifier that GIBS uses today."""
        return self.layer.identifier

    @property
    def epsg(self) -> str:
        """Projection: always ``4326``."""
        return "4326"

    @property
    def format(self) -> str:
        """``JPEG``, ``PNG`` or ``MVT``."""
        return _FORMAT_NAMES[self.layer.format]

    @property
    def format_suffix(self) -> str:
        """Ending of the file name, without the dot."""
        return self.layer.extension

    @property
    def tilematrixset(self) -> str:
        """Tile matrix set, e.g. ``250m``; empty where the layer has no tiles in EPSG:4326."""
        return self.layer.projections.get(4326, "")

    @property
    def time(self) -> str:
        """Latest day that the catalogue knows, ``YYYY-MM-DD``; empty for a layer without time."""
        return str(self.layer.last_known_date or "")

    @property
    def date_min(self) -> str:
        """First day, ``YYYY-MM-DD``; empty for a layer without time."""
        return str(self.layer.start_date or "")

    def generate_xml(
        self,
        protocol: ServiceProtocol,
        epsg: str | int = "4326",
        tile_resolution: str | None = None,
        datestring: str | None = None,
    ) -> str:
        """Make the service file with which GDAL opens the layer, keep it as `gibs_xml`, return it.

        The predecessor's older calls without `tile_resolution` work too, as
        ``generate_xml(protocol, datestring)`` and ``generate_xml(protocol, epsg, datestring)``.
        TiledWMS has all levels, whatever `tile_resolution` says.

        Parameters
        ----------
        protocol : {"tms", "twms", "wmts"}
            As for `service_xml`, which says what each text is.
        epsg : str or int
            Projection, e.g. ``"4326"``.
        tile_resolution : str, optional
            Finest level to offer, e.g. ``16km``; default the layer's own.
        datestring : str, optional
            ``YYYY-MM-DD``, or ``YYYY-MM-DDThh:mm:ssZ`` for a layer of several pictures a day.

        Raises
        ------
        UsageError
            As `service_xml` does.

        Examples
        --------
        >>> layer = GIBSLayer.get_gibs_layer("VIIRS_SNPP_CorrectedReflectance_TrueColor")
        >>> xml = layer.generate_xml("tms", "4326", "16km", "2023-08-07")
        >>> "<TileLevel>2</TileLevel>" in xml and xml == layer.gibs_xml
        True
        """
        if datestring is None and _DATED.fullmatch(str(epsg)):
            epsg, datestring = "4326", str(epsg)
        elif datestring is None and tile_resolution and _DATED.fullmatch(tile_resolution):
            tile_resolution, datestring = None, tile_resolution
        self.gibs_xml = service_xml(
            self.layer,
            protocol,
            epsg=_epsg_code(epsg),
            day=None if datestring is None else parse_moment(datestring),
            tile_resolution=None if protocol == "twms" else tile_resolution,
        )
        return self.gibs_xml


def _epsg_code(text: str | int) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UnknownGridError(
            f"epsg {text!r} is not a number: give '4326', '3413', '3031' or '3857'"
        ) from error
