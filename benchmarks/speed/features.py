"""Features against the predecessor's way: the same numbers, how much faster, in how much memory.

Run: .venv/bin/python benchmarks/speed/features.py [--rounds 9] [--picture FILE]
Needs matplotlib.  Both ways go over one picture of 2048x1024 in turn, on one thread; seconds are of
this process (`process_time`).  The rival is written anew from the description of gibs-ml's
features.py; its definition is `compat`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from _peak import extra_mib
from matplotlib.colors import rgb_to_hsv
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from gibswatch.features import (
    FeatureDefinition,
    FeatureRow,
    PatchDefinition,
    hog,
    hue_histogram,
    patch_features,
    write_features,
)
from gibswatch.raster.codec import decode_picture
from gibswatch.types import ByteArray

_SHAPE = (1024, 2048)
Floats = NDArray[np.float64]
Feature = Callable[[ByteArray], Floats]


def rival_hog(pixels: ByteArray) -> Floats:
    """Nine masks over the plane, a running mean of 8x8 of each, read at every eighth pixel."""
    grey = np.dot(pixels, [0.299, 0.587, 0.144])
    east, south = np.zeros(grey.shape), np.zeros(grey.shape)
    east[:, :-1] = np.diff(grey, axis=1)
    south[:-1, :] = np.diff(grey, axis=0)
    size = np.sqrt(east**2 + south**2)
    degrees = np.arctan2(south, east + 1e-15) * (180 / np.pi) + 90
    cells = np.zeros((grey.shape[0] // 8, grey.shape[1] // 8, 9))
    for number in range(9):
        kept = np.where(degrees < 20 * (number + 1), degrees, 0)
        kept = np.where(degrees >= 20 * number, kept, 0)
        cells[..., number] = uniform_filter(np.where(kept > 0, size, 0), (8, 8))[4::8, 4::8]
    return cells.ravel()


def rival_hue(pixels: ByteArray) -> Floats:
    """Hues by matplotlib, their density by NumPy."""
    hues = rgb_to_hsv(pixels / 255) * 255
    density, edges = np.histogram(hues[..., 0], bins=np.linspace(0, 255, 11), density=True)
    return np.asarray(density * np.diff(edges))


def our_hog(pixels: ByteArray) -> Floats:
    """HOG of the predecessor's definition."""
    return hog(pixels, compat=True)


def our_hue(pixels: ByteArray) -> Floats:
    """Hue histogram of the predecessor's definition."""
    return hue_histogram(pixels, compat=True)


RACES: tuple[tuple[str, Feature, Feature, float], ...] = (
    ("HOG", hog, rival_hog, 35),
    ("HOG, compat", our_hog, rival_hog, 35),
    ("hue", hue_histogram, rival_hue, 50),
    ("hue, compat", our_hue, rival_hue, 50),
)


def check(name: str, pixels: ByteArray) -> None:
    """Compare the predecessor's definitions with `compat`."""
    equal = np.array_equal(our_hue(pixels), rival_hue(pixels))
    apart = np.abs(our_hog(pixels) - rival_hog(pixels)).max()
    print(f"{name}: hue bit-equal: {equal}; HOG differs by at most {apart:.1e} levels")
    if not equal or apart > 1e-9:
        raise RuntimeError(f"{name}: compat is not the predecessor's")


def pictures(file: Path | None) -> dict[str, ByteArray]:
    """Draw a picture like imagery, one of any colours and one half black; add a real one."""
    rng = np.random.default_rng(4)
    brightness = rng.uniform(10, 245, (*_SHAPE, 1))
    like = (brightness + rng.normal(0, 7, (*_SHAPE, 3))).clip(0, 255).astype(np.uint8)
    gaps = like.copy()
    gaps[:, np.arange(_SHAPE[1]) % 200 < 100] = 0
    found = {
        "nearly grey": like,
        "any colour": rng.integers(0, 256, (*_SHAPE, 3), np.uint8),
        "half black": gaps,
    }
    if file is not None:
        real = decode_picture(file.read_bytes(), image_format="jpg")
        rows, cols = (np.arange(n) * size // n for n, size in zip(_SHAPE, real.shape, strict=False))
        found["real"] = np.ascontiguousarray(real[np.ix_(rows, cols)])
    return found


def race(name: str, pixels: ByteArray, rounds: int) -> None:
    """Time both ways of each feature in turn."""
    for feature, ours, rival, asked in RACES:
        slow, fast = [], []
        for _ in range(rounds):
            started = time.process_time()
            rival(pixels)
            middle = time.process_time()
            ours(pixels)
            fast.append(time.process_time() - middle)
            slow.append(middle - started)
        ratios = sorted(one / other for one, other in zip(slow, fast, strict=True))
        print(
            f"{name:<12} {feature:<12} {statistics.median(ratios):5.0f}x "
            f"({ratios[0]:.0f} to {ratios[-1]:.0f}; asked {asked:.0f}); "
            f"ours {1e3 * statistics.median(fast):.1f} ms, load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def table(days: int) -> float:
    """MiB beside the process that a table of so many days takes to write."""
    definition = FeatureDefinition()
    rng = np.random.default_rng(1)

    def rows() -> Iterator[FeatureRow]:
        for number in range(days):
            vector = rng.random(definition.length, np.float32)
            yield FeatureRow("Layer", dt.date(2000, 1, 1) + dt.timedelta(number), 4326, vector)

    with tempfile.TemporaryDirectory() as folder:
        return extra_mib(lambda: write_features(Path(folder) / "t.parquet", definition, rows()))


def main() -> None:
    """Print differences, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--picture", type=Path, help="JPEG to add, brought to 2048x1024")
    arguments = parser.parse_args()
    drawn = pictures(arguments.picture)
    for _, ours, _, _ in RACES:  # loads numba, and compiles or reads the cache
        ours(drawn["nearly grey"][:16])
    for name, pixels in drawn.items():
        check(name, pixels)
    for name, pixels in drawn.items():
        race(name, pixels, arguments.rounds)
    started = time.process_time()
    patch_features(drawn["nearly grey"], PatchDefinition())
    print(f"features of patches of 32 pixels: {1e3 * (time.process_time() - started):.0f} ms")
    table(1)  # loads pyarrow, which is no memory of the table
    for days in (500, 5000):
        print(f"memory beside the process, a table of {days} days: {max(0.0, table(days)):.0f} MiB")


if __name__ == "__main__":
    main()
