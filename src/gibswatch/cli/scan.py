"""`gibswatch scan` and `gibswatch inspect`: judge days of an archive, or pictures anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import GibswatchError, UsageError

if TYPE_CHECKING:
    from gibswatch.models import LoadedModel
    from gibswatch.scan import ScanResult
    from gibswatch.types import DayItem

__all__ = ["inspect", "print_result", "scan"]


def scan(
    layer: Annotated[str, typer.Argument(help="Layer to scan.")],
    start: opt.StartDate = None,
    end: opt.EndDate = "Today",
    epsg: opt.EpsgCode = 4326,
    bbox: opt.Bbox = None,
    grid: opt.GridOption = None,
    tile_resolution: opt.TileResolution = None,
    tiled_world: opt.TiledWorld = None,
    output_dir: opt.OutputDir = Path("data"),
    base_url: opt.BaseUrl = None,
    connections: opt.Connections = None,
    ca_bundle: opt.CaBundle = None,
    method: opt.MethodOption = "gibswatch",
    with_mask: Annotated[
        bool,
        typer.Option("--with-mask", help="Fetch MODIS's layer of no data too: a second witness."),
    ] = False,
    workers: opt.WorkerCount = None,
    scheduler: opt.Scheduler = None,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm/--no-confirm", help="Fetch the tiles of anomalous days twice and compare."
        ),
    ] = True,
    tle: opt.TleFile = None,
    events: opt.EventsFile = None,
    write_labels: Annotated[
        bool,
        typer.Option("--write-labels", help="Write what is found as codes into the label file."),
    ] = False,
    reasons: opt.Reasons = False,
    cog: opt.CogMasks = False,
    compat_masks: opt.CompatMasks = False,
    alerts_per_month: opt.AlertsPerMonth = None,
    model: opt.ModelFile = None,
    fail_on: opt.FailOnAlert = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Download what is missing, judge every day, write tables and a report.

    Example: gibswatch scan VIIRS_SNPP_CorrectedReflectance_TrueColor
    --start 2023-08-01 --end 2023-08-31
    """
    from gibswatch.catalogue import read_events
    from gibswatch.cli.console import progress
    from gibswatch.download import find_picture_layer
    from gibswatch.report import write_report
    from gibswatch.scan import Workers
    from gibswatch.scan import scan as run_scan
    from gibswatch.settings import read_settings

    _check_fail_on(fail_on, alerts_per_month)
    settings = read_settings(
        base_url=base_url, connections=connections, ca_bundle=str(ca_bundle) if ca_bundle else None
    )
    outputs = _named(cog=cog, compat_masks=compat_masks, labels=write_labels, reasons=reasons)
    known = find_picture_layer(layer)
    begin, stop = opt.parse_range(start, end, known.start_date)
    with progress() as tell:
        result = run_scan(
            known.identifier,
            begin,
            stop,
            root=output_dir,
            epsg=epsg,
            bbox=opt.parse_bbox(bbox),
            grid=grid,
            tile_resolution=tile_resolution,
            tiled=tiled_world,
            method=method,
            with_mask=with_mask,
            outputs=outputs,
            settings=settings,
            workers=Workers(workers, scheduler),
            confirm=confirm,
            tle=None if tle is None else opt.read_elements(tle),
            events=() if events is None else read_events(events),
            alerts_per_month=alerts_per_month,
            model=model,
            on_progress=tell,
        )
    _tell(result, write_report(result, explained_by=_explaining(model)), as_json)
    raise typer.Exit(_exit_code(result, fail_on))


def inspect(
    files: Annotated[list[Path], typer.Argument(help="JPEG or PNG pictures of one layer.")],
    layer: Annotated[str, typer.Option("--layer", help="Layer that they show.")],
    date: Annotated[
        str | None, typer.Option("--date", help="Day of one picture; else by its name or night.")
    ] = None,
    bounds: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option("--bounds", metavar="W S E N", help="Of the pictures; default: the globe."),
    ] = None,
    epsg: opt.EpsgCode = 4326,
    mask_dir: Annotated[
        Path | None, typer.Option("--mask-dir", help="Where to write masks of what is found.")
    ] = None,
    method: opt.MethodOption = "gibswatch",
    model: opt.ModelFile = None,
    workers: opt.WorkerCount = None,
    scheduler: opt.Scheduler = None,
    fail_on: opt.FailOn = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Judge pictures that lie anywhere; many of one layer are judged together.

    Example: gibswatch inspect 2023-08-*.jpg --layer MODIS_Terra_CorrectedReflectance_TrueColor
    --bounds -36 -18 0 18 --json
    """
    from gibswatch.cli.console import progress
    from gibswatch.files import output_folder
    from gibswatch.scan import Workers
    from gibswatch.scan import inspect as run_inspect

    with progress() as tell:
        result = run_inspect(
            files,
            layer,
            date=opt.parse_date(date, option="--date") if date else None,
            bounds=opt.parse_bbox(bounds),
            epsg=epsg,
            mask_dir=output_folder(mask_dir) if mask_dir else None,
            method=method,
            model=model,
            workers=Workers(workers, scheduler),
            on_progress=tell,
        )
    _tell(result, None, as_json)
    raise typer.Exit(_exit_code(result, fail_on))


def _explaining(path: Path | None) -> LoadedModel | None:
    """Load the model that shows its heat in the report; None if it cannot, or is gone by now."""
    from gibswatch.cli.console import note

    if path is None:
        return None
    from gibswatch.models import load_model
    from gibswatch.models.explain import can_explain

    try:
        model = load_model(path)
    except GibswatchError as error:  # the scan is done: its report is not lost for this
        note(f"the report does not show where the model sees a fault: {error}")
        return None
    return model if can_explain(model) else None


def _check_fail_on(fail_on: str | None, alerts_per_month: float | None) -> None:
    """Refuse to wait for alerts where no day can be one."""
    if fail_on == "alert" and alerts_per_month is None:
        raise UsageError("--fail-on alert needs a budget: give --alerts-per-month too")


def _named(**asked: bool) -> list[str]:
    """Names of the outputs that are asked for."""
    return [name.replace("_", "-") for name, wanted in asked.items() if wanted]


def _tell(result: ScanResult, report: Path | None, as_json: bool) -> None:
    """Print what was found, for a person or a program."""
    from gibswatch.cli.console import note, print_json
    from gibswatch.scan import items_to_json

    for line in result.notes:
        note(line)
    if as_json:
        print_json(items_to_json(result.layer, result.items, result.budget))
    else:
        print_result(result, report)


def print_result(result: ScanResult, report: Path | None) -> None:
    """Print what a person wants to know first: the days that are not clean, then the totals."""
    for item in sorted(result.items, key=lambda item: -item.score):
        called = item.model is not None and item.model.called
        if item.verdict != "clean" or item.alert or called:
            said, why = _said(item)
            line = f"{item.date or item.file}  {said:<10}  {item.score:.2f}  {why}"
            typer.echo("".join(c if c.isprintable() else " " for c in line))
    totals = ", ".join(f"{n} {verdict}" for verdict, n in sorted(result.verdicts.items()))
    unit = "day" if result.grid else "picture"
    count = f"{len(result.items)} {unit}{'' if len(result.items) == 1 else 's'}"
    typer.echo(f"{result.layer}: {count} ({totals or 'none'})")
    if result.budget is not None:
        found = f"{len(result.alerts)} alert{'' if len(result.alerts) == 1 else 's'} here"
        typer.echo(f"{result.budget}; {found}")
    if result.download is not None:
        kept, fetched = result.download.days_kept, result.download.fetched
        typer.echo(f"fetched {fetched} tiles; {kept} days were there already")
    if report is not None:
        typer.echo(f"report: {report}")


def _said(item: DayItem) -> tuple[str, str]:
    """Say in a word, and in a sentence, why a day is printed."""
    if item.verdict != "clean":
        return item.verdict, item.reason
    if item.alert:
        return "unusual", f"By its score alone. {item.reason}"
    return "called", f"By the model alone. {item.reason}"


def _exit_code(result: ScanResult, fail_on: str | None) -> int:
    from gibswatch.cli.console import error_line

    if result.download is not None and result.download.nothing_came:
        error_line(result.download.nothing_line)
        return 5
    incomplete = result.verdicts["incomplete"] + result.verdicts["wrong-date"]
    counts = {
        "anomalous": result.verdicts["anomalous"],
        "incomplete": incomplete,
        "alert": len(result.alerts),
    }
    if fail_on is not None and any(counts[name] for name in counts if fail_on in (name, "any")):
        return 3
    return 4 if incomplete else 0
