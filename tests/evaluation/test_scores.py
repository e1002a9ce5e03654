"""Score tables, and what a label file makes of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.archive.labels import parse_labels
from gibswatch.errors import UsageError
from gibswatch.evaluation import ScoreTable, Target, join_labels, target_kinds
from gibswatch.types import Kind

DAYS = np.arange("2023-01-01", "2023-01-06", dtype="datetime64[D]")
LABELS = parse_labels(
    b"train 2022-12-31 2\ntrain 2023-01-01 \nval 2023-01-02 2\ntest 2023-01-03 3 5\n2023-01-04 1\n"
)


def table(**changes: object) -> ScoreTable:
    made = ScoreTable("m", "image", DAYS, np.array([0.1, 0.9, 0.8, 0.2, 0.3]))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_days_missing_on_either_side_are_listed() -> None:
    joined = join_labels(table(), LABELS)
    assert joined.without_label == (dt.date(2023, 1, 5),)
    assert joined.without_score == (dt.date(2022, 12, 31),)
    assert joined.table.days == tuple(dt.date(2023, 1, day) for day in (1, 2, 3, 4))
    assert joined.table.scores.tolist() == [0.1, 0.9, 0.8, 0.2]


@pytest.mark.parametrize(
    ("target", "truth"),
    [
        ("any", [False, True, True, False]),
        ("missing", [False, True, False, False]),
        ("miscoloration", [False, False, True, False]),
    ],
)
def test_the_target_says_which_codes_are_positive(target: Target, truth: list[bool]) -> None:
    joined = join_labels(table(), LABELS, target).table
    assert joined.truth is not None
    assert joined.truth.tolist() == truth
    assert joined.kinds[dt.date(2023, 1, 3)] == {Kind.MISCOLORATION, Kind.ECLIPSE_MISCOLORATION - 1}


def test_a_split_that_the_table_has_stays() -> None:
    joined = join_labels(table(splits={dt.date(2023, 1, 1): "test"}), LABELS).table
    assert joined.splits == {
        dt.date(2023, 1, 1): "test",
        dt.date(2023, 1, 2): "val",
        dt.date(2023, 1, 3): "test",
    }


def test_another_truth_in_the_table_is_told_and_the_label_file_counts() -> None:
    joined = join_labels(table(truth=np.ones(5, dtype=np.bool_)), LABELS).table
    assert joined.notes == ("2 days have another label in the table: the label file's counts",)
    other = join_labels(table(truth=np.ones(5, dtype=np.bool_), target="missing"), LABELS).table
    assert other.notes == ()


def test_pixels_keep_their_own_truth() -> None:
    dates = np.repeat(DAYS[:2], 2)
    truth = np.array([True, False, False, False])
    pixels = ScoreTable("p", "pixel", dates, np.arange(4.0), truth)
    joined = join_labels(pixels, LABELS).table
    assert joined.truth is not None
    assert joined.truth.tolist() == truth.tolist()
    assert joined.splits == {dt.date(2023, 1, 1): "train", dt.date(2023, 1, 2): "val"}
    with pytest.raises(UsageError, match="add a column `label`"):
        join_labels(replace(pixels, truth=None), LABELS)


def test_labels_of_other_years_are_refused() -> None:
    with pytest.raises(UsageError, match="names none of the 5 days of m"):
        join_labels(table(), parse_labels(b"2001-01-01 2\n"))


def test_columns_of_another_length_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="not the same length"):
        table(scores=np.zeros(4))


def test_rows_of_some_days() -> None:
    kept = table(class_scores={Kind.STALE: np.arange(5.0)}).only([dt.date(2023, 1, 3)])
    assert (kept.scores.tolist(), kept.class_scores[Kind.STALE].tolist()) == ([0.8], [2.0])


def test_a_class_of_multi_has_its_own_code() -> None:
    assert target_kinds("multi", Kind.STRIPES) == {Kind.STRIPES}
    assert Kind.ECLIPSE_MISSING not in target_kinds("any")
