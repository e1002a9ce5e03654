"""The Sun against another almanac (PyEphem)."""

from __future__ import annotations

import datetime as dt

import ephem
import numpy as np
import pytest

from gibswatch.sky.sun import delta_t_s, glint_angle, solar_angles, solar_zenith, sun_position
from gibswatch.sky.timescale import datetime_at, epoch_s
from gibswatch.types import FloatArray


def _places(count: int, seed: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Longitudes, latitudes and times of 2000-2030, even over the sphere."""
    rng = np.random.default_rng(seed)
    lon = rng.uniform(-180, 180, count)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    return lon, lat, rng.uniform(0, epoch_s(dt.datetime(2031, 1, 1, tzinfo=dt.UTC)), count)


def _oracle(lon: float, lat: float, time: float) -> tuple[float, float]:
    """Zenith angle and azimuth by PyEphem, without refraction."""
    observer = ephem.Observer()
    observer.lon, observer.lat = np.radians(lon), np.radians(lat)
    observer.pressure = 0
    observer.date = ephem.Date(datetime_at(time).replace(tzinfo=None))
    sun = ephem.Sun(observer)
    return 90 - np.degrees(float(sun.alt)), np.degrees(float(sun.az))


def test_zenith_and_azimuth_from_2000_to_2030() -> None:
    lon, lat, time = _places(3000)
    wanted = np.array([_oracle(*place) for place in zip(lon, lat, time, strict=True)])
    assert np.abs(solar_zenith(lon, lat, time) - wanted[:, 0]).max() < 0.02
    angles = solar_angles(lon, lat, time)
    assert np.array_equal(angles.zenith_deg, solar_zenith(lon, lat, time))
    turned = (angles.azimuth_deg - wanted[:, 1] + 180) % 360 - 180
    assert np.abs(turned * np.sin(np.radians(wanted[:, 0]))).max() < 0.02


def test_distance_declination_and_hour_angle() -> None:
    perihelion = sun_position(epoch_s(dt.datetime(2020, 1, 5, 7, 48, tzinfo=dt.UTC)))
    assert perihelion.distance_au == pytest.approx(0.983244, abs=1e-4)
    solstice = sun_position(epoch_s(dt.datetime(2017, 6, 21, 4, 24, tzinfo=dt.UTC)))
    assert solstice.declination_deg == pytest.approx(23.434, abs=0.01)
    noon = sun_position(epoch_s(dt.datetime(2018, 4, 15, 12, 0, tzinfo=dt.UTC)))
    assert (noon.greenwich_hour_angle_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.1)


def test_many_times_are_interpolated_as_exactly() -> None:
    lon, lat, _ = _places(5000)
    time = np.linspace(0, 2 * 86400, 5000) + 6e8
    one_by_one = [float(solar_zenith(*place)) for place in zip(lon, lat, time, strict=True)]
    assert np.abs(solar_zenith(lon, lat, time) - one_by_one).max() < 1e-4


def test_shapes_broadcast_and_missing_times_stay_missing() -> None:
    lon, lat = np.meshgrid(np.linspace(-170, 170, 5), np.linspace(60, -60, 3))
    time = np.full((3, 5), 6e8)
    time[1, 2] = np.nan
    zenith = solar_zenith(lon, lat, time)
    assert zenith.shape == (3, 5)
    assert np.argwhere(np.isnan(zenith)).tolist() == [[1, 2]]
    assert np.isnan(solar_zenith(lon, lat, np.full((3, 5), np.nan))).all()
    assert solar_zenith(np.zeros((0,)), 0.0, 0.0).shape == (0,)
    assert solar_zenith(lon, lat, 6e8)[0, 0] == zenith[0, 0]


def test_glint_is_the_mirror_image() -> None:
    zenith, azimuth = np.array([40.0, 40.0, 0.0]), np.array([100.0, 100.0, 0.0])
    view = np.array([40.0, 10.0, 25.0])
    assert glint_angle(zenith, azimuth, view, azimuth + 180) == pytest.approx([0, 30, 25], abs=1e-4)
    assert glint_angle(zenith, azimuth, view, azimuth) == pytest.approx([80, 50, 25], abs=1e-4)


def test_delta_t_is_what_was_observed() -> None:
    years = np.array([2000.0, 2012.5, 2022.0])
    assert delta_t_s((years - 2000) * 365.25 * 86400) == pytest.approx([63.83, 66.9, 69.3], abs=0.2)
