"""Features of many days in one memory-mapped matrix, filled day by day; a stopped run goes on.

``features.bin`` holds rows of one type one after the other, ``days.jsonl`` a line a finished day:
what the second names is in the first.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import SkippedDay
from gibswatch.files import storage_errors
from gibswatch.models.rows.extraction import DayRows, DayTask, row_type, rows_of_day
from gibswatch.parallel import map_ordered

__all__ = ["FeatureMatrix", "fill_matrix", "remove_matrix"]

ProgressCallback = Callable[[str, int, int], None]
_MATRIX, _DAYS = "features.bin", "days.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMatrix:
    """Rows of all days, in the order of the days."""

    features: NDArray[Any]
    """(m, n) float32, or uint8 of pixels; memory-mapped."""
    classes: NDArray[np.int64]
    """(m,)."""
    dates: NDArray[np.datetime64]
    """(m,) datetime64[D]."""
    skipped: tuple[SkippedDay, ...]


@dataclass(frozen=True, slots=True)
class _RowForm:
    """How a row lies in the file."""

    width: int
    type: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class _Line:
    """One finished day."""

    date: str
    classes: tuple[int, ...]
    skipped: str | None


def fill_matrix(
    folder: Path,
    tasks: Sequence[DayTask],
    *,
    workers: int | None = 1,
    on_progress: ProgressCallback | None = None,
) -> FeatureMatrix:
    """Work out the rows of every day; days that the folder holds already are taken from it.

    Parameters
    ----------
    folder : Path
        There; what else lies in it is left alone.
    tasks : sequence of DayTask
        All with the same definition, in the order of the rows.
    workers : int or None
        Processes; None chooses.
    on_progress : callable, optional
        Told (pass, done, total).

    Raises
    ------
    OutputError
        If the folder cannot take the rows.
    UsageError
        If no day can be read.
    """
    rows = _RowForm(tasks[0].definition.length, row_type(tasks[0].definition))
    with storage_errors(folder):
        held = _held(folder, tasks, rows)
        left = tasks[len(held) :]
        results = map_ordered(rows_of_day, left, workers=workers)
        with (folder / _MATRIX).open("ab") as matrix, (folder / _DAYS).open("ab") as days:
            for number, line in enumerate(
                _append(results, matrix, days, rows), start=len(held) + 1
            ):
                held.append(line)
                if on_progress is not None:
                    on_progress("features", number, len(tasks))
    return _open(folder, held, rows)


def remove_matrix(folder: Path) -> None:
    """Remove the rows of a folder; what else lies in it stays."""
    for name in (_MATRIX, _DAYS):
        with storage_errors(folder):
            (folder / name).unlink(missing_ok=True)


def _append(
    results: Iterator[DayRows | SkippedDay], matrix: IO[bytes], days: IO[bytes], rows: _RowForm
) -> Iterator[_Line]:
    """Write days as they come: first the rows, then the line that says they are there."""
    for found in results:
        if isinstance(found, SkippedDay):
            line = _Line(found.date.isoformat(), (), found.reason)
        else:
            matrix.write(np.ascontiguousarray(found.features, dtype=rows.type).tobytes())
            matrix.flush()
            line = _Line(found.date.isoformat(), tuple(found.classes.tolist()), None)
        document = {"date": line.date, "classes": line.classes, "skipped": line.skipped}
        days.write(json.dumps(document).encode() + b"\n")
        days.flush()
        yield line


def _held(folder: Path, tasks: Sequence[DayTask], rows: _RowForm) -> list[_Line]:
    """Lines of the days that are there whole; what a stopped run left behind them is cut off."""
    matrix, days = folder / _MATRIX, folder / _DAYS
    room = matrix.stat().st_size if matrix.exists() else 0
    held: list[_Line] = []
    used = kept = 0
    for raw in days.read_bytes().splitlines(keepends=True) if days.exists() else []:
        line = _parse(raw)
        size = 0 if line is None else len(line.classes) * rows.width * rows.type.itemsize
        if line is None or used + size > room or len(held) >= len(tasks):
            break
        if line.date != tasks[len(held)].date.isoformat():
            break
        held.append(line)
        used, kept = used + size, kept + len(raw)
    for path, length in ((matrix, used), (days, kept)):
        with path.open("ab") as file:
            file.truncate(length)
    return held


def _parse(raw: bytes) -> _Line | None:
    """Read a line; None if it was cut short."""
    if not raw.endswith(b"\n"):
        return None
    try:
        document: Any = json.loads(raw)
        return _Line(document["date"], tuple(map(int, document["classes"])), document["skipped"])
    except (ValueError, KeyError, TypeError):
        return None


def _open(folder: Path, held: Sequence[_Line], form: _RowForm) -> FeatureMatrix:
    counts = [len(line.classes) for line in held]
    skipped = tuple(
        SkippedDay(dt.date.fromisoformat(line.date), line.skipped)
        for line in held
        if line.skipped is not None
    )
    if not sum(counts):
        first = f" (the first: {skipped[0].date}, {skipped[0].reason})" if skipped else ""
        raise UsageError(f"none of {len(held)} days can be read{first}: run `gibswatch verify`")
    rows = np.memmap(folder / _MATRIX, form.type, mode="r", shape=(sum(counts), form.width))
    classes = np.array([number for line in held for number in line.classes], dtype=np.int64)
    dates = np.array([line.date for line in held], dtype="datetime64[D]")
    return FeatureMatrix(rows, classes, np.repeat(dates, counts), skipped)
