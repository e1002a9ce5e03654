"""``gibswatch sky``: what should be visible in a layer's picture of one day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import DateRangeError, UnknownLayerError, UsageError

if TYPE_CHECKING:
    from gibswatch.catalogue import Layer
    from gibswatch.sky.expectation import Expectation
    from gibswatch.sky.orbit import Orbit
    from gibswatch.sky.satellites import Satellite
    from gibswatch.types import Georeference

__all__ = ["sky"]

_DEFAULT_COLS = {4326: 2048, 3857: 1024, 3413: 1024, 3031: 1024}
_LEAST_COLS, _MOST_COLS = 16, 8192
_MOST_PIXELS = 33_554_432  # 8192 x 4096; 60 bytes a pixel
_LAST_DAY = dt.date(2049, 12, 31)  # the Sun's formulas hold until 2050
_ENDINGS = (".png", ".tif", ".tiff", ".json")


def sky(
    layer: Annotated[str, typer.Argument(help="Identifier, also an old one.")],
    date: Annotated[str, typer.Argument(help="Day, YYYY-MM-DD or Today: GIBS's local day.")],
    epsg: opt.EpsgCode = 4326,
    bbox: opt.Bbox = None,
    size: Annotated[
        int | None,
        typer.Option("--size", metavar="COLS", help="Columns; rows follow from the box."),
    ] = None,
    tle: opt.TleFile = None,
    events: opt.EventsFile = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Map .png, raster .tif or document .json."),
    ] = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Say what should be visible: coverage, why the rest is black, passes, eclipse, events.

    Example: gibswatch sky MODIS_Terra_CorrectedReflectance_TrueColor 2017-08-21 --output sky.png
    """
    from gibswatch.catalogue import events_on, find_layer, read_events
    from gibswatch.cli.console import print_json
    from gibswatch.report.sky_export import sky_document
    from gibswatch.sky.expectation import expect

    if output is not None and output.suffix.lower() not in _ENDINGS:
        raise UsageError(f"--output {output}: end its name in .png, .tif or .json")
    known = find_layer(layer)
    satellite = _satellite(known)
    day = _day(date, known, satellite)
    georeference = _georeference(epsg, bbox, size)
    own = read_events(events) if events else ()
    expectation = expect(
        satellite,
        georeference,
        day,
        orbit=_orbit(satellite, tle, day),
        events=events_on(known.identifier, day, own),
    )
    document = sky_document(expectation, georeference, known.identifier)
    if output is not None:
        _write(expectation, georeference, document, output)
    if as_json:
        print_json(document)
    else:
        _print(document)
        if output is not None:
            typer.echo(f"written: {output}")


def _satellite(layer: Layer) -> Satellite:
    from gibswatch.sky.satellites import SATELLITES, satellite_of

    satellite = satellite_of(layer.identifier)
    if satellite is None:
        raise UnknownLayerError(
            f"{layer.identifier} is not a layer of one satellite whose orbit is known "
            f"({', '.join(SATELLITES)}): ask for a layer MODIS_Terra_..., VIIRS_SNPP_... "
        )
    return satellite


def _day(text: str, layer: Layer, satellite: Satellite) -> dt.date:
    day = opt.parse_date(text, option="DATE")
    if day < satellite.launch:
        raise DateRangeError(
            f"{satellite.name} was launched on {satellite.launch}, after {day}: give a later DATE"
        )
    if layer.start_date is not None and day < layer.start_date:
        raise DateRangeError(f"{layer.identifier} begins on {layer.start_date}, after {day}")
    if day > _LAST_DAY:
        raise DateRangeError(f"DATE {day} is too far ahead: give one up to {_LAST_DAY}")
    return day


def _georeference(
    epsg: int, bbox: tuple[float, float, float, float] | None, size: int | None
) -> Georeference:
    """Pixels that are square but for less than half a pixel in the height of the box."""
    from gibswatch.catalogue import check_bbox, check_epsg, tile_matrix_set, tile_matrix_sets
    from gibswatch.types import Georeference

    code = check_epsg(epsg)
    extent = tile_matrix_set(code, tile_matrix_sets(code)[0]).extent
    box = check_bbox(code, extent, opt.parse_bbox(bbox) or extent)
    cols = _DEFAULT_COLS[code] if size is None else size
    if not _LEAST_COLS <= cols <= _MOST_COLS:
        raise UsageError(f"--size {cols}: give {_LEAST_COLS} to {_MOST_COLS} columns")
    width = (box.east - box.west) / cols
    rows = max(1, round((box.north - box.south) / width))
    if rows * cols > _MOST_PIXELS:
        raise UsageError(
            f"--size {cols} makes {cols}x{rows} pixels of box {box}, more than {_MOST_PIXELS}: "
            "give a smaller one"
        )
    return Georeference(
        code, box.west, box.north, width, (box.north - box.south) / rows, rows, cols
    )


def _orbit(satellite: Satellite, tle: Path | None, day: dt.date) -> Orbit | None:
    """Read the elements; None leaves the choice to the expectation."""
    if tle is None:
        return None
    from gibswatch.sky.tle import orbit_from_tle

    orbit = orbit_from_tle(opt.read_elements(tle), day)
    if orbit.satellite != satellite.name:
        raise UsageError(f"--tle {tle} is of {orbit.satellite}, the layer of {satellite.name}")
    return orbit


def _write(
    expectation: Expectation,
    georeference: Georeference,
    document: Mapping[str, Any],
    output: Path,
) -> None:
    import json

    from gibswatch.files import write_bytes
    from gibswatch.report.sky_export import write_sky_raster
    from gibswatch.report.sky_figure import sky_figure

    ending = output.suffix.lower()
    if ending == ".png":
        title = f"{document['layer']}  {document['date']}"
        shares = [(name, share) for name, share in document["shares"].items() if share > 0]
        write_bytes(output, sky_figure(expectation, georeference, title, shares))
    elif ending == ".json":
        write_bytes(output, (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())
    else:
        write_sky_raster(expectation, georeference, output)


def _print(document: Mapping[str, Any]) -> None:
    """Print what a person wants to know, a line a thing."""
    orbit, passes = document["orbit"], document["passes"]
    typer.echo(f"{document['layer']}, local day {document['date']}")
    typer.echo(
        f"{document['satellite']} / {document['instrument']}, orbit from {orbit['source']}: edges "
        f"good to {orbit['edge_uncertainty_px']:.1f} px ({orbit['longitude_sigma_deg']:.2f} deg), "
        f"times to {orbit['time_sigma_s']:.0f} s (standard deviations)"
    )
    if orbit["note"]:
        typer.echo(f"note: {orbit['note']}")
    shares = {name: share for name, share in document["shares"].items() if share > 0}
    typer.echo(
        ", ".join(
            f"{name} {share:.1%}" if share >= 0.0005 else f"{name} under 0.1%"
            for name, share in shares.items()
        )
    )
    if document["largest_obscuration"] > 0:
        typer.echo(f"eclipse: up to {document['largest_obscuration']:.1%} of the Sun is covered")
    for window in document["scheduled"]:
        typer.echo(f"scheduled ({window['probability']:.0%}): {window['why']}")
    for event in document["events"]:
        typer.echo(f"event ({event['effect']}): {event['what']} ({event['source']})")
    typer.echo(f"{len(passes)} pass{'' if len(passes) == 1 else 'es'}")
    for record in passes:
        typer.echo(
            f"  {record['index']:3d}  {record['first'][11:16]}-{record['last'][11:16]} UTC  node "
            f"{record['node_time'][11:16]} at {record['node_longitude']:.1f}  "
            f"{record['share']:.1%}  {len(record['granules'])} granules from "
            f"{record['granules'][0]['start']}"
        )
