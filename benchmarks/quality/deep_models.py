"""The deep and learned models on the days of `classic_models.py`, with three seeds each.

Run: .venv/bin/python benchmarks/quality/deep_models.py [--days 960] [--seed 1] [--seeds 1 2 3]
     [--folder models-days] [--only NAME ...]

The archive, the splits and the threshold rule are those of `classic_models.py`, whose folder is
used.  Every row is `train` and `predict`, once a seed; printed are the mean over the seeds and, in
brackets, the lowest and the highest.  Then the models judge another archive, of another year and
seed, that nothing was learned or chosen on: a third of its days has one granule or two with a gain
of 0, .3 or .5, each day on its own.  What is there already is not made again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from classic_models import LAYER, VIIRS, Place, command, label_files, make_archive, truth_masks

from gibswatch.evaluation import read_scores
from gibswatch.evaluation.metrics import auroc, average_precision, recall
from gibswatch.models.judging import choose_threshold


@dataclass(frozen=True)
class Row:
    """One model of the table."""

    name: str
    words: tuple[object, ...]
    """Options of `train`."""

    @property
    def is_pixel(self) -> bool:
        """Whether it learns from masks."""
        return "pixel" in self.words


ROWS = (
    Row("cnn", ("--model", "cnn")),
    Row("cnn, patches", ("--model", "cnn", "--level", "pixel", "--max-patches", 20000)),
    Row("densenet, self", ("--model", "densenet", "--weights", "self")),
    Row("padim", ("--model", "padim")),
    Row("patchcore", ("--model", "patchcore")),
    Row("padim, self", ("--model", "padim", "--features", "backbone")),
    Row("patchcore, self", ("--model", "patchcore", "--features", "backbone")),
    Row("random-forest", ("--model", "random-forest")),
    Row(
        "random-forest, patches",
        ("--model", "random-forest", "--level", "pixel", "--max-patches", 20000),
    ),
)  # fmt: skip
COLOURED = Place(LAYER, dt.date(2018, 2, 1), VIIRS.box)
GAINS = (0.0, 0.3, 0.5)


def main() -> None:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=960)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--folder", type=Path, default=Path("models-days"))
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    root = make_archive(options.folder, options.days, options.seed)
    labels = label_files(options.folder, root)
    coloured = coloured_archive(options.folder, options.seed)
    days = Days(options.folder, root, labels["event"], coloured)
    print(HEAD, flush=True)
    for row in ROWS:
        if options.only and row.name not in options.only:
            continue
        found = [judge(days, row, seed) for seed in options.seeds]
        print(line_of(row, found), flush=True)


HEAD = (
    "| model | AUROC | AP | AP by base rate | recall at 1 in 30 | gain <= .5 | at 1 in 30 | false "
    "days | training | a day | memory |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def coloured_archive(folder: Path, seed: int, days: int = 240) -> Path:
    """Simulate the archive of single miscoloured days; its label file names them."""
    root = folder / f"coloured-{days}-{seed}"
    if not (root / "done").is_file():
        rng = np.random.default_rng([seed, 77])
        west, south, east, north = COLOURED.box
        lines: list[str] = []
        for number in sorted(rng.permutation(days)[: days // 3].tolist()):
            at = f"[{rng.uniform(west + 3, east - 3):.2f}, {rng.uniform(south + 2, north - 2):.2f}]"
            lines += [
                "[[fault]]", 'kind = "colour"', 'effect = "gain"', f"amount = {rng.choice(GAINS)}",
                f'channels = "{rng.choice(["G", "RB", "R", "B"])}"',
                f"count = {rng.integers(1, 3)}",
                f"day = {COLOURED.start + dt.timedelta(days=number)}", f"place = {at}", "",
            ]  # fmt: skip
        plan = folder / f"plan-coloured-{days}-{seed}.toml"
        plan.write_text("\n".join(lines), encoding="utf-8")
        command(
            "simulate", "archive", LAYER, "--start", COLOURED.start, "--end",
            COLOURED.start + dt.timedelta(days), "--seed", seed + 100, "--faults", plan, "--grid",
            "native", "--tile-resolution", COLOURED.resolution, "--bbox", *COLOURED.box,
            "--output-dir", root,
        )  # fmt: skip
        (root / "done").touch()
    return root


@dataclass(frozen=True)
class Days:
    """What is learned from and judged on."""

    folder: Path
    root: Path
    labels: Path
    coloured: Path


def judge(days: Days, row: Row, seed: int) -> dict[str, float]:
    """Train one model, score both archives, and measure."""
    folder, root, labels, coloured = days.folder, days.root, days.labels, days.coloured
    home = folder / f"{root.name}-deep" / row.name.replace(", ", "-") / str(seed)
    kept = home / "reached.json"
    if kept.is_file():
        found: dict[str, float] = json.loads(kept.read_bytes())
        return found
    more: tuple[object, ...] = ("--masks", truth_masks(folder, root)) if row.is_pixel else ()
    if "backbone" in row.words:  # what DenseNet-121 learned by itself for the row before, once
        taught = home.parents[1] / "densenet-self" / str(seed)
        more = ("--weights", next(taught.glob("*.training/backbone.safetensors")))
    command(
        "train", LAYER, *row.words, *more, "--labels", labels, "--split-by", "event", "--seed",
        seed, "--output-dir", root, "--out", home,
    )  # fmt: skip
    card_path = next(home.glob("*.json"))
    card = json.loads(card_path.read_bytes())
    test = scores_of(home / "test.parquet", card_path, root, "--labels", labels, "--split", "test")
    other = scores_of(home / "coloured.parquet", card_path, coloured)
    normals = normal_scores(home, card_path, root, labels)
    values = measures(test, choose_threshold(normals)) | on_colours(other, card["threshold"])
    values |= {
        "training_s": card["training_s"], "memory_mb": card["peak_memory_mb"],
        "a_day_s": float(read_scores(home / "test.parquet").inference_s_per_day or 0.0),
    }  # fmt: skip
    kept.write_text(json.dumps(values))
    return values


Scores = tuple[np.ndarray, np.ndarray]


def scores_of(out: Path, model: Path, root: Path, *words: object) -> Scores:
    """Score days with `predict`, and give scores and truth."""
    if not out.is_file():
        command("predict", model, LAYER, "--output-dir", root, "--out", out, *words)
    table = read_scores(out)
    if table.truth is None:
        raise SystemExit(f"{out} has no truth: some days have no label")
    return table.scores, table.truth


def normal_scores(home: Path, model: Path, root: Path, labels: Path) -> np.ndarray:
    """Scores of the normal validation days."""
    out = home / "val.parquet"
    scores, truth = scores_of(out, model, root, "--labels", labels, "--split", "val")
    normals: np.ndarray = scores[~truth]
    return normals


def measures(found: Scores, threshold: float) -> dict[str, float]:
    """Measure the test days."""
    scores, truth = found
    ap = average_precision(truth, scores) or 0.0
    return {
        "auroc": auroc(truth, scores) or 0.0,
        "ap": ap,
        "lift": ap / float(truth.mean()),
        "recall": recall(truth, scores, threshold) or 0.0,
    }


def on_colours(found: Scores, threshold: float) -> dict[str, float]:
    """Measure the miscoloured days: by the model's threshold, and by 1 in 30 of the clean days."""
    scores, truth = found
    return {
        "gain_recall": recall(truth, scores, threshold) or 0.0,
        "gain_recall_30": recall(truth, scores, choose_threshold(scores[~truth])) or 0.0,
        "gain_false": float((scores[~truth] > threshold).mean()),
    }


def line_of(row: Row, found: Sequence[dict[str, float]]) -> str:
    """One line of the table: means, and lowest to highest."""

    def told(name: str, digits: int = 3) -> str:
        values = [one[name] for one in found]
        low, high = min(values), max(values)
        spread = f" ({low:.{digits}f}-{high:.{digits}f})" if len(values) > 1 else ""
        return f"{np.mean(values):.{digits}f}{spread}"

    last = f"{told('training_s', 0)} s | {np.mean([o['a_day_s'] for o in found]) * 1000:.0f} ms"
    memory = f"{max(one['memory_mb'] for one in found):.0f} MB"
    cells = [told(n) for n in ("auroc", "ap")] + [told("lift", 1), told("recall")]
    cells += [told(name) for name in ("gain_recall", "gain_recall_30", "gain_false")]
    return f"| {row.name} | {' | '.join(cells)} | {last} | {memory} |"


if __name__ == "__main__":
    main()
