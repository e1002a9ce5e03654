"""An archive that was downloaded is served back."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

from gibswatch.archive import Archive, Layout, download_days
from gibswatch.catalogue import find_layer
from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set
from gibswatch.catalogue.windows import Grid
from gibswatch.errors import UsageError
from gibswatch.settings import Settings
from gibswatch.simulate import FaultPlan, FaultRule, GlobeSource, ServedLayer, embedded_server
from gibswatch.simulate.server import ArchiveSource, open_sources
from gibswatch.types import BBox, ByteArray, Epsg

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
NAME = LAYER.identifier
DAYS = tuple(dt.date(2023, 8, day) for day in (5, 6))
SETS = {4326: "250m", 3413: "250m", 3031: "250m", 3857: "GoogleMapsCompatible_Level9"}
SERVED = ServedLayer(NAME, "jpg", SETS)


def draw(day: dt.date) -> ByteArray:
    rows, cols = np.mgrid[0:256, 0:512] / 40.0
    waves = [np.sin(rows + day.day), np.cos(cols * day.day / 3), np.sin(rows - cols)]
    return np.asarray(np.rint(130 + 60 * np.stack(waves, axis=2)), dtype=np.uint8)


GLOBE = GlobeSource(draw, DAYS, "jpg")
Fill = Callable[..., ArchiveSource]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Download the days on a grid; options are those of `Grid`, `lost` loses a tile of one day."""

    def download(
        epsg: Epsg = 4326, lost: dt.date | None = None, days: Any = DAYS, **options: Any
    ) -> ArchiveSource:
        chosen = {"kind": "native", "tile_resolution": "16km", **options}
        lose = FaultRule("status", status=404, date=(DAYS[0], DAYS[0]), row=(0, 0), col=(0, 0))
        with embedded_server({NAME: (SERVED, GLOBE)}, FaultPlan((lose,) if lost else ())) as server:
            settings = Settings(base_url=server.base_url, attempts=1)
            download_days(tmp_path, LAYER, Grid(epsg=epsg, **chosen), days, settings)
        return ArchiveSource(Archive(tmp_path), NAME, "jpg")

    return download


def matrix(epsg: int, level: int) -> TileMatrix:
    return tile_matrix_set(epsg, SETS[epsg]).matrix(level)


def difference(source: ArchiveSource, epsg: int, level: int, row: int, col: int) -> float:
    pair = [s.tile(DAYS[0], epsg, matrix(epsg, level), row, col) for s in (source, GLOBE)]
    one, two = (simplejpeg.decode_jpeg(data).astype(int) for data in pair if data is not None)
    return float(np.abs(one - two).mean())


def test_kept_tiles_go_out_as_they_came(fill: Fill, tmp_path: Path) -> None:
    source = fill(tiled=True)
    for row, col in ((0, 0), (1, 3), (2, 4)):
        tile = source.tile(DAYS[1], 4326, matrix(4326, 2), row, col)
        assert tile == GLOBE.tile(DAYS[1], 4326, matrix(4326, 2), row, col)
    assert difference(source, 4326, 1, 1, 2) < 4
    assert difference(source, 4326, 3, 2, 4) < 4


@pytest.mark.parametrize("kind", ["native", "predecessor"])
def test_pictures_are_cut(fill: Fill, kind: str) -> None:
    source = fill(kind=kind, days=DAYS[:1])
    assert source.days() == {DAYS[0]}
    assert source.projections == (4326, 3413, 3031, 3857)
    assert difference(source, 4326, 2, 1, 2) < 5
    assert difference(source, 3857, 2, 1, 2) < 5
    assert difference(source, 3413, 1, 1, 2) < 5


def test_a_polar_archive_is_served_in_its_own_projection(fill: Fill) -> None:
    source = fill(3413, tile_resolution="8km")
    assert source.projections == (3413,)
    assert difference(source, 3413, 0, 1, 1) < 4
    assert difference(source, 3413, 2, 3, 4) < 4
    assert source.tile(DAYS[0], 4326, matrix(4326, 1), 0, 0) is None


def test_a_part_of_the_globe_is_blank_around(fill: Fill) -> None:
    source = fill(bbox=BBox(-72.0, -18.0, 72.0, 54.0))
    assert source.projections == (4326,)
    assert difference(source, 4326, 3, 2, 4) < 4
    assert source.tile(DAYS[0], 4326, matrix(4326, 3), 4, 9) is None
    data = source.tile(DAYS[0], 4326, matrix(4326, 0), 0, 0)
    assert data is not None
    pixels = simplejpeg.decode_jpeg(data)
    assert pixels[70:180, 200:310].min() > 20
    assert pixels[210:, :].max() < 20


def test_days_that_are_not_whole_are_left_out(fill: Fill, tmp_path: Path) -> None:
    source = fill(lost=DAYS[0])
    assert Layout(tmp_path, NAME, 4326).picture(DAYS[0], "jpg", complete=False).is_file()
    assert source.days() == {DAYS[1]}


def test_an_archive_from_the_command_line(fill: Fill, tmp_path: Path) -> None:
    fill(lost=DAYS[0])
    fill(3413, tile_resolution="8km")
    folder = tmp_path / "4326" / str(DAYS[1])
    (folder / f"{NAME}_Mask.png").write_bytes(b"not a picture to serve")
    (folder / "Another.partial.jpg").write_bytes(b"cut")
    served = open_sources(tmp_path, [], [], lambda name: ServedLayer(name, "jpg", SETS))
    assert list(served) == [NAME]
    layer, source = served[NAME]
    assert isinstance(source, ArchiveSource)
    assert dict(layer.matrix_sets) == SETS
    assert source.days() == {DAYS[1]}
    assert source.tile(DAYS[0], 4326, matrix(4326, 1), 0, 0) is None
    assert source.tile(DAYS[0], 3413, matrix(3413, 0), 0, 0) is not None


def test_nothing_whole(fill: Fill, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no whole day.*finish the download"):
        ArchiveSource(Archive(tmp_path), NAME, "jpg")
