"""On which grid an archive lies whose journal cannot be asked."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

from gibswatch.archive.journal.grid_file import grid_from_text, read_grid_file
from gibswatch.archive.layout import Layout
from gibswatch.archive.upkeep.check import day_folders, find_files
from gibswatch.catalogue.grids import PREDECESSOR_TABLE, native_level
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.errors import ArchiveError, UnknownGridError

__all__ = ["find_grid"]


def find_grid(layout: Layout, layer: Layer) -> Grid:
    """Ask the file beside the journal, the journal itself, then the folders of native tiles.

    Raises
    ------
    ArchiveError
        If none of them tells.
    """
    for grid in (read_grid_file(layout.grid_file), _grid_of_journal(layout.journal)):
        if grid is not None and grid.epsg == layout.epsg:
            return grid
    grid = _grid_of_folders(layout, layer)
    if grid is None:
        raise ArchiveError(
            f"nothing tells on which grid {layout.layer} lies in {layout.root}: {layout.grid_file} "
            "is not there, or damaged: write it as another layer's archive on the same grid has "
            "it, use `gibswatch verify --adopt` for pictures that gibs-ml made, or download into "
            "another --output-dir"
        )
    return grid


def _grid_of_journal(path: Path) -> Grid | None:
    """What a damaged journal may still say of its grid; it is not changed by being asked."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "journal.sqlite"
            shutil.copyfile(path, copy)
            database = sqlite3.connect(copy)
            try:
                row = database.execute("select value from meta where key = 'grid'").fetchone()
                return None if row is None else grid_from_text(row[0])
            finally:
                database.close()
    except (OSError, sqlite3.Error, ValueError, TypeError):
        return None


def _grid_of_folders(layout: Layout, layer: Layer) -> Grid | None:
    """Tell the grid by native tiles, if they lie on one level and some day has the whole globe."""
    matrix_set = layer.matrix_set(layout.epsg)
    folder = re.compile(rf"{re.escape(matrix_set)}-(\d{{1,2}})", re.ASCII)
    found: Counter[str] = Counter()  # the most tiles that any day has in such a folder
    for day in day_folders(layout):
        here = Counter(path.parent.name for path in find_files(layout, day))
        found |= here
    if len(found) != 1:
        return None
    [(name, most)] = found.items()
    match = folder.fullmatch(name)
    resolutions = dict.fromkeys(row.tile_resolution for row in PREDECESSOR_TABLE)
    for resolution in resolutions if match else ():
        grid = Grid("native", layout.epsg, resolution, tiled=True)
        try:
            level = native_level(layout.epsg, resolution)
            tiles = len(plan_grid(grid, matrix_set).source_tiles())
        except UnknownGridError:
            continue
        if match is not None and level == int(match[1]) and tiles == most:
            return grid
    return None
