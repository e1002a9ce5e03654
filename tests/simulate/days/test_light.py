"""Air, glint, clouds and the edge of the day."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.simulate.days.clouds import Clouds
from gibswatch.simulate.days.light import Air, air_over, illuminate
from gibswatch.simulate.days.products import BANDS

ONE = np.ones((1, 1), np.float32)
SEA = np.full((1, 1, 6), 0.02, np.float32)
STILL = Air(ONE, 0 * ONE, ONE)
NONE = Clouds(0 * ONE, 0 * ONE, 0 * ONE, 0 * ONE)
THICK = Clouds(ONE, ONE, 0 * ONE, 0 * ONE)


def seen(
    clouds: Clouds = NONE,
    air: Air = STILL,
    *,
    water: float = 1.0,
    sza: float = 30.0,
    vza: float = 0.0,
    glint: float = 60.0,
) -> dict[str, float]:
    stack = illuminate(SEA, clouds, air, water * ONE, sza * ONE, vza * ONE, glint * ONE)
    assert stack.dtype == np.float32
    return dict(zip(BANDS, stack[0, 0].tolist(), strict=True))


def test_glint_brightens_the_sea_and_not_the_land() -> None:
    assert seen(glint=3)["red"] > seen(glint=45)["red"] + 0.06
    assert seen(glint=3)["red"] > seen(glint=20)["red"] > seen(glint=60)["red"]
    assert seen(glint=3, water=0)["red"] == seen(glint=60, water=0)["red"]


def test_a_rough_sea_glints_more() -> None:
    assert seen(air=replace(STILL, wind=2 * ONE), glint=5)["red"] > seen(glint=5)["red"] + 0.05


def test_the_edge_of_the_swath_is_brighter_and_bluer() -> None:
    middle, edge = seen(vza=0), seen(vza=62)
    assert edge["blue"] > middle["blue"] + 0.01
    assert edge["blue"] - middle["blue"] > edge["red"] - middle["red"]
    assert edge["red"] > middle["red"]


def test_thick_cloud_hides_the_ground_and_ice_is_dark_in_the_infrared() -> None:
    water = seen(THICK)
    ice = seen(replace(THICK, iceness=ONE))
    assert min(water[band] for band in ("blue", "green", "red")) > 0.85
    assert ice["swir21"] < 0.4 * water["swir21"]
    assert ice["red"] > 0.85


def test_a_cloud_over_snow_does_not_darken_it_much() -> None:
    snow = np.full((1, 1, 6), 0.95, np.float32)
    half = Clouds(ONE, 0.5 * ONE, 0 * ONE, 0 * ONE)
    stack = illuminate(snow, half, STILL, 0 * ONE, 60 * ONE, 0 * ONE, 60 * ONE)
    assert stack[0, 0, 0] > 0.65


def test_tint_warms_and_cools_thick_clouds() -> None:
    warm, cold = (seen(replace(THICK, tint=t * ONE)) for t in (1.0, -1.0))
    assert warm["red"] - warm["blue"] > 0.05
    assert cold["blue"] - cold["red"] > 0.05


def test_the_terminator_is_darker() -> None:
    assert seen(THICK, sza=86)["red"] < 0.9 * seen(THICK, sza=70)["red"]


def test_dust_is_brown() -> None:
    clear, dusty = seen(), seen(air=replace(STILL, dust=ONE))
    assert dusty["red"] - clear["red"] > dusty["blue"] - clear["blue"] > 0


def test_unseen_pixels_stay_finite() -> None:
    nan = np.full((1, 1), np.nan, np.float32)
    stack = illuminate(SEA, NONE, STILL, ONE, nan, nan, nan)
    assert np.isfinite(stack).all()


@pytest.mark.parametrize("angle", [89.9, 90.0, 105.0, 180.0])
def test_extreme_angles_stay_in_range(angle: float) -> None:
    for value in (seen(THICK, sza=angle, vza=angle), seen(sza=angle, vza=angle, glint=180.0)):
        assert all(0 <= level <= 1.2 for level in value.values())


def test_air_is_smooth_and_its_own_for_each_seed() -> None:
    lon, lat = np.meshgrid(np.linspace(-60, 30, 180), np.linspace(-30, 30, 120))
    day = dt.date(2020, 5, 5)
    air = air_over(3, lon, lat, day, pixel_deg=0.5)
    assert np.abs(np.diff(np.log(air.haze), axis=1)).mean() < 0.15
    assert air.haze.max() / air.haze.min() > 2
    assert air.dust.min() >= 0
    np.testing.assert_array_equal(air.haze, air_over(3, lon, lat, day, pixel_deg=0.5).haze)
    assert np.abs(air.haze - air_over(4, lon, lat, day, pixel_deg=0.5).haze).mean() > 0.1
