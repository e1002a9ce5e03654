"""Scores of days on which nothing is found: under the threshold, and in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gibswatch.detect.context import clean_score

_EVIDENCE = st.integers(0, 10_000).map(lambda n: n / 10_000)


@given(_EVIDENCE, _EVIDENCE)
def test_the_score_of_a_clean_day_keeps_the_order_under_the_threshold(a: float, b: float) -> None:
    assert clean_score(a) < 0.5
    assert (clean_score(a) < clean_score(b)) is (a < b)


def test_evidence_that_is_far_from_enough_is_the_score() -> None:
    assert [clean_score(score) for score in (0.0, 0.3, 0.48)] == [0.0, 0.3, 0.48]
    assert 0.48 < clean_score(0.49) < clean_score(0.5) < clean_score(1.0) < 0.5
