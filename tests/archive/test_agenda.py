"""Which days a run asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.archive import DayRecord, plan_run
from gibswatch.catalogue import find_layer
from gibswatch.errors import DateRangeError

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
FIRST = dt.date(2023, 8, 1)


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def held(*days: int, broken: tuple[int, ...] = ()) -> Mapping[dt.date, DayRecord]:
    """Return an archive of days, counted from the first."""
    return {
        day(n): DayRecord(day(n), complete=n not in broken, picture=None, finished_at="")
        for n in days
    }


def test_a_run_goes_on_after_the_last_day_checked() -> None:
    agenda = plan_run(LAYER, held(0, 1, 2), None, day(5))
    assert agenda.days == (day(3), day(4))
    assert (agenda.continued_after, agenda.again, agenda.started_late) == (day(2), (), False)


def test_days_that_were_not_whole_come_first() -> None:
    agenda = plan_run(LAYER, held(0, 1, 2, 3, broken=(1, 3)), None, day(5))
    assert agenda.days == (day(1), day(3), day(4))
    assert agenda.again == (day(1), day(3))


def test_nothing_left_is_no_error() -> None:
    assert plan_run(LAYER, held(0, 1), None, day(2)).days == ()
    assert plan_run(LAYER, held(0, 1, 2), None, day(1)).days == ()
    assert plan_run(LAYER, held(0, 1, broken=(0,)), None, day(2)).days == (day(0),)


def test_days_behind_the_end_are_left_alone() -> None:
    assert plan_run(LAYER, held(0, 1, 2, broken=(0, 2)), None, day(2)).days == (day(0),)


def test_what_a_killed_run_left_out_is_asked_for() -> None:
    agenda = plan_run(LAYER, held(0, 1, 4, 6), None, day(8))
    assert agenda.again == (day(2), day(3), day(5))
    assert agenda.days == (*agenda.again, day(7))


def test_what_somebody_left_out_is_not() -> None:
    agenda = plan_run(LAYER, held(0, 40), None, day(42))
    assert agenda.days == (day(41),)


def test_an_empty_archive_begins_with_the_layer() -> None:
    agenda = plan_run(LAYER, {}, None, dt.date(2000, 2, 26))
    assert agenda.days == (dt.date(2000, 2, 24), dt.date(2000, 2, 25))
    assert agenda.continued_after is None


def test_a_start_is_exactly_that_range() -> None:
    agenda = plan_run(LAYER, held(0, 1, 2, broken=(0, 1)), day(1), day(4))
    assert agenda.days == (day(1), day(2), day(3))
    assert agenda.again == (day(1),)
    early = plan_run(LAYER, {}, dt.date(2000, 2, 20), dt.date(2000, 2, 25))
    assert (early.started_late, early.days) == (True, (dt.date(2000, 2, 24),))


def test_gaps_of_the_domain_are_said_and_not_asked_for() -> None:
    agenda = plan_run(LAYER, {}, dt.date(2022, 10, 9), dt.date(2022, 10, 24))
    assert agenda.gaps == tuple(dt.date(2022, 10, n) for n in range(11, 23))
    assert not set(agenda.gaps) & set(agenda.days)


def test_a_coarser_layer_is_asked_for_once_a_step() -> None:
    eight = replace(LAYER, domain="2023-01-01/2023-02-10/P8D", cadence="P8D", ongoing=False)
    steps = [dt.date(2023, 1, n) for n in (1, 9, 17, 25)] + [dt.date(2023, 2, 2)]
    assert plan_run(eight, {}, None, dt.date(2023, 2, 5)).days == tuple(steps)
    known = {steps[0]: DayRecord(steps[0], complete=True, picture=None, finished_at="")}
    assert plan_run(eight, known, None, dt.date(2023, 1, 20)).days == tuple(steps[1:3])


def test_what_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(DateRangeError, match="not before"):
        plan_run(LAYER, {}, day(3), day(3))
    with pytest.raises(DateRangeError, match="several pictures a day"):
        plan_run(replace(LAYER, cadence="PT10M"), {}, day(3), day(4))
    with pytest.raises(DateRangeError, match="give --start-date"):
        plan_run(replace(LAYER, domain=""), {}, None, day(4))


@given(st.sets(st.integers(0, 20), min_size=1), st.data(), st.integers(1, 25))
def test_run_after_run_leaves_no_day_out(known: set[int], data: st.DataObject, end: int) -> None:
    broken = data.draw(st.sets(st.sampled_from(sorted(known))))
    records = dict(held(*known, broken=tuple(broken)))
    agenda = plan_run(LAYER, records, None, day(end))
    assert len(set(agenda.days)) == len(agenda.days)
    whole = {one for one, record in records.items() if record.complete}
    assert not whole & set(agenda.days)
    wanted = {day(n) for n in range(min(known), end)} - whole
    assert set(agenda.days) == wanted | {one for one in agenda.days if one < min(records)}


def test_a_killed_run_that_lost_the_layers_first_day_asks_for_it_again() -> None:
    first = LAYER.start_date
    assert first is not None
    days = [first + dt.timedelta(days=n) for n in range(6)]
    there = {d: DayRecord(d, True, None, "") for d in (days[1], days[2], days[4])}
    assert plan_run(LAYER, there, None, days[5]).again == (days[0], days[3])
