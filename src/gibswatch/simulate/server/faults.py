"""Fault plans: which requests get a broken answer, and how it is broken.

A `FaultPlan` is a pure function of the request, of how often it was made before, and of the plan's
seed: the same plan breaks the same tiles in whatever order they are asked for.  The middleware that
acts on it is `gibswatch.simulate.server.fault_injector.FaultInjector`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from gibswatch.errors import UsageError
from gibswatch.types import EPSG_CODES

__all__ = [
    "EFFECTS",
    "PROTOCOLS",
    "Asked",
    "Effect",
    "FaultPlan",
    "FaultRule",
    "How",
    "ProtocolName",
]

Effect = Literal[
    "status",
    "delay",
    "hang",
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
]
EFFECTS: tuple[Effect, ...] = get_args(Effect)

ProtocolName = Literal["wmts", "twms", "wms"]
PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)

How = Literal["length", "chunked", "file", "decodes", "broken", "actual", "asked"]

_HOW: Mapping[Effect, tuple[How, ...]] = {
    "truncate": ("length", "chunked", "file"),
    "scramble": ("decodes", "broken"),
    "wrong_day": ("actual", "asked"),
    "default_day": ("actual", "asked"),
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
    length_by: int = 100
    """For ``wrong_length``: what Content-Length is too large (or, negative, too small) by."""
    days_off: int = -1
    """For ``wrong_day``: which of the layer's days comes instead, counted from the asked one."""

    def __post_init__(self) -> None:
        self._check_effect()
        _check(0.0 <= self.rate <= 1.0, f"rate {self.rate} is not a share: give 0 to 1")
        _check(self.first is None or self.first > 0, f"first {self.first} is not a number over 0")
        _check(100 <= self.status <= 599, f"status {self.status} is none of HTTP: give 400 or 503")
        _check(0 <= self.delay_s < 3600, f"delay_s {self.delay_s} is not 0 to 3600 seconds")
        _check(
            self.keep is None or 0.0 <= self.keep < 1.0,
            f"keep {self.keep} is not a share of the body: give 0 to 1, and less than 1",
        )
        _check(self.length_by != 0, "length_by 0 breaks nothing: give 100 or -100")
        _check(self.days_off != 0, "days_off 0 is the asked day: give -1 or 1")
        for name in ("date", "level", "row", "col"):
            first, last = getattr(self, name) or (0, 0)
            _check(first <= last, f"{name} {first} to {last} is reversed: give the smaller first")

    def _check_effect(self) -> None:
        _check_choice("effect", self.effect, EFFECTS)
        for protocol in self.protocol:
            _check_choice("protocol", protocol, PROTOCOLS)
        for epsg in self.epsg:
            _check_choice("epsg", epsg, EPSG_CODES)
        if self.how is not None:
            _check_choice(f"how (of {self.effect})", self.how, _HOW.get(self.effect, ()))
        _check(
            self.effect != "delay" or self.delay_s > 0, "delay waits for nothing: give delay_s = 1"
        )

    @property
    def form(self) -> How | None:
        """The form of the effect; None if it has only one."""
        return self.how or next(iter(_HOW.get(self.effect, ())), None)

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


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Rules in order; the first that applies to a request breaks its answer.

    Examples
    --------
    >>> plan = FaultPlan((FaultRule("status", row=(2, 2), first=1),))
    >>> tile = Asked("wmts", "A_Layer", 4326, dt.date(2023, 8, 7), 3, 2, 4)
    >>> plan.rule(tile, earlier=0).status, plan.rule(tile, earlier=1)
    (503, None)
    """

    rules: tuple[FaultRule, ...] = ()
    seed: int = 0

    def rule(self, asked: Asked, *, earlier: int = 0) -> FaultRule | None:
        """Return the rule for a request that was made `earlier` times before, if any.

        Parameters
        ----------
        asked : Asked
        earlier : int
            Requests for the same before this one.
        """
        for index, rule in enumerate(self.rules):
            used_up = rule.first is not None and earlier >= rule.first
            if rule.selects(asked) and not used_up and self.chance(asked, index) < rule.rate:
                return rule
        return None

    def chance(self, asked: Asked, index: int = 0) -> float:
        """Return a number of 0 to 1 that belongs to a request, a rule and the seed.

        It does not depend on the protocol: a tile is the same by whatever address.
        """
        tile = (asked.layer, asked.epsg, asked.date, asked.level, asked.row, asked.col, asked.rest)
        words = "\n".join(str(word) for word in (self.seed, index, *tile))
        digest = hashlib.sha256(words.encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2.0**56

    @classmethod
    def from_toml(cls, path: Path) -> FaultPlan:
        """Read a plan: ``seed`` and a ``[[fault]]`` for every rule, with the fields of `FaultRule`.

        Raises
        ------
        UsageError
            If the file cannot be read, is not TOML, or has a key or value that cannot be.
        """
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"fault plan {path} cannot be read: {error}") from error
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"fault plan {path} is not TOML: {error}") from error
        seed, faults = table.pop("seed", 0), table.pop("fault", [])
        try:
            _check(not table, f"unknown key {next(iter(table), '')!r}: use seed and [[fault]]")
            _check(_is_int(seed), f"seed {seed!r} is not a whole number")
            _check(_is_tables(faults), "fault is not a list of tables: write [[fault]]")
        except UsageError as error:
            raise UsageError(f"fault plan {path}: {error}") from error
        return cls(tuple(_read_rule(path, n, fault) for n, fault in enumerate(faults, 1)), seed)


def _read_rule(path: Path, number: int, table: Mapping[str, Any]) -> FaultRule:
    try:
        unknown = sorted(set(table) - set(_READERS))
        _check(not unknown, f"unknown key {', '.join(unknown)}: use {', '.join(_READERS)}")
        _check("effect" in table, f"no effect: give one of {', '.join(EFFECTS)}")
        return FaultRule(**{name: _READERS[name](name, value) for name, value in table.items()})
    except UsageError as error:
        raise UsageError(f"fault plan {path}, fault {number}: {error}") from error


def _typed(check: Callable[[object], bool], what: str, name: str, value: Any) -> Any:
    _check(check(value), f"{name} = {value!r} is not {what}")
    return value


def _list(check: Callable[[object], bool], what: str, name: str, value: Any) -> tuple[Any, ...]:
    values = value if isinstance(value, list) else [value]
    _check(all(check(item) for item in values), f"{name} = {value!r} is not {what}, or a list")
    return tuple(values)


def _range(name: str, value: Any) -> tuple[int, int]:
    ends = value if isinstance(value, list) else [value, value]
    good = len(ends) == 2 and all(_is_int(end) for end in ends)
    _check(good, f"{name} = {value!r} is neither a whole number nor [first, last]")
    return ends[0], ends[1]


def _dates(name: str, value: Any) -> tuple[dt.date, dt.date]:
    ends = value if isinstance(value, list) else [value, value]
    try:
        first, last = (end if _is_date(end) else dt.date.fromisoformat(end) for end in ends)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{name} = {value!r} is neither a date (2023-08-07) nor [first, last]"
        ) from error
    return first, last


def _headers(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    good = isinstance(value, dict) and all(_is_header(item) for item in value.items())
    _check(good, f'{name} = {value!r} is not a table of one-line texts, as {{Retry-After = "2"}}')
    return tuple(value.items())


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_int(value) or isinstance(value, float)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_date(value: object) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _is_header(item: tuple[Any, Any]) -> bool:
    return all(isinstance(text, str) and text.isascii() and text.isprintable() for text in item)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


_WHOLE = partial(_typed, _is_int, "a whole number")
_NUMBER = partial(_typed, _is_number, "a number")
_TEXT = partial(_typed, _is_text, "a text")
_TEXTS = partial(_list, _is_text, "a text")
_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "effect": _TEXT,
    "layer": _TEXTS,
    "date": _dates,
    "level": _range,
    "row": _range,
    "col": _range,
    "epsg": partial(_list, _is_int, "a whole number"),
    "protocol": _TEXTS,
    "documents": partial(_typed, lambda value: isinstance(value, bool), "true or false"),
    "rate": _NUMBER,
    "first": _WHOLE,
    "status": _WHOLE,
    "headers": _headers,
    "delay_s": _NUMBER,
    "keep": _NUMBER,
    "how": _TEXT,
    "length_by": _WHOLE,
    "days_off": _WHOLE,
}
"""How each field of `FaultRule` is read from TOML."""


def _check(good: bool, problem: str) -> None:  # noqa: FBT001
    if not good:
        raise UsageError(problem)


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    allowed = ", ".join(str(choice) for choice in choices) or "nothing, leave it out"
    _check(value in choices, f"{name} {value!r} is not known: use {allowed}")


def _one_of(value: object, wanted: tuple[object, ...]) -> bool:
    return not wanted or value in wanted


def _within(value: _T | None, wanted: tuple[_T, _T] | None) -> bool:
    if wanted is None:
        return True
    return value is not None and wanted[0] <= value <= wanted[1]  # type: ignore[operator]
