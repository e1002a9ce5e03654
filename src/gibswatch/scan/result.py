"""`ScanResult`: what a scan found, where it lies, and what its days were judged by."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gibswatch.archive.ingest.summary import DownloadSummary
from gibswatch.catalogue.windows import Grid
from gibswatch.scan.budget import Budget
from gibswatch.sky.orbit import Orbit
from gibswatch.types import DayItem

__all__ = ["DaySky", "ProgressCallback", "ScanResult", "silent"]

ProgressCallback = Callable[[str, int, int], None]
"""Told (pass, done, total); the passes are download, mask layer, observe, judge, confirm."""


@dataclass(frozen=True, slots=True)
class DaySky:
    """What one day was expected to show, as two small records."""

    orbit: Orbit
    sza_cut_deg: float
    """Solar zenith angle at which imagery ends."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found, and where it lies."""

    layer: str
    method: str
    items: tuple[DayItem, ...]
    """One a day of the range, in order; gaps of the domain included."""
    grid: Grid | None = None
    download: DownloadSummary | None = None
    """None too where the result was read from disk."""
    root: Path | None = None
    """Of the archive."""
    folder: Path | None = None
    """Holds days.parquet, days.csv, findings.parquet and scan.json."""
    notes: tuple[str, ...] = ()
    """What a person should know of how the request was read."""
    orbits: tuple[str, ...] = ()
    """Which orbit the days have, and why not a better one; empty without a known satellite."""
    start: dt.date | None = None
    """First day of the range."""
    stop: dt.date | None = None
    """The day after its last."""
    skies: Mapping[dt.date, DaySky] = field(default_factory=dict)
    """What the days with findings were judged by, where their orbit is known."""
    version: str = ""
    """Of the Gibswatch that judged."""
    written: dt.datetime | None = None
    """UTC; when the judgement was written down."""
    budget: Budget | None = None
    """By what days are alerts; None if none was asked for."""

    @property
    def epsg(self) -> int | None:
        """Projection of the pictures; None for loose files."""
        return None if self.grid is None else self.grid.epsg

    @property
    def verdicts(self) -> Counter[str]:
        """Number of days by verdict."""
        return Counter(item.verdict for item in self.items)

    @property
    def alerts(self) -> tuple[DayItem, ...]:
        """Days over the threshold of the budget, in order."""
        return tuple(item for item in self.items if item.alert)


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
