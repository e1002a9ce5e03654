"""`gibswatch download`: days of one layer into an archive."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    from gibswatch.archive import Agenda, Archive, DownloadSummary
    from gibswatch.catalogue import Grid, Layer
    from gibswatch.download import Engine
    from gibswatch.settings import Settings

__all__ = ["download"]


def download(
    layer: Annotated[
        str, typer.Option("--layer-name", "--layer", metavar="LAYER", help="Layer to download.")
    ] = "VIIRS_SNPP_CorrectedReflectance_TrueColor",
    start: Annotated[
        str | None,
        typer.Option(
            "--start-date",
            "--start",
            metavar="DATE",
            help="First day, YYYY-MM-DD, or Today; default: after the last day checked here.",
        ),
    ] = None,
    end: opt.EndDate = "Today",
    epsg: opt.EpsgCode = 4326,
    bbox: opt.Bbox = None,
    grid: opt.GridOption = None,
    tile_resolution: opt.TileResolution = None,
    tile_level: Annotated[
        int | None,
        typer.Option(
            "--tile-level", help="Level to read, as the predecessor did (16km: 2); predecessor's."
        ),
    ] = None,
    tiled_world: opt.TiledWorld = None,
    picture_format: Annotated[
        Literal["jpg", "png", "tif", "cog"] | None,
        typer.Option("--format", help="What pictures are stored as; default: the layer's own."),
    ] = None,
    output_dir: opt.OutputDir = Path("data"),
    dates_in_flight: Annotated[
        int | None,
        typer.Option("--num-threads", help="Days downloaded at one time (default 10)."),
    ] = None,
    connections: opt.Connections = None,
    bandwidth: Annotated[
        float | None,
        typer.Option("--bandwidth", metavar="MBIT", help="Megabits a second (default 50; 0: any)."),
    ] = None,
    deadline: Annotated[
        float | None,
        typer.Option("--deadline", metavar="MINUTES", help="End after so long; go on next time."),
    ] = None,
    engine: Annotated[
        Literal["http", "gdal"],
        typer.Option("--engine", help="What fetches tiles: Gibswatch itself, or GDAL's driver."),
    ] = "http",
    base_url: opt.BaseUrl = None,
    ca_bundle: opt.CaBundle = None,
    bulk_approved: Annotated[
        bool,
        typer.Option("--bulk-approved", help="GIBS knows that this is over 1,000,000 tiles a day."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be asked for; ask nothing.")
    ] = False,
    as_json: opt.JsonFlag = False,
) -> None:
    """Download a picture a day of one layer; what is there is not asked again.

    Example: gibswatch download --layer-name VIIRS_SNPP_CorrectedReflectance_TrueColor
    --start-date 2023-08-01 --end-date 2023-08-08
    """
    from gibswatch.archive import Archive, choose_grid
    from gibswatch.catalogue import Grid, check_epsg
    from gibswatch.cli import download_output as output
    from gibswatch.download import find_picture_layer
    from gibswatch.settings import read_settings

    settings = read_settings(
        base_url=base_url,
        connections=connections,
        dates_in_flight=dates_in_flight,
        bandwidth_mbit_s=bandwidth,
        run_deadline_s=None if deadline is None else 60 * deadline,
        ca_bundle=str(ca_bundle) if ca_bundle else None,
    )
    known, code = find_picture_layer(layer), check_epsg(epsg)
    archive = Archive(output_dir)
    chosen = choose_grid(
        archive.grid(known.identifier, code),
        Grid("predecessor", code, "16km"),
        kind=grid,
        tile_resolution=tile_resolution,
        bbox=opt.parse_bbox(bbox),
        tiled=tiled_world,
        tile_level=tile_level,
        picture_format=picture_format,
        own_format=known.format,
    )
    agenda = _plan(archive, known, chosen, start, end)
    if dry_run:
        output.print_estimate(output_dir, known, chosen, agenda, settings, as_json=as_json)
        return
    summary = _run(
        output_dir, known, chosen, agenda, settings, engine=engine, bulk_approved=bulk_approved
    )
    if as_json:
        output.print_document(summary, output_dir, known, chosen, agenda)
    else:
        output.print_summary(summary, known.identifier, output_dir)
    _exit(summary)


def _plan(archive: Archive, layer: Layer, grid: Grid, start: str | None, end: str) -> Agenda:
    """Choose the days; says on stderr what a person should know of them."""
    from gibswatch.archive import plan_run
    from gibswatch.cli.console import note
    from gibswatch.download import picture_note

    if drawn := picture_note(layer):
        note(drawn)
    begin, stop = opt.parse_span(start, end)
    held = archive.grid(layer.identifier, grid.epsg)
    records = archive.records(layer.identifier, grid.epsg) if held == grid else {}
    agenda = plan_run(layer, records, begin, stop)
    if agenda.started_late:
        note(f"{layer.identifier} starts on {layer.start_date}, not {begin}: begun there")
    if agenda.continued_after is not None:
        again = f", and asks again for {len(agenda.again)} days" if agenda.again else ""
        note(f"goes on after {agenda.continued_after}, the last day checked{again}")
    return agenda


def _run(
    output_dir: Path,
    layer: Layer,
    grid: Grid,
    agenda: Agenda,
    settings: Settings,
    *,
    engine: Engine,
    bulk_approved: bool,
) -> DownloadSummary:
    """Download the days under a bar of progress."""
    from gibswatch.archive import download_days
    from gibswatch.cli.console import progress

    done = itertools.count(1)
    with progress() as tell:
        return download_days(
            output_dir,
            layer,
            grid,
            agenda.days,
            settings,
            engine=engine,
            on_day=lambda _outcome: tell("download", next(done), len(agenda.days)),
            bulk_approved=bulk_approved,
        )


def _exit(summary: DownloadSummary) -> None:
    """End with a code of its own where tiles did not come."""
    from gibswatch.cli.console import error_line

    if summary.nothing_came:
        error_line(summary.nothing_line)
        raise typer.Exit(5)
    if summary.stopped is not None:
        error_line(summary.stopped)
        raise typer.Exit(4)
    if summary.days_incomplete:
        raise typer.Exit(4)
