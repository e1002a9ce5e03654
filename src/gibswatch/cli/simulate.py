"""`gibswatch simulate`: a local server that speaks as GIBS does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gibswatch.simulate import ServedLayer

__all__ = ["app"]

app = typer.Typer(name="simulate", help="Serve pictures as GIBS does.", no_args_is_help=True)

_ABSENT = (404, 400)


@app.callback()
def simulate() -> None:
    """Serve pictures as GIBS does."""


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
    faults: Annotated[
        str | None,
        typer.Option(
            metavar="PLAN.toml|random[:SEED]",
            help="Break answers as this plan says, or 1 % of all tiles, each in a way of its own.",
        ),
    ] = None,
) -> None:
    """Serve pictures under the addresses of GIBS (WMTS, Tiled WMS, WMS) until Ctrl-C.

    Example: gibswatch simulate serve --pictures MODIS_Terra_CorrectedReflectance_TrueColor=globes
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
    plan = FaultPlan.parse(faults) if faults else None
    layers = open_sources(archive, pictures or [], tile or [], _describe)
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
