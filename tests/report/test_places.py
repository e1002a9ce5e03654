"""Tests of outlines and graticules on pictures of every projection."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gibswatch.raster.regions import outline
from gibswatch.report.places import Frame, graticule, latitude, longitude, outline_path
from gibswatch.types import Georeference

_GLOBE = Georeference(4326, -180.0, 90.0, 0.5, 0.5, 360, 720)
_TILE = Georeference(4326, -36.0, 18.0, 0.1, 0.1, 360, 360)
_ARCTIC = Georeference(3413, -4194304.0, 4194304.0, 32768.0, 32768.0, 256, 256)
_ANTARCTIC = Georeference(3031, -4194304.0, 4194304.0, 32768.0, 32768.0, 256, 256)
_MERCATOR = Georeference(3857, -20037508.0, 20037508.0, 156543.0, 156543.0, 256, 256)


def _frame(georeference: Georeference) -> Frame:
    return Frame(georeference, georeference.cols, georeference.rows)


def _corners(path: str) -> np.ndarray:
    return np.array([float(v) for v in re.findall(r"[\d.]+", path)]).reshape(-1, 2)


@pytest.mark.parametrize("georeference", [_GLOBE, _TILE, _ARCTIC, _ANTARCTIC, _MERCATOR])
def test_an_outline_lies_on_the_pixels_it_was_drawn_from(georeference: Georeference) -> None:
    mask = np.zeros(georeference.shape, dtype=bool)
    mask[110:170, 40:90] = True
    geometry, _ = outline(mask, georeference)
    corners = _corners(outline_path(geometry, _frame(georeference)))
    assert corners.min(axis=0) == pytest.approx([40, 110], abs=0.3)
    assert corners.max(axis=0) == pytest.approx([90, 170], abs=0.3)


def test_a_reduced_frame_has_a_reduced_outline() -> None:
    mask = np.zeros(_GLOBE.shape, dtype=bool)
    mask[100:200, 300:500] = True
    geometry, _ = outline(mask, _GLOBE)
    corners = _corners(outline_path(geometry, Frame(_GLOBE, 360, 180)))
    assert corners.min(axis=0) == pytest.approx([150, 50], abs=0.2)
    assert corners.max(axis=0) == pytest.approx([250, 100], abs=0.2)


def test_a_region_smaller_than_a_step_keeps_its_outline() -> None:
    mask = np.zeros(_GLOBE.shape, dtype=bool)
    mask[100, 300] = True
    geometry, _ = outline(mask, _GLOBE)
    assert len(_corners(outline_path(geometry, Frame(_GLOBE, 144, 72)))) >= 4


def test_very_many_corners_are_left_out_smallest_rings_first() -> None:
    corner = np.array([[0, 0], [2, 0], [2, -2], [0, -2], [0, 0]])
    small = [np.add(corner, [3 * (n % 60), 3 * (n // 60 % 20)]).tolist() for n in range(1200)]
    large = np.add(corner * 20, [-100, 60]).tolist()
    geometry = {"type": "MultiPolygon", "coordinates": [[ring] for ring in (*small, large)]}
    path = outline_path(geometry, _frame(_GLOBE))
    corners = _corners(path)
    assert 3000 < len(corners) <= 4000


def test_nothing_has_no_outline() -> None:
    assert outline_path(None, _frame(_GLOBE)) == ""


@pytest.mark.parametrize(
    ("georeference", "names"),
    [
        (_GLOBE, {"60°W", "0°", "120°E", "30°N", "60°S"}),
        (_TILE, {"30°W", "20°W", "10°N", "10°S"}),
        (_ARCTIC, {"60°N", "80°N", "90°E", "180°"}),
        (_ANTARCTIC, {"60°S", "80°S", "90°W", "0°"}),
        (_MERCATOR, {"60°W", "30°N", "60°S"}),
    ],
)
def test_a_graticule_names_its_lines_inside_the_frame(
    georeference: Georeference, names: set[str]
) -> None:
    frame = _frame(georeference)
    net = graticule(frame)
    assert names <= {label.text for label in net.labels}
    assert all(0 < label.x < frame.width and 0 < label.y < frame.height for label in net.labels)
    assert net.path.count("M") >= 4
    assert "nan" not in net.path
    assert "inf" not in net.path


def test_the_equator_is_in_the_middle_of_the_globe() -> None:
    net = graticule(_frame(_GLOBE))
    assert "M0 180.0H720" in net.path
    assert "M360.0 0V360" in net.path


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0°"), (-36.0, "36°W"), (181.0, "179°W"), (-180.0, "180°")]
)
def test_longitude(value: float, text: str) -> None:
    assert longitude(value) == text


def test_latitude() -> None:
    assert [latitude(v) for v in (0.0, 8.4, -90.0)] == ["0°", "8.4°N", "90°S"]
