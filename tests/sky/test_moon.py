"""The Moon's elongation and place against another almanac (PyEphem) and published dates."""

from __future__ import annotations

import datetime as dt

import ephem
import numpy as np
import pytest

from gibswatch.sky.moon import (
    elongation_moment_s,
    mean_new_moon_s,
    moon_and_sun_km,
    moon_elongation,
    nearest_lunation,
)
from gibswatch.sky.timescale import datetime_at, epoch_s


def test_new_moons_from_2000_to_2030() -> None:
    worst, furthest = 0.0, 0.0
    for lunation in range(380):
        wanted = epoch_s(
            ephem.next_new_moon(datetime_at(mean_new_moon_s(lunation) - 86400)).datetime()
        )
        worst = max(worst, abs(elongation_moment_s(0.0, lunation) - wanted))
        furthest = max(furthest, abs(mean_new_moon_s(lunation) - wanted))
    assert worst < 60
    assert furthest < 15 * 3600


def test_elongation_grows_from_new_to_full() -> None:
    new = epoch_s(dt.datetime(2015, 12, 11, 10, 29, tzinfo=dt.UTC))
    full = epoch_s(dt.datetime(2015, 12, 25, 11, 11, tzinfo=dt.UTC))
    assert min(moon_elongation(new), 360 - moon_elongation(new)) < 0.05
    assert moon_elongation(full) == pytest.approx(180, abs=0.05)
    lunation = nearest_lunation(new)
    assert elongation_moment_s(180.0, lunation) == pytest.approx(full, abs=300)
    assert moon_elongation(elongation_moment_s(128.3, lunation)) == pytest.approx(128.3, abs=1e-3)


def test_moon_and_sun_stand_where_ephem_has_them() -> None:
    start = epoch_s(dt.datetime(2017, 8, 21, 12, tzinfo=dt.UTC))
    moments = start + np.arange(0, 43200, 3600.0)
    moon, sun = moon_and_sun_km(moments)
    for moment, place, other in zip(moments, moon, sun, strict=True):
        date = ephem.Date(datetime_at(moment).replace(tzinfo=None))
        for body, vector in ((ephem.Moon(), place), (ephem.Sun(), other)):
            body.compute(date, epoch=date)
            right = np.radians(np.degrees(np.arctan2(vector[1], vector[0])) % 360)
            height = np.arcsin(vector[2] / np.linalg.norm(vector))
            assert right == pytest.approx(float(body.g_ra), abs=2e-5)
            assert height == pytest.approx(float(body.g_dec), abs=2e-5)
            assert np.linalg.norm(vector) == pytest.approx(body.earth_distance * 149597870.7, 1e-4)
