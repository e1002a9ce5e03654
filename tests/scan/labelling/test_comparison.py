"""Verdicts beside labels: what is compared, and what is only counted."""

from __future__ import annotations

import datetime as dt

from gibswatch.scan.labelling.comparison import codes_of, compare_labels
from gibswatch.scan.labelling.from_sky import SkyLabel
from gibswatch.types import DayItem, Finding, Kind, VerdictName

FIRST = dt.date(2016, 4, 1)


def day(n: int) -> dt.date:
    return FIRST + dt.timedelta(days=n)


def item(n: int, *kinds: int, verdict: VerdictName | None = None) -> DayItem:
    found = tuple(Finding(Kind(kind), 0.9, "seen") for kind in kinds)
    said = verdict or ("anomalous" if any(Kind(k).is_fault for k in kinds) else "clean")
    return DayItem("L", day(n), said, 0.9 if kinds else 0.1, f"reason of {n}", None, found)


def labels(*rows: tuple[int, ...]) -> dict[dt.date, frozenset[Kind]]:
    return {day(n): frozenset(map(Kind, row)) for n, row in enumerate(rows)}


def test_only_whole_days_are_compared() -> None:
    items = [item(0, 2), item(1), item(2, verdict="incomplete"), item(9)]
    found = compare_labels(labels((2,), (), (2,), (3,)), items, {})
    assert (found.labelled, found.judged, found.not_judged) == (4, 2, 1)
    assert (found.without_picture, found.not_labelled) == (1, 1)
    assert {row.days for row in found.pictures} == {2}
    assert found.disagreements == ()


def test_an_incomplete_day_is_never_normal() -> None:
    assert codes_of([item(0, verdict="incomplete"), item(1, verdict="wrong-date")]) == {}


def test_what_differs_is_ranked_and_says_who_has_more() -> None:
    items = [item(0, 1), item(1, 3), item(2), item(3, 2), item(4, 2)]
    found = compare_labels(labels((2,), (2,), (3,), (), (2,)), items, {})
    listed = [(d.date, d.nature) for d in found.disagreements]
    assert listed == [(day(2), "theirs"), (day(1), "both"), (day(3), "ours"), (day(0), "cause")]
    first = found.disagreements[0]
    assert (first.theirs, first.ours, first.reason) == ((Kind(3),), (), "reason of 2")
    assert all(d.has_picture for d in found.disagreements)


def test_the_sky_speaks_only_of_days_without_a_picture() -> None:
    roll = {"roll": "a roll"}
    sky = {day(0): SkyLabel(day(0), roll), day(1): SkyLabel(day(1), roll)}  # type: ignore[arg-type]
    found = compare_labels(labels((), ()), [item(0)], sky)
    assert (found.without_picture, found.told_by_sky) == (1, 1)
    (only,) = found.disagreements
    assert (only.date, only.has_picture, only.nature, only.reason) == (
        day(1), False, "ours", "A roll.",
    )  # fmt: skip
    assert found.sky[0].days == 1


def test_the_sky_does_not_contradict_holes_that_it_cannot_know() -> None:
    sky = {day(0): SkyLabel(day(0), {})}
    assert compare_labels(labels((2, 3)), [], sky).disagreements == ()
    assert len(compare_labels(labels((6,)), [], sky).disagreements) == 1
