"""Dated outages, artefacts and eclipses: what may explain a day (``data/events.json``).

An event explains, it never changes a verdict.  The packaged table is written by hand from notices
of the instrument teams and from gaps of GIBS's time domains; ``docs/events.md`` describes its
format, which is also that of the user's own table.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from gibswatch.errors import UsageError

__all__ = ["EVENT_EFFECTS", "Event", "EventEffect", "events_on", "load_events", "read_events"]

EventEffect = Literal["missing", "partial", "mostly-empty", "artefact", "eclipse"]
EVENT_EFFECTS: tuple[EventEffect, ...] = get_args(EventEffect)

_MAX_BYTES = 2**20
_MAX_EVENTS = 10_000
_LONGEST = 500
_MAX_STARS = 4  # a pattern of many stars takes long to compare
_REQUIRED = frozenset({"first", "last", "satellites", "layers", "effect", "what", "source"})
_KNOWN = _REQUIRED | {"start", "end", "certain"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PATTERN = re.compile(r"[A-Za-z0-9_.*?+-]+", re.ASCII)
# The local calendar day of a satellite that passes between 9:00 and 16:00 begins up to three hours
# before the UTC day and ends up to four hours after it.
_BEFORE, _AFTER = dt.timedelta(hours=3), dt.timedelta(hours=28)


@dataclass(frozen=True, slots=True)
class Event:
    """One dated cause of missing, changed or dark pictures."""

    first: dt.date
    """First day, as GIBS dates its pictures."""
    last: dt.date
    """Last day, included."""
    satellites: tuple[str, ...]
    layers: tuple[str, ...]
    """Patterns of layer identifiers; ``*`` stands for any text, ``?`` for one character."""
    effect: EventEffect
    what: str
    """The cause in words."""
    source: str
    """Who says so."""
    start: dt.datetime | None = None
    """First moment (UTC), where it is known."""
    end: dt.datetime | None = None
    certain: bool = True
    """False where the source leaves it open."""

    def concerns(self, layer: str, day: dt.date) -> bool:
        """Whether the picture of a layer on a local day may show it.

        An event with moments concerns every local day that can hold one of them; one without
        concerns the days from `first` to `last`.
        """
        if not any(fnmatch.fnmatchcase(layer, pattern) for pattern in self.layers):
            return False
        if self.start is None or self.end is None:
            return self.first <= day <= self.last
        midnight = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
        return self.start < midnight + _AFTER and self.end > midnight - _BEFORE

    def __str__(self) -> str:
        days = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
        doubt = "" if self.certain else ", not certain"
        return f"{self.what} ({self.effect}, {days}{doubt}; {self.source})"


def events_on(layer: str, day: dt.date, extra: Sequence[Event] = ()) -> tuple[Event, ...]:
    """Return the events that may explain the picture of a layer on a day.

    Parameters
    ----------
    layer : str
        Identifier.
    day : datetime.date
        Local calendar day, as GIBS dates its pictures.
    extra : sequence of Event
        The user's own, of `read_events`; they come after the packaged ones.

    Examples
    --------
    >>> [e.what for e in events_on("MODIS_Terra_Data_No_Data", dt.date(2000, 4, 26))]
    ['the nadir aperture door was closed for a manoeuvre']
    """
    return tuple(event for event in (*load_events(), *extra) if event.concerns(layer, day))


@functools.cache
def load_events() -> tuple[Event, ...]:
    """Return the packaged table, oldest first."""
    table = resources.files("gibswatch.catalogue") / "data" / "events.json"
    return _read(table.read_bytes(), "the packaged events.json")


def read_events(path: Path) -> tuple[Event, ...]:
    """Read a table of one's own.

    Raises
    ------
    UsageError
        If it cannot be read, is larger than 1 MiB, or an event in it is not as it should be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--events {path} cannot be read ({reason}): name a JSON file") from error
    return _read(data, f"--events {path}")


def _read(data: bytes, name: str) -> tuple[Event, ...]:
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{name} is larger than {_MAX_BYTES} bytes: split it")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:80] or type(error).__name__
        raise UsageError(f"{name} is no JSON ({reason}): see docs/events.md") from error
    rows = document.get("events") if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(rows) > _MAX_EVENTS:
        raise UsageError(
            f'{name} must hold {{"events": [...]}}, at most {_MAX_EVENTS}: see docs/events.md'
        )
    return tuple(_event(row, f"{name}, event {number}") for number, row in enumerate(rows, 1))


def _event(row: Any, name: str) -> Event:
    if not isinstance(row, dict):
        raise UsageError(f"{name}: not a record but {_shown(row)}")
    missing, unknown = sorted(_REQUIRED - row.keys()), sorted(row.keys() - _KNOWN)
    if missing or unknown:
        words = f"lacks {', '.join(missing)}" if missing else f"has an unknown {unknown[0][:40]!r}"
        raise UsageError(f"{name} {words}: see docs/events.md")
    if row["effect"] not in EVENT_EFFECTS:
        raise UsageError(f"{name}: effect {_shown(row['effect'])} is none of {EVENT_EFFECTS}")
    if not isinstance(row.get("certain", True), bool):
        raise UsageError(f"{name}: certain must be true or false, not {_shown(row['certain'])}")
    event = Event(
        _day(row, "first", name),
        _day(row, "last", name),
        _texts(row, "satellites", name),
        _patterns(row, name),
        row["effect"],
        _text(row["what"], f"{name}: what"),
        _text(row["source"], f"{name}: source"),
        _moment(row, "start", name),
        _moment(row, "end", name),
        row.get("certain", True),
    )
    _check_order(event, name)
    return event


def _check_order(event: Event, name: str) -> None:
    if event.last < event.first:
        raise UsageError(f"{name}: it ends on {event.last}, before it begins on {event.first}")
    if (event.start is None) != (event.end is None):
        raise UsageError(f"{name}: give both start and end, or neither")
    if event.start and event.end:
        if event.end < event.start:
            raise UsageError(f"{name}: it ends at {event.end}, before it begins at {event.start}")
        if (event.start.date(), event.end.date()) != (event.first, event.last):
            raise UsageError(f"{name}: start and end must lie on the days first and last")


def _day(row: dict[str, Any], key: str, name: str) -> dt.date:
    value = row[key]
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return dt.date.fromisoformat(value)
    except ValueError:
        pass
    raise UsageError(f"{name}: {key} {_shown(value)} is no day: give YYYY-MM-DD")


def _moment(row: dict[str, Any], key: str, name: str) -> dt.datetime | None:
    value = row.get(key)
    if value is None:
        return None
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return dt.datetime.fromisoformat(value)
    except ValueError:
        pass
    raise UsageError(f"{name}: {key} {_shown(value)} is no moment: give YYYY-MM-DDThh:mmZ")


def _patterns(row: dict[str, Any], name: str) -> tuple[str, ...]:
    patterns = _texts(row, "layers", name)
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern) or pattern.count("*") > _MAX_STARS:
            raise UsageError(
                f"{name}: layers {_shown(pattern)} is no pattern: use letters, digits and _ - . + ?"
                f" and at most {_MAX_STARS} stars"
            )
    return patterns


def _texts(row: dict[str, Any], key: str, name: str) -> tuple[str, ...]:
    value = row[key]
    if not isinstance(value, list) or not 1 <= len(value) <= 100:
        raise UsageError(f"{name}: {key} must be a list of 1 to 100 texts, not {_shown(value)}")
    return tuple(_text(item, f"{name}: {key}") for item in value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST or not value.isprintable():
        raise UsageError(
            f"{name} must be a text of 1 to {_LONGEST} printable characters, not {_shown(value)}"
        )
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
