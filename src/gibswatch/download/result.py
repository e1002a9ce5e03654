"""What came back for one tile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from gibswatch.download.plan import TileRequest
from gibswatch.types import ByteArray, TileState

__all__ = ["TileResult"]


@dataclass(frozen=True, slots=True, eq=False)
class TileResult:
    """What came back for one tile, after the last attempt."""

    request: TileRequest
    state: TileState
    message: str
    """Why the state is not `ok`; empty if it is."""
    retrieved_at: dt.datetime
    """UTC."""
    attempts: int
    """Requests that were made for the tile."""
    status: int | None = None
    """HTTP status, or None if there was no answer, or GDAL does not tell."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """ETag, Content-Type and the Layer-* headers; empty where GDAL asked."""
    body: bytes | None = None
    """Bytes as served, if the state is `ok` or `server-empty`, and it was not GDAL that asked."""
    pixels: ByteArray | None = None
    """(tile_size, tile_size, bands) uint8, if the state is `ok` or `server-empty`."""
    sha256: str | None = None
    """Of `body`, in hexadecimal."""
