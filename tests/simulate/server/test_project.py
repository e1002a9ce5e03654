"""Tiles of other projections, against PROJ and GDAL's warper."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject

from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set, tile_matrix_sets
from gibswatch.simulate.server.project import coarsening, globe_tile, project_tile, shrink
from gibswatch.types import ByteArray

ROWS = 720


def matrix_of(epsg: int, level: int) -> TileMatrix:
    return tile_matrix_set(epsg, tile_matrix_sets(epsg)[-1]).matrix(level)


def corner(epsg: int, matrix: TileMatrix, row: int, col: int) -> tuple[float, float]:
    extent = tile_matrix_set(epsg, tile_matrix_sets(epsg)[-1]).extent
    return extent.west + col * matrix.tile_span, extent.north - row * matrix.tile_span


def numbered(rows: int = ROWS) -> ByteArray:
    """Every pixel of the globe has a value of its own."""
    index = np.arange(1, 2 * rows * rows + 1, dtype=">u4").reshape(rows, 2 * rows)
    return index.view(np.uint8).reshape(rows, 2 * rows, 4)[..., 1:]


def lon_lat(epsg: int, matrix: TileMatrix, row: int, col: int) -> NDArray[np.float64]:
    west, north = corner(epsg, matrix, row, col)
    centres = (np.arange(matrix.tile_size) + 0.5) * matrix.pixel_size
    x, y = np.meshgrid(west + centres, north - centres)
    return np.stack(Transformer.from_crs(epsg, 4326, always_xy=True).transform(x, y))


TILES = [
    (3413, 0, 0, 0),
    (3413, 0, 1, 1),
    (3413, 2, 3, 4),
    (3413, 5, 31, 32),
    (3031, 0, 0, 1),
    (3031, 0, 1, 0),
    (3031, 3, 8, 7),
    (3031, 5, 40, 20),
]


@pytest.mark.parametrize(("epsg", "level", "row", "col"), TILES)
def test_polar_pixels_are_those_under_their_centres(
    epsg: int, level: int, row: int, col: int
) -> None:
    globe, matrix = numbered(), matrix_of(epsg, level)
    tile = project_tile(globe, epsg, matrix, row, col)
    lon, lat = lon_lat(epsg, matrix, row, col)
    rows = ((90 - lat) * ROWS / 180).astype(int)
    cols = ((lon + 180) * ROWS / 180).astype(int) % (2 * ROWS)
    assert np.mean((tile != globe[rows, cols]).any(axis=2)) < 1e-4  # on an edge to a nanometre


@pytest.mark.parametrize(("row", "col"), [(0, 0), (7, 3), (12, 15)])
def test_mercator_pixels_are_those_under_their_centres(row: int, col: int) -> None:
    globe, matrix = numbered(), matrix_of(3857, 4)
    tile = project_tile(globe, 3857, matrix, row, col)
    lon, lat = lon_lat(3857, matrix, row, col)
    rows, cols = ((90 - lat) * ROWS / 180).astype(int), ((lon + 180) * ROWS / 180).astype(int)
    assert np.mean((tile != globe[rows, cols]).any(axis=2)) < 1e-4


def smooth(rows: int = ROWS) -> ByteArray:
    lat, lon = np.radians(np.mgrid[90 : -90 : rows * 1j, -180 : 180 : 2 * rows * 1j])
    waves = [np.sin(3 * lon) * np.cos(lat), np.cos(2 * lon) * np.cos(lat), np.sin(5 * lat)]
    return np.asarray(np.rint(128 + 90 * np.stack(waves, axis=2)), dtype=np.uint8)


@pytest.mark.parametrize(
    ("epsg", "level", "row", "col"),
    [*TILES[:5], (3857, 0, 0, 0), (3857, 2, 1, 2), (3857, 5, 10, 20)],
)
def test_as_gdal_warps(epsg: int, level: int, row: int, col: int) -> None:
    globe, matrix = smooth(), matrix_of(epsg, level)
    tile = globe_tile(lambda factor: shrink(globe, factor), epsg, matrix, row, col)
    warped = np.zeros((3, matrix.tile_size, matrix.tile_size), np.uint8)
    west, north = corner(epsg, matrix, row, col)
    reproject(
        np.ascontiguousarray(globe.transpose(2, 0, 1)),
        warped,
        src_transform=Affine(180 / ROWS, 0, -180, 0, -180 / ROWS, 90),
        src_crs="EPSG:4326",
        dst_transform=Affine(matrix.pixel_size, 0, west, 0, -matrix.pixel_size, north),
        dst_crs=f"EPSG:{epsg}",
        resampling=Resampling.nearest,
    )
    inside = warped.any(axis=0)
    assert inside.mean() > 0.99
    difference = np.abs(tile.astype(int) - warped.transpose(1, 2, 0))[inside]
    assert difference.mean() < 0.6
    assert np.quantile(difference, 0.999) <= 12


@pytest.mark.parametrize(
    ("epsg", "lon", "lat"),
    [
        (3413, -45.0, 70.0),
        (3413, 100.0, 55.5),
        (3413, 179.9, 80.0),
        (3031, 0.0, -75.0),
        (3031, -120.0, -60.0),
        (3857, 12.5, 41.9),
        (3857, -179.0, -84.0),
    ],
)
def test_a_known_point_is_where_it_belongs(epsg: int, lon: float, lat: float) -> None:
    globe = np.full((ROWS, 2 * ROWS, 3), 40, np.uint8)
    at = int((90 - lat) * ROWS / 180), int((lon + 180) * ROWS / 180)
    globe[at[0] - 1 : at[0] + 2, np.arange(at[1] - 1, at[1] + 2) % (2 * ROWS)] = 250
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    matrix = matrix_of(epsg, 4)
    west, north = corner(epsg, matrix, 0, 0)
    down, right = (north - y) / matrix.pixel_size, (x - west) / matrix.pixel_size
    row, col = int(down / matrix.tile_size), int(right / matrix.tile_size)
    tile = project_tile(globe, epsg, matrix, row, col)
    assert (tile[int(down) % matrix.tile_size, int(right) % matrix.tile_size] == 250).all()
    assert (tile == 250).mean() < 0.2


@pytest.mark.parametrize(("epsg", "sign"), [(3413, 1), (3031, -1)])
def test_the_other_hemisphere_is_not_shown(epsg: int, sign: int) -> None:
    globe = np.full((ROWS, 2 * ROWS, 3), 90, np.uint8)
    lat = 90 - (np.arange(ROWS) + 0.5) * 180 / ROWS
    globe[sign * lat < 38.5] = 250
    for row in range(2):
        for col in range(2):
            assert project_tile(globe, epsg, matrix_of(epsg, 0), row, col).max() == 90


def test_mercator_ends_at_85_degrees() -> None:
    globe = np.full((3600, 7200, 3), 90, np.uint8)
    lat = 90 - (np.arange(3600) + 0.5) * 180 / 3600
    globe[np.abs(lat) > 85.1] = 250
    for row in (0, 7):
        assert project_tile(globe, 3857, matrix_of(3857, 3), row, 2).max() == 90


def test_no_data_stays_no_data() -> None:
    globe = np.zeros((ROWS, 2 * ROWS, 4), np.uint8)
    globe[:, ROWS:] = (80, 90, 100, 255)
    for epsg in (3413, 3857):
        tile = project_tile(globe, epsg, matrix_of(epsg, 0), 0, 0)
        assert set(map(tuple, tile.reshape(-1, 4).tolist())) == {(0, 0, 0, 0), (80, 90, 100, 255)}


@pytest.mark.parametrize(
    ("epsg", "level", "rows", "factor"),
    [
        (4326, 0, 9000, 1),
        (3857, 0, 256, 1),
        (3857, 0, 8192, 32),
        (3413, 0, 2048, 1),
        (3413, 0, 8192, 2),
        (3031, 3, 8192, 1),
    ],
)
def test_coarsening(epsg: int, level: int, rows: int, factor: int) -> None:
    assert coarsening(rows, epsg, matrix_of(epsg, level)) == factor


@pytest.mark.parametrize("rows", [64, 100, 90])
@pytest.mark.parametrize("channels", [3, 4])
def test_shrinking_takes_means_of_data(rows: int, channels: int) -> None:
    globe = np.random.default_rng(2).integers(50, 200, (rows, 2 * rows, channels)).astype(np.uint8)
    globe[..., 3:] = 255
    small = shrink(globe, 2)
    assert small.shape == (rows // 2, rows, channels)
    mean = globe.reshape(rows // 2, 2, rows, 2, channels).mean(axis=(1, 3))
    assert np.abs(small - mean).max() <= 0.51
    globe[::2, ::2] = 0
    assert shrink(globe, 2)[..., :3].min() >= 50
    assert shrink(globe, 4).shape[0] == round(rows / 4)
    assert shrink(np.zeros_like(globe), 4).max() == 0
