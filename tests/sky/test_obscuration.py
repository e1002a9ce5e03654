"""Eclipses against PyEphem, over the globe, and against what is published."""

from __future__ import annotations

import datetime as dt

import ephem
import numpy as np
import pytest

from gibswatch.sky import obscuration as module
from gibswatch.sky.obscuration import disc_overlap, eclipse_between, obscuration, shadow_axis
from gibswatch.sky.timescale import datetime_at, epoch_s
from gibswatch.types import FloatArray

PEAKS = (
    (2003, 11, 23, 22, 49),
    (2008, 8, 1, 10, 21),
    (2010, 1, 15, 7, 6),
    (2013, 5, 10, 0, 25),
    (2015, 3, 20, 9, 45),
    (2017, 8, 21, 18, 25),
    (2018, 2, 15, 20, 51),
    (2024, 4, 8, 18, 17),
    (2029, 6, 12, 4, 5),
)


def _at(*moment: int) -> float:
    return epoch_s(dt.datetime(*moment, tzinfo=dt.UTC))  # type: ignore[arg-type, misc]


def _oracle(lon: float, lat: float, time: float) -> tuple[float, float]:
    """Obscuration and the Sun's altitude in degrees, by PyEphem and the law of cosines."""
    observer = ephem.Observer()
    observer.lon, observer.lat = np.radians(lon), np.radians(lat)
    observer.pressure = 0
    observer.date = ephem.Date(datetime_at(time).replace(tzinfo=None))
    sun, moon = ephem.Sun(observer), ephem.Moon(observer)
    apart = float(ephem.separation((sun.az, sun.alt), (moon.az, moon.alt)))
    return _lens(apart, float(sun.radius), float(moon.radius)), np.degrees(float(sun.alt))


def _lens(d: float, r: float, m: float) -> float:
    """Share of the disc r that the disc m covers, summed in thin slices."""
    if d >= r + m:
        return 0.0
    x = np.linspace(-r, r, 4001)
    half = np.sqrt(np.maximum(r * r - x * x, 0))
    moon = np.sqrt(np.maximum(m * m - (x - d) ** 2, 0)) * (np.abs(x - d) < m)
    return float(np.minimum(half, moon).sum() / half.sum())


@pytest.mark.parametrize("peak", PEAKS, ids=lambda peak: f"{peak[0]}-{peak[1]:02d}-{peak[2]:02d}")
def test_obscuration_over_the_whole_globe(peak: tuple[int, ...]) -> None:
    rng = np.random.default_rng(peak[0])
    time = _at(*peak) + rng.uniform(-10000, 10000, 900)
    lon = rng.uniform(-180, 180, 900)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 900)))
    wanted = np.array([_oracle(*place) for place in zip(lon, lat, time, strict=True)])
    day = wanted[:, 1] > 0
    found = obscuration(lon, lat, time)
    assert (wanted[day, 0] > 0.05).sum() >= 5
    assert np.abs(found - wanted[:, 0])[day].max() < 0.01
    assert (found[wanted[:, 1] < -1.1] == 0).all()


def test_axis_of_2017() -> None:
    moment = _at(2017, 8, 21, 18, 25, 32)
    eclipse = eclipse_between(moment, moment)
    assert eclipse is not None
    axis = shadow_axis(eclipse, moment)
    assert axis is not None
    assert axis[0] == pytest.approx(-87.7, abs=0.1)
    assert axis[1] == pytest.approx(37.0, abs=0.1)
    assert eclipse.axis_distance == pytest.approx(0.4367, abs=0.002)
    assert float(obscuration(*(np.array([v]) for v in (*axis, moment)))[0]) == 1.0
    assert shadow_axis(eclipse, eclipse.first_s) is None


def test_every_eclipse_of_thirty_years_and_no_other() -> None:
    """PyEphem's New Moons: an eclipse where the axis passes within 1.57 Earth radii."""
    day = 86400.0
    found = set()
    for number in range(0, 31 * 365, 2):
        eclipse = eclipse_between(number * day, (number + 2) * day)
        if eclipse is not None:
            found.add(str(datetime_at(eclipse.peak_s).date()))
    assert found == _eclipses_by_ephem()
    assert len(found) > 60


def _eclipses_by_ephem() -> set[str]:
    days = set()
    date = ephem.Date("2000/1/1")
    while date < ephem.Date("2030/12/24"):
        date = ephem.next_new_moon(date)
        closest, when = min((_miss(date + n / 1440), date + n / 1440) for n in range(-180, 181, 10))
        if closest < 0:
            days.add(str(ephem.Date(when).datetime().date()))
        date = ephem.Date(date + 1)
    return days


def _miss(date: float) -> float:
    """Angle by which the Moon misses the Sun as seen from the best place on Earth (radians)."""
    sun, moon = ephem.Sun(date, epoch=date), ephem.Moon(date, epoch=date)
    apart = float(ephem.separation((sun.g_ra, sun.g_dec), (moon.g_ra, moon.g_dec)))
    parallax = np.arcsin(6378.137 / (moon.earth_distance * 149597870.7)) - 4.26e-5
    return float(apart - parallax - float(sun.radius) - float(moon.radius) * 1.017)


def test_a_day_without_an_eclipse_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the Moon was worked out")

    monkeypatch.setattr(module, "_eclipse_of", never)
    start = _at(2017, 4, 10, 0, 0)
    assert eclipse_between(start - 43200, start + 129600) is None
    time = np.linspace(start, start + 86400, 7)
    assert not obscuration(np.zeros(7), np.zeros(7), time).any()


def test_missing_times_other_shapes_and_pixels_of_other_hours() -> None:
    peak = _at(2017, 8, 21, 18, 25, 32)
    time = np.array([[np.nan, peak], [peak + 12 * 3600, peak]])
    share = obscuration(np.array([-87.67, -87.67]), np.array([36.98]), time)
    assert share.shape == (2, 2)
    assert share.dtype == np.float32
    assert share.tolist() == [[0.0, 1.0], [0.0, 1.0]]
    assert obscuration(np.zeros(2), np.zeros(2), np.full(2, np.nan)).tolist() == [0, 0]


def test_too_long_a_span_is_refused() -> None:
    with pytest.raises(ValueError, match="20 days"):
        eclipse_between(0.0, 30 * 86400.0)


def test_disc_overlap_against_slices() -> None:
    rng = np.random.default_rng(5)
    sun = np.ones(300)
    moon = rng.uniform(0.9, 1.1, 300)
    apart = rng.uniform(0, 2.3, 300)
    wanted: FloatArray = np.array(
        [_lens(float(d), 1.0, float(m)) for d, m in zip(apart, moon, strict=True)]
    )
    assert disc_overlap(apart, sun, moon) == pytest.approx(wanted, abs=1e-3)
    assert (np.diff(disc_overlap(np.linspace(0, 2.2, 500), np.ones(500), np.ones(500))) <= 0).all()
