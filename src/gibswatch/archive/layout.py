"""Where everything of one layer and projection lies: the predecessor's layout, and ours beside it.

::

    {root}/{epsg}/{YYYY-MM-DD}/{Layer}.jpg                       one stitched picture a day
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}.wld                       its world file
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}.partial.jpg               a day that is not whole
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}_Mask.png                  what was found, index = kind
    {root}/{epsg}/{YYYY-MM-DD}/tiles/{Layer}_Tile_{col}-{row}.jpg            predecessor's grid
    {root}/{epsg}/{YYYY-MM-DD}/tiles/{Set}-{level}/{Layer}_Tile_{col}-{row}.jpg     native grid
    {root}/{epsg}/.gibswatch/{Layer}.sqlite                      the journal
    {root}/{epsg}/scans/{Layer}/                                 tables and report of the last scan
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.files import safe_name
from gibswatch.types import Epsg

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one layer in one projection under one root."""

    root: Path
    layer: str
    epsg: Epsg

    def __post_init__(self) -> None:
        safe_name(self.layer, what="layer")

    @property
    def journal(self) -> Path:
        """The SQLite file with the state of every tile."""
        return self.root / str(self.epsg) / ".gibswatch" / f"{self.layer}.sqlite"

    @property
    def scan_folder(self) -> Path:
        """Where a scan puts its tables and its report."""
        return self.root / str(self.epsg) / "scans" / self.layer

    def day_folder(self, day: dt.date) -> Path:
        """The folder of one day, shared by all layers."""
        return self.root / str(self.epsg) / day.isoformat()

    def picture(self, day: dt.date, extension: str, *, complete: bool = True) -> Path:
        """The stitched picture; another name while some of its tiles are missing."""
        name = f"{self.layer}.{extension}" if complete else f"{self.layer}.partial.{extension}"
        return self.day_folder(day) / name

    def world_file(self, day: dt.date) -> Path:
        """The world file of the stitched picture, under the name that GDAL writes."""
        return self.day_folder(day) / f"{self.layer}.wld"

    def mask(self, day: dt.date) -> Path:
        """The mask of what was found."""
        return self.day_folder(day) / f"{self.layer}_Mask.png"

    def tile(self, day: dt.date, plan: GridPlan, tile: TileIndex, extension: str) -> Path:
        """One tile: of the output grid (predecessor's) or as served (native)."""
        folder = self.day_folder(day) / "tiles"
        if plan.grid.kind == "native":
            folder /= f"{plan.matrix_set.identifier}-{plan.source.level}"
        return folder / f"{self.layer}_Tile_{tile.col}-{tile.row}.{extension}"
