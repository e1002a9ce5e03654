"""Measures of many weighted copies of one table at once, for bootstrap intervals.

scikit-learn weighs one copy a call: a thousand of them take seconds a measure.  Here rows are
sorted once and all copies summed together; the tests compare each copy with scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gibswatch.types import BoolArray, FloatArray

__all__ = [
    "WeightedMeasure",
    "weighted_auroc",
    "weighted_average_precision",
    "weighted_recall",
    "weighted_recall_at",
]

WeightedMeasure = Callable[[BoolArray, FloatArray, FloatArray], FloatArray]
"""Of truth (n,), scores (n,) and weights (copies, n): (copies,); NaN where it is not defined."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Weights by score, the highest first, rows of equal score together; (copies, groups)."""

    positive: FloatArray
    negative: FloatArray


def weighted_auroc(truth: BoolArray, scores: FloatArray, weights: FloatArray) -> FloatArray:
    """Area under the ROC of each copy; equal scores count half (Mann and Whitney 1947)."""
    sums = _sums(truth, scores, weights)
    pos, neg = sums.positive.sum(axis=1), sums.negative.sum(axis=1)
    below = neg[:, None] - np.cumsum(sums.negative, axis=1)
    won = (sums.positive * (below + sums.negative / 2)).sum(axis=1)
    return _divided(won, pos * neg)


def weighted_average_precision(
    truth: BoolArray, scores: FloatArray, weights: FloatArray
) -> FloatArray:
    """Average precision of each copy."""
    sums = _sums(truth, scores, weights)
    found = np.cumsum(sums.positive, axis=1)
    alarms = found + np.cumsum(sums.negative, axis=1)
    precision = np.divide(found, alarms, out=np.zeros_like(found), where=alarms > 0)
    return _divided((sums.positive * precision).sum(axis=1), found[:, -1])


def weighted_recall(threshold: float) -> WeightedMeasure:
    """Recall over a fixed threshold."""

    def measure(truth: BoolArray, scores: FloatArray, weights: FloatArray) -> FloatArray:
        hits = weights[:, truth & (scores > threshold)].sum(axis=1)
        return _divided(hits, weights[:, truth].sum(axis=1))

    return measure


def weighted_recall_at(per_days: float) -> WeightedMeasure:
    """Recall where 1 in `per_days` of a copy's own negatives are alarms, or fewer."""

    def measure(truth: BoolArray, scores: FloatArray, weights: FloatArray) -> FloatArray:
        sums = _sums(truth, scores, weights)
        found = np.cumsum(sums.positive, axis=1)
        false = np.cumsum(sums.negative, axis=1)
        # Sums of whole numbers are exact; a fraction of them is not.
        allowed = false[:, -1] / per_days * (1 + 1e-12)
        last = (false <= allowed[:, None]).sum(axis=1) - 1
        hits = found[np.arange(len(found)), np.maximum(last, 0)]
        return _divided(np.where(last >= 0, hits, 0.0), found[:, -1])

    return measure


def _sums(truth: BoolArray, scores: FloatArray, weights: FloatArray) -> _Sums:
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sorted_weights, is_true = weights[:, order], truth[order]
    return _Sums(
        np.add.reduceat(sorted_weights * is_true, starts, axis=1),
        np.add.reduceat(sorted_weights * ~is_true, starts, axis=1),
    )


def _divided(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)
