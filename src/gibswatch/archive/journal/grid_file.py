"""A grid as text: in the journal, and in a file beside it for the day the journal is lost."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import get_args

from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.windows import Grid, GridKind
from gibswatch.files import write_bytes
from gibswatch.types import PICTURE_FORMATS, BBox

__all__ = ["grid_from_text", "grid_text", "read_grid_file", "write_grid_file"]


def grid_text(grid: Grid) -> str:
    """Return a grid as JSON."""
    return json.dumps(asdict(grid))


def grid_from_text(text: str) -> Grid:
    """Read what `grid_text` wrote; a field that an older version did not know is its default.

    Raises
    ------
    ValueError
        If the text is not a grid, or one of a later version.
    """
    try:
        values = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{text[:80]!r} is no grid") from error
    names = {field.name for field in fields(Grid)}
    if not isinstance(values, dict) or not set(values) <= names:
        raise ValueError(f"{text[:80]!r} is no grid")
    if not {"kind", "epsg", "tile_resolution"} <= set(values):
        raise ValueError(f"grid {text[:80]!r} lacks its kind, projection or resolution")
    if values["kind"] not in get_args(GridKind) or not isinstance(values["tile_resolution"], str):
        raise ValueError(f"grid {text[:80]!r} has a kind or resolution that there is not")
    level, stored = values.get("tile_level"), values.get("picture_format")
    if not isinstance(level, int | None) or stored not in (None, *PICTURE_FORMATS):
        raise ValueError(f"grid {text[:80]!r} has a level or format that there is not")
    values["epsg"] = check_epsg(values["epsg"])
    values["bbox"] = _bbox(values.get("bbox"))
    values["tiled"] = values.get("tiled", False) is True
    return Grid(**values)


def _bbox(values: object) -> BBox | None:
    if values is None:
        return None
    edges = {"west", "south", "east", "north"}
    if not isinstance(values, dict) or set(values) != edges:
        raise ValueError(f"{str(values)[:80]} is no box")
    if not all(isinstance(v, int | float) for v in values.values()):
        raise ValueError(f"{str(values)[:80]} is no box of numbers")
    return BBox(**values)


def write_grid_file(path: Path, grid: Grid) -> None:
    """Write the file, unless it says so already.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if read_grid_file(path) != grid:
        write_bytes(path, grid_text(grid).encode() + b"\n")


def read_grid_file(path: Path) -> Grid | None:
    """Read the file, or return None if it is not there or is no grid."""
    try:
        return grid_from_text(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
