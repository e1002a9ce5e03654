"""The 16-day grid against SGP4 on public elements: longitudes and times.

The elements are NORAD's, as public repositories quote them; their checksums are right and their
local times are those of the satellites.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.sky.orbit import Orbit, anchor_orbit, wrap_degrees
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.swath import ground_track
from gibswatch.sky.timescale import datetime_at, day_start_s, epoch_s
from gibswatch.sky.tle import orbit_from_tle

ELEMENTS = {
    ("SNPP", "2015-01-10"): """\
1 37849U 11061A   15010.14957891  .00000088  00000-0  62074-4 0  9888
2 37849  98.6834 312.3948 0001412 123.3398 352.2834 14.19582225165950""",
    ("SNPP", "2017-12-07"): """\
1 37849U 11061A   17341.18384787 -.00000170  00000-0 -59794-4 0  9990
2 37849  98.7173 277.4064 0001444  51.2876 308.8431 14.19554784316634""",
    ("SNPP", "2020-03-04"): """\
1 37849U 11061A   20064.73796659  .00000010  00000-0  25447-4 0  9991
2 37849  98.7278   4.1156 0001040 104.8738 343.3085 14.19544838432762""",
    ("SNPP", "2023-06-08"): """\
1 37849U 11061A   23159.44417251  .00000119  00000+0  77201-4 0  9999
2 37849  98.7042  98.3103 0000923  74.2604  58.9205 14.19566569601697""",
    ("Terra", "2016-02-17"): """\
1 25994U 99068A   16048.43680378  .00000258  00000-0  67198-4 0  9999
2 25994  98.1982 124.4247 0001352 105.3907 254.7441 14.57126067859938""",
    ("Terra", "2017-04-28"): """\
1 25994U 99068A   17118.76280116 +.00000128 +00000-0 +38489-4 0  9997
2 25994  98.2110 194.5047 0000813  99.8748 260.2521 14.57108495923476""",
    ("Terra", "2018-06-03"): """\
1 25994U 99068A   18154.24441102 -.00000021  00000-0  53030-5 0  9998
2 25994  98.2062 229.3170 0001386  97.9233 262.2105 14.57104269981794""",
    ("Terra", "2022-07-11"): """\
1 25994U 99068A   22192.16952012  .00000246  00000+0  64342-4 0  9997
2 25994  98.1361 263.5453 0001353 100.4260 344.0443 14.57155209200072""",
    ("Aqua", "2016-02-26"): """\
1 27424U 02022A   16057.87908387  .00000304  00000-0  77681-4 0  9994
2 27424  98.2234   0.0918 0001365  95.1594 344.4495 14.57097852734910""",
    ("Aqua", "2016-08-22"): """\
1 27424U 02022A   16235.86686911  .00000105  00000-0  33296-4 0  9990
2 27424  98.2022 175.3843 0001285  39.9183  23.2024 14.57119903760831""",
    ("NOAA-20", "2022-07-14"): """\
1 43013U 17073A   22195.78278435  .00000038  00000+0  38919-4 0  9996
2 43013  98.7169 133.9110 0001202  63.8768 296.2532 14.19561306241107""",
}


def by_sgp4(lines: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Point under the satellite, with a sidereal time of its own (Vallado 2006, IAU 1982)."""
    from sgp4.api import Satrec

    record = Satrec.twoline2rv(*lines.splitlines())
    julian = 2451544.5 + times / 86400.0
    _, place, _ = record.sgp4_array(np.full(times.shape, 2451544.5), times / 86400.0)
    turned = 280.46061837 + 360.98564736629 * (julian - 2451545.0)
    lon = np.degrees(np.arctan2(place[:, 1], place[:, 0])) - turned
    lat = np.degrees(np.arctan2(place[:, 2], 0.99330562 * np.hypot(place[:, 0], place[:, 1])))
    return lat, (lon + 180) % 360 - 180


@pytest.mark.parametrize(("name", "day"), sorted(ELEMENTS))
def test_the_grid_agrees_with_sgp4(name: str, day: str) -> None:
    date = dt.date.fromisoformat(day)
    orbit = anchor_orbit(SATELLITES[name], date)
    truth = orbit_from_tle(ELEMENTS[name, day], date)
    # The same equator crossings, a whole number of passes apart.
    passes = round((orbit.node_time_s - truth.node_time_s) / truth.period_s)
    assert abs(wrap_degrees(orbit.node_lon_deg - truth.node_longitude(passes))) < 0.3
    assert abs(orbit.node_time_s - truth.node_time(passes)) < orbit.time_sigma_s


@pytest.mark.parametrize(("name", "day"), sorted(ELEMENTS))
def test_an_orbit_of_elements_flies_as_sgp4_does(name: str, day: str) -> None:
    date = dt.date.fromisoformat(day)
    lines = ELEMENTS[name, day]
    times = day_start_s(date) + np.arange(0, 86400.0, 300.0)
    latitude, longitude = by_sgp4(lines, times)
    ours = ground_track(orbit_from_tle(lines, date), times)
    off = (ours[1] - longitude + 180) % 360 - 180
    assert np.abs(ours[0] - latitude).max() < 0.08
    assert np.abs(off * np.cos(np.radians(latitude))).max() < 0.08


@pytest.mark.parametrize(
    ("name", "moment", "place"),
    [
        # Published overpasses of eclipses (gibs-facts, section 6.2).
        ("NOAA-20", dt.datetime(2020, 12, 14, 17, 13, tzinfo=dt.UTC), (-40.0, -55.0)),
        ("Terra", dt.datetime(2015, 3, 20, 10, 45, tzinfo=dt.UTC), (62.0, 5.0)),
        ("Aqua", dt.datetime(2017, 2, 26, 15, 55, tzinfo=dt.UTC), (-38.0, -28.0)),
    ],
)
def test_published_overpasses(name: str, moment: dt.datetime, place: tuple[float, float]) -> None:
    times = epoch_s(moment) + np.arange(-1200.0, 1200.0, 5.0)
    latitude, longitude = ground_track(anchor_orbit(SATELLITES[name], moment.date()), times)
    east = (longitude - place[1]) * np.cos(np.radians(place[0]))
    nearest = int(np.argmin(np.hypot(latitude - place[0], east)))
    assert np.hypot(latitude - place[0], east)[nearest] < 14
    assert abs(times[nearest] - epoch_s(moment)) < 7 * 60


def test_the_grid_repeats_after_sixteen_days() -> None:
    day = dt.date(2017, 3, 1)
    for name in ("Terra", "Aqua", "SNPP", "NOAA-20"):
        first = anchor_orbit(SATELLITES[name], day)
        second = anchor_orbit(SATELLITES[name], day + dt.timedelta(days=16))
        assert wrap_degrees(first.node_lon_deg - second.node_lon_deg) == pytest.approx(0, abs=0.02)


def test_node_0_is_the_first_of_the_day() -> None:
    for name, satellite in SATELLITES.items():
        orbit = anchor_orbit(satellite, dt.date(2023, 5, 5))
        assert 0 <= orbit.node_time_s - day_start_s(dt.date(2023, 5, 5)) < orbit.period_s, name


def test_a_lost_grid_says_so() -> None:
    before = anchor_orbit(SATELLITES["Terra"], dt.date(2022, 10, 1))
    soon = anchor_orbit(SATELLITES["Terra"], dt.date(2022, 10, 20))
    late = anchor_orbit(SATELLITES["Terra"], dt.date(2023, 6, 1))
    assert before.note == ""
    assert "left its 16-day grid" in soon.note
    assert before.longitude_sigma_deg < soon.longitude_sigma_deg < late.longitude_sigma_deg
    assert late.longitude_sigma_deg == pytest.approx(24.72 / np.sqrt(12), abs=0.01)
    assert "uncertain" in anchor_orbit(SATELLITES["NOAA-21"], dt.date(2024, 1, 1)).note


def test_counting_from_another_node_changes_no_pass() -> None:
    orbit = anchor_orbit(SATELLITES["SNPP"], dt.date(2017, 1, 1))
    other = orbit.counted_from(-9)
    assert isinstance(other, Orbit)
    assert other.node_time(9) == pytest.approx(orbit.node_time_s)
    assert other.node_longitude(9) == pytest.approx(orbit.node_lon_deg)


def test_epoch_seconds_go_there_and_back() -> None:
    moment = dt.datetime(2016, 4, 12, 13, 28, 5, tzinfo=dt.UTC)
    assert datetime_at(epoch_s(moment)) == moment
    assert epoch_s(moment.replace(tzinfo=None)) == epoch_s(moment)
