"""Masks to places: areas in square kilometres and outlines in lon/lat."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio import Affine, features
from shapely.geometry import MultiPolygon, mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from gibswatch.types import BBox, BoolArray, Georeference

__all__ = ["outline", "pixel_area_km2", "region_area_km2"]

_EARTH_RADIUS_KM = 6371.0072
"""Radius of the sphere with the area of WGS 84 (Moritz 2000, Geodetic Reference System 1980)."""
_MERCATOR_RADIUS_M = 6378137.0
_SECTOR_DEGREES = 90
_POLE_M = 0.1
"""Metres left out around the pole, where a point has no longitude; 1e-6 degree, under what
outlines are rounded to."""
_FAR_M = 2.0e7
"""Farther from the pole than any polar picture reaches."""
_GRID_DEGREES = 1e-5
"""Outlines are rounded to this: a metre."""
_SMALL_PIXELS = 1024
"""Regions up to this size keep every corner: simplified, one pixel would lose half of its area, and
a disc of 150 pixels gain 4 %."""


@lru_cache(maxsize=8)
def pixel_area_km2(georeference: Georeference) -> NDArray[np.float32]:
    """Area of each pixel on the ground; 0 outside the globe.

    Returns
    -------
    (rows, cols) ndarray of float32, read-only
        Square kilometres.  EPSG:4326: the exact band of the sphere,
        that is cos(lat) weighting.  EPSG:3857 the same with the latitude of its rows.  Polar: the
        map's areal scale, by PROJ.
    """
    g = georeference
    edges = g.north - np.arange(g.rows + 1) * g.pixel_height
    if g.epsg == 4326:
        sines = np.sin(np.radians(np.clip(edges, -90, 90)))
        width = np.radians(g.pixel_width)
    elif g.epsg == 3857:
        sines = np.tanh(edges / _MERCATOR_RADIUS_M)  # sin of the Gudermannian
        width = g.pixel_width / _MERCATOR_RADIUS_M
    else:
        return _polar_area_km2(g)
    area = _EARTH_RADIUS_KM**2 * width * (sines[:-1] - sines[1:])
    by_row: NDArray[np.float32] = area.astype(np.float32)[:, np.newaxis]
    return np.broadcast_to(by_row, g.shape)


def region_area_km2(mask: BoolArray, georeference: Georeference) -> float:
    """Area of the marked pixels in square kilometres."""
    return float(pixel_area_km2(georeference).sum(where=mask, dtype=np.float64))


def outline(
    mask: BoolArray, georeference: Georeference
) -> tuple[Mapping[str, Any] | None, BBox | None]:
    """Outline of the marked pixels in lon/lat.

    Parameters
    ----------
    mask : (rows, cols) ndarray of bool
    georeference : Georeference

    Returns
    -------
    geometry : GeoJSON Polygon or MultiPolygon, or None
        None if nothing is marked.  Outer rings run counter-clockwise; simplified by at most one
        pixel; nothing crosses the antimeridian: what lies on both sides is cut in two (RFC 7946).
    bbox : BBox or None
        Of the geometry; lon/lat degrees.
    """
    if not mask.any():
        return None, None
    g = georeference
    transform = Affine(g.pixel_width, 0.0, g.west, 0.0, -g.pixel_height, g.north)
    shapes = features.shapes(mask.astype(np.uint8), mask=mask, connectivity=8, transform=transform)
    regions = [shapely.make_valid(shape(polygon)) for polygon, _ in shapes]
    geometry = _polygons_only(_to_lon_lat(_simplified(regions, g), g))
    west, south, east, north = (float(v) for v in geometry.bounds)
    return mapping(geometry), BBox(west, south, east, north)


def _polar_area_km2(g: Georeference) -> NDArray[np.float32]:
    from pyproj import Proj, Transformer  # noqa: PLC0415  (0.1 s that only polar pictures pay)

    x = g.west + (np.arange(g.cols) + 0.5) * g.pixel_width
    y = g.north - (np.arange(g.rows) + 0.5) * g.pixel_height
    radius = np.hypot(x[np.newaxis, :], y[:, np.newaxis])
    # The projection is symmetric about the pole: the scale is a function of the radius alone.
    table_r = np.linspace(0.0, float(radius.max()) + 1.0, 512)
    to_degrees = Transformer.from_crs(g.epsg, 4326, always_xy=True)
    lon, lat = to_degrees.transform(np.zeros_like(table_r), -table_r)
    scale = Proj(g.epsg).get_factors(lon, np.clip(lat, -89.999999, 89.999999)).areal_scale
    area = g.pixel_width * g.pixel_height / 1e6 / np.interp(radius, table_r, scale)
    result: NDArray[np.float32] = area.astype(np.float32)
    result.flags.writeable = False
    return result


def _simplified(regions: list[BaseGeometry], g: Georeference) -> BaseGeometry:
    """Simplify by at most one pixel; the regions are 8-connected, so they do not touch."""
    small = _SMALL_PIXELS * g.pixel_width * g.pixel_height
    simple = [
        region
        if region.area <= small
        else shapely.make_valid(shapely.simplify(region, g.pixel_width))
        for region in regions
    ]
    return shapely.union_all(simple)


def _to_lon_lat(geometry: BaseGeometry, g: Georeference) -> BaseGeometry:
    if g.epsg in (3413, 3031):
        return _polar_to_lon_lat(geometry, g)
    if g.epsg == 3857:
        from pyproj import Transformer  # noqa: PLC0415

        to_degrees = Transformer.from_crs(3857, 4326, always_xy=True)

        def convert(points: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack(to_degrees.transform(points[:, 0], points[:, 1]))

        geometry = shapely.make_valid(shapely.transform(geometry, convert))
    return shapely.set_precision(geometry, _GRID_DEGREES)


def _polar_to_lon_lat(geometry: BaseGeometry, g: Georeference) -> BaseGeometry:
    """Bring a polar geometry to lon/lat sector by sector, then join the sectors.

    Inside a sector that ends at the pole and at two meridians lon/lat has neither a jump nor a
    point without longitude; the antimeridian, an edge of two sectors, stays a cut.
    """
    from pyproj import Transformer  # noqa: PLC0415

    to_map = Transformer.from_crs(4326, g.epsg, always_xy=True)
    to_degrees = Transformer.from_crs(g.epsg, 4326, always_xy=True)
    parts = []
    for west in range(-180, 180, _SECTOR_DEGREES):
        east = west + _SECTOR_DEGREES

        def convert(
            points: NDArray[np.float64], west: float = west, east: float = east
        ) -> NDArray[np.float64]:
            lon, lat = to_degrees.transform(points[:, 0], points[:, 1])
            middle = (west + east) / 2
            lon = (lon - middle + 180) % 360 - 180 + middle
            return np.column_stack([np.clip(lon, west, east), lat])

        part = shapely.intersection(geometry, _sector(to_map, west, east, g))
        # Straight lines of the map are curves in lon/lat.
        part = shapely.transform(shapely.segmentize(part, 4 * g.pixel_width), convert)
        parts.append(shapely.set_precision(shapely.make_valid(part), _GRID_DEGREES))
    return shapely.union_all(parts, grid_size=_GRID_DEGREES)


def _sector(to_map: Any, west: float, east: float, g: Georeference) -> BaseGeometry:
    """Everything between two meridians, from the pole to beyond the picture, on the map."""
    latitude = 60.0 if g.epsg == 3413 else -60.0
    x, y = to_map.transform(np.array([west, east]), np.full(2, latitude))
    rays = np.column_stack([x, y]) / np.hypot(x, y)[:, np.newaxis]
    near, far = rays * _POLE_M, rays * _FAR_M
    return shapely.Polygon([near[0], far[0], far[1], near[1]])


def _polygons_only(geometry: BaseGeometry) -> BaseGeometry:
    """Drop lines and points left by making a geometry valid; outer rings counter-clockwise."""
    parts = [
        orient(part)
        for part in shapely.get_parts(shapely.get_parts(geometry))
        if part.geom_type == "Polygon" and not part.is_empty
    ]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
