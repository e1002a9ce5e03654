"""`gibswatch label`: codes and masks for what an archive holds, beside a person's labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    from gibswatch.scan import LabelResult

__all__ = ["label"]


def label(
    layer: Annotated[str, typer.Argument(help="Layer whose days are labelled.")],
    start: opt.StartDate = None,
    end: Annotated[
        str | None,
        typer.Option(
            "--end-date", "--end", metavar="DATE", help="Day to stop before; default: all days."
        ),
    ] = None,
    epsg: opt.EpsgCode = 4326,
    output_dir: opt.OutputDir = Path("data"),
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="LABELS", help="A label file to compare with: table, page of days."
        ),
    ] = None,
    suggest: Annotated[
        int | None,
        typer.Option("--suggest", metavar="N", help="Name N days that are worth a person's look."),
    ] = None,
    method: opt.MethodOption = "gibswatch",
    workers: opt.WorkerCount = None,
    scheduler: opt.Scheduler = None,
    tle: opt.TleFile = None,
    events: opt.EventsFile = None,
    reasons: opt.Reasons = False,
    cog: opt.CogMasks = False,
    compat_masks: opt.CompatMasks = False,
    as_json: opt.JsonFlag = False,
) -> None:
    """Label what the archive holds, without a download: codes into the label file, and masks.

    Example: gibswatch label VIIRS_SNPP_CorrectedReflectance_TrueColor --against labels.txt
    --suggest 20
    """
    from gibswatch.catalogue import read_events
    from gibswatch.cli.console import progress
    from gibswatch.report import write_disagreements
    from gibswatch.scan import Workers, label_archive

    asked = {"cog": cog, "compat-masks": compat_masks, "reasons": reasons}
    with progress() as tell:
        done = label_archive(
            layer,
            None if start is None else opt.parse_date(start, option="--start-date"),
            None if end is None else opt.parse_date(end, option="--end-date"),
            root=output_dir,
            epsg=epsg,
            method=method,
            outputs=[name for name, wanted in asked.items() if wanted],
            workers=Workers(workers, scheduler),
            tle=None if tle is None else opt.read_elements(tle),
            events=() if events is None else read_events(events),
            against=against,
            suggest=suggest,
            on_progress=tell,
        )
    _tell(done, write_disagreements(done), suggest, as_json=as_json)
    verdicts = done.result.verdicts
    raise typer.Exit(4 if verdicts["incomplete"] + verdicts["wrong-date"] else 0)


def _tell(done: LabelResult, page: Path | None, asked: int | None, *, as_json: bool) -> None:
    """Print what was done, for a person or a program."""
    from gibswatch.cli.console import note, print_json
    from gibswatch.cli.label_output import print_comparison, print_labels, print_suggestions
    from gibswatch.scan import label_to_json

    for line in done.result.notes:
        note(line)
    if as_json:
        print_json(label_to_json(done))
        return
    print_labels(done)
    if done.comparison is not None:
        print_comparison(done.comparison, str(done.against))
    if done.suggestions is not None:
        print_suggestions(done.suggestions, asked or 0)
    if page is not None:
        typer.echo(f"page: {page}")
