"""All detectors together on simulated days: what is found, under which code, and what is called.

Run: .venv/bin/python benchmarks/quality/all_kinds.py [--part tune] [--archives 'others-*']
     [--seed 1] [--coarser 2] [--folder FOLDER]

Days are made and kept by `_sets.py` and go through both passes of a scan with the default method.
A fault of 100 visible pixels or more is found when what is found under its code covers at least
half of its visible part.  A clean day has no fault; it may have a manoeuvre or an eclipse.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
from _sets import (
    Archive,
    DayTruth,
    add_set_options,
    archive_pictures,
    chosen_archives,
    make_archive,
)

from gibswatch.detect.context import Region
from gibswatch.detect.registry import DEFAULT_METHOD
from gibswatch.scan.judging.judge import (
    Workers,
    day_tasks,
    fit_sightings,
    observe_pictures,
    sighted_colours,
)
from gibswatch.scan.judging.one_day import look_at
from gibswatch.types import KIND_NAMES, Kind

LEAST_PX = 100
NOTHING = "nothing"


@dataclass(eq=False)
class Tally:
    """Counts over days."""

    found: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    """By fault: under its code, under any code of a fault, all."""
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(true code, code that covers most of it)."""
    clean: int = 0
    called: Counter[str] = field(default_factory=Counter)
    """Clean days that are called, by the codes that call them."""
    false_days: int = 0
    shaded: int = 0
    """Eclipse days of which a shaded pixel is reported as missing or miscoloured."""

    def add(self, other: Tally) -> None:
        """Add the counts of other days."""
        for name, counts in other.found.items():
            self.found[name] = [a + b for a, b in zip(self.found[name], counts, strict=True)]
        self.confusion += other.confusion
        self.called += other.called
        self.clean += other.clean
        self.false_days += other.false_days
        self.shaded += other.shaded


def name_of(fault: dict[str, object], parameters: dict[str, object]) -> str:
    """Row of a fault in the table."""
    kind = str(fault["kind"])
    if kind in ("edge-warp", "granule-offset"):
        return f"{kind} {parameters.get('distance_km', 0):g} km"
    if kind == "stripes":
        return f"stripes {parameters.get('amount', 0):g}"
    if kind == "colour":
        effect = str(parameters.get("effect", "gain"))
        return f"colour {effect} {parameters.get('amount', 0):g}" if effect == "gain" else effect
    return kind


def score_day(truth: DayTruth, regions: tuple[Region, ...], tally: Tally) -> list[str]:
    """Compare a day with its truth; returns what is wrong, in words."""
    faults = [r for r in truth.document["regions"] if not str(r["kind"]).startswith("eclipse")]
    real = [r for r in faults if r["code"] is None or Kind(r["code"]).is_fault]
    reported = [region for region in regions if region.kind.is_fault]
    lines = []
    if not real:
        tally.clean += 1
        tally.false_days += bool(reported)
        for region in reported:
            tally.called[KIND_NAMES[region.kind]] += 1
            lines.append(f"false: {region.score:.2f} {region.reason}")
    for fault in real:
        seen = (truth.region == fault["number"]) & truth.visible
        size = int(seen.sum())
        if size < LEAST_PX or fault["code"] is None:
            continue
        name = name_of(fault, fault["parameters"])
        shares: dict[Kind, float] = {}
        for kind in {region.kind for region in reported}:
            union = np.any([r.mask for r in reported if r.kind is kind], axis=0)
            shares[kind] = int((seen & union).sum()) / size
        own = shares.get(Kind(fault["code"]), 0.0)
        any_share = max(shares.values(), default=0.0)
        counts = tally.found[name]
        tally.found[name] = [
            counts[0] + (own >= 0.5),
            counts[1] + (any_share >= 0.5),
            counts[2] + 1,
        ]
        best = max(shares, key=lambda kind: shares[kind]) if any_share >= 0.5 else None
        told = NOTHING if best is None else KIND_NAMES[best]
        tally.confusion[KIND_NAMES[Kind(fault["code"])], told] += 1
        if own < 0.5:
            lines.append(f"missed: {name}, {size} px, {own:.2f} covered, told as {told}")
    shade = np.isin(truth.label, (Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION))
    wrong = [r for r in reported if r.kind in (Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION)]
    over = [int((r.mask & shade).sum()) for r in wrong]
    if shade.any() and max(over, default=0) >= LEAST_PX:
        tally.shaded += 1
        lines.append(f"shade: {over} pixels of the Moon's shadow are told as a fault")
    return lines


def judge(archive: Archive) -> Tally:
    """Judge the days of an archive."""
    pictures = archive_pictures(archive)
    seen = observe_pictures(pictures, workers=Workers(1), on_progress=lambda *_: None)
    orbits = fit_sightings(seen, archive.layer)
    colours = sighted_colours(seen, archive.layer)
    tasks = day_tasks(seen, len(seen), DEFAULT_METHOD, orbits, colours=colours)
    tally = Tally()
    for task, truth in zip(tasks, archive.truths(), strict=True):
        detection = look_at(task.picture.ref.read(), task).detection
        regions = () if detection is None else detection.regions
        for line in score_day(truth, regions, tally):
            print(f"    {archive.plan.name} {truth.day} {line}", flush=True)
    return tally


def tell(title: str, tally: Tally) -> None:
    """Print the tables."""
    called = ", ".join(f"{name} {count}" for name, count in sorted(tally.called.items()))
    print(f"\n## {title}: false days {tally.false_days}/{tally.clean} ({called or 'none'}), "
          f"eclipse days told as a fault {tally.shaded}")  # fmt: skip
    print(f"  {'fault':<26} its code  any code")
    for name, (own, some, count) in sorted(tally.found.items()):
        print(f"  {name:<26} {own}/{count}  {some}/{count}")
    print("  true code -> told as")
    for (true, told), count in sorted(tally.confusion.items()):
        print(f"    {true} -> {told}: {count}")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_set_options(parser, ["others-*"])
    options = parser.parse_args()
    whole = Tally()
    begun = time.process_time()
    for plan in chosen_archives(options.set, options.part, options.archives):
        archive = make_archive(
            options.set, plan, options.seed, options.folder, coarser=options.coarser
        )
        tally = judge(archive)
        tell(plan.name, tally)
        whole.add(tally)
    tell("all", whole)
    print(f"\n{time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
