"""What a run did: days by verdict, and every tile that did not come, with its reason."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from gibswatch.archive.journal.journal import Journal
from gibswatch.archive.journal.records import USABLE_STATES, TileRecord
from gibswatch.archive.layout import Layout
from gibswatch.archive.standing import is_whole, standing_name, verdict_of_tiles
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import Grid
from gibswatch.files import atomic_path, storage_errors

__all__ = ["DayOutcome", "DownloadSummary", "problems_of", "write_problem_list"]

_PROBLEMS_KEPT = 1000
_COLUMNS = ("date", "row", "col", "state", "url", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """How one day went."""

    date: dt.date
    tiles: Mapping[str, int]
    """Number of tiles by state, those kept from earlier runs included."""
    fetched: int
    """Tiles asked for in this run."""
    received_bytes: int = 0
    problems: tuple[tuple[str, str, str], ...] = ()
    """(address, state, message) of the tiles that did not come; the first thousand."""

    @property
    def complete(self) -> bool:
        """Whether every tile is there, and not all of them the service's blank one."""
        return is_whole(self.tiles)


@dataclass(slots=True)
class DownloadSummary:
    """What a run did, in total."""

    days: int = 0
    """Days that the run was asked for."""
    days_kept: int = 0
    """Days that were whole already, and not asked again."""
    days_complete: int = 0
    days_incomplete: int = 0
    """Days with tiles that did not come, or of which every tile shows another date."""
    days_no_data: int = 0
    """Days that the service has not published yet."""
    verdicts: Counter[str] = field(default_factory=Counter)
    """Days by what their tiles say: ``complete``, ``incomplete-network``, ``incomplete-server``,
    ``incomplete-mixed``, ``wrong-date``, ``no-data``; those kept are complete."""
    not_complete: dict[dt.date, str] = field(default_factory=dict)
    """The days of the other verdicts, each with its own."""
    fetched: int = 0
    """Requests for tiles; one that was asked for again at the end counts twice."""
    received_bytes: int = 0
    tiles: Counter[str] = field(default_factory=Counter)
    """Tiles of this run's days by state."""
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """(address, state, message); the first thousand. `problems_of` gives all."""
    problem_list: Path | None = None
    """Table of every tile in the archive that did not come; None where all did."""
    stopped: str | None = None
    """Why the run ended before its end."""
    published_until: dt.date | None = None
    """Last day that the service listed, where the run had to ask."""

    @property
    def nothing_came(self) -> bool:
        """Whether tiles were asked for and not one came, nor is one of all the days there."""
        came = sum(self.tiles[state] for state in USABLE_STATES) or self.received_bytes
        return (self.fetched > 0 or self.stopped is not None) and not came and not self.days_kept

    @property
    def days_left(self) -> int:
        """Days that a run that was stopped did not get to, or gave up in the middle."""
        ended = self.days_complete + self.days_incomplete + self.days_no_data
        return self.days - self.days_kept - ended

    @property
    def first_problem(self) -> str:
        """What happened to the first tile that did not come, in a few words."""
        if not self.problems:
            return self.stopped or ""
        url, state, message = self.problems[0]
        return f"{state}: {url if len(url) <= 200 else url[:197] + '...'} ({message})"

    @property
    def nothing_line(self) -> str:
        """Why nothing came, where nothing did: what ended the run, or the first tile's problem."""
        if self.stopped is not None:
            return f"no tile could be had: {self.stopped}"
        return f"no tile could be had; the first was {self.first_problem}"

    def keep(self, count: int) -> None:
        """Count days that were whole already."""
        self.days_kept += count
        self.verdicts["complete"] += count

    def add(self, outcome: DayOutcome) -> None:
        """Count one day."""
        verdict, _ = verdict_of_tiles(outcome.tiles)
        self.days_complete += verdict is None
        self.days_no_data += verdict == "no-data"
        self.days_incomplete += verdict not in (None, "no-data")
        name = standing_name(outcome.tiles)
        self.verdicts[name] += 1
        if verdict is not None:
            self.not_complete[outcome.date] = name
        self.fetched += outcome.fetched
        self.received_bytes += outcome.received_bytes
        self.tiles.update(outcome.tiles)
        self.problems.extend(outcome.problems[: _PROBLEMS_KEPT - len(self.problems)])

    def add_dropped(self, fetched: int, received_bytes: int, kept: Mapping[str, int]) -> None:
        """Count what was asked for of a day that the run gave up, and its tiles that are kept."""
        self.fetched += fetched
        self.received_bytes += received_bytes
        self.tiles.update(kept)


def problems_of(
    root: Path, layer: Layer, grid: Grid, days: Collection[dt.date]
) -> Iterator[TileRecord]:
    """Yield every tile of some days that did not come, by day, row and column.

    Parameters
    ----------
    root : Path
        The archive's root.
    layer : Layer
    grid : Grid
    days : collection of date

    Raises
    ------
    ArchiveError
        If the journal cannot be read.
    """
    path = Layout(root, layer.identifier, grid.epsg).journal
    if not path.is_file():
        return
    with Journal(path) as journal:
        yield from journal.problems(days)


def write_problem_list(path: Path, problems: Iterable[TileRecord]) -> Path | None:
    """Write a table of tiles that did not come (CSV), whole or not at all.

    Parameters
    ----------
    path : Path
        Removed where there is no such tile.
    problems : iterable of TileRecord
        Read once, never all in memory.

    Returns
    -------
    Path or None
        The table; None where there is none to write.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    rows = iter(problems)
    first = next(rows, None)
    if first is None:
        with storage_errors(path):
            path.unlink(missing_ok=True)
        return None
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for one in chain((first,), rows):
            text = (_defused(cell) for cell in (one.state, one.url, one.message))
            table.writerow((one.date.isoformat(), one.tile.row, one.tile.col, *text))
    return path


def _defused(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; a quote before it says "text"."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return f"'{clean}" if text.startswith(_FORMULA) else clean
