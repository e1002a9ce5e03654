"""Expectations: reasons, sharing, and real days of Terra on its grid."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gibswatch.errors import DateRangeError
from gibswatch.raster import observed_black, read_picture
from gibswatch.sky.expectation import OUTSIDE, REASONS, Expectation, expect, granule_id
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.places import pixel_places
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.timescale import datetime_at, epoch_s
from gibswatch.types import BoolArray, Georeference

TERRA, SNPP = SATELLITES["Terra"], SATELLITES["SNPP"]
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
SMALL = Georeference(4326, -180.0, 90.0, 360 / 512, 180 / 256, 256, 512)
TILE_0 = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 512, 512)
TROPICS = 25.0


def iou(one: BoolArray, other: BoolArray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_reasons_cover_the_picture_and_agree_with_covered() -> None:
    expected = expect(TERRA, SMALL, dt.date(2017, 1, 1))
    _, lat = pixel_places(SMALL)
    assert set(np.unique(expected.reason)) <= set(REASONS)
    assert np.all(expected.covered[np.isin(expected.reason, [0])])
    assert not expected.covered[np.isin(expected.reason, [1, 2])].any()
    assert np.all(expected.reason[lat > 76] == 1)  # polar night
    gaps = expected.reason == 2
    assert gaps[np.abs(lat) < 25].mean() > 0.05
    assert not gaps[(np.abs(lat) > 31) & (lat > -60)].any()
    undecided = expected.reason == 5
    assert np.all(expected.sza_deg[undecided] > 75)
    assert np.all(expected.sza_deg[expected.covered] <= expected.sza_cut_deg + 0.01)


def test_all_products_of_a_day_share_one_expectation() -> None:
    one = expect(TERRA, SMALL, dt.date(2017, 1, 2))
    assert expect(TERRA, replace(SMALL), dt.date(2017, 1, 2)) is one
    assert expect(TERRA, SMALL, dt.date(2017, 1, 2), sza_cut_deg=80.0) is not one
    with pytest.raises(ValueError, match="read-only"):
        one.covered[0, 0] = True
    with pytest.raises(ValueError, match="read-only"):
        one.sza_deg[0, 0] = 1.0


def test_pixels_over_the_edge_of_the_globe_are_outside() -> None:
    expected = expect(TERRA, TILE_0, dt.date(2017, 1, 1))
    assert np.all(expected.reason[320:] == OUTSIDE)
    assert not expected.covered[320:].any()
    assert not np.any(expected.reason[:320] == OUTSIDE)


def test_uncertainty_is_in_pixels_of_the_picture() -> None:
    fine = Georeference(4326, -36.0, 18.0, 36 / 512, 36 / 512, 512, 512)
    day = dt.date(2017, 1, 1)
    small, large = (expect(TERRA, grid, day).uncertainty_px for grid in (SMALL, fine))
    assert large == pytest.approx(small * (360 / 512) / (36 / 512))
    lost = expect(TERRA, SMALL, dt.date(2023, 6, 1))
    assert lost.uncertainty_px > 10
    assert "left its 16-day grid" in lost.orbit.note


def test_an_eclipse_is_a_reason_of_its_own() -> None:
    expected = expect(SNPP, SMALL, dt.date(2017, 8, 21))
    assert expected.obscuration.max() > 0.97
    lon, lat = pixel_places(SMALL)
    dark = expected.reason == 4
    assert dark.any()
    assert np.all(expected.covered[dark])
    place = np.unravel_index(np.argmax(expected.obscuration), SMALL.shape)
    assert 30 < lat[place] < 50
    assert -130 < lon[place] < -60
    assert not expect(SNPP, SMALL, dt.date(2017, 8, 25)).obscuration.any()


@pytest.mark.parametrize(("name", "day"), [("Terra", "2013-05-10"), ("Aqua", "2013-05-09")])
def test_the_eclipse_of_may_2013_lies_on_different_local_days(name: str, day: str) -> None:
    date = dt.date.fromisoformat(day)
    other = date + dt.timedelta(days=1 if name == "Aqua" else -1)
    deepest = expect(SATELLITES[name], SMALL, date).obscuration.max()
    assert deepest == pytest.approx(0.91, abs=0.03)
    # Aqua's first passes of the 10th, on the other side of the antimeridian, saw its end.
    assert expect(SATELLITES[name], SMALL, other).obscuration.max() < deepest - 0.1


@pytest.mark.parametrize(
    ("day", "share"),
    [("2016-03-09", 0.95), ("2016-09-01", 0.94), ("2017-02-26", 0.825), ("2018-02-15", 0.47)],
)
def test_largest_obscurations_of_snpp(day: str, share: float) -> None:
    expected = expect(SNPP, SMALL, dt.date.fromisoformat(day))
    assert expected.obscuration.max() == pytest.approx(share, abs=0.06)


def test_granules_are_named_by_their_start() -> None:
    moment = epoch_s(dt.datetime(2017, 8, 21, 17, 9, 59, tzinfo=dt.UTC))
    assert granule_id("Terra", moment) == "Terra A2017233.1705"
    assert granule_id("SNPP", moment) == "SNPP A2017233.1706"
    expected = expect(TERRA, SMALL, dt.date(2017, 1, 1))
    starts = expected.granule_start_s()
    inside = expected.time_s - starts
    assert np.array_equal(np.isfinite(starts), expected.pass_index >= 0)
    assert np.nanmin(inside) >= 0
    assert np.nanmax(inside) < 300
    names = expected.granules()
    assert len(names) == len(set(names))
    assert 120 < len(names) < 200
    assert datetime_at(float(np.nanmin(starts))).minute % 5 == 0


def test_what_cannot_be_expected_is_refused() -> None:
    with pytest.raises(DateRangeError, match="SNPP was launched on 2011-10-28"):
        expect(SNPP, SMALL, dt.date(2011, 1, 1))
    orbit = anchor_orbit(SNPP, dt.date(2017, 1, 1))
    with pytest.raises(ValueError, match="orbit is of SNPP, not of Terra"):
        expect(TERRA, SMALL, dt.date(2017, 1, 1), orbit)


def test_another_orbit_gives_another_coverage() -> None:
    day = dt.date(2017, 1, 1)
    orbit = anchor_orbit(TERRA, day)
    moved = replace(orbit, node_lon_deg=orbit.node_lon_deg + 12.0, source="fit")
    one, other = expect(TERRA, SMALL, day), expect(TERRA, SMALL, day, moved)
    assert other.orbit.source == "fit"
    assert (one.covered != other.covered).mean() > 0.05


def real_black(path: Path) -> tuple[BoolArray, Georeference]:
    pixels, _ = read_picture(path)
    black = observed_black(pixels, layer=LAYER, image_format="jpg")
    rows, cols = black.shape
    return black, Georeference(4326, -180.0, 90.0, 360 / cols, 180 / rows, rows, cols)


@pytest.mark.realdata
@pytest.mark.parametrize("day", ["2020-09-12", "2020-09-27", "2021-09-12", "2022-09-12"])
def test_real_days_on_the_grid(real_data: Path, day: str) -> None:
    (path,) = (real_data / "real" / "global_days").glob(f"*{day}*")
    black, georeference = real_black(path)
    expected = expect(TERRA, georeference, dt.date.fromisoformat(day))
    lon, lat = pixel_places(georeference)
    tropics = np.abs(lat) < TROPICS
    middle = np.abs(lat) < 62  # pictures made from Mercator have no poles
    assert iou(black[tropics], ~expected.covered[tropics]) >= 0.85
    assert iou(~black[middle], expected.covered[middle]) >= 0.985
    # The local day: where it is a day ahead of Greenwich's, a UTC day has another day's gaps.
    east = tropics & (lon > 158)
    assert iou(black[east], ~expected.covered[east]) >= 0.85
    utc = _utc_day(expected, dt.date.fromisoformat(day), georeference)
    assert iou(black[east], ~utc[east]) < 0.1


def _utc_day(expected: Expectation, day: dt.date, georeference: Georeference) -> BoolArray:
    """What would be covered if a picture held what was seen on the UTC day."""
    before, after = (expect(TERRA, georeference, day + dt.timedelta(days=days)) for days in (0, 1))
    start = epoch_s(dt.datetime.combine(day, dt.time(), dt.UTC))
    covered = np.zeros(georeference.shape, dtype=bool)
    for one in (before, after):
        covered |= (one.time_s >= start) & (one.time_s < start + 86400)
    assert expected.day == day
    return covered


@pytest.mark.realdata
def test_a_level_0_tile(real_data: Path) -> None:
    """Gaps are five pixels wide there, and 0.4-0.8 pixel a side of them is mixed with imagery."""
    _, lat = pixel_places(TILE_0)
    tropics = np.abs(lat) < TROPICS
    scores = []
    for path in sorted((real_data / "real" / "terra_z0_2017").glob("*.png")):
        day = dt.date.fromisoformat(path.stem)
        orbit = anchor_orbit(TERRA, day)
        # The middle of the published range, as a wider swath: 0.6 px are 0.34 degree at the
        # Earth's centre, 0.63 degree of scan angle.
        wider = replace(orbit, half_angle_deg=orbit.half_angle_deg + 0.63)
        expected = expect(TERRA, TILE_0, day, wider)
        black = read_picture(path)[0][..., :3].max(axis=2)
        scores.append(iou((black <= 12)[tropics], ~expected.covered[tropics]))
    assert len(scores) == 7
    assert min(scores) >= 0.70
