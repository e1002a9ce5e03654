"""What goes into a detector beside the picture, and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gibswatch.raster.observe import Observation
from gibswatch.types import BoolArray, Kind

__all__ = ["Context", "Detection", "Region"]


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a detector may know of the other days of the same layer and grid."""

    observation: Observation
    """Of the day itself."""
    neighbours: tuple[Observation, ...] = ()
    """Whole days around it, itself left out."""
    usual_black: Callable[[], BoolArray | None] = lambda: None
    """Pixels that are black on most of the nearest days, (rows, cols); reads those days, so ask
    only where the answer is needed.  None if there are none."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of the picture with one kind of fault."""

    kind: Kind
    mask: BoolArray
    """(rows, cols)"""
    score: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What one method says of one day."""

    score: float
    """0-1; a day is anomalous from 0.5 on.  Clean days have one too, so that days can be ranked."""
    note: str
    """Half a sentence with the figures behind the score."""
    regions: tuple[Region, ...] = ()
