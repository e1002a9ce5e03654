"""How late a layer is, at a moment that the test chooses, and how long its gaps are."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.domains import days_in, gaps, parse_domain
from gibswatch.catalogue.lateness import gap_spans, lateness, span_text

NOON = dt.datetime(2026, 6, 23, 12)  # noqa: DTZ001 - UTC without a zone


@pytest.mark.parametrize(
    ("domain", "days", "steps", "text"),
    [
        (
            "2015-11-24/2026-06-23/P1D",
            0,
            0,
            "the newest day, 2026-06-23, is not behind today, 2026-06-23 (UTC)",
        ),
        (
            "2015-11-24/2026-06-22/P1D",
            1,
            1,
            "the newest day, 2026-06-22, is 1 day before today, 2026-06-23 (UTC)",
        ),
        (
            "2026-01-01/2026-05-25/P16D",
            29,
            1,
            (
                "the newest step, 2026-05-25, is 29 days (1 step of P16D) before today, "
                "2026-06-23 (UTC)"
            ),
        ),
        (
            "2026-01-01/2026-06-20/P16D",
            13,
            0,
            (
                "the newest step, 2026-06-10, is 13 days (0 steps of P16D) before today, "
                "2026-06-23 (UTC)"
            ),
        ),
        (
            "2002-07-01/2026-03-01/P1M",
            114,
            3,
            (
                "the newest step, 2026-03-01, is 114 days (3 steps of P1M) before today, "
                "2026-06-23 (UTC)"
            ),
        ),
        (
            "2026-06-23T07:40:00Z/2026-06-23T09:30:00Z/PT10M",
            0,
            15,
            (
                "the newest step, 2026-06-23T09:30:00Z, is 2 hours 30 minutes (15 steps of PT10M) "
                "before now, 2026-06-23T12:00:00Z"
            ),
        ),
        (
            "2026-06-23/2026-06-25/P1D",
            0,
            0,
            "the newest day, 2026-06-25, is not behind today, 2026-06-23 (UTC)",
        ),
    ],
)
def test_lateness(domain: str, days: int, steps: int, text: str) -> None:
    late = lateness(parse_domain(domain), NOON)
    assert late is not None
    assert (late.behind.days, late.steps, late.text) == (days, steps, text)


def test_the_newest_step_is_that_of_any_period() -> None:
    late = lateness(parse_domain("2026-01-01/2026-06-23/P1D,2026-05-01/2026-05-02/P1D"), NOON)
    assert late is not None
    assert late.behind == dt.timedelta()


def test_no_time_is_not_late() -> None:
    assert lateness((), NOON) is None


def test_gaps_and_their_lengths() -> None:
    spans = gap_spans(parse_domain("2022-01-01/2022-10-10/P1D,2022-10-23/2022-12-16/P1D"))
    assert [(str(span), span_text(span.length)) for span in spans] == [
        ("2022-10-11..2022-10-22", "12 days")
    ]


def test_gaps_shorter_than_a_day() -> None:
    domain = (
        "2026-06-20T07:40:00Z/2026-06-20T08:00:00Z/PT10M,"
        "2026-06-20T08:30:00Z/2026-06-20T09:00:00Z/PT10M"
    )
    (span,) = gap_spans(parse_domain(domain))
    assert str(span) == "2026-06-20T08:10:00Z..2026-06-20T08:30:00Z"
    assert span_text(span.length) == "20 minutes"


def test_a_series_that_starts_anew_in_january_has_no_gap() -> None:
    assert gap_spans(parse_domain("2024-01-01/2024-12-18/P16D,2025-01-01/2025-02-02/P16D")) == ()


def test_lengths_in_words() -> None:
    assert [span_text(dt.timedelta(seconds=s)) for s in (0, 1, 61, 3600, 90061)] == [
        "no time",
        "1 second",
        "1 minute 1 second",
        "1 hour",
        "1 day 1 hour",
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 60), st.sampled_from(["P1D", "P8D", "P1M"])),
        max_size=12,
    )
)
def test_spans_are_the_gaps_of_the_days(parts: list[tuple[int, int, str]]) -> None:
    first = dt.date(2024, 1, 1)
    texts = []
    for start, length, step in parts:
        begin = first + dt.timedelta(days=start)
        texts.append(f"{begin}/{begin + dt.timedelta(days=length)}/{step}")
    periods = parse_domain(",".join(texts))
    spans = gap_spans(periods)
    assert [(s.start.date(), s.stop.date() - dt.timedelta(days=1)) for s in spans] == list(
        gaps(periods)
    )
    for span in spans:
        assert list(days_in(periods, span.start.date(), span.stop.date())) == []
