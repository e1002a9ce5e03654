"""The record of what is true."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.simulate.days import truth
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.faults.missing import place
from gibswatch.simulate.days.granules import granule_name
from gibswatch.simulate.days.spec import DaySpec, FaultSpec, Perturbation
from gibswatch.simulate.days.tracks import track_of
from gibswatch.simulate.days.truth import seen_difference, truth_document
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import Georeference, Kind

SMALL = Georeference(4326, -180.0, 90.0, 1.125, 1.125, 160, 320)
SPEC = DaySpec(
    "NOAA-20",
    "TrueColor",
    dt.date(2020, 3, 1),
    2,
    perturbation=Perturbation(granule_s=85.35),
    faults=(
        FaultSpec("missing-granules", place=(10.0, 10.0), count=3),
        FaultSpec("colour", place=(100.0, 20.0), count=4),
        FaultSpec("roll", place=(-100.0, 0.0), seconds=600.0),
    ),
    invented=True,
)


def test_the_document_is_json_that_says_all_but_the_planes() -> None:
    day = simulate_day(SPEC, SMALL)
    document = json.loads(truth_document(day.truth))
    assert document["codes"] == [1, 2, 3]
    assert document["layer"] == "VIIRS_NOAA20_CorrectedReflectance_TrueColor"
    assert document["seed"] == 2
    assert [region["kind"] for region in document["regions"]] == [
        "missing-granules", "colour", "roll",
    ]  # fmt: skip
    assert [len(region["granules"]) for region in document["regions"][:2]] == [3, 4]
    assert document["perturbation"]["granule_s"] == 85.35
    assert len(document["faults"]) == 3
    assert truth_document(day.truth) == truth_document(simulate_day(SPEC, SMALL).truth)


def test_planes_agree_with_each_other() -> None:
    truth = simulate_day(SPEC, SMALL).truth
    seen = truth.pass_index >= 0
    assert np.array_equal(seen, truth.coverage > 0)
    assert np.array_equal(seen, truth.granule >= 0)
    assert np.array_equal(seen, np.isfinite(truth.time_s))
    for angle in (truth.sza_deg, truth.vza_deg, truth.glint_deg):
        assert np.array_equal(seen, np.isfinite(angle))
    assert (truth.vza_deg[seen] < 72.0).all()
    counts = {region.number: region for region in truth.regions}
    for number, region in counts.items():
        own = truth.region == number
        assert own.sum() == region.footprint_pixels
        assert (own & truth.visible).sum() == region.visible_pixels
        assert (own & truth.substituted).sum() == region.substituted_pixels
    local = truth.time_s + 240.0 * (-180.0 + 1.125 * (np.arange(320) + 0.5))
    days = (dt.date(2020, 3, 1) - dt.date(2000, 1, 1)).days * 86400.0
    assert ((local[seen] >= days) & (local[seen] < days + 86400.0)).all()


def test_a_place_that_no_pass_sees_by_day_has_no_fault() -> None:
    fault = FaultSpec("missing-granules", place=(0.0, 89.0))
    winter = DaySpec("SNPP", "TrueColor", dt.date(2020, 12, 21), 2, faults=(fault,), invented=True)
    day = simulate_day(winter, SMALL)
    assert day.truth.regions == ()
    assert day.truth.codes == ()


def test_what_a_person_sees_is_neither_noise_nor_a_single_pixel() -> None:
    clean = np.full((40, 40, 3), 100, dtype=np.uint8)
    faulty = clean.copy()
    faulty[:20] += np.random.default_rng(1).integers(0, 6, (20, 40, 3), dtype=np.uint8)
    faulty[30, 30] = 140
    faulty[5:10, 5:10, 1] = 160
    seen = seen_difference(clean, faulty)
    assert seen[6:9, 6:9].all()
    assert seen.sum() <= 49
    assert not seen_difference(clean, clean).any()


@pytest.mark.parametrize("rows", [1, 400])
def test_what_a_person_sees_does_not_depend_on_what_is_compared_at_once(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    drawn = np.random.default_rng(3)
    clean = drawn.integers(0, 200, (300, 40, 3), dtype=np.uint8)
    faulty = clean + drawn.integers(0, 15, clean.shape, dtype=np.uint8)
    faulty[60:160] = clean[60:160]
    usual = seen_difference(clean, faulty)
    monkeypatch.setattr(truth, "_ROWS", rows)
    assert np.array_equal(seen_difference(clean, faulty), usual)
    assert 0.2 < usual.mean() < 0.6
    assert not usual[61:159].any()


def test_granules_are_named_by_their_first_moment() -> None:
    assert granule_name(300.0) == "2000-01-01T00:05Z"
    assert granule_name(85.35) == "2000-01-01T00:01:25Z"


def test_short_granules_are_the_same_on_both_days_that_share_a_pass() -> None:
    # At 1:30 UTC the satellite is over the date line: both of its sides are on other local days.
    moment = day_start_s(SPEC.day) + 5400.0
    found = []
    for day in (SPEC.day, SPEC.day - dt.timedelta(days=1)):
        spec = replace(SPEC, day=day)
        fault = FaultSpec("missing-granules", time_s=moment)
        placed = place(fault, 1, track_of(spec), spec)
        assert placed is not None
        first, last = (edge + day_start_s(day) for edge in placed.span)
        assert first <= moment < last
        found.append(first)
    assert abs(found[0] - found[1]) < 1e-6


def test_a_day_takes_the_granules_of_its_instrument() -> None:
    day = dt.date(2016, 4, 12)
    lengths = {name: DaySpec(name, "TrueColor", day, 1).perturbation.granule_s
               for name in ("Terra", "SNPP")}  # fmt: skip
    assert lengths == {"Terra": 300.0, "SNPP": 360.0}
    given = DaySpec("SNPP", "TrueColor", day, 1, perturbation=Perturbation(granule_s=85.35))
    assert given.perturbation.granule_s == 85.35


def test_codes_are_ascending_kinds() -> None:
    codes = simulate_day(SPEC, SMALL).truth.codes
    assert codes == (Kind.MISSING_EXPECTED, Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION)
