"""Other layers of the same satellite, day and grid in the archive: second witnesses of no data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from gibswatch.archive.reader import Archive
from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.layers import Layer, find_layer
from gibswatch.detect.context import Witness
from gibswatch.detect.missing.witness import raw_black
from gibswatch.errors import ArchiveError, DecodeError, UsageError
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.scan.pictures import ArchivedDay, PictureRef
from gibswatch.sky.satellites import satellite_of

__all__ = ["mask_layer_name", "mask_layer_of", "read_sibling", "siblings", "true_colour_of"]

_Ask = Callable[[], Witness | None]


def mask_layer_name(layer: str) -> str | None:
    """Name of the ``Data_No_Data`` layer of a layer's satellite; None if it has none.

    >>> mask_layer_name("MODIS_Terra_CorrectedReflectance_Bands721")
    'MODIS_Terra_Data_No_Data'
    """
    satellite = satellite_of(layer)
    if satellite is None or satellite.instrument != "MODIS":
        return None
    name = f"MODIS_{satellite.name}_Data_No_Data"
    return None if name == layer else name


def mask_layer_of(layer: str, epsg: int) -> Layer:
    """Return the mask layer that ``--with-mask`` downloads.

    Raises
    ------
    UsageError
        If the satellite of the layer has none, or none in this projection.
    """
    name = mask_layer_name(layer)
    if name is None:
        raise UsageError(
            f"--with-mask: GIBS has a layer of no data for MODIS on Terra and Aqua alone, not for "
            f"{layer}: leave --with-mask out"
        )
    known = find_layer(name)
    if not known.projections.get(epsg):
        held = ", ".join(str(code) for code, tiles in sorted(known.projections.items()) if tiles)
        raise UsageError(
            f"--with-mask: GIBS has no {name} in EPSG:{epsg} (only in {held}): leave it out"
        )
    return known


def true_colour_of(layer: str) -> str | None:
    """Name of the true colour of a layer's satellite; None if the layer is that, or has none.

    >>> true_colour_of("MODIS_Terra_CorrectedReflectance_Bands721")
    'MODIS_Terra_CorrectedReflectance_TrueColor'
    """
    head, found, _ = layer.partition("CorrectedReflectance_")
    name = f"{head}{found}TrueColor"
    return name if found and satellite_of(layer) is not None and name != layer else None


def siblings(ref: PictureRef, scene: Scene) -> tuple[_Ask, _Ask]:
    """Return what asks for the mask layer of a day, and for its true colour.

    Parameters
    ----------
    ref : PictureRef
        Of the day; only days of an archive have siblings.
    scene : Scene
        The day itself.

    Returns
    -------
    mask_layer, true_colour : callable
        As in `gibswatch.detect.Context`; each reads its layer once, when first asked.  None where
        the archive has not all of its day, or has it on another grid.
    """
    if not isinstance(ref, ArchivedDay):
        return _nobody, _nobody

    def _named(name: str | None) -> Scene | None:
        if name is None:
            return None
        return read_sibling(ref.root, name, day=ref.date, epsg=ref.epsg, scene=scene)

    @cache
    def mask_layer() -> Witness | None:
        other = _named(mask_layer_name(scene.layer))
        if other is None or other.pixels.shape[2] < 4:
            return None
        return Witness(other.layer, np.asarray(other.pixels[..., 3] > 0))

    @cache
    def true_colour() -> Witness | None:
        other = _named(true_colour_of(scene.layer))
        return None if other is None else Witness(other.layer, raw_black(other))

    return mask_layer, true_colour


def _nobody() -> Witness | None:
    """Loose files have no siblings."""
    return None


def read_sibling(root: Path, layer: str, *, day: dt.date, epsg: int, scene: Scene) -> Scene | None:
    """Read another layer's picture of a day; a doubtful one is no witness.

    Parameters
    ----------
    root : Path
        Of the archive.
    layer : str
        The other one's identifier.
    day : datetime.date
    epsg : int
    scene : Scene
        The day itself: the other must be on its grid.
    """
    archive = Archive(root)
    try:
        if archive.grid(layer, check_epsg(epsg)) is None:
            return None
        other = archive.scene(layer, day, epsg)
    except (ArchiveError, DecodeError, UsageError):
        return None
    same_grid = other.georeference == scene.georeference
    whole = bool((other.state == STATE_CODES["ok"]).all())
    return other if same_grid and whole else None
