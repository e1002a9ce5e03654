"""Days that look alike, from the records of the first pass to the pictures that a worker reads."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pytest

from gibswatch.catalogue import find_layer
from gibswatch.raster import scene_from_picture
from gibswatch.raster.observe import Observation
from gibswatch.scan import inspect
from gibswatch.scan.judging.alike import alike_days, read_alike, scene_likeness
from gibswatch.scan.judging.judge import Sighting, day_tasks
from gibswatch.scan.pictures import Picture, PictureFile
from gibswatch.types import BBox, ByteArray, Georeference, Kind

_TRUE = "MODIS_Terra_CorrectedReflectance_TrueColor"
_TILE = (-36.0, -18.0, 0.0, 18.0)
_FIRST = dt.date(2023, 3, 1)


def _record(seed: int) -> ByteArray:
    return np.random.default_rng(seed).integers(20, 250, (64, 128), dtype=np.uint8)


def _day(number: int) -> dt.date:
    return _FIRST + dt.timedelta(days=number)


def test_pairs_are_found_both_ways_and_whatever_their_order() -> None:
    records = [(_day(n), _record(n)) for n in (4, 0, 1, 2, 3)]
    assert alike_days([*records, (_day(5), _record(2))]) == {5: (3,), 3: (5,)}


def test_days_far_apart_and_pictures_without_a_date_or_a_record_are_left_out() -> None:
    records = [(_day(n), _record(n)) for n in range(5)]
    assert alike_days([*records, (_day(40), _record(2))]) == {}
    assert alike_days([*records, (None, _record(2)), (_day(6), None)]) == {}
    assert alike_days([(_day(0), _record(1)), (_day(1), _record(1))]) == {}  # too few to say


def test_only_imagery_has_a_record() -> None:
    pixels = np.full((16, 32, 3), 90, dtype=np.uint8)
    georeference = Georeference(4326, -180.0, 90.0, 11.25, 11.25, 16, 32)
    for layer, there in ((_TRUE, True), ("VIIRS_SNPP_AOT_Deep_Blue_Best_Estimate", False)):
        scene = scene_from_picture(
            pixels, layer=layer, date=_FIRST, image_format="jpg", georeference=georeference,
            provenance="test",
        )  # fmt: skip
        assert (scene_likeness(scene) is not None) is there


def test_a_task_knows_the_days_that_are_like_its_own(tmp_path: Path) -> None:
    seen = []
    for number in range(6):
        ref = PictureFile(
            tmp_path / f"{number}.jpg",
            find_layer(_TRUE),
            _day(number),
            4326,
            BBox(-180, -90, 180, 90),
        )
        seen.append(
            Sighting(
                Picture(ref, _TRUE, str(number), "name"),
                Observation(_day(number), 0.1, 1.0),
                likeness=_record(1 if number == 4 else number),
            )
        )
    tasks = day_tasks(seen, 6, "gibswatch", None)
    assert [tuple(ref.date for ref in task.alike) for task in tasks] == [
        (), (_day(4),), (), (), (_day(1),), (),
    ]  # fmt: skip
    assert read_alike(tasks[1].alike) == ()  # there is no such file


@pytest.mark.realdata
def test_real_days_under_another_date_are_found_and_no_others(
    real_data: Path, tmp_path: Path
) -> None:
    files = sorted((real_data / "real" / "terra_tile_2023" / "TrueColor").glob("*.jpg"))[60:84]
    for path in files:
        shutil.copy(path, tmp_path / path.name)
    for asked, shown in ((3, 2), (12, 14), (20, 6)):
        shutil.copy(files[shown], tmp_path / files[asked].name)
    items = inspect(sorted(tmp_path.glob("*.jpg")), _TRUE, bounds=_TILE).items
    called = {
        number
        for number, item in enumerate(items)
        if any(finding.kind is Kind.STALE for finding in item.findings)
    }
    assert called == {3, 12, 20}
    assert str(items[2].date) in items[3].reason
    assert not [item for item in items if item.verdict == "anomalous" and item.date not in {
        items[n].date for n in called
    }]  # fmt: skip
