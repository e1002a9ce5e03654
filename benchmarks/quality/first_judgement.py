"""Holes that the first judgement finds, and false days, on drawn globes of seeds never tuned on.

Run: .venv/bin/python benchmarks/quality/first_judgement.py [--first-seed 101 --seeds 12]

Two days of fourteen have a hole; the days are judged together, as `gibswatch inspect` does.  The
margin was chosen with seed 7 (the demo's) in view: do not report seeds under 101.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path

import numpy as np

import gibswatch as gw
from gibswatch.raster import encode_picture
from gibswatch.simulate import DrawnDays

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
FIRST_DAY = dt.date(2023, 8, 1)
DAYS = 14


def judge(seed: int) -> tuple[list[tuple[float, bool]], int, int]:
    """Return (share of the picture, found) of each hole, false days, and days without a hole."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(np.arange(2, DAYS - 2), size=2, replace=False)
    planted = tuple(sorted(FIRST_DAY + dt.timedelta(days=int(n)) for n in chosen))
    drawn = DrawnDays(LAYER, seed, FIRST_DAY, DAYS, planted)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{day}.jpg" for day in sorted(drawn.dates)]
        for file in files:
            globe = drawn.globe(dt.date.fromisoformat(file.stem))
            file.write_bytes(encode_picture(globe, "jpg", quality=88))
        items = gw.inspect(files, LAYER).items
    flagged = {item.date for item in items if item.verdict == "anomalous"}
    holes = [(float(drawn.truth(day).mean()), day in flagged) for day in planted]
    return holes, len(flagged - set(planted)), DAYS - len(planted)


def main() -> None:
    """Print one line a seed and the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--seeds", type=int, default=12)
    options = parser.parse_args()
    found = holes = false = clean = 0
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        planted, wrong, without = judge(seed)
        print(
            seed, ", ".join(f"{share:.4f} {'found' if hit else 'missed'}" for share, hit in planted)
        )
        found += sum(hit for _, hit in planted)
        holes += len(planted)
        false += wrong
        clean += without
    print(f"{found} of {holes} holes found, {false} false days of {clean}")


if __name__ == "__main__":
    main()
