"""The main job: `scan` downloads what is missing and judges days.

Three passes: observe every picture and fit the orbit; judge each day by what its orbit lets expect;
fetch the tiles of anomalous days once more and compare.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from gibswatch.archive.ingest.run import download_days
from gibswatch.archive.labels import label_path, read_labels
from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive, choose_grid
from gibswatch.catalogue.domains import gap_around
from gibswatch.catalogue.events import Event
from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid, GridKind, plan_grid
from gibswatch.detect.registry import DEFAULT_METHOD, get_method
from gibswatch.download.plan import DayPlan, plan_days
from gibswatch.download.wms import find_picture_layer, picture_note
from gibswatch.errors import UsageError
from gibswatch.parallel import check_scheduler
from gibswatch.scan.archived import ArchivedDays
from gibswatch.scan.arguments import BoxLike, DayLike, as_box, as_day, as_workers
from gibswatch.scan.budget import check_per_month, spend
from gibswatch.scan.judging.judge import Workers
from gibswatch.scan.judging.known_events import with_events
from gibswatch.scan.mask_days import MaskPlan, fetch_masks, plan_masks
from gibswatch.scan.model_scores import ModelFile, check_model, model_note
from gibswatch.scan.outputs.labelled import check_labels, label_days
from gibswatch.scan.outputs.rasters import Output, check_outputs
from gibswatch.scan.outputs.tables import earlier_days, write_tables
from gibswatch.scan.passes import judge_days
from gibswatch.scan.result import ProgressCallback, ScanResult, silent
from gibswatch.settings import Settings, read_settings
from gibswatch.types import DayItem

__all__ = ["ProgressCallback", "ScanResult", "scan"]


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
    with_mask: bool = False,
    outputs: Collection[str] = (),
    settings: Settings | None = None,
    workers: Workers | int | None = None,
    confirm: bool = True,
    tle: str | None = None,
    events: Sequence[Event] = (),
    alerts_per_month: float | None = None,
    model: Path | str | None = None,
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
    with_mask : bool
        Whether the satellite's layer of no data is downloaded too, as a second witness.
    outputs : collection of str
        What is written besides tables and masks, of ``cog`` (masks as COG too), ``compat-masks``
        (the predecessor's), ``labels`` (codes into the label file) and ``reasons`` (why each pixel
        is black).
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
    alerts_per_month : float, optional
        How many days of a clean month may be alerts; by default no day is said to be one.
    model : path, optional
        What `gibswatch train` stored of this layer: days get its score beside their verdict, which
        stays that of `method`.
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
    MissingExtraError
        If a model is named and the extra ``models`` is not installed.
    """
    wanted = _check_wanted(check_outputs(outputs), method)
    per_month = None if alerts_per_month is None else check_per_month(alerts_per_month)
    spread = _reachable(as_workers(workers))
    known, code, archive_root = find_picture_layer(layer), check_epsg(epsg), Path(root)
    chosen = choose_grid(
        Archive(archive_root).grid(known.identifier, code),
        Grid("native", code, "16km"),
        kind=grid,
        tile_resolution=tile_resolution,
        bbox=as_box(bbox),
        tiled=tiled,
    )
    span = (as_day(start), as_day(stop))
    plan = plan_days(known, *span)
    scored_by = None if model is None else _checked(model, known, chosen)
    masks = plan_masks(archive_root, known, chosen, plan.days, span) if with_mask else None
    layout = Layout(archive_root, known.identifier, code)
    if "labels" in wanted:
        check_labels(layout)
    if get_method(method).hues != "none":
        read_labels(label_path(layout))
    job = _Job(
        ArchivedDays(archive_root, known, chosen, wanted, scored_by),
        span, plan, masks, method, settings or read_settings(), spread, tle, tuple(events),
        per_month, on_progress or silent,
    )  # fmt: skip
    return job.run(confirm=confirm)


@dataclass(frozen=True)
class _Job:
    """A scan whose arguments are known to be good."""

    archived: ArchivedDays
    span: tuple[dt.date, dt.date]
    plan: DayPlan
    masks: MaskPlan | None
    method: str
    settings: Settings
    workers: Workers
    tle: str | None
    events: tuple[Event, ...]
    per_month: float | None
    """Alerts that may be in a clean month; None: no budget."""
    tell: ProgressCallback

    def run(self, *, confirm: bool) -> ScanResult:
        """Do it."""
        archived, plan = self.archived, self.plan
        done = itertools.count(1)
        summary = download_days(
            archived.root, archived.layer, archived.grid, plan.days, self.settings,
            on_day=lambda _day: self.tell("download", next(done), len(plan.days)),
        )  # fmt: skip
        masks = self.masks
        mask_note = masks and fetch_masks(archived.root, masks, self.settings, self.tell)
        judged = judge_days(
            archived, plan.days,
            method=self.method, workers=self.workers, tle=self.tle, on_progress=self.tell,
            confirm=self.settings if confirm else None,
        )  # fmt: skip
        unseen = archived.without_picture(plan.days, summary)
        gaps = [_gap_item(archived.layer, day) for day in plan.gaps]
        named = (with_events(item, self.events) for item in (*judged.items, *unseen, *gaps))
        items = tuple(sorted(named, key=lambda item: item.date or dt.date.min))
        late = _late_note(archived.layer, self.span[0]) if plan.started_late else None
        told = (picture_note(archived.layer), late, mask_note, *judged.notes, model_note(items))
        notes = [line for line in told if line]
        if without := archived.without_reasons(plan.days):
            notes.append(f"no reasons of {without} days: not fetched at all, or no orbit is known")
        if "labels" in archived.wanted:
            notes.append(str(label_days(archived.layout, items)))
        result = ScanResult(
            archived.layer.identifier,
            self.method,
            items,
            archived.grid,
            summary,
            archived.root,
            archived.layout.scan_folder,
            tuple(notes),
            judged.lines(plan.days),
            *self.span,
            judged.skies([i.date for i in items if i.date is not None and i.findings]),
            version("gibswatch"),
            dt.datetime.now(dt.UTC),
        )
        return write_tables(_budgeted(result, self.per_month))


def _budgeted(result: ScanResult, per_month: float | None) -> ScanResult:
    """Say which days are alerts, by these and those of earlier scans."""
    if per_month is None:
        return result
    items, budget = spend(result.items, per_month, others=earlier_days(result))
    return replace(result, items=items, budget=budget)


def _check_wanted(wanted: frozenset[Output], method: str) -> frozenset[Output]:
    """Refuse what the method cannot give, before anything is downloaded."""
    get_method(method)
    if "reasons" in wanted and method != DEFAULT_METHOD:
        raise UsageError(
            f"reasons (--reasons) are given by method {DEFAULT_METHOD} alone, not by {method}: "
            "leave one of them out"
        )
    return wanted


def _checked(model: Path | str, layer: Layer, grid: Grid) -> ModelFile:
    """Refuse a model of other pictures than the scan's, before anything is downloaded."""
    plan = plan_grid(grid, layer.matrix_set(grid.epsg))
    return check_model(model, layer.identifier, [plan.georeference])


def _reachable(workers: Workers) -> Workers:
    """Return the workers if their scheduler answers: before anything is downloaded."""
    if workers.scheduler is not None:
        check_scheduler(workers.scheduler)
    return workers


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
