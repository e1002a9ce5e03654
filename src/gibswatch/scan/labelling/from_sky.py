"""What can be said of a day without its picture: by Sun, Moon, orbit, and the list of known events.

A roll of VIIRS towards the Moon, an eclipse in daylight, a known outage, a day that the domain
leaves out.  That none of them is there says nothing: holes and colours have other causes too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from gibswatch.catalogue.domains import gap_around
from gibswatch.catalogue.events import Event, events_on
from gibswatch.catalogue.layers import Layer
from gibswatch.scan.judging.orbits import imaging_satellite
from gibswatch.scan.labelling.agreement import AgreementRow, Codes, count_row
from gibswatch.sky.eclipse_days import EclipseView, largest_obscuration
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import Satellite
from gibswatch.sky.schedule import scheduled_windows
from gibswatch.types import Kind

__all__ = [
    "CAUSES",
    "CAUSE_CODES",
    "LEAST_OBSCURED",
    "SURE",
    "Cause",
    "SkyLabel",
    "cause_rows",
    "eclipse_of",
    "sky_label",
]

Cause = Literal["roll", "eclipse", "outage", "gap"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

LEAST_OBSCURED = 0.35
"""Of the Sun's disc: under it nothing turns black (`gibswatch.detect.missing.eclipse`)."""
SURE = 0.5
"""Probability of a scheduled gap from which the day is said to have it."""

_ECLIPSE = frozenset({Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION})
_MISSING = frozenset({Kind.MISSING_EXPECTED, Kind.MISSING_UNEXPECTED})
_UNEXPECTED = frozenset({Kind.MISSING_UNEXPECTED})
CAUSE_CODES: Mapping[Cause, tuple[frozenset[Kind], frozenset[Kind]]] = MappingProxyType(
    {
        "roll": (frozenset({Kind.MISSING_EXPECTED}), _MISSING),
        "eclipse": (_ECLIPSE, _ECLIPSE),
        "outage": (_UNEXPECTED, _MISSING),
        "gap": (_UNEXPECTED, _MISSING),
    }
)
"""Our kinds, and the codes of a person that match them: the hole of a roll is often called 2."""

_OUTAGES = frozenset({"missing", "partial", "mostly-empty"})
_NAMES: Mapping[Cause, str] = MappingProxyType(
    {
        "roll": "roll towards the Moon",
        "eclipse": f"eclipse, {LEAST_OBSCURED:.0%} of the Sun or more",
        "outage": "known outage",
        "gap": "gap of the domain",
    }
)


@dataclass(frozen=True, slots=True)
class SkyLabel:
    """What is said of one day."""

    date: dt.date
    causes: Mapping[Cause, str]
    """Each with its reason in words; empty where nothing is known."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Our kinds; of an eclipse both, as the sky alone does not tell black from dark."""
        return frozenset(kind for cause in self.causes for kind in CAUSE_CODES[cause][0])

    @property
    def reason(self) -> str:
        """One sentence."""
        text = "; ".join(self.causes.values())
        return f"{text[:1].upper()}{text[1:]}." if text else "Nothing is scheduled or known."

    def agrees(self, codes: Iterable[Kind]) -> bool:
        """Whether each cause has a code that matches it, and each eclipse code an eclipse."""
        given = frozenset(codes)
        told = all(given & CAUSE_CODES[cause][1] for cause in self.causes)
        return told and ("eclipse" in self.causes or not given & _ECLIPSE)


def sky_label(layer: Layer, day: dt.date, events: Sequence[Event] = ()) -> SkyLabel:
    """Say what sky, schedule and known events let expect of a day's picture.

    Parameters
    ----------
    layer : Layer
        Rolls and eclipses count for corrected reflectance alone.
    day : datetime.date
    events : sequence of Event
        Besides the packaged ones.
    """
    satellite = imaging_satellite(layer.identifier)
    found: list[tuple[Cause, str | None]] = [
        ("roll", _roll(satellite, day)),
        ("eclipse", _eclipse(satellite, day)),
        ("outage", _outage(layer, day, events)),
        ("gap", _gap(layer, day)),
    ]
    return SkyLabel(day, MappingProxyType({cause: why for cause, why in found if why}))


def cause_rows(theirs: Codes, labels: Mapping[dt.date, SkyLabel]) -> tuple[AgreementRow, ...]:
    """Compare a person's codes with what the sky says, cause by cause.

    Parameters
    ----------
    theirs : mapping of date to codes
    labels : mapping of date to SkyLabel
        Of the days to compare.
    """
    days = sorted(labels.keys() & theirs.keys())
    rows = []
    for cause in CAUSES:
        kinds, codes = CAUSE_CODES[cause]
        ours = {day: kinds if cause in labels[day].causes else frozenset() for day in days}
        row = count_row(_NAMES[cause], days, theirs, ours, kinds=kinds, their_kinds=codes)
        rows.append(row)
    return tuple(rows)


def eclipse_of(satellite: Satellite, day: dt.date) -> EclipseView | None:
    """Find the deepest eclipse of a day by the satellite's usual orbit."""
    if day < satellite.launch:
        return None
    return largest_obscuration(anchor_orbit(satellite, day), day)


def _roll(satellite: Satellite | None, day: dt.date) -> str | None:
    if satellite is None:
        return None
    windows = scheduled_windows(satellite.name, day)
    return next((w.why for w in windows if w.kind == "lunar-roll" and w.probability >= SURE), None)


def _eclipse(satellite: Satellite | None, day: dt.date) -> str | None:
    view = None if satellite is None else eclipse_of(satellite, day)
    if view is None or view.share < LEAST_OBSCURED:
        return None
    north, east = "N" if view.lat_deg >= 0 else "S", "E" if view.lon_deg >= 0 else "W"
    place = f"{abs(view.lat_deg):.0f} {north} {abs(view.lon_deg):.0f} {east}"
    return f"eclipse: up to {view.share:.0%} of the Sun is covered, at {place}"


def _outage(layer: Layer, day: dt.date, events: Sequence[Event]) -> str | None:
    known = events_on(layer.identifier, day, events)
    return next((f"known: {e}" for e in known if e.certain and e.effect in _OUTAGES), None)


def _gap(layer: Layer, day: dt.date) -> str | None:
    gap = gap_around(layer.periods, day)
    return None if gap is None else f"the service lists no picture from {gap[0]} to {gap[1]}"
