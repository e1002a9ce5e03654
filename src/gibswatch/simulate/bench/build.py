"""Building a set: every archive with its truth and labels, then the card that lists them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gibswatch.archive import Layout
from gibswatch.archive.labels import Split
from gibswatch.catalogue import find_layer, plan_grid
from gibswatch.errors import UsageError
from gibswatch.files import output_folder
from gibswatch.simulate.archiving.specs import Source, clean_day, fault_area, planted_fault
from gibswatch.simulate.archiving.writer import ArchiveOrder, WriteSummary, write_archives
from gibswatch.simulate.bench.card import read_card, write_card
from gibswatch.simulate.bench.definition import PARTS, ArchivePlan, BenchSet, Part, Recipe
from gibswatch.simulate.days.rolls import scheduled_faults
from gibswatch.simulate.days.spec import DaySpec, FaultSpec, generator, parse_layer

__all__ = ["archive_root", "build_set", "fault_days", "plan_orders"]

_SPLITS: Mapping[Part, Split] = {"tune": "train", "test": "test"}


def build_set(
    chosen: BenchSet,
    seed: int,
    output: Path,
    *,
    parts: Collection[Part] = PARTS,
    only: Collection[str] = (),
    workers: int | None = None,
    on_day: Callable[[int, int], None] | None = None,
) -> WriteSummary:
    """Write what is not there yet of a set, and its card.

    Parameters
    ----------
    chosen : BenchSet
    seed : int
        The same set, version and seed give the same pictures and the same truth.
    output : Path
        Holds ``tune/{archive}`` and ``test/{archive}``, ``card.json`` and ``README.md``.
    parts : collection of {"tune", "test"}
    only : collection of str
        Names of archives; none: all of the parts.
    workers : int, optional
        Processes; None is one a core.
    on_day : callable, optional
        Told (done, total) as each day ends.

    Raises
    ------
    UsageError
        If the folder holds another set or seed, or there is no archive of a name.
    OutputError
        If the folder cannot be written.
    """
    if unknown := sorted(set(only) - {archive.name for archive in chosen.archives}):
        names = ", ".join(archive.name for archive in chosen.archives)
        raise UsageError(f"{chosen.name} has no archive {', '.join(unknown)}: one of {names}")
    _check_folder(chosen, seed, output)
    wanted = [
        archive
        for archive in chosen.archives
        if archive.part in parts and (not only or archive.name in only)
    ]
    if not wanted:
        raise UsageError(
            f"{chosen.name} has no such archive in {', '.join(parts)}: take --part all"
        )
    output_folder(output)
    orders = [order for archive in wanted for order in plan_orders(chosen, archive, seed, output)]
    try:
        return write_archives(orders, workers=workers, on_day=on_day)
    finally:
        write_card(
            chosen, seed, output, {a.name: archive_layouts(a, output) for a in chosen.archives}
        )


def plan_orders(
    chosen: BenchSet, archive: ArchivePlan, seed: int, output: Path
) -> list[ArchiveOrder]:
    """Work out every day of an archive, one order a layer; nothing is written."""
    source = Source(
        _archive_seed(chosen, archive, seed), tle=archive.tle, invented=archive.invented
    )
    origin = {"set": chosen.name, "version": chosen.version, "seed": seed, "archive": archive.name}
    planted = _plant(archive, source)
    return [
        ArchiveOrder(
            archive_root(archive, output),
            archive.grid,
            tuple(_specify(layer, day, source, planted.get(day)) for day in archive.dates),
            origin,
            _SPLITS[archive.part],
        )
        for layer in archive.layers
    ]


def fault_days(archive: ArchivePlan, seed: int) -> dict[dt.date, Recipe]:
    """Draw the days that get a fault, and which: each recipe as often as the others."""
    random = generator(seed, "fault days")
    drawn = [archive.dates[n] for n in random.permutation(archive.days).tolist()]
    if archive.windows_first:
        satellite = parse_layer(archive.layers[0])[0]
        drawn.sort(key=lambda day: not scheduled_faults(seed, satellite, day))
    days = sorted(drawn[: archive.faulty_days])
    turns = [archive.recipes[n % len(archive.recipes)] for n in range(len(days))]
    order = random.permutation(len(turns)).tolist()
    return {day: turns[n] for day, n in zip(days, order, strict=True)}


def archive_root(archive: ArchivePlan, output: Path) -> Path:
    """Folder of one archive of the set."""
    return output / archive.part / archive.name


def archive_layouts(archive: ArchivePlan, output: Path) -> Sequence[Layout]:
    """Where each layer of an archive lies."""
    root = archive_root(archive, output)
    return [Layout(root, layer, archive.grid.epsg) for layer in archive.layers]


def _archive_seed(chosen: BenchSet, archive: ArchivePlan, seed: int) -> int:
    """Seed of one archive; parts, sets and versions share none."""
    key = f"{chosen.name} {chosen.version} {archive.part} {archive.name} {seed}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) >> 1


def _plant(archive: ArchivePlan, source: Source) -> dict[dt.date, FaultSpec]:
    """Draw the fault of each faulty day, the same for all layers of the archive."""
    layer = archive.layers[0]
    area = fault_area(plan_grid(archive.grid, find_layer(layer).matrix_set(archive.grid.epsg)))
    return {
        day: planted_fault(clean_day(layer, day, source), recipe.kind, area, **dict(recipe.given))
        for day, recipe in fault_days(archive, source.seed).items()
    }


def _specify(layer: str, day: dt.date, source: Source, fault: FaultSpec | None) -> DaySpec:
    """One day: the Moon's manoeuvres, and the planted fault."""
    spec = clean_day(layer, day, source)
    return spec if fault is None else replace(spec, faults=(*spec.faults, fault))


def _check_folder(chosen: BenchSet, seed: int, output: Path) -> None:
    held = read_card(output)
    if held is None:
        return
    asked = (chosen.name, chosen.version, seed)
    found = (held.get("set"), held.get("version"), held.get("seed"))
    if found != asked:
        raise UsageError(
            f"{output} holds the set {found[0]} version {found[1]} of seed {found[2]}, not "
            f"{asked[0]} version {asked[1]} of seed {asked[2]}: name another --output"
        )
