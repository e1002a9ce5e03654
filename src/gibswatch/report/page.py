"""The report of a scan: one HTML file that opens from disk and asks nobody for anything."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibswatch.catalogue.acknowledgement import ACKNOWLEDGEMENT
from gibswatch.catalogue.layers import find_layer
from gibswatch.errors import GibswatchError
from gibswatch.files import write_bytes
from gibswatch.report.calendar import heat_map
from gibswatch.report.cards import Card, make_card
from gibswatch.report.palette import REASON_COLOURS, REASON_WORDS, hex_colour
from gibswatch.report.pictures import Budget, jpeg_address
from gibswatch.report.places import graticule
from gibswatch.report.planes import read_scene
from gibswatch.report.rendering import render_page
from gibswatch.report.status import STATUS_WORDS, STATUSES, day_id, status_of, worldview_of
from gibswatch.report.summary import (
    budget_words,
    headline,
    range_words,
    runs_without_verdict,
    totals,
)
from gibswatch.report.timeline import timeline
from gibswatch.scan.result import ScanResult
from gibswatch.types import BBox, DayItem

if TYPE_CHECKING:
    from gibswatch.models import LoadedModel

__all__ = ["write_report"]

_MOST_FLAGGED, _MOST_OTHERS = 120, 30
"""Days shown with their pictures, the highest scores first: anomalous, and each other sort."""
_FLAGGED_BYTES, _OTHERS_BYTES = 13_000_000, 2_000_000
"""Of pictures: with the rest a year stays under 20 MB."""
_WIDTHS = ((12, 1280), (40, 1024))
"""Up to so many days shown, so many pixels of a picture's longer side."""
_LEAST_WIDTH = 800
_NARROW = 640.0
"""Width of the chart where it stands beside the calendar."""
_BACKDROP = (1200, 0.42)
"""Pixels and proportion of the picture behind the title."""
_TABLES = ("scan.json", "days.csv", "days.parquet", "findings.parquet")


def write_report(result: ScanResult, *, explained_by: LoadedModel | None = None) -> Path:
    """Write ``report.html`` beside the tables of a scan, whole or not at all.

    Parameters
    ----------
    result : ScanResult
        Of `gibswatch.scan.scan`.
    explained_by : LoadedModel, optional
        The model that scored the days, if it can say where it sees a fault: their cards show it.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    if result.folder is None or result.root is None or result.grid is None:
        raise ValueError("a report needs a scan of an archive, not of loose files")
    html = render_page(
        "report.html.j2",
        **_head(result),
        **_days(result, explained_by),
        **_foot(result, result.folder),
    )
    path = result.folder / "report.html"
    write_bytes(path, html)
    return path


def _head(result: ScanResult) -> dict[str, Any]:
    """What stands above the days."""
    items, calendar = result.items, heat_map(result.items)
    return {
        "layer": result.layer,
        "title": _title(result.layer),
        "grid": str(result.grid),
        "range": range_words(items),
        "headline": headline(items) if items else "",
        "budget": budget_words(result.budget, items),
        "totals": totals(items),
        "judged": sum(item.verdict in ("clean", "anomalous") for item in items),
        "calendar": calendar,
        "timeline": timeline(items, _NARROW) if calendar.is_small else timeline(items),
        "backdrop": _backdrop(result),
    }


def _days(result: ScanResult, model: LoadedModel | None) -> dict[str, Any]:
    """The days, at length and in the table."""
    flagged = _ranked(result.items, "anomalous")
    explained = _ranked(result.items, "explained")
    called = _called_alone(result.items)
    width = _width(
        min(len(flagged), _MOST_FLAGGED)
        + sum(min(len(days), _MOST_OTHERS) for days in (explained, called))
    )
    cards = _cards(result, flagged, Budget(_FLAGGED_BYTES, _MOST_FLAGGED), width, model)
    seen, calm = (
        _cards(result, days, Budget(_OTHERS_BYTES, _MOST_OTHERS), min(width, 800), model)
        for days in (called, explained)
    )
    frames = [card.frame for card in (*cards, *seen, *calm) if card.frame is not None]
    ranked = sorted(result.items, key=lambda item: (-item.score, item.date or dt.date.min))
    return {
        "days": ranked,
        "flagged": cards,
        "more_flagged": len(flagged) - len(cards),
        "called": seen,
        "more_called": len(called) - len(seen),
        "explained": calm,
        "more_explained": len(explained) - len(calm),
        "graticules": {(f.width, f.height): graticule(f) for f in frames},
        "world": _world(result),
        "runs": runs_without_verdict(result.items),
        "placed": {card.id for card in (*cards, *seen, *calm)},
        "status_of": status_of,
        "day_id": day_id,
        "worldview_of": worldview_of,
    }


def _foot(result: ScanResult, folder: Path) -> dict[str, Any]:
    """What stands below the days."""
    names = ("gibswatch", "numpy", "scipy", "pillow")
    return {
        "method": result.method,
        "notes": result.notes,
        "orbits": result.orbits,
        "reasons": [(n, hex_colour(REASON_COLOURS[n]), REASON_WORDS[n]) for n in REASON_COLOURS],
        "statuses": [(status, STATUS_WORDS[status]) for status in STATUSES],
        "tables": [name for name in _TABLES if (folder / name).is_file()],
        "versions": [*((name, version(name)) for name in names), _python()],
        "written": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "acknowledgement": ACKNOWLEDGEMENT,
    }


def _ranked(items: Sequence[DayItem], status: str) -> list[DayItem]:
    return sorted((i for i in items if status_of(i) == status), key=lambda item: -item.score)


def _called_alone(items: Sequence[DayItem]) -> list[DayItem]:
    """Days in which the detectors found nothing at all and the model something, strongest first."""
    scored = [(i.model.score, i) for i in items if i.model is not None and i.model.called]
    alone = [(score, item) for score, item in scored if status_of(item) == "clean"]
    return [item for _, item in sorted(alone, key=lambda pair: -pair[0])]


def _cards(
    result: ScanResult,
    items: Sequence[DayItem],
    budget: Budget,
    width: int,
    model: LoadedModel | None,
) -> list[Card]:
    """Describe days, one after the other, as long as there is room for pictures."""
    cards = []
    for item in items:
        if not budget.is_open:
            break
        cards.append(make_card(result, item, budget, width, model))
    return cards


def _width(days: int) -> int:
    return next((width for most, width in _WIDTHS if days <= most), _LEAST_WIDTH)


def _backdrop(result: ScanResult) -> str | None:
    """Picture of the clean day with the least black, cut to a band around the middle."""
    clean = [(i.shares.black, i) for i in result.items if i.verdict == "clean" and i.shares]
    for _, item in sorted(clean, key=lambda pair: pair[0])[:1]:
        scene = read_scene(result, item)
        if not isinstance(scene, str):
            rows, cols = scene.state.shape
            high = min(rows, max(1, round(cols * _BACKDROP[1])))
            top = (rows - high) // 3
            width = min(_BACKDROP[0], 2 * cols)
            size = (width, max(1, round(width * high / cols)))
            return jpeg_address(scene, size, (top, top + high, 0, cols), 60)
    return None


def _world(result: ScanResult) -> BBox | None:
    """Place of the pictures in degrees, where they show a part of the world."""
    grid = result.grid
    return grid.bbox if grid is not None and grid.epsg == 4326 else None


def _title(layer: str) -> tuple[str, str]:
    """Title and source of a layer, as Worldview writes them."""
    try:
        known = find_layer(layer)
    except GibswatchError:
        return layer, ""
    return known.title, known.subtitle


def _python() -> tuple[str, str]:
    return "Python", platform.python_version()
