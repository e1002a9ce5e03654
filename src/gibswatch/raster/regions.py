"""Masks to places: areas in square kilometres and outlines in lon/lat."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio import features
from rasterio.transform import from_origin
from shapely.geometry import LineString, MultiPolygon, mapping, shape
from shapely.geometry.base import BaseGeometry

from gibswatch.types import BBox, BoolArray, Georeference

__all__ = ["outline", "pixel_area_km2", "region_area_km2"]

_EARTH_RADIUS_KM = 6371.0072
"""Radius of the sphere with the area of WGS 84 (Moritz 2000, Geodetic Reference System 1980)."""
_MERCATOR_RADIUS_M = 6378137.0
_SLIT_M = 1.0
"""Half-width of the cut along the antimeridian in a polar projection."""


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
    transform = from_origin(g.west, g.north, g.pixel_width, g.pixel_height)
    shapes = features.shapes(mask.astype(np.uint8), mask=mask, connectivity=8, transform=transform)
    merged = shapely.union_all([shapely.make_valid(shape(polygon)) for polygon, _ in shapes])
    simple = shapely.make_valid(shapely.simplify(merged, g.pixel_width))
    polygons = _to_lon_lat(simple if not simple.is_empty else merged, g)
    geometry = shapely.set_precision(polygons, 1e-5)
    geometry = shapely.orient_polygons(_polygons_only(geometry))
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


def _to_lon_lat(geometry: BaseGeometry, g: Georeference) -> BaseGeometry:
    if g.epsg == 4326:
        return geometry
    from pyproj import Transformer  # noqa: PLC0415

    if g.epsg != 3857:
        # Straight lines of the map are curves in lon/lat, and the map runs over the antimeridian.
        geometry = shapely.segmentize(geometry, 4 * g.pixel_width)
        geometry = geometry.difference(_antimeridian_slit(g))
    to_degrees = Transformer.from_crs(g.epsg, 4326, always_xy=True)

    def convert(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = to_degrees.transform(points[:, 0], points[:, 1])
        return np.column_stack([lon, lat])

    return shapely.make_valid(shapely.transform(geometry, convert))


def _antimeridian_slit(g: Georeference) -> BaseGeometry:
    """Return a thin wedge from the pole outwards along lon 180, to cut polygons open."""
    from pyproj import Transformer  # noqa: PLC0415

    latitude = 30.0 if g.epsg == 3413 else -30.0
    x, y = Transformer.from_crs(4326, g.epsg, always_xy=True).transform(180.0, latitude)
    return LineString([(0.0, 0.0), (x, y)]).buffer(_SLIT_M, cap_style="square")


def _polygons_only(geometry: BaseGeometry) -> BaseGeometry:
    """Drop the lines and points that making a geometry valid can leave."""
    parts = [
        part
        for part in shapely.get_parts(shapely.get_parts(geometry))
        if part.geom_type == "Polygon" and not part.is_empty
    ]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
