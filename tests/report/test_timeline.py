"""Tests of the chart of black shares."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from gibswatch.report.timeline import timeline
from gibswatch.types import DayItem, Shares, VerdictName

_FIRST = dt.date(2014, 1, 1)


def _item(n: int, black: float = 0.1, verdict: VerdictName = "clean") -> DayItem:
    expected = 0.1 if black > 0.1 else black
    return DayItem("L", _FIRST + dt.timedelta(days=n), verdict, 0.1, "",
                   Shares(black, expected, black - expected))  # fmt: skip


@pytest.mark.parametrize("days", [2, 30, 90, 365, 3652])
def test_the_band_covers_every_day_inside_its_frame(days: int) -> None:
    items = [_item(n, 0.04 + 0.05 * (n % 7) / 7) for n in range(days)]
    chart = timeline(items)
    assert chart is not None
    across = [float(v) for v in re.findall(r"H([\d.]+)", chart.band)]
    assert len(across) == days
    assert across[-1] == pytest.approx(chart.width, abs=0.3)
    assert all(0 <= float(v) <= chart.height for v in re.findall(r"V([\d.]+)", chart.band))
    assert 1 <= len(chart.ticks) <= 14
    assert all(0 <= x <= chart.width for x, _ in chart.ticks)
    assert chart.top == (0.06 if days == 2 else 0.1)
    assert chart.bars == ()


def test_a_bad_day_stands_on_the_band() -> None:
    chart = timeline([_item(0), _item(1, 0.2, "anomalous"), _item(2)], 600.0)
    assert chart is not None
    (bar,) = chart.bars
    assert (chart.width, chart.top) == (600.0, 0.2)
    assert (bar.x, bar.y, bar.height) == (200.0, 0.0, chart.height / 2)
    assert bar.target == "d2014-01-02"


def test_a_gap_parts_the_band() -> None:
    chart = timeline([_item(0), _item(1), _item(5)])
    assert chart is not None
    assert chart.band.count("M") == 2


def test_one_day_is_no_chart() -> None:
    assert timeline([_item(0), DayItem("L", None, "clean", 0.1, "", Shares(0.1, 0.1, 0))]) is None
