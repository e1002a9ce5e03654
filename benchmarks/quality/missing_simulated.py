"""Missing data on simulated days: day recall, false days, pixel agreement, and why it is black.

Run: .venv/bin/python benchmarks/quality/missing_simulated.py [--part test] [--archives 'missing-*'
     'rolls-*' 'eclipse-*'] [--seed 1] [--coarser 2] [--folder FOLDER] [--method gibswatch]

Days of the set quality-1, judged by `inspect`, the pictures of an archive together.  Tune on the
part "tune" (2016, 2018, 2020, 2022); report "test".  A day counts if what can be seen of its fault
has 64 pixels and is 3 wide; the others have a row of their own.  2.5-97.5 % of 1000 bootstraps by
day in brackets.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _sets import Archive, DayTruth, add_set_options, chosen_archives, make_archive
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gibswatch.scan import Workers, inspect
from gibswatch.types import BoolArray, ByteArray, DayItem, Kind

FEWEST, WIDTH = 64, 3
CLASSES = ("expected", "scheduled", "unexpected")


@dataclass(frozen=True, eq=False)
class DayScore:
    """One day."""

    archive: str
    day: str
    group: str
    """fault, small, other (a fault of another kind) or clean."""
    kinds: str
    """Of the faults of the day."""
    called: bool
    """Whether the day is said to miss data unexpectedly."""
    score: float
    hit: float
    either: float
    confusion: NDArray[np.float64]
    """(3, 3) pixels: truth by what was said."""
    in_window: bool
    """Whether the day has a scheduled manoeuvre too."""


@dataclass
class Rows:
    """All days so far."""

    days: list[DayScore] = field(default_factory=list)

    def of(self, *groups: str, archive: str = "") -> list[DayScore]:
        """Days of some groups whose archive begins so."""
        return [d for d in self.days if d.group in groups and d.archive.startswith(archive)]


def judge(archive: Archive, method: str, masks: Path, workers: int) -> list[DayItem]:
    """Judge the pictures of an archive together."""
    result = inspect(
        list(archive.files), archive.layer, bounds=archive.bounds, epsg=archive.epsg,
        mask_dir=masks, method=method, workers=Workers(workers),
    )  # fmt: skip
    return list(result.items)


def score_day(archive: Archive, truth: DayTruth, item: DayItem) -> DayScore:
    """Compare what is said of a day with the truth."""
    said = _mask(item, truth.label.shape)
    wanted = (truth.label == Kind.MISSING_UNEXPECTED) & truth.visible
    found = said == Kind.MISSING_UNEXPECTED
    faults = sorted({r["kind"] for r in truth.document["regions"] if r["code"] is not None})
    missing = bool((truth.label == Kind.MISSING_UNEXPECTED).any())
    other = any(r["code"] in (3, 4, 7, 8, 9) for r in truth.document["regions"])
    group = (
        "fault" if _counts(wanted) else "small" if missing else "other" if other else "clean"
    )  # fmt: skip
    kinds = {int(f.kind) for f in item.findings}
    called = item.verdict == "anomalous" and int(Kind.MISSING_UNEXPECTED) in kinds
    return DayScore(
        archive.plan.name, str(truth.day), group, "+".join(faults), called, item.score,
        float((wanted & found).sum()), float((wanted | found).sum()), _confusion(truth, said),
        any(r["kind"] in ("roll", "new-moon") and r["visible_pixels"] >= FEWEST
            for r in truth.document["regions"]),
    )  # fmt: skip


def _mask(item: DayItem, shape: tuple[int, ...]) -> ByteArray:
    if item.mask is None or not Path(item.mask).is_file():
        return np.zeros(shape, dtype=np.uint8)
    with Image.open(item.mask) as image:
        return np.asarray(image)


def _counts(wanted: BoolArray) -> bool:
    """Whether what can be seen has enough pixels and is wide enough."""
    return int(wanted.sum()) >= FEWEST and bool(
        ndimage.binary_erosion(wanted, np.ones((WIDTH, WIDTH))).any()
    )


def _confusion(truth: DayTruth, said: ByteArray) -> NDArray[np.float64]:
    """Black pixels of the truth by class, and by what is said of them."""
    classes = []
    for plane in (truth.label, said):
        code = np.zeros(plane.shape, dtype=np.intp)
        code[plane == Kind.MISSING_EXPECTED] = 1
        code[plane == Kind.MISSING_UNEXPECTED] = 2
        classes.append(code[truth.black])
    return np.asarray(np.bincount(3 * classes[0] + classes[1], minlength=9).reshape(3, 3), float)


def interval(values: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> str:
    """Share and its bootstrap interval."""
    if not len(values):
        return "none"
    over = np.ones(len(values)) if weights is None else weights
    picks = np.random.default_rng(0).integers(0, len(values), (1000, len(values)))
    drawn = values[picks].sum(axis=1) / np.maximum(over[picks].sum(axis=1), 1e-9)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{values.sum() / max(over.sum(), 1e-9):.3f} ({low:.3f}-{high:.3f})"


def tell(rows: Rows, title: str, archive: str = "") -> None:
    """Print the figures of the days of some archives."""
    faults, small = rows.of("fault", archive=archive), rows.of("small", archive=archive)
    clean, other = rows.of("clean", archive=archive), rows.of("other", archive=archive)
    everything = [*faults, *small, *clean, *other]
    if not everything:
        return
    print(f"\n## {title}: {len(everything)} days")
    called = np.array([d.called for d in faults], dtype=float)
    print(f"- day recall {int(called.sum())}/{len(faults)} {interval(called)}")
    print(f"- small ones {sum(d.called for d in small)}/{len(small)}")
    print(f"- false days {sum(d.called for d in clean)}/{len(clean)} clean", end="")
    print(f", {sum(d.called for d in other)}/{len(other)} with other faults")
    hit, either = (np.array([getattr(d, n) for d in everything]) for n in ("hit", "either"))
    print(f"- pixel IoU, pooled {interval(hit, either)}")
    confusion = np.sum([d.confusion for d in everything], axis=0)
    right = np.array([np.trace(d.confusion) for d in everything])
    total = np.array([d.confusion.sum() for d in everything])
    print(f"- black pixels rightly explained {interval(right, total)}")
    for name, line in zip(CLASSES, confusion, strict=True):
        print(f"    {name:<10} {' '.join(f'{v:12.0f}' for v in line)}  "
              f"{line[CLASSES.index(name)] / max(line.sum(), 1):.4f}")  # fmt: skip
    window = [d for d in faults if d.in_window]
    print(f"- faults on days with a manoeuvre {sum(d.called for d in window)}/{len(window)}")
    for day in everything:
        wrong = day.called != (day.group in ("fault", "small"))
        if wrong and day.group != "small":
            print(f"    {day.archive} {day.day} {day.group} [{day.kinds}] {day.score:.2f}")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_set_options(parser, ["missing-*", "rolls-*", "eclipse-*"])
    parser.add_argument("--method", default="gibswatch")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--make-only", action="store_true", help="simulate, judge nothing")
    options = parser.parse_args()
    plans = chosen_archives(options.set, options.part, options.archives)
    rows, made_s, judged_s = Rows(), 0.0, 0.0
    print(f"load {os.getloadavg()[0]:.1f}; {sum(p.days for p in plans)} days of {len(plans)}")
    for plan in plans:
        begun = time.process_time()
        archive = make_archive(
            options.set, plan, options.seed, options.folder, coarser=options.coarser
        )
        made_s += time.process_time() - begun
        if options.make_only:
            print(f"{plan.name} {made_s:.0f} s", flush=True)
            continue
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as masks:
            items = judge(archive, options.method, Path(masks), options.workers)
            scores = [
                score_day(archive, truth, item)
                for truth, item in zip(archive.truths(), items, strict=True)
            ]
        judged_s += time.process_time() - begun
        rows.days.extend(scores)
        tell(rows, plan.name, archive=plan.name)
    if not options.make_only:
        tell_groups(rows)
    print(f"\nsimulated {made_s:.0f} s, judged {judged_s:.0f} s of CPU")


def tell_groups(rows: Rows) -> None:
    """Print the groups of the issue."""
    print("\n# Summary")
    tracks = Rows([d for d in rows.days if d.archive.startswith("missing-tle")])
    polar = ("missing-arctic", "missing-antarctic")
    poles = Rows([d for d in rows.days if d.archive.startswith(polar)])
    rest = [d for d in rows.days if d.archive.startswith("missing-")]
    plain = Rows([d for d in rest if d not in tracks.days and d not in poles.days])
    for title, group in (("EPSG:4326", plain), ("tracks from TLEs", tracks), ("polar", poles)):
        tell(group, title)
    tell(rows, "arctic", "missing-arctic")
    tell(rows, "antarctic", "missing-antarctic")
    tell(rows, "faults beside manoeuvres", "rolls-")
    tell(rows, "eclipses", "eclipse-")


if __name__ == "__main__":
    main()
