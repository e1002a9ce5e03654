"""Pictures a second of the deep models, and the time of one day at 1024 pixels on one core.

Run: .venv/bin/python benchmarks/speed/deep.py [--device auto] [--rounds 5]

Training is whole epochs of the CNN on pictures of noise (what they show costs nothing), and steps
of DenseNet-121 on crops of 64 pixels.  Inference of the CNN begins with a picture of 1024 by 512
pixels in memory: it is averaged to the grid, or cut into 512 patches, and scored.  Median and
spread of the rounds; all models take turns.  On one thread of the CPU seconds are those of this
process, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import time
from collections.abc import Callable

import numpy as np
import torch

from gibswatch.features import PatchPixels, PicturePixels, patch_pixels, picture_pixels
from gibswatch.models.deep.cnn import CNN
from gibswatch.models.deep.densenet import DenseNet121
from gibswatch.models.deep.device import choose_device
from gibswatch.models.deep.selfsupervised import learn_backbone
from gibswatch.models.rows.backbones import Backbone, BackboneDefinition
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.types import Georeference

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
GLOBE = Georeference(4326, -180.0, 90.0, 360 / 1024, 180 / 512, 512, 1024)


def fitted(
    definition: PicturePixels | PatchPixels, rows: int, device: str
) -> tuple[CNN, Callable[[], int]]:
    """Fit a CNN of the defaults for one epoch, and give what trains it for another."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 255, (rows, definition.length), dtype=np.uint8)
    y = np.arange(rows) % 2
    side = getattr(definition, "side", 0)
    shape = (side, side) if side else (definition.rows, definition.cols)  # type: ignore[union-attr]
    cnn = CNN(shape, patches=bool(side), num_epochs=1, device=device)
    cnn.fit(pixels, y)

    def train() -> int:
        cnn.fit(pixels, y)
        return rows

    return cnn, train


def day(scene: Scene, cnn: CNN, definition: PicturePixels | PatchPixels) -> Callable[[], int]:
    """Score a picture of 1024 by 512 pixels."""

    def run() -> int:
        if isinstance(definition, PatchPixels):
            rows = patch_pixels(scene, definition).reshape(-1, definition.length)
        else:
            rows = picture_pixels(scene, definition).reshape(1, -1)
        cnn.anomaly_score(rows)
        return 1

    return run


def main() -> None:
    """Measure in turns, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 255, (512, 1024, 3), dtype=np.uint8)
    scene = scene_from_picture(
        pixels, layer=LAYER, date=dt.date(2020, 1, 1), image_format="jpg", georeference=GLOBE,
        provenance="noise",
    )  # fmt: skip
    jobs: dict[str, Callable[[], int]] = {}
    for size in (256, 1024):
        definition = PicturePixels.of(GLOBE, size)
        cnn, train = fitted(definition, 64 if size == 256 else 8, options.device)
        jobs[f"cnn, size {size}: training"] = train
        jobs[f"cnn, size {size}: a day of 1024 px"] = day(scene, cnn, definition)
    patches, train = fitted(PatchPixels(), 2048, options.device)
    jobs["cnn of patches: training"] = train
    jobs["cnn of patches: a day of 1024 px"] = day(scene, patches, PatchPixels())
    backbone = Backbone(DenseNet121(None).eval(), device)
    seen = BackboneDefinition(128, 256, maps=False)
    jobs["densenet, size 256: a day"] = lambda: len(backbone.rows(scene, seen)) // 1024
    pictures = rng.integers(0, 255, (8, 128, 256, 3), dtype=np.uint8)
    jobs["densenet: crops learned from"] = lambda: (
        (learn_backbone(pictures, steps=2, seed=1, device=options.device) is not None) * 64
    )
    alone = options.threads == 1 and device.type == "cpu"
    clock = time.process_time if alone else time.perf_counter
    took: dict[str, list[float]] = {name: [] for name in jobs}
    print(f"load {os.getloadavg()[0]:.1f}, {options.threads} threads, {device}", flush=True)
    for _ in range(options.rounds + 1):
        for name, job in jobs.items():
            began = clock()
            count = job()
            took[name].append((clock() - began) / count)
    for name, times in took.items():
        low, middle, high = np.percentile(times[1:], (0, 50, 100))  # the first warms up
        print(
            f"{name}: {1 / middle:.1f} a second, {middle * 1000:.1f} ms each "
            f"({low * 1000:.1f} to {high * 1000:.1f})"
        )


if __name__ == "__main__":
    main()
