"""Models that learn from real days, judged on later real days, with faults planted in both.

Run: .venv/bin/python benchmarks/quality/learned_on_real.py [--seeds 1 2 3] [--data ../shared/data]
     [--only NAME ...]

The 227 days of the tile of Terra in 2023: those until April train, until mid June they choose
the epoch and the threshold (1 false alarm in 30 clean days), the later ones are judged.  A sixth of
the days of each part gets a hole (`_planting.py`), another sixth a granule whose green, or red and
blue, have a gain of 0, .3 or .5.  2023-08-07, which misses granules by itself, is judged apart.
PaDiM and PatchCore learn from the clean days of the first part alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from _planting import FAULTY, expected, plan_holes
from colour_real import CHANNELS, draw_granule, with_gain
from missing_real import orbits_of_tiles
from models_on_real import read_tiles

from gibswatch.evaluation.metrics import auroc, average_precision
from gibswatch.models.judging import choose_threshold
from gibswatch.models.registry import Input, find_model
from gibswatch.models.rows.extraction import (
    Definition,
    OfPatches,
    definition_for,
    estimator_settings,
    rows_of_scene,
)  # fmt: skip
from gibswatch.models.rows.matrix import FeatureMatrix
from gibswatch.models.rows.patches import PatchSampling, patch_classes
from gibswatch.models.scoring import Scorer
from gibswatch.models.targets import Level
from gibswatch.models.training.checkpoints import TrainingFolder
from gibswatch.models.training.fitting import fit_estimator
from gibswatch.raster import Scene
from gibswatch.sky.orbit import Orbit
from gibswatch.types import ByteArray

PARTS = (dt.date(2023, 5, 1), dt.date(2023, 6, 16))
GAINS = (0.0, 0.3, 0.5)
MODELS: dict[str, tuple[str, Level, Input]] = {
    "random-forest": ("random-forest", "image", "hog+hue"),
    "softmax": ("softmax", "image", "hog+hue"),
    "random-forest, patches": ("random-forest", "pixel", "patches"),
    "cnn": ("cnn", "image", "pixels"),
    "cnn, patches": ("cnn", "pixel", "pixels"),
    "padim": ("padim", "image", "patches"),
    "patchcore": ("patchcore", "image", "patches"),
}
Orbits = Mapping[dt.date, Orbit]


@dataclass(frozen=True, eq=False)
class Day:
    """One real day, as it is or with a planted fault."""

    scene: Scene
    sort: str
    """``clean``, ``missing`` or ``gain``."""
    mask: ByteArray

    @property
    def is_faulty(self) -> bool:
        """Whether a fault was planted."""
        return self.sort != "clean"


def plant(scenes: Mapping[dt.date, Scene], orbits: Orbits, days: Sequence[dt.date], seed: int) -> (
    list[Day]
):  # fmt: skip
    """Plant holes into a sixth of the days, gains into another sixth."""
    count = len(days) // 6
    holes = {hole.day: hole.mask for hole in plan_holes(orbits, days, seed, count)}
    rng = np.random.default_rng([seed, len(days)])
    others = sorted(set(days) - set(holes))
    coloured = {
        others[int(n)]: number for number, n in enumerate(rng.permutation(len(others))[:count])
    }
    found = []
    for day in days:
        scene, sort = scenes[day], "clean"
        where = np.zeros(scene.georeference.shape, dtype=bool)
        pixels = scene.pixels[..., :3].copy()
        if day in holes:
            sort, where = "missing", holes[day]
            pixels[where] = 0
        elif day in coloured:
            granule = draw_granule(expected(day, orbits[day]), rng)
            if granule is not None:
                sort, where = "gain", granule
                gain = float(rng.choice(GAINS))
                pixels = with_gain(pixels, where, CHANNELS[coloured[day] % 2], gain)
        mask = np.where(where, np.uint8(2 if sort == "missing" else 3), np.uint8(0))
        found.append(Day(replace(scene, pixels=pixels), sort, mask))
    return found


def rows_of(
    days: Sequence[Day], definition: Definition, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of days and their classes; of patches as many normal ones as faulty ones."""
    rows, classes = [], []
    for day in days:
        found = rows_of_scene(day.scene, definition)
        number = np.array([int(day.is_faulty)])
        if isinstance(definition, OfPatches):
            shape = day.scene.georeference.shape
            number = patch_classes(day.mask, shape, definition.side, "any")
            drawn = PatchSampling(200, seed).draw(number, day.scene.date or dt.date.min)
            found, number = found[drawn], number[drawn]
        rows.append(found)
        classes.append(number)
    return np.concatenate(rows), np.concatenate(classes)


def learn(name: str, train: Sequence[Day], val: Sequence[Day], seed: int) -> tuple[Scorer, float]:
    """Fit a model as `gibswatch train` does, and choose its threshold."""
    model, level, kind = MODELS[name]
    entry = find_model(model, level)
    definition = definition_for(level, train[0].scene.georeference, kind)
    kept = train if entry.supervised else [day for day in train if not day.is_faulty]
    parts = [rows_of(days, definition, seed) for days in (kept, val)]
    features, classes = (np.concatenate(both) for both in zip(*parts, strict=True))
    matrix = FeatureMatrix(features, classes, np.zeros(len(classes), "M8[D]"), ())
    estimator = entry.make({}, seed, **estimator_settings(definition))
    with tempfile.TemporaryDirectory() as folder:
        where = TrainingFolder(Path(folder))
        where.begin({}, resume=False)
        fit_estimator(estimator, entry, matrix, len(parts[0][1]), folder=where)
    scorer = Scorer(estimator, definition, "any", (0, 1))
    normals = np.array([scorer.judge(day.scene).score for day in val if not day.is_faulty])
    return scorer, choose_threshold(normals)


def line_of(name: str, split: Mapping[int, list[list[Day]]], broken: Scene) -> str:
    """Train and judge one model with each seed; one line of the table."""
    table = []
    for seed, (train, val, test) in split.items():
        scorer, threshold = learn(name, train, val, seed)
        scores = np.array([scorer.judge(day.scene).score for day in test])
        sorts = np.array([day.sort for day in test])
        truth, called = sorts != "clean", scores > threshold
        lift = (average_precision(truth, scores) or 0.0) / truth.mean()
        shares = [called[sorts == sort].mean() for sort in ("missing", "gain", "clean")]
        real = float(scorer.judge(broken).score > threshold)
        table.append([auroc(truth, scores) or 0.0, lift, *shares, real])
    low, mean, high = np.min(table, axis=0), np.mean(table, axis=0), np.max(table, axis=0)
    told = [f"{m:.2f} ({a:.2f}-{b:.2f})" for a, m, b in zip(low, mean, high, strict=True)]
    return f"| {name} | {' | '.join(told)} |"


def main() -> None:
    """Plant, learn, judge, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--only", nargs="*", default=list(MODELS))
    options = parser.parse_args()
    folder = options.data / "real" / "terra_tile_2023" / "TrueColor"
    scenes, orbits = read_tiles(folder), orbits_of_tiles(folder)
    days = sorted(day for day in scenes if day in orbits and day != FAULTY)
    edges = (dt.date.min, *PARTS, dt.date.max)
    parts = [[day for day in days if a <= day < b] for a, b in pairwise(edges)]
    split = {
        seed: [plant(scenes, orbits, part, 10 * seed + n) for n, part in enumerate(parts)]
        for seed in options.seeds
    }
    share = np.mean([day.is_faulty for day in split[options.seeds[0]][2]])
    print(f"load {os.getloadavg()[0]:.1f}; {[len(p) for p in parts]} days; faulty {share:.2f}")
    print("| model | AUROC | AP by base rate | missing | gain <= .5 | false days | 2023-08-07 |")
    print("|---|---|---|---|---|---|---|")
    for name in options.only:
        print(line_of(name, split, scenes[FAULTY]), flush=True)


if __name__ == "__main__":
    main()
