"""Days drawn from a seed."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from gibswatch.errors import DateRangeError, UsageError
from gibswatch.simulate import DrawnDays

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
AQUA = "MODIS_Aqua_CorrectedReflectance_TrueColor"
VIIRS = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
START = dt.date(2023, 8, 1)
HOLE = dt.date(2023, 8, 7)
ROWS = 256


def drawn(layer: str = TERRA, seed: int = 5, *, rows: int = ROWS) -> DrawnDays:
    return DrawnDays(layer, seed, START, 10, HOLE, rows)


def black(days: DrawnDays, day: dt.date) -> np.ndarray:
    return np.asarray(days.globe(day).max(axis=2) == 0)


def test_same_seed_same_bytes() -> None:
    first, again = drawn().globe(HOLE), drawn().globe(HOLE)
    assert first.shape == (ROWS, 2 * ROWS, 3)
    assert first.dtype == np.uint8
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != drawn(seed=6).globe(HOLE).tobytes()


def test_data_is_never_dark_and_no_data_is_exactly_black() -> None:
    brightest = drawn().globe(START).max(axis=2)
    assert brightest[brightest > 0].min() > 20


@pytest.mark.parametrize("rows", [64, 90, 128])
def test_small_globes_are_drawn_without_a_warning(rows: int) -> None:
    assert drawn(rows=rows).globe(START).std() > 20


def test_only_hole_days_have_truth() -> None:
    days = drawn()
    assert [day for day in days.dates if days.truth(day).any()] == [HOLE]


@pytest.mark.parametrize("seed", range(8))
def test_hole_is_about_one_or_two_granules_on_daylit_data(seed: int) -> None:
    days = drawn(seed=seed)
    truth = days.truth(HOLE)
    assert black(days, HOLE)[truth].all()
    rows, cols = np.nonzero(truth)
    height, width = (np.ptp(side) * 180 / ROWS for side in (rows, cols))
    assert 15 < height < 50
    assert 15 < width < 40
    without = DrawnDays(TERRA, seed, START, 10, rows=ROWS)
    assert not black(without, HOLE)[truth].any()
    assert np.array_equal(black(without, HOLE) | truth, black(days, HOLE))


def test_several_hole_days() -> None:
    days = DrawnDays(TERRA, 1, START, 10, (START, HOLE), rows=ROWS)
    assert [day for day in days.dates if days.truth(day).any()] == [START, HOLE]


def gap_widths(days: DrawnDays, day: dt.date, lat: float) -> np.ndarray:
    line = np.concatenate(([False], black(days, day)[int((90 - lat) / 180 * days.rows)], [False]))
    steps = np.flatnonzero(np.diff(line.astype(int)))
    return (steps[1::2] - steps[::2]) * 180 / days.rows


def test_swath_gaps_are_four_degrees_at_the_equator_and_close_in_the_subtropics() -> None:
    days = drawn(rows=512)
    widths = gap_widths(days, START, 0)
    assert len(widths) in (14, 15, 16)
    assert np.median(widths) == pytest.approx(4, abs=0.4)
    assert 1 < np.median(gap_widths(days, START, 20)) < 3
    assert len(gap_widths(days, START, 29)) == 0
    assert len(gap_widths(days, START, -29)) == 0


def test_gaps_move_from_day_to_day_and_return_after_sixteen() -> None:
    days = DrawnDays(TERRA, 5, START, 17, rows=ROWS)
    tropics = slice(ROWS // 3, 2 * ROWS // 3)
    first, second, last = (black(days, days.dates[n])[tropics] for n in (0, 1, 16))
    assert not (first & second).any()
    assert np.array_equal(first, last)


def test_terra_and_aqua_gaps_lean_opposite_ways() -> None:
    def lean(layer: str) -> float:
        gaps = black(drawn(layer, rows=512), START)
        north, south = (np.flatnonzero(gaps[int((90 - lat) / 180 * 512)]) for lat in (15, -15))
        step = (north[:, None] - south[None, :]) * 180 / 512
        return float(np.median(step[np.abs(step) < 12]))

    assert lean(TERRA) > 3
    assert lean(AQUA) < -3


def test_viirs_has_no_gaps_but_the_same_earth() -> None:
    tropics = slice(ROWS // 3, 2 * ROWS // 3)
    viirs, terra = drawn(VIIRS).globe(START)[tropics], drawn(TERRA).globe(START)[tropics]
    assert viirs.max(axis=2).min() > 0
    seen = terra.max(axis=2) > 0
    assert np.array_equal(viirs[seen], terra[seen])


def test_polar_night_follows_the_sun() -> None:
    winter = DrawnDays(TERRA, 1, dt.date(2023, 12, 21), 1, rows=ROWS)
    summer = DrawnDays(TERRA, 1, dt.date(2023, 6, 21), 1, rows=ROWS)
    north = int((90 - 70) / 180 * ROWS)
    assert black(winter, winter.start)[:north].all()
    assert not black(winter, winter.start)[-north:].any()
    assert black(summer, summer.start)[-north:].all()
    assert not black(summer, summer.start)[:north].any()


@pytest.mark.parametrize(("name", "value"), [("days", 0), ("seed", -1), ("rows", 10)])
def test_out_of_range(name: str, value: int) -> None:
    options: dict[str, Any] = {"seed": 1, "days": 1, "rows": 64, name: value}
    with pytest.raises(UsageError, match=f"{name} is {value}"):
        DrawnDays(TERRA, start=START, **options)


def test_other_days_are_refused() -> None:
    with pytest.raises(DateRangeError, match="2023-08-11 is not drawn"):
        drawn().globe(dt.date(2023, 8, 11))
    with pytest.raises(DateRangeError, match="2022-08-07"):
        DrawnDays(TERRA, 1, START, 10, dt.date(2022, 8, 7))
