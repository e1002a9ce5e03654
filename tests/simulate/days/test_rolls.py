"""The Moon of the simulator's own, and what it schedules."""

from __future__ import annotations

import datetime as dt

import pytest

from gibswatch.simulate.days.rolls import elongation_deg, scheduled_faults
from gibswatch.sky.moon import moon_elongation
from gibswatch.sky.timescale import day_start_s

DAYS = [dt.date(2016, 1, 1) + dt.timedelta(days=n) for n in range(3 * 365)]


@pytest.mark.parametrize("day", [dt.date(2000, 3, 1), dt.date(2016, 7, 9), dt.date(2029, 11, 30)])
def test_the_short_series_is_within_a_degree_of_the_almanac(day: dt.date) -> None:
    for offset in range(0, 30, 3):
        moment = day_start_s(day) + 86400.0 * offset
        apart = (elongation_deg(moment) - moon_elongation(moment) + 180.0) % 360.0 - 180.0
        assert abs(apart) < 1.0


def test_rolls_come_by_the_moon_and_not_every_month() -> None:
    faults = [fault for day in DAYS for fault in scheduled_faults(3, "SNPP", day)]
    rolls = [fault for fault in faults if fault.kind == "roll"]
    dark = [fault for fault in faults if fault.kind == "new-moon"]
    assert 12 <= len(rolls) <= 27  # nine lunations a year, a quarter of them without
    assert 6 <= len(dark) <= 24
    for fault in rolls:
        assert fault.time_s is not None
        assert 112.0 < elongation_deg(fault.time_s) < 144.0
        assert 300.0 <= fault.seconds <= 1200.0
        assert fault.day is not None
        assert abs(fault.time_s - day_start_s(fault.day) - 43200.0) <= 86400.0 + 5400.0
    for fault in dark:
        assert fault.time_s is not None
        assert abs((elongation_deg(fault.time_s) + 180.0) % 360.0 - 180.0) < 24.0


def test_each_manoeuvre_is_on_one_local_day() -> None:
    moments = [fault.time_s for day in DAYS for fault in scheduled_faults(3, "SNPP", day)]
    assert len(moments) == len(set(moments))


def test_seeds_and_satellites_differ_and_modis_has_none() -> None:
    def moments(seed: int, satellite: str) -> list[float | None]:
        return [f.time_s for day in DAYS[:200] for f in scheduled_faults(seed, satellite, day)]

    assert moments(3, "SNPP") == moments(3, "SNPP")
    assert moments(3, "SNPP") != moments(4, "SNPP")
    assert moments(3, "SNPP") != moments(3, "NOAA-20")
    assert moments(3, "Terra") == []
