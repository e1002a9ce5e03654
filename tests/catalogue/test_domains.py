"""Time domains: reading, walking, gaps; the properties hold for every step and any overlap."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.domains import (
    Period,
    Step,
    days_in,
    domain_step,
    format_domain,
    gap_around,
    gaps,
    parse_domain,
    parse_step,
)
from gibswatch.errors import DateRangeError

DAYS = st.dates(dt.date(1995, 1, 1), dt.date(2030, 12, 31))
STEPS = st.one_of(
    st.builds(Step, days=st.integers(1, 40)),
    st.builds(Step, months=st.integers(1, 30)),
    st.builds(Step, seconds=st.integers(1, 86399)),
    st.builds(Step, days=st.integers(1, 3), seconds=st.integers(0, 86399)),
    st.builds(Step, months=st.integers(1, 3), days=st.integers(0, 5)),
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = dt.datetime.combine(draw(DAYS), dt.time())
    step = draw(STEPS)
    if step.seconds:
        start += dt.timedelta(seconds=draw(st.integers(0, 86399)))
    length = dt.timedelta(days=draw(st.integers(0, 400)))
    return Period(start, start + length, step)


DOMAINS = st.lists(periods(), min_size=1, max_size=5).map(lambda ps: tuple(sorted(ps)))


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("P1D", Step(days=1)),
        ("P1429D", Step(days=1429)),
        ("P1M", Step(months=1)),
        ("P1Y", Step(months=12)),
        ("P1Y2M10DT2H30M", Step(months=14, days=10, seconds=9000)),
        ("P1W", Step(days=7)),
        ("PT6M", Step(seconds=360)),
        ("PT39M49S", Step(seconds=2389)),
    ],
)
def test_steps_are_read(text: str, step: Step) -> None:
    assert parse_step(text) == step
    assert parse_step(str(step)) == step


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P0D", "1D", "P1", "P-1D", "PT1D", "P1DT", "p1d", "P1D\n", "P٣D"]
)
def test_bad_steps_are_named(text: str) -> None:
    with pytest.raises(DateRangeError) as caught:
        parse_step(text)
    assert repr(text) in str(caught.value)
    assert "P1D" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("2000-01-01/2000-01-02", "2000-01-01/2000-01-02"),
        ("2000-02-30/2000-03-01/P1D", "2000-02-30"),
        ("2000-03-01/2000-02-01/P1D", "ends before it starts"),
        ("2000-01-01/2000-02-01/P1D,", "''"),
        ("2000-01-01/2000-02-01/daily", "daily"),
        ("20000101/20000201/P1D", "20000101"),
        ("2000-01-01T00:10:00Z", "2000-01-01T00:10:00Z"),
        ("0000-01-01/2000-02-01/P1D", "0000-01-01"),
        ("a\0" * 500, r"a\x00"),
    ],
)
def test_bad_domains_are_named(text: str, named: str) -> None:
    with pytest.raises(DateRangeError) as caught:
        parse_domain(text)
    assert named in str(caught.value)
    assert len(str(caught.value)) < 400


def test_empty_domain_has_no_days() -> None:
    assert parse_domain(" ") == ()
    assert domain_step((), day("2020-01-01")) is None
    assert list(days_in((), dt.date.min, dt.date.max)) == []
    assert gaps(()) == ()


def test_gap_between_two_periods() -> None:
    domain = parse_domain(
        "2002-09-01/2002-09-12/P1D,2002-09-14/2022-03-31/P1D,2022-04-17/2026-06-23/P1D"
    )
    assert gap_around(domain, day("2022-04-10")) == (day("2022-04-01"), day("2022-04-16"))
    assert gap_around(domain, day("2002-09-13")) == (day("2002-09-13"), day("2002-09-13"))
    assert gap_around(domain, day("2002-09-14")) is None
    assert gap_around(domain, day("2002-08-31")) is None
    assert gap_around(domain, day("2026-06-24")) is None
    assert domain_step(domain, day("2022-04-01")) is None


def test_long_steps_start_anew_every_year() -> None:
    domain = parse_domain("2001-01-01/2001-12-19/P16D,2002-01-01/2002-02-02/P16D")
    steps = list(days_in(domain, day("2001-12-01"), day("2003-01-01")))
    assert [str(d) for d in steps] == [
        "2001-12-03", "2001-12-19", "2002-01-01", "2002-01-17", "2002-02-02",
    ]  # fmt: skip
    assert domain_step(domain, day("2001-12-31")) == day("2001-12-19")
    assert domain_step(domain, day("2002-01-01")) == day("2002-01-01")
    assert domain_step(domain, day("2002-02-17")) == day("2002-02-02")
    assert domain_step(domain, day("2002-02-18")) is None


def test_months_and_years_follow_the_calendar() -> None:
    months = parse_domain("2000-01-31/2000-05-31/P1M")
    assert [str(d) for d in days_in(months, dt.date.min, dt.date.max)] == [
        "2000-01-31", "2000-02-29", "2000-03-31", "2000-04-30", "2000-05-31",
    ]  # fmt: skip
    years = parse_domain("2012-01-01/2012-01-01/P1Y,2016-01-01/2016-01-01/P1Y")
    assert domain_step(years, day("2012-03-11")) == day("2012-01-01")
    assert domain_step(years, day("2013-01-01")) is None
    assert gaps(years) == ((day("2013-01-01"), day("2015-12-31")),)


def test_sub_daily_domain_gives_days() -> None:
    domain = parse_domain("2026-03-25T01:42:00Z/2026-03-27T01:42:00Z/PT6M")
    assert [d.day for d in days_in(domain, day("2026-03-01"), day("2026-03-27"))] == [25, 26]
    assert domain_step(domain, day("2026-03-27")) == day("2026-03-27")
    assert domain_step(domain, day("2026-03-28")) is None
    assert format_domain(domain) == "2026-03-25T01:42:00Z/2026-03-27T01:42:00Z/PT6M"


def test_the_end_of_the_calendar_is_not_passed() -> None:
    domain = parse_domain("9999-12-01/9999-12-31/P1M,9999-12-30/9999-12-31/P1Y")
    assert domain[0].last_covered_day == dt.date.max
    assert domain_step(domain, dt.date.max) == day("9999-12-30")
    assert gaps(domain) == ()


@given(DOMAINS)
def test_format_and_parse_are_inverse(domain: tuple[Period, ...]) -> None:
    assert parse_domain(format_domain(domain)) == domain


@given(DOMAINS, DAYS)
def test_step_is_the_last_one_not_after_the_day(domain: tuple[Period, ...], when: dt.date) -> None:
    steps = list(days_in(domain, dt.date.min, when + dt.timedelta(days=1)))
    assert steps == sorted(set(steps))
    found = domain_step(domain, when)
    if steps and steps[-1] == when:
        assert found == when
    if found is not None:
        assert found in steps


@given(DOMAINS, DAYS, DAYS)
def test_days_in_cuts_the_whole_list(
    domain: tuple[Period, ...], start: dt.date, stop: dt.date
) -> None:
    everything = days_in(domain, dt.date.min, dt.date.max)
    assert list(days_in(domain, start, stop)) == [d for d in everything if start <= d < stop]


@given(DOMAINS, st.integers(0, 3000))
def test_a_day_inside_is_in_a_step_or_in_a_gap(domain: tuple[Period, ...], offset: int) -> None:
    first = domain[0].first_day
    last = max(p.last_covered_day for p in domain)
    when = first + dt.timedelta(days=offset % ((last - first).days + 1))
    gap = gap_around(domain, when)
    assert (domain_step(domain, when) is None) == (gap is not None)
    if gap is not None:
        outside = (gap[0] - dt.timedelta(days=1), gap[1] + dt.timedelta(days=1))
        assert all(domain_step(domain, d) is not None for d in outside)
