"""Tables of agreement, against counts by hand and scikit-learn."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from sklearn.metrics import cohen_kappa_score

from gibswatch.scan.labelling.agreement import (
    AgreementRow,
    agreement_rows,
    count_row,
    matching,
    unmatched,
)
from gibswatch.types import Kind

FIRST = dt.date(2016, 4, 1)


def codes(*rows: str) -> dict[dt.date, frozenset[Kind]]:
    """Give a day to each text of codes, from `FIRST` on."""
    return {
        FIRST + dt.timedelta(days=n): frozenset(Kind(int(code)) for code in row.split())
        for n, row in enumerate(rows)
    }


def row_of(rows: tuple[AgreementRow, ...], name: str) -> tuple[int, int, int, int]:
    (row,) = (r for r in rows if r.name.startswith(name))
    return (row.both, row.only_theirs, row.only_ours, row.neither)


THEIRS = codes("2", "", "2 3", "5", "2", "")
OURS = codes("2", "", "3", "5", "1", "7")


def test_each_code_is_counted_as_it_stands() -> None:
    rows = agreement_rows(THEIRS, OURS)
    assert row_of(rows, "1 ") == (0, 0, 1, 5)
    assert row_of(rows, "2 ") == (1, 2, 0, 3)
    assert row_of(rows, "3 ") == (1, 0, 0, 5)
    assert row_of(rows, "5 ") == (1, 0, 0, 5)
    assert row_of(rows, "7 ") == (0, 0, 1, 5)


def test_codes_of_another_cause_match_in_a_row_of_their_own() -> None:
    rows = agreement_rows(THEIRS, OURS)
    assert row_of(rows, "any missing data") == (3, 1, 0, 2)  # 2 and 1 are the same hole
    assert row_of(rows, "any eclipse") == (1, 0, 0, 5)
    assert row_of(rows, "any fault") == (2, 1, 1, 2)
    assert row_of(rows, "any code") == (4, 0, 1, 1)
    missing = next(row for row in rows if row.name == "any missing data")
    assert {int(kind) for kind in missing.theirs} == {1, 2, 5}


def test_the_predecessors_codes_always_have_a_row_and_ours_only_where_they_occur() -> None:
    names = [row.name[0] for row in agreement_rows(codes("", ""), codes("", "9"))]
    assert names == ["1", "2", "3", "4", "5", "6", "9", *"aaaaa"]


def test_days_that_only_one_side_knows_do_not_count() -> None:
    rows = agreement_rows(codes("2", "2", "2"), codes("2"))
    assert {row.days for row in rows} == {1}


def test_kappa_is_scikit_learns() -> None:
    chance = random.Random(4)
    days = [FIRST + dt.timedelta(days=n) for n in range(200)]
    two = frozenset({Kind.MISSING_UNEXPECTED})
    theirs = {day: two if chance.random() < 0.2 else frozenset() for day in days}
    ours = {day: two if chance.random() < 0.3 else theirs[day] for day in days}
    row = count_row("2", days, theirs, ours, kinds=two)
    expected = cohen_kappa_score([bool(theirs[d]) for d in days], [bool(ours[d]) for d in days])
    assert row.kappa == pytest.approx(expected)
    assert row.agreement == pytest.approx(sum(theirs[d] == ours[d] for d in days) / 200)
    assert row.by_chance == pytest.approx(
        sum(map(bool, theirs.values())) * sum(map(bool, ours.values())) / 200
    )


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (0, 0, 0, 9), (9, 0, 0, 0), (0, 5, 0, 4)])
def test_where_one_side_has_no_choice_there_is_no_kappa(counts: tuple[int, ...]) -> None:
    row = AgreementRow("x", frozenset(), frozenset(), *counts)
    assert row.kappa is None
    assert (row.agreement is None) == (row.days == 0)
    assert row.by_chance >= 0


def test_codes_match_within_a_family_alone() -> None:
    assert {int(k) for k in matching(Kind.MISSING_EXPECTED)} == {1, 2, 5}
    assert {int(k) for k in matching(Kind.MISCOLORATION)} == {3, 6}
    assert {int(k) for k in matching(Kind.EDGE_WARPING)} == {4}
    assert unmatched({Kind(2), Kind(3)}, {Kind(5)}) == {Kind(3)}
    assert unmatched({Kind(7)}, {Kind(2)}) == {Kind(7)}
