"""Tests of the numbers at the head of the report, and of what a day is in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from gibswatch.report.status import day_id, level_of, status_of, worldview_of
from gibswatch.report.summary import (
    budget_words,
    headline,
    range_words,
    runs_without_verdict,
    totals,
)
from gibswatch.scan.budget import Budget
from gibswatch.types import DayItem, Finding, IncompleteCause, Kind, VerdictName

_FIRST = dt.date(2023, 8, 1)


def _item(
    n: int,
    verdict: VerdictName = "clean",
    *findings: Finding,
    reason: str = "",
    cause: IncompleteCause | None = None,
    score: float = 0.1,
) -> DayItem:
    day = _FIRST + dt.timedelta(days=n)
    return DayItem("L", day, verdict, score, reason, None, findings, cause)


_HOLE = Finding(Kind.MISSING_UNEXPECTED, 0.9, "", 2.5e6)
_ONE_BAD = (
    "1 of 2 judged days shows something that nothing explains. "
    "The largest is 2.5 million km², on 2 August 2023."
)
_ROLL = Finding(Kind.MISSING_EXPECTED, 0.1, "", 8e6)


def test_an_explained_day_is_a_clean_one_with_findings() -> None:
    assert status_of(_item(0, "clean", _ROLL)) == "explained"
    assert status_of(_item(0)) == "clean"
    assert status_of(_item(0, "anomalous", _ROLL, _HOLE)) == "anomalous"


def test_totals_count_every_day_once() -> None:
    items = [_item(0), _item(1, "clean", _ROLL), _item(2, "anomalous", _HOLE), _item(3, "no-data")]
    found = {total.status: total.count for total in totals(items)}
    assert found == {"anomalous": 1, "explained": 1, "clean": 1, "incomplete": 0, "no-data": 1}
    assert sum(total.share for total in totals(items)) == 1.0
    assert [total.count for total in totals([])] == [0, 0, 0, 0]


def test_a_budget_in_words() -> None:
    budget = Budget(3, 0.413, 212, 3)
    items = [
        replace(item, alert=alert)
        for item, alert in (
            (_item(0, score=0.45), True),
            (_item(1, "anomalous", _HOLE, score=0.9), True),
            (_item(2), False),
            (_item(3, "no-data"), None),
        )
    ]
    assert budget_words(budget, items) == (
        "3 alerts a month: threshold 0.41, calibrated on 212 days believed clean. "
        "Here 2 days are over it, 1 of them by score alone, without a finding."
    )
    weak = replace(_item(4, "anomalous", _HOLE), alert=False)
    assert "Here 1 day is over it, 0 of them by score alone" in budget_words(budget, [items[1]])
    assert budget_words(budget, [weak]).endswith("; 1 day with a weak finding under it.")
    assert budget_words(None, items) == ""


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([_item(0, "no-data")], "No day could be judged."),
        ([_item(0)], "Nothing unexplained on the 1 judged day."),
        ([_item(0), _item(1, "clean", _ROLL)], "Nothing unexplained on any of 2 judged days."),
        ([_item(0), _item(1, "anomalous", _ROLL, _HOLE), _item(2, "incomplete")], _ONE_BAD),
        ([_item(0, "anomalous")], "1 of 1 judged day shows something that nothing explains."),
    ],
)
def test_headline(items: list[DayItem], words: str) -> None:
    assert headline(items) == words


def test_range_words() -> None:
    assert range_words([_item(0), _item(30)]) == "1 August 2023 to 31 August 2023"
    assert range_words([_item(0)]) == "1 August 2023"
    assert range_words([]).startswith("No day of the range")


def test_days_in_a_row_without_a_verdict_are_one_line() -> None:
    items = [
        _item(0, "no-data", reason="gap"), _item(1, "no-data", reason="gap"), _item(2),
        _item(3, "no-data", reason="gap"), _item(4, "incomplete", reason="gap", cause="network"),
        _item(5, "incomplete", reason="gap", cause="server"),
    ]  # fmt: skip
    runs = runs_without_verdict(items)
    assert [(run.first.date, run.days) for run in runs] == [
        (items[0].date, 2), (items[3].date, 1), (items[4].date, 1), (items[5].date, 1),
    ]  # fmt: skip


def test_levels_rise_with_the_score() -> None:
    scores = (0.5, 0.7, 0.95)
    assert [level_of(_item(0, "anomalous", score=s)) for s in scores] == [0, 1, 2]
    assert [level_of(_item(0, score=s)) for s in (0.0, 0.06, 0.2, 0.45)] == [0, 1, 2, 3]
    assert level_of(_item(0, "incomplete")) == 0


def test_only_links_to_worldview_are_links() -> None:
    item = _item(0)
    assert worldview_of(item) is None
    for link, kept in (
        ("https://worldview.earthdata.nasa.gov/?l=L", True),
        ("https://worldview.earthdata.nasa.gov.evil.org/", False),
        ("javascript:alert(1)", False),
    ):
        linked = DayItem("L", _FIRST, "clean", 0, "", None, worldview=link)
        assert (worldview_of(linked) == link) is kept


def test_day_id() -> None:
    assert day_id(_FIRST) == "d2023-08-01"
    assert day_id(None, 3) == "picture-3"
