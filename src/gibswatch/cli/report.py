"""`gibswatch report`: the report of a scan made again, from what the scan left on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import UsageError

if TYPE_CHECKING:
    from gibswatch.models import LoadedModel
    from gibswatch.scan import ScanResult

__all__ = ["report"]


def report(
    layer: Annotated[
        str | None, typer.Argument(help="Layer that was scanned; none lists those that were.")
    ] = None,
    epsg: opt.EpsgCode = 4326,
    output_dir: opt.OutputDir = Path("data"),
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="PATH",
            help="The model that the scan had: days show where it sees a fault.",
        ),
    ] = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Make the report of the last scan again; needs no network.

    Example: gibswatch report MODIS_Terra_CorrectedReflectance_TrueColor
    """
    from gibswatch.archive import open_archive
    from gibswatch.cli.console import note, print_json
    from gibswatch.cli.scan import print_result
    from gibswatch.download import find_picture_layer
    from gibswatch.report import write_report
    from gibswatch.scan import items_to_json, read_scan, scan_folder, scanned_layers

    root = open_archive(output_dir).root
    if layer is None:
        _list(scanned_layers(root, epsg), output_dir, epsg, as_json=as_json)
        return
    result = read_scan(scan_folder(root, find_picture_layer(layer).identifier, epsg))
    page = write_report(result, explained_by=_explaining(model, result))
    for line in result.notes:
        note(line)
    if as_json:
        print_json(items_to_json(result.layer, result.items, result.budget))
    else:
        print_result(result, page)


def _explaining(path: Path | None, result: ScanResult) -> LoadedModel | None:
    """Load the model of a scan.

    Raises
    ------
    UsageError
        If it is another one, or cannot say where it sees a fault.
    """
    if path is None:
        return None
    from gibswatch.models import load_model
    from gibswatch.models.explain import check_explains

    model = load_model(path)
    check_explains(model)
    scores = [item.model for item in result.items if item.model is not None]
    if not any((s.name, s.threshold) == (model.card.model, model.threshold) for s in scores):
        raise UsageError(
            f"--model {path} scored no day of this scan: run gibswatch scan --model {path}"
        )
    return model


def _list(layers: list[str], output_dir: Path, epsg: int, *, as_json: bool) -> None:
    """Print the layers that have a scan."""
    from gibswatch.cli.console import print_json

    if not layers:
        raise UsageError(f"{output_dir} holds no scan in EPSG:{epsg}: run gibswatch scan first")
    if as_json:
        print_json({"layers": layers})
        return
    for name in layers:
        typer.echo(name)
