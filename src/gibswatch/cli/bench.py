"""`gibswatch bench`: benchmark sets of simulated days, with a data card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gibswatch.cli import options as opt

__all__ = ["app"]

app = typer.Typer(
    name="bench", help="Benchmark sets of days with a known truth.", no_args_is_help=True
)


@app.callback()
def bench() -> None:
    """Benchmark sets of days with a known truth."""


@app.command("list")
def list_sets(
    as_json: opt.JsonFlag = False,
) -> None:
    """List the sets that come with Gibswatch: archives and days, to tune on and to test on.

    Example: gibswatch bench list
    """
    from gibswatch.cli.console import print_json
    from gibswatch.simulate.bench import PARTS, read_set, set_names

    found = [read_set(name) for name in set_names()]
    if as_json:
        documents = [
            {
                "set": one.name,
                "version": one.version,
                "purpose": one.purpose,
                "days": {part: sum(a.days for a in one.part(part)) for part in PARTS},
                "archives": [a.name for a in one.archives],
            }
            for one in found
        ]
        print_json({"sets": documents})
        return
    for one in found:
        days = ", ".join(f"{part} {sum(a.days for a in one.part(part))} days" for part in PARTS)
        typer.echo(f"{one.name}  {len(one.archives)} archives, {days}  {one.purpose}")


@app.command()
def build(
    name: Annotated[
        str, typer.Option("--set", metavar="NAME|FILE.toml", help="Set to build, by its name.")
    ] = "quality-1",
    seed: Annotated[int, typer.Option("--seed", min=0, help="What the days are drawn from.")] = 1,
    output: Annotated[Path, typer.Option("--output", help="Folder of the set.")] = Path("bench"),
    part: Annotated[
        Literal["all", "tune", "test"], typer.Option("--part", help="Build only this part.")
    ] = "all",
    archive: Annotated[
        list[str] | None,
        typer.Option("--archive", metavar="NAME", help="Only this archive; may be repeated."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes; default one a core.")
    ] = None,
    as_json: opt.JsonFlag = False,
) -> None:
    """Make the days of a set that are not there yet; run it again after an interruption.

    The same set and seed give the same pictures and truth, which the card proves by hashes.
    Example: gibswatch bench build --set smoke-1 --seed 1 --output smoke
    """
    from gibswatch.cli.console import print_json, progress
    from gibswatch.simulate.bench import PARTS, build_set, read_card, read_set

    chosen = read_set(name)
    with progress() as tell:
        summary = build_set(
            chosen,
            seed,
            output,
            parts=PARTS if part == "all" else (part,),
            only=archive or (),
            workers=workers,
            on_day=lambda done, total: tell("Simulating days", done, total),
        )
    card = read_card(output) or {}
    if as_json:
        print_json(card)
        return
    typer.echo(
        f"{chosen.name} version {chosen.version}, seed {seed}: {summary.days} pictures; "
        f"{summary.days_made} made ({summary.written_bytes / 1e6:.1f} MB), "
        f"{summary.days_kept} there already"
    )
    typer.echo(f"card: {output / 'README.md'}; SHA-256 {card['sha256']}")
