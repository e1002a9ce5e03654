"""The page of a comparison with a person's labels."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from gibswatch.report import disagreements, write_disagreements
from gibswatch.scan.labelling.comparison import compare_labels
from gibswatch.scan.labelling.from_sky import SkyLabel
from gibswatch.scan.labelling.run import LabelResult
from gibswatch.scan.labelling.suggest import Suggestion
from gibswatch.types import BoolArray, Kind

FIRST = dt.date(2017, 8, 20)
OTHER = dt.date(2019, 5, 1)


def day(n: int) -> dt.date:
    return FIRST + dt.timedelta(days=n)


@pytest.fixture
def done(standin: Any, block: BoolArray) -> LabelResult:
    """Six days: a hole that only we see, a colour that only they see, and one by the sky."""
    standin.days(6)
    standin.plant(day(2), Kind.MISSING_UNEXPECTED, block)
    theirs = {day(n): frozenset[Kind]() for n in range(6)}
    theirs |= {day(4): frozenset({Kind.MISCOLORATION}), OTHER: frozenset()}
    result = standin.result()
    sky = {OTHER: SkyLabel(OTHER, {"roll": "a roll <b>"})}
    found = compare_labels(theirs, result.items, sky)
    why = "It is <i>rare</i>."
    suggested = (Suggestion(day(3), "clean", 0.49, (), 1.0, why),)
    return LabelResult(result, None, Path("<labels>.txt"), found, suggested)


def test_every_day_that_differs_is_shown_with_its_picture(done: LabelResult) -> None:
    path = write_disagreements(done)
    assert path is not None
    page = path.read_text("utf-8")
    heads = re.findall(r'<div class="says"><b>([\d-]+)</b>', page)
    assert heads == [str(day(4)), str(day(2)), str(OTHER)]
    assert page.count('<article class="day') == 2
    assert page.count('id="p-d2017') == 2  # the picture of each, once
    assert "Label: <b>3 miscoloration</b>" in page
    assert "Gibswatch: <b>2 missing data, unexpected</b>" in page
    assert "only the label has it" in page
    assert "only Gibswatch has it, by sky and schedule alone" in page


def test_the_tables_say_which_codes_count(done: LabelResult) -> None:
    path = write_disagreements(done)
    assert path is not None
    page = path.read_text("utf-8")
    row = re.search(r'<td class="name">any fault</td>(.*?)</tr>', page, re.DOTALL)
    assert row is not None
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", row[1])
    assert cells == ["2-4/7-9", "2-4/7-9", "0", "1", "1", "4", "66.7 %", "-0.20"]
    assert "roll towards the Moon" in page
    assert "1 labelled day has no picture here" in page


def test_nothing_of_a_name_or_a_reason_becomes_html(done: LabelResult) -> None:
    path = write_disagreements(done)
    assert path is not None
    page = path.read_text("utf-8")
    assert "&lt;labels&gt;.txt" in page
    assert "A roll &lt;b&gt;." in page
    assert "It is &lt;i&gt;rare&lt;/i&gt;." in page
    assert "://" not in re.sub(r"<a [^>]*>", "", page)


def test_without_room_days_are_listed_without_pictures(
    done: LabelResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disagreements, "_MOST_DAYS", 1)
    path = write_disagreements(done)
    assert path is not None
    page = path.read_text("utf-8")
    assert page.count('<article class="day') == 1
    assert len(re.findall(r'<div class="says">', page)) == 3


def test_without_a_picture_there_is_no_page(standin: Any) -> None:
    standin.days(1)
    result = standin.result()
    assert write_disagreements(LabelResult(result, None)) is None
    found = compare_labels({OTHER: frozenset()}, result.items, {})
    assert write_disagreements(LabelResult(result, None, Path("x"), found)) is None
    assert not (standin.folder / "labels.html").exists()
