"""Where tiles come from."""

import datetime as dt
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from gibswatch.catalogue.grids import tile_matrix_set, tile_matrix_sets
from gibswatch.errors import UnknownGridError, UsageError
from gibswatch.simulate.server.sources import (
    FolderSource,
    GlobeSource,
    TileFolderSource,
    dated_pictures,
)
from gibswatch.types import ByteArray

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAY = dt.date(2023, 8, 7)
DAYS = tuple(DAY + dt.timedelta(days=n) for n in range(8))
SET = tile_matrix_set(4326, "250m")


def grey(day: dt.date) -> ByteArray:
    """A globe of one grey a day, without data west of Greenwich."""
    picture = np.full((64, 128, 3), 40 + day.day * 5, np.uint8)
    picture[:, :64] = 0
    return picture


def save(path: Path, pixels: ByteArray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def pixels_of(data: bytes | None) -> ByteArray:
    assert data is not None
    return np.asarray(simplejpeg.decode_jpeg(data))


def test_globe_source_serves_tiles_with_data_only() -> None:
    source = GlobeSource(grey, DAYS, "jpg")
    assert source.days() == frozenset(DAYS)
    matrix = SET.matrix(3)
    assert source.tile(DAY, 4326, matrix, 2, 0) is None
    assert np.abs(pixels_of(source.tile(DAY, 4326, matrix, 2, 9)).astype(int) - 75).max() <= 1


def test_png_is_transparent_where_there_is_no_data() -> None:
    source = GlobeSource(grey, DAYS, "png")
    data = source.tile(DAY, 4326, SET.matrix(0), 0, 0)
    assert data is not None
    with Image.open(io.BytesIO(data)) as png:
        pixels = np.asarray(png)
    assert set(np.unique(pixels[:320, :319, 3])) == {0}
    assert (pixels[:320, 320:] == (75, 75, 75, 255)).all()
    assert (pixels[320:] == 0).all()
    assert source.tile(DAY, 4326, SET.matrix(3), 2, 0) is None


def test_jpeg_of_a_globe_with_alpha_is_black_where_transparent() -> None:
    def half(day: dt.date) -> ByteArray:
        picture = np.full((64, 128, 4), 200, np.uint8)
        picture[:, :64, 3] = 0
        return picture

    source = GlobeSource(half, DAYS, "jpg")
    assert source.tile(DAY, 4326, SET.matrix(3), 2, 0) is None
    assert pixels_of(source.tile(DAY, 4326, SET.matrix(3), 2, 9)).min() > 150


def counted(calls: list[dt.date]) -> Callable[[dt.date], ByteArray]:
    def function(day: dt.date) -> ByteArray:
        calls.append(day)
        return grey(day)

    return function


def test_a_globe_is_made_once_under_many_threads() -> None:
    calls: list[dt.date] = []
    source = GlobeSource(counted(calls), DAYS, "jpg")
    barrier = threading.Barrier(8)

    def ask(n: int) -> bytes | None:
        barrier.wait(10)
        return source.tile(DAYS[n % 2], 4326, SET.matrix(2), 1, 3)

    with ThreadPoolExecutor(8) as pool:
        tiles = list(pool.map(ask, range(8)))
    assert sorted(calls) == list(DAYS[:2])
    assert len(set(tiles)) == 2


def test_cache_forgets_the_longest_unused() -> None:
    calls: list[dt.date] = []
    source = GlobeSource(counted(calls), DAYS, "jpg", cache_bytes=3 * 64 * 128 * 3)
    for n in (0, 1, 2, 0, 3, 0, 1):
        source.tile(DAYS[n], 4326, SET.matrix(2), 1, 3)
    assert [DAYS.index(day) for day in calls] == [0, 1, 2, 3, 1]


def test_no_days() -> None:
    with pytest.raises(UsageError, match="no days"):
        GlobeSource(grey, (), "jpg")


@pytest.mark.parametrize("name", ["2023-08-07.png", "2023-08-07.jpg", f"2023-08-07/{LAYER}.png"])
def test_folder_source_reads_both_layouts(tmp_path: Path, name: str) -> None:
    save(tmp_path / name, grey(DAY))
    (tmp_path / "notes.txt").write_text("x")
    source = FolderSource(tmp_path, "jpg", layer=LAYER)
    assert source.days() == {DAY}
    assert np.abs(pixels_of(source.tile(DAY, 4326, SET.matrix(3), 2, 9)).astype(int) - 75).max() < 3


def test_folder_source_refuses_what_is_no_globe(tmp_path: Path) -> None:
    save(tmp_path / "2023-08-07.jpg", np.full((64, 64, 3), 9, np.uint8))
    with pytest.raises(UsageError, match=r"64 x 64 pixels.*--tile"):
        FolderSource(tmp_path, "jpg")
    (tmp_path / "2023-08-07.jpg").write_bytes(b"no picture")
    with pytest.raises(UsageError, match="can be read"):
        FolderSource(tmp_path, "jpg")


def test_dated_pictures_names_the_form(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing is not a folder"):
        dated_pictures(tmp_path / "missing")
    save(tmp_path / "2023-02-30.jpg", grey(DAY))
    save(tmp_path / "2023-08-07_Mask.png", grey(DAY))
    with pytest.raises(UsageError, match=r"no dated picture.*YYYY-MM-DD\.jpg"):
        dated_pictures(tmp_path, layer=LAYER)


def test_tile_folder_serves_the_bytes_as_they_lie(tmp_path: Path) -> None:
    path = save(tmp_path / "2023-08-07.jpg", np.full((512, 512, 3), 9, np.uint8))
    source = TileFolderSource(tmp_path, "250m", 3, 2, 4)
    assert set(source.days()) == {DAY}
    assert source.tile(DAY, 4326, SET.matrix(3), 2, 4) == path.read_bytes()
    assert source.tile(DAY, 4326, SET.matrix(3), 4, 2) is None
    assert source.tile(DAY, 4326, SET.matrix(4), 2, 4) is None
    assert source.tile(DAY, 3413, SET.matrix(3), 2, 4) is None


def test_tile_folder_errors(tmp_path: Path) -> None:
    save(tmp_path / "2023-08-07.jpg", grey(DAY))
    with pytest.raises(UsageError, match=r"row 7, column 2.*rows are 0 to 4.*ROW comes first"):
        TileFolderSource(tmp_path, "250m", 3, 7, 2)
    with pytest.raises(UnknownGridError, match="levels 0 to 8"):
        TileFolderSource(tmp_path, "250m", 9, 0, 0)
    with pytest.raises(UsageError, match=r"YYYY-MM-DD\.png"):
        TileFolderSource(tmp_path, "250m", 3, 2, 4, image_format="png")


@pytest.mark.parametrize("epsg", [3413, 3031, 3857])
def test_other_projections_come_from_the_globe(epsg: int) -> None:
    source = GlobeSource(grey, DAYS, "png")
    matrix = tile_matrix_set(epsg, tile_matrix_sets(epsg)[-1]).matrix(0)
    data = source.tile(DAY, epsg, matrix, 0, matrix.matrix_cols - 1)
    assert data is not None
    with Image.open(io.BytesIO(data)) as png:
        alpha = np.asarray(png)[..., 3]
    assert alpha.shape == (matrix.tile_size, matrix.tile_size)
    assert 0.2 < np.mean(alpha == 255) <= 1


def test_coarse_tiles_come_from_a_shrunk_globe_that_is_made_once() -> None:
    calls: list[dt.date] = []

    def fine(day: dt.date) -> ByteArray:
        calls.append(day)
        return np.random.default_rng(1).integers(60, 200, (2560, 5120, 3)).astype(np.uint8)

    source = GlobeSource(fine, DAYS, "jpg")
    tile = pixels_of(
        source.tile(DAY, 3857, tile_matrix_set(3857, "GoogleMapsCompatible_Level9").matrix(0), 0, 0)
    )
    assert np.abs(tile[60:200].astype(int) - 130).max() < 25
    assert calls == [DAY]
