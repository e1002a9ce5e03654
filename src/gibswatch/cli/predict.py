"""`gibswatch predict`: scores of an archive's days by a stored model, as a table."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import UsageError

if TYPE_CHECKING:
    from gibswatch.archive import LabelLine
    from gibswatch.cli.predict_days import Predicted
    from gibswatch.models import LoadedModel

__all__ = ["predict"]


def predict(
    model: Annotated[
        Path, typer.Argument(help="The .skops or .safetensors file of a trained model.")
    ],
    layer: Annotated[str, typer.Argument(help="Layer whose days are scored.")],
    start: opt.StartDate = None,
    end: Annotated[
        str | None,
        typer.Option(
            "--end-date", "--end", metavar="DATE", help="Day to stop before; default: all days."
        ),
    ] = None,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option("--split", help="Only days of this part of the split."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="Another label file than the archive's."),
    ] = None,
    epsg: Annotated[
        int | None, typer.Option("--epsg", help="Projection; default: the model's.")
    ] = None,
    output_dir: opt.OutputDir = Path("data"),
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Table of scores, .parquet or .csv."),
    ] = None,
    rasters: Annotated[
        Path | None,
        typer.Option(
            "--rasters",
            metavar="DIR",
            help="Write scores of pixels there as GeoTIFF: models of pixels, padim, patchcore.",
        ),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            "--explain",
            metavar="DIR",
            help="Write where the model sees a fault: _Heat.png over the picture, _Heat.tif.",
        ),
    ] = None,
    patches: Annotated[
        Path | None,
        typer.Option("--patches", metavar="FILE", help="Table of patches with their truth."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="DIR", help="Folder of masks, in place of the archive's."),
    ] = None,
    device: opt.Device = "auto",
    as_json: opt.JsonFlag = False,
) -> None:
    """Score days by a trained model; the table is what `gibswatch evaluate` reads.

    Example: gibswatch predict models/softmax.skops VIIRS_SNPP_CorrectedReflectance_TrueColor
    --split test --out scores.parquet
    """
    from gibswatch.archive import read_labels
    from gibswatch.cli.console import progress
    from gibswatch.cli.predict_days import Wanted, label_file_of, predict_days
    from gibswatch.models import load_model

    loaded = load_model(model, device=device)
    _check(loaded, layer, epsg, out, patches)
    if masks is not None and not masks.is_dir():
        raise UsageError(f"--masks {masks} is no folder: give one of masks")
    path = label_file_of(loaded, output_dir, labels)
    said = {} if path is None else read_labels(path).labels
    begin = None if start is None else opt.parse_date(start, option="--start-date")
    stop = None if end is None else opt.parse_date(end, option="--end-date")
    days = _chosen(loaded, output_dir, (begin, stop), split, said)
    wanted = Wanted(output_dir, out, rasters, patches, masks, explain)
    with progress() as tell:
        done = predict_days(loaded, days, said, wanted, tell)
    _tell(done, loaded, out, explain, as_json=as_json)
    raise typer.Exit(4 if done.skipped or done.without_patches else 0)


def _check(
    loaded: LoadedModel, layer: str, epsg: int | None, out: Path | None, patches: Path | None
) -> None:
    """Refuse what does not fit to the model, before a picture is read."""
    from gibswatch.catalogue import find_layer

    named = find_layer(layer).identifier
    if named != loaded.layer:
        raise UsageError(
            f"the model was trained on {loaded.layer}, not on {named}: train one for this layer"
        )
    if epsg not in (None, loaded.card.grid.epsg):
        raise UsageError(
            f"the model was trained in EPSG:{loaded.card.grid.epsg}, not in EPSG:{epsg}: train "
            "one for this projection"
        )
    for path in (out, patches):
        if path is not None and path.suffix not in (".parquet", ".csv"):
            raise UsageError(f"{path} is no name for a score table: end it in .parquet or .csv")


def _chosen(
    loaded: LoadedModel,
    root: Path,
    span: tuple[dt.date | None, dt.date | None],
    split: str | None,
    said: dict[dt.date, LabelLine],
) -> list[dt.date]:
    """Days of the archive in the range and split that were asked for."""
    from gibswatch.archive import open_archive

    start, stop = span
    held = open_archive(root).days(loaded.layer, loaded.card.grid.epsg)
    days = [day for day in held if (start is None or day >= start) and (stop is None or day < stop)]
    if split is not None:
        days = [day for day in days if day in said and said[day].split == split]
    if not days:
        where = f" in split {split}" if split else ""
        raise UsageError(
            f"{root} holds no day of {loaded.layer}{where} in this range: download some first "
            "(`gibswatch download`), or name a label file with --labels"
        )
    return days


def _tell(
    done: Predicted, loaded: LoadedModel, out: Path | None, heat: Path | None, *, as_json: bool
) -> None:
    """Print scores, for a person or a program."""
    from gibswatch.cli.console import note, print_json

    for day in done.skipped:
        note(f"skipped {day.date}: {day.reason}")
    for day in done.without_patches:
        note(f"no patches of {day.date}: {day.reason}")
    called = sum(score.called for score in done.scores)
    if as_json:
        print_json(
            {
                "model": loaded.card.model,
                "layer": loaded.layer,
                "target": loaded.card.target,
                "threshold": loaded.threshold,
                "file": None if out is None else str(out),
                "heat": None if heat is None else str(heat),
                "items": [
                    {"date": str(one.date), "score": one.score, "called": one.called}
                    for one in done.scores
                ],
                "skipped": [{"date": str(d.date), "reason": d.reason} for d in done.skipped],
                "without_patches": [
                    {"date": str(d.date), "reason": d.reason} for d in done.without_patches
                ],
            }
        )
        return
    if out is None:
        for one in done.scores:
            mark = "  anomalous" if one.called else ""
            typer.echo(f"{one.date}  {one.score:.6g}{mark}")
    left = f", {len(done.skipped)} skipped" if done.skipped else ""
    where = "" if out is None else f"; in {out}"
    seen = "" if heat is None else f"; heat in {heat}"
    typer.echo(
        f"{loaded.card.model}: {len(done.scores)} days, {called} over the threshold "
        f"{loaded.threshold:.4g}{left}{seen}{where}"
    )
