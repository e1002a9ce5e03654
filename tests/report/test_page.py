"""Tests of the report page: whole, self-contained, and safe to open."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gibswatch.report import write_report
from gibswatch.scan import ScanResult
from gibswatch.scan.budget import Budget
from gibswatch.types import BoolArray, Finding, Georeference, Kind

if TYPE_CHECKING:
    from conftest import Standin

_DAY = dt.date(2017, 8, 21)
_LINKS = ("https://worldview.earthdata.nasa.gov/?", "https://nasa-gibs.github.io/gibs-api-docs/")
_LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href"}


class _Page(HTMLParser):
    """Collects what a browser would load and where links lead; checks that tags are balanced."""

    VOID = frozenset({"meta", "img", "link", "br", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.scripts: list[str] = []
        self.style = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name == "href" or name in _LOADING:
                self.loaded.append(value or "")
            elif name == "id":
                self.ids.append(value or "")
            elif name == "style":
                self.style += value or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        if self.open and self.open[-1] == "style":
            self.style += data


def _written(result: ScanResult) -> _Page:
    return _Page(write_report(result).read_text(encoding="utf-8"))


@pytest.fixture
def mixed(standin: Standin, block: BoolArray) -> ScanResult:
    """Ten days: one anomalous, one explained, two incomplete, the rest clean."""
    standin.days(10)
    standin.plant(_DAY, Kind.MISSING_UNEXPECTED, block)
    standin.plant(dt.date(2017, 8, 23), Kind.ECLIPSE_MISSING, block)
    for day in (dt.date(2017, 8, 25), dt.date(2017, 8, 26)):
        standin.items[day] = replace(
            standin.items[day],
            verdict="incomplete", incomplete_cause="network", reason="2 of 50 tiles did not arrive",
            shares=None, tiles={"ok": 48, "failed": 2},
        )  # fmt: skip
    (standin.folder / "scan.json").write_text("{}")
    (standin.folder / "days.csv").write_text("")
    return standin.result()


def test_the_page_loads_nothing_and_leads_only_to_worldview_and_gibs(mixed: ScanResult) -> None:
    path = write_report(mixed)
    assert path == mixed.folder / "report.html"  # type: ignore[operator]
    page = _Page(path.read_text(encoding="utf-8"))
    for address in page.loaded:
        assert address.startswith(("data:image/jpeg;base64,", "data:image/png;base64,", "#"))
    outside = [link for link in page.links if not link.startswith(("#", *_LINKS))]
    assert set(outside) == {"scan.json", "days.csv"}
    assert all((path.parent / link).is_file() for link in outside)
    assert set(re.findall(r"url\(([^)]*)\)", page.style)) <= {"#hatch"}
    assert "@import" not in page.style
    assert "default-src 'none'; img-src data:;" in page.text
    assert not {tag for tag in page.tags if tag in ("link", "iframe", "object", "embed", "base")}
    assert not {name for name in page.attributes if name.startswith("on")}


def test_alerts_stand_in_the_page_where_there_is_a_budget(mixed: ScanResult) -> None:
    assert "alerts a month" not in _written(mixed).text
    items = tuple(replace(item, alert=item.date == _DAY) for item in mixed.items)
    page = _written(replace(mixed, items=items, budget=Budget(3, 0.41, 212, 3)))
    assert page.text.count("3 alerts a month: threshold 0.41") == 1
    assert page.text.count("<b>alert</b>") == 1


def test_only_the_pages_own_script_may_run_and_it_asks_for_nothing(mixed: ScanResult) -> None:
    page = _written(mixed)
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.text
    for word in ("fetch", "XMLHttpRequest", "import(", "http", "innerHTML", "eval", "Image("):
        assert word not in script


def test_every_day_has_one_place_and_every_link_in_the_page_leads_somewhere(
    mixed: ScanResult,
) -> None:
    page = _written(mixed)
    assert not [name for name, count in Counter(page.ids).items() if count > 1]
    targets = {link[1:] for link in (*page.links, *page.loaded) if link.startswith("#")}
    assert targets - {""} <= set(page.ids)
    assert {f"d{item.date}" for item in mixed.items} <= set(page.ids)
    cells = re.findall(r'class="cell (\S+) l\d"', page.text)
    assert Counter(cells) == {"clean": 6, "anomalous": 1, "explained": 1, "incomplete": 2}


def test_a_flagged_day_has_its_panels_its_words_and_its_figures(mixed: ScanResult) -> None:
    text = _written(mixed).text
    day = text[text.index(f'id="d{_DAY}"') : text.index("</article>")]
    titles = re.findall(r'data-title="([^"]+)"', day)
    assert titles == ["Picture", "Expectation", "Difference", "Mask", "Close-up"]
    assert "Missing data: two granules are black." in day
    assert "Known event" in day
    assert "the recorder was full (a test)." in day
    assert "<code>12:05</code> <code>12:10</code>" in day
    assert re.search(r"<dd>[\d.,]+( million)? km²</dd>", day)
    assert "30°W to 16.5°W, 6°N to 15°N" in day
    assert f"https://worldview.earthdata.nasa.gov/?l=MODIS_Terra_CorrectedReflectance_TrueColor&amp;t={_DAY}" in day  # fmt: skip  # noqa: E501
    assert day.count("aria-label=") >= 10  # every picture says what it shows
    assert "unexpected <span>" in day


def test_the_numbers_at_the_head_are_those_of_the_days(mixed: ScanResult) -> None:
    text = _written(mixed).text
    assert "1 of 8 judged days shows something that nothing explains." in text
    for count, name in ((1, "anomalous"), (1, "explained"), (6, "clean"), (2, "incomplete")):
        assert f'<b>{count}</b><span><i class="dot {name}">' in text
    assert "2017-08-25 to 2017-08-26" in text  # in one line of the table
    assert "incomplete: network" in text
    assert "2 failed, 48 ok" in text
    assert "a note" in text
    assert "orbit fitted to the other days" in text
    assert "We acknowledge the use of imagery" in text
    assert re.search(r"by gibswatch \d", text)


def test_a_method_without_reasons_shows_picture_and_mask(
    standin: Standin, block: BoolArray
) -> None:
    standin.explains = False
    standin.days(3).plant(_DAY, Kind.MISSING_UNEXPECTED, block)
    titles = re.findall(r'data-title="([^"]+)"', _written(standin.result()).text)
    assert titles == ["Picture", "Mask", "Close-up"]


@pytest.mark.parametrize("epsg", [3413, 3031])
def test_polar_pictures_have_their_outline_and_graticule(standin: Standin, epsg: int) -> None:
    standin.epsg = epsg  # type: ignore[assignment]
    standin.georeference = Georeference(epsg, -4194304.0, 4194304.0, 65536.0, 65536.0, 128, 128)  # type: ignore[arg-type]
    where = np.zeros((128, 128), dtype=bool)
    where[50:56, 30:80] = True
    standin.days(2).plant(_DAY, Kind.MISSING_UNEXPECTED, where)
    text = _written(standin.result()).text
    outline = re.search(r'<path class="edge" d="M([^"]+)Z"', text)
    assert outline is not None
    corners = np.array(re.findall(r"[\d.]+", outline[1]), dtype=float).reshape(-1, 2)
    assert "Z" not in outline[1]  # one ring: the antimeridian cuts nothing on this map
    assert corners.min(axis=0) == pytest.approx([30, 50], abs=0.2)
    assert corners.max(axis=0) == pytest.approx([80, 56], abs=0.2)
    assert 'class="shots square"' in text
    assert ("70°N" if epsg == 3413 else "70°S") in text


def test_what_comes_from_outside_is_escaped(standin: Standin, block: BoolArray) -> None:
    evil = "<script>alert(1)</script>"
    standin.days(3)
    item = standin.plant(_DAY, Kind.MISSING_UNEXPECTED, block)
    finding = Finding(Kind.MISSING_UNEXPECTED, 0.9, evil, granules=(evil,))
    standin.items[_DAY] = replace(
        item, reason=evil, findings=(finding,), worldview="javascript:alert(1)"
    )
    text = write_report(replace(standin.result(), notes=(evil,))).read_text(encoding="utf-8")
    assert evil not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "javascript:" not in text
    assert _Page(text).tags["script"] == 1


def test_a_picture_that_cannot_be_read_is_said(standin: Standin, block: BoolArray) -> None:
    standin.days(3).plant(_DAY, Kind.MISSING_UNEXPECTED, block)
    standin.unreadable = set(standin.items)
    page = _written(standin.result())
    assert f"The picture could not be read: {_DAY} is damaged" in page.text
    assert not [address for address in page.loaded if address.startswith("data:")]


def test_a_report_of_no_day_can_be_read(standin: Standin) -> None:
    assert "No day of the range" in _written(standin.result()).text


def test_days_that_are_all_clean_are_good_news(standin: Standin) -> None:
    text = _written(standin.days(5).result()).text
    assert "Nothing unexplained on any of 5 judged days." in text
    assert "None: nothing was found on the judged days that has no explanation." in text


def test_a_report_needs_an_archive() -> None:
    with pytest.raises(ValueError, match="not of loose files"):
        write_report(ScanResult("MODIS_Terra_Data_No_Data", "gibswatch", ()))


def test_a_year_of_bad_days_stays_under_twenty_megabytes(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times what a real picture takes: the budget closes, and the rest is counted."""
    stand_in = "data:image/jpeg;base64," + "A" * 400_000
    monkeypatch.setattr("gibswatch.report.cards.jpeg_address", lambda *_: stand_in)
    standin.explains = False
    standin.days(365, dt.date(2023, 1, 1))
    for day, item in standin.items.items():
        finding = Finding(Kind.MISSING_UNEXPECTED, 0.9, "black", 1e5)
        standin.items[day] = replace(item, verdict="anomalous", findings=(finding,))
    path = write_report(standin.result())
    text = path.read_text(encoding="utf-8")
    shown = text.count('class="day anomalous"')
    assert 13e6 < path.stat().st_size < 20e6
    assert 10 < shown < 120
    assert f"{365 - shown} more anomalous days have lower scores" in text


def test_ten_years_have_a_cell_a_day_and_stay_small(standin: Standin) -> None:
    standin.days(3652, dt.date(2014, 1, 1))
    path = write_report(standin.result())
    text = path.read_text(encoding="utf-8")
    assert text.count('class="cell ') == 3652
    assert text.count("<figcaption>20") == 10  # years
    assert path.stat().st_size < 6e6


def test_the_template_is_part_of_the_package() -> None:
    folder = Path(write_report.__code__.co_filename).parent / "templates"
    assert {"report.html.j2", "report.css", "report.js"} <= {p.name for p in folder.iterdir()}
