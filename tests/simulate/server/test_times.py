"""Reading times, and snapping them back to the steps of a domain."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.domains import days_in, domain_step, format_domain, parse_domain
from gibswatch.simulate.server.times import daily_runs, has_times, midnight, read_time, snap_back

DAY = dt.date(2023, 8, 7)
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2020, 12, 31))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-08-07", midnight(DAY)),
        ("2023-08-07T10:05:00Z", midnight(DAY) + dt.timedelta(hours=10, minutes=5)),
        ("2023-08-07T10:05:00.000Z", None),
        ("2023-08-07T10:05:00", None),
        ("2023-02-29", None),
        ("2023-08-07T24:00:00Z", None),
        ("\u0662023-08-07", None),
        ("", None),
    ],
)
def test_times_are_read_in_two_forms(text: str, moment: dt.datetime | None) -> None:
    assert read_time(text) == moment


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("2023-01-01/2023-12-01/P1M", False),
        ("2023-01-01T00:00:00Z/2023-01-01T06:00:00Z/PT6M", True),
        ("2023-01-01T12:00:00Z/2023-01-03T12:00:00Z/P1D", True),
        ("", False),
    ],
)
def test_whether_steps_have_times_of_day(domain: str, expected: bool) -> None:
    assert has_times(parse_domain(domain)) is expected


def test_daily_steps_that_begin_at_noon() -> None:
    periods = parse_domain("2023-01-01T12:00:00Z/2023-01-03T12:00:00Z/P1D")
    noon = midnight(dt.date(2023, 1, 2)) + dt.timedelta(hours=12)
    assert snap_back(periods, noon + dt.timedelta(hours=23)) == noon
    assert snap_back(periods, midnight(dt.date(2023, 1, 1))) is None


def test_the_latest_of_overlapping_steps_wins() -> None:
    text = (
        "2023-01-01T00:00:00Z/2023-01-01T06:00:00Z/PT2H,"
        "2023-01-01T01:00:00Z/2023-01-01T01:00:00Z/PT1H"
    )
    found = snap_back(parse_domain(text), midnight(dt.date(2023, 1, 1)) + dt.timedelta(minutes=90))
    assert found == midnight(dt.date(2023, 1, 1)) + dt.timedelta(hours=1)


@given(st.sets(DAYS, min_size=1, max_size=60))
def test_runs_have_the_days_and_no_others(days: set[dt.date]) -> None:
    runs = daily_runs(days)
    assert set(days_in(runs, dt.date(2019, 1, 1), dt.date(2022, 1, 1))) == days
    assert parse_domain(format_domain(runs)) == runs


def test_runs_at_the_ends_of_the_calendar() -> None:
    assert [p.last_day for p in daily_runs({dt.date.min, dt.date.max})] == [
        dt.date.min,
        dt.date.max,
    ]


@given(DAYS, st.sampled_from(["P1D", "P8D", "P1M", "P1Y"]), st.integers(0, 86399))
def test_a_day_and_any_time_of_it_get_the_same_step(day: dt.date, step: str, seconds: int) -> None:
    periods = parse_domain(f"2020-02-01/2020-11-30/{step}")
    expected = domain_step(periods, day)
    found = snap_back(periods, midnight(day) + dt.timedelta(seconds=seconds))
    assert found == (None if expected is None else midnight(expected))
