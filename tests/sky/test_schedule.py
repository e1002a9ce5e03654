"""The Moon's schedule against rolls that NOAA announced."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from gibswatch.sky.schedule import scheduled_windows
from gibswatch.sky.timescale import epoch_s

ANNOUNCED = (
    # forums.ssec.wisc.edu and ospo.noaa.gov, "S-NPP VIIRS Lunar Calibration Roll Maneuver"
    dt.datetime(2015, 1, 30, 8, 22, 14, tzinfo=dt.UTC),
    dt.datetime(2015, 12, 21, 13, 35, 44, tzinfo=dt.UTC),
    dt.datetime(2019, 12, 7, 19, 53, tzinfo=dt.UTC),
    dt.datetime(2021, 4, 23, 9, 6, 3, tzinfo=dt.UTC),
)


@pytest.mark.parametrize("roll", ANNOUNCED, ids=lambda roll: f"{roll:%Y-%m-%d}")
def test_announced_rolls_lie_in_their_windows(roll: dt.datetime) -> None:
    (window,) = scheduled_windows("SNPP", roll.date())
    assert (window.kind, window.probability) == ("lunar-roll", 0.92)
    assert window.first_s < epoch_s(roll) < window.last_s
    assert window.duration_s == 720
    assert f"{roll:%Y-%m-%d}" in window.why


def test_one_day_a_month_and_none_in_summer() -> None:
    first = dt.date(2016, 1, 1)
    days = [first + dt.timedelta(days=n) for n in range(366)]
    rolls = [
        day
        for day in days
        if any(
            w.kind == "lunar-roll" and w.probability > 0.5 for w in scheduled_windows("SNPP", day)
        )
    ]
    assert [day.month for day in rolls] == [1, 2, 3, 4, 5, 6, 10, 11, 12]
    apart = [(b - a).days for a, b in itertools.pairwise(rolls)]
    assert all(gap in (29, 30) or gap > 100 for gap in apart)


def test_the_days_around_are_less_likely() -> None:
    roll = dt.date(2015, 12, 21)
    chances = [
        [w.probability for w in scheduled_windows("SNPP", roll + dt.timedelta(days=n))]
        for n in range(-2, 3)
    ]
    assert chances == [[], [0.2], [0.92], [0.15], []]


def test_new_moon() -> None:
    new = dt.date(2016, 11, 29)
    kinds = [
        [w.kind for w in scheduled_windows("SNPP", new + dt.timedelta(days=n))]
        for n in range(-2, 3)
    ]
    assert kinds == [[], ["new-moon"], ["new-moon"], ["new-moon"], []]


@pytest.mark.parametrize(
    ("satellite", "windows"), [("NOAA-20", 1), ("NOAA-21", 1), ("Terra", 0), ("Aqua", 0)]
)
def test_only_satellites_with_viirs(satellite: str, windows: int) -> None:
    assert len(scheduled_windows(satellite, dt.date(2015, 12, 21))) == windows
