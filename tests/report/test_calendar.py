"""Tests of the calendar's layout."""

from __future__ import annotations

import datetime as dt

import pytest

from gibswatch.report.calendar import heat_map, long_date
from gibswatch.types import DayItem, Finding, Kind, Shares, VerdictName


def _item(day: dt.date, verdict: VerdictName = "clean", score: float = 0.1) -> DayItem:
    return DayItem("L", day, verdict, score, "", Shares(0.2, 0.2, 0.0))


def _range(first: dt.date, count: int) -> list[DayItem]:
    return [_item(first + dt.timedelta(days=n)) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "unit", "blocks"), [(1, "month", 1), (31, "month", 1), (200, "month", 7),
                                  (365, "year", 1), (3652, "year", 10)],
)  # fmt: skip
def test_every_day_has_a_cell_of_its_own_inside_its_block(
    count: int, unit: str, blocks: int
) -> None:
    calendar = heat_map(_range(dt.date(2014, 1, 1), count))
    assert (calendar.unit, len(calendar.blocks)) == (unit, blocks)
    assert sum(len(block.cells) for block in calendar.blocks) == count
    for block in calendar.blocks:
        assert len({(cell.x, cell.y) for cell in block.cells}) == len(block.cells)
        assert all(0 <= cell.x <= block.width - calendar.cell for cell in block.cells)
        assert all(0 <= cell.y <= block.height - calendar.cell for cell in block.cells)


def test_a_row_of_a_year_is_a_weekday_and_a_column_a_week() -> None:
    (block,) = heat_map(_range(dt.date(2024, 1, 1), 366)).blocks  # a leap year; 1 January: Monday
    cells = {cell.target: cell for cell in block.cells}
    monday, sunday, next_monday = (cells[f"d2024-01-0{n}"] for n in (1, 7, 8))
    assert monday.x == sunday.x < next_monday.x
    assert monday.y == next_monday.y < sunday.y
    assert max(cell.x for cell in block.cells) == cells["d2024-12-31"].x


def test_a_short_month_begins_with_the_week_of_its_first_day() -> None:
    (block,) = heat_map(_range(dt.date(2017, 8, 21), 7)).blocks
    assert len({cell.y for cell in block.cells}) == 1
    assert [cell.number for cell in block.cells] == [str(n) for n in range(21, 28)]


def test_a_cell_says_verdict_score_and_where_it_leads() -> None:
    day = dt.date(2017, 8, 21)
    finding = Finding(Kind.ECLIPSE_MISSING, 0.1, "")
    explained = DayItem("L", day, "clean", 0.2, "", Shares(0.2, 0.2, 0.0), (finding,))
    bad = _item(day + dt.timedelta(days=1), "anomalous", 0.95)
    gap = DayItem("L", day + dt.timedelta(days=2), "incomplete", 0, "", None, (), "network")
    cells = heat_map([gap, explained, bad, _item(day + dt.timedelta(days=3))]).blocks[0].cells
    classes = [cell.css_class for cell in cells]
    assert classes == ["explained l0", "anomalous l2", "incomplete l0", "clean l1"]
    assert [cell.is_stop for cell in cells] == [True, True, True, False]
    title = "Mon 21 August 2017 · explained · eclipse, missing data · score 0.20, 20.0% black"
    assert cells[0].title == title
    assert cells[2].title.endswith("incomplete (network)")
    assert cells[1].target == "d2017-08-22"


def test_of_a_day_judged_twice_the_worse_is_shown() -> None:
    day = dt.date(2017, 8, 21)
    (cell,) = heat_map([_item(day, "anomalous", 0.8), _item(day)]).blocks[0].cells
    assert cell.css_class == "anomalous l1"


def test_pictures_without_a_date_have_no_cell() -> None:
    assert heat_map([DayItem("L", None, "clean", 0.1, "", None)]).blocks == ()


def test_long_date() -> None:
    assert long_date(dt.date(2017, 8, 1)) == "1 August 2017"
