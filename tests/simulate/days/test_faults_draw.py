"""Faults and perturbations by a seed."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from gibswatch.simulate.days.faults.draw import draw_day, draw_faults, draw_perturbation
from gibswatch.simulate.days.rolls import afternoon_longitude, scheduled_faults
from gibswatch.simulate.days.spec import FAULT_KINDS, FaultSpec
from gibswatch.types import BBox

DAYS = [dt.date(2012, 1, 1) + dt.timedelta(days=n) for n in range(3000)]


def test_at_least_half_of_the_days_carry_no_fault() -> None:
    faulty = sum(bool(draw_faults(5, "Terra", day)) for day in DAYS)
    assert 0.40 * len(DAYS) < faulty < 0.5 * len(DAYS)


def test_every_kind_is_drawn() -> None:
    kinds = Counter(f.kind for day in DAYS for f in draw_faults(5, "SNPP", day))
    assert set(kinds) == set(FAULT_KINDS) - {"jpeg-damage"}


def test_a_third_of_the_windows_has_a_real_fault_besides() -> None:
    scheduled = beside = 0
    for day in DAYS:
        planned = scheduled_faults(5, "SNPP", day)
        if planned:
            faults = draw_faults(5, "SNPP", day)
            assert faults[: len(planned)] == planned
            scheduled += 1
            beside += any(f.kind.startswith("missing") for f in faults[len(planned) :])
    assert scheduled > 60
    assert 0.25 < beside / scheduled < 0.7  # a third by rule, and some by chance


def test_no_manoeuvre_explains_the_real_hole_besides() -> None:
    for area in (None, BBox(-36.0, -18.0, 0.0, 18.0)):
        for day in DAYS:
            planned = scheduled_faults(6, "SNPP", day)
            for fault in draw_faults(6, "SNPP", day, area=area)[len(planned) :] if planned else ():
                if fault.kind not in ("missing-granules", "missing-scans", "missing-orbit"):
                    continue
                assert fault.place
                apart = [
                    abs((fault.place[0] - afternoon_longitude(roll.time_s) + 180) % 360 - 180)
                    for roll in planned
                    if roll.time_s is not None
                ]
                other_size = fault.kind == "missing-scans" and fault.seconds < 60.0
                assert min(apart) >= 60.0 or other_size


def test_perturbations_stay_in_their_ranges_and_are_an_archives_own() -> None:
    for seed in range(60):
        first, second = (draw_perturbation(seed, "SNPP", day) for day in DAYS[:2])
        for one in (first, second):
            assert 85.5 <= one.sza_cut_deg <= 87.5
            assert abs(one.local_time_s) <= 300.0
            assert 0.99 <= one.swath_factor <= 1.01
            assert 0.0 <= one.dropped_share <= 0.15
        assert first.swath_factor == second.swath_factor
        assert first.rule == second.rule
        assert first.dropped_share == second.dropped_share
        assert first.sza_cut_deg != second.sza_cut_deg
    assert len({draw_perturbation(seed, "SNPP", DAYS[0]).rule for seed in range(60)}) == 5
    assert {draw_perturbation(s, "SNPP", DAYS[0]).granule_s for s in range(60)} == {360.0, 85.35}
    assert {draw_perturbation(s, "Aqua", DAYS[0]).granule_s for s in range(60)} == {300.0}


def test_products_of_a_day_share_faults_and_perturbation() -> None:
    for day in DAYS[:40]:
        first = draw_day(9, "Terra", "TrueColor", day)
        second = draw_day(9, "Terra", "Data_No_Data", day)
        assert first.faults == second.faults
        assert first.perturbation == second.perturbation


def test_plans_are_cut_to_the_day_and_none_is_none() -> None:
    plan = [FaultSpec("missing-orbit", DAYS[0]), FaultSpec("stripes"), FaultSpec("roll", DAYS[1])]
    assert draw_day(1, "SNPP", "TrueColor", DAYS[0], faults=plan).faults == tuple(plan[:2])
    assert all(not draw_day(1, "SNPP", "TrueColor", d, faults="none").faults for d in DAYS[:50])


def test_faults_lie_in_the_area_that_is_asked_for() -> None:
    area = BBox(-36.0, -18.0, 0.0, 18.0)
    places = [f.place for day in DAYS[:300] for f in draw_faults(2, "Terra", day, area=area)]
    assert places
    assert all(p and -36 <= p[0] <= 0 and -18 <= p[1] <= 18 for p in places)
