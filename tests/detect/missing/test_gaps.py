"""Swath gaps: the day's own correction of the orbit, its bounds, and the rim of swaths."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.detect.missing.gaps import Gaps, expected_gaps, rim_depth_km
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference

_DAY = dt.date(2018, 4, 10)
_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 512, 180 / 256, 256, 512)
_TILE = Georeference(4326, -40.0, 20.0, 40 / 256, 40 / 256, 256, 256)


def _expected(
    name: str, georeference: Georeference, *, east: float = 0.0, wide: float = 1.0
) -> Expectation:
    satellite = SATELLITES[name]
    orbit = anchor_orbit(satellite, _DAY)
    orbit = replace(
        orbit,
        node_lon_deg=orbit.node_lon_deg + east,
        half_angle_deg=orbit.half_angle_deg * wide,
    )
    return expect(satellite, georeference, _DAY, orbit)


def _iou(one: BoolArray, other: BoolArray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("name", ["Terra", "Aqua"])
def test_without_anything_to_correct_the_plane_is_the_expectation(name: str) -> None:
    expected = _expected(name, _GLOBE)
    gaps = expected_gaps(expected, expected.reason == 2)
    gap = expected.reason == 2
    assert (gaps.plane != gap).sum() < 0.01 * gap.sum()
    assert abs(gaps.shift_deg) < 0.05
    assert gaps.agreeing > 0.95


@pytest.mark.parametrize("name", ["Terra", "Aqua"])
@pytest.mark.parametrize(("east", "wide"), [(0.3, 1.0), (-0.2, 1.0), (0.0, 1.002), (0.2, 0.998)])
def test_the_day_sets_shift_and_width_right(name: str, east: float, wide: float) -> None:
    expected = _expected(name, _TILE)
    truth = _expected(name, _TILE, east=east, wide=wide).reason == 2
    gaps = expected_gaps(expected, truth)
    assert gaps.shift_deg == pytest.approx(east, abs=0.04)
    assert _iou(gaps.plane, truth) > 0.985 > _iou(expected.reason == 2, truth)
    assert gaps.tolerance_px <= 2.0


def test_a_hole_beside_a_gap_moves_nothing() -> None:
    expected = _expected("Terra", _TILE)
    gap = expected.reason == 2
    number = int(np.bincount(expected.pass_index[expected.covered]).argmax())
    hole = (expected.pass_index == number) & expected.covered
    hole[:40] = hole[170:] = False
    gaps = expected_gaps(expected, gap | hole)
    assert abs(gaps.shift_deg) < 0.05
    assert abs(gaps.width_deg) < 0.05
    assert _iou(gaps.plane, gap) > 0.99


def test_what_the_day_may_correct_is_bounded() -> None:
    expected = _expected("Terra", _TILE)
    far = _expected("Terra", _TILE, east=1.2).reason == 2
    gaps = expected_gaps(expected, far)
    assert abs(gaps.shift_deg) <= 3 * expected.orbit.longitude_sigma_deg + 1e-9
    assert np.isnan(gaps.agreeing) or gaps.agreeing < 0.5


def test_a_day_without_edges_keeps_the_orbits_and_a_wider_tolerance() -> None:
    expected = _expected("Terra", _TILE)
    gaps = expected_gaps(expected, np.ones(_TILE.shape, dtype=bool))
    assert np.isnan(gaps.agreeing)
    assert gaps.shift_deg == gaps.width_deg == 0.0
    assert gaps.tolerance_px > expected_gaps(expected, expected.reason == 2).tolerance_px


def test_viirs_and_polar_maps_have_no_gaps_to_correct() -> None:
    expected = _expected("SNPP", _TILE)
    gaps = expected_gaps(expected, np.zeros(_TILE.shape, dtype=bool))
    assert not gaps.plane.any()
    polar = Georeference(3413, -4194304.0, 4194304.0, 131072.0, 131072.0, 64, 64)
    assert not expected_gaps(_expected("Terra", polar), np.zeros((64, 64), dtype=bool)).plane.any()


def test_the_rim_is_what_a_narrower_swath_would_not_show() -> None:
    expected = _expected("Terra", _TILE)
    lost = expected.covered & ~_expected("Terra", _TILE, wide=0.998).covered
    depth = rim_depth_km(expected, expected.covered)
    assert depth.min() > -1.0
    assert np.nanmax(rim_depth_km(expected, lost)) < 0.1 * depth.max()
    gaps = Gaps(expected.reason == 2, 1.5, 0.0, 0.0, 0, float("nan"))
    rim = gaps.on_rim(expected, expected.covered)
    assert rim[lost].all()
    assert rim.sum() < 0.2 * expected.covered.sum()
