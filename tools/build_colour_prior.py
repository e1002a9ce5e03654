"""Write the packaged prior of colours from simulated clean days of the tuning years.

Statistics of colours alone go into ``src/gibswatch/detect/data/colour_prior.npz``: no pixel of any
picture, and nothing of the test part.  The days are those of the set quality-1 that serve
miscoloration, at half its resolution; they are made in FOLDER if they are not there.

Run: .venv/bin/python tools/build_colour_prior.py [FOLDER]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks" / "quality"))

from _sets import (  # type: ignore[import-not-found]  # noqa: E402
    Archive,
    chosen_archives,
    make_archive,
)

from gibswatch.catalogue import find_layer  # noqa: E402
from gibswatch.detect.colour.prior import pack_prior, prior_key  # noqa: E402
from gibswatch.detect.colour.scores import observe_scene  # noqa: E402
from gibswatch.detect.colour.statistics import ColourObservation, learn_normals  # noqa: E402
from gibswatch.raster import observe  # noqa: E402
from gibswatch.scan.pictures import PictureFile, date_in_name  # noqa: E402

TARGET = ROOT / "src" / "gibswatch" / "detect" / "data" / "colour_prior.npz"
MOST_BYTES = 300_000
SEED = 1


def records_of(archive: Archive) -> list[ColourObservation]:
    """Records of the days of an archive that have no fault."""
    known = find_layer(archive.layer)
    found = []
    for path, truth in zip(archive.files, archive.truths(), strict=True):
        if truth.document["regions"]:
            continue
        scene = PictureFile(path, known, date_in_name(path), archive.epsg, archive.bounds).read()
        found.append(observe_scene(scene, observe(scene)[1]))
    return found


def main() -> None:
    """Write the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("bench-days")
    records: dict[str, list[ColourObservation]] = defaultdict(list)
    for plan in chosen_archives("quality-1", "tune", ["colour-*"]):
        archive = make_archive("quality-1", plan, SEED, folder, coarser=2)
        records[prior_key(archive.layer)] += records_of(archive)
    arrays: dict[str, NDArray[np.generic]] = {}
    for key, days in sorted(records.items()):
        print(f"{key}: {len(days)} days")
        packed = pack_prior(learn_normals(days))
        arrays |= {f"{key} {name}": values for name, values in packed.items()}
    TARGET.parent.mkdir(exist_ok=True)
    np.savez_compressed(TARGET, **arrays)  # type: ignore[arg-type]
    size = TARGET.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{TARGET} has {size} bytes: {MOST_BYTES} at most")
    print(f"{TARGET}: {size} bytes")


if __name__ == "__main__":
    main()
