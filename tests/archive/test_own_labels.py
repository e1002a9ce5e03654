"""The record of the codes that Gibswatch wrote itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.archive.labels import parse_labels
from gibswatch.archive.layout import Layout
from gibswatch.archive.own_labels import days_of_persons, own_labels_path, read_own, write_own
from gibswatch.errors import ArchiveError
from gibswatch.types import Kind

FIRST, SECOND, THIRD = (dt.date(2016, 4, n) for n in (1, 2, 3))
OWN = {FIRST: frozenset({Kind(2), Kind(3)}), SECOND: frozenset({Kind(1)})}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return own_labels_path(Layout(tmp_path, "A_Layer", 4326))


def test_what_is_written_is_read(path: Path) -> None:
    assert read_own(path) == {}
    write_own(path, OWN)
    assert read_own(path) == OWN
    assert path.name == "A_Layer.labelled.json"


def test_other_codes_than_ours_are_a_persons() -> None:
    labels = parse_labels(
        b"train 2016-04-01 3 2\nval 2016-04-02 2\ntest 2016-04-03 \n2016-04-04 5\n"
    )
    assert days_of_persons(labels, OWN) == {SECOND, dt.date(2016, 4, 4)}
    assert days_of_persons(labels, {}) == {FIRST, SECOND, dt.date(2016, 4, 4)}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2}', '{"version": 1}', '{"version": 1, "days": {"x": [2]}}',
     '{"version": 1, "days": {"2016-04-01": [77]}}', '{"version": 1, "days": {"2016-04-01": 2}}'],
)  # fmt: skip
def test_a_damaged_record_is_an_error_that_names_it(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(ArchiveError, match=r"A_Layer\.labelled\.json is"):
        read_own(path)


def test_a_folder_in_its_place_is_an_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(ArchiveError, match="cannot be read"):
        read_own(path)
