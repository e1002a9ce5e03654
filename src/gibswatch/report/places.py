"""Outlines and graticules as SVG paths on a picture of any projection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gibswatch.types import FloatArray, Georeference

__all__ = ["Frame", "Graticule", "Label", "graticule", "outline_path"]

_STEPS_DEG = (30.0, 10.0, 5.0, 2.0, 1.0)
_POLAR = (3413, 3031)
_LEAST_STEP = 0.7
"""Corners of an outline nearer to each other, in units of the frame, are one."""
_MOST_POINTS = 4000
_SEAM = 0.3
"""Half the width, in units of the frame, of a gap that is a cut and no gap."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as the report draws it: `width` by `height` units of SVG."""

    georeference: Georeference
    width: int
    height: int

    def place(self, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Across and down, in units of SVG, of places in degrees."""
        g = self.georeference
        x, y = lon, lat
        if g.epsg != 4326:
            from pyproj import Transformer  # noqa: PLC0415  (0.1 s that only other maps pay)

            to_map = Transformer.from_crs(4326, g.epsg, always_xy=True)
            x, y = to_map.transform(lon, np.clip(lat, -89.9999, 89.9999))
        across = (np.asarray(x) - g.west) / (g.cols * g.pixel_width) * self.width
        down = (g.north - np.asarray(y)) / (g.rows * g.pixel_height) * self.height
        return across, down

    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of a picture whose rows are parallels."""
        b = self.georeference.bbox
        if self.georeference.epsg == 4326:
            return max(b.west, -180.0), max(b.south, -90.0), min(b.east, 180.0), min(b.north, 90.0)
        from pyproj import Transformer  # noqa: PLC0415

        to_degrees = Transformer.from_crs(self.georeference.epsg, 4326, always_xy=True)
        west, south = to_degrees.transform(b.west, b.south)
        east, north = to_degrees.transform(b.east, b.north)
        return west, south, east, north


@dataclass(frozen=True, slots=True)
class Label:
    """A name of a line of the graticule."""

    x: float
    y: float
    text: str
    anchor: str
    """As SVG's ``text-anchor``."""


@dataclass(frozen=True, slots=True)
class Graticule:
    """Meridians and parallels of a frame."""

    path: str
    labels: tuple[Label, ...]


def outline_path(geometry: Mapping[str, Any] | None, frame: Frame) -> str:
    """Path of a GeoJSON (Multi)Polygon in lon/lat; empty where there is none.

    Parameters
    ----------
    geometry : GeoJSON Polygon or MultiPolygon, or None
    frame : Frame
    """
    if geometry is None:
        return ""
    placed: list[FloatArray] = []
    for ring in _rings(geometry):
        points = np.asarray(ring, dtype=np.float64)
        placed.append(np.column_stack(frame.place(points[:, 0], points[:, 1])))
    if frame.georeference.epsg in _POLAR:
        placed = _without_seam(placed)
    rings = [_thinned(ring[:, 0], ring[:, 1]) for ring in placed]
    drawn, total = [], 0
    for ring in sorted(rings, key=len, reverse=True):
        total += len(ring)
        if len(ring) >= 3 and total <= _MOST_POINTS:
            drawn.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z")
    return "".join(drawn)


def graticule(frame: Frame) -> Graticule:
    """Draw the meridians and parallels of a frame, and name them."""
    return _polar(frame) if frame.georeference.epsg in _POLAR else _upright(frame)


def _rings(geometry: Mapping[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    coordinates = geometry["coordinates"]
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    for polygon in polygons:
        yield from polygon


def _without_seam(rings: list[FloatArray]) -> list[FloatArray]:
    """Join what was cut at the antimeridian, which is a line like any other on a polar map."""
    import shapely  # noqa: PLC0415

    lines = [ring for ring in rings if len(ring) >= 4 and np.isfinite(ring).all()]
    whole = shapely.Polygon()
    for ring in lines:  # a hole lies in its polygon and is taken out again
        whole = whole.symmetric_difference(shapely.make_valid(shapely.Polygon(ring)))
    grown = whole.buffer(_SEAM, join_style="mitre").buffer(-_SEAM, join_style="mitre")
    parts = [part for part in shapely.get_parts(grown) if part.geom_type == "Polygon"]
    return [np.asarray(ring.coords) for part in parts for ring in (part.exterior, *part.interiors)]


def _thinned(across: FloatArray, down: FloatArray) -> list[tuple[float, float]]:
    """Leave out corners that lie on the one before."""
    kept: list[tuple[float, float]] = []
    for x, y in zip(across.tolist(), down.tolist(), strict=True):
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        if not kept or max(abs(x - kept[-1][0]), abs(y - kept[-1][1])) >= _LEAST_STEP:
            kept.append((x, y))
    if len(kept) < 3 and across.size >= 4:  # smaller than the step: keep the thing itself
        kept = [(float(x), float(y)) for x, y in zip(across, down, strict=True)]
    return kept


def _upright(frame: Frame) -> Graticule:
    west, south, east, north = frame.box()
    wide = max(east - west, north - south)
    step = next((s for s in _STEPS_DEG if wide / s >= 3), _STEPS_DEG[-1])
    step = 60.0 if wide > 300 else step
    lines, labels = [], []
    for lon in _multiples(west, east, step):
        x = float(frame.place(np.array([lon]), np.array([(south + north) / 2]))[0][0])
        lines.append(f"M{x:.1f} 0V{frame.height}")
        if 0.04 < x / frame.width < 0.96:
            labels.append(Label(x, 0.985 * frame.height, longitude(lon), "middle"))
    for lat in _multiples(south, north, step / 2 if step == 60.0 else step):
        y = float(frame.place(np.array([west]), np.array([lat]))[1][0])
        lines.append(f"M0 {y:.1f}H{frame.width}")
        if 0.06 < y / frame.height < 0.9:
            labels.append(Label(0.008 * frame.width, y - 3.0, latitude(lat), "start"))
    return Graticule("".join(lines), tuple(labels))


def _polar(frame: Frame) -> Graticule:
    sign = 1.0 if frame.georeference.epsg == 3413 else -1.0
    lines, labels = [], []
    for lat in (50.0, 60.0, 70.0, 80.0):
        around = np.linspace(-180.0, 180.0, 97)
        lines.append(_line(frame, around, np.full(97, sign * lat)))
        labels.append(_label_at(frame, 45.0, sign * lat, latitude(sign * lat)))
    for lon in np.arange(-180.0, 180.0, 30.0):
        lines.append(_line(frame, np.full(2, lon), np.array([sign * 80.0, sign * 30.0])))
        labels.append(_label_at(frame, float(lon), sign * 57.0, longitude(float(lon))))
    inside = [
        label
        for label in labels
        if 0.04 < label.x / frame.width < 0.96 and 0.04 < label.y / frame.height < 0.98
    ]
    return Graticule("".join(lines), tuple(inside))


def _line(frame: Frame, lon: FloatArray, lat: FloatArray) -> str:
    across, down = frame.place(lon, lat)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(across, down, strict=True))


def _label_at(frame: Frame, lon: float, lat: float, text: str) -> Label:
    across, down = frame.place(np.array([lon]), np.array([lat]))
    return Label(float(across[0]), float(down[0]), text, "middle")


def _multiples(low: float, high: float, step: float) -> list[float]:
    """Multiples of a step strictly between two numbers."""
    first, last = int(np.floor(low / step)) + 1, int(np.ceil(high / step))
    return [step * n for n in range(first, last)]


def longitude(value: float) -> str:
    """Longitude as a person writes it, e.g. ``36°W``."""
    value = (value + 180.0) % 360.0 - 180.0
    return f"{abs(value):.4g}°" + ("" if value in (0.0, -180.0) else "E" if value > 0 else "W")


def latitude(value: float) -> str:
    """Latitude as a person writes it, e.g. ``18°S``."""
    return f"{abs(value):.4g}°" + ("" if value == 0 else "N" if value > 0 else "S")
