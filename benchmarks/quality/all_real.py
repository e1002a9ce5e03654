"""All detectors together on real days, and on days that are forged from them.

Run: .venv/bin/python benchmarks/quality/all_real.py [--data ../shared/data] [--forged 30]
     [--seed 1]

Every real day but 2023-08-07 is clean or judged by eye: each alarm is printed.  A forged day has
the bytes of another day's picture under its date; it must be called stale, no other day.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from gibswatch.scan import inspect
from gibswatch.types import DayItem, Kind

TRUE = "MODIS_Terra_CorrectedReflectance_TrueColor"
TILE = (-36.0, -18.0, 0.0, 18.0)
FAULTY = dt.date(2023, 8, 7)
FARTHEST_DAYS = 16


def alarms(items: tuple[DayItem, ...]) -> list[DayItem]:
    """Days that are called, but the one that is known to be faulty."""
    return [item for item in items if item.verdict == "anomalous" and item.date != FAULTY]


def tell(title: str, items: tuple[DayItem, ...]) -> None:
    """Print the alarms of some days."""
    called = alarms(items)
    print(f"{title}: {len(called)} of {len(items)} days called", flush=True)
    for item in called:
        kinds = sorted({int(finding.kind) for finding in item.findings if finding.kind.is_fault})
        print(f"    {item.date} {item.score:.2f} kinds {kinds}: {item.reason}", flush=True)


def forge(files: list[Path], folder: Path, count: int, seed: int) -> dict[str, str]:
    """Copy days to a folder, some with the bytes of a day near them; returns those: day by day."""
    drawn = np.random.default_rng(seed)
    for path in files:
        shutil.copy(path, folder / path.name)
    forged: dict[str, str] = {}
    for number in drawn.permutation(len(files)):
        far = int(drawn.integers(1, FARTHEST_DAYS + 1)) * (1 if drawn.random() < 0.5 else -1)
        source = int(number) + far
        near = range(max(0, int(number) - 1), min(len(files), int(number) + 2))
        taken = {*forged, *forged.values()}
        if len(forged) == count or not 0 <= source < len(files):
            continue
        if files[source].stem in taken or any(files[n].stem in taken for n in near):
            continue
        shutil.copy(files[source], folder / files[number].name)
        forged[files[number].stem] = files[source].stem
    return forged


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--forged", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    real = options.data / "real"
    print(f"load {os.getloadavg()[0]:.1f}")
    tiles = {
        product: sorted((real / "terra_tile_2023" / product).glob("*.jpg"))
        for product in ("TrueColor", "Bands721")
    }
    for product, files in tiles.items():
        layer = TRUE.replace("TrueColor", product)
        tell(f"tiles 2023, {product}", inspect(files, layer, bounds=TILE).items)
    zero = sorted((real / "terra_z0_2017").glob("*.png"))
    tell("terra_z0_2017", inspect(zero, TRUE, bounds=(-180, -198, 108, 90)).items)
    globes = sorted((real / "global_days").glob("*"))
    for path in globes:
        tell(path.name, inspect([path], TRUE).items)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        forged = forge(tiles["TrueColor"], folder, options.forged, options.seed)
        items = inspect(sorted(folder.glob("*.jpg")), TRUE, bounds=TILE).items
    stale = {
        str(item.date)
        for item in items
        if any(finding.kind is Kind.STALE for finding in item.findings)
    }
    missed = sorted(set(forged) - stale)
    print(f"forged stale days: {len(set(forged) & stale)} of {len(forged)} found; "
          f"others called stale: {sorted(stale - set(forged))}")  # fmt: skip
    for day in missed:
        print(f"    missed {day}, the picture of {forged[day]}")


if __name__ == "__main__":
    main()
