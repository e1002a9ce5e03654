"""Days of an archive whose picture is all there: only they have features."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from gibswatch.archive.reader import Archive
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.raster.scene import Scene

__all__ = ["SkippedDay", "read_whole_scene"]


@dataclass(frozen=True, slots=True)
class SkippedDay:
    """A day that could not be used."""

    date: dt.date
    reason: str


def read_whole_scene(root: Path, layer: str, day: dt.date, epsg: int) -> Scene | SkippedDay:
    """Read a day of an archive; one with pixels that were never had is none.

    They are black, and would look like a fault.
    """
    try:
        scene = Archive(root).scene(layer, day, epsg)
    except (ArchiveError, DecodeError, OSError) as error:
        return SkippedDay(day, str(error))
    usable = scene.usable
    if not usable.all():
        return SkippedDay(day, f"{1 - usable.mean():.1%} of its picture is not there")
    return scene
