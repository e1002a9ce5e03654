"""Normals of a layer: the nearest other days, and their file."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gibswatch.detect.colour.statistics import (
    ColourObservation,
    chroma_of,
    learn_normals,
    observe_colour,
    with_places,
)
from gibswatch.errors import ArchiveError
from gibswatch.scan.normals import LayerNormals, nearest_era, read_normals, write_normals

_LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
_START = dt.date(2018, 4, 1)


def _record(seed: int, green: int = 0) -> ColourObservation:
    rng = np.random.default_rng(seed)
    level = rng.integers(60, 200, 5000)
    pixels = np.stack([level, level + green, level], axis=1).astype(np.uint8)
    chroma = chroma_of(pixels, rng.uniform(-180, 180, 5000), rng.uniform(-60, 60, 5000))
    record = observe_colour(chroma)
    return with_places(record, chroma, learn_normals([record]))


def test_a_day_is_not_judged_by_itself_nor_by_far_ones() -> None:
    normals = LayerNormals(_LAYER)
    for n in range(6):
        normals.add(_START + dt.timedelta(days=n), _record(n))
    normals.add(_START + dt.timedelta(days=200), _record(99, green=40))
    found = normals.for_day(_START)
    assert found is not None
    assert found.units == 5
    assert normals.for_day(_START + dt.timedelta(days=200)) is None


def test_a_written_file_reads_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "colours.json"
    normals = learn_normals([_record(n) for n in range(6)])
    write_normals(path, _LAYER, {"2018-04-01": normals})
    (again,) = read_normals(path).values()
    for name in ("warm", "green", "share", "places"):
        np.testing.assert_array_equal(getattr(again, name), getattr(normals, name))
    assert again.units == 6
    assert path.stat().st_size < 200_000


def test_no_file_is_no_normals(tmp_path: Path) -> None:
    assert read_normals(tmp_path / "none.json") == {}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 9}', '{"version": 1, "eras": {"2018-04-01": {"units": 1}}}']
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "colours.json"
    path.write_text(text)
    with pytest.raises(ArchiveError, match=r"colours\.json is damaged"):
        read_normals(path)


def test_kept_colours_are_of_the_days_own_season() -> None:
    record = _record(1)
    eras = {
        first: replace(learn_normals([record] * 5), places=np.zeros((2, 8100), np.float32))
        for first in ("2016-01-01", "2018-01-01", "2018-07-01", "2019-04-01")
    }
    assert nearest_era({}, _START) is None
    assert nearest_era(eras, dt.date(2018, 7, 10)) is eras["2018-07-01"]
    assert nearest_era(eras, dt.date(2018, 10, 10)) is None
    other_year = nearest_era(eras, dt.date(2020, 2, 10))
    assert other_year is not None
    assert other_year.green is eras["2018-01-01"].green
    assert eras["2018-01-01"].places is not None
    assert other_year.places is None


@pytest.mark.parametrize("first", ["2018-04-02", "9999-12-31", "2018-13-01"])
def test_an_era_that_is_no_quarter_is_damage(tmp_path: Path, first: str) -> None:
    path = tmp_path / "colours.json"
    write_normals(path, _LAYER, {"2018-04-01": learn_normals([_record(n) for n in range(6)])})
    path.write_text(path.read_text().replace("2018-04-01", first))
    with pytest.raises(ArchiveError, match="is damaged"):
        read_normals(path)


def test_numbers_without_end_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "colours.json"
    write_normals(path, _LAYER, {"2018-04-01": learn_normals([_record(n) for n in range(6)])})
    path.write_text(path.read_text().replace('"units": 6', '"units": Infinity'))
    with pytest.raises(ArchiveError, match="is damaged"):
        read_normals(path)
