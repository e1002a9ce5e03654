"""Pictures of which nothing may be said though they can be read: damaged, or without information.

Such a day is `incomplete`, never `anomalous` and never `clean`; no other day is compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gibswatch.archive.standing import verdict_of_tiles
from gibswatch.detect.verdict import Judgement
from gibswatch.raster.blank import blankness
from gibswatch.raster.blockiness import DamagedBlocks, damaged_blocks, lattice_row
from gibswatch.raster.scene import Scene
from gibswatch.scan.pictures import Picture
from gibswatch.types import Georeference, IncompleteCause

__all__ = ["Doubt", "doubt_about"]

_IMAGERY = "CorrectedReflectance"
"""Layers whose pictures have thousands of colours."""
_WIDE_DEG = 5.0
"""Sides of a picture from which on nature is never of a few colours: snow or sea of 500 km."""
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why nothing is said of a picture."""

    reason: str
    """One sentence: what it is, and the way out."""
    cause: IncompleteCause | None
    is_damage: bool = False
    """Whether something was lost on the way, so that what it shows is not what was there."""

    @property
    def judgement(self) -> Judgement:
        """The verdict of its day."""
        return Judgement("incomplete", 0.0, self.reason, self.cause)


def doubt_about(picture: Picture, scene: Scene) -> Doubt | None:
    """Look at a picture for damaged JPEG blocks, and for information.

    Parameters
    ----------
    picture : Picture
    scene : Scene
        What it shows.

    Returns
    -------
    Doubt or None
        None if there is no doubt, and where the states of the tiles already tell.
    """
    if scene.image_format != "jpg" or verdict_of_tiles(picture.tiles)[0] is not None:
        return None
    if _IMAGERY in scene.layer and _is_wide(scene.georeference):
        words = blankness(scene.pixels)
        if words:
            return Doubt(_blank(words, picture), "server" if picture.tiles else None)
    found = damaged_blocks(scene.pixels, first_row=lattice_row(scene.georeference))
    return None if found is None else Doubt(_damaged(found, picture), "network", is_damage=True)


def _is_wide(georeference: Georeference) -> bool:
    unit = 1.0 if georeference.epsg == 4326 else _METRES_PER_DEGREE
    box = georeference.bbox
    return min(box.east - box.west, box.north - box.south) >= _WIDE_DEG * unit


def _blank(words: str, picture: Picture) -> str:
    return f"The picture carries no information: {words}; {_way_out(picture)}."


def _damaged(found: DamagedBlocks, picture: Picture) -> str:
    rows, cols = found.rows, found.cols
    where = f"rows {rows.start}-{rows.stop - 1}, columns {cols.start}-{cols.stop - 1}"
    return f"The picture is suspect: its JPEG blocks are damaged ({where}); {_way_out(picture)}."


def _way_out(picture: Picture) -> str:
    if not picture.tiles:
        return "get the picture again"
    return (
        f"delete {picture.file} and download the day again; "
        "if it comes the same, the service has it so"
    )
