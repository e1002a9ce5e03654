"""The page of a comparison with a person's labels: the table, and pictures of what differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from gibswatch.catalogue.acknowledgement import ACKNOWLEDGEMENT
from gibswatch.files import write_bytes
from gibswatch.report.cards import Card, make_card
from gibswatch.report.pictures import Budget
from gibswatch.report.places import graticule
from gibswatch.report.rendering import render_page
from gibswatch.report.status import worldview_of
from gibswatch.scan.labelling.agreement import short_codes
from gibswatch.scan.labelling.comparison import Comparison, Disagreement, Nature
from gibswatch.scan.labelling.run import LabelResult
from gibswatch.scan.result import ScanResult
from gibswatch.types import KIND_NAMES, Kind

__all__ = ["NATURE_WORDS", "write_disagreements"]

_PAGE = "labels.html"
_MOST_DAYS, _MOST_BYTES = 120, 15_000_000
_WIDTH = 1024

NATURE_WORDS: Mapping[Nature, str] = MappingProxyType(
    {
        "theirs": "only the label has it",
        "both": "two different things",
        "ours": "only Gibswatch has it",
        "cause": "the same seen, another cause",
    }
)
"""What each kind of difference is called."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """One day that differs, with its pictures if there is room."""

    day: Disagreement
    theirs: str
    ours: str
    words: str
    card: Card | None


def write_disagreements(done: LabelResult) -> Path | None:
    """Write ``labels.html`` beside the tables of the layer's scan, whole or not at all.

    Parameters
    ----------
    done : LabelResult
        Of `gibswatch.scan.label_archive`.

    Returns
    -------
    Path or None
        None where no picture was compared with a label.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    result, found = done.result, done.comparison
    if found is None or not found.judged or result.folder is None:
        return None
    shown = _shown(result, found)
    frames = [s.card.frame for s in shown if s.card is not None and s.card.frame is not None]
    page = render_page(
        "labels.html.j2",
        layer=result.layer,
        against=str(done.against),
        found=found,
        shown=shown,
        suggestions=done.suggestions or (),
        codes=short_codes,
        graticules={(f.width, f.height): graticule(f) for f in frames},
        world=result.grid.bbox if result.grid is not None and result.grid.epsg == 4326 else None,
        worldview_of=worldview_of,
        written=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("gibswatch"),
        acknowledgement=ACKNOWLEDGEMENT,
    )
    path = result.folder / _PAGE
    write_bytes(path, page)
    return path


def _shown(result: ScanResult, found: Comparison) -> list[_Shown]:
    """Describe the days that differ; with pictures as long as there is room for them."""
    budget = Budget(_MOST_BYTES, _MOST_DAYS)
    items = {item.date: item for item in result.items}
    shown = []
    for day in found.disagreements:
        item = items.get(day.date)
        card = None
        if day.has_picture and item is not None and budget.is_open:
            card = make_card(result, item, budget, _WIDTH)
        words = NATURE_WORDS[day.nature]
        shown.append(_Shown(day, _named(day.theirs), _named(day.ours), words, card))
    return shown


def _named(codes: Iterable[Kind]) -> str:
    return ", ".join(f"{int(code)} {KIND_NAMES[code]}" for code in codes) or "nothing"
