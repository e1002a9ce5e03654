"""`gibswatch download`: days of one layer into an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    from gibswatch.archive import DownloadSummary

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
    from gibswatch.archive import Archive, choose_grid, download_days
    from gibswatch.catalogue import Grid, check_epsg
    from gibswatch.cli.console import error_line, note, print_json, progress
    from gibswatch.download import find_picture_layer, picture_note, plan_days
    from gibswatch.settings import read_settings

    settings = read_settings(
        base_url=base_url,
        connections=connections,
        dates_in_flight=dates_in_flight,
        ca_bundle=str(ca_bundle) if ca_bundle else None,
    )
    known, code = find_picture_layer(layer), check_epsg(epsg)
    if drawn := picture_note(known):
        note(drawn)
    begin, stop = opt.parse_range(start, end, known.start_date)
    plan = plan_days(known, begin, stop)
    if plan.started_late:
        note(f"{known.identifier} starts on {known.start_date}, not {begin}: begun there")
    chosen = choose_grid(
        Archive(output_dir).grid(known.identifier, code),
        Grid("predecessor", code, "16km"),
        kind=grid,
        tile_resolution=tile_resolution,
        bbox=opt.parse_bbox(bbox),
        tiled=tiled_world,
    )
    with progress() as tell:
        count = 0

        def count_day(_outcome: object) -> None:
            nonlocal count
            count += 1
            tell("download", count, len(plan.days))

        summary = download_days(
            output_dir, known, chosen, plan.days, settings, engine=engine, on_day=count_day
        )
    if as_json:
        print_json(
            {
                "layer": known.identifier,
                "grid": str(chosen),
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
    else:
        _print_summary(summary, known.identifier, output_dir)
    if summary.nothing_came:
        error_line(f"no tile could be had; the first was {summary.first_problem}")
        raise typer.Exit(5)
    if summary.days_incomplete:
        raise typer.Exit(4)


def _print_summary(summary: DownloadSummary, layer: str, output_dir: Path) -> None:
    megabytes = summary.received_bytes / 1e6
    typer.echo(
        f"{layer}: {summary.days} days; {summary.days_complete} downloaded, "
        f"{summary.days_kept} there already, {summary.days_incomplete} incomplete; "
        f"{summary.fetched} tiles, {megabytes:.1f} MB, in {output_dir}"
    )
    for url, state, message in summary.problems[:10]:
        typer.echo(f"  {state}: {url} ({message})", err=True)
    if len(summary.problems) > 10:
        typer.echo(f"  and {len(summary.problems) - 10} more (--json lists them)", err=True)
