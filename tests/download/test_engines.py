"""Choosing what fetches: the archive is the same, or the choice is refused in one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gibswatch.archive import Archive, Journal, Layout, download_days
from gibswatch.catalogue import Grid, TileIndex, find_layer
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.download import TileClient, open_engine
from gibswatch.download.gdal_engine import GdalEngine
from gibswatch.errors import UsageError
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.simulate.server.exceptions import OwsError, OwsFault
from gibswatch.types import BBox, ByteArray

LAYER = find_layer("MODIS_Terra_Land_Surface_Temp_Day")
DAYS = [dt.date(2020, 8, 5), dt.date(2020, 8, 6)]
GRID = Grid("native", 4326, "16km", bbox=BBox(2, 2, 70, 52))
BAD = TileIndex(1, 3)


def draw(day: dt.date) -> ByteArray:
    """Draw a globe of random values."""
    pixels = np.random.default_rng(day.toordinal()).integers(1, 255, (128, 256, 4))
    pixels[..., 3] = 255
    return pixels.astype(np.uint8)


class OneBadTile(GlobeSource):
    """Refuses one tile of the second day as long as it is told to."""

    refuses = True

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        if self.refuses and (day, TileIndex(row, col)) == (DAYS[1], BAD):
            text = "The requested TIME does not exist for this layer"
            raise OwsError([OwsFault("InvalidParameterValue", "TIME", text)])
        return super().tile(day, epsg, matrix, row, col)


@pytest.fixture
def source() -> OneBadTile:
    return OneBadTile(draw, DAYS, "png")


@pytest.fixture
def base_url(source: OneBadTile) -> Iterator[str]:
    served = ServedLayer(LAYER.identifier, "png", {4326: LAYER.matrix_set(4326)})
    with EmbeddedServer(create_app({LAYER.identifier: (served, source)})) as server:
        yield server.base_url


def states(root: Path, day: dt.date) -> list[str]:
    with Journal(Layout(root, LAYER.identifier, 4326).journal) as journal:
        return [record.state for record in journal.tiles(day)]


def test_both_engines_make_the_same_archive(base_url: str, tmp_path: Path) -> None:
    settings = Settings(base_url=base_url, attempts=1, connections=4)
    ours = download_days(tmp_path / "http", LAYER, GRID, DAYS, settings)
    theirs = download_days(tmp_path / "gdal", LAYER, GRID, DAYS, settings, engine="gdal")
    for summary in (ours, theirs):
        assert (summary.days_complete, summary.days_incomplete) == (1, 1)
        assert dict(summary.tiles) == {"ok": 7, "absent": 1}
    assert theirs.problems[0][:2] == ours.problems[0][:2]
    assert theirs.problems[0][2] == "GDAL: HTTP 400"
    files = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.png")}
        for root in (tmp_path / "http", tmp_path / "gdal")
    ]
    assert len(files[0]) == 2
    assert files[0] == files[1]
    for day in DAYS:
        assert states(tmp_path / "http", day) == states(tmp_path / "gdal", day)


def test_a_missing_tile_is_missing_and_asked_again(
    base_url: str, source: OneBadTile, tmp_path: Path
) -> None:
    settings = Settings(base_url=base_url, attempts=1, connections=4)
    download_days(tmp_path, LAYER, GRID, DAYS, settings, engine="gdal")
    scene = Archive(tmp_path).scene(LAYER.identifier, DAYS[1])
    assert not scene.usable.all()
    assert (scene.pixels[..., 3][scene.usable] == 255).all()
    source.refuses = False
    again = download_days(tmp_path, LAYER, GRID, DAYS, settings, engine="gdal")
    assert (again.days_kept, again.days_complete) == (1, 1)
    assert Archive(tmp_path).scene(LAYER.identifier, DAYS[1]).usable.all()


def test_tiles_as_served_are_not_gdals(tmp_path: Path) -> None:
    grid = Grid("native", 4326, "16km", tiled=True)
    with pytest.raises(UsageError, match=r"not the bytes as served.*leave --engine out"):
        download_days(tmp_path / "x", LAYER, grid, DAYS, Settings(), engine="gdal")
    assert not (tmp_path / "x").exists()


def test_each_name_has_its_engine(base_url: str) -> None:
    plan: Any = None
    assert isinstance(open_engine("http", Settings(), plan), TileClient)
    assert isinstance(open_engine("gdal", Settings(), plan), GdalEngine)


def test_the_command(
    base_url: str, source: OneBadTile, tmp_path: Path, run: Callable[..., Any]
) -> None:
    source.refuses = False
    place = ["--output-dir", tmp_path, "--base-url", base_url]
    dates = ["--start-date", DAYS[0], "--end-date", "2020-08-07"]
    common = ["download", "--layer", LAYER.identifier, *dates, *place, "--grid", "native"]
    ended = run(*common, "--engine", "gdal")
    assert ended.code == 0, ended.err
    assert "2 downloaded" in ended.out
    picture = tmp_path / "4326" / str(DAYS[0]) / f"{LAYER.identifier}.png"
    with Image.open(picture) as opened:
        big = draw(DAYS[0]).repeat(10, axis=0).repeat(10, axis=1)
        assert np.array_equal(np.asarray(opened), big)
    refused = run(*common, "--engine", "gdal", "--tiled-world")
    assert (refused.code, refused.out) == (2, "")
    assert "leave --engine out" in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert run(*common, "--engine", "wget").code == 2
