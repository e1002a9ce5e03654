"""Thresholds by normal days, and measures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.models.judging import choose_threshold, measure


@given(
    scores=st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=200),
    per_days=st.integers(1, 60),
)
def test_no_more_normal_days_are_called_than_allowed(scores: list[float], per_days: int) -> None:
    values = np.array(scores)
    if per_days == 1:  # all may be called: nothing to choose
        return
    called = int((values > choose_threshold(values, per_days)).sum())
    assert called <= len(scores) // per_days
    lower = values[values < choose_threshold(values, per_days)]
    if len(lower):  # and it is the lowest such threshold
        assert (values > lower.max()).sum() > len(scores) // per_days


def test_measures_of_a_known_order() -> None:
    scores, faulty = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    found = measure(scores, faulty, 0.37)
    assert found["auroc"] == 0.75
    assert found["average_precision"] == pytest.approx(0.8333, abs=1e-4)
    assert (found["recall"], found["false_alarm_rate"], found["base_rate"]) == (0.5, 0.5, 0.5)
    assert measure(scores, np.zeros(4, dtype=bool), 0.5) == {
        "base_rate": 0.0, "false_alarm_rate": 0.25,
    }  # fmt: skip
