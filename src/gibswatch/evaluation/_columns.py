"""Columns of a score table from a file that may hold anything, each with an error that names it."""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gibswatch.archive.labels import SPLITS, Split
from gibswatch.errors import UsageError
from gibswatch.evaluation.scores import DayArray
from gibswatch.models.targets import FAULT_KINDS
from gibswatch.types import BoolArray, FloatArray, Kind

__all__ = [
    "Columns",
    "read_csv",
    "read_dates",
    "read_kinds",
    "read_numbers",
    "read_parquet",
    "read_splits",
    "read_truth",
]

_MAX_BYTES, _MAX_CSV_BYTES = 2**30, 2**27
_MAX_ROWS = 50_000_000
_WANTED = ("date", "score", "label", "kinds", "split", "verdict", "layer")
_OF_KINDS = frozenset(f"score_{int(kind)}" for kind in FAULT_KINDS)
_TRUE, _FALSE = ("1", "true"), ("0", "false")


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What stands in a file: numpy arrays where a column has numbers or days, else lists."""

    path: str
    held: dict[str, Any] = field(default_factory=dict)
    metadata: bytes | None = None

    @property
    def names(self) -> set[str]:
        """Of the columns."""
        return set(self.held)

    def column(self, name: str) -> Any:
        """Give one column.

        Raises
        ------
        UsageError
            If it is not there.
        """
        if name not in self.held:
            there = ", ".join(sorted(self.held)[:12]) or "none that is known"
            raise UsageError(
                f"{self.path} has no column {name} (there: {there}): a score table has "
                "`date, score` and may have `label`"
            )
        return self.held[name]

    def texts(self, name: str) -> list[str]:
        """Give one column as text, cut and without control characters."""
        shown = ("" if value is None else str(value) for value in self.column(name))
        return ["".join(c if c.isprintable() else " " for c in text[:200]) for text in shown]

    def rows(self, wanted: BoolArray) -> Columns:
        """Keep some rows."""
        indexes = np.flatnonzero(wanted).tolist()
        kept = {
            name: values[wanted] if isinstance(values, np.ndarray) else [values[i] for i in indexes]
            for name, values in self.held.items()
        }
        return Columns(self.path, kept, self.metadata)


def read_parquet(path: Path) -> Columns:
    """Read the known columns of a Parquet file, after a look at its size."""
    from pyarrow import ArrowException, parquet  # noqa: PLC0415  (0.2 s that only tables pay)

    _check_size(path, _MAX_BYTES)
    try:
        schema = parquet.read_schema(path)
        names = [name for name in schema.names if _is_wanted(name)]
        _check_names(names, str(path))
        texts = [name for name in names if _is_text(schema.field(name).type)]
        # A text that stands in every row is then read once, however long it is.
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            _check_footer(file.metadata, str(path))
            table = file.read(columns=names)
    except (ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UsageError(
            f"{path} cannot be read as Parquet ({reason}): write it again, or give it as CSV"
        ) from error
    _check_rows(table.num_rows, str(path))
    held = {name: _values(table.column(name), name, str(path)) for name in table.column_names}
    return Columns(str(path), held, (schema.metadata or {}).get(b"gibswatch"))


def read_csv(path: Path) -> Columns:
    """Read a CSV file (UTF-8, a line of names first) as texts."""
    _check_size(path, _MAX_CSV_BYTES)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            rows = [row for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path} cannot be read as CSV ({error}): save it as UTF-8 with commas"
        ) from error
    _check_names(names, str(path))
    _check_rows(len(rows), str(path))
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise UsageError(
                f"{path} row {number} has {len(row)} cells, its head {len(names)}: "
                "write one cell a column"
            )
    texts = zip(*rows, strict=True)
    held = {
        name: [cell.strip() for cell in column]
        for name, column in zip(names, texts, strict=True)
        if _is_wanted(name)
    }
    return Columns(str(path), held)


def read_dates(columns: Columns) -> DayArray:
    """Read the column ``date`` as (n,) datetime64[D].

    Raises
    ------
    UsageError
        If a cell is no day.
    """
    values = columns.column("date")
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        days = values.astype("datetime64[D]")
    else:
        days = np.array([_day(value) for value in values], dtype="datetime64[D]")
    early, late = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")
    bad = np.isnat(days) | (days < early) | (days > late)
    _refuse(columns, "date", bad, values, "write days as YYYY-MM-DD")
    return days


def read_numbers(columns: Columns, name: str) -> FloatArray:
    """Read a column of scores as (n,) float64.

    Raises
    ------
    UsageError
        If a cell is no finite number.
    """
    values = columns.column(name)
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        numbers = values.astype(np.float64)
    else:
        numbers = np.array([_float(value) for value in values], dtype=np.float64)
    _refuse(columns, name, ~np.isfinite(numbers), values, "leave out rows without a finite score")
    return numbers


def read_truth(columns: Columns) -> BoolArray | None:
    """Read the column ``label`` as (n,) bools; None where it is not there, or empty.

    Raises
    ------
    UsageError
        If a cell is neither 0 nor 1, or some are empty.
    """
    if "label" not in columns.names:
        return None
    values = columns.column("label")
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
    else:
        numbers = np.array([_truth(value) for value in values], dtype=np.float64)
        if all(value in (None, "") for value in values):
            return None
    bad = (numbers != 0) & (numbers != 1)
    _refuse(columns, "label", bad, values, "write 1 for an anomalous row and 0 for another")
    return np.asarray(numbers == 1)


def read_kinds(columns: Columns, rows: Sequence[int] | Any) -> list[frozenset[Kind] | None]:
    """Read the column ``kinds`` in certain rows: a list of codes, or codes with spaces between.

    An empty cell of CSV is a normal day; a null of Parquet a day of which nothing is known.

    Raises
    ------
    UsageError
        If a code is not 1 to 9.
    """
    if "kinds" not in columns.names:
        return []
    values = columns.column("kinds")
    found: list[frozenset[Kind] | None] = []
    for row in np.asarray(rows).tolist():
        cell = values[row]
        codes = cell.replace(",", " ").split() if isinstance(cell, str) else cell
        try:
            found.append(None if codes is None else frozenset(Kind(int(code)) for code in codes))
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"{columns.path}: column kinds, row {row + 1}: {_shown(cell)} are no codes: "
                "write codes 1 to 9 with spaces between them"
            ) from error
    return found


def read_splits(columns: Columns, rows: Sequence[int] | Any) -> list[Split | None]:
    """Read the column ``split`` in certain rows.

    Raises
    ------
    UsageError
        If a cell is none of train, val, test and not empty.
    """
    if "split" not in columns.names:
        return []
    values = columns.column("split")
    found: list[Split | None] = []
    for row in np.asarray(rows).tolist():
        split = next((name for name in SPLITS if name == values[row]), None)
        if split is None and values[row] not in (None, ""):
            raise UsageError(
                f"{columns.path}: column split, row {row + 1}: {_shown(values[row])} is no split: "
                "write train, val or test, or leave it empty"
            )
        found.append(split)
    return found


def _is_wanted(name: str) -> bool:
    return name in _WANTED or name in _OF_KINDS


def _is_text(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _values(column: Any, name: str, path: str) -> Any:
    """Numbers and days as numpy arrays, the rest as lists."""
    import pyarrow as pa  # noqa: PLC0415

    types, kind = pa.types, column.type
    if types.is_floating(kind) or types.is_date(kind) or types.is_timestamp(kind):
        return column.to_numpy()
    if types.is_integer(kind) or types.is_boolean(kind):
        return column.to_pylist() if column.null_count else column.to_numpy()
    if types.is_dictionary(kind):
        return [value for chunk in column.chunks for value in _texts(chunk)]
    is_list = types.is_list(kind) or types.is_large_list(kind)
    if types.is_null(kind) or (name == "kinds" and is_list and types.is_integer(kind.value_type)):
        return column.to_pylist()
    raise UsageError(f"{path}: column {name} holds {kind}: write one plain value a row")


def _texts(chunk: Any) -> list[str | None]:
    """Texts of a column that has each once."""
    once = chunk.dictionary.to_pylist()
    return [None if index is None else once[index] for index in chunk.indices.to_pylist()]


def _check_size(path: Path, most: int) -> None:
    try:
        size = path.stat().st_size if path.is_file() else -1
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}): name a score table") from error
    if size < 0:
        raise UsageError(
            f"{path} is not there, or no file: give a score table (`gibswatch predict` writes "
            "them) or the days.parquet of a scan"
        )
    if size > most:
        raise UsageError(f"{path} has over {most >> 20} MiB: that is no score table")


def _check_footer(footer: Any, path: str) -> None:
    """Refuse a file whose columns would unfold to more than can be meant."""
    _check_rows(footer.num_rows, path)
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    unfolded = sum(group.total_byte_size for group in groups)
    values = [group.column(i).num_values for group in groups for i in range(group.num_columns)]
    if unfolded > 8 * _MAX_BYTES or max(values, default=0) > _MAX_ROWS:
        raise UsageError(
            f"{path} would unfold to {max(values, default=0):,} values a column: that is no score "
            "table"
        )


def _check_rows(count: int, path: str) -> None:
    if count == 0:
        raise UsageError(f"{path} has no row: give a table with at least one scored day")
    if count > _MAX_ROWS:
        raise UsageError(f"{path} has over {_MAX_ROWS:,} rows: take a part of its pixels")


def _check_names(names: Sequence[str], path: str) -> None:
    wanted = [name for name in names if _is_wanted(name)]
    twice = next((name for name in wanted if wanted.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{path} has two columns {twice}: keep one of them")


def _refuse(columns: Columns, name: str, bad: BoolArray, values: Any, way_out: str) -> None:
    """Raise for the first bad cell, if there is one."""
    if not bad.any():
        return
    row = int(np.flatnonzero(bad)[0])
    more = f" ({int(bad.sum())} such rows)" if bad.sum() > 1 else ""
    raise UsageError(
        f"{columns.path}: column {name}, row {row + 1}: {_shown(values[row])} cannot be used"
        f"{more}: {way_out}"
    )


def _day(value: object) -> np.datetime64:
    if isinstance(value, dt.date):
        return np.datetime64(value, "D")
    try:
        return np.datetime64(dt.datetime.strptime(str(value)[:40], "%Y-%m-%d").date(), "D")  # noqa: DTZ007
    except ValueError:
        return np.datetime64("NaT", "D")


def _float(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _truth(value: object) -> float:
    text = str(value).lower()
    return 1.0 if text in _TRUE else 0.0 if text in _FALSE else math.nan


def _shown(value: object) -> str:
    text = ascii(value if isinstance(value, str | int | float | None) else str(value))
    return text if len(text) <= 60 else text[:57] + "..."
