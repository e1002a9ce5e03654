"""Tests of the climatology: black share against the neighbouring days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest

from gibswatch.detect.baselines.climatology import ALONE, MARGIN, MIN_NEIGHBOURS, detect
from gibswatch.detect.context import Context
from gibswatch.raster import Observation, Scene, observe, scene_from_picture
from gibswatch.raster.regions import region_area_km2
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2023, 8, 15)
_TILE = Georeference(4326, -36.0, 18.0, 0.28125, 0.28125, 128, 128)


def _scene(*black: tuple[slice, slice]) -> Scene:
    pixels = np.full((128, 128, 3), 120, dtype=np.uint8)
    for part in black:
        pixels[part] = 0
    return scene_from_picture(
        pixels,
        layer="MODIS_Terra_CorrectedReflectance_TrueColor",
        date=_DAY,
        image_format="jpg",
        georeference=_TILE,
        provenance="test",
    )


def _context(
    scene: Scene, shares: Sequence[float], usual: BoolArray | None = None
) -> tuple[BoolArray, Context]:
    observation, black = observe(scene)
    days = [n for n in range(-len(shares), len(shares) + 1) if n][: len(shares)]
    neighbours = tuple(
        Observation(_DAY + dt.timedelta(days=n), share, 1.0)
        for n, share in zip(days, shares, strict=True)
    )
    return black, Context(observation, neighbours, lambda: usual)


def test_a_day_like_its_neighbours_is_clean() -> None:
    scene = _scene((slice(0, 128), slice(0, 13)))
    black, context = _context(scene, [0.09, 0.10, 0.11, 0.10, 0.12, 0.10])
    detection = detect(scene, black, None, context)
    assert detection.score < 0.5
    assert not detection.regions


def test_a_hole_is_found_where_it_is_and_the_gap_is_not() -> None:
    gap, hole = (slice(0, 128), slice(0, 13)), (slice(30, 90), slice(50, 110))
    scene = _scene(gap, hole)
    black, context = _context(scene, [0.09, 0.10, 0.11, 0.10, 0.12, 0.10])
    detection = detect(scene, black, None, context)
    assert detection.score > 0.5
    (region,) = detection.regions
    assert region.kind is Kind.MISSING_UNEXPECTED
    expected = np.zeros((128, 128), dtype=bool)
    expected[hole] = True
    np.testing.assert_array_equal(region.mask, expected)


def test_black_that_is_usual_there_is_left_out_of_the_region() -> None:
    night, hole = (slice(100, 128), slice(0, 128)), (slice(10, 60), slice(20, 90))
    scene = _scene(night, hole)
    usual = np.zeros((128, 128), dtype=bool)
    usual[night] = True
    share = region_area_km2(usual, _TILE) / region_area_km2(np.ones_like(usual), _TILE)
    black, context = _context(scene, [share] * 8, usual)
    (region,) = detect(scene, black, None, context).regions
    assert not (region.mask & usual).any()
    assert region.mask[hole].all()


def test_a_season_that_drifts_is_no_fault_and_bad_days_do_not_bend_the_line() -> None:
    drift = [0.30 + 0.005 * n for n in range(-10, 0)]
    drift[3] = drift[7] = 0.95  # two bad days among the neighbours
    scene = _scene((slice(0, 128), slice(0, 38)))  # 0.297, as the line says of day 0
    black, context = _context(scene, drift)
    assert detect(scene, black, None, context).score < 0.5
    worse = _scene((slice(0, 128), slice(0, 50)))
    black, context = _context(worse, drift)
    assert detect(worse, black, None, context).score > 0.5


@pytest.mark.parametrize(("excess", "anomalous"), [(0.5 * MARGIN, False), (6 * MARGIN, True)])
def test_an_excess_counts_from_the_margin_on(excess: float, anomalous: bool) -> None:
    cols = 20
    scene = _scene((slice(0, 128), slice(0, cols)))
    black, context = _context(scene, [cols / 128 - excess] * 10)
    assert (detect(scene, black, None, context).score >= 0.5) is anomalous


@pytest.mark.parametrize(("cols", "anomalous"), [(40, False), (70, True)])
def test_with_few_neighbours_only_half_of_the_picture_counts(cols: int, anomalous: bool) -> None:
    scene = _scene((slice(0, 128), slice(0, cols)))
    black, context = _context(scene, [0.0] * (MIN_NEIGHBOURS - 1))
    detection = detect(scene, black, None, context)
    assert (detection.score >= 0.5) is anomalous is (cols / 128 > ALONE)
    assert f"only {MIN_NEIGHBOURS - 1} neighbouring days" in detection.note


def test_a_higher_share_never_has_a_lower_score() -> None:
    scores = []
    for cols in range(10, 128, 6):
        scene = _scene((slice(0, 128), slice(0, cols)))
        black, context = _context(scene, [0.10, 0.12, 0.11, 0.13, 0.12, 0.10, 0.11])
        scores.append(detect(scene, black, None, context).score)
    assert scores == sorted(scores)
    assert 0.0 <= scores[0] < 0.5 < scores[-1] <= 1.0


def test_nothing_usable_is_no_anomaly() -> None:
    scene = _scene()
    scene.state[:] = 3
    black, context = _context(scene, [0.1] * 10)
    detection = detect(scene, black, None, context)
    assert detection.score == 0.0
    assert not detection.regions
