"""Days out of the archive, as they went in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio

from gibswatch.archive import Archive, Journal, Layout, choose_grid, download_days, open_archive
from gibswatch.catalogue import find_layer
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.catalogue.windows import Grid, GridKind, TileIndex
from gibswatch.errors import ArchiveError, UnknownGridError, UnknownLayerError
from gibswatch.raster.codec import encode_picture, read_picture
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import BBox, ByteArray, FloatArray

LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
NAME = LAYER.identifier
DAYS = (dt.date(2023, 8, 5), dt.date(2023, 8, 6))
DAY = DAYS[0]
PICTURE = f"4326/{DAY}/{NAME}.jpg"
WHOLE_TILES = {"predecessor": BBox(0, 0, 45, 45), "native": BBox(-36, -54, 108, 90)}
"""Boxes on the edges of output tiles: stitched and tiled forms hold the same pixels."""


def draw(day: dt.date) -> ByteArray:
    """Draw a smooth globe without black, another one every day."""
    rows, cols = np.mgrid[0:256, 0:512] / 40.0
    waves = [np.sin(rows + day.day), np.cos(cols), np.sin(rows - cols)]
    return np.asarray(np.rint(130 + 60 * np.stack(waves, axis=2)), dtype=np.uint8)


class LosingSource(GlobeSource):
    """A globe of which some tiles come as something else."""

    lost: frozenset[TileIndex] = frozenset()

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        if TileIndex(row, col) in self.lost:
            return b"<html>Sorry</html>"
        return super().tile(day, epsg, matrix, row, col)


@pytest.fixture(scope="module")
def _serving() -> Iterator[tuple[EmbeddedServer, LosingSource]]:
    source = LosingSource(draw, DAYS, "jpg")
    layer = ServedLayer(NAME, "jpg", {4326: "250m"})
    with EmbeddedServer(create_app({NAME: (layer, source)})) as server:
        yield server, source


class Filling:
    """Downloads into a folder, with some tiles lost."""

    def __init__(self, root: Path, server: EmbeddedServer, source: LosingSource) -> None:
        self.root, self._server, self._source = root, server, source

    def __call__(self, grid: Grid, *lost: TileIndex, folder: str = "data") -> Archive:
        settings = Settings(base_url=self._server.base_url, attempts=1)
        self._source.lost = frozenset(lost)
        download_days(self.root / folder, LAYER, grid, DAYS, settings)
        return open_archive(self.root / folder)


@pytest.fixture
def fill(tmp_path: Path, _serving: tuple[EmbeddedServer, LosingSource]) -> Filling:
    """Give a function that downloads two days on a grid, but for some tiles."""
    return Filling(tmp_path, *_serving)


def make_grid(kind: GridKind, *, tiled: bool = False) -> Grid:
    return Grid(kind, 4326, "16km", bbox=WHOLE_TILES[kind], tiled=tiled)


def difference(first: Scene, second: Scene) -> FloatArray:
    return np.asarray(np.abs(first.pixels.astype(np.float32) - second.pixels))


def test_what_is_there(fill: Filling) -> None:
    grid = make_grid("predecessor")
    archive = fill(grid)
    assert archive.layers() == [NAME]
    assert archive.layers(3413) == []
    assert archive.grid(NAME) == grid
    assert archive.grid(NAME, 3413) is None
    assert archive.days(NAME) == list(DAYS)
    assert archive.days("VIIRS_SNPP_CorrectedReflectance_TrueColor") == []
    record = archive.records(NAME)[DAY]
    assert (record.complete, record.picture) == (True, PICTURE)


@pytest.mark.parametrize("kind", ["predecessor", "native"])
def test_stitched_and_tiled_are_the_same_scene(fill: Filling, kind: GridKind) -> None:
    stitched = fill(make_grid(kind), folder="stitched").scene(NAME, DAY)
    tiled = fill(make_grid(kind, tiled=True), folder="tiled").scene(NAME, DAY)
    assert stitched.georeference == tiled.georeference
    assert stitched.pixels.shape == tiled.pixels.shape == (*stitched.georeference.shape, 3)
    assert stitched.usable.all()
    assert tiled.usable.all()
    assert difference(stitched, tiled).mean() < 1.0
    assert difference(stitched, tiled).max() <= 12
    assert (stitched.layer, stitched.date, stitched.image_format) == (NAME, DAY, "jpg")
    assert Path(stitched.provenance) == fill.root / "stitched" / PICTURE
    assert Path(tiled.provenance).is_dir()


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("kind", ["predecessor", "native"])
def test_the_scene_is_the_globe(fill: Filling, kind: GridKind, tiled: bool) -> None:
    archive = fill(make_grid(kind, tiled=tiled))
    for day in DAYS:
        scene = archive.scene(NAME, day)
        place, globe = scene.georeference, draw(day)
        lat = place.north - (np.arange(place.rows) + 0.5) * place.pixel_height
        lon = place.west + (np.arange(place.cols) + 0.5) * place.pixel_width
        rows = ((90 - lat) * 256 / 180).astype(int)
        cols = ((lon + 180) * 512 / 360).astype(int)
        assert np.abs(scene.pixels.astype(int) - globe[rows[:, None], cols]).mean() < 2.5


@pytest.mark.parametrize(
    ("kind", "tiled"), [("predecessor", False), ("native", False), ("native", True)]
)
def test_a_lost_tile_is_not_usable(fill: Filling, kind: GridKind, tiled: bool) -> None:
    whole = fill(make_grid(kind, tiled=tiled), folder="whole").scene(NAME, DAY)
    lost = TileIndex(1, 5) if kind == "predecessor" else TileIndex(0, 2)
    archive = fill(make_grid(kind, tiled=tiled), lost)
    assert not archive.records(NAME)[DAY].complete
    scene = archive.scene(NAME, DAY)
    corrupt = scene.state == STATE_CODES["corrupt"]
    assert 0.1 < corrupt.mean() < 0.9
    assert (scene.usable == ~corrupt).all()
    if kind == "native":
        assert corrupt[:512, :512].mean() == corrupt.mean() * 4 == 1.0
    far = scene.usable & np.roll(scene.usable, (16, 16), (0, 1))
    far &= np.roll(scene.usable, (-16, -16), (0, 1))
    assert difference(scene, whole)[far].max() < 25


def test_output_tiles_with_a_lost_source_are_not_shown_as_good(fill: Filling) -> None:
    grid = Grid("predecessor", 4326, "16km", bbox=BBox(0, 0, 90, 45), tiled=True)
    scene = fill(grid, TileIndex(1, 5)).scene(NAME, DAY)
    black = scene.pixels.max(axis=2) == 0
    assert 0 < black.mean() < 1
    assert (scene.usable == ~black).all()
    assert set(np.unique(scene.state)) == {STATE_CODES["ok"], STATE_CODES["corrupt"]}


def test_world_file(fill: Filling) -> None:
    archive = fill(make_grid("predecessor"))
    scene = archive.scene(NAME, DAY)
    with rasterio.open(archive.root / PICTURE) as picture:
        assert (picture.height, picture.width) == scene.georeference.shape
        place = scene.georeference
        expected = (place.pixel_width, 0, place.west, 0, -place.pixel_height, place.north)
        assert tuple(picture.transform)[:6] == pytest.approx(expected, abs=1e-9)
        assert tuple(picture.bounds) == pytest.approx(place.bbox.as_tuple(), abs=1e-9)


@pytest.mark.parametrize("damage", ["short", "empty", "gone", "other"])
@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("kind", ["predecessor", "native"])
def test_a_damaged_file(fill: Filling, kind: GridKind, tiled: bool, damage: str) -> None:
    archive = fill(make_grid(kind, tiled=tiled))
    path = sorted((archive.root / "4326" / str(DAY)).rglob("*.jpg"))[0]
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes({"short": data[:-300], "empty": b"", "other": b"<html>"}[damage])
    with pytest.raises(ArchiveError, match=rf"{path.name} (cannot be read|is not what was)"):
        archive.scene(NAME, DAY)
    assert archive.scene(NAME, DAYS[1]).usable.all()


@pytest.mark.parametrize("other", ["small", "png", "of another day"])
@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("kind", ["predecessor", "native"])
def test_another_picture(fill: Filling, kind: GridKind, tiled: bool, other: str) -> None:
    archive = fill(make_grid(kind, tiled=tiled))
    path = sorted((archive.root / "4326" / str(DAY)).rglob("*.jpg"))[0]
    shape = read_picture(path)[0].shape[:2]
    neighbour = Path(str(path).replace(str(DAY), str(DAYS[1])))
    path.write_bytes(
        {
            "small": encode_picture(np.full((64, 64, 3), 99, np.uint8), "jpg"),
            "png": encode_picture(np.full((*shape, 4), 99, np.uint8), "png"),
            "of another day": neighbour.read_bytes(),
        }[other]
    )
    with pytest.raises(ArchiveError, match=rf"{path.name} is not what was downloaded"):
        archive.scene(NAME, DAY)


def test_a_day_that_is_not_there(fill: Filling) -> None:
    archive = fill(make_grid("predecessor"))
    with pytest.raises(ArchiveError, match="of 1999-01-01: download it"):
        archive.scene(NAME, dt.date(1999, 1, 1))
    with pytest.raises(ArchiveError, match=r"VIIRS_SNPP.* in EPSG:4326: download it"):
        archive.scene("VIIRS_SNPP_CorrectedReflectance_TrueColor", DAY)
    with pytest.raises(UnknownLayerError):
        archive.scene("../../etc/passwd", DAY)
    with pytest.raises(UnknownGridError):
        archive.scene(NAME, DAY, 4327)


def test_a_damaged_journal(fill: Filling) -> None:
    archive = fill(make_grid("predecessor"))
    Layout(archive.root, NAME, 4326).journal.write_bytes(b"nothing of the kind" * 99)
    with pytest.raises(ArchiveError, match="damaged"):
        archive.scene(NAME, DAY)
    with pytest.raises(ArchiveError, match="damaged"):
        archive.days(NAME)


def test_a_scene_too_large_for_memory(fill: Filling) -> None:
    """All of native 250m can be kept as tiles, but not be one scene."""
    archive = fill(make_grid("native", tiled=True))
    with Journal(Layout(archive.root, NAME, 4326).journal) as journal:
        tiles, record = journal.tiles(DAY), journal.day(DAY)
    assert record is not None
    huge = fill.root / "huge"
    with Journal(Layout(huge, NAME, 4326).journal) as journal:
        journal.claim_grid(Grid("native", 4326, "250m", tiled=True))
        journal.record_day(record, tiles)
    with pytest.raises(UnknownGridError, match="GiB of memory"):
        open_archive(huge).scene(NAME, DAY)


def test_open_nothing(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", str(tmp_path / "nothing")):
        with pytest.raises(ArchiveError, match="is no folder"):
            open_archive(path)
    archive = open_archive(tmp_path)
    assert archive.layers() == []
    assert archive.days(NAME) == []
    assert list(tmp_path.iterdir()) == []


def test_reading_writes_nothing(fill: Filling) -> None:
    archive = fill(make_grid("predecessor"))
    before = {path: path.stat().st_mtime_ns for path in archive.root.rglob("*")}
    archive.scene(NAME, DAY)
    archive.records(NAME)
    assert {path: path.stat().st_mtime_ns for path in archive.root.rglob("*")} == before


def test_choose_grid() -> None:
    held, default = Grid("native", 4326, "8km", tiled=True), Grid("predecessor", 4326, "16km")
    assert choose_grid(None, default) == default
    assert choose_grid(held, default) == held
    box = BBox(0, 0, 10, 10)
    asked = choose_grid(
        held, default, kind="predecessor", tile_resolution="4km", bbox=box, tiled=False
    )
    assert asked == Grid("predecessor", 4326, "4km", bbox=box, tiled=False)


def test_choose_grid_knows_levels_and_formats() -> None:
    held = Grid("predecessor", 4326, "16km", tile_level=2, picture_format="cog")
    default = Grid("predecessor", 4326, "16km")
    assert choose_grid(held, default) == held
    assert choose_grid(held, default, kind="native").tile_level is None
    asked = choose_grid(None, default, tile_level=4, picture_format="png")
    assert (asked.tile_level, asked.picture_format) == (4, "png")
