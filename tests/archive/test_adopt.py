"""Trees of gibs-ml taken over: nothing on disk changes, nothing is asked, nothing bad comes in."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gibswatch.archive import (
    Archive,
    Journal,
    Layout,
    adopt_archive,
    confirm_days,
    download_days,
    open_archive,
)
from gibswatch.catalogue import Grid, find_layer
from gibswatch.errors import GridMismatchError, UnknownGridError, UsageError
from gibswatch.raster.codec import encode_picture
from gibswatch.settings import Settings
from gibswatch.simulate import DrawnDays, EmbeddedServer
from gibswatch.types import ByteArray, Epsg

NAME = "MODIS_Terra_CorrectedReflectance_TrueColor"
LAYER = find_layer(NAME)
DAYS = tuple(dt.date(2023, 8, day) for day in (6, 7, 8, 9))
POLAR: Epsg = 3413
GRID_16KM = Grid("predecessor", 4326, "16km", tile_level=2)
SETTINGS = Settings(base_url="http://127.0.0.1:9")
Run = Callable[..., Any]


def draw(seed: int, rows: int = 512, cols: int = 512) -> ByteArray:
    """Draw something smooth without black."""
    r, c = np.mgrid[0:rows, 0:cols] / 40.0
    waves = [np.sin(r + seed), np.cos(c), np.sin(r - c)]
    return np.asarray(np.rint(130 + 60 * np.stack(waves, axis=2)), np.uint8)


def write(
    root: Path, day: object, data: bytes, name: str = f"{NAME}.jpg", epsg: int = POLAR
) -> Path:
    path = root / str(epsg) / str(day) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def geotiff(pixels: ByteArray, path: Path, rows: int | None = None) -> None:
    """Write a GeoTIFF, or only its first rows as a process does that is killed."""
    import rasterio
    from rasterio.windows import Window

    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, count = pixels.shape
    kept = pixels[:rows]
    options = {"driver": "GTiff", "width": width, "height": height, "count": count}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", dtype="uint8", sparse_ok=rows is not None, **options) as file:
            file.write(np.moveaxis(kept, 2, 0), window=Window(0, 0, width, len(kept)))


def contents(root: Path) -> dict[str, bytes]:
    """Every file but the journal's."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".gibswatch" not in path.parts
    }


def test_pictures_come_in_as_they_are_and_the_size_tells_the_grid(tmp_path: Path) -> None:
    for day in DAYS[:2]:
        write(tmp_path, day, encode_picture(draw(day.day), "jpg"))
    write(tmp_path, DAYS[0], b"1\n0\n0\n-1\n0\n0\n", f"{NAME}.wld")
    write(tmp_path, DAYS[0], b"<PAMDataset/>", f"{NAME}.jpg.aux.xml")
    before = contents(tmp_path)
    report = adopt_archive(tmp_path, NAME, POLAR)
    assert report.grid == Grid("predecessor", POLAR, "16km", tile_level=0)
    assert (report.adopted, report.already, report.refused) == (DAYS[:2], (), ())
    assert contents(tmp_path) == before
    with Journal(Layout(tmp_path, NAME, POLAR).journal) as journal:
        record = journal.day(DAYS[0])
        assert record is not None
        (file,) = record.files
        data = before[f"{POLAR}/{DAYS[0]}/{NAME}.jpg"]
        assert (file.length, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        tiles = journal.tiles(DAYS[0])
        assert {tile.state for tile in tiles} == {"ok"}
        assert {tile.message for tile in tiles} == {"adopted"}
        assert {tile.sha256 for tile in tiles} == {None}
        assert f"/best/{NAME}/default/{DAYS[0]}/250m/0/" in tiles[0].url
    scene = open_archive(tmp_path).scene(NAME, DAYS[0], POLAR)
    assert scene.pixels.shape == (512, 512, 3)
    assert scene.usable.all()
    assert np.abs(scene.pixels.astype(int) - draw(DAYS[0].day)).max() < 12


def test_adopting_twice_changes_nothing(tmp_path: Path) -> None:
    for day in DAYS:
        write(tmp_path, day, encode_picture(draw(day.day), "jpg"))
    adopt_archive(tmp_path, NAME, POLAR)
    first = Archive(tmp_path).records(NAME, POLAR)
    again = adopt_archive(tmp_path, NAME, POLAR)
    assert (again.adopted, again.already, again.refused) == ((), DAYS, ())
    assert Archive(tmp_path).records(NAME, POLAR) == first


def test_days_that_came_later_are_taken_over_too(tmp_path: Path) -> None:
    write(tmp_path, DAYS[0], encode_picture(draw(1), "jpg"))
    adopt_archive(tmp_path, NAME, POLAR)
    for day in DAYS[1:]:
        write(tmp_path, day, encode_picture(draw(2, 1024, 1024), "jpg"))
    report = adopt_archive(tmp_path, NAME, POLAR)
    assert report.already == DAYS[:1]
    assert len(report.refused) == 3, "the archive's size stays, whatever there is more of"
    assert "1024x1024 pixels, but the archive's pictures have 512x512" in report.refused[0][1]


def test_a_geotiff_under_a_jpg_name_is_kept_byte_for_byte_and_read(tmp_path: Path) -> None:
    geotiff(draw(3), tmp_path / f"{POLAR}/{DAYS[0]}/{NAME}.jpg")
    before = contents(tmp_path)
    report = adopt_archive(tmp_path, NAME, POLAR)
    assert report.adopted == DAYS[:1]
    assert contents(tmp_path) == before
    scene = open_archive(tmp_path).scene(NAME, DAYS[0], POLAR)
    assert np.array_equal(scene.pixels, draw(3))


def test_what_is_not_whole_is_refused_and_left(tmp_path: Path) -> None:
    good = encode_picture(draw(0), "jpg")
    days = [dt.date(2023, 7, day) for day in range(1, 13)]
    for day in days[:3]:
        write(tmp_path, day, good)
    write(tmp_path, days[3], b"")
    write(tmp_path, days[4], good[: len(good) // 2])
    write(tmp_path, days[5], b"<html>404</html>")
    write(tmp_path, days[6], encode_picture(np.zeros((512, 512, 3), np.uint8), "jpg"))
    geotiff(draw(0), tmp_path / f"{POLAR}/{days[7]}/{NAME}.jpg", rows=200)
    write(tmp_path, days[8], encode_picture(draw(0, 1024, 1024), "jpg"))
    write(tmp_path, days[9], encode_picture(draw(0, 500, 512), "jpg"))
    write(tmp_path, days[10], good, f"{NAME}.partial.jpg")
    for tile in ("Tile_0-0", "Tile_1-0"):
        write(tmp_path, days[11], good, f"tiles/{NAME}_{tile}.jpg")
    write(tmp_path, "not-a-day", good)
    write(tmp_path, "2023-02-30", good)
    before = contents(tmp_path)
    report = adopt_archive(tmp_path, NAME, POLAR)
    assert report.adopted == tuple(days[:3])
    assert contents(tmp_path) == before
    reasons = {path.split("/")[1]: reason for path, reason in report.refused}
    words = [
        "0 bytes", "short JPEG", "begin '<html>", "100.0% black", "never finished", "1024x1024",
        "512x500", "missing tiles", "2 tiles: gibs-ml's show a quarter",
    ]  # fmt: skip
    assert list(reasons) == [str(day) for day in days[3:]]
    for day, word in zip(days[3:], words, strict=True):
        assert word in reasons[str(day)], day


def test_the_layers_own_format_comes_first_of_two_pictures_of_a_day(tmp_path: Path) -> None:
    write(tmp_path, DAYS[0], encode_picture(draw(0), "jpg"))
    rgba = np.dstack([draw(1), np.full((512, 512), 255, np.uint8)])
    write(tmp_path, DAYS[0], encode_picture(rgba, "png"), f"{NAME}.png")
    report = adopt_archive(tmp_path, NAME, POLAR)
    assert report.adopted == DAYS[:1]
    ((path, reason),) = report.refused
    assert path.endswith(".png")
    assert "another picture of this day" in reason


def test_a_transparent_png_of_fires_is_no_black_one(tmp_path: Path) -> None:
    from gibswatch.download import find_picture_layer

    layer = find_picture_layer("VIIRS_SNPP_Thermal_Anomalies_375m_Day")
    clear = np.zeros((2048, 4096, 4), np.uint8)
    clear[1000:1002, 2000:2002] = 255
    write(tmp_path, DAYS[0], encode_picture(clear, "png"), f"{layer.identifier}.png", 4326)
    opaque = clear.copy()
    opaque[..., 3] = 255
    write(tmp_path, DAYS[1], encode_picture(opaque, "png"), f"{layer.identifier}.png", 4326)
    report = adopt_archive(tmp_path, layer.identifier)
    assert report.adopted == DAYS[:1]
    assert "black" in report.refused[0][1]


def test_files_under_the_predecessors_spelling_of_a_name_come_in(tmp_path: Path) -> None:
    name = "VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1"
    old = name.replace("-", "_")
    write(tmp_path, DAYS[0], encode_picture(draw(1), "jpg"), f"{old}.jpg")
    assert adopt_archive(tmp_path, old, POLAR).adopted == DAYS[:1]
    assert open_archive(tmp_path).scene(name, DAYS[0], POLAR).pixels.shape == (512, 512, 3)


def test_an_archive_on_another_grid_is_left_alone(tmp_path: Path, server: EmbeddedServer) -> None:
    settings = Settings(base_url=server.base_url)
    grid = Grid("native", 4326, "16km")
    download_days(tmp_path, LAYER, grid, DAYS[:1], settings)
    records = Archive(tmp_path).records(NAME)
    picture = Image.fromarray(draw(0)).resize((4096, 2048))
    write(tmp_path, DAYS[1], encode_picture(np.asarray(picture), "jpg"), epsg=4326)
    with pytest.raises(GridMismatchError, match=r"holds .* on another grid"):
        adopt_archive(tmp_path, NAME)
    assert Archive(tmp_path).records(NAME) == records


def test_nothing_to_adopt_and_no_such_projection_are_errors_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the --output_dir of gibs-ml"):
        adopt_archive(tmp_path, NAME)
    with pytest.raises(UsageError, match="adopt 4326, 3413 or 3031"):
        adopt_archive(tmp_path, NAME, 3857)
    with pytest.raises(UnknownGridError):
        adopt_archive(tmp_path, NAME, 9999)
    assert list(tmp_path.iterdir()) == []


def test_where_all_is_refused_no_journal_is_made(tmp_path: Path) -> None:
    write(tmp_path, DAYS[0], encode_picture(draw(0, 300, 600), "jpg"))
    report = adopt_archive(tmp_path, NAME, POLAR)
    assert (report.grid, report.adopted) == (None, ())
    assert "600x300 pixels is no size of gibs-ml's table" in report.refused[0][1]
    assert not Layout(tmp_path, NAME, POLAR).journal.exists()


def test_adopted_days_are_scanned_and_kept_without_one_request(
    run: Run, tmp_path: Path, server: EmbeddedServer, drawn: DrawnDays
) -> None:
    for n, day in enumerate(DAYS[:3]):
        globe = np.asarray(
            Image.fromarray(drawn.globe(day)).resize((4096, 2048), Image.Resampling.NEAREST)
        )
        path = write(tmp_path, day, encode_picture(globe, "jpg"), epsg=4326)
        if n == 0:
            geotiff(globe, path)
    before = contents(tmp_path)
    where = ("--output-dir", tmp_path)
    adopted = run("verify", NAME, "--adopt", *where, "--json")
    assert (adopted.code, adopted.err) == (0, "")
    document = json.loads(adopted.out)
    assert document["adopted"] == [str(day) for day in DAYS[:3]]
    assert "16km from level 2" in document["grid"]

    base = ("--base-url", server.base_url)
    days = ("--start", DAYS[0], "--end", DAYS[2] + dt.timedelta(days=1))
    scanned = run("scan", NAME, *days, *where, *base, "--json")
    assert scanned.code == 0
    verdicts = {i["date"]: i["verdict"] for i in json.loads(scanned.out)["items"]}
    assert set(verdicts) == {str(day) for day in DAYS[:3]}
    assert set(verdicts.values()) <= {"clean", "anomalous"}
    second = confirm_days(
        tmp_path, LAYER, GRID_16KM, DAYS[:3], replace(SETTINGS, base_url=server.base_url)
    )
    assert not any(one.confirmed or one.suspect for one in second.values())
    again = run("download", "--layer", NAME, *days, *where, *base)
    assert (again.code, "3 there already" in again.out) == (0, True)
    assert run("verify", NAME, *where, *base).code == 0
    assert len(server.requests) == 0
    after = contents(tmp_path)
    assert {path: after[path] for path in before} == before


def test_refused_days_are_fetched_by_verify(
    run: Run, tmp_path: Path, server: EmbeddedServer
) -> None:
    good = np.asarray(Image.fromarray(draw(0)).resize((4096, 2048)))
    write(tmp_path, DAYS[0], encode_picture(good, "jpg"), epsg=4326)
    bad = write(tmp_path, DAYS[1], b"", epsg=4326)
    where = ("--output-dir", tmp_path, "--base-url", server.base_url)
    assert run("verify", NAME, "--adopt", *where).code == 4
    assert bad.read_bytes() == b""
    mended = run("verify", NAME, *where)
    assert (mended.code, mended.err) == (0, "")
    assert {f"/{DAYS[1]}/" in record.path for record in server.requests} == {True}
    assert len(server.requests) == 15
    assert bad.stat().st_size > 1000
