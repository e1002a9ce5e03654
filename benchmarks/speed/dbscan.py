"""DBSCAN of pixels against scikit-learn: the same labels, how much faster, and in how much memory.

Run: .venv/bin/python benchmarks/speed/dbscan.py [--cases 5000] [--sets 20] [--rounds 3]
Needs scikit-learn.  scikit-learn gets the points, ours the mask; both on one thread, in turn, so
that both see the same load; seconds are of this process (`process_time`).  A set's ratio is that of
the medians of its rounds; what is shown is the median over the sets, and their spread.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from _peak import extra_mib
from scipy import ndimage
from sklearn.cluster import DBSCAN

from gibswatch.detect import _lattice_kernels, lattice_dbscan
from gibswatch.types import BoolArray

_SHAPE = (1024, 2048)
_RULES = ((15.0, 20), (3.5, 30))
"""The predecessor's eps and min_samples: the last and the earlier ones."""


def clumps(rng: np.random.Generator, points: int) -> BoolArray:
    """Draw 3 to 20 normal distributions of pixels, dense in the middle and loose at the rim."""
    mask = np.zeros(_SHAPE, dtype=bool)
    count = int(rng.integers(3, 21))
    widths = np.sqrt(points / count / (2 * np.pi)) * rng.uniform(0.7, 2.0, count)
    centres = rng.uniform(0.1, 0.9, (count, 2)) * _SHAPE
    while np.count_nonzero(mask) < points:
        which = int(rng.integers(count))
        drawn = rng.normal(centres[which], widths[which], (points // 100, 2))
        drawn = np.rint(drawn).astype(int)
        drawn = drawn[((drawn >= 0) & (drawn < _SHAPE)).all(axis=1)]
        mask[drawn[:, 0], drawn[:, 1]] = True
    return mask


def spots(rng: np.random.Generator, points: int) -> BoolArray:
    """Draw solid discs, as regions of one colour are."""
    mask = np.zeros(_SHAPE, dtype=bool)
    rows, cols = np.ogrid[: _SHAPE[0], : _SHAPE[1]]
    while np.count_nonzero(mask) < points:
        centre = rng.uniform(0.1, 0.9, 2) * _SHAPE
        near = (rows - centre[0]) ** 2 + (cols - centre[1]) ** 2
        mask |= near <= rng.uniform(10, np.sqrt(points) / 5) ** 2
    return mask


def speckles(rng: np.random.Generator, share: float) -> BoolArray:
    """Draw noise."""
    return np.asarray(rng.random(_SHAPE) < share)


def small(rng: np.random.Generator) -> tuple[BoolArray, float, int]:
    """Draw a small plane of noise or clumps, and an eps and a number that suit it."""
    shape = np.maximum(rng.integers(-10, 45, 2), 1)
    mask = rng.random(shape) < rng.choice([0.02, 0.1, 0.3, 0.6, 1.0])
    if rng.random() < 0.5:
        mask &= ndimage.gaussian_filter(rng.random(shape), rng.uniform(0.5, 3)) > 0.5
    if rng.random() < 0.2:
        return mask, *_RULES[int(rng.integers(2))]
    eps = float(rng.choice([0.5, 1, 1.2, 1.5, 1.5, 2, 2.5, 3.5, 7.3, 15, 60]))
    usual = mask.mean() * np.pi * max(1.0, min(eps, 11.0)) ** 2
    return mask, eps, max(1, round(usual * rng.uniform(0.7, 2.2)))


def compare(cases: int) -> None:
    """Compare the labels of both ways with scikit-learn's on random cases."""
    rng = np.random.default_rng(8)
    different = several = 0
    for _ in range(cases):
        mask, eps, min_samples = small(rng)
        if not mask.any():
            continue
        rival = DBSCAN(eps=eps, min_samples=min_samples).fit(np.argwhere(mask)).labels_
        disk = lattice_dbscan._disk(eps, mask.shape)  # noqa: SLF001
        ways = (
            lattice_dbscan._by_kernels(_lattice_kernels, mask, disk, min_samples),  # noqa: SLF001
            lattice_dbscan._by_numpy(mask, disk, min_samples),  # noqa: SLF001
        )
        different += not all(np.array_equal(way, rival) for way in ways)
        several += len(np.unique(rival)) > 2
    print(f"{cases} random cases, {several} with three labels or more: {different} differ")


def seconds(function: Callable[[], object]) -> float:
    """Seconds of this process that a call takes."""
    started = time.process_time()
    function()
    return time.process_time() - started


def race(name: str, masks: list[BoolArray], eps: float, min_samples: int, rounds: int) -> None:
    """Time both on each mask, and check that the labels are the same."""
    ratios, ours_ms = [], []
    for mask in masks:
        points = np.argwhere(mask)
        rival = DBSCAN(eps=eps, min_samples=min_samples)

        def ours(mask: BoolArray = mask) -> np.ndarray:
            return lattice_dbscan.lattice_dbscan(mask, eps=eps, min_samples=min_samples)

        slow, fast = [], []
        for _ in range(rounds):
            slow.append(seconds(lambda: rival.fit(points)))  # noqa: B023 - called at once
            fast.append(seconds(ours))
        labels = ours()
        if not np.array_equal(labels, rival.labels_):
            raise RuntimeError(f"{name}, eps {eps}: the labels differ")
        ratios.append(statistics.median(slow) / statistics.median(fast))
        ours_ms.append(1e3 * statistics.median(fast))
    print(
        f"{name:<18} eps {eps:<4} {statistics.median(ratios):6.0f}x ({min(ratios):.0f} to "
        f"{max(ratios):.0f}); ours {statistics.median(ours_ms):.1f} ms, "
        f"load {os.getloadavg()[0]:.0f}",
        flush=True,
    )


def memory() -> None:
    """Print what a call takes beside the mask, its labels included: clumps, and every pixel."""
    rng = np.random.default_rng(6)
    for name, mask in (("3e5 points", clumps(rng, 300_000)), ("all", np.ones(_SHAPE, dtype=bool))):
        for eps, min_samples in _RULES:
            extra = extra_mib(
                lambda mask=mask, eps=eps, least=min_samples: lattice_dbscan.lattice_dbscan(
                    mask, eps=eps, min_samples=least
                )
            )
            labels = 4 * np.count_nonzero(mask) / 2**20
            print(f"{name}, eps {eps}: {extra:.1f} MiB, of which labels {labels:.1f}")


def main() -> None:
    """Print mismatches, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    lattice_dbscan.lattice_dbscan(np.eye(30, dtype=bool), eps=15.0, min_samples=2)
    memory()
    compare(arguments.cases)
    rng = np.random.default_rng(5)
    for points in (100_000, 300_000):
        for name, draw in (("clumps", clumps), ("spots", spots)):
            masks = [draw(rng, points) for _ in range(arguments.sets)]
            for eps, min_samples in _RULES:
                race(f"{name} of {points}", masks, eps, min_samples, arguments.rounds)
    for share in (0.01, 0.02, 0.04):
        for eps, min_samples in _RULES:
            masks = [speckles(rng, share) for _ in range(3)]
            race(f"noise {share:.0%}", masks, eps, min_samples, arguments.rounds)


if __name__ == "__main__":
    main()
