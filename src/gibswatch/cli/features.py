"""`gibswatch features`: the days of an archive as vectors, in a Parquet table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    from gibswatch.features import FeaturesResult

__all__ = ["features"]


def features(
    layer: Annotated[str, typer.Argument(help="Layer whose days are made vectors.")],
    start: opt.StartDate = None,
    end: Annotated[
        str | None,
        typer.Option(
            "--end-date", "--end", metavar="DATE", help="Day to stop before; default: all days."
        ),
    ] = None,
    epsg: opt.EpsgCode = 4326,
    output_dir: opt.OutputDir = Path("data"),
    kind: Annotated[
        Literal["hog", "hue", "hog+hue"],
        typer.Option("--kind", help="Gradients, hues, or both one after the other."),
    ] = "hog+hue",
    compat: Annotated[
        bool, typer.Option("--compat", help="By gibs-ml's own formulas, faults and all.")
    ] = False,
    bins: Annotated[int, typer.Option("--bins", help="Of the hue histogram, 1 to 250.")] = 10,
    cell: Annotated[
        int, typer.Option("--cell", help="Side of a cell of gradients, in pixels of the grid.")
    ] = 8,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The table; default features/{Layer}.parquet beside the days.",
        ),
    ] = None,
    workers: opt.WorkerCount = None,
    scheduler: opt.Scheduler = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Write one vector a day, of gradients and hues, to a Parquet table.

    Example: gibswatch features VIIRS_SNPP_CorrectedReflectance_TrueColor --kind hog+hue
    """
    from gibswatch.cli.console import progress
    from gibswatch.features import archive_features

    with progress() as tell:
        done = archive_features(
            layer,
            None if start is None else opt.parse_date(start, option="--start-date"),
            None if end is None else opt.parse_date(end, option="--end-date"),
            root=output_dir,
            epsg=epsg,
            kind=kind,
            cell=cell,
            bins=bins,
            compat=compat,
            path=out,
            workers=workers,
            scheduler=scheduler,
            on_progress=tell,
        )
    _tell(done, as_json=as_json)
    raise typer.Exit(4 if done.skipped else 0)


def _tell(done: FeaturesResult, *, as_json: bool) -> None:
    """Print what was done, for a person or a program."""
    from gibswatch.cli.console import note, print_json

    if as_json:
        print_json(
            {
                "layer": done.layer,
                "epsg": done.epsg,
                "file": str(done.path),
                "days": done.written,
                "length": done.definition.length,
                "definition": done.definition.to_json(),
                "skipped": [
                    {"date": day.date.isoformat(), "reason": day.reason} for day in done.skipped
                ],
            }
        )
        return
    for day in done.skipped:
        note(f"skipped {day.date}: {day.reason}")
    left = f", {len(done.skipped)} skipped" if done.skipped else ""
    typer.echo(
        f"{done.layer}: {done.written} days{left}, {done.definition.length} features each; "
        f"in {done.path}"
    )
