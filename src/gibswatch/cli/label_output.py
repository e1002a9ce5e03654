"""What `gibswatch label` prints for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import typer

from gibswatch.scan import LabelResult
from gibswatch.scan.labelling.agreement import AgreementRow, short_codes
from gibswatch.scan.labelling.comparison import Comparison
from gibswatch.scan.labelling.suggest import Suggestion
from gibswatch.types import Kind

__all__ = ["print_comparison", "print_labels", "print_suggestions"]

_LISTED = 20
"""Days of a list that are printed; `--json` and the page have all of them."""
_HEADS = (
    "theirs", "ours", "both", "chance", "only theirs", "only ours", "neither", "agreement", "kappa",
)  # fmt: skip


def print_labels(done: LabelResult) -> None:
    """Print which days were labelled, and which not."""
    result, left_out = done.result, done.left_out
    for item in left_out[:_LISTED]:
        typer.echo(_printable(f"{item.date}  not labelled, {item.verdict}: {item.reason}"))
    _say_more(len(left_out), "not labelled")
    totals = ", ".join(f"{n} {verdict}" for verdict, n in sorted(result.verdicts.items()))
    typer.echo(f"{result.layer}: {_count(len(result.items), 'day')} ({totals or 'none'})")
    if done.outcome is not None:
        typer.echo(str(done.outcome))
    elif result.items:
        typer.echo("labels: not written, as the verdicts are compared with them")


def print_comparison(found: Comparison, against: str) -> None:
    """Print the tables, and the days on which the codes differ."""
    rest = {
        "not whole": found.not_judged,
        "without a picture": found.without_picture,
        "judged but not in it": found.not_labelled,
    }
    words = "".join(f", {n} {what}" for what, n in rest.items() if n)
    typer.echo(
        f"\nagainst {against}: {_count(found.labelled, 'day')}, {found.judged} judged{words}"
    )
    if found.judged:
        _print_rows(found.pictures)
    if found.without_picture:
        typer.echo(
            f"\nby sky and schedule alone, {_count(found.without_picture, 'day')} without a "
            f"picture, of {found.told_by_sky} of them something is told"
        )
        _print_rows(found.sky)
    differ = found.disagreements
    typer.echo(f"\n{_count(len(differ), 'day')} on which the codes differ")
    for day in differ[:_LISTED]:
        by = "" if day.has_picture else ", by the sky"
        said = f"theirs {_codes(day.theirs)}, ours {_codes(day.ours)}{by}"
        typer.echo(_printable(f"{day.date}  {said}: {day.reason}"))
    _say_more(len(differ), "differing")


def _print_rows(rows: Sequence[AgreementRow]) -> None:
    wide = max(len(row.name) for row in rows)
    widths = [max(len(head), 7) for head in _HEADS]
    heads = (head.rjust(width) for head, width in zip(_HEADS, widths, strict=True))
    typer.echo("  ".join([" " * wide, *heads]))
    for row in rows:
        cells = (
            short_codes(row.theirs),
            short_codes(row.ours),
            str(row.both),
            f"{row.by_chance:.1f}",
            str(row.only_theirs),
            str(row.only_ours),
            str(row.neither),
            "" if row.agreement is None else f"{row.agreement:.1%}",
            "-" if row.kappa is None else f"{row.kappa:.2f}",
        )
        padded = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        typer.echo("  ".join([row.name.ljust(wide), *padded]))


def print_suggestions(days: Sequence[Suggestion], asked: int) -> None:
    """Print the days that are worth a look, each with its reason."""
    fewer = f", of {asked} that were asked for" if len(days) < asked else ""
    typer.echo(f"\n{_count(len(days), 'day')} worth a look{fewer}")
    for day in days:
        typer.echo(f"{day.date}  {day.verdict:<9}  {day.score:.2f}  {day.why}")


def _say_more(count: int, what: str) -> None:
    if count > _LISTED:
        typer.echo(f"... and {count - _LISTED} more {what}: --json lists all of them")


def _codes(codes: Iterable[Kind]) -> str:
    return " ".join(str(int(code)) for code in sorted(codes)) or "none"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line)
