"""Which days are suggested, in which order, and why."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.errors import UsageError
from gibswatch.scan.labelling.suggest import Opinions, Suggestion, suggest_days
from gibswatch.types import DayItem, Finding, Kind, VerdictName

FIRST = dt.date(2016, 1, 1)
Codes = dict[dt.date, frozenset[Kind]]


def day(n: int) -> dt.date:
    return FIRST + dt.timedelta(days=n)


def item(n: int, *kinds: int, score: float | None = None) -> DayItem:
    found = tuple(Finding(Kind(kind), 0.95, "seen") for kind in kinds)
    is_bad = any(Kind(kind).is_fault for kind in kinds)
    known = score if score is not None else 0.95 if is_bad else 0.02
    verdict: VerdictName = "anomalous" if is_bad else "clean"
    return DayItem("L", day(n), verdict, known, "", None, found)


def opinions(
    labels: Codes | None = None,
    earlier: Codes | None = None,
    second: Mapping[dt.date, VerdictName] | None = None,
) -> Opinions:
    return Opinions(labels or {}, earlier or {}, second or {}, "another")


def numbers(days: list[Suggestion]) -> list[int]:
    return [(suggestion.date - FIRST).days for suggestion in days]


def codes(*kinds: int) -> frozenset[Kind]:
    return frozenset(map(Kind, kinds))


def test_a_plain_archive_has_nothing_to_suggest() -> None:
    assert suggest_days([item(n) for n in range(50)], 10, opinions()) == []


def test_the_doubtful_come_before_the_sure_and_say_why() -> None:
    items = [item(0, 2), item(20, 2, score=0.52), item(40, 2, score=0.7), item(60, 2)]
    found = suggest_days([*items, *(item(n) for n in range(100, 600))], 3, opinions())
    assert numbers(found) == [20, 40, 0]
    assert found[0].why.startswith("The score 0.52 is just over the threshold")
    assert found[2].why == "Missing data, unexpected is rare: 4 of 504 days."


def test_days_just_under_the_threshold_are_looked_at_too() -> None:
    (only,) = suggest_days([item(0, score=0.48), item(20, score=0.2)], 5, opinions())
    assert (only.date, only.why) == (day(0), "The score 0.48 is just under the threshold.")


def test_rare_kinds_come_first_and_kinds_take_turns() -> None:
    items = [*(item(20 * n, 2) for n in range(10)), item(301, 3), item(330, 3), item(361, 7)]
    items += [item(400 + n) for n in range(2000)]
    found = suggest_days(items, 5, opinions())
    assert [tuple(map(int, s.kinds)) for s in found] == [(7,), (3,), (2,), (3,), (2,)]


def test_one_event_gives_few_days() -> None:
    event = [item(n, 2, score=0.55) for n in range(10)]
    alone = suggest_days(event, 10, opinions())
    assert numbers(alone) == [0, 8]
    found = suggest_days([*event, item(40, 2), item(60, 2), item(80, 2)], 10, opinions())
    assert numbers(found) == [0, 8, 40, 60, 80]


def test_short_events_near_each_other_come_last_one_day_of_each() -> None:
    items = [item(n, 2) for n in (0, 1, 2, 6, 12, 13, 30)]
    assert numbers(suggest_days(items, 3, opinions())) == [0, 12, 30]
    assert numbers(suggest_days(items, 9, opinions())) == [0, 12, 30, 6]


def test_kinds_of_the_same_days_come_after_days_apart() -> None:
    items = [item(0, 2), item(1, 3), item(2, 3), item(30, 3), *(item(n) for n in range(50, 60))]
    assert numbers(suggest_days(items, 2, opinions())) == [0, 30]
    assert numbers(suggest_days(items, 9, opinions())) == [0, 30, 1]


def test_what_a_person_has_labelled_is_never_suggested() -> None:
    items = [item(0, 2, score=0.5), item(30, 2, score=0.6), item(60, score=0.45)]
    labelled = {day(0): codes(2), day(60): codes()}
    assert numbers(suggest_days(items, 5, opinions(labelled))) == [30]


def test_methods_that_differ_are_a_reason() -> None:
    items = [item(n) for n in range(100)]
    second: dict[dt.date, VerdictName] = {day(50): "anomalous", day(70): "incomplete"}
    (only,) = suggest_days(items, 5, opinions(second=second))
    assert only.why == "It is clean here, and anomalous by another."
    assert only.date == day(50)


def test_a_day_between_labelled_days_is_a_reason() -> None:
    beside = {day(49): codes(2, 3), day(51): codes(2)}
    (only,) = suggest_days([item(n) for n in range(100)], 5, opinions(beside))
    assert only.why == "The days before and after are labelled 2, it is not."
    explained = [item(50, 1), *(item(n) for n in range(100, 200))]
    assert "labelled" not in str(suggest_days(explained, 5, opinions(beside)))


def test_what_an_earlier_run_wrote_is_a_reason_where_it_changed() -> None:
    earlier = {day(5): codes(2), day(9): codes()}
    (only,) = suggest_days([item(n) for n in range(20)], 5, opinions(earlier=earlier))
    assert only.why == "An earlier run wrote 2, this one finds nothing."


def test_incomplete_days_are_not_suggested() -> None:
    open_day = DayItem("L", day(0), "incomplete", 0.5, "", None)
    assert suggest_days([open_day], 5, opinions()) == []


@pytest.mark.parametrize("count", [0, -3])
def test_no_days_cannot_be_asked_for(count: int) -> None:
    with pytest.raises(UsageError, match="no number of days"):
        suggest_days([], count, opinions())


@given(
    scores=st.lists(st.floats(0, 1, width=16), min_size=1, max_size=40),
    count=st.integers(1, 20),
    chance=st.randoms(use_true_random=False),
)
def test_the_order_of_the_days_does_not_matter(
    scores: list[float], count: int, chance: random.Random
) -> None:
    items = [item(n, *([2] * (score >= 0.5)), score=score) for n, score in enumerate(scores)]
    mixed = list(items)
    chance.shuffle(mixed)
    found = suggest_days(items, count, opinions())
    assert suggest_days(mixed, count, opinions()) == found
    assert len(found) <= count
    for kinds in {s.kinds for s in found}:
        days = sorted(s.date for s in found if s.kinds == kinds)
        assert all((b - a).days >= 4 for a, b in pairwise(days))  # days of two events, or far
