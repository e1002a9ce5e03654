"""The days of an archive as a scan sees them: with a picture or without, confirmed or in doubt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gibswatch.archive.ingest.confirm import confirm_days
from gibswatch.archive.ingest.summary import DownloadSummary
from gibswatch.archive.journal.journal import DayRecord
from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive
from gibswatch.archive.standing import verdict_of_tiles
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid
from gibswatch.errors import NothingFetchedError, RunStoppedError
from gibswatch.scan.judging.neighbours import NEIGHBOUR_DAYS
from gibswatch.scan.model_scores import ModelFile
from gibswatch.scan.outputs.rasters import DayFiles, Output
from gibswatch.scan.pictures import ArchivedDay, Picture
from gibswatch.settings import Settings
from gibswatch.types import DayItem, IncompleteCause, VerdictName

__all__ = ["ArchivedDays", "confirm_anomalies"]

_DAYS_NAMED = 5
"""Days that a note names."""


@dataclass(frozen=True)
class ArchivedDays:
    """What the archive holds of one layer on one grid."""

    root: Path
    layer: Layer
    grid: Grid
    wanted: frozenset[Output] = frozenset()
    """What shall be written of each day besides its mask."""
    model: ModelFile | None = None
    """What scores each day beside its verdict."""

    @cached_property
    def layout(self) -> Layout:
        """Where everything lies."""
        return Layout(self.root, self.layer.identifier, self.grid.epsg)

    @cached_property
    def records(self) -> Mapping[dt.date, DayRecord]:
        """What the journal knows of each day, when it was first asked."""
        return self.now()

    def now(self) -> Mapping[dt.date, DayRecord]:
        """What the journal knows of each day now."""
        return Archive(self.root).records(self.layer.identifier, self.grid.epsg)

    def pictures(self, days: Sequence[dt.date]) -> tuple[list[Picture], list[Picture]]:
        """Return the pictures of `days`, and those that the archive has of the days around them."""
        if not days:
            return [], []
        asked, reach = frozenset(days), dt.timedelta(days=NEIGHBOUR_DAYS)
        pictures: list[Picture] = []
        around: list[Picture] = []
        for day, record in self.records.items():
            near = min(days) - reach <= day <= max(days) + reach
            if near and not _is_unpublished(record):
                (pictures if day in asked else around).append(self.picture(record))
        return pictures, around

    def picture(self, record: DayRecord) -> Picture:
        """Return the picture of one day."""
        layout = self.layout
        shown = self.root / record.picture if record.picture else layout.day_folder(record.date)
        return Picture(
            ArchivedDay(self.root, self.layer.identifier, self.grid.epsg, record.date),
            self.layer.identifier,
            str(shown),
            "name",
            record.tiles,
            layout.mask(record.date),
            DayFiles(layout, record.date, self.wanted),
            self.model,
        )

    def without_reasons(self, days: Sequence[dt.date]) -> int:
        """How many days have no reason raster, if they shall have one."""
        if "reasons" not in self.wanted:
            return 0
        return sum(not self.layout.reason_tif(day).is_file() for day in days)

    def without_picture(self, days: Sequence[dt.date], summary: DownloadSummary) -> list[DayItem]:
        """Return what is said of days that there is nothing of to look at."""
        items = []
        for day in days:
            record = self.records.get(day)
            if record is None:
                why = f"Not downloaded: {summary.stopped or 'it is not in the archive'}."
                items.append(self._item(day, "incomplete", why, "network", {}))
            elif _is_unpublished(record):
                last = summary.published_until
                until = f" ends on {last}" if last else " ends before it"
                why = f"Not published yet: the service's list of days{until}."
                items.append(self._item(day, "no-data", why, None, record.tiles))
        return items

    def _item(
        self,
        day: dt.date,
        verdict: VerdictName,
        reason: str,
        cause: IncompleteCause | None,
        tiles: Mapping[str, int],
    ) -> DayItem:
        name = self.layer.identifier
        return DayItem(name, day, verdict, 0.0, reason, None, (), cause, tiles, date_source="name")


def confirm_anomalies(
    archived: ArchivedDays,
    items: Sequence[DayItem],
    *,
    judge: Callable[[Sequence[Picture]], Iterable[DayItem]],
    settings: Settings,
    tell_doubt: Callable[[str], None],
    on_progress: Callable[[str, int, int], None],
) -> list[DayItem]:
    """Fetch the tiles of anomalous and damaged days once more; judge again where bytes differ.

    Parameters
    ----------
    archived : ArchivedDays
    items : sequence of DayItem
        As judged.
    judge : callable
        Judges days again, alone.
    settings : Settings
    tell_doubt : callable
        Told in one line which days could not be confirmed; their verdict stays.
    on_progress : callable
        Told (``confirm``, done, total).

    Returns
    -------
    list of DayItem
        In the same order; days with tiles that came otherwise the second time are `incomplete`.
    """
    days = [
        item.date
        for item in items
        if (item.verdict == "anomalous" or _is_suspect(item))
        and item.date is not None
        and archived.records[item.date].confirmed_at is None
    ]
    if not days:
        return list(items)
    done = iter(range(1, len(days) + 1))

    def count_day(_day: dt.date) -> None:
        on_progress("confirm", next(done), len(days))

    problem = ""
    try:
        confirm_days(archived.root, archived.layer, archived.grid, days, settings, on_day=count_day)
    except (NothingFetchedError, RunStoppedError) as error:
        problem = str(error)
    now = archived.now()
    suspect = [now[day] for day in days if not now[day].complete]
    open_days = [day for day in days if now[day].complete and now[day].confirmed_at is None]
    if open_days:
        tell_doubt(_doubt(open_days, problem))
    judged = judge([archived.picture(record) for record in suspect])
    renewed = {item.date: item for item in judged}
    return [renewed.get(item.date, item) for item in items]


def _is_suspect(item: DayItem) -> bool:
    """Whether its pixels, not its tiles, say that something was lost on the way."""
    whole = bool(item.tiles) and verdict_of_tiles(item.tiles)[0] is None
    return whole and item.incomplete_cause == "network"


def _doubt(days: Sequence[dt.date], problem: str) -> str:
    named = ", ".join(str(day) for day in days[:_DAYS_NAMED])
    more = f" and {len(days) - _DAYS_NAMED} more" if len(days) > _DAYS_NAMED else ""
    why = problem or "not every tile came again, or the first fetch left nothing to compare with"
    return f"not confirmed by a second fetch: {named}{more} ({why})"


def _is_unpublished(record: DayRecord) -> bool:
    return verdict_of_tiles(record.tiles)[0] == "no-data"
