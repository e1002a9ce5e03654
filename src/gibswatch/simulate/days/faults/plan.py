"""Plans of faults: a TOML file, or text of one, to `FaultSpec` records.

::

    [[fault]]
    kind = "colour"
    time = 2016-04-12T13:30:00Z      # or: place = [lon, lat]
    channels = "G"
    effect = "rollover"
    above = 0.25

    [[fault]]
    kind = "missing-orbit"
    day = 2017-03-01
    place = [20.0, 0.0]
    share = 0.5
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from gibswatch.errors import UsageError
from gibswatch.simulate.days.spec import FAULT_KINDS, ColourEffect, FaultSpec
from gibswatch.sky.timescale import epoch_s

__all__ = ["parse_plan", "read_plan", "spec_document"]

_NUMBERS: Mapping[str, tuple[float, float]] = {
    "count": (1, 40),
    "share": (0.01, 1.0),
    "seconds": (0.0, 7200.0),
    "amount": (-2.0, 3.0),
    "above": (0.0, 1.5),
    "distance_km": (0.0, 1000.0),
    "bearing_deg": (-360.0, 360.0),
    "days_off": (-400, 400),
}
"""Keys and the least and largest value of each."""
_WHOLE = ("count", "days_off")
_KEYS = ("kind", "day", "time", "place", "part", "channels", "effect", *_NUMBERS)


def read_plan(path: Path) -> tuple[FaultSpec, ...]:
    """Read a plan from a file.

    Raises
    ------
    UsageError
        If it cannot be read, or is no plan.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"plan of faults {path} cannot be read: {error}") from error
    try:
        return parse_plan(text)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def parse_plan(text: str) -> tuple[FaultSpec, ...]:
    r"""Read a plan from its text.

    Raises
    ------
    UsageError
        If it is no TOML, has an unknown key, or a value that a fault cannot have.

    Examples
    --------
    >>> parse_plan('[[fault]]\nkind = "missing-tile"\nplace = [10, 20]')[0].place
    (10.0, 20.0)
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"the plan is no TOML: {error}") from error
    items = document.pop("fault", [])
    if document:
        raise UsageError(f"unknown key {next(iter(document))!r} in the plan: only [[fault]] tables")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UsageError("'fault' must be tables: write [[fault]] above each")
    return tuple(_fault(item, number) for number, item in enumerate(items, start=1))


def _fault(item: Mapping[str, Any], number: int) -> FaultSpec:
    where = f"fault {number}"
    unknown = [key for key in item if key not in _KEYS]
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; one of {', '.join(_KEYS)}")
    kind = item.get("kind")
    if kind not in FAULT_KINDS:
        raise UsageError(f"{where}: kind = {kind!r} must be one of {', '.join(FAULT_KINDS)}")
    readers: dict[str, Callable[[object, str], Any]] = {
        "day": _day,
        "time": _time,
        "place": _place,
        "part": _part,
    }
    readers |= {"channels": _channels, "effect": _effect}
    values: dict[str, Any] = {"kind": kind}
    for key in item:
        name = "time_s" if key == "time" else key
        if key in readers:
            values[name] = readers[key](item[key], where)
        elif key in _NUMBERS:
            values[name] = _number(item[key], key, where)
    if kind != "wrong-day" and "time" not in item and "place" not in item:
        raise UsageError(f"{where}: say where it is, by time = ... or place = [lon, lat]")
    if kind in _BY_PLACE and "place" not in item:
        raise UsageError(f"{where}: a {kind} is found by its place = [lon, lat], not by a time")
    return FaultSpec(**values)


_BY_PLACE = ("missing-tile", "missing-wedge", "stale-tile", "jpeg-damage", "blank-tile")


def _day(value: object, where: str) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise UsageError(f"{where}: day = {value!r} must be a date without quotes, as 2016-04-12")


def _time(value: object, where: str) -> float:
    if isinstance(value, dt.datetime):
        return epoch_s(value)
    raise UsageError(
        f"{where}: time = {value!r} must be a moment without quotes, as 2016-04-12T13:30:00Z"
    )


def _number(value: object, key: str, where: str) -> float:
    low, high = _NUMBERS[key]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= float(value) <= high:  # type: ignore[arg-type]
        raise UsageError(f"{where}: {key} = {value!r} must be a number from {low:g} to {high:g}")
    if key in _WHOLE:
        if not isinstance(value, int):
            raise UsageError(f"{where}: {key} = {value!r} must be a whole number")
        return value
    return float(value)  # type: ignore[arg-type]


def _floats(value: object, count: int) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        return None
    numbers = tuple(float(v) for v in value)
    return numbers if all(math.isfinite(v) for v in numbers) else None


def _place(value: object, where: str) -> tuple[float, float]:
    numbers = _floats(value, 2)
    if numbers is None or abs(numbers[0]) > 180.0 or abs(numbers[1]) > 90.0:
        raise UsageError(f"{where}: place = {value!r} must be [lon, lat] in degrees")
    return numbers[0], numbers[1]


def _part(value: object, where: str) -> tuple[float, float, float, float]:
    numbers = _floats(value, 4)
    if numbers is None or not (
        0.0 <= numbers[0] < numbers[2] <= 1.0 and 0.0 <= numbers[1] < numbers[3] <= 1.0
    ):
        raise UsageError(
            f"{where}: part = {value!r} must be [left, top, right, bottom], shares of the tile"
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _effect(value: object, where: str) -> ColourEffect:
    for effect in get_args(ColourEffect):
        if value == effect:
            return effect  # type: ignore[no-any-return]
    known = ", ".join(get_args(ColourEffect))
    raise UsageError(f"{where}: effect = {value!r} must be one of {known}")


def _channels(value: object, where: str) -> str:
    if isinstance(value, str) and value and set(value) <= set("RGB") and len(value) <= 3:
        return value
    raise UsageError(f"{where}: channels = {value!r} must be one to three of the letters R, G, B")


def spec_document(fault: FaultSpec) -> dict[str, Any]:
    """Return a fault as it goes into JSON: what differs from a plain one, and its kind.

    >>> spec_document(FaultSpec("missing-orbit", share=0.5))
    {'kind': 'missing-orbit', 'share': 0.5}
    """
    plain = FaultSpec(fault.kind)
    document: dict[str, Any] = {"kind": fault.kind}
    for field in fields(fault):
        value = getattr(fault, field.name)
        if field.name == "kind" or value == getattr(plain, field.name):
            continue
        if isinstance(value, dt.date):
            value = value.isoformat()
        document[field.name] = list(value) if isinstance(value, tuple) else value
    return document
