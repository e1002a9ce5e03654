"""Eclipses as satellites saw them: shares, overpasses, and days that were published."""

from __future__ import annotations

import datetime as dt

import pytest

from gibswatch.catalogue.events import load_events
from gibswatch.sky import eclipse_days
from gibswatch.sky.eclipse_days import largest_obscuration
from gibswatch.sky.obscuration import obscuration
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.places import pixel_places
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.timescale import datetime_at
from gibswatch.types import Georeference

DAY = dt.timedelta(days=1)
# After 2022 Terra, Aqua and NOAA-21 are not on a known grid.
ECLIPSES = [e for e in load_events() if e.effect == "eclipse" and e.first.year <= 2021]


def _largest(name: str, day: dt.date) -> float:
    view = largest_obscuration(anchor_orbit(SATELLITES[name], day), day)
    return 0.0 if view is None else view.share


@pytest.mark.parametrize(
    ("name", "day", "share"),
    [
        ("Terra", dt.date(2013, 5, 10), 0.91),
        ("Aqua", dt.date(2013, 5, 9), 0.91),
        ("SNPP", dt.date(2016, 9, 1), 0.94),
        ("SNPP", dt.date(2017, 8, 21), 1.0),
        ("SNPP", dt.date(2018, 2, 15), 0.47),
    ],
)
def test_shares_of_known_days(name: str, day: dt.date, share: float) -> None:
    assert _largest(name, day) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("name", "day"), [("Terra", dt.date(2013, 5, 9)), ("SNPP", dt.date(2017, 4, 10))]
)
def test_the_local_day_counts_and_a_wrong_label_is_seen(name: str, day: dt.date) -> None:
    assert _largest(name, day) < 0.1


@pytest.mark.parametrize(
    ("name", "overpass"),
    [
        ("NOAA-20", dt.datetime(2020, 12, 14, 17, 13, tzinfo=dt.UTC)),
        ("Terra", dt.datetime(2015, 3, 20, 10, 45, tzinfo=dt.UTC)),
        ("Aqua", dt.datetime(2017, 2, 26, 15, 55, tzinfo=dt.UTC)),
    ],
    ids=["NOAA-20", "Terra", "Aqua"],
)
def test_published_overpasses(name: str, overpass: dt.datetime) -> None:
    view = largest_obscuration(anchor_orbit(SATELLITES[name], overpass.date()), overpass.date())
    assert view is not None
    assert abs(datetime_at(view.time_s) - overpass) < dt.timedelta(minutes=6)


@pytest.mark.parametrize("event", ECLIPSES, ids=lambda event: str(event.first))
def test_eclipses_of_the_packaged_events_are_on_the_right_days(event: object) -> None:
    assert isinstance(event, type(ECLIPSES[0]))
    days = [event.first + n * DAY for n in range((event.last - event.first).days + 1)]
    shares = {day: max(_largest(name, day) for name in event.satellites) for day in days}
    assert min(shares.values()) > 0.1
    assert all(max(_largest(name, day) for day in days) > 0.1 for name in event.satellites)
    around = (event.first - DAY, event.last + DAY)
    assert all(_largest(name, day) < 0.1 for name in event.satellites for day in around)


def test_days_without_an_eclipse_sample_no_swath(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eclipse_days, "swath_point", None)
    assert _largest("SNPP", dt.date(2017, 5, 1)) == 0


@pytest.mark.parametrize(
    ("name", "day", "share"),
    [
        ("Terra", dt.date(2013, 5, 10), 0.91),
        ("Aqua", dt.date(2013, 5, 9), 0.91),
        ("SNPP", dt.date(2016, 3, 9), 0.95),
        ("SNPP", dt.date(2016, 9, 1), 0.94),
        ("SNPP", dt.date(2017, 2, 26), 0.825),
        ("SNPP", dt.date(2017, 8, 21), 1.0),
        ("SNPP", dt.date(2018, 2, 15), 0.47),
    ],
)
def test_shares_in_the_picture_that_the_passes_make(name: str, day: dt.date, share: float) -> None:
    """Where swaths overlap the steeper pass is shown, which may miss the darkest moment."""
    globe = Georeference(4326, -180.0, 90.0, 0.703125, 0.703125, 256, 512)
    passes = pass_geometry(anchor_orbit(SATELLITES[name], day), globe, day, sza_limit_deg=86.0)
    seen = obscuration(*pixel_places(globe), passes.time_s)
    assert float(seen.max()) == pytest.approx(share, abs=0.05)
    assert float(seen.max()) <= _largest(name, day) + 0.02
