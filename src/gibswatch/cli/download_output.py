"""What `gibswatch download` prints: a few lines for a person, or one JSON document."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from gibswatch.archive import Agenda, DownloadSummary
    from gibswatch.catalogue import Grid, Layer
    from gibswatch.settings import Settings

__all__ = ["print_document", "print_estimate", "print_summary"]

_PROBLEMS_SHOWN = 10
_DAYS_SHOWN = 5


def print_summary(summary: DownloadSummary, layer: str, output_dir: Path) -> None:
    """Print what a run did, the first problems, and where to look for the others."""
    if not summary.days:
        typer.echo(f"{layer}: up to date in {output_dir}")
        return
    size = f", {summary.received_bytes / 1e6:.1f} MB" if summary.received_bytes else ""
    typer.echo(
        f"{layer}: {summary.days} days; {summary.days_complete} downloaded, "
        f"{summary.days_kept} there already, {summary.days_incomplete} incomplete; "
        f"{summary.fetched} tiles{size}, in {output_dir}"
    )
    for name in sorted(set(summary.not_complete.values())):
        days = sorted(day for day, verdict in summary.not_complete.items() if verdict == name)
        more = ", ..." if len(days) > _DAYS_SHOWN else ""
        shown = ", ".join(map(str, days[:_DAYS_SHOWN]))
        typer.echo(f"  not complete: {len(days)} {name} ({shown}{more})")
    if summary.days_no_data and summary.published_until is not None:
        typer.echo(f"  not published yet: the service's list ends on {summary.published_until}")
    if summary.stopped is not None:
        typer.echo(f"  stopped: {summary.days_left} days were not reached")
    for url, state, message in summary.problems[:_PROBLEMS_SHOWN]:
        typer.echo(f"  {_printable(f'{state}: {url} ({message})')}", err=True)
    if summary.problem_list is not None:
        typer.echo(f"  every tile that did not come: {summary.problem_list}", err=True)


def print_document(
    summary: DownloadSummary, output_dir: Path, layer: Layer, grid: Grid, agenda: Agenda
) -> None:
    """Print one JSON document with every tile that did not come, however many they are.

    It goes to a file first: all of it is printed, or nothing.
    """
    from gibswatch.archive import problems_of

    head = {
        "layer": layer.identifier,
        "grid": str(grid),
        "days": summary.days,
        "days_kept": summary.days_kept,
        "days_complete": summary.days_complete,
        "days_incomplete": summary.days_incomplete,
        "days_no_data": summary.days_no_data,
        "verdicts": dict(summary.verdicts),
        "not_complete": {str(day): name for day, name in sorted(summary.not_complete.items())},
        "fetched": summary.fetched,
        "received_bytes": summary.received_bytes,
        "tiles": dict(summary.tiles),
        "continued_after": _text(agenda.continued_after),
        "published_until": _text(summary.published_until),
        "stopped": summary.stopped,
        "problem_list": _text(summary.problem_list),
    }
    problems = (
        {
            "date": one.date.isoformat(),
            "row": one.tile.row,
            "col": one.tile.col,
            "url": one.url,
            "state": one.state,
            "message": one.message,
        }
        for one in problems_of(output_dir, layer, grid, agenda.days)
    )
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        _write_json(file, head, "problems", problems)
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout)


def print_estimate(
    output_dir: Path,
    layer: Layer,
    grid: Grid,
    agenda: Agenda,
    settings: Settings,
    *,
    as_json: bool,
) -> None:
    """Print what a run would ask for; nothing is asked or written."""
    from gibswatch.archive import estimate_run
    from gibswatch.cli.console import print_json

    estimate = estimate_run(output_dir, layer, grid, agenda.days, settings)
    if as_json:
        continued = {"continued_after": _text(agenda.continued_after)}
        print_json({"layer": layer.identifier, "grid": str(grid), **asdict(estimate), **continued})
        return
    typer.echo(
        f"{layer.identifier}: {estimate.days} days, {estimate.days_kept} there already; would ask "
        f"for {estimate.tiles:,} tiles, about {estimate.bytes / 1e6:,.1f} MB in "
        f"{estimate.minutes:,.1f} minutes ({estimate.limited_by} is the limit), into {output_dir}"
    )
    if estimate.needs_approval:
        typer.echo(
            "  more than GIBS serves unasked, 1,000,000 tiles in 24 hours: write to "
            "earthdata-support@nasa.gov 48 hours before, then give --bulk-approved"
        )


def _write_json(
    file: IO[str], head: dict[str, Any], name: str, rows: Iterator[dict[str, Any]]
) -> None:
    """Write an object whose last value is a list that is never in memory as a whole."""
    opened = json.dumps(head, indent=2, allow_nan=False).removesuffix("\n}")
    file.write(f'{opened},\n  "{name}": [')
    separator = "\n"
    for row in rows:
        file.write(f"{separator}    {json.dumps(row, allow_nan=False)}")
        separator = ",\n"
    file.write("]\n}\n" if separator == "\n" else "\n  ]\n}\n")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
