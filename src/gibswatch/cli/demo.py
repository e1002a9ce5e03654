"""`gibswatch demo`: the whole way on this machine, with days whose faults are known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gibswatch.cli.demo_days import MadeDays
    from gibswatch.cli.demo_plan import DemoPlan
    from gibswatch.scan import ScanResult

__all__ = ["demo", "run_demo"]

_MOST_PROCESSES = 8
"""Unless more are asked for: each takes half a gigabyte."""


def demo(
    output_dir: Annotated[Path, typer.Option("--output-dir", help="Where the days go.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option("--seed", min=0, help="What the days are drawn from.")] = 7,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes; default one a core, at most 8.")
    ] = None,
) -> None:
    """Simulate, serve, download, scan and report three weeks, and compare with the truth.

    SNPP and Terra, with an eclipse, a roll towards the Moon and planted faults.  Needs no network.
    Example: gibswatch demo --output-dir /tmp/demo
    """
    from gibswatch.cli.console import note
    from gibswatch.cli.demo_plan import DemoPlan
    from gibswatch.errors import MissingExtraError
    from gibswatch.simulate.days.marble import earth_map

    invented = False
    try:
        earth_map()
    except MissingExtraError:
        invented = True
        note('an invented earth, as Blue Marble is not installed: pip install "gibswatch[sim]"')
    run_demo(DemoPlan(seed, invented), output_dir / f"seed-{seed}", workers)


def run_demo(plan: DemoPlan, root: Path, workers: int | None) -> None:
    """Do all of it and print the table."""
    from gibswatch.catalogue import find_layer
    from gibswatch.cli.console import note, progress
    from gibswatch.cli.demo_days import MadeDays, claim_folder, make_days
    from gibswatch.cli.demo_plan import LAYERS
    from gibswatch.cli.demo_table import compare, row_lines, summary_lines
    from gibswatch.parallel import map_ordered
    from gibswatch.report import write_report
    from gibswatch.simulate import EmbeddedServer, ServedLayer, create_app

    count = workers or min(os.cpu_count() or 1, _MOST_PROCESSES)
    made = {layer: MadeDays(root, plan.specify(layer), plan.grid) for layer in LAYERS}
    claim_folder(root, list(made.values()))
    note(f"{len(plan.days)} days of SNPP and Terra, drawn from seed {plan.seed}, go to {root}")
    with progress() as tell:
        make_days(
            list(made.values()),
            workers=count,
            on_day=lambda done, total: tell("Simulating days", done, total),
        )
    served = {
        layer: (ServedLayer(layer, "jpg", {4326: find_layer(layer).matrix_set(4326)}), days)
        for layer, days in made.items()
    }
    with EmbeddedServer(create_app(served)) as server:
        note(f"served as GIBS serves them at {server.base_url}")
        results = [_scan(days, plan, server.base_url, count) for days in made.values()]
    rows = [
        row
        for result, days in zip(results, made.values(), strict=True)
        for row in compare(result, {day: days.truth(day) for day in days.days()}, plan.grid)
    ]
    typer.echo("")
    for line in (*row_lines(rows), "", *summary_lines(rows, results)):
        typer.echo(line)
    note("writing the reports")
    for path in map_ordered(write_report, results, workers=count):
        typer.echo(f"report: {path}")


def _scan(days: MadeDays, plan: DemoPlan, base_url: str, workers: int) -> ScanResult:
    """Download and judge the days of one layer."""
    from datetime import timedelta

    from gibswatch.cli.console import note, progress
    from gibswatch.scan import Workers, scan
    from gibswatch.settings import read_settings

    with progress() as tell:
        result = scan(
            days.specs[0].layer,
            min(plan.days),
            max(plan.days) + timedelta(days=1),
            root=days.root,
            bbox=plan.bbox,
            grid="native",
            tile_resolution=plan.grid.grid.tile_resolution,
            # This machine is the service: nobody to be polite to.
            settings=read_settings(
                base_url=base_url, bandwidth_mbit_s=0.0, requests_per_s=0.0, ramp_up_s=0.0
            ),
            workers=Workers(workers),
            on_progress=tell,
        )
    for line in result.notes:
        note(line)
    return result
