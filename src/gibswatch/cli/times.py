"""``gibswatch times``: the periods of a layer, its gaps, and how late it is."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gibswatch.catalogue import Layer, Period
    from gibswatch.settings import Settings

__all__ = ["times"]

_SHOWN = 20


def times(
    layer: Annotated[str, typer.Argument(help="Identifier, also an old one.")],
    live: Annotated[
        bool, typer.Option("--live", help="Ask the service now, and keep nothing.")
    ] = False,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url", metavar="URL", help="Another server than NASA's; asks it as --live does."
        ),
    ] = None,
    ca_bundle: opt.CaBundle = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Print the periods of a layer's time, the gaps between them, and how late the newest is.

    Example: gibswatch times VIIRS_SNPP_CorrectedReflectance_TrueColor
    """
    from gibswatch.catalogue import find_layer
    from gibswatch.cli.console import print_json
    from gibswatch.settings import read_settings

    settings = read_settings(base_url=base_url, ca_bundle=str(ca_bundle) if ca_bundle else None)
    now = _now()
    known = find_layer(layer)
    if live or base_url is not None:
        periods, source = _ask(known, settings), f"live {now.date()}"
    else:
        periods, source = known.periods, known.domain_source or ""
    facts = _facts(known, periods, source, now)
    if as_json:
        print_json(facts)
    else:
        _print_facts(facts)


def _now() -> dt.datetime:
    """Return the present moment, UTC without a zone (tests put another in its place)."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


def _ask(layer: Layer, settings: Settings) -> tuple[Period, ...]:
    """Ask the service for the layer's time, in the first projection where it has tiles."""
    from gibswatch.catalogue import check_epsg
    from gibswatch.download import HistoryRequest, fetch_history
    from gibswatch.errors import UnknownGridError

    for code, matrix_set in layer.projections.items():
        if matrix_set:
            epsg = check_epsg(code)
            request = HistoryRequest(settings.base_url, epsg, layer.name_in(epsg), matrix_set)
            return fetch_history(request, settings)
    raise UnknownGridError(
        f"{layer.identifier} has no tiles, so that the service lists no time for it: "
        "leave --live out"
    )


def _facts(
    layer: Layer, periods: Sequence[Period], source: str, now: dt.datetime
) -> dict[str, Any]:
    from gibswatch.catalogue import gap_spans, goes_on, lateness, span_text

    late = lateness(periods, now)
    return {
        "layer": layer.identifier,
        "source": source,
        "now": f"{now.isoformat()}Z",
        "periods": [
            dict(zip(("first", "last", "step"), str(p).split("/"), strict=True))
            | {"steps": p.count}
            for p in periods
        ],
        "gaps": [
            {"missing": str(gap), "length": span_text(gap.length), "days": gap.length.days}
            for gap in gap_spans(periods)
        ],
        "newest": str(late.newest.isoformat()) + "Z" if late else None,
        "behind_days": late.behind.days if late else None,
        "behind_steps": late.steps if late else None,
        "lateness": late.text if late else f"{layer.identifier} has no time: one picture for ever",
        "goes_on": goes_on(periods, now.date()) if source.startswith("live") else layer.ongoing,
    }


def _print_facts(facts: dict[str, Any]) -> None:
    periods, gaps = facts["periods"], facts["gaps"]
    typer.echo(facts["layer"] + (f", as of {facts['source']}" if facts["source"] else ""))
    _print_list("periods", [f"{p['first']} to {p['last']}, every {p['step']}" for p in periods])
    _print_list("gaps", [f"{gap['missing']} ({gap['length']})" for gap in gaps])
    typer.echo(facts["lateness"])
    if not periods:
        return
    if not facts["goes_on"]:
        typer.echo("it is complete, or has stopped: no more is expected")
    elif not facts["source"].startswith("live"):
        typer.echo(f"newer days than those of {facts['source']} may be there: --live asks")


def _print_list(name: str, lines: list[str]) -> None:
    typer.echo(f"{len(lines)} {name if len(lines) != 1 else name[:-1]}")
    if len(lines) > _SHOWN:
        typer.echo(f"  the last {_SHOWN} of them, all with --json:")
    for line in lines[-_SHOWN:]:
        typer.echo(f"  {line}")
