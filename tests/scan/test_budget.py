"""The alert budget: never all days, never more than asked for, and the rate that was asked for."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gibswatch.errors import UsageError
from gibswatch.scan.budget import (
    BELIEVED_UNDER,
    DAYS_A_MONTH,
    FEWEST_DAYS,
    Budget,
    believed_clean,
    calibrate,
    spend,
)
from gibswatch.types import DayItem, Finding, Kind, VerdictName

_SCORES = st.lists(st.integers(0, 59).map(lambda n: n / 100), min_size=FEWEST_DAYS, max_size=200)
_OWN = math.nextafter(0.5, 0.0)
"""The detectors' threshold, as what is exceeded."""
_RATES = st.floats(0.05, 29.9)


def _items(scores: list[float], verdict: VerdictName = "clean") -> list[DayItem]:
    first = dt.date(2020, 1, 1)
    days = [first + dt.timedelta(days=n) for n in range(len(scores))]
    return [DayItem("L", d, verdict, s, "", None) for d, s in zip(days, scores, strict=True)]


@given(_SCORES, _RATES)
def test_never_all_days_and_never_more_than_asked_for(scores: list[float], rate: float) -> None:
    budget = calibrate(scores, rate)
    over = sum(map(budget.is_alert, scores))
    assert over < len(scores)
    assert over <= math.ceil(rate / DAYS_A_MONTH * len(scores))


@given(_SCORES, _RATES, _RATES)
def test_a_larger_budget_never_raises_the_threshold(
    scores: list[float], a: float, b: float
) -> None:
    low, high = sorted((a, b))
    small, large = calibrate(scores, low), calibrate(scores, high)
    alerts = {n for n, score in enumerate(scores) if small.is_alert(score)}
    assert alerts <= {n for n, score in enumerate(scores) if large.is_alert(score)}


@given(st.permutations(range(100)), _RATES, st.integers(0, 99))
def test_a_day_is_judged_by_the_others_alone(order: list[int], rate: float, mine: int) -> None:
    """What a day adds to its own calibration decides nothing, only how many score as high."""
    scores = [n / 200 for n in order]
    place = 101 * (1 - rate / DAYS_A_MONTH)
    assume(1 <= place <= 100)
    others = [score for n, score in enumerate(scores) if n != mine]
    as_high = sum(score >= scores[mine] for score in others)
    assert calibrate(scores, rate).is_alert(scores[mine]) is (as_high < 100 - math.floor(place))


@pytest.mark.parametrize("score", [0.0, 0.3, 0.49, 0.5, 0.55])
def test_where_all_days_are_alike_none_is_an_alert(score: float) -> None:
    budget = calibrate([score] * 200, 3)
    assert budget.threshold == score
    assert not budget.is_alert(score)
    assert budget.expected == 0.0
    assert "their scores tie" in budget.problem
    assert not calibrate([score] * 200, 0.1).is_alert(score)


def test_a_quantile_within_a_tie_flags_fewer() -> None:
    scores = [0.1] * 150 + [0.4] * 48 + [0.45, 0.46]
    budget = calibrate(scores, 3)
    assert budget.threshold == 0.4
    assert sum(map(budget.is_alert, scores)) == 2
    assert budget.expected == pytest.approx(0.3)
    assert str(budget) == (
        "3 alerts a month: threshold 0.40, which 2 days of 200 believed clean exceed: "
        "their scores tie"
    )


def test_what_is_said_of_a_good_calibration() -> None:
    budget = calibrate([n / 1000 for n in range(212)], 3)
    assert str(budget) == (
        "3 alerts a month: threshold 0.19, calibrated on 212 days believed clean"
    )
    assert (budget.expected, budget.problem, budget.days) == (3, "", 212)
    assert str(calibrate([0.1] * 59 + [0.2], 1)).startswith("1 alert a month: ")


@pytest.mark.parametrize("scores", [[], [0.2], [0.2] * (FEWEST_DAYS - 1), [math.nan] * 500])
def test_of_too_few_days_nothing_is_learned(scores: list[float]) -> None:
    budget = calibrate(scores, 3)
    assert (f"{budget.threshold:.2f}", budget.expected) == ("0.50", None)
    assert "are too few, 60 do" in budget.problem
    assert [budget.is_alert(score) for score in (0.49, 0.5, 0.9)] == [False, True, True]


def test_a_rate_that_so_few_days_cannot_tell_takes_the_detectors_own_threshold() -> None:
    scores = [n / 1000 for n in range(100)]
    budget = calibrate(scores, 0.2)  # one in 150 days
    assert budget == replace(budget, threshold=_OWN, expected=None)
    assert "too few for so small a rate" in budget.problem
    weak = calibrate([*scores, 0.56], 0.2)
    assert weak.threshold == 0.56
    assert [weak.is_alert(score) for score in (0.5, 0.56, 0.57)] == [False, False, True]


@pytest.mark.parametrize("rate", [0, -1, 30, 1e9, math.nan, math.inf])
def test_rates_that_no_month_has_are_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="over 0 and under 30"):
        calibrate([0.1] * 100, rate)


def test_clear_findings_do_not_raise_the_threshold() -> None:
    random = np.random.default_rng(0)
    clean = random.beta(20, 30, 300).tolist()
    faulty = random.uniform(0.7, 1.0, 300).tolist()
    assert calibrate([*clean, *faulty], 3) == calibrate(clean, 3)
    assert believed_clean([0.1, math.nan, 0.9, -1.0, BELIEVED_UNDER]) == [0.1]


@pytest.mark.parametrize("per_month", [1.0, 3.0, 10.0])
@pytest.mark.parametrize("days", [60, 107, 400])
def test_days_to_come_exceed_it_as_often_as_asked_for(per_month: float, days: int) -> None:
    """Of days that are like the others: 1,500 calibrations, each asked of 50 new days."""
    random = np.random.default_rng(7)
    scores = random.beta(30, 45, (1500, days + 50))
    alerts = sum(
        sum(map(calibrate(row[:days].tolist(), per_month).is_alert, row[days:].tolist()))
        for row in scores
    )
    rate = DAYS_A_MONTH * alerts / (1500 * 50)
    assert rate == pytest.approx(per_month, rel=0.06)


def test_alerts_are_told_of_judged_days_and_change_nothing_else() -> None:
    finding = Finding(Kind.MISCOLORATION, 0.52, "weak")
    calm = _items([n / 250 for n in range(100)])
    weak = replace(calm[0], verdict="anomalous", score=0.52, findings=(finding,))
    clear = replace(weak, score=0.97)
    none = replace(calm[0], verdict="incomplete", score=0.0)
    items = (*calm, weak, clear, none)
    told, budget = spend(items, 3)
    assert [item.alert for item in told[-3:]] == [True, True, None]
    assert sum(bool(item.alert) for item in told) == 11  # and ten of 101 believed clean
    assert tuple(replace(item, alert=None) for item in told) == items
    assert budget.days == 101
    (strict, _), small = spend([weak, clear], 0.2, others=calm)
    assert small.threshold == 0.52
    assert small.problem == "over all 101 days believed clean: too few for so small a rate"
    assert (strict.alert, strict.verdict, strict.findings) == (False, "anomalous", (finding,))


def test_days_of_earlier_scans_are_learned_from() -> None:
    items, earlier = _items([0.2, 0.45]), _items([n / 250 for n in range(100)])
    told, budget = spend(items, 3, others=[*earlier, *_items([0.3] * 5, "incomplete")])
    assert budget.days == 102
    assert [item.alert for item in told] == [False, True]
    assert spend(items, 3)[1] == Budget(
        3, _OWN, 2, None, "the detector's own: 2 days believed clean are too few, 60 do"
    )
