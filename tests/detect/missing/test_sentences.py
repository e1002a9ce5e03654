"""Findings in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.detect import REASON_CODES, Region
from gibswatch.detect.missing.sentences import (
    clean_note,
    eclipse_sentence,
    hole_sentence,
    roll_sentence,
)
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.schedule import Window
from gibswatch.types import Georeference, Kind

_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 128, 180 / 64, 64, 128)


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(SATELLITES["SNPP"], _GLOBE, dt.date(2018, 4, 10))


def test_a_hole_names_granules_area_and_place(expected: Expectation) -> None:
    mask = np.zeros(_GLOBE.shape, dtype=bool)
    mask[28:36, 60:70] = True
    said = hole_sentence(mask, expected, ("2018-04-10T12:06Z", "2018-04-10T12:12Z"))
    assert said.startswith(
        "Missing data: granules 12:06 and 12:12 UTC of 2018-04-10 are black where a pass saw "
        "daylight: 7.8 million km2 between 12W-18E, 10S-10N; not night, not a swath gap"
    )
    assert said.endswith("nothing scheduled.")
    assert "a part of the picture is black" in hole_sentence(mask, expected, ())
    many = tuple(f"2018-04-10T{hour:02d}:00Z" for hour in range(6))
    assert "6 granules from 00:00 to 05:00 UTC of 2018-04-10" in hole_sentence(mask, expected, many)


def test_a_hole_over_the_dateline_is_not_as_wide_as_the_globe(expected: Expectation) -> None:
    mask = np.zeros(_GLOBE.shape, dtype=bool)
    mask[28:36, :6] = mask[28:36, -6:] = True
    assert "between 162E-162W" in hole_sentence(mask, expected, ())
    mask[:] = True
    assert "between 180W-180E, 89S-89N" in hole_sentence(mask, expected, ())


def test_what_is_scheduled_and_what_an_eclipse_hides(expected: Expectation) -> None:
    mask = np.zeros(_GLOBE.shape, dtype=bool)
    mask[28:36, 60:70] = True
    window = Window("lunar-roll", "monthly lunar calibration", 0.9, 0.0, 1.0, 720.0)
    said = roll_sentence(mask, expected, window, ("2018-04-10T12:06Z",))
    assert said.startswith("Scheduled: granule 12:06 UTC of 2018-04-10 black over 7.8 million km2")
    assert said.endswith(": monthly lunar calibration.")
    shade = np.where(mask, np.float32(0.93), np.float32(0.0))
    dark = replace(expected, obscuration=shade)
    assert "the Moon covers 93% of the Sun" in eclipse_sentence(mask, dark)


def test_a_clean_day_says_what_its_black_is() -> None:
    reasons = np.zeros(_GLOBE.shape, dtype=np.uint8)
    assert clean_note(reasons, _GLOBE, ()) == "no part of it is black"
    reasons[26:38, :16] = REASON_CODES["swath gap"]
    assert clean_note(reasons, _GLOBE, ()) == "3.6% is black, all of it swath gaps"
    reasons[:6] = REASON_CODES["night"]
    said = clean_note(reasons, _GLOBE, ())
    assert said == "5.8% is black, all of it swath gaps (3.6%) and night (2.2%)"
    region = Region(Kind.MISSING_EXPECTED, reasons > 0, 0.9, "Scheduled: a roll.")
    assert clean_note(reasons, _GLOBE, (region,)).endswith("; Scheduled: a roll")
    reasons[:] = REASON_CODES["outside"]
    assert "on the globe" in clean_note(reasons, _GLOBE, ())
