"""Tests of the words and figures of a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gibswatch.report.cards import area_words, make_card
from gibswatch.report.pictures import Budget
from gibswatch.types import BBox, BoolArray, Finding, Kind, ModelScore

if TYPE_CHECKING:
    from conftest import Standin

_DAY = dt.date(2017, 8, 21)


def _budget() -> Budget:
    return Budget(10**6, 9)


def test_a_card_has_words_figures_and_pictures(standin: Standin, block: BoolArray) -> None:
    standin.days(2)
    item = standin.plant(_DAY, Kind.MISSING_UNEXPECTED, block)
    card = make_card(standin.result(), item, _budget(), 100)
    assert (card.title, card.weekday, card.status) == ("21 August 2017", "Monday", "anomalous")
    assert card.sentence == "Missing data: two granules are black."
    assert card.known == "the recorder was full (a test)"
    assert card.frame is not None
    assert (card.frame.width, card.frame.height) == (100, 50)
    assert card.picture is not None
    assert card.picture.startswith("data:image/jpeg;base64,")
    assert len(card.outlines) == 1
    assert dict(card.facts)["Black"] == "10.0%, 10.0% explained"
    (found,) = card.found
    assert found.facts[1] == "30°W to 16.5°W, 6°N to 15°N"
    assert found.granules == ("12:05", "12:10")


def test_a_known_event_comes_from_the_catalogue_too(standin: Standin) -> None:
    standin.days(2)
    item = replace(standin.items[_DAY], verdict="anomalous", reason="Black.")
    assert "eclipse" in make_card(standin.result(), item, _budget(), 100).known


def test_the_score_of_a_model_is_a_fact(standin: Standin, block: BoolArray) -> None:
    standin.days(2)
    item = standin.plant(_DAY, Kind.MISSING_UNEXPECTED, block)
    plain = make_card(standin.result(), item, _budget(), 100)
    assert not any("Model" in name for name, _ in plain.facts)
    called, quiet = (ModelScore("softmax", s, 0.55, called=s > 0.55) for s in (0.934, 0.25))
    said = {}
    for score in (called, quiet):
        card = make_card(standin.result(), replace(item, model=score), _budget(), 100)
        said[score.called] = dict(card.facts)["Model softmax"]
    assert said[True] == "0.934, called: threshold 0.55"
    assert said[False] == "0.25, not called: threshold 0.55"


def test_granules_of_another_day_keep_their_date_and_many_are_counted(standin: Standin) -> None:
    standin.days(2)
    names = ("2017-08-20T23:55Z", *(f"2017-08-21T{n // 12:02}:{n % 12 * 5:02}Z" for n in range(30)))
    finding = Finding(Kind.MISSING_UNEXPECTED, 0.9, "", granules=names)
    item = replace(standin.items[_DAY], verdict="anomalous", findings=(finding,) * 9)
    card = make_card(standin.result(), item, _budget(), 100)
    assert card.found[0].granules[:2] == ("2017-08-20 23:55", "00:00")
    assert card.found[0].more_granules == 31 - len(card.found[0].granules) > 0
    assert len(card.found) + card.more_found == 9


def test_faults_come_before_what_explains(standin: Standin) -> None:
    standin.days(2)
    findings = (
        Finding(Kind.ECLIPSE_MISSING, 0.1, "", 9e6),
        Finding(Kind.MISSING_UNEXPECTED, 0.9, "", 12e4, BBox(0, 0, 1, 1)),
    )
    item = replace(standin.items[_DAY], verdict="anomalous", findings=findings)
    card = make_card(standin.result(), item, _budget(), 100)
    assert card.kinds == (("missing data, unexpected", True), ("eclipse, missing data", False))
    assert [found.name for found in card.found] == [name for name, _ in card.kinds]
    assert dict(card.facts)["Area"] == "120,000 km²"


def test_a_card_spends_its_pictures(standin: Standin, block: BoolArray) -> None:
    standin.days(2)
    item = standin.plant(_DAY, Kind.MISSING_UNEXPECTED, block)
    budget = Budget(10, 9)
    make_card(standin.result(), item, budget, 100)
    assert not budget.is_open


@pytest.mark.parametrize(
    ("km2", "words"),
    [(0.0, "0 km²"), (12.3, "12 km²"), (9_999.0, "9,999 km²"), (45_678.0, "45,700 km²"),
     (1_234_567.0, "1.23 million km²"), (510e6, "510 million km²")],
)  # fmt: skip
def test_area_words(km2: float, words: str) -> None:
    assert area_words(km2) == words
