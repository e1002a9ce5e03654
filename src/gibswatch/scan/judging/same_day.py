"""Other pictures of a day in the archive whose colours can be compared with a layer's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive
from gibswatch.detect.context import OtherPicture
from gibswatch.errors import ArchiveError
from gibswatch.raster.observe import observe
from gibswatch.raster.scene import Scene
from gibswatch.scan.judging.orbits import imaging_satellite
from gibswatch.scan.judging.siblings import read_sibling
from gibswatch.scan.normals import nearest_era, normals_path, read_normals
from gibswatch.scan.pictures import ArchivedDay, PictureRef

__all__ = ["comparable", "pictures_of"]

_BANDS: Mapping[str, str] = MappingProxyType(
    {
        "TrueColor": "red, green, blue",
        "Bands721": "swir, nir, red",
        "BandsM11-I2-I1": "swir, nir, red",
        "Bands367": "blue, swir, swir",
        "BandsM3-I3-M11": "blue, swir, swir",
    }
)
"""What a product shows as red, green and blue, alike for MODIS and VIIRS."""


def comparable(layer: str, other: str) -> bool:
    """Whether the colours of two layers say something of each other.

    Those of other satellites with the same bands do, and those of the same one with others.

    >>> comparable("VIIRS_SNPP_CorrectedReflectance_TrueColor",
    ...            "MODIS_Aqua_CorrectedReflectance_TrueColor")
    True
    >>> comparable("VIIRS_SNPP_CorrectedReflectance_TrueColor",
    ...            "MODIS_Aqua_CorrectedReflectance_Bands721")
    False
    """
    mine, its = imaging_satellite(layer), imaging_satellite(other)
    if mine is None or its is None or layer == other:
        return False
    bands, others = (_BANDS.get(name.rpartition("_")[2]) for name in (layer, other))
    return mine == its or (bands is not None and bands == others)


def pictures_of(ref: PictureRef, scene: Scene) -> tuple[OtherPicture, ...]:
    """Read the other pictures of a day; none of loose files.

    Parameters
    ----------
    ref : PictureRef
    scene : Scene
        The day itself.
    """
    if not isinstance(ref, ArchivedDay):
        return ()
    names = (name for name in Archive(ref.root).layers(ref.epsg) if comparable(scene.layer, name))
    read = partial(read_sibling, ref.root, day=ref.date, epsg=ref.epsg, scene=scene)
    return tuple(_other(ref, found) for name in names if (found := read(name)) is not None)


def _other(ref: ArchivedDay, scene: Scene) -> OtherPicture:
    try:
        eras = read_normals(normals_path(Layout(ref.root, scene.layer, ref.epsg)))
    except ArchiveError:  # its own scan says so
        eras = {}
    return OtherPicture(scene, observe(scene)[1], nearest_era(eras, ref.date))
