"""Clouds at any place and time."""

import datetime as dt

import numpy as np

from gibswatch.simulate.days.climate import climate_of, season
from gibswatch.simulate.days.clouds import Clouds, cloud_cover, soft_step
from gibswatch.sky.timescale import day_start_s

DAY = dt.date(2021, 7, 20)
NOON = day_start_s(DAY) + 43200.0


def grid(
    west: float, east: float, south: float, north: float, step: float
) -> tuple[np.ndarray, np.ndarray]:
    lon = np.arange(west + step / 2, east, step, dtype=np.float32)
    lat = np.arange(north - step / 2, south, -step, dtype=np.float32)
    return np.broadcast_arrays(lon[np.newaxis, :], lat[:, np.newaxis])  # type: ignore[return-value]


def clouds(
    area: tuple[float, float, float, float], step: float, *, seed: int = 11, time: float = NOON
) -> Clouds:
    lon, lat = grid(*area, step)
    return cloud_cover(seed, lon, lat, time, pixel_deg=step, day=DAY)


def test_all_parts_lie_between_none_and_all() -> None:
    found = clouds((-180, 180, -90, 90), 2.0)
    for part in (found.cover, found.thickness, found.iceness):
        assert part.dtype == np.float32
        assert part.shape == (90, 180)
        assert part.min() >= 0
        assert part.max() <= 1
    assert found.cover.std() > 0.2


def test_a_tile_alone_has_the_clouds_of_the_globe() -> None:
    lon, lat = grid(-180, 180, -90, 90, 1.0)
    time = NOON + 60 * np.arange(lon.size, dtype=np.float64).reshape(lon.shape)
    whole = cloud_cover(4, lon, lat, time, pixel_deg=1.0, day=DAY)
    for part in (np.s_[0:30, 100:140], np.s_[70:110, :], np.s_[150:, 3:9]):
        tile = cloud_cover(4, lon[part], lat[part], time[part], pixel_deg=1.0, day=DAY)
        np.testing.assert_array_equal(tile.cover, whole.cover[part])
        np.testing.assert_array_equal(tile.iceness, whole.iceness[part])


def test_same_seed_same_clouds_and_other_seed_other_clouds() -> None:
    area = (-40.0, 0.0, -20.0, 20.0)
    first = clouds(area, 0.5).cover
    np.testing.assert_array_equal(first, clouds(area, 0.5).cover)
    assert np.abs(first - clouds(area, 0.5, seed=12).cover).mean() > 0.1


def test_from_pass_to_pass_clouds_drift_a_little() -> None:
    area = (-40.0, 0.0, 30.0, 60.0)
    now, later = clouds(area, 0.25).cover, clouds(area, 0.25, time=NOON + 5933).cover
    after_days = clouds(area, 0.25, time=NOON + 5 * 86400).cover
    close = np.corrcoef(now.ravel(), later.ravel())[0, 1]
    far = np.corrcoef(now.ravel(), after_days.ravel())[0, 1]
    assert 0.6 < close < 0.999
    assert far < close - 0.2


def test_a_coarse_picture_shows_the_mean_of_the_fine_one() -> None:
    area = (-40.0, 0.0, -20.0, 20.0)
    fine, coarse = clouds(area, 0.125).cover, clouds(area, 1.0).cover
    blocks = fine.reshape(40, 8, 40, 8).mean(axis=(1, 3))
    assert np.corrcoef(blocks.ravel(), coarse.ravel())[0, 1] > 0.9
    assert abs(float(blocks.mean() - coarse.mean())) < 0.05


def test_storms_and_rain_are_cloudier_than_deserts() -> None:
    def mean(area: tuple[float, float, float, float]) -> float:
        return float(np.mean([clouds(area, 1.0, seed=s).cover.mean() for s in range(6)]))

    sahara = mean((-5, 28, 18, 27))
    assert mean((-180, 180, -62, -48)) > sahara + 0.3
    assert mean((60, 110, 8, 18)) > sahara + 0.2  # the monsoon


def test_the_rain_belt_follows_the_sun() -> None:
    lon, lat = (part.astype(np.float32) for part in grid(60, 110, -30, 30, 1.0))
    wettest = []
    for day in (dt.date(2021, 1, 25), dt.date(2021, 7, 25)):
        deep = climate_of(lon, lat, day, 1.0).deep.mean(axis=1)
        wettest.append(float(lat[np.argmax(deep), 0]))
    assert wettest[1] - wettest[0] > 8
    assert season(dt.date(2021, 1, 25)) < -0.99


def test_detail_that_is_lost_softens_a_step() -> None:
    values = np.linspace(-3, 3, 61, dtype=np.float32)
    hard, soft = soft_step(values, -0.5, 0.5), soft_step(values, -0.5, 0.5, 1.0)
    assert hard[0] == soft[0] == 0
    assert hard[-1] == soft[-1] == 1
    assert np.diff(soft).max() < 0.6 * np.diff(hard).max()
    assert soft.mean() == np.float32(0.5)


def test_no_pixels_are_no_clouds() -> None:
    empty = np.zeros((0, 7), np.float32)
    assert cloud_cover(1, empty, empty, empty, pixel_deg=1.0, day=DAY).cover.shape == (0, 7)
