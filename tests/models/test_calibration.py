"""Calibration: shares that rise with the score, and mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from gibswatch.models.calibration import fit_calibration


@pytest.mark.parametrize(("count", "method"), [(400, "platt"), (4000, "isotonic")])
def test_calibrated_shares_are_those_seen(count: int, method: str) -> None:
    chance = np.random.default_rng(1)
    true = chance.uniform(size=count)
    faulty = chance.uniform(size=count) < true
    told = true**3 / (true**3 + (1 - true) ** 3)  # too sure of itself
    made = fit_calibration(told, faulty, shares=True)
    shares = made.apply(told)
    assert made.method == method
    assert np.abs(told - true).mean() > 0.1
    assert np.abs(shares - true).mean() < 0.05
    assert (np.diff(shares[np.argsort(told)]) >= 0).all()


def test_scores_without_bounds_keep_their_order() -> None:
    chance = np.random.default_rng(2)
    scores = chance.normal(size=200) * 1000
    made = fit_calibration(scores, scores + chance.normal(size=200) > 300, shares=False)
    shares = made.apply(np.array([-1e300, -5.0, 300.0, 400.0, 1e300]))
    assert (np.diff(shares) >= 0).all()
    assert shares[0] == 0
    assert shares[-1] == 1


def test_a_score_that_tells_nothing_never_means_its_opposite() -> None:
    scores = np.linspace(0, 1, 100)
    made = fit_calibration(scores, scores < 0.3, shares=False)
    assert made.xs[0] > 0
