"""What the journal keeps of a tile, of a file and of a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from gibswatch.catalogue.windows import TileIndex
from gibswatch.types import TileState

__all__ = ["USABLE_STATES", "DayRecord", "TileRecord", "WrittenFile"]

USABLE_STATES: frozenset[TileState] = frozenset({"ok", "server-empty"})
"""States of a tile that is there as the service has it."""


@dataclass(frozen=True, slots=True)
class TileRecord:
    """What the journal keeps of one tile."""

    date: dt.date
    tile: TileIndex
    state: TileState
    url: str
    status: int | None
    headers: Mapping[str, str]
    length: int | None
    """Bytes as served."""
    sha256: str | None
    """Of the bytes as served."""
    retrieved_at: str
    """UTC, ISO 8601."""
    message: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file that a day left on disk, other than tiles as served."""

    path: str
    """Relative to the archive's root, with slashes."""
    length: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What the journal keeps of one day."""

    date: dt.date
    complete: bool
    """Whether every tile is there."""
    picture: str | None
    """The stitched picture, relative to the archive's root; None where tiles are kept."""
    finished_at: str
    """UTC, ISO 8601."""
    tiles: Mapping[str, int] = field(default_factory=dict)
    """Number of tiles by state."""
    files: tuple[WrittenFile, ...] = ()
    """The stitched picture, or the output tiles; none where tiles are kept as served."""
    confirmed_at: str | None = None
    """When a second fetch of every tile had the same bytes (UTC, ISO 8601); None if none had."""
