"""A threshold that new clean days seldom exceed, whatever their scores look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.errors import UsageError
from gibswatch.evaluation.threshold import from_normals, on_table


@pytest.mark.parametrize(
    ("count", "place", "rate"),
    [(29, 29, 1 / 30), (58, 58, 1 / 59), (59, 58, 2 / 60), (89, 87, 3 / 90)],
)
def test_the_order_statistic_of_split_conformal_prediction(
    count: int, place: int, rate: float
) -> None:
    found = from_normals(np.random.default_rng(0).permutation(count) + 1.0, 30)
    assert (found.value, found.normals, found.is_reached) == (place, count, True)
    assert found.rate == pytest.approx(rate)


def test_with_few_days_their_highest_is_taken_and_told() -> None:
    found = from_normals(np.array([0.2, 0.4, 0.3]), 30)
    assert (found.value, found.is_reached) == (0.4, False)
    assert str(found) == (
        "0.4, from 3 clean days of validation: 25.0% expected; "
        "too few for 1 in 30, it is their highest score"
    )


def test_new_days_keep_the_promise_on_average() -> None:
    random = np.random.default_rng(7)
    rates = []
    for _ in range(400):
        scores = random.exponential(size=60 + 200)
        rates.append((scores[60:] > from_normals(scores[:60], 10).value).mean())
    assert np.mean(rates) <= 0.1 + 3 * np.std(rates) / 20
    assert np.mean(rates) > 0.07


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80), st.sampled_from([2, 7, 30]))
def test_the_evaluated_days_themselves_never_exceed_it_more_often(
    scores: list[float], per_days: int
) -> None:
    values = np.array(scores)
    found = on_table(values, per_days)
    assert (values > found.value).sum() * per_days <= len(values)
    assert found.is_reached
    lower = values[values < found.value]
    if len(lower):  # any lower threshold is exceeded too often
        assert (values > lower.max()).sum() * per_days > len(values)


def test_no_days_and_no_rates_are_refused() -> None:
    with pytest.raises(UsageError, match="no clean day to choose"):
        from_normals(np.array([]))
    with pytest.raises(UsageError, match="no clean day among"):
        on_table(np.array([]))
    for rate in (0.0, 1.0, -3.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="--false-alarms"):
            from_normals(np.array([1.0]), rate)
