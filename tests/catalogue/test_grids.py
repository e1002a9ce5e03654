"""GIBS's grids and the predecessor's table, against literal figures and the server's own file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from gibswatch.catalogue.grids import (
    PREDECESSOR_TABLE,
    TileMatrixSet,
    check_epsg,
    native_level,
    resolution_row,
    tile_matrix_set,
    tile_matrix_sets,
)
from gibswatch.errors import UnknownGridError
from gibswatch.types import BBox

TABLE = [
    ("16km", 2, "4096x2048", "8x4", 32),
    ("8km", 3, "8192x4096", "16x8", 128),
    ("4km", 4, "16384x8192", "32x16", 512),
    ("2km", 5, "32768x16384", "64x32", 2048),
    ("1km", 6, "65536x32768", "128x64", 8192),
    ("500m", 7, "131072x65536", "256x128", 32768),
    ("250m", 8, "262144x131072", "512x256", 131072),
    ("125m", 9, "524288x262144", "1024x512", 524288),
    ("62.5m", 10, "1048576x524288", "2048x1024", 2097152),
    ("31.25m", 11, "2097152x1048576", "4096x2048", 8388608),
]

# level, scale denominator, pixel size, columns, rows (GIBS's tilematrixsets.xml)
GEOGRAPHIC = [
    (0, 223632905.6114871, 0.5625, 2, 1),
    (1, 111816452.8057436, 0.28125, 3, 2),
    (2, 55908226.40287178, 0.140625, 5, 3),
    (3, 27954113.20143589, 0.0703125, 10, 5),
    (4, 13977056.60071795, 0.03515625, 20, 10),
    (5, 6988528.300358973, 0.017578125, 40, 20),
    (6, 3494264.150179486, 0.0087890625, 80, 40),
    (7, 1747132.075089743, 0.00439453125, 160, 80),
    (8, 873566.0375448716, 0.002197265625, 320, 160),
    (9, 436783.0187724358, 0.0010986328125, 640, 320),
    (10, 218391.5093862179, 0.00054931640625, 1280, 640),
    (11, 109195.75469310895, 0.000274658203125, 2560, 1280),
    (12, 54597.877346554475, 0.0001373291015625, 5120, 2560),
]
POLAR = [
    (0, 29257142.85714286, 8192, 2, 2),
    (1, 14628571.42857143, 4096, 4, 4),
    (2, 7314285.714285715, 2048, 8, 8),
    (3, 3657142.857142857, 1024, 16, 16),
    (4, 1828571.428571429, 512, 32, 32),
    (5, 914285.7142857143, 256, 64, 64),
    (6, 457142.857142857, 128, 128, 128),
    (7, 228571.428571429, 64, 256, 256),
    (8, 114285.714285714, 32, 512, 512),
]
MERCATOR = [(z, 559082264.0287178 / 2**z, 156543.0339 / 2**z, 2**z, 2**z) for z in range(14)]
LEVELS: dict[int, Sequence[tuple[int, float, float, int, int]]] = {
    4326: GEOGRAPHIC,
    3413: POLAR,
    3031: POLAR,
    3857: MERCATOR,
}
MAX_LEVEL = {
    4326: {"16km": 2, "2km": 5, "1km": 6, "500m": 7, "250m": 8, "31.25m": 11, "15.625m": 12},
    3413: {"1km": 3, "500m": 4, "250m": 5, "31.25m": 8},
    3031: {"1km": 3, "500m": 4, "250m": 5},
    3857: {f"GoogleMapsCompatible_Level{n}": n for n in (3, 6, 7, 8, 9, 12, 13)},
}
SETS = [(epsg, name, top) for epsg, sets in MAX_LEVEL.items() for name, top in sets.items()]


@pytest.mark.parametrize(("name", "level", "pixels", "tiles", "count"), TABLE)
def test_predecessor_row(name: str, level: int, pixels: str, tiles: str, count: int) -> None:
    row = resolution_row(4326, name)
    assert row.tile_resolution == name
    assert row.tile_level == native_level(4326, name) == level
    assert (row.pixel_resolution, row.tiled_resolution, row.num_tiles) == (pixels, tiles, count)
    assert (row.cols, row.rows) == (row.tile_cols * 512, row.tile_rows * 512)


def test_the_table_has_exactly_those_rows_in_order() -> None:
    assert [row.tile_resolution for row in PREDECESSOR_TABLE] == [row[0] for row in TABLE]


@pytest.mark.parametrize("epsg", [3413, 3031])
def test_polar_rows(epsg: int) -> None:
    halved = resolution_row(epsg, "16km")
    assert (halved.tile_level, halved.rows, halved.cols, halved.num_tiles) == (0, 512, 512, 1)
    for level, name in enumerate(("8km", "4km", "2km", "1km", "500m", "250m")):
        row = resolution_row(epsg, name)
        assert row.tile_level == native_level(epsg, name) == level
        assert row.rows == row.cols == 1024 * 2**level
        assert row.num_tiles == (2 * 2**level) ** 2


@pytest.mark.parametrize(("epsg", "name", "top"), SETS)
def test_every_level_of_every_set(epsg: int, name: str, top: int) -> None:
    found = tile_matrix_set(epsg, name)
    assert (found.identifier, found.epsg, found.max_level) == (name, epsg, top)
    for level, denominator, pixel, cols, rows in LEVELS[epsg][: top + 1]:
        matrix = found.matrix(level)
        assert matrix.level == level
        assert found.scale_denominator(level) == pytest.approx(denominator, rel=1e-9)
        assert matrix.pixel_size == pytest.approx(pixel, rel=1e-9)
        assert (matrix.matrix_cols, matrix.matrix_rows) == (cols, rows)
        assert matrix.tile_size == (256 if epsg == 3857 else 512)
        assert matrix.tile_span == matrix.pixel_size * matrix.tile_size


@pytest.mark.parametrize("epsg", list(MAX_LEVEL))
def test_sets_are_listed_coarsest_first(epsg: int) -> None:
    assert tile_matrix_sets(epsg) == tuple(MAX_LEVEL[epsg])


def test_extents() -> None:
    assert tile_matrix_set(4326, "250m").extent == BBox(-180, -90, 180, 90)
    half = 4194304
    assert tile_matrix_set(3413, "250m").extent == BBox(-half, -half, half, half)
    mercator = tile_matrix_set(3857, "GoogleMapsCompatible_Level9").extent
    assert mercator.north == mercator.east == 20037508.34278925


@pytest.mark.parametrize("epsg", [0, 4327, -4326, 32633])
def test_unknown_projection(epsg: int) -> None:
    with pytest.raises(UnknownGridError, match=f"EPSG:{epsg} is not a projection of GIBS"):
        check_epsg(epsg)


def test_unknown_set_names_the_known() -> None:
    with pytest.raises(UnknownGridError, match=r"no tile matrix set '2km': use one of 1km, 500m"):
        tile_matrix_set(3413, "2km")
    with pytest.raises(UnknownGridError, match=r"no tile matrix set '31\.25m'"):
        tile_matrix_set(3031, "31.25m")


@pytest.mark.parametrize("level", [-1, 9])
def test_unknown_level(level: int) -> None:
    with pytest.raises(UnknownGridError, match=f"has levels 0 to 8, not {level}"):
        tile_matrix_set(4326, "250m").matrix(level)


def test_unknown_resolution() -> None:
    with pytest.raises(UnknownGridError, match=r"use 16km, 8km, .*31\.25m"):
        resolution_row(4326, "3km")
    with pytest.raises(UnknownGridError, match=r"250m$"):
        resolution_row(3413, "125m")
    with pytest.raises(UnknownGridError, match="use --grid native"):
        resolution_row(3857, "16km")


def test_native_levels_beside_the_table() -> None:
    assert native_level(3857, "2km") == 6
    assert native_level(3857, "250m") == 9
    with pytest.raises(UnknownGridError, match="EPSG:3413 starts at 8km"):
        native_level(3413, "16km")


@pytest.mark.realdata
def test_the_servers_own_file_says_the_same(real_data: Path) -> None:
    ows = "{http://www.opengis.net/ows/1.1}"
    root = ET.parse(real_data / "service" / "tilematrixsets.xml").getroot()
    projections = {node.get("id", ""): node for node in root.iter("Projection")}
    for epsg in LEVELS:  # the file has others, that GIBS's public service does not offer
        nodes = projections[f"EPSG:{epsg}"].findall("TileMatrixSet")
        by_name = {node.findtext(f"{ows}Identifier", ""): node for node in nodes}
        assert set(tile_matrix_sets(epsg)) <= set(by_name)
        for name in tile_matrix_sets(epsg):
            levels = by_name[name].findall("TileMatrix")
            assert len(levels) == tile_matrix_set(epsg, name).max_level + 1
            for number, level in enumerate(levels):
                assert level.findtext(f"{ows}Identifier") == str(number)
                _check_level(level, tile_matrix_set(epsg, name), number)


def _check_level(node: ET.Element, found: TileMatrixSet, number: int) -> None:
    matrix, extent = found.matrix(number), found.extent
    west, north = (float(v) for v in node.findtext("TopLeftCorner", "").split())
    assert (west, north) == pytest.approx((extent.west, extent.north), rel=1e-12)
    denominator = float(node.findtext("ScaleDenominator", ""))
    assert found.scale_denominator(number) == pytest.approx(denominator, rel=1e-9)
    names = ("TileWidth", "TileHeight", "MatrixWidth", "MatrixHeight")
    assert [int(node.findtext(name, "")) for name in names] == [
        matrix.tile_size,
        matrix.tile_size,
        matrix.matrix_cols,
        matrix.matrix_rows,
    ]
