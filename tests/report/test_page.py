"""Tests of the report page: whole, self-contained, and safe to open."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import gibswatch as gw
from gibswatch.report import write_report
from gibswatch.report.charts import timeline
from gibswatch.scan import ScanResult
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import BBox, DayItem, Finding, Kind, Shares

_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


class _Page(HTMLParser):
    """Collects what a browser would load, and checks that tags are balanced."""

    VOID = frozenset({"meta", "img", "link", "br", "line", "rect", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        loads = {"src", "srcset", "poster", "data", "action"} | ({"href"} if tag != "a" else set())
        self.addresses += [value or "" for name, value in attrs if name in loads]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture
def result(tmp_path: Path, server: EmbeddedServer) -> ScanResult:
    return gw.scan(
        _LAYER,
        dt.date(2023, 8, 1),
        dt.date(2023, 8, 16),
        root=tmp_path,
        bbox=BBox(-36, -36, 36, 36),
        settings=Settings(base_url=server.base_url),
    )


def test_a_report_shows_every_day_and_loads_nothing(result: ScanResult) -> None:
    path = write_report(result)
    assert path == result.folder / "report.html"  # type: ignore[operator]
    text = path.read_text(encoding="utf-8")
    page = _Page(text)
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert len(page.addresses) == 1  # the picture of the one anomalous day
    assert "script" not in page.tags
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import", text)
    for item in result.items:
        assert f'<td class="date">{item.date}</td>' in text
    assert "Missing data:" in text
    assert "Not published" in text
    assert "worldview.earthdata.nasa.gov" in text
    assert "We acknowledge the use of imagery" in text


def test_what_comes_from_outside_is_escaped(result: ScanResult) -> None:
    evil = "<script>alert(1)</script>"
    finding = Finding(Kind.MISSING_UNEXPECTED, 0.9, evil)
    items = (
        replace(result.items[0], verdict="anomalous", reason=evil, findings=(finding,)),
        replace(result.items[1], verdict="incomplete", reason=evil, worldview=None),
    )
    text = write_report(replace(result, items=items, notes=(evil,))).read_text(encoding="utf-8")
    assert evil not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "script" not in _Page(text).tags


def test_a_picture_that_cannot_be_read_is_said(result: ScanResult) -> None:
    (bad,) = (item for item in result.items if item.verdict == "anomalous")
    assert bad.file is not None
    Path(bad.file).write_bytes(b"gone")
    text = write_report(result).read_text(encoding="utf-8")
    assert "The picture could not be read." in text
    assert not _Page(text).addresses


def test_a_report_of_no_day_can_be_read(result: ScanResult) -> None:
    text = write_report(replace(result, items=())).read_text(encoding="utf-8")
    assert "No day of the range" in text
    _Page(text)


def test_a_report_needs_an_archive() -> None:
    with pytest.raises(ValueError, match="not of loose files"):
        write_report(ScanResult(_LAYER, "gibswatch", ()))


def test_a_year_stays_under_twenty_megabytes(result: ScanResult) -> None:
    (bad,) = (item for item in result.items if item.verdict == "anomalous")
    year = tuple(replace(bad, date=dt.date(2023, 1, 1) + dt.timedelta(days=n)) for n in range(365))
    text = write_report(replace(result, items=year)).read_text(encoding="utf-8")
    assert len(text.encode()) < 20e6
    assert "305 more anomalous days" in text


@pytest.mark.parametrize("days", [1, 2, 30, 365, 3650])
def test_the_timeline_has_a_bar_a_day_inside_its_frame(days: int) -> None:
    first = dt.date(2014, 1, 1)
    items = [
        DayItem(
            "L",
            first + dt.timedelta(days=n),
            "clean",
            0.1,
            "",
            Shares(0.1 + 0.4 * (n % 7) / 7, 0.1, 0.0),
        )
        for n in range(days)
    ]
    chart = timeline(items)
    assert len(chart.bars) == days
    assert all(b.x >= 0 and b.x + b.width <= chart.width + 1 for b in chart.bars)
    assert all(b.y >= -1e-9 and b.height <= chart.height + 1e-9 for b in chart.bars)
    assert 1 <= len(chart.ticks) <= 24
    assert 0 < chart.top <= 1.05
