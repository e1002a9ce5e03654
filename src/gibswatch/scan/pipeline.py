"""The main job: `scan` downloads and judges days, `inspect` judges pictures that lie anywhere."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gibswatch.archive.ingest.run import download_days
from gibswatch.archive.ingest.summary import DownloadSummary
from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive, choose_grid
from gibswatch.catalogue.domains import gap_around
from gibswatch.catalogue.events import Event
from gibswatch.catalogue.grids import check_epsg, tile_matrix_set
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, GridKind, check_bbox
from gibswatch.detect.registry import DEFAULT_METHOD, get_method
from gibswatch.download.plan import plan_days
from gibswatch.download.wms import find_picture_layer, picture_note
from gibswatch.errors import DateRangeError, UsageError
from gibswatch.parallel import check_scheduler
from gibswatch.raster.codec import picture_shape
from gibswatch.scan.archived import ArchivedDays, confirm_anomalies
from gibswatch.scan.arguments import BoxLike, DayLike, as_box, as_day, as_paths, as_workers
from gibswatch.scan.findings import write_days, write_findings
from gibswatch.scan.judge import (
    Picture,
    Sighting,
    Workers,
    judge_pictures,
    judge_sightings,
    observe_pictures,
)
from gibswatch.scan.known_events import with_events
from gibswatch.scan.orbits import layer_orbits
from gibswatch.scan.pictures import PictureFile, date_in_name
from gibswatch.settings import Settings, read_settings
from gibswatch.types import BBox, DateSource, DayItem

__all__ = ["ProgressCallback", "ScanResult", "inspect", "scan"]

ProgressCallback = Callable[[str, int, int], None]
"""Told (pass, done, total); the passes are download, observe, judge, confirm."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found, and where it lies."""

    layer: str
    method: str
    items: tuple[DayItem, ...]
    """One a day of the range, in order; gaps of the domain included."""
    grid: Grid | None = None
    download: DownloadSummary | None = None
    root: Path | None = None
    """Of the archive."""
    folder: Path | None = None
    """Holds days.parquet and findings.parquet."""
    notes: tuple[str, ...] = ()
    """What a person should know of how the request was read."""
    orbits: tuple[str, ...] = ()
    """Which orbit the days have, and why not a better one; empty without a known satellite."""

    @property
    def verdicts(self) -> Counter[str]:
        """Number of days by verdict."""
        return Counter(item.verdict for item in self.items)


def scan(
    layer: str,
    start: DayLike,
    stop: DayLike,
    *,
    root: Path | str = "data",
    epsg: int = 4326,
    bbox: BoxLike | None = None,
    grid: GridKind | None = None,
    tile_resolution: str | None = None,
    tiled: bool | None = None,
    method: str = DEFAULT_METHOD,
    settings: Settings | None = None,
    workers: Workers | int | None = None,
    confirm: bool = True,
    tle: str | None = None,
    events: Sequence[Event] = (),
    on_progress: ProgressCallback | None = None,
) -> ScanResult:
    """Download what is missing, judge every day, confirm suspicions, write the tables.

    Parameters
    ----------
    layer : str
        Name of a layer; old names are understood.
    start, stop : date or str
        Half-open range of days; YYYY-MM-DD where text.
    root : path
        The archive (`--output-dir`).
    epsg : {4326, 3413, 3031, 3857}
    bbox : BBox or four numbers W S E N, optional
        In units of the projection.
    grid : {"predecessor", "native"}, optional
        None takes the folder's, or native in an empty folder.
    tile_resolution : str, optional
        None takes the folder's, or 16km in an empty folder.
    tiled : bool, optional
        None takes the folder's, or one picture a day in an empty folder.
    method : str
        A name of `gibswatch.detect.METHODS`.
    settings : Settings, optional
    workers : Workers or int, optional
        How many processes judge; one by default.
    confirm : bool
        Whether every tile of an anomalous day is fetched once more and compared, if that was not
        done before; where the bytes differ the day is incomplete, not anomalous.
    tle : str, optional
        Two-line elements of the layer's satellite, where its orbit cannot be fitted.
    events : sequence of Event
        Known causes besides the packaged ones; an event explains, it never changes a verdict.
    on_progress : callable, optional
        Told (pass, done, total).

    Returns
    -------
    ScanResult

    Raises
    ------
    UsageError
        If what is asked for cannot be done; the message says what to ask instead.
    ServerUnreachableError
        If tiles were needed and no connection could be made.
    """
    tell = on_progress or _silent
    get_method(method)
    spread = _reachable(as_workers(workers))
    known = find_picture_layer(layer)
    code = check_epsg(epsg)
    archive_root = Path(root)
    chosen = choose_grid(
        Archive(archive_root).grid(known.identifier, code),
        Grid("native", code, "16km"),
        kind=grid,
        tile_resolution=tile_resolution,
        bbox=as_box(bbox),
        tiled=tiled,
    )
    first = as_day(start)
    plan = plan_days(known, first, as_day(stop))
    settings = settings or read_settings()
    done = itertools.count(1)
    summary = download_days(
        archive_root, known, chosen, plan.days, settings,
        on_day=lambda _day: tell("download", next(done), len(plan.days)),
    )  # fmt: skip
    archived = ArchivedDays(archive_root, known, chosen)
    pictures, around = archived.pictures(plan.days)
    seen = observe_pictures([*pictures, *around], workers=spread, on_progress=tell)
    layout = Layout(archive_root, known.identifier, code)
    orbits = _orbits(seen, layout, plan.days, tle)
    doubts: list[str] = []
    judged = list(
        judge_sightings(seen, len(pictures), method=method, workers=spread, on_progress=tell)
    )
    if confirm:
        judged = confirm_anomalies(
            archived, judged,
            method=method, settings=settings, tell_doubt=doubts.append, on_progress=tell,
        )  # fmt: skip
    unseen = archived.without_picture(plan.days, summary)
    gaps = [_gap_item(known, day) for day in plan.gaps]
    named = (with_events(item, events) for item in (*judged, *unseen, *gaps))
    items = sorted(named, key=lambda item: item.date or dt.date.min)
    late = _late_note(known, first) if plan.started_late else None
    notes = tuple(line for line in (picture_note(known), late, *doubts) if line)
    folder = _write_tables(layout, items)
    return ScanResult(
        known.identifier, method, tuple(items), chosen, summary, archive_root, folder, notes, orbits
    )


def inspect(
    files: Sequence[Path | str] | Path | str,
    layer: str,
    *,
    date: DayLike | None = None,
    bounds: BoxLike | None = None,
    epsg: int = 4326,
    mask_dir: Path | str | None = None,
    method: str = DEFAULT_METHOD,
    workers: Workers | int | None = None,
    on_progress: ProgressCallback | None = None,
) -> ScanResult:
    """Judge pictures that lie anywhere, many of one layer together.

    Parameters
    ----------
    files : sequence of path, or one path
        JPEG or PNG.
    layer : str
    date : date or str, optional
        Of a single picture; else the date comes from each file's name.
    bounds : BBox or four numbers W S E N, optional
        Of every picture, in units of the projection; None is the projection's whole extent.
    epsg : {4326, 3413, 3031, 3857}
    mask_dir : path, optional
        Where masks of what is found are written.
    method, workers, on_progress
        As in `scan`.

    Raises
    ------
    UsageError
        If a file is missing, or a date is given for several files.
    """
    get_method(method)
    known, code = find_picture_layer(layer), check_epsg(epsg)
    extent = tile_matrix_set(code, known.matrix_set(code)).extent
    asked = as_box(bounds)
    box = extent if asked is None else check_bbox(code, extent, asked)
    paths = as_paths(files)
    given = None if date is None else as_day(date)
    if given is not None and len(paths) > 1:
        raise DateRangeError(f"--date {given} is one day, but {len(paths)} files are given")
    pictures = []
    masks = _mask_paths(paths, None if mask_dir is None else Path(mask_dir))
    for path, mask in zip(paths, masks, strict=True):
        if not path.is_file():
            raise UsageError(f"{path} is no file: name JPEG or PNG pictures")
        day = given or date_in_name(path)
        source: DateSource = "option" if given else "name" if day else "none"
        ref = PictureFile(path, known, day, code, box)
        pictures.append(Picture(ref, known.identifier, str(path), source, {}, mask))
    items = judge_pictures(
        pictures,
        method=method,
        workers=as_workers(workers),
        on_progress=on_progress or _silent,
    )
    return ScanResult(known.identifier, method, tuple(items), notes=_shape_notes(paths, box))


def _reachable(workers: Workers) -> Workers:
    """Return the workers if their scheduler answers: before anything is downloaded."""
    if workers.scheduler is not None:
        check_scheduler(workers.scheduler)
    return workers


def _write_tables(layout: Layout, items: Sequence[DayItem]) -> Path:
    folder = layout.scan_folder
    write_days(folder / "days.parquet", items)
    write_findings(folder / "findings.parquet", items)
    return folder


def _orbits(
    seen: Sequence[Sighting], layout: Layout, days: Sequence[dt.date], tle: str | None
) -> tuple[str, ...]:
    """Fit the orbits of the layer, keep them in the archive, and say which were used."""
    edges = [sighting.edges for sighting in seen if sighting.edges is not None]
    orbits = layer_orbits(edges, layout.layer, layout=layout, tle=tle)
    return () if orbits is None or not days else (orbits.summary(days), *orbits.notes)


def _shape_notes(paths: Sequence[Path], box: BBox) -> tuple[str, ...]:
    """Say so where a picture's pixels would be oblong: its bounds are probably others."""
    wanted = (box.east - box.west) / (box.north - box.south)
    for path in paths:
        shape = picture_shape(path)
        if shape is not None and not 0.9 < shape[1] / shape[0] / wanted < 1.1:
            note = (
                f"{path.name} has {shape[1]}x{shape[0]} pixels, which does not fit bounds {box}: "
                "are these its --bounds?"
            )
            return (note,)
    return ()


def _mask_paths(paths: Sequence[Path], folder: Path | None) -> list[Path | None]:
    """Name a mask after its picture; after the folders above too where pictures share a name."""
    if folder is None:
        return [None] * len(paths)
    names = [path.stem for path in paths]
    depth = 1
    while len(set(names)) < len(names) and depth < max(len(path.parts) for path in paths):
        depth += 1
        names = ["_".join((*path.parts[-depth:-1], path.stem)) for path in paths]
    if len(set(names)) < len(names):
        raise UsageError("a picture is named twice: name each once")
    return [folder / f"{name}_mask.png" for name in names]


def _gap_item(layer: Layer, day: dt.date) -> DayItem:
    gap = gap_around(layer.periods, day)
    if gap is None:
        reason = f"GIBS's list of days ends on {layer.last_known_date}."
    elif gap[0] == gap[1]:
        reason = f"GIBS lists no picture of {day}."
    else:
        reason = f"GIBS lists no picture from {gap[0]} to {gap[1]}."
    return DayItem(layer.identifier, day, "no-data", 0.0, reason, None)


def _late_note(layer: Layer, start: dt.date) -> str:
    return f"{layer.identifier} starts on {layer.start_date}, not {start}: begun there"


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
