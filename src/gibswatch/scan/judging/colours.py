"""Usual colours on their way through a scan: records of the first pass, normals for the second."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gibswatch.archive.layout import Layout
from gibswatch.detect.colour.scores import observe_scene
from gibswatch.detect.colour.statistics import ColourNormals
from gibswatch.errors import ArchiveError, OutputError
from gibswatch.raster.scene import Scene
from gibswatch.scan.colour_records import learn_packed, pack_record
from gibswatch.scan.judging.orbits import imaging_satellite
from gibswatch.scan.normals import (
    LayerNormals,
    nearest_era,
    normals_path,
    read_normals,
    write_normals,
)
from gibswatch.types import BoolArray, DayItem

__all__ = [
    "DayColours",
    "SeenColours",
    "every_nth",
    "gather",
    "keep_clean",
    "read_kept",
    "take_record",
]

_MOST_RECORDS = 1500
"""Kept of a scan, 35 MB: of ten years every third day, of which 24 lie within 60 days."""


@dataclass(frozen=True, slots=True)
class DayColours:
    """What a worker must know to say which colours are usual on a day."""

    near: tuple[bytes, ...] = ()
    """Packed records of the nearest other days."""
    kept: ColourNormals | None = None
    """Of earlier scans, where there are too few of these."""

    def normals(self) -> ColourNormals | None:
        """Learn what is usual; None leaves the day to itself."""
        return learn_packed(self.near) or self.kept


@dataclass(frozen=True, slots=True)
class SeenColours:
    """What the first pass saw of the colours of all days, and what earlier scans kept."""

    records: LayerNormals
    kept: Mapping[str, ColourNormals] = field(default_factory=dict)
    """By the first day of the quarter, ISO."""

    def of(self, day: dt.date | None) -> DayColours:
        """Say what there is for a day; nothing without a date."""
        if day is None:
            return DayColours()
        near = self.records.near(day)
        return DayColours(near, nearest_era(self.kept, day))


def every_nth(count: int) -> int:
    """Say of how many pictures one record is kept, so that memory stays flat over years."""
    return -(-count // _MOST_RECORDS)


def take_record(scene: Scene, black: BoolArray) -> bytes | None:
    """Take the record of a day's colours; None of layers whose colours are not a scene's.

    None too where no pixel says anything, such as in the polar night.

    Parameters
    ----------
    scene : Scene
    black : (rows, cols) ndarray of bool
        Observed black.
    """
    if imaging_satellite(scene.layer) is None or scene.pixels.shape[2] < 3:
        return None
    record = observe_scene(scene, black)
    return pack_record(record) if record.pixels else None


def gather(
    layer: str,
    records: Sequence[tuple[dt.date, bytes]],
    kept: Mapping[str, ColourNormals] | None = None,
) -> SeenColours:
    """Gather the records of the days of a layer."""
    normals = LayerNormals(layer)
    for day, record in records:
        normals.add(day, record)
    return SeenColours(normals, kept or {})


def read_kept(layout: Layout) -> tuple[dict[str, ColourNormals], list[str]]:
    """Read what earlier scans of a layer kept, and what a person should know of it."""
    try:
        return read_normals(normals_path(layout)), []
    except ArchiveError as error:
        return {}, [str(error)]


def keep_clean(layout: Layout, seen: SeenColours, items: Iterable[DayItem]) -> str:
    """Keep the usual colours of the clean days, by quarters; more days go before fewer.

    Returns
    -------
    str
        Why they could not be kept, empty if they were: a file that cannot be read is left alone.
    """
    path = normals_path(layout)
    try:
        kept = read_normals(path)  # anew: another scan may have ended meanwhile
    except ArchiveError:
        return ""  # it was said when the scan began
    clean = [item.date for item in items if item.verdict == "clean" and item.date is not None]
    learned = {
        first: normals
        for first, normals in seen.records.by_era(clean).items()
        if first not in kept or normals.units >= kept[first].units
    }
    try:
        if learned:
            write_normals(path, layout.layer, {**kept, **learned})
    except OutputError as error:
        return f"the usual colours are not kept: {error}"
    return ""
