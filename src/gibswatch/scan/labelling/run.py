"""Label a whole archive: judge what it holds, write codes and masks, compare, suggest.

Nothing is downloaded, and the tables of a scan stay as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from gibswatch.archive.ingest.summary import DownloadSummary
from gibswatch.archive.labels import label_path
from gibswatch.archive.reader import Archive
from gibswatch.catalogue.events import Event
from gibswatch.catalogue.grids import check_epsg
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid
from gibswatch.detect.registry import DEFAULT_METHOD, get_method
from gibswatch.download.wms import find_picture_layer, picture_note
from gibswatch.errors import DateRangeError, UsageError
from gibswatch.parallel import check_scheduler
from gibswatch.scan.archived import ArchivedDays
from gibswatch.scan.arguments import DayLike, as_day, as_workers
from gibswatch.scan.judging.judge import Workers
from gibswatch.scan.judging.known_events import with_events
from gibswatch.scan.labelling.comparison import Comparison, compare_labels, is_judged
from gibswatch.scan.labelling.from_sky import sky_label
from gibswatch.scan.labelling.given import GivenLabels, read_given
from gibswatch.scan.labelling.opinions import gather_opinions
from gibswatch.scan.labelling.suggest import Suggestion, check_count, suggest_days
from gibswatch.scan.outputs.labelled import LabelOutcome, check_labels, label_days
from gibswatch.scan.outputs.rasters import check_outputs
from gibswatch.scan.passes import JudgedDays, judge_days
from gibswatch.scan.result import ProgressCallback, ScanResult, silent
from gibswatch.types import DayItem

__all__ = ["LabelResult", "label_archive"]


@dataclass(frozen=True, slots=True)
class LabelResult:
    """What became of an archive's days."""

    result: ScanResult
    """The verdicts, as of a scan of the days that the archive holds."""
    outcome: LabelOutcome | None
    """None where no label file was written."""
    against: Path | None = None
    comparison: Comparison | None = None
    """None where no labels were given."""
    suggestions: tuple[Suggestion, ...] | None = None
    """None where none were asked for."""

    @property
    def left_out(self) -> tuple[DayItem, ...]:
        """Days that were not labelled, as their pictures are not whole."""
        return tuple(item for item in self.result.items if not is_judged(item))


def label_archive(
    layer: str,
    start: DayLike | None = None,
    stop: DayLike | None = None,
    *,
    root: Path | str = "data",
    epsg: int = 4326,
    method: str = DEFAULT_METHOD,
    outputs: Collection[str] = (),
    workers: Workers | int | None = None,
    tle: str | None = None,
    events: Sequence[Event] = (),
    against: Path | str | None = None,
    suggest: int | None = None,
    on_progress: ProgressCallback | None = None,
) -> LabelResult:
    """Judge the days that an archive holds, and write their codes and masks.

    Parameters
    ----------
    layer : str
        Name of a layer; old names are understood.
    start, stop : date or str, optional
        Half-open range of days; by default all that the archive holds.
    root : path
        The archive (`--output-dir`).
    epsg : {4326, 3413, 3031, 3857}
    method : str
        A name of `gibswatch.detect.METHODS`.
    outputs : collection of str
        What is written besides labels and masks: ``cog``, ``compat-masks``, ``reasons``.
    workers : Workers or int, optional
        How many processes judge; one by default.
    tle : str, optional
        Two-line elements of the layer's satellite, where its orbit cannot be fitted.
    events : sequence of Event
        Known causes besides the packaged ones.
    against : path, optional
        Labels to compare the verdicts with.  If they are the archive's own, they stay as they are.
    suggest : int, optional
        How many days to name that are worth a person's look.
    on_progress : callable, optional
        Told (pass, done, total).

    Returns
    -------
    LabelResult

    Raises
    ------
    UsageError
        If the archive holds no such day, a label file cannot be read, or what is asked for cannot
        be done; nothing is written then.
    """
    get_method(method)
    wanted, spread = check_outputs(outputs), as_workers(workers)
    if spread.scheduler is not None:
        check_scheduler(spread.scheduler)
    known, code = find_picture_layer(layer), check_epsg(epsg)
    if suggest is not None:
        check_count(suggest)
    given = None if against is None else read_given(Path(against), known.identifier)
    archive = Archive(Path(root))
    held = archive.grid(known.identifier, code)
    archived = ArchivedDays(
        archive.root, known, held or Grid("native", code, "16km"), wanted - {"labels"}
    )
    days = _chosen(archived, start, stop, given)
    check_labels(archived.layout)
    tell = on_progress or silent
    judged = judge_days(
        archived, days,
        method=method, workers=spread, confirm=None, tle=tle, on_progress=tell,
    )  # fmt: skip
    unseen = archived.without_picture(days, DownloadSummary())
    items = sorted(
        (with_events(item, events) for item in (*judged.items, *unseen)),
        key=lambda item: item.date or dt.date.min,
    )
    suggested = None
    if suggest is not None:
        opinions = gather_opinions(
            archived, judged, given, method=method, workers=spread, on_progress=tell
        )
        suggested = tuple(suggest_days(items, suggest, opinions))
    comparison = None if given is None else _compared(known, given, items, (start, stop), events)
    outcome = _written(archived, items, given)
    result = _result(archived, method, items, judged, comparison)
    source = None if given is None else given.path
    return LabelResult(result, outcome, source, comparison, suggested)


def _chosen(
    archived: ArchivedDays,
    start: DayLike | None,
    stop: DayLike | None,
    given: GivenLabels | None,
) -> list[dt.date]:
    """Days of the archive in the range that was asked for."""
    name = archived.layer.identifier
    days = [day for day in archived.records if _inside(day, start, stop)]
    if start is not None and stop is not None and as_day(start) >= as_day(stop):
        raise DateRangeError(f"{start} does not come before {stop}: the end is not included")
    if not days and given is None:
        held = sorted(archived.records)
        span = f", only {held[0]} to {held[-1]}" if held else ""
        raise UsageError(
            f"{archived.root} holds no day of {name} in EPSG:{archived.grid.epsg}"
            f"{' in this range' if held else ''}{span}: download some first (`gibswatch download`)"
        )
    return days


def _inside(day: dt.date, start: DayLike | None, stop: DayLike | None) -> bool:
    return (start is None or day >= as_day(start)) and (stop is None or day < as_day(stop))


def _compared(
    layer: Layer,
    given: GivenLabels,
    items: Sequence[DayItem],
    span: tuple[DayLike | None, DayLike | None],
    events: Sequence[Event],
) -> Comparison:
    """Compare, with what the sky says of labelled days that have no picture."""
    theirs = {day: codes for day, codes in given.codes.items() if _inside(day, *span)}
    held = {item.date for item in items}
    sky = {day: sky_label(layer, day, events) for day in theirs if day not in held}
    return compare_labels(theirs, items, sky)


def _written(
    archived: ArchivedDays, items: Sequence[DayItem], given: GivenLabels | None
) -> LabelOutcome | None:
    """Write the label file, but not if the verdicts are compared with it: days would agree then."""
    path = label_path(archived.layout)
    if not items or (given is not None and path.exists() and path.samefile(given.path)):
        return None
    return label_days(archived.layout, items)


def _result(
    archived: ArchivedDays,
    method: str,
    items: Sequence[DayItem],
    judged: JudgedDays,
    comparison: Comparison | None,
) -> ScanResult:
    days = [item.date for item in items if item.date is not None]
    shown = {item.date for item in items if item.date is not None and item.findings}
    shown |= {d.date for d in comparison.disagreements if d.has_picture} if comparison else set()
    return ScanResult(
        layer=archived.layer.identifier,
        method=method,
        items=tuple(items),
        grid=archived.grid,
        root=archived.root,
        folder=archived.layout.scan_folder,
        notes=tuple(n for n in (picture_note(archived.layer), *judged.notes) if n),
        orbits=judged.lines(days),
        start=min(days, default=None),
        stop=max(days) + dt.timedelta(days=1) if days else None,
        skies=judged.skies(sorted(shown)),
        version=version("gibswatch"),
        written=dt.datetime.now(dt.UTC),
    )
