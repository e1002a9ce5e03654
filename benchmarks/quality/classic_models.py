"""All classic models and the detectors in one table, on simulated days with events of many days.

Run: .venv/bin/python benchmarks/quality/classic_models.py [--days 960] [--seed 1]
     [--folder models-days]

The archive has the predecessor's balance: 12 % of the days miss granules or orbits, 6 % are
miscoloured, in events of one to twelve days that have one cause (gain and channels stay the same,
the granules differ).  Days are split by chance and by events; every model is trained on both with
the commands that a user has (`split`, `train`, `predict`, `scan`, `evaluate --compare`), and one
table is printed.  What is there already in the folder is not made again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"


@dataclass(frozen=True)
class Place:
    """What an archive shows."""

    layer: str
    start: dt.date
    box: tuple[int, int, int, int]
    """West, south, east, north."""
    resolution: str = "16km"


VIIRS = Place(LAYER, dt.date(2016, 2, 1), (-45, -18, 45, 18))
MODELS = (
    "linear-svm", "softmax", "random-forest", "nearest-neighbours", "network", "isolation-forest",
)  # fmt: skip
MISSING, MISCOLOURED = 0.12, 0.06
GAINS = (0.0, 0.3, 0.5, 0.7, 0.8)


def command(*words: object, allowed: Sequence[int] = (0,)) -> float:
    """Run a command of Gibswatch, and return the seconds that it took."""
    began = time.perf_counter()
    line = [str(Path(sys.executable).with_name("gibswatch")), *(str(word) for word in words)]
    done = subprocess.run(line, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(line)}: {done.returncode}\n{done.stderr.decode()[-2000:]}")
    return time.perf_counter() - began


def events(days: int, rng: np.random.Generator) -> Iterator[tuple[range, str]]:
    """Draw runs of days with one cause; they never touch."""
    wanted = {"missing": round(MISSING * days), "colour": round(MISCOLOURED * days)}
    free = np.ones(days, dtype=bool)
    for kind, longest in (("colour", 12), ("missing", 8)):
        left = wanted[kind]
        while left > 0:
            length = min(left, int(rng.integers(1, longest + 1)))
            first = int(rng.integers(1, days - length - 1))
            if free[first - 1 : first + length + 1].all():
                free[first : first + length] = False
                left -= length
                yield range(first, first + length), kind


def write_plan(path: Path, days: int, seed: int, place: Place) -> None:
    """Write the faults of all days as a plan of `simulate archive`."""
    rng = np.random.default_rng(seed)
    west, south, east, north = place.box
    lines: list[str] = []
    for run, kind in events(days, rng):
        if kind == "colour":
            fixed = [
                'kind = "colour"', 'effect = "gain"', f"amount = {rng.choice(GAINS)}",
                f'channels = "{rng.choice(["G", "RB", "R", "B"])}"',
            ]  # fmt: skip
        elif rng.random() < 0.5:
            fixed = ['kind = "missing-granules"', f"count = {rng.integers(1, 5)}"]
        else:
            fixed = ['kind = "missing-orbit"', f"share = {rng.choice([0.5, 1.0])}"]
        for number in run:
            at = f"[{rng.uniform(west + 3, east - 3):.2f}, {rng.uniform(south + 2, north - 2):.2f}]"
            day = place.start + dt.timedelta(days=number)
            lines += ["[[fault]]", *fixed, f"day = {day}", f"place = {at}", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def make_archive(folder: Path, days: int, seed: int, place: Place = VIIRS) -> Path:
    """Simulate the archive, and return its root."""
    name = "archive" if place == VIIRS else place.layer
    root = folder / f"{name}-{days}-{seed}"
    if not (root / "done").is_file():
        plan = folder / f"plan-{name}-{days}-{seed}.toml"
        write_plan(plan, days, seed, place)
        command(
            "simulate", "archive", place.layer, "--start", place.start, "--end",
            place.start + dt.timedelta(days), "--seed", seed, "--faults", plan, "--grid", "native",
            "--tile-resolution", place.resolution, "--bbox", *place.box, "--output-dir", root,
        )  # fmt: skip
        (root / "done").touch()
    return root


def label_files(folder: Path, root: Path, layer: str = LAYER) -> dict[str, Path]:
    """Split the days by chance and by events; a label file of each."""
    found = {}
    for by in ("random", "event"):
        found[by] = folder / f"labels-{root.name}-{by}.txt"
        command("split", layer, "--by", by, "--output-dir", root)
        shutil.copy(root / "4326" / f"{layer}.txt", found[by])
    return found


def truth_masks(folder: Path, root: Path) -> Path:
    """Name the true labels of pixels as `train --masks` asks for."""
    masks = folder / f"masks-{root.name}"
    masks.mkdir(exist_ok=True)
    for path in sorted((root / "4326").glob("*/truth/*_Label.png")):
        target = masks / f"{path.parents[1].name}.png"
        if not target.exists():
            shutil.copy(path, target)
    return masks


def train_all(folder: Path, root: Path, labels: dict[str, Path], seed: int) -> list[str]:
    """Train and predict every model on both splits; returns named score tables."""
    tables = []
    for by, file in labels.items():
        for model in MODELS:
            home = folder / f"{root.name}-{by}"
            out = home / f"{model}.parquet"
            if not out.is_file():
                took = command(
                    "train", LAYER, "--model", model, "--labels", file, "--split-by", by, "--seed",
                    seed, "--output-dir", root, "--out", home / model,
                )  # fmt: skip
                stored = next((home / model).glob("*.skops"))
                command(
                    "predict", stored, LAYER, "--labels", file, "--output-dir", root, "--out", out,
                )  # fmt: skip
                print(f"    {model}, {by}: trained in {took:.0f} s", flush=True)
            tables.append(f"{model}={out}")
    return tables


def pixels(folder: Path, root: Path, labels: Path, seed: int) -> Path:
    """Train the forest of patches by the true masks, and score the patches of the test days."""
    home = folder / f"{root.name}-pixels"
    out, masks = home / "forest-patches.parquet", truth_masks(folder, root)
    if not out.is_file():
        command(
            "train", LAYER, "--model", "random-forest", "--level", "pixel", "--masks", masks,
            "--labels", labels, "--split-by", "event", "--seed", seed, "--output-dir", root,
            "--out", home,
        )  # fmt: skip
        stored = next(home.glob("*.skops"))
        command(
            "predict", stored, LAYER, "--labels", labels, "--split", "test", "--output-dir", root,
            "--masks", masks, "--patches", out,
        )  # fmt: skip
    return out


def scan_all(root: Path, methods: Sequence[str]) -> list[str]:
    """Scan the archive by the detectors; returns their tables of days."""
    tables = []
    for method in methods:
        kept = root.with_name(f"{root.name}-{method}-days.parquet")
        if not kept.is_file():
            end = VIIRS.start + dt.timedelta(days=sum(1 for _ in (root / "4326").glob("20*")))
            took = command(
                "scan", LAYER, "--start", VIIRS.start, "--end", end, "--output-dir", root,
                "--method", method, allowed=(0, 4),
            )  # fmt: skip
            shutil.copy(next(root.rglob("days.parquet")), kept)
            print(f"    scan by {method}: {took:.0f} s", flush=True)
        tables.append(f"{method}={kept}")
    return tables


def main() -> None:
    """Make, train, scan, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=960)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("models-days"))
    parser.add_argument("--methods", nargs="*", default=["gibswatch"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    root = make_archive(options.folder, options.days, options.seed)
    labels = label_files(options.folder, root)
    tables = train_all(options.folder, root, labels, options.seed)
    tables += scan_all(root, options.methods)
    page = options.folder / f"{root.name}.html"
    line = [
        str(Path(sys.executable).with_name("gibswatch")), "evaluate", *tables, "--labels",
        str(labels["event"]), "--by", "event", "--compare", "--out", str(page),
    ]  # fmt: skip
    subprocess.run(line, check=True)
    patches = pixels(options.folder, root, labels["event"], options.seed)
    subprocess.run(
        [line[0], "evaluate", f"random-forest={patches}", "--level", "pixel"], check=True
    )


if __name__ == "__main__":
    main()
