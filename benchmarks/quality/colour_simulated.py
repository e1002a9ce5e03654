"""Miscoloration on simulated days: regions by gain, false days, pixel agreement.

Run: .venv/bin/python benchmarks/quality/colour_simulated.py [--part test] [--archives 'colour-*']
     [--seed 1] [--coarser 2] [--folder FOLDER] [--layer 0] [--cold]

Days of the set quality-1; normals are learned from the nearest other days of the archive, faulty
ones among them, as a scan does; `--cold` leaves the day's own passes alone.  Tune on the part
"tune"; report "test".  A region is found when the union of what is found covers at least half of
its visible part; under 100 visible pixels it has a row of its own.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from _sets import (
    Archive,
    DayTruth,
    add_set_options,
    archive_pictures,
    chosen_archives,
    make_archive,
)
from numpy.typing import NDArray

from gibswatch.detect.colour.rule import ColourFinding, find_colour
from gibswatch.detect.colour.scores import observe_scene
from gibswatch.raster import observe
from gibswatch.scan.judging.judge import Workers, fit_sightings, observe_pictures
from gibswatch.scan.judging.one_day import sky_expectation
from gibswatch.scan.normals import LayerNormals
from gibswatch.types import BoolArray, Kind

LEAST_PX = 100
COLOUR = int(Kind.MISCOLORATION)


@dataclass(frozen=True, eq=False)
class RegionScore:
    """One faulty region."""

    archive: str
    day: str
    effect: str
    gain: float | None
    visible: int
    covered: float
    """Share of its visible part that is found."""
    scores: NDArray[np.float64]
    """(1000,) pixels of it by score."""


@dataclass(frozen=True, eq=False)
class DayScore:
    """One day."""

    archive: str
    day: str
    clean: bool
    called: bool
    score: float
    histograms: NDArray[np.float64]
    """(2, 1000) area by pixel score: sound and faulty pixels."""
    gross: bool
    """Whether it counts for pixel AP: clean, or with gains of .5 and less alone."""


def score_day(
    archive: Archive, truth: DayTruth, found: ColourFinding
) -> tuple[DayScore, list[RegionScore]]:
    """Compare what is found in a picture with the truth."""
    union = np.zeros(truth.label.shape, dtype=bool)
    for region in found.regions:
        union |= region.mask
    faults = [r for r in truth.document["regions"] if r["code"] == COLOUR]
    clean = not any(r["code"] for r in truth.document["regions"])
    regions, gross = [], bool(faults)
    for fault in faults:
        seen = (truth.region == fault["number"]) & (truth.label == COLOUR) & truth.visible
        keys = fault["parameters"]
        effect = keys.get("effect", "gain") if fault["kind"] == "colour" else fault["kind"]
        gain = float(keys.get("amount", 0.0)) if effect == "gain" else None
        gross &= gain is not None and gain <= 0.5
        count = int(seen.sum())
        covered = float((seen & union).sum()) / max(count, 1)
        whole = (truth.region == fault["number"]) & (truth.label == COLOUR)
        scores = np.bincount(_cells(found.plane[whole]), minlength=1000).astype(np.float64)
        name, day_name = archive.plan.name, str(truth.day)
        regions.append(RegionScore(name, day_name, effect, gain, count, covered, scores))
    histograms = _areas(archive, truth.label == COLOUR, found.plane, ~truth.black)
    day = DayScore(
        archive.plan.name, str(truth.day), clean, bool(found.regions), found.score, histograms,
        gross or clean,
    )  # fmt: skip
    return day, regions


def _cells(plane: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.clip(plane * 1000, 0, 999).astype(np.intp)


def _areas(
    archive: Archive, faulty: BoolArray, plane: NDArray[np.float32], lit: BoolArray
) -> NDArray[np.float64]:
    g = archive.georeference
    latitude = g.north - (np.arange(g.rows) + 0.5) * g.pixel_height
    area = np.cos(np.radians(latitude)) if g.epsg == 4326 else np.ones(g.rows)
    weight = np.broadcast_to(area[:, np.newaxis], lit.shape)
    cell = _cells(plane)
    return np.stack([
        np.bincount(cell[part], weight[part], 1000) for part in (lit & ~faulty, lit & faulty)
    ])  # fmt: skip


def average_precision(areas: NDArray[np.float64]) -> float:
    """Average precision from areas by score, sound and faulty."""
    sound, faulty = areas[:, ::-1].cumsum(axis=1)
    if not faulty[-1]:
        return float("nan")
    precision = faulty / np.maximum(sound + faulty, 1e-9)
    return float((np.diff(faulty, prepend=0.0) * precision).sum() / faulty[-1])


def aupro(days: list[DayScore], regions: list[RegionScore], most: float) -> float:
    """Area under the mean overlap of regions by false positive rate, up to `most` of it.

    Regions of any gain with `LEAST_PX` visible pixels; a rate is a share of the sound area of all
    days.  Between thresholds it is a straight line, as usual.
    """
    sound = np.sum([day.histograms[0] for day in days], axis=0)[::-1].cumsum()
    shares = [r.scores[::-1].cumsum() / r.scores.sum() for r in regions if r.visible >= LEAST_PX]
    if not shares:
        return float("nan")
    rate = np.concatenate([[0.0], sound / sound[-1]])
    overlap = np.concatenate([[0.0], np.mean(shares, axis=0)])
    grid = np.linspace(0.0, most, 1001)
    return float(np.interp(grid, rate, overlap).mean())


def judge(archive: Archive, *, cold: bool) -> tuple[list[DayScore], list[RegionScore]]:
    """Judge the days of an archive."""
    pictures = archive_pictures(archive)
    seen = observe_pictures(pictures, workers=Workers(1), on_progress=lambda *_: None)
    orbits = fit_sightings(seen, archive.layer)
    normals = LayerNormals(archive.layer)
    for picture in pictures:
        scene = picture.ref.read()
        if scene.date is not None:
            normals.add(scene.date, observe_scene(scene, observe(scene)[1]))
    days, regions = [], []
    for picture, truth in zip(pictures, archive.truths(), strict=True):
        scene = picture.ref.read()
        sky = None if orbits is None else orbits.sky_for(truth.day)
        expectation = sky_expectation(sky, scene.georeference, scene)
        usual = None if cold else normals.for_day(truth.day)
        found = find_colour(scene, observe(scene)[1], expectation, usual)
        day, parts = score_day(archive, truth, found)
        days.append(day)
        regions += parts
        _tell_day(day, parts, found)
    return days, regions


def _tell_day(day: DayScore, parts: list[RegionScore], found: ColourFinding) -> None:
    missed = [p for p in parts if p.covered < 0.5]
    if (day.clean and day.called) or missed:
        why = found.regions[0].reason if found.regions else ""
        text = [(p.effect, p.gain, p.visible, round(p.covered, 2)) for p in missed]
        print(f"    {day.archive} {day.day} {day.score:.2f} {text} {why}", flush=True)


def tell(title: str, days: list[DayScore], regions: list[RegionScore]) -> None:
    """Print the table of some days."""
    clean = [d for d in days if d.clean]
    print(f"\n## {title}: {len(days)} days, false {sum(d.called for d in clean)}/{len(clean)}")
    rows: dict[str, list[RegionScore]] = defaultdict(list)
    for part in regions:
        name = part.effect if part.gain is None else f"gain {part.gain:g}"
        rows[name if part.visible >= LEAST_PX else f"small {name}"].append(part)
    for name in sorted(rows):
        hit = sum(p.covered >= 0.5 for p in rows[name])
        print(f"  {name:<18} {hit}/{len(rows[name])}")
    areas = np.sum([d.histograms for d in days if d.gross], axis=0)
    print(f"  pixel AP, gain <= .5 and clean days: {average_precision(areas):.3f}")
    rates = ", ".join(f"to {most:g}: {aupro(days, regions, most):.3f}" for most in (0.3, 0.01))
    print(f"  AUPRO {rates}")
    _tell_scores(days)


def _tell_scores(days: list[DayScore]) -> None:
    """Print how well the score of a day tells faulty days from clean ones."""
    faulty = [d.score for d in days if not d.clean]
    clean = np.sort([d.score for d in days if d.clean])
    if not faulty or not clean.size:
        return
    less = np.searchsorted(clean, faulty, "left") + np.searchsorted(clean, faulty, "right")
    print(f"  day AUROC {less.mean() / 2 / clean.size:.3f}, clean days score up to {clean[-1]:.2f}")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_set_options(parser, ["colour-*"])
    parser.add_argument("--layer", type=int, default=0, help="number of the archives' layer")
    parser.add_argument("--cold", action="store_true", help="no normals of the archive")
    options = parser.parse_args()
    days: list[DayScore] = []
    regions: list[RegionScore] = []
    begun = time.process_time()
    for plan in chosen_archives(options.set, options.part, options.archives):
        archive = make_archive(
            options.set, plan, options.seed, options.folder,
            coarser=options.coarser, layer=options.layer,
        )  # fmt: skip
        more, parts = judge(archive, cold=options.cold)
        tell(plan.name, more, parts)
        days += more
        regions += parts
    tell("all", days, regions)
    print(f"\n{time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
