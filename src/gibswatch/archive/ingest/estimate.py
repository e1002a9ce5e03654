"""What a run would ask for, and about how long it would take; nothing is asked or written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from gibswatch.archive.ingest.run import BULK_TILES, is_done, tiles_to_ask
from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.store import PictureStore
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.download.wms import as_pictures
from gibswatch.errors import GridMismatchError
from gibswatch.settings import Settings

__all__ = ["TYPICAL_TILE_BYTES", "Estimate", "estimate_run"]

TYPICAL_TILE_BYTES = {"jpg": 64_000, "png": 150_000, "mvt": 64_000}
"""Where this archive has no tiles yet.  Source: GIBS's own sizing (usage policy), 350,000 JPEG or
150,000 PNG tiles an hour at 50 Mbit/s."""
_SECONDS_PER_REQUEST = 0.5
"""Of one request over the open internet, its waiting included."""
_DAYS_SAMPLED = 10
"""Days of the journal whose tiles are measured, the last ones."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would ask for."""

    days: int
    """Days that the run is for."""
    days_kept: int
    """Those of them that are there already."""
    tiles: int
    """Tiles that would be asked for."""
    bytes: int
    """That would come, about."""
    minutes: float
    """That it would take, about."""
    limited_by: str
    """What takes so long: ``bandwidth``, ``requests`` or ``connections``."""
    needs_approval: bool = False
    """Whether GIBS is to be told first: it would take the last 24 hours over 1,000,000 tiles."""


def estimate_run(
    root: Path, layer: Layer, grid: Grid, days: Sequence[dt.date], settings: Settings
) -> Estimate:
    """Work out what a run would ask for.

    Parameters
    ----------
    root : Path
        The archive's root; need not be there.
    layer : Layer
    grid : Grid
    days : sequence of date
    settings : Settings

    Raises
    ------
    GridMismatchError
        If the folder holds another grid.
    UnknownGridError
        If the grid cannot be downloaded.
    """
    layer = as_pictures(layer)
    plan = plan_grid(grid, layer.matrix_set(grid.epsg))
    store = PictureStore(Layout(root, layer.identifier, grid.epsg), plan, layer.format)
    tile_bytes = float(TYPICAL_TILE_BYTES[layer.format])
    kept = recent = 0
    tiles = len(days) * len(plan.source_tiles())
    with ExitStack() as stack:
        if store.layout.journal.is_file():
            journal = stack.enter_context(Journal(store.layout.journal))
            records = journal.days()
            held = journal.grid
            if held is not None and held != grid and records:
                raise GridMismatchError(
                    f"{root} holds {layer.identifier} on another grid ({held}; asked for: {grid}): "
                    "ask for that one, or name another --output-dir"
                )
            todo = [day for day in days if not is_done(store, journal, records.get(day))]
            kept = len(days) - len(todo)
            tiles = sum(tiles_to_ask(store, journal, day) for day in todo)
            tile_bytes = _mean_bytes(journal, sorted(records)) or tile_bytes
            recent = journal.tiles_since(dt.datetime.now(dt.UTC) - dt.timedelta(hours=24))
    estimate = _estimate(len(days), kept, tiles, tile_bytes, settings)
    return replace(estimate, needs_approval=tiles > 0 and tiles + recent > BULK_TILES)


def _mean_bytes(journal: Journal, days: Sequence[dt.date]) -> float | None:
    """Mean length of the archive's newest tiles; None if it has none."""
    newest = (tile.length for day in days[-_DAYS_SAMPLED:] for tile in journal.tiles(day))
    lengths = [length for length in newest if length is not None]
    return sum(lengths) / len(lengths) if lengths else None


def _estimate(days: int, kept: int, tiles: int, tile_bytes: float, settings: Settings) -> Estimate:
    """Find out which of the limits takes longest."""
    size = tiles * tile_bytes
    seconds = {"connections": tiles * _SECONDS_PER_REQUEST / settings.connections}
    if settings.requests_per_s:
        seconds["requests"] = tiles / settings.requests_per_s
    if settings.bandwidth_mbit_s:
        seconds["bandwidth"] = size * 8 / (settings.bandwidth_mbit_s * 1e6)
    slowest = max(seconds, key=lambda name: seconds[name])
    return Estimate(days, kept, tiles, round(size), seconds[slowest] / 60, slowest)
