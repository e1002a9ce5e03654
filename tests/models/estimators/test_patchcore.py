"""PatchCore against the nearest neighbours of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from gibswatch.models.estimators.patchcore import PatchCore, _nearest


def _grids(count: int, patches: int, length: int, seed: int = 0) -> Any:
    chance = np.random.default_rng(seed)
    numbers = chance.normal(size=(count, patches, length)) * np.geomspace(0.1, 100, length) + 5
    return numbers.astype(np.float32)


@pytest.mark.parametrize("length", [1, 7, 200])
def test_distances_are_those_of_brute_force(length: int) -> None:
    train, new = _grids(20, 12, length), _grids(6, 12, length, 1)
    detector = PatchCore(length, bank_size=500).fit(train.reshape(20, -1))
    flat = train.reshape(-1, length).astype(float)
    centre, scale = flat.mean(axis=0), flat.std(axis=0)
    brute = NearestNeighbors(n_neighbors=1, algorithm="brute").fit((flat - centre) / scale)
    ways, _ = brute.kneighbors((new.reshape(-1, length).astype(float) - centre) / scale)
    assert len(detector.bank_) == 240  # there is room for all patches
    np.testing.assert_allclose(
        detector.anomaly_map(new.reshape(6, -1)), ways.reshape(6, 12), rtol=1e-5, atol=1e-6
    )


def test_a_reduced_bank_is_of_patches_and_scores_by_them() -> None:
    train, new = _grids(50, 10, 6), _grids(6, 10, 6, 1)
    detector = PatchCore(6, bank_size=30).fit(train.reshape(50, -1))
    assert detector.bank_.shape == (30, 6)
    flat = (train.reshape(-1, 6) - detector.centre_) / detector.scale_
    everything = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(flat)
    np.testing.assert_allclose(everything.kneighbors(detector.bank_)[0], 0, atol=1e-5)
    bank = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(detector.bank_.astype(float))
    asked = (new.reshape(-1, 6) - detector.centre_) / detector.scale_
    np.testing.assert_allclose(
        detector.anomaly_map(new.reshape(6, -1)).reshape(-1),
        bank.kneighbors(asked)[0][:, 0],
        rtol=1e-5,
    )


def test_patches_of_the_bank_have_distance_zero() -> None:
    train = _grids(10, 5, 4).reshape(10, -1)
    np.testing.assert_array_equal(PatchCore(4).fit(train).anomaly_map(train), 0)


@pytest.mark.parametrize("wide", [1, 7, 64, 100])
def test_blocks_of_the_bank_make_no_difference(wide: int) -> None:
    bank = _grids(1, 100, 3)[0]
    rows = _grids(1, 40, 3, 1)[0].astype(float)
    ways = np.linalg.norm(rows[:, None] - bank[None], axis=2)
    np.testing.assert_array_equal(_nearest(rows, bank, wide), ways.argmin(axis=1))


def test_the_memory_for_scoring_makes_no_difference() -> None:
    train, new = _grids(30, 40, 60), _grids(3, 40, 60, 1)
    small = PatchCore(60, bank_size=400, memory_mb=1).fit(train.reshape(30, -1))
    large = PatchCore(60, bank_size=400, memory_mb=64).adopt(small.weights(), 2400)
    np.testing.assert_allclose(
        small.anomaly_map(new.reshape(3, -1)), large.anomaly_map(new.reshape(3, -1)), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("length", "memory", "size"), [(41, 256, 2000), (41, 1, 799), (2048, 1, 0), (2048, 8, 120)]
)
def test_memory_bounds_the_bank(length: int, memory: int, size: int) -> None:
    detector = PatchCore(length, memory_mb=memory)
    if not size:
        with pytest.raises(ValueError, match="memory_mb=1 is too little for a bank"):
            detector._room(length)
        return
    room, found = detector._room(length)
    assert found == size
    assert room >= 2 * found
    assert found * length * 4 <= memory * 2**20 / 8


def test_the_offset_compares_a_day_with_other_days() -> None:
    # Every patch is in the bank: by its own patches each day would score 0.
    rows = _grids(15, 6, 3).reshape(15, -1)
    detector = PatchCore(3, top=1).fit(rows)
    flat = detector.bank_.reshape(15, 6, 3).astype(float)
    ways = np.linalg.norm(flat[:, :, None, None] - flat[None, None], axis=-1)
    ways[np.arange(15), :, np.arange(15)] = np.inf
    assert -detector.offset_ == pytest.approx(ways.min(axis=(2, 3)).max(), rel=1e-6)


def test_a_bank_of_one_patch_will_do() -> None:
    rows = _grids(5, 4, 3).reshape(5, -1)
    assert np.isfinite(PatchCore(3, bank_size=1).fit(rows).offset_)


def test_days_that_are_all_alike() -> None:
    detector = PatchCore(3).fit(np.tile(_grids(1, 4, 3).reshape(1, -1), (5, 1)))
    assert detector.offset_ == 0
    assert detector.predict(_grids(1, 4, 3, 1).reshape(1, -1)) == [-1]


def test_bank_size_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="bank_size=0"):
        PatchCore(3, bank_size=0).fit(_grids(5, 4, 3).reshape(5, -1))


def test_banks_that_no_fit_gives_are_refused() -> None:
    good = PatchCore(3, bank_size=9).fit(_grids(5, 4, 3).reshape(5, -1)).weights()
    with pytest.raises(ValueError, match="bank is no matrix of 1 to 9 patches"):
        PatchCore(3, bank_size=9).adopt({**good, "bank": np.zeros((10, 3), np.float32)}, 12)
    with pytest.raises(ValueError, match="bank has numbers beyond"):
        PatchCore(3, bank_size=9).adopt({**good, "bank": good["bank"] + np.float32(2e6)}, 12)
