"""``gibswatch layers``: what GIBS offers, layer by layer."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gibswatch.cli.options import BaseUrl, EpsgCode, TileResolution
from gibswatch.errors import UsageError

if TYPE_CHECKING:
    from gibswatch.catalogue import Layer

__all__ = ["app"]

_COLUMNS = ("layer", "format", "tile matrix set", "first day", "last day")
_LAST_GAPS = 10

app = typer.Typer(
    name="layers", help="List the layers of GIBS and show one of them.", no_args_is_help=True
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

XmlOption = Annotated[
    Literal["tms", "twms", "wmts"] | None,
    typer.Option("--xml", help="Print GDAL's service file instead: TMS, TiledWMS or WMTS."),
]
DateOption = Annotated[
    str | None,
    typer.Option(
        "--date",
        metavar="DATE",
        help="Day of the service file, YYYY-MM-DD (with Thh:mm:ssZ where a day has several "
        "pictures) or Today; default: the server's latest.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Where the service file goes; wmts needs one."),
]


@app.command("list")
def list_layers(
    search: Annotated[
        str, typer.Option("--search", help="Words that identifier, title or subtitle must hold.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List layers: identifier, format, tile matrix set, first and last day.

    Example: gibswatch layers list --search "viirs true color"
    """
    from gibswatch.catalogue import search_layers

    layers = search_layers(search)
    if as_json:
        typer.echo(json.dumps([_row(layer) for layer in layers], indent=1))
    elif layers:
        _print_table([tuple(_row(layer).values()) for layer in layers])
    else:
        typer.echo(f"no layer holds the words {search!r}: use fewer of them", err=True)


@app.command("show")
def show(
    layer: Annotated[str, typer.Argument(help="Identifier, also an old one.")],
    as_json: JsonOption = False,
    xml: XmlOption = None,
    date: DateOption = None,
    epsg: EpsgCode = 4326,
    tile_resolution: TileResolution = None,
    base_url: BaseUrl = None,
    output: OutputOption = None,
) -> None:
    """Show every fact of one layer, or the service file with which GDAL opens it.

    Example: gibswatch layers show MODIS_Terra_Data_No_Data --xml tms --date 2023-08-07
    """
    from gibswatch.catalogue import find_layer

    record = find_layer(layer)
    if xml is not None:
        if as_json:
            raise UsageError("--json and --xml are two documents: ask for one of them")
        service = {"epsg": epsg, "tile_resolution": tile_resolution, "base_url": base_url}
        _give_xml(record, xml, date, service, output)
        return
    given = {"--date": date, "--tile-resolution": tile_resolution, "--output": output}
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} is for a service file: give --xml tms, twms or wmts too")
    facts = _facts(record)
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    width = max(len(key) for key in facts)
    for key, value in facts.items():
        typer.echo(f"{key.replace('_', ' '):<{width}}  {_text(key, value)}")


def _give_xml(
    layer: Layer,
    protocol: Literal["tms", "twms", "wmts"],
    date: str | None,
    service: dict[str, Any],
    output: Path | None,
) -> None:
    """Print a service file, or write it and print where."""
    from gibswatch.catalogue import service_xml, write_service_xml
    from gibswatch.settings import read_settings

    service["base_url"] = read_settings(base_url=service["base_url"]).base_url
    service["day"] = None if date is None else _moment(date)
    if output is not None:
        for path in write_service_xml(output, layer, protocol, **service):
            typer.echo(path)
        return
    if protocol == "wmts":
        raise UsageError(
            "--xml wmts makes two files, the second beside the first: give --output FILE"
        )
    typer.echo(service_xml(layer, protocol, **service))


def _moment(text: str) -> dt.date | dt.datetime:
    """Read a day, Today, or an instant."""
    from gibswatch.catalogue import parse_moment

    return dt.datetime.now(dt.UTC).date() if text.lower() == "today" else parse_moment(text)


def _row(layer: Layer) -> dict[str, str]:
    """Return what `list` says of a layer; JSON and table say the same."""
    sets = [name for name in layer.projections.values() if name]
    last = "ongoing" if layer.ongoing else str(layer.end_date or "no time")
    return {
        "identifier": layer.identifier,
        "format": layer.format,
        "tile_matrix_set": sets[0] if sets else layer.service,
        "first_day": str(layer.start_date or "no time"),
        "last_day": last,
    }


def _facts(layer: Layer) -> dict[str, Any]:
    from gibswatch.catalogue import gaps

    missing = [(str(first), str(last)) for first, last in gaps(layer.periods)]
    return {
        "identifier": layer.identifier,
        "title": layer.title,
        "subtitle": layer.subtitle,
        "platform": layer.platform,
        "instrument": layer.instrument,
        "service": layer.service,
        "format": layer.format,
        "tile_matrix_sets": {f"EPSG:{epsg}": name for epsg, name in layer.projections.items()},
        "served_as": {f"EPSG:{epsg}": name for epsg, name in layer.served_as.items()},
        "day_night": list(layer.day_night),
        "cadence": layer.cadence,
        "first_day": _day(layer.start_date),
        "last_known_day": _day(layer.last_known_date),
        "ongoing": layer.ongoing,
        "domain_read": layer.domain_source,
        "gap_count": len(missing),
        "gaps": missing,
        "domain": layer.domain,
        "tile_resolutions": _tile_resolutions(layer),
    }


def _tile_resolutions(layer: Layer) -> list[str]:
    """Rows of the predecessor's table that are not finer than the layer's own pixels."""
    from gibswatch.catalogue import PREDECESSOR_TABLE, tile_matrix_set

    if layer.service != "wmts" or not layer.projections.get(4326):
        return []
    finest = tile_matrix_set(4326, layer.matrix_set(4326)).max_level
    return [row.tile_resolution for row in PREDECESSOR_TABLE if row.tile_level <= finest]


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _text(key: str, value: Any) -> str:
    """One fact in one line."""
    if key == "gaps":
        shown = [first if first == last else f"{first}..{last}" for first, last in value]
        more = f"the last {_LAST_GAPS}: " if len(shown) > _LAST_GAPS else ""
        return more + ", ".join(shown[-_LAST_GAPS:]) if shown else "-"
    if key == "domain" and value.count(",") >= _LAST_GAPS:
        return f"{value.count(',') + 1} periods, all of them with --json"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v or '(no tiles)'}" for k, v in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in (None, "") else str(value)


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on a terminal; else plain lines of columns, one layer each, without a head."""
    if not sys.stdout.isatty():
        widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            typer.echo("  ".join(cells).rstrip())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*_COLUMNS)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
