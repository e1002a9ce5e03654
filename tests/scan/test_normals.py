"""Normals of a layer: the nearest other days, and their file."""

from __future__ import annotations

import datetime as dt
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
from gibswatch.scan.normals import LayerNormals, read_normals, write_normals

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
