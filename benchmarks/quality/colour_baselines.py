"""Baselines of miscoloration on the simulated days of `colour_simulated.py`, for the same table.

Run: .venv/bin/python benchmarks/quality/colour_baselines.py [--part test] [--archives 'colour-*']
     [--seed 1] [--coarser 2] [--folder FOLDER]

The predecessor's rule (rare hues, then DBSCAN), an isolation forest on statistics of hue, another
on histograms of oriented gradients (HOG), and the share of black.  They are helped: each knows
which days of the archive are clean (the forests learn from one half of them and judge the other),
and forests and black share get the threshold that calls one clean day in 30 of all.  A day is found
if it is called; a region of the predecessor's rule as in `colour_simulated.py`.  Needs the extra
`models` (scikit-learn) and scikit-image.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from _sets import Archive, DayTruth, add_set_options, chosen_archives, make_archive
from numpy.typing import NDArray

from gibswatch.catalogue import find_layer
from gibswatch.detect.hues.histogram import HueHistogram, HueNormals, day_hues
from gibswatch.detect.hues.rule import detect_hue
from gibswatch.raster import Scene, observe
from gibswatch.scan.pictures import PictureFile, date_in_name
from gibswatch.types import BoolArray, Kind

try:
    from skimage.feature import hog
    from sklearn.ensemble import IsolationForest
except ImportError as error:
    raise SystemExit(
        f"{error.name} is missing: pip install 'gibswatch[models]' scikit-image"
    ) from error

LEAST_PX = 100
SHAPE = (128, 256)
FALSE_RATE = 1 / 30
COLOUR = int(Kind.MISCOLORATION)


@dataclass(frozen=True, eq=False)
class Seen:
    """One day."""

    label: str
    """`clean`, `gain 0.5`, `ramp` and so on; empty where nobody sees the fault."""
    hue_share: float | None
    """Of the visible part of the fault that the predecessor's rule finds."""
    hue_called: bool
    black: float
    hues: NDArray[np.float64]
    gradients: NDArray[np.float64]


def fault_of(truth: DayTruth) -> tuple[str, BoolArray]:
    """Name the fault of a day, and mark what is seen of it."""
    seen = (truth.label == COLOUR) & truth.visible
    faults = [r for r in truth.document["regions"] if r["code"] == COLOUR]
    if not any(r["code"] for r in truth.document["regions"]):
        return "clean", seen
    if not faults or seen.sum() < LEAST_PX:
        return "", seen
    keys = faults[0]["parameters"]
    effect = keys.get("effect", "gain") if faults[0]["kind"] == "colour" else faults[0]["kind"]
    return (f"gain {float(keys.get('amount', 0.0)):g}" if effect == "gain" else str(effect)), seen


def hue_statistics(scene: Scene, black: BoolArray) -> NDArray[np.float64]:
    """Shares of 36 bins of hue, and mean and deviation of each band, of what is not black."""
    counts = day_hues(scene, black).counts.reshape(36, 10).sum(axis=1).astype(np.float64)
    lit = scene.pixels[..., :3][~black].astype(np.float64)
    shares = counts / max(counts.sum(), 1.0)
    return np.concatenate([shares, lit.mean(axis=0) / 255, lit.std(axis=0) / 255])


def gradients(scene: Scene) -> NDArray[np.float64]:
    """HOG of a small picture, its three bands together."""
    rows, cols = (
        (np.arange(count) * have // count)
        for count, have in zip(SHAPE, scene.pixels.shape[:2], strict=True)
    )
    small = scene.pixels[np.ix_(rows, cols)][..., :3]
    found = hog(small, pixels_per_cell=(16, 16), cells_per_block=(2, 2), channel_axis=-1)
    return np.asarray(found, dtype=np.float64)


def look(archive: Archive) -> list[Seen]:
    """See the days of an archive."""
    known = find_layer(archive.layer)
    truths = list(archive.truths())
    scenes = [
        PictureFile(path, known, date_in_name(path), archive.epsg, archive.bounds).read()
        for path in archive.files
    ]
    blacks = [observe(scene)[1] for scene in scenes]
    named = [fault_of(truth) for truth in truths]
    histogram = HueHistogram()
    for scene, black, (label, _) in zip(scenes, blacks, named, strict=True):
        if label == "clean":
            histogram.add(day_hues(scene, black))
    days = []
    for scene, black, (label, seen) in zip(scenes, blacks, named, strict=True):
        found = detect_hue(scene, black, HueNormals(histogram, label == "clean"))
        mask = found.regions[0].mask if found.regions else np.zeros_like(seen)
        share = float((mask & seen).sum() / seen.sum()) if label not in ("", "clean") else None
        days.append(
            Seen(
                label, share, bool(found.regions), float(black.mean()),
                hue_statistics(scene, black), gradients(scene),
            )
        )  # fmt: skip
    return days


def forest_scores(
    days: Sequence[Seen], features: Callable[[Seen], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """How odd each day is to a forest that has seen the clean days of the other half."""
    values = np.stack([features(day) for day in days])
    clean = np.array([day.label == "clean" for day in days])
    half = np.arange(len(days)) % 4 < 2
    scores = np.empty(len(days))
    for side in (half, ~half):
        forest = IsolationForest(n_estimators=200, random_state=0).fit(values[clean & ~side])
        scores[side] = -forest.score_samples(values[side])
    centre = scores[clean]
    return np.asarray((scores - centre.mean()) / max(centre.std(), 1e-9))


def black_scores(days: Sequence[Seen]) -> NDArray[np.float64]:
    """How much black each day has, against the clean ones of its archive."""
    values = np.array([day.black for day in days])
    clean = values[[day.label == "clean" for day in days]]
    return np.asarray((values - clean.mean()) / max(clean.std(), 1e-9))


def tell_days(name: str, days: Sequence[Seen], scores: NDArray[np.float64]) -> None:
    """Print what a score of days finds at one false alarm in 30 clean days."""
    labels = np.array([day.label for day in days])
    clean = np.sort(scores[labels == "clean"])
    limit = clean[min(int(np.ceil(len(clean) * (1 - FALSE_RATE))), len(clean) - 1)]
    faulty = scores[(labels != "clean") & (labels != "")]
    auroc = np.searchsorted(clean, faulty, "left").mean() / len(clean)
    rows = [
        f"{label} {int((scores[labels == label] > limit).sum())}/{int((labels == label).sum())}"
        for label in sorted({str(label) for label in labels} - {"", "clean"})
    ]
    false = int((clean > limit).sum())
    print(f"\n## {name}: false {false}/{len(clean)}, day AUROC {auroc:.3f}\n  {', '.join(rows)}")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_set_options(parser, ["colour-*"])
    options = parser.parse_args()
    days: list[Seen] = []
    scores: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for plan in chosen_archives(options.set, options.part, options.archives):
        archive = make_archive(
            options.set, plan, options.seed, options.folder, coarser=options.coarser
        )
        more = look(archive)
        days += more
        scores["isolation forest, hue"].append(forest_scores(more, lambda day: day.hues))
        scores["isolation forest, HOG"].append(forest_scores(more, lambda day: day.gradients))
        scores["black share"].append(black_scores(more))
        print(f"{plan.name}: {len(more)} days", flush=True)
    clean = [day for day in days if day.label == "clean"]
    print(f"\n## predecessor's rule: false {sum(d.hue_called for d in clean)}/{len(clean)}")
    for label in sorted({day.label for day in days} - {"", "clean"}):
        shares = [d.hue_share or 0.0 for d in days if d.label == label]
        print(f"  {label:<12} {sum(share >= 0.5 for share in shares)}/{len(shares)}")
    for name, parts in scores.items():
        tell_days(name, days, np.concatenate(parts))


if __name__ == "__main__":
    main()
