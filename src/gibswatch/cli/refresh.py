"""``gibswatch layers refresh``: what the service lists now, laid over the packaged table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    from gibswatch.download import RefreshReport

__all__ = ["refresh"]

_SHOWN = 10


def refresh(
    epsg: Annotated[
        list[int] | None,
        typer.Option("--epsg", help="Projection to read, may be repeated; default all four."),
    ] = None,
    base_url: opt.BaseUrl = None,
    ca_bundle: opt.CaBundle = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Read the service's capabilities and time domains, and keep them for all other commands.

    Example: gibswatch layers refresh --epsg 4326 --epsg 3413
    """
    from gibswatch.catalogue import check_epsg
    from gibswatch.cli.console import print_json
    from gibswatch.download import refresh_catalogue
    from gibswatch.errors import UsageError
    from gibswatch.settings import DEFAULT_BASE_URL, read_settings
    from gibswatch.types import EPSG_CODES

    settings = read_settings(base_url=base_url, ca_bundle=str(ca_bundle) if ca_bundle else None)
    if settings.base_url != DEFAULT_BASE_URL and settings.catalogue_file is None:
        raise UsageError(
            f"what {settings.base_url} lists would take the place of NASA's list: set "
            "GIBSWATCH_CATALOGUE_FILE to a file of its own"
        )
    codes = [check_epsg(code) for code in dict.fromkeys(epsg or EPSG_CODES)]
    report = refresh_catalogue(settings, codes)
    if as_json:
        print_json(
            {
                "file": str(report.file),
                "read": str(report.read),
                "listed": {f"EPSG:{code}": count for code, count in report.listed.items()},
                "histories": report.histories,
                "added": list(report.added),
                "moved": list(report.moved),
                "unlisted": list(report.unlisted),
                "problems": list(report.problems),
            }
        )
    else:
        _print_report(report)


def _print_report(report: RefreshReport) -> None:
    listed = ", ".join(f"EPSG:{code} {count}" for code, count in report.listed.items())
    typer.echo(f"layers read: {listed}; {report.histories} whole histories; kept in {report.file}")
    for names, what in (
        (report.added, "new here"),
        (report.moved, "with another first day than before"),
        (report.unlisted, "known here, but not listed"),
    ):
        if names:
            typer.echo(f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{_more(names)}")
    for problem in report.problems[:_SHOWN]:
        typer.echo(f"  {problem}", err=True)
    if len(report.problems) > _SHOWN:
        more = len(report.problems) - _SHOWN
        typer.echo(f"  and {more} more problems (--json lists them)", err=True)


def _more(names: tuple[str, ...]) -> str:
    return f" and {len(names) - _SHOWN} more (--json)" if len(names) > _SHOWN else ""
