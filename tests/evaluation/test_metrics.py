"""Measures are scikit-learn's, and those of many copies at once are too."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from gibswatch.errors import MissingExtraError
from gibswatch.evaluation import metrics
from gibswatch.evaluation.resampled import (
    count_rows,
    weighted_auroc,
    weighted_average_precision,
    weighted_recall,
    weighted_recall_at,
)
from gibswatch.types import BoolArray, FloatArray

rows = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), st.integers(0, 3)),
    min_size=2,
    max_size=30,
).filter(lambda drawn: {True, False} <= {truth for truth, _, weight in drawn if weight})


def drawn(n: int = 400, seed: int = 3) -> tuple[BoolArray, FloatArray]:
    random = np.random.default_rng(seed)
    truth = random.random(n) < 0.15
    return truth, random.normal(size=n).round(1) + truth


def test_areas_and_curves_are_those_of_scikit_learn() -> None:
    truth, scores = drawn()
    assert metrics.auroc(truth, scores) == theirs.roc_auc_score(truth, scores)
    assert metrics.average_precision(truth, scores) == theirs.average_precision_score(truth, scores)
    roc = metrics.roc_curve(truth, scores)
    assert roc is not None
    assert theirs.auc(roc.x, roc.y) == pytest.approx(metrics.auroc(truth, scores))
    pr = metrics.precision_recall_curve(truth, scores)
    assert pr is not None
    steps = -np.diff(pr.x) * pr.y[:-1]
    assert metrics.average_precision(truth, scores) == pytest.approx(steps.sum(), abs=0.01)
    assert (pr.x[-1], pr.y[-1]) == (0, 1)


def test_an_alarm_scores_more_than_the_threshold() -> None:
    truth = np.array([True, True, True, False, False])
    scores = np.array([0.9, 0.5, 0.1, 0.5, 0.6])
    found = metrics.confusion(truth, scores, 0.5)
    assert found == metrics.Confusion(hits=1, misses=2, false_alarms=1, quiet=1)
    assert (found.recall, found.precision, found.false_alarm_rate) == (1 / 3, 1 / 2, 1 / 2)
    assert metrics.recall(truth, scores, 0.5) == 1 / 3


def test_without_both_classes_there_is_no_area() -> None:
    scores = np.array([0.1, 0.2])
    for truth in (np.array([True, True]), np.array([False, False])):
        assert metrics.auroc(truth, scores) is None
        assert metrics.average_precision(truth, scores) is None
        assert metrics.roc_curve(truth, scores) is None
        assert metrics.precision_recall_curve(truth, scores) is None
    assert metrics.recall(np.array([False, False]), scores, 0) is None
    assert metrics.confusion(np.array([False, False]), scores, 0).recall is None


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"gibswatch\[models\]"):
        metrics.auroc(*drawn())


@settings(max_examples=60)
@given(rows)
def test_a_weighted_copy_is_weighted_as_scikit_learn_does(
    drawn_rows: list[tuple[bool, float, int]],
) -> None:
    truth = np.array([row[0] for row in drawn_rows])
    scores = np.array([row[1] for row in drawn_rows])
    weight = np.array([row[2] for row in drawn_rows], dtype=np.float64)
    copies = np.stack([weight, np.ones_like(weight)])
    sums = count_rows(truth, scores, np.arange(len(truth))).sums(copies)
    area, precision = weighted_auroc(sums), weighted_average_precision(sums)
    assert area[0] == pytest.approx(theirs.roc_auc_score(truth, scores, sample_weight=weight))
    assert area[1] == pytest.approx(theirs.roc_auc_score(truth, scores))
    assert precision[0] == pytest.approx(
        theirs.average_precision_score(truth, scores, sample_weight=weight)
    )
    whole = np.repeat(np.arange(len(truth)), weight.astype(int))
    fixed = weighted_recall(0.25)(sums)[0]
    assert fixed == pytest.approx(metrics.recall(truth[whole], scores[whole], 0.25))


@settings(max_examples=60)
@given(rows, st.sampled_from([2, 3, 5, 30]))
def test_recall_at_a_rate_is_that_of_the_best_threshold(
    drawn_rows: list[tuple[bool, float, int]], per_days: int
) -> None:
    index = np.repeat(np.arange(len(drawn_rows)), [row[2] for row in drawn_rows])
    truth = np.array([row[0] for row in drawn_rows])
    scores = np.array([row[1] for row in drawn_rows])
    weight = np.array([row[2] for row in drawn_rows], dtype=np.float64)[None]
    sums = count_rows(truth, scores, np.arange(len(truth))).sums(weight)
    t, s = truth[index], scores[index]
    best = max(
        float((s[t] > level).mean())
        for level in (-1.0, *s)
        if (s[~t] > level).sum() * per_days <= (~t).sum()
    )
    assert weighted_recall_at(per_days)(sums)[0] == pytest.approx(best)


def test_a_copy_without_a_class_is_no_number() -> None:
    truth, scores = np.array([True, False]), np.array([1.0, 0.0])
    sums = count_rows(truth, scores, np.arange(2)).sums(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert np.isnan(weighted_auroc(sums)).all()
    assert np.isnan(weighted_average_precision(sums)).tolist() == [False, True]


def test_of_very_many_scores_neighbours_count_as_one_and_nothing_moves() -> None:
    random = np.random.default_rng(8)
    truth = random.random(60_000) < 0.02
    scores = random.normal(size=60_000) + 2 * truth
    rows = count_rows(truth, scores, np.arange(60_000) // 600)
    assert len(rows.lowest) < 8192
    assert (np.diff(rows.lowest) < 0).all()
    sums = rows.sums(np.ones((1, 100)))
    assert sums.positive.sum() == truth.sum()
    assert weighted_auroc(sums)[0] == pytest.approx(theirs.roc_auc_score(truth, scores), abs=1e-4)
    assert weighted_average_precision(sums)[0] == pytest.approx(
        theirs.average_precision_score(truth, scores), abs=1e-3
    )
