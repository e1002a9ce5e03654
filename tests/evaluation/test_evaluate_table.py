"""One table to its measures: which days, which truth, which threshold."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as theirs

from gibswatch.archive.labels import Split
from gibswatch.errors import UsageError
from gibswatch.evaluation import Options, ScoreTable, evaluate_table
from gibswatch.types import Kind

COUNT = 240
DAYS = np.arange("2023-01-01", COUNT, dtype="datetime64[D]")
HOLES = {5, 6, 7, 60, 61, 100, 130, 131, 200}
COLOURS = set(range(150, 160))
ECLIPSE = 90


def made(seed: int = 2) -> ScoreTable:
    """Train 0-79, val 80-119, test 120-239; holes score high, colours not so."""
    kinds = {}
    for n, day in enumerate(DAYS.tolist()):
        codes = {Kind.MISSING_UNEXPECTED} if n in HOLES else set()
        codes |= {Kind.MISCOLORATION} if n in COLOURS else set()
        codes |= {Kind.ECLIPSE_MISSING} if n == ECLIPSE else set()
        kinds[day] = frozenset(codes)
    random = np.random.default_rng(seed)
    noise = random.random(COUNT) * 0.4
    holes = noise + np.isin(np.arange(COUNT), sorted(HOLES)) * 0.5
    colours = random.random(COUNT) * 0.4 + np.isin(np.arange(COUNT), sorted(COLOURS)) * 0.2
    names: list[Split] = ["train" if n < 80 else "val" if n < 120 else "test" for n in range(COUNT)]
    return ScoreTable(
        "m", "image", DAYS, np.maximum(holes, colours), None, kinds,
        dict(zip(DAYS.tolist(), names, strict=True)),
        {Kind.MISSING_UNEXPECTED: holes, Kind.MISCOLORATION: colours},
    )  # fmt: skip


def test_test_days_are_judged_and_validation_days_choose_the_threshold() -> None:
    table = made()
    found = evaluate_table(table, Options("any"))
    assert (found.on, found.days, found.positives) == ("test", 120, 13)
    truth = np.isin(np.arange(120, 240), sorted(HOLES | COLOURS))
    scores = table.scores[120:]
    assert found.auroc.value == theirs.roc_auc_score(truth, scores)
    assert found.average_precision.value == theirs.average_precision_score(truth, scores)
    assert found.base_rate == 13 / 120
    precision = found.average_precision.value
    assert precision is not None
    assert found.lift == pytest.approx(precision * 120 / 13)
    assert found.threshold is not None
    assert found.threshold.source == "validation"
    assert found.threshold.normals == 39  # the eclipse is clean, the hole of day 100 is not
    assert found.threshold.value == np.delete(table.scores[80:120], 20).max()
    assert found.recall.value == (scores[truth] > found.threshold.value).mean()
    assert found.confusion is not None
    assert found.confusion.hits + found.confusion.misses == 13


def test_without_validation_the_days_choose_for_themselves() -> None:
    found = evaluate_table(replace(made(), splits={}), Options("any"))
    assert (found.on, found.days) == ("all", COUNT)
    assert found.threshold is not None
    assert (found.threshold.source, found.threshold.normals) == ("table", 221)
    assert found.confusion is not None
    assert found.confusion.false_alarms == 7  # 221 / 30
    forced = evaluate_table(made(), Options("any", threshold_on="table")).threshold
    assert forced is not None
    assert (forced.source, forced.normals) == ("table", 107)
    with pytest.raises(UsageError, match="no clean day to choose"):
        evaluate_table(replace(made(), splits={}), Options("any", threshold_on="validation"))


def test_a_days_of_other_faults_are_no_clean_days() -> None:
    found = evaluate_table(made(), Options("missing", on="all", threshold_on="table"))
    assert found.threshold is not None
    assert (found.positives, found.threshold.normals) == (9, 221)
    assert found.confusion is not None
    assert found.confusion.false_alarms + found.confusion.quiet == 231


def test_the_target_takes_its_own_kinds_score() -> None:
    table = made()
    found = evaluate_table(table, Options("missing"))
    assert found.table.scores.tolist() == table.class_scores[Kind(2)][120:].tolist()
    own = evaluate_table(replace(table, target="missing"), Options("missing"))
    assert own.table.scores.tolist() == table.scores[120:].tolist()
    other = evaluate_table(
        replace(table, target="missing", class_scores={}), Options("miscoloration")
    )
    assert "trained to tell missing, evaluated for miscoloration" in other.notes


def test_a_model_is_told_at_its_own_threshold_too() -> None:
    table = replace(made(), threshold=0.35)
    found = evaluate_table(table, Options("any"))
    assert found.own_confusion is not None
    alarms = table.scores[120:] > 0.35
    assert found.own_confusion.hits + found.own_confusion.false_alarms == alarms.sum()
    # A scan's threshold is that of every kind, a model's that of its common score alone.
    assert evaluate_table(table, Options("missing")).own_confusion is not None
    multi = replace(table, target="multi")
    assert evaluate_table(multi, Options("missing")).own_confusion is None
    assert {one.own_confusion for one in evaluate_table(multi, Options("multi")).classes} == {None}


def test_recall_of_each_kind_with_its_events() -> None:
    found = evaluate_table(made(), Options("any", by="event"))
    assert [(one.kind, one.days, one.events) for one in found.kinds] == [
        (Kind.MISSING_UNEXPECTED, 3, 2),
        (Kind.MISCOLORATION, 10, 1),
    ]
    holes, colours = (one.recall for one in found.kinds)
    assert holes.value == 1
    assert holes.interval is not None
    assert colours.interval is None
    assert any("miscoloration is one event of 10 days" in note for note in found.notes)
    by_day = evaluate_table(made(), Options("any"))
    assert by_day.kinds[1].recall.interval is not None
    assert not any("one event" in note for note in by_day.notes)


def test_multi_is_one_against_the_rest_and_the_mean() -> None:
    table = made()
    found = evaluate_table(table, Options("multi"))
    assert [one.kind for one in found.classes] == [Kind.MISSING_UNEXPECTED, Kind.MISCOLORATION]
    areas = []
    for kind, days in ((Kind(2), HOLES), (Kind(3), COLOURS)):
        truth = np.isin(np.arange(120, 240), sorted(days))
        areas.append(theirs.roc_auc_score(truth, table.class_scores[kind][120:]))
    assert [one.auroc.value for one in found.classes] == areas
    assert found.auroc.value == pytest.approx(np.mean(areas))
    assert "means over 2 classes with examples" in found.notes[-1]
    with pytest.raises(UsageError, match="tells no kinds apart"):
        evaluate_table(replace(table, class_scores={}), Options("multi"))


def test_mistakes_come_with_the_clearest_first() -> None:
    found = evaluate_table(made(), Options("any", on="all", threshold_on="table"))
    alarms = [one for one in found.mistakes if not one.is_miss]
    misses = [one for one in found.mistakes if one.is_miss]
    assert [one.score for one in alarms] == sorted((one.score for one in alarms), reverse=True)
    assert [one.score for one in misses] == sorted(one.score for one in misses)
    assert {one.kinds for one in misses} <= {(Kind.MISCOLORATION,), (Kind.MISSING_UNEXPECTED,)}
    assert found.threshold is not None
    assert all(one.score > found.threshold.value for one in alarms)
    assert found.mistakes == (*alarms, *misses)


def test_pixels_have_areas_and_no_days_of_false_alarms() -> None:
    random = np.random.default_rng(0)
    dates = np.repeat(DAYS[120:160], 50)
    truth = random.random(2000) < 0.05
    pixels = ScoreTable(
        "p", "pixel", dates, random.random(2000) + 0.6 * truth, truth, threshold=1.0
    )
    found = evaluate_table(pixels, Options("any"))
    assert found.average_precision.value == theirs.average_precision_score(truth, pixels.scores)
    assert found.average_precision.interval is not None
    assert (found.threshold, found.recall.value, found.mistakes) == (None, None, ())
    assert found.confusion is None
    assert found.own_confusion is not None
    assert found.own_confusion.false_alarms == 0


def test_a_test_without_an_example_says_so() -> None:
    table = made()
    found = evaluate_table(
        replace(table, kinds=dict.fromkeys(table.kinds, frozenset())), Options("missing")
    )
    assert (found.auroc.value, found.average_precision.value, found.lift) == (None, None, None)
    assert "none of the 120 test rows is positive: no curve can be drawn" in found.notes


def test_days_of_training_among_the_evaluated_are_told() -> None:
    note = "days that it was trained on may be among those evaluated"
    table = replace(made(), split_by="event")
    assert note in evaluate_table(replace(table, splits={}), Options("any")).notes
    assert note not in evaluate_table(table, Options("any")).notes


def test_the_truth_of_another_target_is_not_taken() -> None:
    table = replace(
        made(), kinds={}, truth=np.arange(COUNT) % 7 == 0, target="missing", class_scores={}
    )
    assert evaluate_table(table, Options("missing")).positives == 17
    with pytest.raises(UsageError, match="labels for the target missing and no codes"):
        evaluate_table(table, Options("any"))
    with pytest.raises(UsageError, match="has no truth: give --labels"):
        evaluate_table(replace(table, truth=None), Options("missing"))
    with pytest.raises(UsageError, match="no scored day of the val split"):
        evaluate_table(
            replace(table, splits={dt.date(2023, 1, 1): "test"}), Options("missing", on="val")
        )
