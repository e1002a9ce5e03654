"""`gibswatch split`: days of an archive into train, val and test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import UsageError

if TYPE_CHECKING:
    from gibswatch.archive import ArchiveSplit

__all__ = ["split"]

_DEFAULT_LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"


def split(
    layer: Annotated[
        str | None, typer.Argument(help=f"Layer whose days are split (default {_DEFAULT_LAYER}).")
    ] = None,
    layer_name: Annotated[
        str | None,
        typer.Option("--layer-name", metavar="LAYER", help="The same, as the predecessor wrote."),
    ] = None,
    epsg: opt.EpsgCode = 4326,
    output_dir: opt.OutputDir = Path("data"),
    by: Annotated[
        Literal["random", "month", "event"],
        typer.Option("--by", help="What stays together: nothing, months, or runs of coded days."),
    ] = "event",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same split.")] = 999,
    shares: Annotated[
        str, typer.Option("--shares", metavar="T/V/T", help="Per cent of train, val and test.")
    ] = "60/20/20",
    as_json: opt.JsonFlag = False,
) -> None:
    """Split an archive's days into train, val and test; codes given by hand are kept.

    Example: gibswatch split VIIRS_SNPP_CorrectedReflectance_TrueColor --by event
    """
    from gibswatch.archive import split_archive

    if layer is not None and layer_name is not None:
        raise UsageError("the layer is named twice: give LAYER or --layer-name")
    name = layer or layer_name or _DEFAULT_LAYER
    done = split_archive(output_dir, name, epsg, by=by, shares=_parse_shares(shares), seed=seed)
    if as_json:
        _print_document(done)
    else:
        _print_summary(done)


def _parse_shares(text: str) -> tuple[float, float, float]:
    """Read three numbers with slashes between them."""
    try:
        train, val, test = (float(part) for part in text.split("/"))
    except ValueError as error:
        raise UsageError(
            f"--shares {text[:40]!r} are not three numbers: give train/val/test, e.g. 60/20/20"
        ) from error
    return train, val, test


def _print_document(done: ArchiveSplit) -> None:
    from gibswatch.cli.console import print_json

    result = done.result
    print_json(
        {
            "layer": done.layer,
            "file": str(done.path),
            "by": result.by,
            "days": len(result.splits),
            "counts": result.counts,
            "shares": {name: round(share, 4) for name, share in result.shares.items()},
            "labelled": done.labelled,
            "without_picture": done.without_picture,
            "notes": list(result.notes),
        }
    )


def _print_summary(done: ArchiveSplit) -> None:
    from gibswatch.cli.console import note

    for line in done.result.notes:
        note(line)
    shares = done.result.shares
    parts = ", ".join(f"{n} {name} ({shares[name]:.1%})" for name, n in done.result.counts.items())
    typer.echo(f"{done.layer}: {len(done.result.splits)} days by {done.result.by}: {parts}")
    typer.echo(
        f"{done.labelled} days with codes kept, {done.without_picture} days without a whole "
        f"picture; in {done.path}"
    )
