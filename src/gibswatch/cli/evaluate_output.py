"""What `gibswatch evaluate` prints."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from gibswatch.cli.console import note, print_json
from gibswatch.evaluation import (
    Comparison,
    Evaluation,
    Joined,
    columns_of,
    comparison_to_json,
    measure_words,
    row_cells,
)
from gibswatch.evaluation.compare import label_of
from gibswatch.evaluation.metrics import Confusion
from gibswatch.types import KIND_NAMES

__all__ = ["print_details", "print_document", "print_table"]

_LISTED = 10
_TEXT_COLUMNS = 2
"""Columns that stand at the left; numbers stand at the right."""


def print_document(found: Comparison, joined: Sequence[Joined]) -> None:
    """Print all of a comparison as JSON, with the days that were left out."""
    left_out = [
        {
            "name": one.table.name,
            "without_label": [day.isoformat() for day in one.without_label],
            "without_score": [day.isoformat() for day in one.without_score],
        }
        for one in joined
    ]
    print_json({**comparison_to_json(found), "tables": left_out})


def print_table(found: Comparison) -> None:
    """Print one row a model, and what a random split gives away."""
    rows = [row_cells(row) for row in found.rows]
    _print_aligned([columns_of(found), *rows])
    if any("*" in row[7] for row in rows):
        typer.echo("* threshold chosen on the evaluated days themselves")
    if found.leaks:
        typer.echo("\nWhat a random split gives away")
        cells = [
            (k.name, k.measure, f"{k.event:.3f}", f"{k.random:.3f}", f"{k.difference:+.3f}")
            for k in found.leaks
        ]
        _print_aligned([("Model", "Measure", "Event", "Random", "Difference"), *cells])
    _print_notes(found)


def print_details(found: Comparison) -> None:
    """Print each model at length."""
    for row in found.rows:
        for one in (row.image, row.pixel):
            for part in () if one is None else (one, *one.classes):
                _print_evaluation(label_of(row), part)
    if len(found.rows) == 1:
        _print_notes(found)


def _print_evaluation(name: str, found: Evaluation) -> None:
    what = "pixels" if found.table.level == "pixel" else "days"
    where = "" if found.on == "all" else f" of {found.on}"
    kind = "" if found.kind is None else f", {KIND_NAMES[found.kind]}"
    means = " (means over the classes)" if found.classes else ""
    typer.echo(f"\n{name}{kind}: {found.rows:,} {what}{where}, {found.positives:,} positive{means}")
    typer.echo(f"  AUROC              {measure_words(found.auroc)}")
    lift = "" if found.lift is None else f", {found.lift:.1f} times the base rate"
    typer.echo(f"  average precision  {measure_words(found.average_precision)}{lift}")
    if found.recall.value is not None:
        typer.echo(f"  recall             {measure_words(found.recall)}")
    if not found.classes:
        _print_threshold(found)
        _print_mistakes(found)


def _print_threshold(found: Evaluation) -> None:
    """Print what is said at the threshold."""
    if found.threshold is not None:
        typer.echo(f"  threshold          {found.threshold}")
    if found.confusion is not None:
        typer.echo(f"  confusion          {_confusion_words(found.confusion)}")
    if found.own_confusion is not None:
        own = f"{_confusion_words(found.own_confusion)} over {found.table.threshold:.4g}"
        typer.echo(f"  its own threshold  {own}")
    for one in found.kinds:
        cases = f"{_count(one.days, 'day')} in {_count(one.events, 'event')}"
        typer.echo(f"  {KIND_NAMES[one.kind]}: {measure_words(one.recall)} of {cases}")


def _confusion_words(c: Confusion) -> str:
    misses = f"{c.misses} miss{'' if c.misses == 1 else 'es'}"
    alarms = _count(c.false_alarms, "false alarm")
    return f"{_count(c.hits, 'hit')}, {misses}, {alarms}, {c.quiet} quiet"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _print_mistakes(found: Evaluation) -> None:
    for title, is_miss in (("false alarms", False), ("misses", True)):
        days = [one for one in found.mistakes if one.is_miss == is_miss]
        if days:
            shown = ", ".join(f"{one.date} ({one.score:.3g})" for one in days[:_LISTED])
            more = f" and {len(days) - _LISTED} more (--json)" if len(days) > _LISTED else ""
            typer.echo(f"  {title}: {shown}{more}")


def _print_notes(found: Comparison) -> None:
    for line in found.notes:
        note(line)


def _print_aligned(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if place < _TEXT_COLUMNS else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())
