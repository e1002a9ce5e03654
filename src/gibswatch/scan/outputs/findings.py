"""The tables of a scan: JSON for others to build on, GeoParquet and Parquet for analysis."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gibswatch.files import atomic_path
from gibswatch.scan.budget import Budget
from gibswatch.types import KIND_NAMES, DayItem, Finding, ModelScore

__all__ = [
    "budget_to_json",
    "item_to_json",
    "items_to_json",
    "write_days",
    "write_days_csv",
    "write_findings",
]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def items_to_json(
    layer: str, items: Iterable[DayItem], budget: Budget | None = None
) -> dict[str, Any]:
    """The document that ``scan --json`` and ``inspect --json`` print."""
    told = {} if budget is None else {"budget": budget_to_json(budget)}
    return {"layer": layer, **told, "items": [item_to_json(item) for item in items]}


def budget_to_json(budget: Budget) -> dict[str, Any]:
    """An alert budget as plain JSON values; the threshold as it is: it is compared with."""
    return {
        "per_month": budget.per_month,
        "threshold": budget.threshold,
        "days": budget.days,
        "expected": budget.expected,
        "problem": budget.problem,
    }


def item_to_json(item: DayItem) -> dict[str, Any]:
    """One day as plain JSON values, rounded to what they are good for."""
    return {
        "file": item.file,
        "date": item.date.isoformat() if item.date else None,
        "date_source": item.date_source,
        "date_candidates": [day.isoformat() for day in item.date_candidates],
        "verdict": item.verdict,
        "incomplete_cause": item.incomplete_cause,
        "score": round(item.score, 4),
        "reason": item.reason,
        "shares": None
        if item.shares is None
        else {
            "black": round(item.shares.black, 6),
            "expected": round(item.shares.expected, 6),
            "unexpected": round(item.shares.unexpected, 6),
        },
        "findings": [_finding_to_json(finding) for finding in item.findings],
        "tiles": dict(item.tiles),
        "mask": item.mask,
        "worldview": item.worldview,
        "alert": item.alert,
        "model": _model_to_json(item.model),
    }


def _model_to_json(score: ModelScore | None) -> dict[str, Any] | None:
    """What a model says, as it is: it is compared with."""
    return None if score is None else asdict(score)


def write_days(path: Path, items: Sequence[DayItem]) -> None:
    """Write one row a day, whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    import pyarrow as pa  # noqa: PLC0415  (0.2 s that only commands with tables pay)
    from pyarrow import parquet  # noqa: PLC0415

    schema = pa.schema(
        [
            ("layer", pa.string()),
            ("date", pa.date32()),
            ("verdict", pa.string()),
            ("incomplete_cause", pa.string()),
            ("score", pa.float64()),
            ("reason", pa.string()),
            ("black", pa.float64()),
            ("expected", pa.float64()),
            ("unexpected", pa.float64()),
            ("kinds", pa.list_(pa.int8())),
            ("tiles", pa.string()),
            ("file", pa.string()),
            ("mask", pa.string()),
            ("worldview", pa.string()),
            ("alert", pa.bool_()),
            ("model", pa.string()),
            ("model_score", pa.float64()),
            ("model_threshold", pa.float64()),
            ("model_called", pa.bool_()),
        ]
    )
    table = pa.Table.from_pylist([_day_row(item) for item in items], schema=schema)
    with atomic_path(path) as temporary:
        parquet.write_table(table, temporary)


def write_days_csv(path: Path, items: Sequence[DayItem]) -> None:
    """Write the columns of `write_days` as CSV, UTF-8, whole or not at all.

    Kinds stand with spaces between them; text that a spreadsheet would take for a formula begins
    with an apostrophe.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    columns = list(_day_row(DayItem("", None, "clean", 0.0, "", None)))
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for item in items:
            row = _day_row(item)
            row["kinds"] = " ".join(str(kind) for kind in row["kinds"])
            writer.writerow({name: _csv_cell(value) for name, value in row.items()})


def write_findings(path: Path, items: Sequence[DayItem]) -> None:
    """Write one row a finding as GeoParquet (lon/lat), whole or not at all.

    Raises
    ------
    OutputError
        If the folder cannot take the file.
    """
    import geopandas  # noqa: PLC0415  (1 s that only commands with tables pay)
    from shapely.geometry import shape  # noqa: PLC0415

    rows = [(item, finding) for item in items for finding in item.findings]
    columns = {
        "layer": [item.layer for item, _ in rows],
        "date": [item.date for item, _ in rows],
        "kind": [int(finding.kind) for _, finding in rows],
        "name": [KIND_NAMES[finding.kind] for _, finding in rows],
        "score": [float(finding.score) for _, finding in rows],
        "area_km2": [finding.area_km2 for _, finding in rows],
        "granules": [",".join(finding.granules) for _, finding in rows],
        "reason": [finding.reason for _, finding in rows],
    }
    outlines = [None if f.geometry is None else shape(f.geometry) for _, f in rows]
    table = geopandas.GeoDataFrame(columns, geometry=outlines, crs="OGC:CRS84")
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": int(finding.kind),
        "name": KIND_NAMES[finding.kind],
        "score": round(finding.score, 4),
        "area_km2": None if finding.area_km2 is None else round(finding.area_km2, 1),
        "bbox": None if finding.bbox is None else [round(v, 5) for v in finding.bbox.as_tuple()],
        "geometry": finding.geometry,
        "granules": list(finding.granules),
        "reason": finding.reason,
    }


def _day_row(item: DayItem) -> dict[str, Any]:
    shares, model = item.shares, item.model
    return {
        "layer": item.layer,
        "date": item.date,
        "verdict": item.verdict,
        "incomplete_cause": item.incomplete_cause,
        "score": item.score,
        "reason": item.reason,
        "black": shares.black if shares else None,
        "expected": shares.expected if shares else None,
        "unexpected": shares.unexpected if shares else None,
        "kinds": sorted({int(finding.kind) for finding in item.findings}),
        "tiles": json.dumps(dict(item.tiles), sort_keys=True),
        "file": item.file,
        "mask": item.mask,
        "worldview": item.worldview,
        "alert": item.alert,
        "model": model.name if model else None,
        "model_score": model.score if model else None,
        "model_threshold": model.threshold if model else None,
        "model_called": model.called if model else None,
    }


def _csv_cell(value: Any) -> Any:
    """Numbers and dates as they are; text never as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
