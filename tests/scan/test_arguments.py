"""Tests of what people write in a notebook."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gibswatch as gw
from gibswatch.errors import BoundsError, DateRangeError, UsageError
from gibswatch.scan import Workers
from gibswatch.scan.arguments import as_box, as_day, as_paths, as_workers
from gibswatch.types import BBox

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


def test_a_box_is_four_numbers() -> None:
    box = BBox(-36, -18, 0, 18)
    assert as_box((-36, -18, 0, 18)) == as_box([-36.0, -18, 0, 18]) == as_box(box) == box
    assert as_box(None) is None
    for wrong in ((1, 2, 3), "abcd", (1, 2, 3, "x"), 5):
        with pytest.raises(BoundsError, match="four numbers W S E N"):
            as_box(wrong)  # type: ignore[arg-type]


def test_a_day_is_a_date_a_datetime_or_text() -> None:
    day = dt.date(2023, 8, 7)
    noon = dt.datetime(2023, 8, 7, 12, tzinfo=dt.UTC)
    assert as_day(day) == as_day(noon) == as_day("2023-08-07") == day
    assert type(as_day(noon)) is dt.date
    for wrong in ("yesterday", "2023-02-30", 5):
        with pytest.raises(DateRangeError, match="YYYY-MM-DD"):
            as_day(wrong)  # type: ignore[arg-type]


def test_workers_may_be_a_number() -> None:
    assert as_workers(2) == Workers(2)
    assert as_workers(None) == Workers(1)
    assert as_workers(Workers(3)) == Workers(3)


def test_one_path_is_a_list_of_one() -> None:
    assert as_paths("a.jpg") == as_paths(Path("a.jpg")) == as_paths(["a.jpg"]) == [Path("a.jpg")]
    with pytest.raises(UsageError, match="no picture"):
        as_paths([])


def test_inspect_takes_all_of_them_and_says_where_bounds_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(np.full((64, 64, 3), 90, dtype=np.uint8)).save(path)
    fitting = gw.inspect(str(path), _LAYER, bounds=(0, 0, 18, 18), date="2023-08-07", workers=1)
    assert fitting.notes == ()
    assert fitting.items[0].date == dt.date(2023, 8, 7)
    (note,) = gw.inspect(path, _LAYER).notes
    assert note.startswith("a.jpg has 64x64 pixels, which does not fit bounds -180 -90 180 90")
