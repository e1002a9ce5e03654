"""One day as the report shows it at length: words, figures, pictures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gibswatch.catalogue.events import events_on
from gibswatch.report.calendar import long_date
from gibswatch.report.heat_panels import heat_panel
from gibswatch.report.palette import KIND_COLOURS, hex_colour
from gibswatch.report.panels import Panel, make_panels
from gibswatch.report.pictures import Budget, jpeg_address
from gibswatch.report.places import Frame, latitude, longitude, outline_path
from gibswatch.report.planes import DayPlanes, read_planes
from gibswatch.report.status import Status, day_id, kinds_of, status_of
from gibswatch.scan.model_scores import number_words
from gibswatch.scan.result import ScanResult
from gibswatch.types import KIND_NAMES, BBox, DayItem, Finding

if TYPE_CHECKING:
    from gibswatch.models import LoadedModel

__all__ = ["Card", "Found", "Outline", "area_words", "make_card"]

_KNOWN = " Known: "
_MOST_FOUND = 6
"""Findings of one day that are described; the rest is counted."""
_MANY_GRANULES = 14


@dataclass(frozen=True, slots=True)
class Found:
    """One finding in words."""

    colour: str
    name: str
    reason: str
    facts: tuple[str, ...]
    granules: tuple[str, ...]
    more_granules: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What a finding's outline looks like."""

    path: str
    colour: str


@dataclass(frozen=True, slots=True)
class Card:
    """One day."""

    item: DayItem
    id: str
    title: str
    weekday: str
    status: Status
    kinds: tuple[tuple[str, bool], ...]
    """Names, and whether each is a fault."""
    sentence: str
    known: str
    """The known event; empty where there is none."""
    facts: tuple[tuple[str, str], ...]
    found: tuple[Found, ...]
    more_found: int
    picture: str | None = None
    problem: str = ""
    """Why there is no picture."""
    frame: Frame | None = None
    outlines: tuple[Outline, ...] = ()
    panels: tuple[Panel, ...] = ()


def make_card(
    result: ScanResult,
    item: DayItem,
    budget: Budget,
    width: int,
    explained_by: LoadedModel | None = None,
) -> Card:
    """Describe one day, with its pictures.

    Parameters
    ----------
    result : ScanResult
    item : DayItem
    budget : Budget
        What this day takes is counted.
    width : int
        Most pixels of a picture's longer side.
    explained_by : LoadedModel, optional
        Shows where it sees a fault, on days that it scored.
    """
    card = _words(item)
    planes = read_planes(result, item)
    if isinstance(planes, str):
        budget.spend()
        return replace(card, problem=f"The picture could not be read: {planes}")
    card = _with_pictures(card, planes, width)
    if explained_by is not None and card.frame is not None:
        seen = heat_panel(explained_by, item, planes.scene, card.frame)
        card = card if seen is None else replace(card, panels=(*card.panels, seen))
    budget.spend(card.picture, *(p.overlay for p in card.panels), *(p.picture for p in card.panels))
    return card


def _words(item: DayItem) -> Card:
    sentence, _, known = item.reason.partition(_KNOWN)
    if not known and item.date is not None:
        known = "; ".join(str(event) for event in events_on(item.layer, item.date))
    ordered = sorted(item.findings, key=lambda finding: not finding.kind.is_fault)
    return Card(
        item,
        day_id(item.date),
        long_date(item.date) if item.date else item.file or "",
        f"{item.date:%A}" if item.date else "",
        status_of(item),
        kinds_of(item),
        sentence,
        known.removesuffix("."),
        tuple(_facts(item)),
        tuple(_found(finding, item.date) for finding in ordered[:_MOST_FOUND]),
        max(0, len(ordered) - _MOST_FOUND),
    )


def _facts(item: DayItem) -> list[tuple[str, str]]:
    facts = []
    faults = [finding for finding in item.findings if finding.kind.is_fault] or item.findings
    areas = [finding.area_km2 for finding in faults if finding.area_km2 is not None]
    if areas:
        facts.append(("Area", area_words(sum(areas))))
    if item.shares is not None:
        s = item.shares
        if s.unexpected > 0:
            facts.append(("Unexplained", _percent(s.unexpected)))
        facts.append(("Black", f"{_percent(s.black)}, {_percent(s.expected)} explained"))
    if item.date_candidates:
        days = ", ".join(str(day) for day in item.date_candidates)
        facts.append(("Would fit", days))
    if item.model is not None:
        said = "called" if item.model.called else "not called"
        score, threshold = number_words(item.model.score), number_words(item.model.threshold)
        figures = f"{score}, {said}: threshold {threshold}"
        facts.append((f"Model {item.model.name}", figures))
    return facts


def _found(finding: Finding, day: dt.date | None) -> Found:
    facts = []
    if finding.area_km2 is not None:
        facts.append(area_words(finding.area_km2))
    if finding.bbox is not None:
        facts.append(_extent(finding.bbox))
    names = _short_granules(finding.granules, day)
    return Found(
        hex_colour(KIND_COLOURS[int(finding.kind)]),
        KIND_NAMES[finding.kind],
        finding.reason,
        tuple(facts),
        names[:_MANY_GRANULES],
        max(0, len(names) - _MANY_GRANULES),
    )


def _short_granules(granules: Sequence[str], day: dt.date | None) -> tuple[str, ...]:
    """Times of granules, without the date where it is the day's own."""
    own = f"{day}T"
    return tuple(name.removeprefix(own).removesuffix("Z").replace("T", " ") for name in granules)


def area_words(area_km2: float) -> str:
    """Area as a person reads it.

    Examples
    --------
    >>> area_words(1_234_567.0), area_words(45_678.0), area_words(12.3)
    ('1.23 million km²', '45,700 km²', '12 km²')
    """
    if area_km2 >= 1e6:
        return f"{area_km2 / 1e6:.3g} million km²"
    if area_km2 >= 1e4:
        return f"{round(area_km2, -2):,.0f} km²"
    return f"{area_km2:,.0f} km²"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.0005 or share == 0 else "under 0.1%"


def _extent(box: BBox) -> str:
    def rounded(value: float) -> float:
        return round(value, 1)

    return (
        f"{longitude(rounded(box.west))} to {longitude(rounded(box.east))}, "
        f"{latitude(rounded(box.south))} to {latitude(rounded(box.north))}"
    )


def _with_pictures(card: Card, planes: DayPlanes, width: int) -> Card:
    g = planes.scene.georeference
    scale = min(1.0, width / max(g.rows, g.cols))
    frame = Frame(g, max(1, round(g.cols * scale)), max(1, round(g.rows * scale)))
    outlines = tuple(
        Outline(path, hex_colour(KIND_COLOURS[int(finding.kind)]))
        for finding in card.item.findings
        if (path := outline_path(finding.geometry, frame))
    )
    return replace(
        card,
        picture=jpeg_address(planes.scene, (frame.width, frame.height)),
        frame=frame,
        outlines=outlines,
        panels=make_panels(planes, frame),
    )
