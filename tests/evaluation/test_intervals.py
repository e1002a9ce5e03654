"""Intervals over days and over events."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gibswatch.archive.labels import read_labels
from gibswatch.evaluation.intervals import Runs, bootstrap, count_events, event_words, make_units
from gibswatch.evaluation.resampled import weighted_auroc, weighted_recall
from gibswatch.evaluation.scores import DayArray
from gibswatch.types import Kind

DAYS = np.arange("2023-01-01", "2023-04-11", dtype="datetime64[D]")


def days_of(*spans: tuple[int, int]) -> set[dt.date]:
    return {DAYS[n].item() for first, last in spans for n in range(first, last)}


def test_by_day_rows_of_a_day_are_drawn_together() -> None:
    units = make_units(np.repeat(DAYS[:3], 2), "day")
    assert units.number.tolist() == [0, 0, 1, 1, 2, 2]


def test_by_event_days_of_a_fault_are_drawn_together() -> None:
    units = make_units(DAYS, "event", days_of((10, 20), (22, 25), (60, 61)))
    number = units.number
    assert len(set(number[9:26])) == 1  # two days without the code do not part them
    assert len(set(number[59:62])) == 1
    assert len({number[9], number[59], number[8], number[26]}) == 4
    assert np.bincount(number).max() == 17


def test_an_event_of_which_few_days_are_scored_stays_one() -> None:
    positive = days_of((10, 40))
    scored: DayArray = DAYS[[11, 20, 35, 70, 80]]
    known = DAYS.tolist()
    assert count_events(scored.tolist(), positive, known) == Runs(3, 1)
    assert len(set(make_units(scored, "event", positive, known).number[:3])) == 1
    assert count_events(DAYS[50:].tolist(), positive, known) == Runs(0, 0)


def test_the_same_seed_gives_the_same_interval_and_it_holds_the_value() -> None:
    random = np.random.default_rng(1)
    truth = np.arange(100) % 5 == 0
    scores = random.normal(size=100) + truth
    units = make_units(DAYS, "day")
    first = bootstrap(truth, scores, units, weighted_auroc, seed=4)
    assert first is not None
    assert first == bootstrap(truth, scores, units, weighted_auroc, seed=4)
    assert first != bootstrap(truth, scores, units, weighted_auroc, seed=5)
    value = roc_auc_score(truth, scores)
    assert first.low < value < first.high
    assert (first.positive_units, first.negative_units, first.resamples) == (20, 80, 1000)


def test_by_event_an_interval_is_as_wide_as_events_are_few() -> None:
    truth = np.zeros(100, dtype=np.bool_)
    found = np.zeros(100)
    for event, start in enumerate((5, 30, 55, 80)):
        truth[start : start + 10] = True
        found[start : start + 10] = event % 2  # all of an event, or nothing of it
    positive = {day.item() for day in DAYS[truth]}
    measure = weighted_recall(0.5)
    by_day = bootstrap(truth, found, make_units(DAYS, "day"), measure)
    by_event = bootstrap(truth, found, make_units(DAYS, "event", positive), measure)
    assert by_day is not None
    assert by_event is not None
    assert by_day.high - by_day.low < 0.35
    assert (by_event.low, by_event.high, by_event.positive_units) == (0.0, 1.0, 4)


def test_one_event_has_no_interval() -> None:
    truth = np.zeros(100, dtype=np.bool_)
    truth[10:60] = True
    units = make_units(DAYS, "event", days_of((10, 60)))
    scores = np.random.default_rng(3).random(100) + 0.5 * truth
    assert bootstrap(truth, scores, units, weighted_auroc) is None
    assert bootstrap(truth, scores, make_units(DAYS, "day"), weighted_auroc) is not None


def test_all_of_few_cases_found_is_not_known_for_sure() -> None:
    truth = np.isin(np.arange(100), [10, 40, 70])
    units = make_units(DAYS, "event", {day.item() for day in DAYS[truth]})
    for scores, low, high in ((truth + 0.0, 0.025 ** (1 / 3), 1.0), (np.zeros(100), 0.0, None)):
        found = bootstrap(truth, scores, units, weighted_recall(0.5), is_recall=True)
        assert found is not None
        assert found.low == pytest.approx(low)
        assert found.high == pytest.approx(1 - 0.025 ** (1 / 3) if high is None else high)
    assert bootstrap(truth, truth + 0.0, units, weighted_auroc) is None


def test_pixels_may_be_of_both_sorts_on_every_day() -> None:
    dates, truth = np.repeat(DAYS, 4), np.tile([True, False, False, False], 100)
    scores = np.random.default_rng(2).random(400) + 0.5 * truth
    found = bootstrap(truth, scores, make_units(dates, "day"), weighted_auroc)
    assert found is not None
    assert (found.positive_units, found.negative_units) == (100, 0)


def test_few_events_are_told() -> None:
    one, some = Runs(53, 1), Runs(60, 9)
    assert event_words(Kind(3), one, one) == (
        "miscoloration is one event of 53 days: its recall is not known better than from one case"
    )
    assert event_words(Kind(3), Runs(12, 1), one) == (
        "miscoloration is one event of 53 days (12 of them evaluated): its recall is not known "
        "better than from one case"
    )
    assert event_words(Kind(2), Runs(7, 3), some) == (
        "missing data, unexpected is 9 events of 60 days (7 of them in 3 evaluated): its recall "
        "is not known better than from 3 cases"
    )
    assert event_words(Kind(3), Runs(0, 0), one) == (
        "miscoloration is one event of 53 days, none of them evaluated: nothing is said of it"
    )
    assert event_words(Kind(2), Runs(30, 5), some) is None
    assert event_words(Kind(7), Runs(0, 0), Runs(0, 0)) is None


@pytest.mark.realdata
def test_the_predecessors_miscoloration_is_one_event(real_data: Path) -> None:
    path = real_data / "labels/VIIRS_SNPP_CorrectedReflectance_TrueColor.txt"
    said = read_labels(path).labels
    positive = {day for day, line in said.items() if Kind.MISCOLORATION in line.codes}
    assert count_events(said, positive) == Runs(53, 1)
