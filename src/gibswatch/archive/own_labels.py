"""Which codes of a label file Gibswatch wrote itself: ``{epsg}/.gibswatch/{Layer}.labelled.json``.

The predecessor's form has no room for it.  A line with other codes than these is a person's.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from gibswatch.archive.labels import LabelFile
from gibswatch.archive.layout import Layout
from gibswatch.errors import ArchiveError
from gibswatch.files import write_bytes
from gibswatch.types import Kind

__all__ = ["OwnCodes", "days_of_persons", "own_labels_path", "read_own", "write_own"]

OwnCodes = Mapping[dt.date, frozenset[Kind]]
"""Codes that were written, by day."""

_VERSION = 1
_MAX_BYTES = 2**24
"""A day takes 24 bytes."""


def own_labels_path(layout: Layout) -> Path:
    """Where the record of a layer lies."""
    return layout.journal.with_name(f"{layout.layer}.labelled.json")


def read_own(path: Path) -> dict[dt.date, frozenset[Kind]]:
    """Read which codes were written; none where there is no record.

    Raises
    ------
    ArchiveError
        If the file cannot be read, is damaged, or of another version.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    try:
        document = json.loads(data[:_MAX_BYTES])
        if document["version"] == _VERSION:
            rows = document["days"].items()
            return {dt.date.fromisoformat(day): frozenset(map(Kind, codes)) for day, codes in rows}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArchiveError(
            f"{path} is damaged: remove it, and all codes of the label file count as a person's"
        ) from error
    raise ArchiveError(f"{path} is of another version of Gibswatch: update it, or remove the file")


def write_own(path: Path, codes: OwnCodes) -> None:
    """Write the record, whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    days = {str(day): sorted(map(int, codes[day])) for day in sorted(codes)}
    write_bytes(path, json.dumps({"version": _VERSION, "days": days}).encode())


def days_of_persons(labels: LabelFile, own: OwnCodes) -> Collection[dt.date]:
    """Return the days whose codes a person gave: all that have some, but those written by us.

    A line without a code may be no more than a day of a split, and says nothing.
    """
    coded = {day: frozenset(line.codes) for day, line in labels.labels.items() if line.codes}
    return {day for day, codes in coded.items() if own.get(day) != codes}
