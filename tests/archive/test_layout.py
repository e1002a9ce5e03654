"""Where things lie."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.archive.layout import Layout
from gibswatch.catalogue.windows import Grid, TileIndex, plan_grid
from gibswatch.errors import UnknownGridError, UnsafeNameError

ROOT = Path("data")
DAY = dt.date(2023, 8, 7)
LAYER = "VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1"
LAYOUT = Layout(ROOT, LAYER, 4326)


def test_paths() -> None:
    assert LAYOUT.day_folder(DAY) == ROOT / "4326/2023-08-07"
    assert LAYOUT.picture(DAY, "jpg") == ROOT / f"4326/2023-08-07/{LAYER}.jpg"
    assert LAYOUT.world_file(DAY) == ROOT / f"4326/2023-08-07/{LAYER}.wld"
    assert LAYOUT.mask(DAY) == ROOT / f"4326/2023-08-07/{LAYER}_Mask.png"
    assert LAYOUT.journal == ROOT / f"4326/.gibswatch/{LAYER}.sqlite"
    assert LAYOUT.lock == ROOT / f"4326/.gibswatch/{LAYER}.lock"
    assert LAYOUT.grid_file == ROOT / f"4326/.gibswatch/{LAYER}.grid.json"
    assert LAYOUT.not_ok_list == ROOT / f"4326/.gibswatch/{LAYER}.not-ok.csv"
    assert LAYOUT.set_aside == ROOT / "4326/.gibswatch/set-aside"
    assert LAYOUT.scan_folder == ROOT / f"4326/scans/{LAYER}"


def test_a_picture_that_is_not_whole_has_another_name() -> None:
    partial = LAYOUT.picture(DAY, "png", complete=False)
    assert partial == ROOT / f"4326/2023-08-07/{LAYER}.partial.png"


@pytest.mark.parametrize(("kind", "folder"), [("predecessor", "tiles"), ("native", "tiles/250m-2")])
def test_tiles_are_named_column_first(kind: str, folder: str) -> None:
    grid = Grid("native" if kind == "native" else "predecessor", 4326, "16km", tiled=True)
    path = LAYOUT.tile(DAY, plan_grid(grid, "250m"), TileIndex(row=1, col=3), "jpg")
    assert path == ROOT / f"4326/2023-08-07/{folder}/{LAYER}_Tile_3-1.jpg"


def test_every_projection_has_its_folder() -> None:
    assert Layout(ROOT, LAYER, 3413).day_folder(DAY) == ROOT / "3413/2023-08-07"
    with pytest.raises(UnknownGridError, match="EPSG:1 "):
        Layout(ROOT, LAYER, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "a..b",
        "x" * 201,
        "\u0410_Layer",
        "a b",
        "a\n",
        "-o",
        "a.",
        "../../x",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "a\0b",
        ";rm",
        "CON",
        "con.txt",
        ".hidden",
    ],
)
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(UnsafeNameError, match="layer"):
        Layout(ROOT, name, 4326)
