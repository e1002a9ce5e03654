"""Score tables as files: Parquet or CSV, and the ``days.parquet`` of a scan.

Columns, one row a day (or a pixel):

========== ===================== ====================================================
column     type in Parquet       meaning
========== ===================== ====================================================
date       date32                the day; in CSV YYYY-MM-DD
score      float64               finite; higher is more anomalous
label      bool                  optional: whether the row is positive; in CSV 0 or 1
kinds      list of int8          optional: true codes of the day; in CSV "2 3"
split      string                optional: train, val or test
score_{N}  float64               optional: score of the single kind N (``multi``)
========== ===================== ====================================================

Other columns are ignored.  What belongs to the whole table is JSON under the key ``gibswatch`` of
the Parquet schema's metadata: ``name``, ``level``, ``target``, ``split_by``, ``threshold``,
``layer``, ``training_s``, ``inference_s_per_day``, ``peak_memory_mb``, ``notes``; each is optional.
A CSV file has no such place: it is named after the file.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gibswatch.errors import UsageError
from gibswatch.evaluation._columns import (
    Columns,
    read_csv,
    read_dates,
    read_kinds,
    read_numbers,
    read_parquet,
    read_splits,
    read_truth,
)
from gibswatch.evaluation._metadata import METADATA_KEY, metadata_of, printable, read_metadata
from gibswatch.evaluation.scores import ScoreTable
from gibswatch.files import atomic_path
from gibswatch.models.targets import FAULT_KINDS, Level
from gibswatch.types import BoolArray, FloatArray, Kind

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_scores", "write_scores"]

_JUDGED = ("clean", "anomalous")
"""Verdicts of a scan that rest on the picture; days of the others have no score to judge."""
_OWN_THRESHOLD = float(np.nextafter(0.5, 0.0))
"""What a scan's finding exceeds: from 0.5 on a day is anomalous."""


def read_scores(path: Path, *, name: str | None = None, level: Level | None = None) -> ScoreTable:
    """Read a score table.

    Parameters
    ----------
    path : Path
        ``.parquet`` or ``.csv``; a scan's ``days.parquet`` or ``days.csv`` is known by its column
        ``verdict``.
    name : str, optional
        Of the model; default: what the file says, else the file's name.
    level : {"image", "pixel"}, optional
        Default: what the file says, else image.

    Returns
    -------
    ScoreTable

    Raises
    ------
    UsageError
        If it cannot be read; the message names the file, the column and the row.
    """
    columns = _read_columns(path)
    table = _from_scan(columns) if "verdict" in columns.names else _from_scores(columns)
    told = read_metadata(columns.metadata, str(path))
    default = path.parent.name + "/" + path.stem if "verdict" in columns.names else path.stem
    found = told | {"name": printable(name or told.get("name", default))[:100]}
    found |= {} if level is None else {"level": level}
    made = ScoreTable(**({"level": "image"} | table | found))
    if made.level == "image":
        _check_each_day_once(made, str(path))
    return made


def write_scores(path: Path, table: ScoreTable) -> None:
    """Write a score table as Parquet or CSV, by the file's ending, whole or not at all.

    Raises
    ------
    UsageError
        If it ends in neither.
    OutputError
        If the folder cannot take the file.
    """
    if path.suffix == ".csv":
        _write_csv(path, table)
    elif path.suffix == ".parquet":
        _write_parquet(path, table)
    else:
        raise UsageError(f"{path} is no name for a score table: end it in .parquet or .csv")


def _read_columns(path: Path) -> Columns:
    if path.suffix.lower() == ".parquet":
        return read_parquet(path)
    if path.suffix.lower() == ".csv":
        return read_csv(path)
    raise UsageError(f"{path} is no score table: give a .parquet or .csv file")


def _from_scores(columns: Columns) -> dict[str, Any]:
    """Fields of a table that has a column of scores, or one a kind."""
    class_scores = {
        kind: read_numbers(columns, f"score_{int(kind)}")
        for kind in sorted(FAULT_KINDS)
        if f"score_{int(kind)}" in columns.names
    }
    if "score" in columns.names or not class_scores:
        scores = read_numbers(columns, "score")
    else:
        scores = np.max(np.stack(list(class_scores.values())), axis=0)
    dates = read_dates(columns)
    days, first = np.unique(dates, return_index=True)
    names = days.tolist()
    return {
        "dates": dates,
        "scores": scores,
        "truth": read_truth(columns),
        "kinds": {
            day: kinds
            for day, kinds in zip(names, read_kinds(columns, first), strict=False)
            if kinds is not None
        },
        "splits": {
            day: split
            for day, split in zip(names, read_splits(columns, first), strict=False)
            if split is not None
        },
        "class_scores": class_scores,
    }


def _from_scan(columns: Columns) -> dict[str, Any]:
    """Fields of a scan's table: its kinds are what the detectors found, not what is true."""
    judged = np.array([verdict in _JUDGED for verdict in columns.texts("verdict")], dtype=np.bool_)
    rest = len(judged) - int(judged.sum())
    kept = columns.rows(judged)
    scores = read_numbers(kept, "score")
    found = read_kinds(kept, np.arange(len(scores)))
    notes = [f"{rest} days without a verdict by their picture have no score"] if rest else []
    layers = set(kept.texts("layer")) if "layer" in kept.names else set()
    return {
        "dates": read_dates(kept),
        "scores": scores,
        "class_scores": {
            kind: _of_kind(kind, scores, found) for kind in sorted(FAULT_KINDS) if found
        },
        "threshold": _OWN_THRESHOLD,
        "layer": layers.pop() if len(layers) == 1 else "",
        "notes": tuple(notes),
    }


def _of_kind(kind: Kind, scores: FloatArray, found: list[frozenset[Kind] | None]) -> FloatArray:
    """Score of one kind: the day's where it was found or nothing was, 0 on a day of others."""
    faults = [(kinds or frozenset()) & FAULT_KINDS for kinds in found]
    says: BoolArray = np.array([kind in f or not f for f in faults], dtype=np.bool_)
    return np.where(says, scores, 0.0)


def _check_each_day_once(table: ScoreTable, path: str) -> None:
    days, counts = np.unique(table.dates, return_counts=True)
    if len(days) < len(table):
        twice = days[counts > 1][0]
        raise UsageError(
            f"{path}: column date has {twice} in {counts.max()} rows: keep one row a day, or "
            "say that the rows are pixels (--level pixel)"
        )


def _write_parquet(path: Path, table: ScoreTable) -> None:
    from pyarrow import parquet  # noqa: PLC0415  (0.2 s that only tables pay)

    made = _arrow(table)
    with atomic_path(path) as temporary:
        parquet.write_table(made, temporary)


def _arrow(table: ScoreTable) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    days = table.dates.tolist()
    fields: list[tuple[str, Any, Any]] = [
        ("date", pa.date32(), days),
        ("score", pa.float64(), table.scores),
    ]
    if table.truth is not None:
        fields.append(("label", pa.bool_(), table.truth))
    if table.kinds:
        kinds = {day: sorted(map(int, codes)) for day, codes in table.kinds.items()}
        fields.append(("kinds", pa.list_(pa.int8()), [kinds.get(day) for day in days]))
    if table.splits:
        fields.append(("split", pa.string(), [table.splits.get(day) for day in days]))
    for kind, scores in table.class_scores.items():
        fields.append((f"score_{int(kind)}", pa.float64(), scores))
    made = pa.table(
        [pa.array(values, type=kind) for _, kind, values in fields],
        names=[name for name, _, _ in fields],
    )
    told = json.dumps(metadata_of(table), allow_nan=False).encode()
    return made.replace_schema_metadata({METADATA_KEY: told})


def _write_csv(path: Path, table: ScoreTable) -> None:
    """Write rows; shortest decimals that give the same number back."""
    names = ["date", "score", *(f"score_{int(kind)}" for kind in table.class_scores)]
    more = [
        name
        for name, held in (
            ("label", table.truth is not None),
            ("kinds", bool(table.kinds)),
            ("split", bool(table.splits)),
        )
        if held
    ]
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names, *more])
        for index, day in enumerate(table.dates.tolist()):
            numbers = [table.scores[index], *(s[index] for s in table.class_scores.values())]
            said = {
                "label": "" if table.truth is None else int(table.truth[index]),
                "kinds": " ".join(str(int(k)) for k in sorted(table.kinds.get(day, ()))),
                "split": table.splits.get(day, ""),
            }
            row = [day.isoformat(), *(repr(float(n)) for n in numbers), *(said[m] for m in more)]
            writer.writerow(row)
