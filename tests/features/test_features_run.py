"""The features of an archive's days, from a stand-in for the archive: who is skipped, and why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import ArchiveError, DateRangeError, DecodeError, UsageError
from gibswatch.features import (
    FeatureDefinition,
    archive_features,
    extract,
    read_features,
    run,
    whole,
)
from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
GRID = Grid("native", 4326, "16km")
DAYS = tuple(dt.date(2023, 8, day) for day in range(1, 7))


class FakeArchive:
    """Days of noise of which the second is damaged, the third not there, the fourth not whole."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def days(self, _layer: str, _epsg: int) -> list[dt.date]:
        return list(DAYS) if self.root.name == "data" else []

    def grid(self, _layer: str, _epsg: int) -> Grid:
        return GRID

    def scene(self, layer: str, day: dt.date, _epsg: int) -> Scene:
        if day == DAYS[1]:
            raise DecodeError("the picture is damaged")
        if day == DAYS[2]:
            raise ArchiveError("there is no such file")
        where = plan_grid(GRID, find_picture_layer(layer).matrix_set(4326)).georeference
        pixels = np.random.default_rng(day.day).integers(0, 256, (*where.shape, 3), np.uint8)
        scene = scene_from_picture(
            pixels, layer=layer, date=day, image_format="jpg", georeference=where, provenance=""
        )
        if day == DAYS[3]:
            scene.state[: where.rows // 4] = STATE_CODES["failed"]
        return scene


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "Archive", FakeArchive)
    monkeypatch.setattr(whole, "Archive", FakeArchive)
    return tmp_path / "data"


def test_days_that_cannot_be_read_are_skipped_and_told(root: Path) -> None:
    told: list[tuple[str, int, int]] = []
    done = archive_features(LAYER, root=root, on_progress=lambda *what: told.append(what))
    assert done.path == root / "4326/features" / f"{LAYER}.parquet"
    assert {day.date: day.reason for day in done.skipped} == {
        DAYS[1]: "the picture is damaged",
        DAYS[2]: "there is no such file",
        DAYS[3]: "25.0% of its picture is not there",
    }
    assert told == [("features", n, 6) for n in range(1, 7)]
    table = read_features(done.path)
    assert done.written == len(table) == 3
    assert table.dates == (DAYS[0], DAYS[4], DAYS[5])
    assert table.definition == done.definition == FeatureDefinition()
    for day, features in zip(table.dates, table.features, strict=True):
        scene = FakeArchive(root).scene(LAYER, day, 4326)
        np.testing.assert_array_equal(features, extract(scene, done.definition))


def test_a_range_and_a_definition(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "t.parquet"
    done = archive_features(
        LAYER, DAYS[4], DAYS[5], root=root, kind="hue", bins=36, compat=True, path=path
    )
    table = read_features(path)
    assert (done.path, done.skipped, table.dates) == (path, (), (DAYS[4],))
    assert table.definition == FeatureDefinition("hue", bins=36, compat=True)
    assert table.features.sum() == pytest.approx(1.0)


def test_without_a_readable_day_the_table_stays_as_it_was(root: Path) -> None:
    done = archive_features(LAYER, root=root)
    before = done.path.read_bytes()
    with pytest.raises(ArchiveError, match=r"none of 3 days can be read \(the first: 2023-08-02"):
        archive_features(LAYER, DAYS[1], DAYS[4], root=root)
    assert done.path.read_bytes() == before
    assert list(done.path.parent.iterdir()) == [done.path]


def test_an_archive_without_such_days_is_told(root: Path) -> None:
    with pytest.raises(UsageError, match=r"in this range, only 2023-08-01 to 2023-08-06"):
        archive_features(LAYER, dt.date(2024, 1, 1), root=root)
    with pytest.raises(UsageError, match=r"holds no day of .* EPSG:4326: download some first"):
        archive_features(LAYER, root=root.with_name("other"))
    with pytest.raises(DateRangeError, match="the end is not included"):
        archive_features(LAYER, DAYS[2], DAYS[2], root=root)


def test_what_cannot_be_is_told_before_anything_is_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeArchive, "scene", None)
    with pytest.raises(UsageError, match="feature cell 300"):
        archive_features(LAYER, root=root, cell=300)
    with pytest.raises(UsageError, match="feature bins 0"):
        archive_features(LAYER, root=root, bins=0)
    with pytest.raises(UsageError, match="is not an address"):
        archive_features(LAYER, root=root, scheduler="nowhere")
    with pytest.raises(UsageError, match="Some_Layer"):
        archive_features("Some_Layer", root=root)
    assert not root.exists()
