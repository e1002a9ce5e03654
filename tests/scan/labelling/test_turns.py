"""Days chosen in turns: spread over time, and never many of one event."""

from __future__ import annotations

import datetime as dt
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from gibswatch.scan.labelling.turns import take_turns

FIRST = dt.date(2016, 1, 1)
offsets = st.lists(st.integers(0, 60), unique=True, max_size=20)


def days(*numbers: int) -> list[dt.date]:
    return [FIRST + dt.timedelta(days=n) for n in numbers]


def chosen(kinds: list[list[dt.date]], count: int) -> list[int]:
    return [(turn.date - FIRST).days for turn in take_turns(kinds, count)]


def test_kinds_take_turns_and_the_first_day_of_each_goes_first() -> None:
    assert chosen([days(40, 0), days(80, 20, 100)], 4) == [40, 80, 0, 20]


def test_days_of_other_kinds_nearby_come_after_those_far_from_all() -> None:
    assert chosen([days(0, 30), days(1)], 2) == [0, 30]
    assert chosen([days(0, 30), days(1)], 9) == [0, 30, 1]


def test_other_events_nearby_come_last() -> None:
    assert chosen([days(0, 1, 5)], 9) == [0, 5]
    assert chosen([days(*range(10))], 10) == [0, 8]


def test_nothing_of_nothing() -> None:
    assert take_turns([], 3) == []
    assert take_turns([[], []], 3) == []


@given(kinds=st.lists(offsets, max_size=4), count=st.integers(1, 30))
def test_no_day_twice_and_days_of_one_event_are_far_apart(
    kinds: list[list[int]], count: int
) -> None:
    given_days = [days(*numbers) for numbers in kinds]
    turns = take_turns(given_days, count)
    assert len(turns) <= count
    assert all(given_days[turn.kind][turn.place] == turn.date for turn in turns)
    for one, other in combinations(turns, 2):
        assert (one.kind, one.date) != (other.kind, other.date)
        if (one.kind, one.event) == (other.kind, other.event):
            assert abs((one.date - other.date).days) >= 8
