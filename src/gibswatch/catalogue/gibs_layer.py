"""The predecessor's `GIBSLayer` under its old names, so that notebooks written for it still run.

New code takes `gibswatch.catalogue.layers.find_layer`: it says what is wrong with a name, where
this class returns None as it always did.
"""

from __future__ import annotations

from dataclasses import dataclass

from gibswatch.catalogue.layers import Layer, find_layer
from gibswatch.errors import UnknownLayerError

__all__ = ["GIBSLayer"]

_FORMAT_NAMES = {"jpg": "JPEG", "png": "PNG", "mvt": "MVT"}


@dataclass(frozen=True)
class GIBSLayer:
    """A layer in geographic projection, described in the predecessor's words."""

    layer: Layer
    """Our own record of it."""

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
