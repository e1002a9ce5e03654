"""A grid as text: what is written is read, anything else is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.archive.journal.grid_file import (
    grid_from_text,
    grid_text,
    read_grid_file,
    write_grid_file,
)
from gibswatch.catalogue.windows import Grid
from gibswatch.types import PICTURE_FORMATS, BBox

GRID = Grid("predecessor", 4326, "16km")
EDGES = st.floats(-4e6, 4e6, allow_nan=False)
GRIDS = st.builds(
    Grid,
    kind=st.sampled_from(["predecessor", "native"]),
    epsg=st.sampled_from([4326, 3413, 3031, 3857]),
    tile_resolution=st.text(max_size=9),
    bbox=st.none() | st.builds(BBox, EDGES, EDGES, EDGES, EDGES),
    tiled=st.booleans(),
    tile_level=st.none() | st.integers(0, 12),
    picture_format=st.none() | st.sampled_from(PICTURE_FORMATS),
)


@given(GRIDS)
def test_what_is_written_is_read(grid: Grid) -> None:
    assert grid_from_text(grid_text(grid)) == grid


def test_a_grid_of_an_older_version_lacks_fields() -> None:
    text = '{"kind": "native", "epsg": 3413, "tile_resolution": "8km"}'
    assert grid_from_text(text) == Grid("native", 3413, "8km")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "round"},
        {"kind": ["native"]},
        {"epsg": 1},
        {"epsg": "4326"},
        {"tile_resolution": 16},
        {"bbox": [0, 0, 1, 1]},
        {"bbox": {"west": 0}},
        {"bbox": {"west": "0", "south": 0, "east": 1, "north": 1}},
        {"tile_level": "2"},
        {"picture_format": "gif"},
        {"colour": "blue"},
    ],
    ids=str,
)
def test_what_is_no_grid_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"grid|box|EPSG"):
        grid_from_text(json.dumps({**json.loads(grid_text(GRID)), **change}))


@given(st.text(max_size=60))
def test_any_text_is_a_grid_or_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        grid_from_text(text)


def test_a_file_that_is_no_grid_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "L.grid.json"
    assert read_grid_file(path) is None
    path.write_bytes(b"\xff\xfe")
    assert read_grid_file(path) is None
    write_grid_file(path, GRID)
    assert read_grid_file(path) == GRID
    assert [entry.name for entry in tmp_path.iterdir()] == ["L.grid.json"]
