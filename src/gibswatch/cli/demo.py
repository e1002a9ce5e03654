"""`gibswatch demo`: the whole way on this machine, with days whose faults are known."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_FIRST_DAY = dt.date(2023, 8, 1)
_DAYS = 14


def demo(
    output_dir: Annotated[Path, typer.Option("--output-dir", help="Where the days go.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option("--seed", min=0, help="What the days are drawn from.")] = 7,
) -> None:
    """Serve drawn days on this machine, download, scan and report them, and compare with the truth.

    Needs no network.  Example: gibswatch demo --output-dir /tmp/demo
    """
    import numpy as np

    from gibswatch.catalogue import find_layer
    from gibswatch.cli.console import note, progress
    from gibswatch.cli.scan import print_result
    from gibswatch.report import write_report
    from gibswatch.scan import Workers, scan
    from gibswatch.settings import read_settings
    from gibswatch.simulate import DrawnDays, EmbeddedServer, GlobeSource, ServedLayer, create_app

    rng = np.random.default_rng(seed)
    planted = sorted(
        _FIRST_DAY + dt.timedelta(days=int(n))
        for n in rng.choice(np.arange(2, _DAYS - 2), size=2, replace=False)
    )
    drawn = DrawnDays(_LAYER, seed, _FIRST_DAY, _DAYS, tuple(planted))
    source = GlobeSource(drawn.globe, drawn.dates, "jpg")
    served = ServedLayer(_LAYER, "jpg", find_layer(_LAYER).projections)
    with EmbeddedServer(create_app({_LAYER: (served, source)})) as server:
        note(f"{_DAYS} days of an invented earth, drawn from seed {seed}, at {server.base_url}")
        with progress() as tell:
            result = scan(
                _LAYER,
                _FIRST_DAY,
                _FIRST_DAY + dt.timedelta(days=_DAYS),
                root=output_dir / f"seed-{seed}",
                settings=read_settings(base_url=server.base_url),
                workers=Workers(None),
                on_progress=tell,
            )
    print_result(result, write_report(result))
    found = {item.date for item in result.items if item.verdict == "anomalous" and item.date}
    _compare(set(planted), found)


def _compare(planted: set[dt.date], found: set[dt.date]) -> None:
    """Print a row for each day on which something was planted or found."""
    from gibswatch.cli.console import note

    typer.echo(f"{'day':<12}{'planted':<16}found")
    for day in sorted(planted | found):
        words = ["missing data" if day in days else "nothing" for days in (planted, found)]
        typer.echo(f"{day!s:<12}{words[0]:<16}{words[1]}")
    if found != planted:
        note("what was found differs: this first judgement can miss holes under 1 % of the globe")
