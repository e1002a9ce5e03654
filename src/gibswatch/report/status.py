"""What a day is in the report: its verdict, with the explained days told from the plain ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from gibswatch.types import KIND_NAMES, DayItem

__all__ = [
    "STATUSES",
    "STATUS_WORDS",
    "Status",
    "day_id",
    "kinds_of",
    "level_of",
    "status_of",
    "worldview_of",
]

Status = Literal["anomalous", "explained", "clean", "incomplete", "wrong-date", "no-data"]

STATUSES: tuple[Status, ...] = (
    "anomalous", "explained", "clean", "incomplete", "wrong-date", "no-data",
)  # fmt: skip
"""In the order of what a person wants to see first."""

STATUS_WORDS: Mapping[Status, str] = MappingProxyType(
    {
        "anomalous": "something that nothing explains",
        "explained": "an eclipse or a scheduled gap, and nothing else",
        "clean": "nothing unusual",
        "incomplete": "tiles are missing: no verdict",
        "wrong-date": "the service showed another day",
        "no-data": "the service has no such day",
    }
)

_WORLDVIEW = "https://worldview.earthdata.nasa.gov/"
_ANOMALOUS_LEVELS = (0.7, 0.9)
_CLEAN_LEVELS = (0.05, 0.15, 0.3)


def status_of(item: DayItem) -> Status:
    """Verdict of a day; `explained` for a clean one on which something was found."""
    if item.verdict == "clean" and item.findings:
        return "explained"
    return item.verdict


def level_of(item: DayItem) -> int:
    """Shade of a day in the calendar by its score: 0 the palest."""
    steps = {"anomalous": _ANOMALOUS_LEVELS, "clean": _CLEAN_LEVELS}.get(status_of(item), ())
    return sum(item.score >= step for step in steps)


def day_id(day: dt.date | None, number: int = 0) -> str:
    """Name of a day's place in the page."""
    return f"d{day}" if day is not None else f"picture-{number}"


def kinds_of(item: DayItem) -> tuple[tuple[str, bool], ...]:
    """Names of what was found, each once, and whether it is a fault; faults first."""
    kinds = sorted(dict.fromkeys(f.kind for f in item.findings), key=lambda kind: not kind.is_fault)
    return tuple((KIND_NAMES[kind], kind.is_fault) for kind in kinds)


def worldview_of(item: DayItem) -> str | None:
    """Address of a day in Worldview; None for any other address, as a foreign file may hold."""
    link = item.worldview
    return link if link and link.startswith(_WORLDVIEW) else None
