"""The features of an archive's days: read, worked out, written; what cannot be read is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive
from gibswatch.catalogue.windows import plan_grid
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import ArchiveError, DateRangeError, UsageError
from gibswatch.features.definition import FeatureDefinition, FeatureKind
from gibswatch.features.extract import extract
from gibswatch.features.table import FeatureRow, write_features
from gibswatch.features.whole import SkippedDay, read_whole_scene
from gibswatch.parallel import check_scheduler, map_ordered

__all__ = ["FeatureTask", "FeaturesResult", "archive_features", "features_of_day"]

ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FeaturesResult:
    """What `archive_features` did."""

    layer: str
    epsg: int
    path: Path
    definition: FeatureDefinition
    written: int
    """Days, one row each."""
    skipped: tuple[SkippedDay, ...]


@dataclass(frozen=True, slots=True)
class FeatureTask:
    """One day, as a worker is given it."""

    root: Path
    layer: str
    epsg: int
    date: dt.date
    definition: FeatureDefinition


def archive_features(
    layer: str,
    start: dt.date | None = None,
    stop: dt.date | None = None,
    *,
    root: Path | str = "data",
    epsg: int = 4326,
    kind: FeatureKind = "hog+hue",
    cell: int = 8,
    bins: int = 10,
    compat: bool = False,
    path: Path | None = None,
    workers: int | None = 1,
    scheduler: str | None = None,
    on_progress: ProgressCallback | None = None,
) -> FeaturesResult:
    """Write the features of the days that an archive holds.

    Parameters
    ----------
    layer : str
        Name of a layer; old names are understood.
    start, stop : datetime.date, optional
        Half-open range of days; by default all that the archive holds.
    root : path
        The archive (`--output-dir`).
    epsg : {4326, 3413, 3031, 3857}
    kind, cell, bins, compat
        As of `FeatureDefinition.for_shape`.
    path : Path, optional
        The table; by default `gibswatch.archive.layout.Layout.feature_table`.  Replaced if there.
    workers : int or None
        Processes; None chooses.
    scheduler : str, optional
        Address of a Dask scheduler.
    on_progress : callable, optional
        Told (pass, done, total).

    Returns
    -------
    FeaturesResult

    Raises
    ------
    UsageError
        If the archive holds no such day, or what is asked for cannot be done.
    ArchiveError
        If no day can be read; the table stays as it was.
    OutputError
        If the folder cannot take the table.
    """
    if scheduler is not None:
        check_scheduler(scheduler)
    known, archive = find_picture_layer(layer), Archive(Path(root))
    days = _chosen(archive, known.identifier, epsg, start, stop)
    grid = archive.grid(known.identifier, epsg)
    if grid is None:
        raise ArchiveError(f"{archive.root} has no grid of {known.identifier}: gibswatch verify")
    shape = plan_grid(grid, known.matrix_set(grid.epsg)).georeference.shape
    definition = FeatureDefinition.for_shape(*shape, kind=kind, cell=cell, bins=bins, compat=compat)
    table = path or Layout(archive.root, known.identifier, grid.epsg).feature_table
    tasks = [FeatureTask(archive.root, known.identifier, epsg, day, definition) for day in days]
    results = map_ordered(features_of_day, tasks, workers=workers, scheduler=scheduler)
    skipped: list[SkippedDay] = []
    rows = _rows(tasks, results, skipped, on_progress)
    written = write_features(table, definition, rows)
    return FeaturesResult(known.identifier, epsg, table, definition, written, tuple(skipped))


def features_of_day(task: FeatureTask) -> NDArray[np.float32] | SkippedDay:
    """Work out the features of one day, or say why it has none."""
    scene = read_whole_scene(task.root, task.layer, task.date, task.epsg)
    return scene if isinstance(scene, SkippedDay) else extract(scene, task.definition)


def _chosen(
    archive: Archive, layer: str, epsg: int, start: dt.date | None, stop: dt.date | None
) -> list[dt.date]:
    """Days of the archive in the range that was asked for."""
    if start is not None and stop is not None and start >= stop:
        raise DateRangeError(f"{start} does not come before {stop}: the end is not included")
    held = archive.days(layer, epsg)
    days = [day for day in held if (start is None or day >= start) and (stop is None or day < stop)]
    if not days:
        span = f" in this range, only {min(held)} to {max(held)}" if held else ""
        raise UsageError(
            f"{archive.root} holds no day of {layer} in EPSG:{epsg}{span}: download some first "
            "(`gibswatch download`)"
        )
    return days


def _rows(
    tasks: Sequence[FeatureTask],
    results: Iterator[NDArray[np.float32] | SkippedDay],
    skipped: list[SkippedDay],
    on_progress: ProgressCallback | None,
) -> Iterator[FeatureRow]:
    """Yield the rows of the days that could be read; put the others aside."""
    for done, (task, found) in enumerate(zip(tasks, results, strict=True), start=1):
        if on_progress is not None:
            on_progress("features", done, len(tasks))
        if isinstance(found, SkippedDay):
            skipped.append(found)
        else:
            yield FeatureRow(task.layer, task.date, task.epsg, found)
    if len(skipped) == len(tasks):
        first = skipped[0]
        raise ArchiveError(
            f"none of {len(tasks)} days can be read (the first: {first.date}, {first.reason}): "
            "`gibswatch verify` looks at the archive"
        )
