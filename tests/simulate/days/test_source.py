"""Simulated days through the server: our client, GDAL and rasterio read them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio

from gibswatch.archive import download_days, open_archive
from gibswatch.catalogue import Grid, find_layer, service_xml, tile_matrix_set
from gibswatch.errors import UsageError
from gibswatch.raster.codec import decode_picture
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, ServedLayer, SimulatedSource, create_app
from gibswatch.simulate.archiving import Source, specify_days
from gibswatch.simulate.days import source as source_module
from gibswatch.simulate.days.day import picture_bytes, simulate_day
from gibswatch.simulate.days.source import tile_georeference
from gibswatch.simulate.days.spec import DaySpec, FaultSpec
from gibswatch.types import BBox, Georeference

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
MASK = "MODIS_Terra_Data_No_Data"
DAY = dt.date(2017, 4, 10)
DAYS = [DAY, DAY + dt.timedelta(days=1)]
HOLE = FaultSpec("missing-granules", DAYS[1], place=(-15.0, 3.0))
SET = tile_matrix_set(4326, "250m")


def make_source(layer: str = TERRA) -> SimulatedSource:
    specs = specify_days(layer, DAYS, Source(5, (HOLE,), invented=True))
    by_day = {spec.day: spec for spec in specs}
    return SimulatedSource(by_day.__getitem__, by_day.keys())


@pytest.fixture(scope="module")
def gibs() -> Iterator[EmbeddedServer]:
    layers = {}
    for name in (TERRA, MASK):
        known = find_layer(name)
        assert known.format != "mvt"
        layers[name] = (ServedLayer(name, known.format, known.projections), make_source(name))
    with EmbeddedServer(create_app(layers)) as running:
        yield running


@pytest.mark.parametrize(
    ("epsg", "level", "row", "col", "bounds"),
    [
        (4326, 3, 2, 4, (-36.0, -18.0, 0.0, 18.0)),
        (4326, 0, 0, 1, (108.0, -198.0, 396.0, 90.0)),
        (3413, 0, 1, 0, (-4194304.0, -4194304.0, 0.0, 0.0)),
        (3857, 0, 0, 0, (-20037508.34278925, -20037508.34278925, 20037508.34278925,
                         20037508.34278925)),
    ],
)  # fmt: skip
def test_tiles_lie_where_gibs_has_them(
    epsg: int, level: int, row: int, col: int, bounds: tuple[float, ...]
) -> None:
    matrix_set = "GoogleMapsCompatible_Level9" if epsg == 3857 else "250m"
    matrix = tile_matrix_set(epsg, matrix_set).matrix(level)
    found = tile_georeference(epsg, matrix.pixel_size, row, col)
    assert found.bbox.as_tuple() == pytest.approx(bounds)
    assert found.shape == (matrix.tile_size, matrix.tile_size)


def test_a_tile_is_the_picture_of_its_place() -> None:
    tile = make_source().tile(DAY, 4326, SET.matrix(3), 2, 4)
    (spec, _) = specify_days(TERRA, DAYS, Source(5, (HOLE,), invented=True))
    place = Georeference(4326, -36.0, 18.0, 0.0703125, 0.0703125, 512, 512)
    assert tile == picture_bytes(spec, place) == simulate_day(spec, place).data


def test_a_tile_that_hangs_over_the_globe_has_nothing_beyond_it() -> None:
    data = make_source().tile(DAY, 4326, SET.matrix(1), 1, 2)
    assert data is not None
    pixels = decode_picture(data, image_format="jpg", shape=(512, 512))
    matrix = SET.matrix(1)
    last_row = round((90 - (-90)) / matrix.pixel_size) - 512
    last_col = round(360 / matrix.pixel_size) - 1024
    assert pixels[:last_row, :last_col].max() > 100
    assert pixels[last_row + 16 :].max() == 0
    assert pixels[:, last_col + 16 :].max() == 0


@pytest.mark.parametrize(("epsg", "row", "col"), [(3413, 0, 0), (3031, 1, 1), (3857, 0, 0)])
def test_every_projection_is_served(epsg: int, row: int, col: int) -> None:
    matrix_set = find_layer(TERRA).matrix_set(epsg)
    matrix = tile_matrix_set(epsg, matrix_set).matrix(0)
    data = make_source().tile(DAY, epsg, matrix, row, col)
    assert data is not None
    pixels = decode_picture(data, image_format="jpg", shape=(matrix.tile_size,) * 2)
    assert np.mean(pixels.max(axis=2) > 20) > 0.3


def test_a_tile_in_the_polar_night_is_none() -> None:
    winter = specify_days(TERRA, [dt.date(2017, 12, 21)], Source(5, invented=True))[0]
    source = SimulatedSource(lambda _day: winter, [winter.day])
    matrix = tile_matrix_set(4326, "250m").matrix(5)
    assert source.tile(winter.day, 4326, matrix, 0, 20) is None


def test_a_tile_is_made_once_under_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Georeference] = []

    def counted(spec: DaySpec, place: Georeference) -> bytes:
        calls.append(place)
        return picture_bytes(spec, place)

    monkeypatch.setattr(source_module, "picture_bytes", counted)
    source = make_source()
    barrier = threading.Barrier(4)

    def ask(_: int) -> bytes | None:
        barrier.wait(10)
        return source.tile(DAY, 4326, SET.matrix(4), 4, 8)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1
    assert len(calls) == 1


def test_no_days() -> None:
    with pytest.raises(UsageError, match="no days"):
        SimulatedSource(lambda day: specify_days(TERRA, [day], Source(1))[0], ())


@pytest.mark.parametrize("engine", ["http", "gdal"])
@pytest.mark.parametrize("layer", [TERRA, MASK])
def test_our_client_and_gdal_bring_the_same_days(
    gibs: EmbeddedServer, tmp_path: Path, engine: str, layer: str
) -> None:
    grid = Grid("native", 4326, "8km", BBox(-36, -18, 0, 18))
    summary = download_days(
        tmp_path, find_layer(layer), grid, DAYS, Settings(base_url=gibs.base_url),
        engine="gdal" if engine == "gdal" else "http",
    )  # fmt: skip
    assert (summary.days_complete, dict(summary.tiles)) == (2, {"ok": 2})
    specs = specify_days(layer, DAYS, Source(5, (HOLE,), invented=True))
    for spec in specs:
        place = Georeference(4326, -36.0, 18.0, 0.0703125, 0.0703125, 512, 512)
        day = simulate_day(spec, place)
        found = open_archive(tmp_path).scene(layer, spec.day).pixels
        assert np.abs(found.astype(int) - day.pixels).mean() < 3
    assert (2 in [int(code) for code in day.truth.codes]) == (spec.day == HOLE.day)


def test_rasterio_reads_a_simulated_day(gibs: EmbeddedServer, tmp_path: Path) -> None:
    text = service_xml(find_layer(TERRA), "tms", day=DAY, base_url=gibs.base_url)
    path = tmp_path / "gibs.xml"
    path.write_text(text, "utf-8")
    with (
        rasterio.Env(GDAL_DEFAULT_WMS_CACHE_PATH=str(tmp_path / "cache")),
        rasterio.open(path) as raster,
    ):
        window = raster.window(-36, -18, 0, 18)
        pixels = raster.read(window=window, out_shape=(3, 512, 512))
    spec = specify_days(TERRA, [DAY], Source(5, (HOLE,), invented=True))[0]
    made = simulate_day(spec, Georeference(4326, -36.0, 18.0, 0.0703125, 0.0703125, 512, 512))
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - made.pixels).mean() < 6
