"""Areas against the sphere and the ellipsoid, outlines against geodesy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gibswatch.raster.regions import outline, pixel_area_km2, region_area_km2
from gibswatch.types import BBox, BoolArray, Epsg, Georeference

RADIUS_KM = 6371.0072
GEOD = Geod(ellps="WGS84")
GLOBE = Georeference(4326, -180.0, 90.0, 0.5, 0.5, 360, 720)
MERCATOR_HALF = 20037508.34278925
MERCATOR = Georeference(
    3857, -MERCATOR_HALF, MERCATOR_HALF, MERCATOR_HALF / 256, MERCATOR_HALF / 256, 512, 512
)


def polar(epsg: Epsg, side: int = 512) -> Georeference:
    half = 4194304.0
    return Georeference(epsg, -half, half, 2 * half / side, 2 * half / side, side, side)


def lon_lat(g: Georeference) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and distance from the equator (positive in both polar maps) of each pixel."""
    cols = g.west + (np.arange(g.cols) + 0.5) * g.pixel_width
    rows = g.north - (np.arange(g.rows) + 0.5) * g.pixel_height
    to_degrees = Transformer.from_crs(g.epsg, 4326, always_xy=True)
    lon, lat = to_degrees.transform(*np.meshgrid(cols, rows))
    return lon, np.abs(lat)


def outlined(mask: BoolArray, g: Georeference) -> tuple[list[BaseGeometry], BBox]:
    """Return the polygons of a mask's outline, after checking what holds for every outline."""
    geometry, box = outline(mask, g)
    assert geometry is not None
    assert box is not None
    assert geometry["type"] in ("Polygon", "MultiPolygon")
    whole = shape(geometry)
    assert whole.is_valid
    assert not whole.is_empty
    assert whole.bounds == box.as_tuple()
    assert box.west >= -180
    assert box.east <= 180
    assert abs(box.south) <= 90
    assert abs(box.north) <= 90
    parts = list(shapely.get_parts(whole))
    assert all(part.exterior.is_ccw for part in parts)
    assert not any(hole.is_ccw for part in parts for hole in part.interiors)
    return parts, box


def geodesic_km2(parts: list[BaseGeometry]) -> float:
    return float(sum(GEOD.geometry_area_perimeter(part)[0] for part in parts)) / 1e6


def test_the_globe_has_the_area_of_the_sphere() -> None:
    everything = np.ones(GLOBE.shape, dtype=bool)
    assert region_area_km2(everything, GLOBE) == pytest.approx(4 * math.pi * RADIUS_KM**2, rel=1e-6)
    assert region_area_km2(~everything, GLOBE) == 0


def test_mercator_is_cut_at_85_degrees() -> None:
    everything = np.ones(MERCATOR.shape, dtype=bool)
    cut = math.sin(math.radians(85.0511287798))
    expected = 4 * math.pi * RADIUS_KM**2 * cut
    assert region_area_km2(everything, MERCATOR) == pytest.approx(expected, rel=1e-5)


def test_rows_beyond_the_poles_have_no_area() -> None:
    overhanging = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 512, 512)
    area = pixel_area_km2(overhanging)
    assert (area[:320] > 0).all()
    assert (area[320:] == 0).all()


def test_areas_are_shared_and_so_read_only() -> None:
    for g in (GLOBE, MERCATOR, polar(3413)):
        area = pixel_area_km2(g)
        assert area is pixel_area_km2(g)
        assert area.shape == g.shape
        with pytest.raises(ValueError, match="read-only"):
            area[0, 0] = 1


@pytest.mark.parametrize("epsg", [3413, 3031])
@pytest.mark.parametrize("latitude", [55.0, 65.0, 80.0])
def test_a_polar_cap_has_the_area_of_the_ellipsoid(epsg: Epsg, latitude: float) -> None:
    g = polar(epsg, 1024)
    _, lat = lon_lat(g)
    lons = np.linspace(-180, 180, 721)[:-1]
    cap, _ = GEOD.polygon_area_perimeter(lons, np.full_like(lons, latitude))
    # pyproj closes the ring by the shorter side: the cap, not the rest of the globe.
    assert region_area_km2(lat > latitude, g) == pytest.approx(abs(cap) / 1e6, rel=0.005)


def test_an_empty_mask_has_no_outline() -> None:
    for g in (GLOBE, polar(3413)):
        assert outline(np.zeros(g.shape, dtype=bool), g) == (None, None)


def test_a_rectangle_comes_back() -> None:
    mask = np.zeros(GLOBE.shape, dtype=bool)
    mask[100:140, 300:360] = True
    parts, box = outlined(mask, GLOBE)
    assert box == BBox(-30, 20, 0, 40)
    assert len(parts) == 1
    assert parts[0].equals(shapely.box(-30, 20, 0, 40))


def test_a_hole_stays_a_hole() -> None:
    mask = np.zeros(GLOBE.shape, dtype=bool)
    mask[100:160, 300:360] = True
    mask[120:140, 320:340] = False
    parts, _ = outlined(mask, GLOBE)
    assert [len(part.interiors) for part in parts] == [1]
    assert parts[0].area == pytest.approx(0.25 * mask.sum())


def test_pixels_that_touch_at_corners_make_a_valid_outline() -> None:
    mask = np.zeros(GLOBE.shape, dtype=bool)
    mask[100:110, 300:310] = True
    mask[110:120, 310:320] = True
    parts, _ = outlined(mask, GLOBE)
    assert sum(part.area for part in parts) == pytest.approx(0.25 * mask.sum())


def test_both_sides_of_the_antimeridian_are_two_polygons() -> None:
    for g in (GLOBE, MERCATOR):
        mask = np.zeros(g.shape, dtype=bool)
        mask[200:240, :20] = True
        mask[200:240, -20:] = True
        parts, box = outlined(mask, g)
        assert len(parts) == 2
        assert (box.west, box.east) == (-180, 180)


@pytest.mark.parametrize("g", [GLOBE, MERCATOR, polar(3413), polar(3031)])
def test_one_pixel_keeps_its_area(g: Georeference) -> None:
    for row, col in ((200, 300), (256, 256), (255, 255), (256, 100), (10, 10)):
        mask = np.zeros(g.shape, dtype=bool)
        mask[row, col] = True
        parts, _ = outlined(mask, g)
        assert geodesic_km2(parts) == pytest.approx(region_area_km2(mask, g), rel=0.01)


@pytest.mark.parametrize("g", [GLOBE, MERCATOR])
def test_outlines_have_the_area_of_their_pixels(g: Georeference) -> None:
    rows, cols = np.mgrid[: g.rows, : g.cols]
    disc = np.hypot(rows - g.rows * 0.4, cols - g.cols * 0.4) < g.rows * 0.1
    parts, _ = outlined(disc, g)
    assert geodesic_km2(parts) == pytest.approx(region_area_km2(disc, g), rel=0.02)


POLAR_REGIONS: dict[str, Any] = {
    "over the pole": lambda lon, lat: lat > 80,
    "ring around the pole": lambda lon, lat: (lat > 70) & (lat < 80),
    "over the antimeridian": lambda lon, lat: (lat > 60) & (lat < 70) & (np.abs(lon) > 160),
    "up to the antimeridian": lambda lon, lat: (lat > 60) & (lat < 70) & (lon > 160),
    "over Greenwich": lambda lon, lat: (lat > 60) & (lat < 70) & (np.abs(lon) < 20),
    "from the pole to the edge": lambda lon, lat: (lon > 10) & (lon < 50),
    "around the pole but for a slit": lambda lon, lat: (lat > 70) & (np.abs(lon - 30) > 10),
    "everything": lambda lon, lat: lat > 0,
}


@pytest.mark.parametrize("epsg", [3413, 3031])
@pytest.mark.parametrize("name", POLAR_REGIONS)
def test_polar_outlines_have_the_area_of_their_pixels(epsg: Epsg, name: str) -> None:
    g = polar(epsg)
    mask = POLAR_REGIONS[name](*lon_lat(g))
    parts, _ = outlined(mask, g)
    assert geodesic_km2(parts) == pytest.approx(region_area_km2(mask, g), rel=0.02)


@pytest.mark.parametrize(("epsg", "pole"), [(3413, 90.0), (3031, -90.0)])
def test_a_region_over_the_pole_reaches_it_and_goes_around(epsg: Epsg, pole: float) -> None:
    g = polar(epsg)
    _, lat = lon_lat(g)
    parts, box = outlined(lat > 80, g)
    assert len(parts) == 1
    assert (box.west, box.east) == (-180, 180)
    assert pole in (box.south, box.north)
    for lon in (-179.0, -45.0, 0.0, 135.0, 179.0):
        assert parts[0].covers(shapely.Point(lon, pole))
        assert parts[0].covers(shapely.Point(lon, math.copysign(82, pole)))
        assert not parts[0].covers(shapely.Point(lon, math.copysign(79, pole)))


@pytest.mark.parametrize("epsg", [3413, 3031])
def test_a_region_over_the_antimeridian_is_cut_in_two(epsg: Epsg) -> None:
    g = polar(epsg)
    parts, box = outlined(POLAR_REGIONS["over the antimeridian"](*lon_lat(g)), g)
    assert len(parts) == 2
    assert (box.west, box.east) == (-180, 180)
    west, east = sorted(parts, key=lambda part: part.bounds[0])
    assert west.bounds[0] == -180
    assert west.bounds[2] == pytest.approx(-160, abs=0.5)
    assert east.bounds[2] == 180
    assert east.bounds[0] == pytest.approx(160, abs=0.5)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([3413, 3031]),
    st.floats(-0.9, 0.9),
    st.floats(-0.9, 0.9),
    st.floats(0.05, 0.6),
)
def test_any_disc_on_a_polar_map(epsg: Epsg, down: float, across: float, radius: float) -> None:
    g = polar(epsg, 256)
    rows, cols = np.mgrid[:256, :256] / 128 - 1
    mask = np.hypot(rows - down, cols - across) < radius
    parts, _ = outlined(mask, g)
    assert geodesic_km2(parts) == pytest.approx(region_area_km2(mask, g), rel=0.03)
    has_pole = mask[127:129, 127:129].any()
    for part in parts:
        assert has_pole or part.bounds[2] - part.bounds[0] <= 180
