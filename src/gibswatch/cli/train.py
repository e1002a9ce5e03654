"""`gibswatch train`: labelled days of an archive to a stored model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import UsageError

if TYPE_CHECKING:
    from gibswatch.models import TrainResult

__all__ = ["train"]

_LIST = "list"


def train(
    layer: Annotated[
        str | None, typer.Argument(help="Layer whose labelled days are learned from.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="Which model; `list` prints all.")
    ] = "softmax",
    target: Annotated[
        Literal["missing", "miscoloration", "any", "multi"],
        typer.Option("--target", help="Code 2, code 3, any fault, or each kind by itself."),
    ] = "any",
    level: Annotated[
        Literal["image", "pixel"],
        typer.Option("--level", help="Whole pictures, or patches by the archive's masks."),
    ] = "image",
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="Another label file than the archive's."),
    ] = None,
    features: Annotated[
        Literal["hog+hue", "hog", "hue", "patches", "pixels", "backbone"] | None,
        typer.Option(
            "--features",
            help="What of a picture is learned from, as --model list says; default: its first.",
        ),
    ] = None,
    pool: Annotated[
        bool,
        typer.Option(
            "--pool/--no-pool", help="Gradients of all places together, or of each by itself."
        ),
    ] = True,
    params: Annotated[
        Path | None,
        typer.Option("--params", metavar="FILE.json", help="Parameters; gibs-ml's will do."),
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Make scores shares of faulty validation days.")
    ] = False,
    masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="DIR", help="Folder of masks, in place of the archive's."),
    ] = None,
    max_patches: Annotated[
        int, typer.Option("--max-patches", help="Patches to learn from, at most.")
    ] = 100_000,
    split_by: Annotated[
        Literal["random", "month", "event"] | None,
        typer.Option("--split-by", help="How the days were split; default: found out."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE|URL|self",
            help="Of DenseNet-121: safetensors, the official .pth, or learned from normal days.",
        ),
    ] = None,
    self_steps: Annotated[
        int, typer.Option("--self-steps", help="Batches to learn from, with --weights self.")
    ] = 200,
    size: Annotated[
        int,
        typer.Option("--size", help="Longer side of pictures, for pixels and backbone."),
    ] = 256,
    device: opt.Device = "auto",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same model.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from where a stopped training was.")
    ] = False,
    epsg: opt.EpsgCode = 4326,
    output_dir: opt.OutputDir = Path("data"),
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the model.")] = Path(
        "models"
    ),
    workers: opt.WorkerCount = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Train a model on labelled days; its threshold comes from the normal validation days.

    Example: gibswatch train VIIRS_SNPP_CorrectedReflectance_TrueColor --model random-forest
    --target missing --seed 1
    """
    from gibswatch.cli.console import note, progress
    from gibswatch.models import (
        ChosenParameters,
        TrainRequest,
        find_model,
        read_parameters,
        train_model,
    )

    if model == _LIST:
        _print_models(as_json=as_json)
        return
    if layer is None:
        raise UsageError("no layer is named: give LAYER, or --model list")
    entry = find_model(model, level)
    chosen = ChosenParameters() if params is None else read_parameters(params, entry)
    request = TrainRequest(
        layer=layer, model=model, target=target, level=level, root=output_dir, epsg=epsg,
        labels=labels, features=features, pool=pool, parameters=chosen.values, seed=seed,
        calibrate=calibrate, resume=resume, out=out, masks=masks, max_patches=max_patches,
        split_by=split_by, workers=chosen.workers if workers is None else workers,
        weights=weights, self_steps=self_steps, size=size, device=device,
    )  # fmt: skip
    try:
        with progress() as tell:
            done = train_model(request, tell)
    except KeyboardInterrupt:
        note("with --resume the same command goes on where this one ends")
        raise
    _tell(done, chosen.notes, _write_curves(done), as_json=as_json)
    raise typer.Exit(4 if done.skipped else 0)


def _print_models(*, as_json: bool) -> None:
    from gibswatch.cli.console import print_json
    from gibswatch.models import MODELS

    if as_json:
        print_json({"models": [_entry_document(name) for name in MODELS]})
        return
    for name, entry in MODELS.items():
        typer.echo(f"{name:<20}{', '.join(entry.levels):<14}{entry.text}")
        told = ", ".join(f"{p.name} {p.default:g}" for p in entry.parameters)
        typer.echo(f"{'':<34}features {', '.join(entry.inputs)}")
        typer.echo(f"{'':<34}{told}; extra `{entry.extra}`")


def _entry_document(name: str) -> dict[str, Any]:
    from gibswatch.models import find_model

    entry = find_model(name)
    return {
        "name": name,
        "text": entry.text,
        "levels": list(entry.levels),
        "supervised": entry.supervised,
        "features": list(entry.inputs),
        "extra": entry.extra,
        "parameters": [
            {"name": p.name, "default": p.default, "low": p.low, "high": p.high, "text": p.text}
            for p in entry.parameters
        ],
    }


def _write_curves(done: TrainResult) -> Path | None:
    """Draw how the epochs went, beside the model; None for a model without epochs."""
    from gibswatch.files import write_bytes
    from gibswatch.report.learning_curves import learning_curves

    if not done.card.history:
        return None
    path = done.path.with_suffix(".curves.svg")
    write_bytes(path, learning_curves(done.card))
    return path


def _tell(done: TrainResult, notes: tuple[str, ...], curves: Path | None, *, as_json: bool) -> None:
    """Print what was trained, for a person or a program."""
    from gibswatch.cli.console import note, print_json

    card = done.card
    for line in (*notes, *card.notes):
        note(line)
    for day in done.skipped:
        note(f"skipped {day.date}: {day.reason}")
    if as_json:
        print_json(_document(done, notes) | {"curves": None if curves is None else str(curves)})
        return
    rows = "patches" if card.level == "pixel" else "days"
    parts = [
        f"{split} {sum(counts.values())} {rows}, {_faulty(counts)} faulty"
        for split, counts in card.counts.items()
    ]
    typer.echo(f"{card.model} for {card.target} on {card.layer}: {'; '.join(parts)}")
    named = {"average_precision": "average precision", "auroc": "AUROC", "recall": "recall",
             "false_alarm_rate": "false alarms"}  # fmt: skip
    told = [f"{text} {card.metrics[n]:.3f}" for n, text in named.items() if n in card.metrics]
    skipped = f", {len(done.skipped)} days skipped" if done.skipped else ""
    typer.echo(f"validation: {', '.join(told)} (threshold {card.threshold:.4g}){skipped}")
    if curves is not None:
        typer.echo(f"learning curves: {curves}")
    typer.echo(f"{card.training_s:.1f} s; in {done.path}")


def _faulty(counts: Any) -> int:
    return sum(count for number, count in counts.items() if number != "0")


def _document(done: TrainResult, notes: tuple[str, ...]) -> dict[str, Any]:
    card = done.card
    return {
        "file": str(done.path),
        "model": card.model,
        "level": card.level,
        "target": card.target,
        "layer": card.layer,
        "epsg": card.grid.epsg,
        "parameters": dict(card.parameters),
        "seed": card.seed,
        "features": dict(card.features),
        "split_by": card.split_by,
        "counts": {split: dict(counts) for split, counts in card.counts.items()},
        "threshold": card.threshold,
        "metrics": dict(card.metrics),
        "calibrated": card.calibration is not None,
        "training_s": card.training_s,
        "peak_memory_mb": card.peak_memory_mb,
        "skipped": [{"date": str(day.date), "reason": day.reason} for day in done.skipped],
        "notes": [*notes, *card.notes],
    }
