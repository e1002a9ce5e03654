"""`gibswatch download`: days of one layer into an archive."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from gibswatch.archive import DownloadSummary
    from gibswatch.catalogue import Grid, Layer
    from gibswatch.download import Engine
    from gibswatch.settings import Settings

__all__ = ["download"]


def download(
    layer: Annotated[
        str, typer.Option("--layer-name", "--layer", metavar="LAYER", help="Layer to download.")
    ] = "VIIRS_SNPP_CorrectedReflectance_TrueColor",
    start: opt.StartDate = None,
    end: opt.EndDate = "Today",
    epsg: opt.EpsgCode = 4326,
    bbox: opt.Bbox = None,
    grid: opt.GridOption = None,
    tile_resolution: opt.TileResolution = None,
    tiled_world: opt.TiledWorld = None,
    output_dir: opt.OutputDir = Path("data"),
    dates_in_flight: Annotated[
        int | None,
        typer.Option("--num-threads", help="Days downloaded at one time (default 10)."),
    ] = None,
    connections: opt.Connections = None,
    engine: Annotated[
        Literal["http", "gdal"],
        typer.Option("--engine", help="What fetches tiles: Gibswatch itself, or GDAL's driver."),
    ] = "http",
    base_url: opt.BaseUrl = None,
    ca_bundle: opt.CaBundle = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Download a picture a day of one layer; what is there is not asked again.

    Example: gibswatch download --layer-name VIIRS_SNPP_CorrectedReflectance_TrueColor
    --start-date 2023-08-01 --end-date 2023-08-08
    """
    from gibswatch.archive import Archive, choose_grid
    from gibswatch.catalogue import Grid, check_epsg
    from gibswatch.download import find_picture_layer
    from gibswatch.settings import read_settings

    settings = read_settings(
        base_url=base_url,
        connections=connections,
        dates_in_flight=dates_in_flight,
        ca_bundle=str(ca_bundle) if ca_bundle else None,
    )
    known, code = find_picture_layer(layer), check_epsg(epsg)
    days = _plan(known, start, end)
    chosen = choose_grid(
        Archive(output_dir).grid(known.identifier, code),
        Grid("predecessor", code, "16km"),
        kind=grid,
        tile_resolution=tile_resolution,
        bbox=opt.parse_bbox(bbox),
        tiled=tiled_world,
    )
    summary = _run(output_dir, known, chosen, days, settings, engine)
    if as_json:
        _print_document(summary, known.identifier, chosen)
    else:
        _print_summary(summary, known.identifier, output_dir)
    _exit(summary)


def _plan(layer: Layer, start: str | None, end: str) -> tuple[dt.date, ...]:
    """Days to ask for; says on stderr what a person should know of them."""
    from gibswatch.cli.console import note
    from gibswatch.download import picture_note, plan_days

    if drawn := picture_note(layer):
        note(drawn)
    begin, stop = opt.parse_range(start, end, layer.start_date)
    plan = plan_days(layer, begin, stop)
    if plan.started_late:
        note(f"{layer.identifier} starts on {layer.start_date}, not {begin}: begun there")
    return plan.days


def _run(
    output_dir: Path,
    layer: Layer,
    grid: Grid,
    days: Sequence[dt.date],
    settings: Settings,
    engine: Engine,
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
            days,
            settings,
            engine=engine,
            on_day=lambda _outcome: tell("download", next(done), len(days)),
        )


def _print_document(summary: DownloadSummary, layer: str, grid: Grid) -> None:
    from gibswatch.cli.console import print_json

    print_json(
        {
            "layer": layer,
            "grid": str(grid),
            "days": summary.days,
            "days_kept": summary.days_kept,
            "days_complete": summary.days_complete,
            "days_incomplete": summary.days_incomplete,
            "fetched": summary.fetched,
            "received_bytes": summary.received_bytes,
            "tiles": dict(summary.tiles),
            "problems": [
                {"url": url, "state": state, "message": message}
                for url, state, message in summary.problems
            ],
        }
    )


def _print_summary(summary: DownloadSummary, layer: str, output_dir: Path) -> None:
    size = f", {summary.received_bytes / 1e6:.1f} MB" if summary.received_bytes else ""
    typer.echo(
        f"{layer}: {summary.days} days; {summary.days_complete} downloaded, "
        f"{summary.days_kept} there already, {summary.days_incomplete} incomplete; "
        f"{summary.fetched} tiles{size}, in {output_dir}"
    )
    for url, state, message in summary.problems[:10]:
        typer.echo(f"  {state}: {url} ({message})", err=True)
    if len(summary.problems) > 10:
        typer.echo(f"  and {len(summary.problems) - 10} more (--json lists them)", err=True)


def _exit(summary: DownloadSummary) -> None:
    """End with a code of its own where tiles did not come."""
    from gibswatch.cli.console import error_line

    if summary.nothing_came:
        error_line(f"no tile could be had; the first was {summary.first_problem}")
        raise typer.Exit(5)
    if summary.days_incomplete:
        raise typer.Exit(4)
