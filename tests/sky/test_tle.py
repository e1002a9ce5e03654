"""Element sets that are not what they claim."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from gibswatch.errors import UsageError
from gibswatch.sky.tle import orbit_from_tle

# Terra, NORAD, as public repositories quote it.
FIRST = "1 25994U 99068A   23172.51277846  .00000597  00000+0  13601-3 0  9990"
SECOND = "2 25994  98.0941 240.7913 0002831  75.1003 339.3190 14.59263023250413"
DAY = dt.date(2023, 6, 21)


def with_checksum(line: str) -> str:
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
    return line[:68] + str(total % 10)


def test_spacing_and_period_of_the_lowered_orbit() -> None:
    orbit = orbit_from_tle(["TERRA", FIRST, SECOND], DAY)
    assert orbit.satellite == "Terra"
    assert orbit.source == "tle"
    assert orbit.spacing_deg == pytest.approx(24.6857, abs=0.002)
    assert orbit.period_s == pytest.approx(240 * orbit.spacing_deg, abs=0.5)
    assert orbit.semi_major_km == pytest.approx(7075.2, abs=0.5)


def test_of_several_sets_the_nearest_counts() -> None:
    old = with_checksum(FIRST.replace("23172", "23140"))
    text = f"TERRA\n{old}\n{SECOND}\n\nTERRA\n{FIRST}\n{SECOND}\n"
    assert orbit_from_tle(text, DAY) == orbit_from_tle(f"{FIRST}\r\n{SECOND}\r\n", DAY)


def test_an_old_set_is_less_sure() -> None:
    fresh, old = (
        orbit_from_tle([FIRST, SECOND], DAY + dt.timedelta(days=days)) for days in (0, 30)
    )
    assert old.longitude_sigma_deg > fresh.longitude_sigma_deg
    assert old.time_sigma_s > fresh.time_sigma_s


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "no two-line element set"),
        (["garbage", "\x00\xff" * 40], "no two-line element set"),
        ([SECOND, FIRST], "no two-line element set"),
        ([FIRST[:-1] + "1", SECOND], "wrong checksum '1', 0 is right"),
        ([FIRST[:50], SECOND], "has 69 characters, not 50"),
        ([FIRST, SECOND.replace("2 25994", "2 25994 ")], "has 69 characters, not 70"),
        ([with_checksum(FIRST.replace("25994", "25544")), SECOND], "satellites 25544 and 25994"),
        ([with_checksum(FIRST.replace("23172.", "2A172.")), SECOND], "cannot be read"),
        ([with_checksum(FIRST.replace("23172.", "23999.")), SECOND], "999.513 is no day of a year"),
        ([with_checksum(FIRST.replace("23172.", "23nan ")), SECOND], "cannot be read"),
        ([FIRST, with_checksum(SECOND.replace("14.592", "11.592"))], "not its orbit"),
    ],
)
def test_what_is_no_element_set_is_refused(lines: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        orbit_from_tle(lines, DAY)


def test_other_satellites_are_refused_with_the_known_ones() -> None:
    station = [with_checksum(line.replace("25994", "25544")) for line in (FIRST, SECOND)]
    with pytest.raises(UsageError, match=r"25544 is none of: Terra 25994, Aqua 27424"):
        orbit_from_tle(station, DAY)
    with pytest.raises(UsageError, match="of several satellites"):
        orbit_from_tle([*station, FIRST, SECOND], DAY)


def test_a_set_too_far_away_is_refused() -> None:
    with pytest.raises(UsageError, match=r"194 days from 2024-01-01, at most 45"):
        orbit_from_tle([FIRST, SECOND], dt.date(2024, 1, 1))
