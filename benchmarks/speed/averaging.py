"""How long a day takes in memory: decoding, averaging two ways, encoding.

Run: .venv/bin/python benchmarks/speed/averaging.py [--runs 9]

One 16km day of the predecessor's grid: 5120 x 2560 source pixels in 50 tiles, 4096 x 2048 output
pixels.  Each round runs every case once, in turn, so that all see the same load.  Seconds are of
this process on all its threads (`process_time`), so that other processes do not count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np

from gibswatch.raster import _kernels, averaging
from gibswatch.raster.codec import decode_picture, encode_picture
from gibswatch.types import ByteArray

_ROWS, _COLS, _TILE = 2560, 5120, 512
_EDGES = np.arange(2049) * 1.25, np.arange(4097) * 1.25


def draw(seed: int) -> ByteArray:
    """Draw a day: waves and grain, black beyond both ends of the light and in a hundred gaps."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[0:_ROWS, 0:_COLS] / 40.0
    waves = np.stack([np.sin(rows), np.cos(cols), np.sin(rows - cols)], axis=2)
    pixels = np.rint(130 + 60 * waves + rng.normal(0, 8, waves.shape)).clip(9, 255)
    day: ByteArray = pixels.astype(np.uint8)
    day[:200] = day[-200:] = 0
    for row, col in rng.integers(0, (_ROWS, _COLS), (100, 2)):
        day[row : row + 150, col : col + 30] = 0
    return day


def compiled(day: ByteArray) -> ByteArray:
    """Average the compiled way."""
    parts = averaging._in_parts(_EDGES[0]), averaging._in_parts(_EDGES[1])  # noqa: SLF001
    if parts[0] is None or parts[1] is None:
        raise RuntimeError("the edges of 5/4 lie on sixteenths")
    return averaging._compiled_average(_kernels, day, *parts)  # noqa: SLF001


def main() -> None:
    """Print median, best and worst of each case, and how much faster the compiled way is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    day = draw(1)
    tiles = [
        encode_picture(day[row : row + _TILE, col : col + _TILE], "jpg", quality=85)
        for row in range(0, _ROWS, _TILE)
        for col in range(0, _COLS, _TILE)
    ]
    output = compiled(day)
    if not np.array_equal(output, averaging.sparse_average(day, *_EDGES)):
        raise RuntimeError("the two ways differ")
    cases: dict[str, Callable[[], object]] = {
        "decode 50 tiles": lambda: [decode_picture(tile, image_format="jpg") for tile in tiles],
        "average, sparse": lambda: averaging.sparse_average(day, *_EDGES),
        "average, compiled": lambda: compiled(day),
        "encode as JPEG": lambda: encode_picture(output, "jpg"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs):
        for name, case in cases.items():
            started = time.process_time()
            case()
            seconds[name].append(time.process_time() - started)
    print(f"{runs} rounds, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; same pixels")
    for name, values in seconds.items():
        middle, best, worst = statistics.median(values), min(values), max(values)
        print(f"{name:<18} median {1e3 * middle:6.0f} ms   {1e3 * best:.0f} to {1e3 * worst:.0f}")
    pairs = zip(seconds["average, sparse"], seconds["average, compiled"], strict=True)
    ratios = sorted(slow / fast for slow, fast in pairs)
    middle = statistics.median(ratios)
    print(f"sparse / compiled  median {middle:.0f}   {ratios[0]:.0f} to {ratios[-1]:.0f}")


if __name__ == "__main__":
    main()
