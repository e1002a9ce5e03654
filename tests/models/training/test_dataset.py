"""Days, classes and splits of an archive and its label file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.archive import split_archive
from gibswatch.errors import UsageError
from gibswatch.models.targets import Target, class_name, class_of
from gibswatch.models.training.dataset import read_days
from gibswatch.types import Kind

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
MISSING, COLOUR, STRIPES = Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION, Kind.STRIPES


@pytest.mark.parametrize(
    ("codes", "classes"),
    [
        ([], (0, 0, 0, 0)),
        ([MISSING], (1, 0, 1, 2)),
        ([COLOUR], (0, 1, 1, 3)),
        ([STRIPES], (0, 0, 1, 7)),
        ([COLOUR, MISSING], (1, 1, 1, 2)),
        ([Kind.MISSING_EXPECTED], (None, None, None, None)),
        ([Kind.ECLIPSE_MISSING, COLOUR], (0, 1, 1, 3)),
    ],
)
def test_classes_of_codes(codes: list[Kind], classes: tuple[int | None, ...]) -> None:
    targets: tuple[Target, ...] = ("missing", "miscoloration", "any", "multi")
    assert tuple(class_of(codes, target) for target in targets) == classes


def test_classes_have_names() -> None:
    assert [class_name(0, "any"), class_name(1, "missing"), class_name(3, "multi")] == [
        "normal", "missing", "code 3",
    ]  # fmt: skip


def test_days_are_in_the_order_of_their_splits(labelled_archive: Path) -> None:
    days = read_days(LAYER, "any", root=labelled_archive)
    assert [len(days.of(split)) for split in ("train", "val", "test")] == [56, 23, 16]
    assert [day.split for day in days.days] == ["train"] * 56 + ["val"] * 23 + ["test"] * 16
    dates = [day.date for day in days.of("train")]
    assert dates == sorted(dates)
    assert (days.explained, days.unsplit, days.skipped) == (1, 0, ())
    assert days.counts["val"] == {0: 17, 1: 6}
    assert dt.date(2023, 2, 20) not in {day.date for day in days.days}  # a scheduled hole


def test_the_hash_changes_with_labels_and_pictures(labelled_copy: Path) -> None:
    first = read_days(LAYER, "any", root=labelled_copy)
    path = first.labels
    text = path.read_text()
    assert read_days(LAYER, "any", root=labelled_copy).sha256 == first.sha256
    path.write_text(text.replace("train 2023-01-01 ", "train 2023-01-01 3"))
    assert read_days(LAYER, "any", root=labelled_copy).sha256 != first.sha256


@pytest.mark.parametrize("by", ["event", "month", "random"])
def test_how_the_days_were_split_is_found_out(labelled_copy: Path, by: str) -> None:
    assert read_days(LAYER, "any", root=labelled_copy).split_by is None
    split_archive(labelled_copy, LAYER, by=by)  # type: ignore[arg-type]
    assert read_days(LAYER, "any", root=labelled_copy).split_by == by
    given = read_days(LAYER, "any", root=labelled_copy, split_by="random")
    assert given.split_by == "random"


def test_labels_without_a_split_say_so(labelled_copy: Path) -> None:
    path = labelled_copy / "4326" / f"{LAYER}.txt"
    path.write_text("2023-01-01 2\n2023-01-02\n")
    with pytest.raises(UsageError, match="puts no day into a split: run `gibswatch split"):
        read_days(LAYER, "any", root=labelled_copy)
    path.write_text("2023-01-01 2\ntrain 2023-01-02\n")
    assert read_days(LAYER, "any", root=labelled_copy).unsplit == 1


def test_days_that_the_archive_does_not_hold_are_told(labelled_copy: Path) -> None:
    path = labelled_copy / "4326" / f"{LAYER}.txt"
    path.write_text("train 2019-01-01 2\n")
    with pytest.raises(UsageError, match="holds no whole picture of the 1 days"):
        read_days(LAYER, "any", root=labelled_copy)
