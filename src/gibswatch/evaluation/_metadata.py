"""What a score table says of itself as a whole, as JSON in the schema of its Parquet file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, get_args

from gibswatch.archive.split import SplitMethod
from gibswatch.errors import UsageError
from gibswatch.evaluation.scores import ScoreTable
from gibswatch.models.targets import LEVELS, TARGETS

__all__ = ["METADATA_KEY", "metadata_of", "printable", "read_metadata"]

METADATA_KEY = b"gibswatch"
_LONGEST, _MOST_NOTES = 300, 50
"""Characters of a text, and notes, that are read; a name has 100."""
_CHOICES: dict[str, tuple[str, ...]] = {
    "level": LEVELS,
    "target": TARGETS,
    "split_by": get_args(SplitMethod),
}
_AMOUNTS = ("training_s", "inference_s_per_day", "peak_memory_mb")
_WAY_OUT = "write the table again (gibswatch predict), or give it as CSV"


def metadata_of(table: ScoreTable) -> dict[str, Any]:
    """What belongs to the whole table, as JSON values; what is not known is left out."""
    said: dict[str, Any] = {
        "name": table.name,
        "level": table.level,
        "target": table.target,
        "split_by": table.split_by,
        "threshold": table.threshold,
        "layer": table.layer or None,
        "training_s": table.training_s,
        "inference_s_per_day": table.inference_s_per_day,
        "peak_memory_mb": table.peak_memory_mb,
        "notes": list(table.notes) or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def read_metadata(data: bytes | None, path: str) -> dict[str, Any]:
    """Read them back; whatever a stranger wrote, only known keys with plain values come out.

    Raises
    ------
    UsageError
        If it is no JSON object, or a value is not of its kind.
    """
    if data is None:
        return {}
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: its metadata `gibswatch` is no JSON: {_WAY_OUT}") from error
    if not isinstance(said, dict):
        raise UsageError(f"{path}: its metadata `gibswatch` is no JSON object: {_WAY_OUT}")
    readers: dict[str, Callable[[object, str, str], Any]] = {
        **dict.fromkeys(_CHOICES, _choice),
        **dict.fromkeys(("threshold", *_AMOUNTS), _number),
        **dict.fromkeys(("name", "layer"), _text),
        "notes": _notes,
    }
    return {key: read(said[key], key, path) for key, read in readers.items() if key in said}


def _choice(value: object, key: str, path: str) -> str:
    if not isinstance(value, str) or value not in _CHOICES[key]:
        names = ", ".join(_CHOICES[key])
        raise UsageError(f"{path}: metadata {key} is none of {names}: {_WAY_OUT}")
    return value


def _number(value: object, key: str, path: str) -> float:
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        number = float(value)
    if not math.isfinite(number) or (key in _AMOUNTS and number < 0):
        raise UsageError(f"{path}: metadata {key} is no finite number: {_WAY_OUT}")
    return number


def _text(value: object, key: str, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{path}: metadata {key} is no text: {_WAY_OUT}")
    return printable(value)[: 100 if key == "name" else _LONGEST]


def _notes(value: object, key: str, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise UsageError(f"{path}: metadata {key} is no list of texts: {_WAY_OUT}")
    return tuple(printable(line)[:_LONGEST] for line in value[:_MOST_NOTES])


def printable(text: str) -> str:
    """Put spaces in the place of control characters."""
    return "".join(c if c.isprintable() else " " for c in text)
