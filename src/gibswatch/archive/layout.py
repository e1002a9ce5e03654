"""Where everything of one layer and projection lies: the predecessor's layout, and ours beside it.

::

    {root}/{epsg}/{YYYY-MM-DD}/{Layer}.jpg                       one stitched picture a day
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}.wld                       its world file
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}.partial.jpg               a day that is not whole
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}_Mask.png                  what was found, index = kind
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}_Mask.tif                  the same as COG
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}_Reason.tif                why each pixel is black
    {root}/{epsg}/{YYYY-MM-DD}/{Layer}_Missing_Data.png          the predecessor's masks
    {root}/{epsg}/{YYYY-MM-DD}/tiles/{Layer}_Tile_{col}-{row}.jpg            predecessor's grid
    {root}/{epsg}/{YYYY-MM-DD}/tiles/{Set}-{level}/{Layer}_Tile_{col}-{row}.jpg     native grid
    {root}/{epsg}/.gibswatch/{Layer}.sqlite                      the journal
    {root}/{epsg}/.gibswatch/{Layer}.lock                        who writes here now
    {root}/{epsg}/.gibswatch/{Layer}.grid.json                   the grid, for a lost journal
    {root}/{epsg}/.gibswatch/{Layer}.simulated.json              what simulated days were drawn from
    {root}/{epsg}/.gibswatch/{Layer}.fits.json                   orbits fitted to the imagery
    {root}/{epsg}/.gibswatch/{Layer}.colours.json                colours that are usual, by quarters
    {root}/{epsg}/.gibswatch/{Layer}.labelled.json               codes that we wrote ourselves
    {root}/{epsg}/.gibswatch/{Layer}.not-ok.csv                  tiles that did not come
    {root}/{epsg}/.gibswatch/set-aside/                          what a repair took out
    {root}/{epsg}/scans/{Layer}/                                 tables and report of the last scan
    {root}/{epsg}/features/{Layer}.parquet                       a vector of features a day

No path leads out of the root: a name with another meaning is refused when the layout is made, and a
link under the root that leads out of it when a path through it is asked for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.files import safe_name, within
from gibswatch.types import Epsg

__all__ = ["Layout", "tile_folder"]

_SCAN_FILES = (
    "days.csv", "days.parquet", "findings.parquet", "labels.html", "report.html", "scan.json",
)  # fmt: skip
_TRUE_COLOUR = "_TrueColor"


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one layer in one projection under one root.

    Raises
    ------
    UnsafeNameError
        If the layer's name cannot be one component of a path.
    UnknownGridError
        If GIBS has no such projection.
    OutputError
        By everything that gives a path, if a link on the way leads out of the root.
    """

    root: Path
    layer: str
    epsg: Epsg

    def __post_init__(self) -> None:
        safe_name(self.layer, what="layer")
        check_epsg(self.epsg)

    @property
    def journal(self) -> Path:
        """The SQLite file with the state of every tile."""
        return self._record(f"{self.layer}.sqlite")

    @property
    def lock(self) -> Path:
        """The file that whoever writes holds locked."""
        return self._record(f"{self.layer}.lock")

    @property
    def grid_file(self) -> Path:
        """The grid that the journal holds, once more: a damaged journal is rebuilt by it."""
        return self._record(f"{self.layer}.grid.json")

    @property
    def not_ok_list(self) -> Path:
        """The table of all tiles that are not there, with the reason of each."""
        return self._record(f"{self.layer}.not-ok.csv")

    @property
    def simulated_mark(self) -> Path:
        """What the days were drawn from, where they are simulated: none of them is downloaded."""
        return self._record(f"{self.layer}.simulated.json")

    @property
    def set_aside(self) -> Path:
        """The folder that takes what a repair found in a file's place; nothing is deleted."""
        return self._record("set-aside")

    @property
    def scan_folder(self) -> Path:
        """Where a scan puts its tables and its report; none of them is a link out of the root."""
        for name in _SCAN_FILES:
            self._path("scans", self.layer, name)
        return self._path("scans", self.layer)

    @property
    def feature_table(self) -> Path:
        """Where the features of all days go unless another file is named."""
        return self._path("features", f"{self.layer}.parquet")

    def day_folder(self, day: dt.date) -> Path:
        """The folder of one day, shared by all layers."""
        return self._path(day.isoformat())

    def picture(self, day: dt.date, extension: str, *, complete: bool = True) -> Path:
        """The stitched picture; another name while some of its tiles are missing."""
        name = f"{self.layer}.{extension}" if complete else f"{self.layer}.partial.{extension}"
        return self._path(day.isoformat(), name)

    def world_file(self, day: dt.date) -> Path:
        """The world file of the stitched picture, under the name that GDAL writes."""
        return self._path(day.isoformat(), f"{self.layer}.wld")

    def mask(self, day: dt.date) -> Path:
        """The mask of what was found."""
        return self._path(day.isoformat(), f"{self.layer}_Mask.png")

    def mask_tif(self, day: dt.date) -> Path:
        """The mask once more, as Cloud Optimized GeoTIFF."""
        return self._path(day.isoformat(), f"{self.layer}_Mask.tif")

    def reason_tif(self, day: dt.date) -> Path:
        """Why each pixel of the picture is black."""
        return self._path(day.isoformat(), f"{self.layer}_Reason.tif")

    def compat_mask(self, day: dt.date, what: str) -> Path:
        """A mask as the predecessor named it: without the product where that is true colour.

        Parameters
        ----------
        day : datetime.date
        what : str
            ``Missing_Data`` or ``Miscoloration``.
        """
        name = self.layer.removesuffix(_TRUE_COLOUR)
        return self._path(day.isoformat(), f"{name}_{what}.png")

    def tile(self, day: dt.date, plan: GridPlan, tile: TileIndex, extension: str) -> Path:
        """One tile: of the output grid (predecessor's) or as served (native)."""
        name = f"{self.layer}_Tile_{tile.col}-{tile.row}.{extension}"
        return self._path(day.isoformat(), *tile_folder(plan), name)

    def _record(self, name: str) -> Path:
        return self._path(".gibswatch", name)

    def _path(self, *parts: str) -> Path:
        return within(self.root, str(self.epsg), *parts)


def tile_folder(plan: GridPlan) -> tuple[str, ...]:
    """Names of the folders between a day's and its tiles."""
    if plan.grid.kind == "native":
        return ("tiles", f"{plan.matrix_set.identifier}-{plan.source.level}")
    return ("tiles",)
