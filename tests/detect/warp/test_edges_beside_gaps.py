"""Edges of granules beside the gaps between swaths."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from scipy import ndimage

from gibswatch.detect.missing.granules import Granules, granules_of
from gibswatch.detect.warp.gaps import find_gap_shifts
from gibswatch.detect.warp.rule import find_warps
from gibswatch.raster import observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2020, 5, 10)
_BOX = Georeference(4326, -50.0, 30.0, 0.15, 0.15, 400, 600)
_KM_PER_PIXEL = 0.15 * 111.3


@pytest.fixture(scope="module", params=["Terra", "Aqua"])
def expected(request: pytest.FixtureRequest) -> Expectation:
    satellite = SATELLITES[request.param]
    return expect(satellite, _BOX, _DAY, anchor_orbit(satellite, _DAY))


@pytest.fixture(scope="module")
def granules(expected: Expectation) -> Granules:
    return granules_of(expected)


def _middle(expected: Expectation, granules: Granules) -> int:
    """A granule of which both edges are seen along their whole length."""
    gap = expected.reason == 2
    best, longest = -1, 0
    for number in range(granules.start_s.size):
        its = granules.index == number
        west = (np.roll(gap, 1, axis=1) & its)[:, 1:].any(axis=1).sum()
        east = (np.roll(gap, -1, axis=1) & its)[:, :-1].any(axis=1).sum()
        if min(west, east) > longest:
            best, longest = number, min(west, east)
    assert longest > 60
    return best


def _black(expected: Expectation) -> BoolArray:
    return np.asarray(~expected.covered)


def _grown(mask: BoolArray, west: int, east: int) -> BoolArray:
    """A part of rows that reaches so many pixels farther to both sides."""
    line = np.zeros((1, 2 * max(west, east, 1) + 1), dtype=bool)
    middle = line.shape[1] // 2
    line[0, middle - west : middle + east + 1] = True
    return np.asarray(ndimage.binary_dilation(mask, line))


def test_edges_where_they_belong_are_none(expected: Expectation, granules: Granules) -> None:
    shifts, shown = find_gap_shifts(_black(expected), expected, granules)
    assert not shifts
    assert (shown == -1).all()
    jagged = _black(expected) & ~_grown(expected.covered, 1, 0)  # a pixel is no shift
    assert not find_gap_shifts(jagged, expected, granules)[0]


def test_imagery_in_both_gaps_is_an_edge_that_warps(
    expected: Expectation, granules: Granules
) -> None:
    number = _middle(expected, granules)
    its = (granules.index == number) & expected.covered
    black = _black(expected) & ~_grown(its, 6, 6)
    (shift,), shown = find_gap_shifts(black, expected, granules)
    assert number in shift.granules
    assert shift.displacement.outward_km == pytest.approx(6 * _KM_PER_PIXEL, rel=0.2)
    assert shift.ratio > 2.0
    added = _grown(its, 6, 6) & ~expected.covered & (expected.reason == 2)
    assert (shown[added] == number).mean() > 0.9
    assert (shown[~added] == -1).all()


@pytest.mark.parametrize("east", [True, False])
def test_a_swath_that_is_off_to_one_side_is_a_granule_off_its_place(
    expected: Expectation, granules: Granules, east: bool
) -> None:
    number = _middle(expected, granules)
    its = (granules.index == number) & expected.covered
    moved = np.roll(its, 5 if east else -5, axis=1)
    black = (_black(expected) | (its & ~moved)) & ~moved
    (shift,), _ = find_gap_shifts(black, expected, granules)
    left = shift.displacement.left_km
    assert abs(left) == pytest.approx(5 * _KM_PER_PIXEL, rel=0.2)
    # Terra's days go south and east is to the left; Aqua's go north and it is to the right.
    assert (left > 0) == (east == (expected.satellite == "Terra"))


def test_where_all_edges_lie_elsewhere_it_is_the_orbit(
    expected: Expectation, granules: Granules
) -> None:
    black = _black(expected) & ~_grown(expected.covered, 6, 6)
    assert find_gap_shifts(black, expected, granules)[0] == []


def test_a_hole_beside_a_gap_is_no_shift(expected: Expectation, granules: Granules) -> None:
    its = granules.index == _middle(expected, granules)
    assert find_gap_shifts(_black(expected) | its, expected, granules)[0] == []


def test_the_finding_has_the_edges_and_what_they_show_in_gaps(
    expected: Expectation, granules: Granules
) -> None:
    its = (granules.index == _middle(expected, granules)) & expected.covered
    shown = expected.covered | (_grown(its, 6, 6) & (expected.reason == 2))
    rng = np.random.default_rng(3)
    pixels = rng.integers(60, 200, (*_BOX.shape, 3), dtype=np.uint8)
    pixels[~shown] = 0
    scene = scene_from_picture(
        pixels, layer=f"MODIS_{expected.satellite}_CorrectedReflectance_TrueColor", date=_DAY,
        image_format="jpg", georeference=_BOX, provenance="test",
    )  # fmt: skip
    (region,), score = find_warps(scene, observe(scene)[1], expected, None)
    assert region.kind is Kind.EDGE_WARPING
    assert score == region.score > 0.5
    assert region.mask[shown & ~expected.covered].mean() > 0.9
    assert not region.mask[~shown].any()
    assert 0.2 < region.mask[its].mean() < 0.8  # its outer part
    assert "outwards towards its edges" in region.reason
    assert region.reason.endswith("the gaps on both sides are narrower by as much.")


def test_satellites_without_gaps_and_other_projections_say_nothing(expected: Expectation) -> None:
    snpp = SATELLITES["SNPP"]
    full = expect(snpp, _BOX, _DAY, anchor_orbit(snpp, _DAY))
    assert find_gap_shifts(_black(full), full, granules_of(full))[0] == []
    polar = Georeference(3413, -4194304.0, 4194304.0, 32768.0, 32768.0, 256, 256)
    satellite = SATELLITES[expected.satellite]
    north = expect(satellite, polar, _DAY, anchor_orbit(satellite, _DAY))
    assert find_gap_shifts(_black(north), north, granules_of(north))[0] == []
