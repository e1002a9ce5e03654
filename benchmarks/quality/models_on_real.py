"""Models trained on simulated tiles, judged on real ones with planted faults.

Run: .venv/bin/python benchmarks/quality/models_on_real.py [--days 240] [--seed 1]
     [--data ../shared/data] [--folder models-days] [--only NAME ...]

The archive shows what the tiles of Terra 2023 show (36 W to 0, 18 S to 18 N, 512x512), with the
balance and events of `classic_models.py`, a year earlier.  Each model learns from it with the
commands that a user has.  Then the real days are scored: as they are (all clean but 2023-08-07,
which is left out), and 60 of them with a hole planted (`_planting.py`), 60 others with one granule
whose green, or red and blue, have half of their gain.  The threshold is the model's own, of
simulated clean days; the last column chooses it on the real clean days themselves.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from _planting import FAULTY, expected, plan_holes
from classic_models import MODELS, Place, command, label_files, make_archive, truth_masks
from colour_real import CHANNELS, draw_granule, with_gain
from deep_models import ROWS as DEEP
from deep_models import Row
from missing_real import TRUE_COLOUR, orbits_of_tiles

from gibswatch.catalogue import find_layer
from gibswatch.evaluation import on_table
from gibswatch.evaluation.metrics import auroc, average_precision, recall
from gibswatch.models import load_model
from gibswatch.raster import Scene
from gibswatch.scan.pictures import PictureFile
from gibswatch.sky.orbit import Orbit
from gibswatch.types import BBox

TERRA = Place(TRUE_COLOUR, dt.date(2022, 1, 1), (-36, -18, 0, 18), "8km")
GAIN = 0.5
CLASSIC = tuple(Row(name, ("--model", name)) for name in MODELS)
ROWS = CLASSIC + tuple(row for row in DEEP if row not in CLASSIC and "backbone" not in row.words)


def read_tiles(folder: Path) -> dict[dt.date, Scene]:
    """Read the real days."""
    box, layer = BBox(-36.0, -18.0, 0.0, 18.0), find_layer(TRUE_COLOUR)
    days = {dt.date.fromisoformat(path.stem): path for path in sorted(folder.glob("*.jpg"))}
    return {day: PictureFile(path, layer, day, 4326, box).read() for day, path in days.items()}


def planted(
    scenes: Mapping[dt.date, Scene], orbits: Mapping[dt.date, Orbit], seed: int
) -> list[tuple[str, Scene]]:
    """Plant holes into 60 days and half gains into 60 others."""
    days = sorted(day for day in scenes if day in orbits and day != FAULTY)
    found = []
    holes = plan_holes(orbits, days, seed)
    for hole in holes:
        pixels = scenes[hole.day].pixels.copy()
        pixels[hole.mask] = 0
        found.append(("missing", replace(scenes[hole.day], pixels=pixels)))
    rng = np.random.default_rng(seed)
    others = sorted(set(days) - {hole.day for hole in holes})
    for number in rng.permutation(len(others))[:60]:
        day = others[int(number)]
        granule = draw_granule(expected(day, orbits[day]), rng)
        if granule is not None:
            channels = CHANNELS[int(number) % 2]
            pixels = with_gain(scenes[day].pixels[..., :3], granule, channels, GAIN)
            found.append(("gain .5", replace(scenes[day], pixels=pixels)))
    return found


def main() -> None:
    """Train, plant, judge, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--days", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("models-days"))
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    root = make_archive(options.folder, options.days, options.seed, TERRA)
    labels = label_files(options.folder, root, TERRA.layer)["event"]
    folder = options.data / "real" / "terra_tile_2023" / "TrueColor"
    scenes, orbits = read_tiles(folder), orbits_of_tiles(folder)
    clean = [scene for day, scene in scenes.items() if day != FAULTY]
    faults = planted(scenes, orbits, options.seed)
    kinds = np.array(["clean"] * len(clean) + [kind for kind, _ in faults])
    truth = kinds != "clean"
    print("| model | AUROC | AP by base rate | false days | missing | gain .5 | at 1 in 30 |")
    for row in ROWS:
        if options.only and row.name not in options.only:
            continue
        home = options.folder / f"{root.name}-event" / row.name.replace(", ", "-")
        if not list(home.glob("*.json")):
            masks = ("--masks", truth_masks(options.folder, root)) if row.is_pixel else ()
            command(
                "train", TERRA.layer, *row.words, *masks, "--labels", labels, "--split-by", "event",
                "--seed", options.seed, "--output-dir", root, "--out", home,
            )  # fmt: skip
        stored = (path for path in home.iterdir() if path.suffix in (".skops", ".safetensors"))
        loaded = load_model(next(stored))
        scores = np.array([loaded.score(scene) for scene in (*clean, *(s for _, s in faults))])
        called = scores > loaded.threshold
        told = [f"{called[kinds == kind].sum()}/{(kinds == kind).sum()}" for kind in
                ("clean", "missing", "gain .5")]  # fmt: skip
        chosen = on_table(scores[~truth]).value
        ap = (average_precision(truth, scores) or 0.0) / truth.mean()
        print(
            f"| {row.name} | {auroc(truth, scores):.3f} | {ap:.2f} of {1 / truth.mean():.2f} | "
            f"{' | '.join(told)} | {recall(truth, scores, chosen):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
