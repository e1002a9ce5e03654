"""The archive as a person sees it: which days are there, and each as a scene."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gibswatch.archive.journal.journal import DayRecord, Journal
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.windows import Grid, GridKind, plan_grid
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import ArchiveError, DateRangeError
from gibswatch.files import storage_errors
from gibswatch.raster.scene import Scene
from gibswatch.types import BBox, ImageFormat, PictureFormat

__all__ = ["Archive", "choose_grid", "open_archive"]


class Archive:
    """A folder that `download_days` filled.

    Parameters
    ----------
    root : Path
        The archive's root (`--output-dir`).
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def layers(self, epsg: int = 4326) -> list[str]:
        """Identifiers of the layers that have a journal in this projection, sorted."""
        journals = (self.root / str(check_epsg(epsg)) / ".gibswatch").glob("*.sqlite")
        return sorted(path.stem for path in journals)

    def grid(self, layer: str, epsg: int = 4326) -> Grid | None:
        """The grid that the folder holds of a layer, or None if it holds none."""
        layout = self._layout(layer, epsg)
        if not _has_journal(layout):
            return None
        with Journal(layout.journal) as journal:
            return journal.grid

    def records(self, layer: str, epsg: int = 4326) -> dict[dt.date, DayRecord]:
        """What the journal knows of each day gone through, in order."""
        layout = self._layout(layer, epsg)
        if not _has_journal(layout):
            return {}
        with Journal(layout.journal) as journal:
            return journal.days()

    def days(self, layer: str, epsg: int = 4326) -> list[dt.date]:
        """Days gone through, in order; those with missing tiles too."""
        return list(self.records(layer, epsg))

    def scene(self, layer: str, day: dt.date | str, epsg: int = 4326) -> Scene:
        """Read one day.

        Parameters
        ----------
        layer : str
        day : datetime.date or str
            YYYY-MM-DD where text.
        epsg : {4326, 3413, 3031, 3857}

        Raises
        ------
        ArchiveError
            If the archive does not hold the day, or not as the journal says.
        DecodeError
            If a picture is damaged.
        DateRangeError
            If the day is a text that is no date.
        """
        day = _as_day(day)
        layout = self._layout(layer, epsg)
        if not _has_journal(layout):
            raise ArchiveError(f"{self.root} holds no {layout.layer} in EPSG:{epsg}: download it")
        with Journal(layout.journal) as journal:
            record, grid = journal.day(day), journal.grid
            if record is None or grid is None:
                raise ArchiveError(f"{self.root} holds no {layout.layer} of {day}: download it")
            tiles = journal.tiles(day)
        known = find_picture_layer(layout.layer)
        plan = plan_grid(grid, known.matrix_set(grid.epsg))
        return PictureStore(layout, plan, known.format).read(record, tiles)

    def _layout(self, layer: str, epsg: int) -> Layout:
        return Layout(self.root, find_picture_layer(layer).identifier, check_epsg(epsg))


def open_archive(root: Path | str = "data") -> Archive:
    """Open the archive under `root`.

    Raises
    ------
    ArchiveError
        If there is no such folder.
    """
    path = Path(root)
    if not path.is_dir():
        raise ArchiveError(f"{path} is no folder: name the --output-dir of a download")
    return Archive(path)


def _as_day(day: dt.date | str) -> dt.date:
    if isinstance(day, str):
        try:
            return dt.date.fromisoformat(day)
        except ValueError as error:
            raise DateRangeError(f"{day[:40]!r} is not a date: give YYYY-MM-DD") from error
    return day.date() if isinstance(day, dt.datetime) else day


def _has_journal(layout: Layout) -> bool:
    with storage_errors(layout.root):  # a name that is too long is no name of a folder
        return layout.journal.is_file()


def choose_grid(
    held: Grid | None,
    default: Grid,
    *,
    kind: GridKind | None = None,
    tile_resolution: str | None = None,
    bbox: BBox | None = None,
    tiled: bool | None = None,
    tile_level: int | None = None,
    picture_format: PictureFormat | None = None,
    own_format: ImageFormat | None = None,
) -> Grid:
    """Settle on a grid: what is asked for, else what the folder holds, else the default.

    Parameters
    ----------
    held : Grid or None
        What the folder holds of the layer.
    default : Grid
        For an empty folder.
    kind, tile_resolution, bbox, tiled, tile_level, picture_format
        What is asked for; None leaves it open.  The level of a folder's grid is none of another
        kind's.
    own_format : {"jpg", "png"}, optional
        The layer's own format: to ask for it is to ask for no other.
    """
    base = held or default
    wanted = None if picture_format == own_format else picture_format
    same_kind = kind in (None, base.kind)
    return Grid(
        base.kind if kind is None else kind,
        base.epsg,
        base.tile_resolution if tile_resolution is None else tile_resolution,
        base.bbox if bbox is None else bbox,
        base.tiled if tiled is None else tiled,
        (base.tile_level if same_kind else None) if tile_level is None else tile_level,
        base.picture_format if picture_format is None else wanted,
    )
