"""Counting hues against NumPy and matplotlib: the same hues, how much faster, in how much memory.

Run: .venv/bin/python benchmarks/speed/hue_counting.py [--rounds 9] [--picture FILE]
Needs matplotlib.  Both ways go over one picture of 2048x1024 in turn, on one thread; seconds are of
this process (`process_time`).
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import numpy as np
from _peak import extra_mib
from matplotlib.colors import rgb_to_hsv
from numpy.typing import NDArray

from gibswatch.detect.hues.counting import HUES, count_hues, hues, hues_by_numpy
from gibswatch.raster.codec import decode_picture
from gibswatch.types import ByteArray

_SHAPE = (1024, 2048)


def rival_hues(pixels: ByteArray) -> NDArray[np.int64]:
    """Hues of the vectorised form."""
    return np.asarray((rgb_to_hsv(pixels / 255)[..., 0] * HUES).astype(int))


def rival_counts(pixels: ByteArray) -> NDArray[np.int64]:
    """Count the hues in the vectorised form."""
    return np.bincount(rival_hues(pixels).ravel(), minlength=HUES)


def compare() -> None:
    """Compare both ways of ours with matplotlib on every colour."""
    green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    different = 0
    for red in range(256):
        plane = np.stack([np.full_like(green, red), green, blue], axis=-1).astype(np.uint8)
        expected = rival_hues(plane)
        different += int(np.count_nonzero(hues(plane) != expected))
        by_numpy = hues_by_numpy(plane.reshape(-1, 3)).reshape(256, 256)
        different += int(np.count_nonzero(by_numpy != expected))
    print(f"2**24 colours, both ways: {different} differ")


def pictures(file: Path | None) -> dict[str, ByteArray]:
    """Draw a picture like imagery and one of any colours; add a real one."""
    rng = np.random.default_rng(4)
    brightness = rng.uniform(10, 245, (*_SHAPE, 1))
    like = (brightness + rng.normal(0, 7, (*_SHAPE, 3))).clip(0, 255).astype(np.uint8)
    found = {"nearly grey": like, "any colour": rng.integers(0, 256, (*_SHAPE, 3), np.uint8)}
    if file is not None:
        real = decode_picture(file.read_bytes(), image_format="jpg")
        rows, cols = (np.arange(n) * size // n for n, size in zip(_SHAPE, real.shape, strict=False))
        found["real"] = np.ascontiguousarray(real[np.ix_(rows, cols)])
    return found


def race(name: str, pixels: ByteArray, rounds: int) -> None:
    """Time both in turn."""
    slow, fast = [], []
    for _ in range(rounds):
        started = time.process_time()
        expected = rival_counts(pixels)
        middle = time.process_time()
        counts = count_hues(pixels)
        fast.append(time.process_time() - middle)
        slow.append(middle - started)
        if not np.array_equal(counts, expected):
            raise RuntimeError(f"{name}: the counts differ")
    ratios = sorted(one / other for one, other in zip(slow, fast, strict=True))
    print(
        f"{name:<12} {statistics.median(ratios):5.0f}x ({ratios[0]:.0f} to {ratios[-1]:.0f}); "
        f"ours {1e3 * statistics.median(fast):.1f} ms, load {os.getloadavg()[0]:.0f}",
        flush=True,
    )


def main() -> None:
    """Print memory, mismatches and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--picture", type=Path, help="JPEG to add, brought to 2048x1024")
    arguments = parser.parse_args()
    drawn = pictures(arguments.picture)
    count_hues(drawn["nearly grey"][:1])  # loads numba, which is no memory of the counting
    for name, count in (("ours", count_hues), ("matplotlib's form", rival_counts)):
        extra = extra_mib(lambda count=count: count(drawn["nearly grey"]))
        print(f"memory beside the picture, {name}: {extra:.1f} MiB")
    compare()
    for name, pixels in drawn.items():
        race(name, pixels, arguments.rounds)


if __name__ == "__main__":
    main()
