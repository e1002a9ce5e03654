"""PaDiM against the covariances and distances of numpy and scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from gibswatch.models.estimators.padim import PaDiM


def _grids(count: int, patches: int, length: int, seed: int = 0) -> Any:
    chance = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(patches, length, length))
    numbers = np.einsum("mpi,pij->mpj", chance.normal(size=(count, patches, length)), mixing)
    return (numbers * np.geomspace(0.1, 100, length) + 5).astype(np.float32)


def _reference(train: Any, new: Any, eps: float) -> Any:
    """Distances (m, P), in plain steps."""
    days, patches, length = train.shape
    flat = train.reshape(-1, length).astype(float)
    scaled, asked = ((g.astype(float) - flat.mean(axis=0)) / flat.std(axis=0) for g in (train, new))
    found = np.empty(new.shape[:2])
    for place in range(patches):
        cov = np.cov(scaled[:, place].T).reshape(length, length)
        cov = (days * cov + length * np.diag(np.diag(cov))) / (days + length)
        inverse = np.linalg.inv(cov + eps * np.eye(length))
        mean = scaled[:, place].mean(axis=0)
        found[:, place] = [mahalanobis(row, mean, inverse) for row in asked[:, place]]
    return found


@pytest.mark.parametrize("days", [2, 5, 64, 65, 200])
@pytest.mark.parametrize(("patches", "length", "eps"), [(6, 4, 0.01), (1, 9, 1e-6), (7, 1, 1.0)])
def test_distances_are_those_of_scipy(days: int, patches: int, length: int, eps: float) -> None:
    train, new = _grids(days, patches, length), _grids(10, patches, length, 1)
    detector = PaDiM(length, eps=eps).fit(train.reshape(days, -1))
    np.testing.assert_allclose(
        detector.anomaly_map(new.reshape(10, -1)), _reference(train, new, eps), rtol=1e-6
    )


def test_numbers_far_from_zero_lose_nothing() -> None:
    train, new = (_grids(50, 3, 4, seed).astype(float) for seed in (0, 1))
    near, far = (
        PaDiM(4).fit((train + shift).reshape(50, -1)).anomaly_map((new + shift).reshape(50, -1))
        for shift in (0.0, 1e6)
    )
    np.testing.assert_allclose(far, near, rtol=1e-6)


def test_the_kept_numbers_are_drawn_and_the_rest_does_not_count() -> None:
    train = _grids(40, 3, 20)
    detector = PaDiM(20, dimensions=6, random_state=3).fit(train.reshape(40, -1))
    assert detector.selected_.tolist() == sorted(set(detector.selected_.tolist()))
    assert detector.whitening_.shape == (3, 6, 6)
    alone = PaDiM(6).fit(train[:, :, detector.selected_].reshape(40, -1))
    new = _grids(5, 3, 20, 1)
    np.testing.assert_allclose(
        detector.anomaly_map(new.reshape(5, -1)),
        alone.anomaly_map(new[:, :, detector.selected_].reshape(5, -1)),
    )


@pytest.mark.parametrize(("patches", "kept"), [(1, 50), (100, 29), (500, 12), (2000, 5)])
def test_memory_bounds_the_numbers_that_are_kept(patches: int, kept: int) -> None:
    detector = PaDiM(50, memory_mb=1)
    assert detector._dimensions(patches, 50) == kept
    assert patches * kept**2 * 8 <= 2**20


def test_down_to_one_number_and_no_further() -> None:
    assert PaDiM(2, memory_mb=1)._dimensions(20_000, 2) == 1
    with pytest.raises(ValueError, match="memory_mb=1 is too little for the Gaussians of 30000"):
        PaDiM(2, memory_mb=1)._dimensions(30_000, 2)


def test_leaving_a_day_out_is_near_to_fitting_without_it() -> None:
    train = _grids(25, 4, 3)
    rows = train.reshape(25, -1)
    highest = [
        PaDiM(3, top=1).fit(np.delete(rows, day, axis=0)).anomaly_score(rows[day : day + 1])[0]
        for day in range(25)
    ]
    known = PaDiM(3, top=1).fit(rows)
    assert -known.offset_ == pytest.approx(max(highest), rel=0.15)
    assert known.anomaly_score(rows).max() < 0.85 * max(highest)


@pytest.mark.parametrize("eps", [0.0, -1.0, float("nan"), float("inf")])
def test_eps_out_of_range_is_refused(eps: float) -> None:
    with pytest.raises(ValueError, match="eps"):
        PaDiM(4, eps=eps).fit(_grids(5, 2, 4).reshape(5, -1))


def test_dimensions_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="dimensions=0"):
        PaDiM(4, dimensions=0).fit(_grids(5, 2, 4).reshape(5, -1))


@pytest.mark.parametrize("chosen", [[0, 1, 20], [-1, 1, 2], [1, 1, 2], [2, 1, 0]])
def test_numbers_of_a_patch_that_are_not_there_are_refused(chosen: list[int]) -> None:
    good = PaDiM(20, dimensions=3).fit(_grids(9, 2, 20).reshape(9, -1)).weights()
    with pytest.raises(ValueError, match="selected are no rising numbers"):
        PaDiM(20, dimensions=3).adopt({**good, "selected": np.array(chosen)}, 40)


@pytest.mark.parametrize(("name", "value"), [("whitening", -10.1), ("location", 1.1e6)])
def test_gaussians_that_no_fit_gives_are_refused(name: str, value: float) -> None:
    good = PaDiM(4).fit(_grids(9, 2, 4).reshape(9, -1)).weights()
    good[name].reshape(-1)[0] = value
    with pytest.raises(ValueError, match=f"{name} has numbers beyond"):
        PaDiM(4).adopt(good, 8)
