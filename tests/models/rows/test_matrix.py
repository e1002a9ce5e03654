"""Rows of many days in one file: whole, in order, and picked up where they stopped."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.errors import UsageError
from gibswatch.models.rows.extraction import DayRows, DayTask, definition_for, rows_of_day
from gibswatch.models.rows.matrix import FeatureMatrix, fill_matrix, remove_matrix
from gibswatch.models.training.dataset import read_days
from gibswatch.models.training.request import georeference_of

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


@pytest.fixture(scope="module")
def tasks(labelled_archive: Path) -> list[DayTask]:
    days = read_days(LAYER, "any", root=labelled_archive)
    definition = definition_for("image", georeference_of(days), "hue")
    return [
        DayTask(labelled_archive, LAYER, 4326, day.date, day.number, definition)
        for day in days.days[:12]
    ]


def same(one: FeatureMatrix, other: FeatureMatrix) -> bool:
    pairs: list[tuple[Any, Any]] = [
        (one.features, other.features),
        (one.classes, other.classes),
        (one.dates, other.dates),
    ]
    return all(np.array_equal(a, b) for a, b in pairs) and one.skipped == other.skipped


@pytest.fixture(scope="module")
def whole(tasks: list[DayTask], tmp_path_factory: pytest.TempPathFactory) -> FeatureMatrix:
    return fill_matrix(tmp_path_factory.mktemp("whole"), tasks)


def test_rows_are_those_of_the_days(tasks: list[DayTask], whole: FeatureMatrix) -> None:
    assert whole.features.shape == (12, 10)
    assert isinstance(whole.features, np.memmap)
    assert whole.classes.tolist() == [task.day_class for task in tasks]
    assert whole.dates.tolist() == [task.date for task in tasks]


@pytest.mark.parametrize("cut", ["nothing", "line", "rows", "all rows", "nonsense"])
def test_what_is_there_is_not_made_again(
    tasks: list[DayTask], whole: FeatureMatrix, tmp_path: Path, cut: str
) -> None:
    fill_matrix(tmp_path, tasks[:7])
    rows, days = tmp_path / "features.bin", tmp_path / "days.jsonl"
    if cut == "line":  # killed while it wrote a line: its rows are there
        days.write_bytes(days.read_bytes()[:-9])
    elif cut == "rows":  # a day's rows that came without a line
        rows.write_bytes(rows.read_bytes() + b"1234567")
    elif cut == "all rows":
        rows.write_bytes(b"")
    elif cut == "nonsense":
        days.write_bytes(days.read_bytes() + b"{}\n[]\n")
    told: list[int] = []
    again = fill_matrix(tmp_path, tasks, on_progress=lambda _s, done, _t: told.append(done))
    first = {"nothing": 8, "line": 7, "rows": 8, "all rows": 1, "nonsense": 8}[cut]
    assert told == list(range(first, 13))
    assert same(again, whole)


def test_other_days_are_not_taken_for_these(
    tasks: list[DayTask], whole: FeatureMatrix, tmp_path: Path
) -> None:
    fill_matrix(tmp_path, tasks[3:6])
    assert same(fill_matrix(tmp_path, tasks), whole)


def test_tasks_and_rows_can_go_to_other_processes(
    tasks: list[DayTask], whole: FeatureMatrix
) -> None:
    task = pickle.loads(pickle.dumps(tasks[3]))
    found = pickle.loads(pickle.dumps(rows_of_day(task)))
    assert isinstance(found, DayRows)
    np.testing.assert_array_equal(found.features, whole.features[3:4])


def test_no_readable_day_is_an_error(tasks: list[DayTask], tmp_path: Path) -> None:
    changed: list[Any] = [
        DayTask(tmp_path, t.layer, t.epsg, t.date, t.day_class, t.definition) for t in tasks[:2]
    ]
    with pytest.raises(UsageError, match=r"none of 2 days can be read \(the first: 2023-01-01"):
        fill_matrix(tmp_path, changed)


def test_only_the_rows_are_removed(tasks: list[DayTask], tmp_path: Path) -> None:
    fill_matrix(tmp_path, tasks[:1])
    (tmp_path / "last.npz").touch()
    remove_matrix(tmp_path)
    remove_matrix(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["last.npz"]
