"""One way to break answers: the rule of a fault plan, and what a request asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from gibswatch.errors import UsageError
from gibswatch.types import EPSG_CODES

__all__ = [
    "EFFECTS",
    "FORMS",
    "PROTOCOLS",
    "Asked",
    "Effect",
    "FaultRule",
    "How",
    "ProtocolName",
    "check",
]

Effect = Literal[
    "status",
    "delay",
    "hang",
    "drip",
    "truncate",
    "scramble",
    "wrong_day",
    "default_day",
    "blank",
    "reset",
    "wrong_length",
    "xml_200",
    "html_200",
    "wrong_type",
    "empty_200",
    "gzip",
]
EFFECTS: tuple[Effect, ...] = get_args(Effect)

ProtocolName = Literal["wmts", "twms", "wms"]
PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)

How = Literal[
    "length",
    "chunked",
    "file",
    "decodes",
    "broken",
    "actual",
    "asked",
    "whole",
    "lie",
    "unsaid",
    "bomb",
]

MAX_BYTES_PER_S = 100_000
"""Of a drip: faster would take more steps a second than an event loop has."""

FORMS: Mapping[Effect, tuple[How, ...]] = {
    "truncate": ("length", "chunked", "file"),
    "scramble": ("decodes", "broken"),
    "wrong_day": ("actual", "asked"),
    "default_day": ("actual", "asked"),
    "gzip": ("whole", "broken", "lie", "unsaid", "bomb"),
}
"""What `FaultRule.how` may be; the first is the default."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, whichever way it was written."""

    protocol: ProtocolName
    layer: str = ""
    """Empty for capabilities and other documents."""
    epsg: int = 0
    """0 if the address names no projection."""
    date: dt.date | None = None
    """None for documents and for times that cannot be read."""
    level: int | None = None
    """None, as row and col, for documents and for WMS, whose pictures are on no grid."""
    row: int | None = None
    col: int | None = None
    rest: str = ""
    """What else tells documents and WMS pictures apart."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One way to break answers, and whose; what is left out does not matter to it.

    Raises
    ------
    UsageError
        If a value cannot be.
    """

    effect: Effect
    layer: tuple[str, ...] = ()
    """Identifiers; pictures of any layer by default."""
    date: tuple[dt.date, dt.date] | None = None
    """First and last day."""
    level: tuple[int, int] | None = None
    """First and last, as row and col."""
    row: tuple[int, int] | None = None
    col: tuple[int, int] | None = None
    epsg: tuple[int, ...] = ()
    protocol: tuple[ProtocolName, ...] = ()
    documents: bool = False
    """Whether the rule is for capabilities and other documents instead of for pictures."""
    rate: float = 1.0
    """Share (0-1) of the tiles selected so far that have the fault, picked by the plan's seed."""
    first: int | None = None
    """How many times each request fails before it is answered well; None: always."""
    status: int = 503
    """For ``status``."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers added to the answer, e.g. Retry-After."""
    delay_s: float = 0.0
    """Seconds to wait before the answer, whatever the effect."""
    keep: float | None = None
    """Share (0-1) of the body that is sent: 0.5 for ``truncate``; with ``reset`` and ``hang`` what
    comes before (by default not even the head of the answer)."""
    how: How | None = None
    """Which form of the effect; see ``docs/faults.md``."""
    bytes_per_s: float = 1.0
    """For ``drip``: how fast the body comes."""
    length_by: int = 100
    """For ``wrong_length``: what Content-Length is too large (or, negative, too small) by."""
    days_off: int = -1
    """For ``wrong_day``: which of the layer's days comes instead, counted from the asked one."""

    def __post_init__(self) -> None:
        self._check_effect()
        check(0.0 <= self.rate <= 1.0, f"rate {self.rate} is not a share: give 0 to 1")
        check(self.first is None or self.first > 0, f"first {self.first} is not a number over 0")
        check(100 <= self.status <= 599, f"status {self.status} is none of HTTP: give 400 or 503")
        check(0 <= self.delay_s < 3600, f"delay_s {self.delay_s} is not 0 to 3600 seconds")
        check(
            self.keep is None or 0.0 <= self.keep < 1.0,
            f"keep {self.keep} is not a share of the body: give 0 to 1, and less than 1",
        )
        check(
            0 < self.bytes_per_s <= MAX_BYTES_PER_S,
            f"bytes_per_s {self.bytes_per_s} is no drip: give more than 0, to {MAX_BYTES_PER_S}",
        )
        check(self.length_by != 0, "length_by 0 breaks nothing: give 100 or -100")
        check(self.days_off != 0, "days_off 0 is the asked day: give -1 or 1")
        for name in ("date", "level", "row", "col"):
            first, last = getattr(self, name) or (0, 0)
            check(first <= last, f"{name} {first} to {last} is reversed: give the smaller first")

    def _check_effect(self) -> None:
        _check_choice("effect", self.effect, EFFECTS)
        for protocol in self.protocol:
            _check_choice("protocol", protocol, PROTOCOLS)
        for epsg in self.epsg:
            _check_choice("epsg", epsg, EPSG_CODES)
        if self.how is not None:
            _check_choice(f"how (of {self.effect})", self.how, FORMS.get(self.effect, ()))
        check(
            self.effect != "delay" or self.delay_s > 0, "delay waits for nothing: give delay_s = 1"
        )

    @property
    def form(self) -> How | None:
        """The form of the effect; None if it has only one."""
        return self.how or next(iter(FORMS.get(self.effect, ())), None)

    def selects(self, asked: Asked) -> bool:
        """Whether the request is one of those that the rule is for (rate and first aside)."""
        return (
            self.documents == (asked.layer == "")
            and _one_of(asked.layer, self.layer)
            and _one_of(asked.epsg, self.epsg)
            and _one_of(asked.protocol, self.protocol)
            and _within(asked.date, self.date)
            and _within(asked.level, self.level)
            and _within(asked.row, self.row)
            and _within(asked.col, self.col)
        )


def check(good: bool, problem: str) -> None:  # noqa: FBT001
    """Refuse what cannot be.

    Raises
    ------
    UsageError
        With the problem as its message, if not `good`.
    """
    if not good:
        raise UsageError(problem)


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    allowed = ", ".join(str(choice) for choice in choices) or "nothing, leave it out"
    check(value in choices, f"{name} {value!r} is not known: use {allowed}")


def _one_of(value: object, wanted: tuple[object, ...]) -> bool:
    return not wanted or value in wanted


def _within(value: _T | None, wanted: tuple[_T, _T] | None) -> bool:
    if wanted is None:
        return True
    return value is not None and wanted[0] <= value <= wanted[1]  # type: ignore[operator]
