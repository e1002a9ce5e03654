"""A tree that gibs-ml made becomes an archive: its pictures stay as they are, a journal comes.

Taken over are whole, decodable pictures under the predecessor's names, whatever their bytes are;
the size tells the row of its table.  What is refused is listed with the reason, and left for the
download to fetch.  Nothing on disk is changed but the journal.

Not taken over are the predecessor's tiles: each shows half the width and half the height that its
name says (its box divides 180 degrees by the number of columns, not 360), so together they cover
a quarter of the globe.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.lock import ArchiveLock
from gibswatch.archive.journal.records import DayRecord, TileRecord, WrittenFile
from gibswatch.archive.layout import Layout
from gibswatch.archive.upkeep.check import day_folders, find_files
from gibswatch.archive.upkeep.foreign import decode_foreign, why_black
from gibswatch.catalogue.grids import (
    PREDECESSOR_TABLE,
    ResolutionRow,
    check_epsg,
    resolution_row,
)
from gibswatch.catalogue.layers import Layer, retired_names
from gibswatch.catalogue.windows import Grid, GridPlan, plan_grid
from gibswatch.download.plan import tile_url
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import DecodeError, UnknownGridError, UsageError
from gibswatch.settings import DEFAULT_BASE_URL
from gibswatch.types import Epsg

__all__ = ["AdoptReport", "adopt_archive"]

ADOPTED = "adopted"
"""What the journal says of a tile that was taken over inside a picture."""
_QUARTER = "gibs-ml's show a quarter of the globe between them, not what their names say"


@dataclass(frozen=True, slots=True)
class AdoptReport:
    """What was taken over."""

    layer: str
    root: Path
    grid: Grid | None
    """None where nothing could be taken over."""
    adopted: tuple[dt.date, ...]
    already: tuple[dt.date, ...]
    """Days that the journal had before, with this picture."""
    refused: tuple[tuple[str, str], ...]
    """(path relative to the root, reason)."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A picture that is whole."""

    day: dt.date
    path: str
    length: int
    sha256: str
    shape: tuple[int, int]
    """Rows, columns."""
    written_at: str
    """UTC, ISO 8601: when the file was last changed."""


def adopt_archive(root: Path, layer: str, epsg: int = 4326) -> AdoptReport:
    """Take over the pictures of one layer that gibs-ml downloaded.

    Parameters
    ----------
    root : Path
        The folder that was gibs-ml's `--output_dir`.
    layer : str
    epsg : {4326, 3413, 3031}

    Returns
    -------
    AdoptReport

    Raises
    ------
    UsageError
        If there is no file of the layer, or the layer cannot be an archive in this projection.
    GridMismatchError
        If the folder is an archive on another grid.
    ArchiveInUseError
        If another process writes here.
    """
    known, code = find_picture_layer(layer), check_epsg(epsg)
    layout = Layout(root, known.identifier, code)
    rows = _rows(code)
    refused: list[tuple[str, str]] = []
    candidates = list(_candidates(layout, known, refused))
    if not candidates and not refused:
        raise UsageError(
            f"{root} holds no {known.identifier} in EPSG:{code}: name the --output_dir of gibs-ml"
        )
    fitting = Counter(picture.shape for picture in candidates if picture.shape in rows)
    if not fitting:
        refused += [(p.path, _size_reason(p.shape, None)) for p in candidates]
        return AdoptReport(known.identifier, root, None, (), (), tuple(sorted(refused)))
    with ArchiveLock(layout.lock, "verify --adopt"), Journal(layout.journal) as journal:
        shape = max(fitting, key=lambda size: (fitting[size], size))
        held = journal.grid
        for size, row in rows.items():
            if held == _grid(row, code) and journal.days():
                shape = size
        grid = _grid(rows[shape], code)
        plan = plan_grid(grid, known.matrix_set(code))
        journal.claim_grid(grid)
        adopted, already = _take_over(journal, known, plan, candidates, refused)
    found = (tuple(adopted), tuple(already), tuple(sorted(refused)))
    return AdoptReport(known.identifier, root, grid, *found)


def _rows(epsg: Epsg) -> dict[tuple[int, int], ResolutionRow]:
    """Rows of the predecessor's table by the size of the picture (rows, columns)."""
    found = {}
    for row in PREDECESSOR_TABLE:
        with suppress(UnknownGridError):
            known = resolution_row(epsg, row.tile_resolution)
            found[known.rows, known.cols] = known
    if not found:
        raise UsageError(f"gibs-ml had no EPSG:{epsg}: adopt 4326, 3413 or 3031")
    return found


def _grid(row: ResolutionRow, epsg: Epsg) -> Grid:
    """Give the grid of a row as the predecessor read it: from the row's own level."""
    return Grid("predecessor", epsg, row.tile_resolution, tile_level=row.tile_level)


def _candidates(
    layout: Layout, layer: Layer, refused: list[tuple[str, str]]
) -> Iterator[_Candidate]:
    """Yield a whole picture a day; what is none goes to `refused`."""
    names = _names(layer)
    for day in sorted(day_folders(layout)):
        taken = False
        tiles = Counter[Path]()
        ours = f".{layer.extension}"
        for path in sorted(find_files(layout, day, names), key=lambda p: (p.suffix != ours, p)):
            shown = path.relative_to(layout.root).as_posix()
            if path.parent.name != day.isoformat():
                tiles[path.parent] += 1
            elif taken:
                refused.append((shown, "another picture of this day was taken"))
            elif isinstance(found := _examine(path, shown, day, layer), str):
                refused.append((shown, found))
            else:
                taken = True
                yield found
        for folder, count in tiles.items():
            shown = folder.relative_to(layout.root).as_posix()
            refused.append((shown, f"{count} tiles: {_QUARTER}"))


def _names(layer: Layer) -> set[str]:
    """Names of the layer's files: today's, with ``_`` for ``-``, and those that GIBS retired."""
    old = {name for name, new in retired_names().items() if new == layer.identifier}
    return {layer.identifier, layer.identifier.replace("-", "_"), *old}


def _examine(path: Path, shown: str, day: dt.date, layer: Layer) -> _Candidate | str:
    """Read a picture; a text is the reason why it is refused."""
    if ".partial" in path.suffixes:
        return "a picture with missing tiles, written by Gibswatch"
    try:
        data = path.read_bytes()
        changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if not data:
        return "has 0 bytes"
    try:
        pixels = decode_foreign(data, layer.format)
    except DecodeError as error:
        return str(error)
    if (black := why_black(pixels)) is not None:
        return black
    shape = (pixels.shape[0], pixels.shape[1])
    sha256, when = hashlib.sha256(data).hexdigest(), changed.isoformat(timespec="seconds")
    return _Candidate(day, shown, len(data), sha256, shape, when)


def _take_over(
    journal: Journal,
    layer: Layer,
    plan: GridPlan,
    candidates: Sequence[_Candidate],
    refused: list[tuple[str, str]],
) -> tuple[list[dt.date], list[dt.date]]:
    """Write the days of the grid's size into the journal; return those written, those known."""
    adopted: list[dt.date] = []
    already: list[dt.date] = []
    records = journal.days()
    for picture in candidates:
        record = records.get(picture.day)
        file = WrittenFile(picture.path, picture.length, picture.sha256)
        if picture.shape != plan.window.shape:
            refused.append((picture.path, _size_reason(picture.shape, plan)))
        elif record is None:
            _write_day(journal, layer, plan, picture, file)
            adopted.append(picture.day)
        elif file in record.files:
            already.append(picture.day)
        else:
            refused.append((picture.path, "the journal has another picture of this day"))
    return adopted, already


def _write_day(
    journal: Journal, layer: Layer, plan: GridPlan, picture: _Candidate, file: WrittenFile
) -> None:
    day = picture.day
    tiles = [
        TileRecord(
            day, tile, "ok", tile_url(DEFAULT_BASE_URL, layer, plan, day, tile), None, {}, None,
            None, picture.written_at, ADOPTED,
        )
        for tile in plan.source_tiles()
    ]  # fmt: skip
    counts = {"ok": len(tiles)}
    record = DayRecord(day, True, picture.path, picture.written_at, counts, (file,))  # noqa: FBT003
    journal.record_day(record, tiles)


def _size_reason(shape: tuple[int, int], plan: GridPlan | None) -> str:
    size = f"{shape[1]}x{shape[0]} pixels"
    if plan is None:
        return f"{size} is no size of gibs-ml's table"
    rows, cols = plan.window.shape
    return f"{size}, but the archive's pictures have {cols}x{rows}"
