"""Models trained on simulated days of the globe, judged on the small real pictures of gibs-ml.

Run: .venv/bin/python benchmarks/quality/models_on_small.py [--days 160] [--seed 1]
     [--data ../shared/data] [--folder models-days] [--only NAME ...]

The archive shows the globe at 2560x1280 from February 2016 on, with the balance and events of
`classic_models.py`, split by events.  The pictures of ``viirs_small`` are shrunk plots, 289 to 300
pixels wide, of days that nobody knows: five normal, two with missing data, five with a corner that
is miscoloured.  Models of native patches know one resolution alone and are left out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
from pathlib import Path

import numpy as np
from classic_models import LAYER, Place, command, label_files, make_archive

from gibswatch.catalogue import find_layer
from gibswatch.evaluation.metrics import auroc
from gibswatch.models import load_model
from gibswatch.raster import Scene
from gibswatch.scan.pictures import PictureFile
from gibswatch.types import BBox

GLOBE = Place(LAYER, dt.date(2016, 2, 1), (-180, -90, 180, 90))
ROWS: dict[str, tuple[object, ...]] = {
    "linear-svm": (),
    "softmax": (),
    "random-forest": (),
    "nearest-neighbours": (),
    "network": (),
    "isolation-forest": (),
    "cnn": (),
    "densenet": ("--weights", "self"),
    "padim": ("--features", "backbone", "--weights", "self"),
    "patchcore": ("--features", "backbone", "--weights", "self"),
}
"""Models, and what `train` is told beside the name."""
SORTS = {
    "normal": "random_forest_60d1e90f_c2_normal_*.png",
    "missing": "linear_classifier_337f0c6e_*.png",
    "miscoloured": "linear_classifier_a3f3adb3_*.png",
}


def read_pictures(folder: Path) -> dict[str, list[Scene]]:
    """Read the pictures of true colour, by what gibs-ml called them."""
    layer, box = find_layer(LAYER), BBox(-180.0, -90.0, 180.0, 90.0)
    return {
        sort: [
            PictureFile(path, layer, GLOBE.start, 4326, box).read()
            for path in sorted(folder.glob(pattern))
        ]
        for sort, pattern in SORTS.items()
    }


def main() -> None:
    """Simulate, train, judge, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--days", type=int, default=160)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("models-days"))
    parser.add_argument("--only", nargs="*", default=list(ROWS))
    options = parser.parse_args()
    home_of_globe = options.folder / "globe"
    home_of_globe.mkdir(parents=True, exist_ok=True)
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    root = make_archive(home_of_globe, options.days, options.seed, GLOBE)
    labels = label_files(home_of_globe, root)["event"]
    pictures = read_pictures(options.data / "real" / "viirs_small")
    kinds = np.repeat(list(pictures), [len(scenes) for scenes in pictures.values()])
    print("| model | AUROC | called normal | missing | miscoloured |\n|---|---|---|---|---|")
    for model in options.only:
        home = home_of_globe / f"{root.name}-event" / model
        if not list(home.glob("*.json")):
            command(
                "train", LAYER, "--model", model, *ROWS[model], "--labels", labels, "--split-by",
                "event", "--seed", options.seed, "--output-dir", root, "--out", home,
            )  # fmt: skip
        loaded = load_model(next(home.glob("*.json")))
        scores = np.array([loaded.score(scene) for found in pictures.values() for scene in found])
        called = scores > loaded.threshold
        told = [f"{called[kinds == sort].sum()}/{(kinds == sort).sum()}" for sort in pictures]
        area = auroc(kinds != "normal", scores)
        print(f"| {model} | {area:.2f} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
