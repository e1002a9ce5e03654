"""Fault plans as files in TOML."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gibswatch.errors import UsageError
from gibswatch.simulate.server.fault_rules import EFFECTS, FaultRule, check

__all__ = ["read_rules"]


def read_rules(path: Path) -> tuple[tuple[FaultRule, ...], int]:
    """Read ``seed`` and a ``[[fault]]`` for every rule, with the fields of `FaultRule`.

    Returns
    -------
    rules : tuple of FaultRule
    seed : int

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
        check(not table, f"unknown key {next(iter(table), '')!r}: use seed and [[fault]]")
        check(_is_int(seed), f"seed {seed!r} is not a whole number")
        check(_is_tables(faults), "fault is not a list of tables: write [[fault]]")
    except UsageError as error:
        raise UsageError(f"fault plan {path}: {error}") from error
    return tuple(_read_rule(path, n, fault) for n, fault in enumerate(faults, 1)), seed


def _read_rule(path: Path, number: int, table: Mapping[str, Any]) -> FaultRule:
    try:
        unknown = sorted(set(table) - set(_READERS))
        check(not unknown, f"unknown key {', '.join(unknown)}: use {', '.join(_READERS)}")
        check("effect" in table, f"no effect: give one of {', '.join(EFFECTS)}")
        return FaultRule(**{name: _READERS[name](name, value) for name, value in table.items()})
    except UsageError as error:
        raise UsageError(f"fault plan {path}, fault {number}: {error}") from error


def _typed(fits: Callable[[object], bool], what: str, name: str, value: Any) -> Any:
    check(fits(value), f"{name} = {value!r} is not {what}")
    return value


def _list(fits: Callable[[object], bool], what: str, name: str, value: Any) -> tuple[Any, ...]:
    values = value if isinstance(value, list) else [value]
    check(all(fits(item) for item in values), f"{name} = {value!r} is not {what}, or a list")
    return tuple(values)


def _range(name: str, value: Any) -> tuple[int, int]:
    ends = value if isinstance(value, list) else [value, value]
    good = len(ends) == 2 and all(_is_int(end) for end in ends)
    check(good, f"{name} = {value!r} is neither a whole number nor [first, last]")
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
    check(good, f'{name} = {value!r} is not a table of one-line texts, as {{Retry-After = "2"}}')
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
    "bytes_per_s": _NUMBER,
    "length_by": _WHOLE,
    "days_off": _WHOLE,
}
"""How each field of `FaultRule` is read from TOML."""
