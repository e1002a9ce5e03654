"""`gibswatch verify`: an archive against its journal, and trees of gibs-ml taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gibswatch.cli import options as opt
from gibswatch.errors import UsageError

if TYPE_CHECKING:
    from gibswatch.archive import AdoptReport, Fault, VerifyReport
    from gibswatch.archive.upkeep.rebuild import RebuildReport

__all__ = ["verify"]

_SHOWN = 20


def verify(
    layer: Annotated[str, typer.Argument(help="Layer to verify.")],
    epsg: opt.EpsgCode = 4326,
    output_dir: opt.OutputDir = Path("data"),
    no_fetch: Annotated[
        bool, typer.Option("--no-fetch", help="Only list what is wrong; change nothing.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over a tree that gibs-ml made, as it is.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make a damaged or lost journal from the files.")
    ] = False,
    base_url: opt.BaseUrl = None,
    connections: opt.Connections = None,
    ca_bundle: opt.CaBundle = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Find files that are damaged, missing or unknown, and fetch only those again.

    Example: gibswatch verify VIIRS_SNPP_CorrectedReflectance_TrueColor --no-fetch
    """
    from gibswatch.archive import adopt_archive, verify_archive
    from gibswatch.catalogue import check_epsg
    from gibswatch.cli.console import note, progress
    from gibswatch.download import find_picture_layer
    from gibswatch.settings import read_settings

    if adopt + rebuild + no_fetch > 1:
        raise UsageError("--adopt, --rebuild and --no-fetch exclude each other: give one of them")
    known = find_picture_layer(layer).identifier
    if adopt:
        taken = adopt_archive(output_dir, known, epsg)
        _end(_adopted(taken)[not as_json], not taken.refused)
    if rebuild:
        from gibswatch.archive.upkeep.rebuild import rebuild_journal

        made = rebuild_journal(output_dir, known, check_epsg(epsg))
        _end(_rebuilt(known, made)[not as_json], not made.left_out)
    settings = read_settings(
        base_url=base_url,
        connections=connections,
        ca_bundle=str(ca_bundle) if ca_bundle else None,
    )
    with progress() as tell:
        report = verify_archive(
            output_dir,
            known,
            epsg,
            settings=settings,
            fetch=not no_fetch,
            on_progress=lambda done, total: tell("download", done, total),
        )
    for line in report.notes:
        note(line)
    _end(_verified_document(report) if as_json else _verified_lines(report), report.good)


def _end(told: Mapping[str, Any] | Sequence[str], good: bool) -> NoReturn:
    """Print a document or lines, and end: 4 where something is left that is not there."""
    from gibswatch.cli.console import print_json

    if isinstance(told, Mapping):
        print_json(told)
    else:
        for line in told:
            typer.echo(line)
    raise typer.Exit(0 if good else 4)


def _verified_document(report: VerifyReport) -> dict[str, Any]:
    left = set(report.left)
    aside = dict(report.set_aside)
    return {
        "layer": report.layer,
        "grid": str(report.grid) if report.grid else None,
        "days": report.days,
        "not_complete": [str(day) for day in report.not_complete],
        "good": report.good,
        "faults": [
            {
                "path": fault.path,
                "kind": fault.kind,
                "date": str(fault.date) if fault.date else None,
                "message": fault.message,
                "mended": fault not in left,
                "set_aside": aside.get(fault.path),
            }
            for fault in _all_faults(report)
        ],
        "fetched": report.download.fetched if report.download else 0,
        "notes": list(report.notes),
    }


def _verified_lines(report: VerifyReport) -> list[str]:
    left = set(report.left)
    faults = _all_faults(report)
    lines = [
        f"{'bad   ' if fault in left else 'mended'}  {fault.kind:<10}  {fault.path}: "
        f"{fault.message}"
        for fault in faults
    ]
    total = f"{report.layer}: {report.days} days, {len(faults)} bad files"
    if faults:
        total += f", {len(faults) - len(left)} mended, {len(left)} left"
    if report.not_complete:
        total += f"; {len(report.not_complete)} days are not whole, a download asks for them again"
    if report.download is not None:
        total += f"; {report.download.fetched} tiles fetched"
    if report.set_aside:
        folder = report.root / str(report.epsg) / ".gibswatch" / "set-aside"
        total += f"; {len(report.set_aside)} files set aside in {folder}"
    return [*_first(lines), total]


def _all_faults(report: VerifyReport) -> list[Fault]:
    """What was found, and what was not bad before but is now."""
    return [*report.faults, *(fault for fault in report.left if fault not in report.faults)]


def _adopted(report: AdoptReport) -> tuple[dict[str, Any], list[str]]:
    document = {
        "layer": report.layer,
        "grid": str(report.grid) if report.grid else None,
        "adopted": [str(day) for day in report.adopted],
        "already": [str(day) for day in report.already],
        "refused": [{"path": path, "reason": reason} for path, reason in report.refused],
    }
    lines = _first([f"refused  {path}: {reason}" for path, reason in report.refused])
    if report.grid is not None:
        lines.append(f"{report.layer}: {report.grid}")
    lines.append(
        f"{report.layer}: {len(report.adopted)} days adopted, {len(report.already)} were already, "
        f"{len(report.refused)} refused; the download fetches what is not there"
    )
    return document, lines


def _rebuilt(layer: str, report: RebuildReport) -> tuple[dict[str, Any], list[str]]:
    aside = str(report.set_aside) if report.set_aside else None
    document = {
        "layer": layer,
        "days": report.days,
        "tiles": report.tiles,
        "left_out": [{"path": str(path), "reason": why} for path, why in report.left_out],
        "set_aside": aside,
    }
    lines = _first([f"left out  {path}: {why}" for path, why in report.left_out])
    total = f"{layer}: journal rebuilt: {report.days} days, {report.tiles} tiles"
    if report.left_out:
        total += f"; {len(report.left_out)} files left out, a download asks for their days again"
    lines.append(total)
    if aside:
        lines.append(f"the old journal lies in {aside}")
    return document, lines


def _first(lines: list[str]) -> list[str]:
    """The first lines, and how many more there are."""
    if len(lines) <= _SHOWN:
        return lines
    return [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more (--json lists them)"]
