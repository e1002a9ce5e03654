"""Every kind of fault, planted alone, is where the truth says: clean picture against faulty one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.faults.missing import MISSING_KINDS
from gibswatch.simulate.days.spec import (
    FAULT_KINDS,
    DaySpec,
    FaultKind,
    FaultSpec,
    Perturbation,
    SimulatedDay,
)
from gibswatch.types import Georeference, Kind

DAY = dt.date(2016, 4, 12)
AREA = Georeference(4326, -36.0, 18.0, 0.140625, 0.140625, 512, 512)
"""Africa and the Atlantic: one block of level 2."""
SPEC = DaySpec(
    "SNPP", "TrueColor", DAY, 5, perturbation=Perturbation(granule_s=360.0), invented=True
)
HERE = (5.0, -6.0)
PLANTED: dict[FaultKind, FaultSpec] = {
    "missing-granules": FaultSpec("missing-granules", place=HERE, count=2),
    "missing-orbit": FaultSpec("missing-orbit", place=HERE),
    "missing-scans": FaultSpec("missing-scans", place=HERE, seconds=30.0),
    "missing-tile": FaultSpec("missing-tile", place=HERE, part=(0.25, 0.0, 1.0, 0.5)),
    "missing-wedge": FaultSpec("missing-wedge", place=HERE),
    "roll": FaultSpec("roll", place=HERE, seconds=720.0),
    "new-moon": FaultSpec("new-moon", place=HERE, seconds=900.0),
    "colour": FaultSpec("colour", place=HERE, channels="G", effect="gain", amount=0.3),
    "edge-warp": FaultSpec("edge-warp", place=HERE, distance_km=300.0, share=0.6),
    "granule-offset": FaultSpec("granule-offset", place=HERE, distance_km=250.0, bearing_deg=90.0),
    "duplicate-granule": FaultSpec("duplicate-granule", place=HERE),
    "stripes": FaultSpec("stripes", place=HERE, amount=0.25, seconds=12.0),
    "stale-tile": FaultSpec("stale-tile", place=HERE, days_off=-3),
    "wrong-day": FaultSpec("wrong-day", days_off=1),
    "jpeg-damage": FaultSpec("jpeg-damage", place=HERE),
    "blank-tile": FaultSpec("blank-tile", place=HERE),
}
CLEAN = simulate_day(SPEC, AREA)


@cache
def planted(kind: FaultKind, **changes: object) -> SimulatedDay:
    fault = replace(PLANTED[kind], **changes)  # type: ignore[arg-type]
    return simulate_day(replace(SPEC, faults=(fault,)), AREA)


def test_a_clean_day_has_no_truth_to_tell() -> None:
    truth = CLEAN.truth
    assert truth.codes == ()
    assert truth.regions == ()
    assert not truth.label.any()
    assert not truth.visible.any()
    assert not truth.substituted.any()
    assert truth.clean is CLEAN.pixels


def test_every_kind_is_planted_here() -> None:
    assert set(PLANTED) == set(FAULT_KINDS)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_fault_is_where_its_label_says(kind: FaultKind) -> None:
    day = planted(kind)
    truth = day.truth
    (region,) = truth.regions
    footprint = truth.region == 1
    assert region.footprint_pixels == footprint.sum() > 500
    assert region.code == PLANTED[kind].code
    # Not one pixel outside of it differs from the day without the fault.
    assert np.array_equal(day.drawn[~footprint], CLEAN.drawn[~footprint])
    assert np.array_equal(truth.clean, CLEAN.pixels)
    differs = (day.drawn != CLEAN.drawn).any(axis=-1)
    assert (differs & footprint).sum() > 0.25 * footprint.sum()
    # After encoding too, but for the blocks of 16 pixels that it shares with its surroundings.
    apart = np.abs(day.pixels.astype(int) - truth.clean).max(axis=-1)
    near = ndimage.maximum_filter(footprint, 39)
    assert not apart[~near].any()
    assert not (truth.visible & ~footprint).any()
    assert region.visible_pixels == truth.visible.sum() > 200
    assert np.mean(apart[truth.visible]) > 10
    code = PLANTED[kind].code
    assert truth.codes == ((code,) if code else ())
    expected = footprint & ~truth.substituted if kind in MISSING_KINDS else footprint
    assert np.array_equal(truth.label, np.where(expected, code or 0, 0))


@pytest.mark.parametrize("kind", MISSING_KINDS)
def test_what_is_missing_is_black_or_filled_by_another_pass(kind: FaultKind) -> None:
    truth, drawn = planted(kind).truth, planted(kind).drawn
    hole = truth.label > 0
    filled = truth.substituted
    assert hole.any()
    assert not drawn[hole].any()
    assert (truth.pass_index[hole] == -1).all()
    assert np.isnan(truth.time_s[hole]).all()
    assert (truth.pass_index[filled] >= 0).all()
    assert (truth.pass_index[filled] != CLEAN.truth.pass_index[filled]).all()
    assert (drawn[filled].max(axis=-1) > 0).mean() > 0.99
    untouched = truth.region == 0
    assert np.array_equal(truth.pass_index[untouched], CLEAN.truth.pass_index[untouched])


def test_missing_granules_are_smaller_than_granules_because_neighbours_fill() -> None:
    day = planted("missing-granules")
    (region,) = day.truth.regions
    assert region.substituted_pixels == day.truth.substituted.sum() > 300
    assert len(region.granules) == 2
    overlap = CLEAN.truth.coverage > 1
    footprint = day.truth.region == 1
    assert np.array_equal(day.truth.substituted, footprint & overlap)


def test_a_dropout_shows_in_bright_scenes_and_not_in_dark_ones() -> None:
    day = planted("colour", effect="rollover", above=0.3, amount=0.2)
    footprint = day.truth.region == 1
    bright = CLEAN.drawn[..., 1] > 200
    dark = CLEAN.drawn[..., 1] < 120
    differs = (day.drawn != CLEAN.drawn).any(axis=-1)
    assert differs[footprint & bright].mean() > 0.99
    assert not differs[footprint & dark].any()
    assert np.array_equal(day.drawn[..., [0, 2]], CLEAN.drawn[..., [0, 2]])


@pytest.mark.parametrize(
    ("effect", "amount"),
    [("offset", 0.1), ("saturation", 0.2), ("swap", 0.0), ("stripes", 0.2), ("ramp", 0.5)],
)
def test_each_effect_changes_the_granule_alone(effect: str, amount: float) -> None:
    day = planted("colour", effect=effect, amount=amount, channels="RB")
    footprint = day.truth.region == 1
    assert np.array_equal(day.drawn[~footprint], CLEAN.drawn[~footprint])
    assert (day.drawn != CLEAN.drawn).any(axis=-1)[footprint].mean() > 0.1
    assert np.array_equal(day.drawn[..., 1], CLEAN.drawn[..., 1])


@pytest.mark.parametrize("gain", [0.8, 0.95, 1.1])
def test_weak_gains_are_visible_in_part_or_not_at_all(gain: float) -> None:
    (region,) = planted("colour", amount=gain).truth.regions
    assert region.visible_pixels < region.footprint_pixels


def test_duplicated_pixels_are_those_of_the_granule_before() -> None:
    day = planted("duplicate-granule")
    footprint = day.truth.region == 1
    assert np.array_equal(day.truth.granule, CLEAN.truth.granule)
    assert np.array_equal(day.truth.coverage, CLEAN.truth.coverage)
    # Of all shifts over the ground, the clean day's pixels fit at one, and that is a granule long.
    rows, cols = np.nonzero(footprint & (day.truth.vza_deg < 40.0))
    shown = day.drawn[rows, cols].astype(float)
    fits: dict[tuple[int, int], float] = {}
    for down in range(-240, 241, 8):
        for across in range(-80, 81, 8):
            there, then = rows + down, cols + across
            inside = (there >= 0) & (there < 512) & (then >= 0) & (then < 512)
            if inside.mean() > 0.9:
                other = CLEAN.drawn[there[inside], then[inside]].astype(float)
                fits[down, across] = float(np.abs(shown[inside] - other).mean())
    down, across = min(fits, key=fits.__getitem__)
    others = [fit for (d, a), fit in fits.items() if max(abs(d - down), abs(a - across)) > 16]
    assert fits[down, across] < 0.8 * min(others)
    times = CLEAN.truth.time_s
    earlier = (
        times[rows, cols] - times[np.clip(rows + down, 0, 511), np.clip(cols + across, 0, 511)]
    )
    assert 340.0 < np.nanmedian(earlier) < 380.0


def test_a_stale_tile_is_that_tile_of_the_other_day() -> None:
    day = planted("stale-tile")
    other = simulate_day(replace(SPEC, day=DAY - dt.timedelta(days=3)), AREA)
    tile = (slice(128, 256), slice(256, 384))
    assert np.array_equal(day.drawn[tile], other.drawn[tile])
    assert (day.truth.label[tile] == Kind.STALE).all()


def test_a_fault_elsewhere_leaves_no_trace() -> None:
    day = simulate_day(
        replace(SPEC, faults=(FaultSpec("missing-granules", place=(150.0, -20.0)),)), AREA
    )
    assert np.array_equal(day.drawn, CLEAN.drawn)
    assert day.data == CLEAN.data
    assert day.truth.regions == ()


def test_a_blank_tile_leaves_nothing_of_other_faults_in_it() -> None:
    faults = (PLANTED["colour"], PLANTED["blank-tile"])
    truth = simulate_day(replace(SPEC, faults=faults), AREA).truth
    tile = (slice(128, 256), slice(256, 384))
    assert (truth.region[tile] == 2).all()
    assert (truth.granule[tile] == -1).all()
    assert (truth.region == 1).any()


def test_no_data_masks_show_what_is_missing_and_no_colour() -> None:
    terra = replace(SPEC, satellite="Terra", product="Data_No_Data")
    plain = simulate_day(terra, AREA)
    assert np.array_equal(plain.pixels[..., 3] == 0, plain.truth.coverage > 0)
    holed = simulate_day(replace(terra, faults=(PLANTED["missing-granules"],)), AREA)
    assert (holed.pixels[holed.truth.label == 2] == (202, 170, 86, 255)).all()
    assert holed.truth.codes == (Kind.MISSING_UNEXPECTED,)
    coloured = simulate_day(replace(terra, faults=(PLANTED["colour"],)), AREA)
    assert coloured.data == plain.data
    assert coloured.truth.codes == ()
