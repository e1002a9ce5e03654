"""`gibswatch simulate`: days with a known truth on disk, and a local server that speaks as GIBS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from gibswatch.catalogue import GridPlan
    from gibswatch.simulate import ServedLayer, TileSource
    from gibswatch.simulate.archiving import Source, WriteSummary

__all__ = ["app"]

app = typer.Typer(
    name="simulate", help="Make days with a known truth; serve pictures.", no_args_is_help=True
)

_ABSENT = (404, 400)

Seed = Annotated[int, typer.Option("--seed", min=0, help="What the simulated days are drawn from.")]
ImageFaults = Annotated[
    str | None,
    typer.Option(
        "--faults",
        metavar="PLAN.toml|random",
        help="Faults in the simulated pictures: planned, or drawn for half of the days.",
    ),
]
TracksOption = Annotated[
    Literal["sky", "tle"],
    typer.Option("--tracks", help="Ground tracks of Gibswatch's orbits, or SGP4's by --tle."),
]
TleFile = Annotated[
    Path | None,
    typer.Option("--tle", metavar="FILE", help="Two-line elements within 45 days of the days."),
]
InventedEarth = Annotated[
    bool,
    typer.Option("--invented-earth", help="An Earth of noise; else Blue Marble (extra sim)."),
]


@app.callback()
def simulate() -> None:
    """Make days with a known truth, and serve pictures as GIBS does."""


@app.command()
def archive(
    layer: Annotated[str, typer.Argument(help="Corrected reflectance, or MODIS_*_Data_No_Data.")],
    start: opt.StartDate = None,
    end: Annotated[
        str | None,
        typer.Option("--end-date", "--end", metavar="DATE", help="Day to stop before."),
    ] = None,
    seed: Seed = 1,
    faults: ImageFaults = None,
    epsg: opt.EpsgCode = 4326,
    bbox: opt.Bbox = None,
    grid: opt.GridOption = None,
    tile_resolution: opt.TileResolution = None,
    tracks: TracksOption = "sky",
    tle: TleFile = None,
    invented_earth: InventedEarth = False,
    split: Annotated[
        str, typer.Option("--split", help="Word of the label lines: train, val or test.")
    ] = "test",
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes; default one a core for many days.")
    ] = None,
    output_dir: opt.OutputDir = Path("data"),
    as_json: opt.JsonFlag = False,
) -> None:
    """Write an archive of simulated days that `gibswatch scan` judges without a download.

    Beside each picture lies its truth; the label file has the predecessor's form. Example:
    gibswatch simulate archive MODIS_Terra_CorrectedReflectance_TrueColor
    --start-date 2023-08-01 --end-date 2023-08-15 --faults random --output-dir simulated
    """
    from dataclasses import replace

    from gibswatch.archive import Archive, choose_grid
    from gibswatch.catalogue import Grid, check_epsg, find_layer, plan_grid
    from gibswatch.cli.console import progress
    from gibswatch.simulate import archiving

    known, code = find_layer(layer), check_epsg(epsg)
    days = _days(known.identifier, start, end)
    source = _source(known.identifier, seed, faults, tracks, tle, invented=invented_earth)
    chosen = choose_grid(
        Archive(output_dir).grid(known.identifier, code),
        Grid("predecessor", code, "16km"),
        kind=grid,
        tile_resolution=tile_resolution,
        bbox=opt.parse_bbox(bbox),
    )
    plan = plan_grid(chosen, known.matrix_set(code))
    source = replace(source, area=archiving.fault_area(plan))
    order = archiving.ArchiveOrder(
        output_dir,
        chosen,
        archiving.specify_days(known.identifier, days, source),
        archiving.describe_origin(source),
        archiving.check_split(split),
    )
    with progress() as tell:
        summary = archiving.write_archives(
            [order],
            workers=workers,
            on_day=lambda done, total: tell("Simulating days", done, total),
        )
    _print_summary(summary, known.identifier, plan, output_dir, as_json=as_json)


@app.command()
def serve(
    archive: Annotated[
        Path | None,
        typer.Argument(help="Archive of `gibswatch download`: serve every layer in it."),
    ] = None,
    *,
    pictures: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYER=FOLDER",
            help="Globes (EPSG:4326) named YYYY-MM-DD.jpg|png; may be repeated.",
        ),
    ] = None,
    tile: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYER=FOLDER@SET/LEVEL/ROW/COL",
            help="One tile a day, named YYYY-MM-DD.jpg|png, served as it lies; may be repeated.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")
    ] = 8080,
    absent_status: Annotated[
        int, typer.Option(metavar="404|400", help="Answer for a date outside the domain.")
    ] = 404,
    server_faults: Annotated[
        str | None,
        typer.Option(
            metavar="PLAN.toml|random[:SEED]",
            help="Break answers as this plan says, or 1 % of all tiles, each in a way of its own.",
        ),
    ] = None,
    simulated: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER", help="Days made when they are asked for; may be repeated."),
    ] = None,
    start: opt.StartDate = None,
    end: Annotated[
        str | None,
        typer.Option("--end-date", "--end", metavar="DATE", help="Day to stop before."),
    ] = None,
    seed: Seed = 1,
    faults: ImageFaults = None,
    tracks: TracksOption = "sky",
    tle: TleFile = None,
    invented_earth: InventedEarth = False,
) -> None:
    """Serve pictures under the addresses of GIBS (WMTS, Tiled WMS, WMS) until Ctrl-C.

    Example: gibswatch simulate serve --simulated MODIS_Terra_CorrectedReflectance_TrueColor
    --start-date 2023-08-01 --end-date 2023-08-15 --faults random
    """
    from gibswatch.errors import UsageError
    from gibswatch.simulate import (
        FaultPlan,
        create_app,
        example_tile_path,
        open_sources,
        serve_forever,
    )

    if absent_status not in _ABSENT:
        raise UsageError(f"--absent-status {absent_status} is not one of 404 and 400")
    if faults and not simulated:
        raise UsageError(
            "--faults is about simulated pictures: give --simulated LAYER with it, or "
            "--server-faults PLAN.toml to break answers"
        )
    plan = FaultPlan.parse(server_faults) if server_faults else None
    layers = {
        layer.identifier: _simulated(
            layer,
            _days(layer.identifier, start, end),
            _source(layer.identifier, seed, faults, tracks, tle, invented=invented_earth),
        )
        for layer in map(_describe, simulated or [])
    }
    if archive or pictures or tile or not layers:
        stored = open_sources(archive, pictures or [], tile or [], _describe)
        if twice := sorted(stored.keys() & layers.keys()):
            raise UsageError(f"{twice[0]} is given twice: from a folder, and as --simulated")
        layers |= stored
    example = example_tile_path(*next(iter(layers.values())))

    def announce(base_url: str) -> None:
        typer.echo(
            f"serving {len(layers)} layer(s) at {base_url}, e.g. {base_url}{example}", err=True
        )

    web = create_app(layers, absent_status=404 if absent_status == 404 else 400, faults=plan)
    serve_forever(web, host, port, on_ready=announce)


def _describe(name: str) -> ServedLayer:
    """Look a layer up in the catalogue."""
    from gibswatch.catalogue import find_layer
    from gibswatch.errors import UsageError
    from gibswatch.simulate import ServedLayer

    layer = find_layer(name)
    if layer.format == "mvt":
        raise UsageError(f"{layer.identifier} has vector tiles: name a layer of pictures")
    matrix_sets = {epsg: name for epsg, name in layer.projections.items() if name}
    return ServedLayer(layer.identifier, layer.format, matrix_sets)


def _simulated(
    layer: ServedLayer, days: Sequence[dt.date], source: Source
) -> tuple[ServedLayer, TileSource]:
    """A layer whose days are made when they are asked for."""
    from gibswatch.simulate import SimulatedSource
    from gibswatch.simulate.archiving import specify_days

    by_day = {spec.day: spec for spec in specify_days(layer.identifier, days, source)}
    return layer, SimulatedSource(by_day.__getitem__, by_day.keys())


def _days(layer: str, start: str | None, end: str | None) -> Sequence[dt.date]:
    """Days of a range that the layer has: those that a scan asks for."""
    import datetime as dt

    from gibswatch.catalogue import find_layer
    from gibswatch.download import plan_days
    from gibswatch.errors import DateRangeError

    if start is None:
        raise DateRangeError("no --start-date: give the first day to simulate")
    begin = opt.parse_date(start, option="--start-date")
    stop = opt.parse_date(end, option="--end-date") if end else begin + dt.timedelta(days=1)
    return plan_days(find_layer(layer), begin, stop).days


def _source(
    layer: str, seed: int, faults: str | None, tracks: str, tle: Path | None, *, invented: bool
) -> Source:
    """What the days of a layer are drawn from."""
    from gibswatch.errors import UsageError
    from gibswatch.simulate.archiving import Source, read_elements, read_fault_choice
    from gibswatch.simulate.days.spec import parse_layer

    satellite = parse_layer(layer)[0]
    if (tracks == "tle") != (tle is not None):
        raise UsageError("--tracks tle and --tle FILE belong together: give both or neither")
    elements = "" if tle is None else read_elements(tle, satellite)
    return Source(seed, read_fault_choice(faults), elements, invented)


def _print_summary(
    summary: WriteSummary, layer: str, plan: GridPlan, output_dir: Path, *, as_json: bool
) -> None:
    from gibswatch.cli.console import print_json

    if as_json:
        document = {
            "layer": layer,
            "grid": str(plan.grid),
            "days": summary.days,
            "days_kept": summary.days_kept,
            "days_made": summary.days_made,
            "written_bytes": summary.written_bytes,
            "labels": str(output_dir / str(plan.grid.epsg) / f"{layer}.txt"),
        }
        print_json(document)
        return
    typer.echo(
        f"{layer}: {summary.days} days; {summary.days_made} simulated "
        f"({summary.written_bytes / 1e6:.1f} MB), {summary.days_kept} there already, "
        f"in {output_dir}"
    )
