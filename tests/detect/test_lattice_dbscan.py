"""Both ways of clustering pixels against the definition, and against scikit-learn."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect import _lattice_kernels, lattice_dbscan
from gibswatch.detect.lattice_dbscan import lattice_dbscan as labels_of
from gibswatch.detect.lattice_dbscan import lattice_dbscan_plane
from gibswatch.errors import UsageError
from gibswatch.types import BoolArray

Labels = NDArray[np.int32]
Case = tuple[BoolArray, float, int]


def by_definition(mask: BoolArray, eps: float, min_samples: int) -> Labels:
    """Grow clusters from the first core pixel that has none yet, as the paper does."""
    points = np.argwhere(mask)
    squares = ((points[:, np.newaxis] - points) ** 2).sum(axis=2)
    near = squares <= eps * eps
    core = near.sum(axis=1) >= min_samples
    labels = np.full(len(points), -1, dtype=np.int32)
    count = 0
    for seed in np.flatnonzero(core):
        if labels[seed] >= 0:
            continue
        labels[seed] = count
        waiting = [seed]
        while waiting:
            new = np.flatnonzero(near[waiting.pop()] & (labels < 0))
            labels[new] = count
            waiting.extend(new[core[new]])
        count += 1
    return labels


def random_cases(seed: int, count: int, largest: int) -> Iterator[Case]:
    """Noise and clumps of any density; core is about what has the neighbours of the mean."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        shape = np.maximum(rng.integers(-largest // 4, largest, 2), 1)
        mask = rng.random(shape) < rng.choice([0.02, 0.1, 0.3, 0.6, 1.0])
        if rng.random() < 0.5:
            mask &= ndimage.gaussian_filter(rng.random(shape), rng.uniform(0.5, 3)) > 0.5
        eps = rng.choice([0.5, 1, 1.2, 1.5, 1.5, 2, 2.5, 3.5, 7.3, 15, 60])
        usual = mask.mean() * np.pi * max(1, min(eps, largest / 4)) ** 2
        yield mask, float(eps), max(1, round(usual * rng.uniform(0.7, 2.2)))


def both_ways(mask: BoolArray, eps: float, min_samples: int) -> tuple[Labels, Labels]:
    disk = lattice_dbscan._disk(eps, mask.shape)
    compiled = lattice_dbscan._by_kernels(_lattice_kernels, mask, disk, min_samples)
    return compiled, lattice_dbscan._by_numpy(mask, disk, min_samples)


def test_both_ways_are_the_definition() -> None:
    clustered = 0
    for number, case in enumerate(random_cases(1, 120, 32)):
        expected = by_definition(*case)
        for way in both_ways(*case):
            np.testing.assert_array_equal(way, expected, err_msg=f"case {number}: {case[1:]}")
        clustered += len(np.unique(expected)) > 2
    assert clustered > 25  # several clusters, or clusters and noise: the cases are no empty ones


def scikit_learn(mask: BoolArray, eps: float, min_samples: int) -> Labels:
    from sklearn.cluster import DBSCAN

    if not mask.any():
        return np.empty(0, dtype=np.int32)
    labels = DBSCAN(eps=eps, min_samples=min_samples).fit(np.argwhere(mask)).labels_
    return np.asarray(labels, dtype=np.int32)


def test_both_ways_are_scikit_learn() -> None:
    for number, case in enumerate(random_cases(2, 200, 36)):
        expected = scikit_learn(*case)
        for way in both_ways(*case):
            np.testing.assert_array_equal(way, expected, err_msg=f"case {number}")


@pytest.mark.parametrize(("eps", "min_samples", "level"), [(3.5, 30, 0.55), (15.0, 20, 0.03)])
def test_the_rules_of_gibs_ml_are_scikit_learn(eps: float, min_samples: int, level: float) -> None:
    """Clusters, borders and noise in one plane, wider than a word of 64 columns."""
    rng, mixed = np.random.default_rng(6), 0
    for number in range(50):
        shape = (int(rng.integers(60, 160)), int(rng.integers(90, 400)))
        hills = ndimage.gaussian_filter(rng.random(shape), rng.uniform(3, 9))
        hills = (hills - hills.min()) / np.ptp(hills)
        mask = rng.random(shape) < hills * level * rng.uniform(1.0, 2.5)
        expected = scikit_learn(mask, eps, min_samples)
        for way in both_ways(mask, eps, min_samples):
            np.testing.assert_array_equal(way, expected, err_msg=f"case {number}")
        mixed += len(np.unique(expected)) > 2
    assert mixed > 25


def test_a_border_pixel_takes_the_lowest_label() -> None:
    """Two crosses, each with a core of one pixel, share two of their arms."""
    mask = np.zeros((5, 7), dtype=bool)
    mask[0:3, 4] = mask[1, 3:6] = mask[1:4, 3] = mask[2, 2:5] = True
    plane = lattice_dbscan_plane(mask, eps=1.0, min_samples=5)
    assert [plane[1, 4], plane[2, 3]] == [0, 1]
    assert [plane[1, 3], plane[2, 4]] == [0, 0]
    assert [plane[0, 4], plane[1, 5], plane[2, 2], plane[3, 3]] == [0, 0, 1, 1]


def test_clusters_count_from_the_top_left() -> None:
    mask = np.zeros((6, 30), dtype=bool)
    mask[3:, :4] = mask[1:4, 20:] = mask[0, 9:14] = True
    plane = lattice_dbscan_plane(mask, eps=2.0, min_samples=4)
    assert [plane[0, 11], plane[1, 25], plane[4, 1]] == [0, 1, 2]
    np.testing.assert_array_equal(plane[mask], labels_of(mask, eps=2.0, min_samples=4))
    assert (plane[~mask] == -1).all()


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (1, 1), (7, 9)])
def test_without_a_point(shape: tuple[int, int]) -> None:
    assert len(labels_of(np.zeros(shape, dtype=bool), eps=3.5, min_samples=2)) == 0


@pytest.mark.parametrize("step", [1, 2])
def test_any_layout_of_memory(step: int) -> None:
    """Parts of a plane, whose rows do not begin on eight bytes."""
    whole = np.random.default_rng(3).random((40, 61)) < 0.4
    part = whole[3::step, 1::step].T
    expected = by_definition(part, 2.5, 8)
    np.testing.assert_array_equal(labels_of(part, eps=2.5, min_samples=8), expected)
    row = whole[1:]
    expected = by_definition(row, 2.5, 8)
    np.testing.assert_array_equal(labels_of(row, eps=2.5, min_samples=8), expected)


def test_disks_too_large_for_two_bytes() -> None:
    """In a disk of more than 65,535 pixels, every pixel of a full plane is core, or none is."""
    mask = np.ones((50, 700), dtype=bool)
    assert (labels_of(mask, eps=800.0, min_samples=50 * 700) == 0).all()
    assert (labels_of(mask, eps=800.0, min_samples=50 * 700 + 1) == -1).all()
    assert (labels_of(mask[:20, :20], eps=30.0, min_samples=2**70) == -1).all()


def test_without_numba_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.random.default_rng(5).random((30, 30)) < 0.3
    expected = labels_of(mask, eps=2.0, min_samples=4)
    monkeypatch.setitem(sys.modules, "gibswatch.detect._lattice_kernels", None)
    monkeypatch.delattr("gibswatch.detect._lattice_kernels")
    monkeypatch.setattr(lattice_dbscan, "_kernels", lattice_dbscan._kernels.__wrapped__)
    assert lattice_dbscan._kernels() is None
    np.testing.assert_array_equal(labels_of(mask, eps=2.0, min_samples=4), expected)


@pytest.mark.parametrize(
    ("mask", "eps", "min_samples", "named"),
    [
        (np.zeros(4, dtype=bool), 1.0, 1, "1-d bool"),
        (np.zeros((4, 4), dtype=np.uint8), 1.0, 1, "2-d uint8"),
        (np.zeros((4, 4), dtype=bool), 0.0, 1, "not 0.0"),
        (np.zeros((4, 4), dtype=bool), float("nan"), 1, "not nan"),
        (np.zeros((4, 4), dtype=bool), 1.0, 0, "not 0"),
    ],
)
def test_refuses(mask: BoolArray, eps: float, min_samples: int, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        labels_of(mask, eps=eps, min_samples=min_samples)
