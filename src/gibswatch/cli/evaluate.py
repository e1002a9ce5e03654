"""`gibswatch evaluate`: what the scores of models and detectors are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import UsageError

if TYPE_CHECKING:
    from gibswatch.evaluation import Joined, ScoreTable, Target
    from gibswatch.report import PictureSource

__all__ = ["evaluate"]


def evaluate(
    tables: Annotated[
        list[str],
        typer.Argument(metavar="[NAME=]TABLE", help="Score tables, or the days.parquet of scans."),
    ],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="Label file with the truth and the split."),
    ] = None,
    target: Annotated[
        Literal["missing", "miscoloration", "any", "multi"] | None,
        typer.Option(
            "--target", help="What is to be told: 2; 3; any fault; each. Default: the tables' own."
        ),
    ] = None,
    by: Annotated[
        Literal["day", "event"],
        typer.Option("--by", help="What intervals take for one case: a day, or a whole event."),
    ] = "day",
    compare: Annotated[
        bool, typer.Option("--compare", help="Print the table of all models alone.")
    ] = False,
    false_alarms: Annotated[
        float,
        typer.Option("--false-alarms", metavar="N", help="One false alarm in N clean days."),
    ] = 30,
    threshold_on: Annotated[
        Literal["validation", "table"] | None,
        typer.Option(
            "--threshold-on", help="Whose clean days choose it; default: validation's if any."
        ),
    ] = None,
    on: Annotated[
        Literal["train", "val", "test", "all"] | None,
        typer.Option("--on", help="Days to evaluate; default: those of test if any, else all."),
    ] = None,
    level: Annotated[
        Literal["image", "pixel"] | None,
        typer.Option("--level", help="What a row is, where a table does not say it itself."),
    ] = None,
    resamples: Annotated[
        int,
        typer.Option("--resamples", min=0, max=100_000, help="Copies for intervals; 0: none."),
    ] = 1000,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="The same seed gives the same intervals.")
    ] = 999,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PAGE", help="Write a page (HTML).")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="Archive with the pictures for the page."),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option("--layer", help="Layer of the pictures; default: what the tables say."),
    ] = None,
    epsg: opt.EpsgCode = 4326,
    as_json: opt.JsonFlag = False,
) -> None:
    """Evaluate score tables against labels: curves, recall, intervals, one table of all models.

    Example: gibswatch evaluate softmax.parquet scan=days.parquet --labels labels.txt --by event
    --compare --out evaluation.html
    """
    from gibswatch.cli.evaluate_output import print_details, print_document, print_table
    from gibswatch.evaluation import Options
    from gibswatch.evaluation import compare as compare_tables
    from gibswatch.evaluation.threshold import check_per_days

    check_per_days(false_alarms)
    read = [_read(text, level) for text in tables]
    aim = target or _common_target(read)
    joined = _joined(read, labels, aim)
    options = Options(aim, by, false_alarms, threshold_on, on, resamples, seed)
    found = compare_tables([one.table for one in joined], options, _day_notes(joined))
    if out is not None:
        from gibswatch.report import write_evaluation

        write_evaluation(found, out, _pictures(pictures, layer, epsg, read))
    if as_json:
        print_document(found, joined)
        return
    if compare or len(found.rows) > 1:
        print_table(found)
    if not compare:
        print_details(found)
    if out is not None:
        typer.echo(f"page: {out}")


def _read(text: str, level: Literal["image", "pixel"] | None) -> ScoreTable:
    """Read ``PATH`` or ``NAME=PATH``."""
    from gibswatch.evaluation import read_scores

    name, mark, path = text.partition("=")
    if mark and name.strip() and "/" not in name and "\\" not in name:
        return read_scores(Path(path), name=name.strip()[:100], level=level)
    return read_scores(Path(text), level=level)


def _common_target(tables: list[ScoreTable]) -> Target:
    """Give what all tables that say it were trained to tell, else any fault."""
    told = {table.target for table in tables if table.target is not None}
    return told.pop() if len(told) == 1 else "any"


def _joined(tables: list[ScoreTable], labels: Path | None, target: Target) -> list[Joined]:
    """Give the tables the truth of a label file, if there is one."""
    from gibswatch.archive import read_labels
    from gibswatch.evaluation import Joined, join_labels

    if labels is None:
        return [Joined(table, (), ()) for table in tables]
    if not labels.is_file():
        raise UsageError(f"--labels {labels} is not there, or no file: name a label file")
    said = read_labels(labels)
    return [join_labels(table, said, target) for table in tables]


def _day_notes(joined: list[Joined]) -> list[str]:
    """Say which days were left out, and why."""
    notes = []
    for one in joined:
        for days, what in (
            (one.without_label, "scored days have no line in the label file"),
            (one.without_score, "labelled days have no score"),
        ):
            if days:
                some = ", ".join(map(str, days[:3]))
                more = f", ... {days[-1]}" if len(days) > 3 else ""
                notes.append(f"{one.table.name}: {len(days)} {what} ({some}{more}): left out")
    return notes


def _pictures(
    root: Path | None, layer: str | None, epsg: int, tables: list[ScoreTable]
) -> PictureSource | None:
    """Say where the pictures lie, if an archive was named."""
    from gibswatch.report import PictureSource

    if root is None:
        return None
    told = sorted({table.layer for table in tables if table.layer})
    if layer is None and len(told) != 1:
        said = f"the tables name {' and '.join(told)}" if told else "no table names it"
        raise UsageError(f"--pictures needs the layer, and {said}: give --layer")
    return PictureSource(root, layer or told[0], epsg)
