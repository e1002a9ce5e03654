"""Codes of judged days go into the label file; a person's stay."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.archive.labels import label_path, read_labels
from gibswatch.archive.layout import Layout
from gibswatch.archive.own_labels import days_of_persons, own_labels_path, read_own
from gibswatch.errors import ArchiveError, UsageError
from gibswatch.scan.outputs.labelled import label_days
from gibswatch.types import DayItem, Finding, Kind, VerdictName

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"


def _item(day: int, verdict: VerdictName, *kinds: Kind) -> DayItem:
    findings = tuple(Finding(kind, 0.9, "") for kind in kinds)
    return DayItem(LAYER, dt.date(2016, 4, day), verdict, 0.0, "", None, findings)


ITEMS = (
    _item(1, "clean"),
    _item(2, "anomalous", Kind.MISSING_UNEXPECTED, Kind.MISSING_EXPECTED, Kind.MISSING_UNEXPECTED),
    _item(3, "clean", Kind.ECLIPSE_MISSING),
    _item(4, "incomplete"),
    _item(5, "no-data"),
    _item(6, "clean"),
)


def test_judged_days_get_their_codes_and_others_none(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    outcome = label_days(layout, ITEMS)
    assert (outcome.labelled, outcome.kept, outcome.left_out) == (4, 0, 2)
    assert label_path(layout).read_text().splitlines() == [
        "2016-04-01 ", "2016-04-02 1 2", "2016-04-03 5", "2016-04-06 ",
    ]  # fmt: skip


def test_a_persons_line_stays_byte_for_byte(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    path = label_path(layout)
    path.parent.mkdir(parents=True)
    before = "# mine\r\ntrain   2016-04-01 3\r\n\r\nval 2016-04-02 \r\ntest 2016-04-06 2 4"
    path.write_bytes(before.encode())
    outcome = label_days(layout, ITEMS)
    assert (outcome.labelled, outcome.kept, outcome.left_out) == (2, 2, 2)
    assert "2 kept" in str(outcome)
    lines = path.read_bytes().decode().split("\r\n")
    assert lines == [
        "# mine", "train   2016-04-01 3", "", "val 2016-04-02 1 2", "2016-04-03 5",
        "test 2016-04-06 2 4",
    ]  # fmt: skip


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    label_days(layout, ITEMS)
    before = label_path(layout).read_bytes()
    label_days(layout, ITEMS)
    assert label_path(layout).read_bytes() == before


def test_nothing_judged_makes_no_file(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    assert label_days(layout, ITEMS[3:5]).labelled == 0
    assert not label_path(layout).exists()


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    path = label_path(layout)
    path.parent.mkdir(parents=True)
    path.write_text("tuesday 2\n")
    with pytest.raises(UsageError, match="line 1 cannot be read"):
        label_days(layout, ITEMS)
    assert path.read_text() == "tuesday 2\n"


def test_what_we_wrote_is_told_from_what_a_person_wrote(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    path = label_path(layout)
    path.parent.mkdir(parents=True)
    path.write_text("val 2016-04-02 3\n")
    label_days(layout, ITEMS)
    own = read_own(own_labels_path(layout))
    lines = read_labels(path).labels
    assert own
    assert {day: frozenset(lines[day].codes) for day in own} == own
    assert dt.date(2016, 4, 2) not in own
    assert days_of_persons(read_labels(path), own) == {dt.date(2016, 4, 2)}


def test_a_damaged_record_leaves_the_labels_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    record = own_labels_path(layout)
    record.parent.mkdir(parents=True)
    record.write_text("[]")
    with pytest.raises(ArchiveError, match="is damaged"):
        label_days(layout, ITEMS)
    assert not label_path(layout).exists()
