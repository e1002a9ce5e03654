"""Measures of many weighted copies of one table at once, for bootstrap intervals.

scikit-learn weighs one copy a call: a thousand of them take seconds a measure, of pixels hours.
Here rows are counted once by score and unit, and all copies are summed as a product of matrices;
the tests compare each copy with scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gibswatch.types import BoolArray, FloatArray

__all__ = [
    "Counted",
    "Sums",
    "WeightedMeasure",
    "count_rows",
    "weighted_auroc",
    "weighted_average_precision",
    "weighted_recall",
    "weighted_recall_at",
]

_MOST_GROUPS = 8192
"""Scores that are told apart; of more, neighbours within 0.2 % of their rank from the top count as
one, which moves no measure by more than that."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Weights of each copy by score, the highest score first."""

    positive: FloatArray
    """(copies, groups)."""
    negative: FloatArray
    """(copies, groups)."""
    lowest: FloatArray
    """(groups,) lowest score of each."""


WeightedMeasure = Callable[[Sums], FloatArray]
"""Gives (copies,) numbers; NaN where the measure is not defined."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Rows of each group of scores and unit."""

    positive: Any
    """(groups, units) sparse."""
    negative: Any
    lowest: FloatArray

    def sums(self, weights: FloatArray) -> Sums:
        """Weigh units: (copies, units) to sums of each copy."""
        positive, negative = self.positive @ weights.T, self.negative @ weights.T
        return Sums(positive.T, negative.T, self.lowest)


def count_rows(truth: BoolArray, scores: FloatArray, units: NDArray[np.intp]) -> Counted:
    """Count rows by score and unit.

    Parameters
    ----------
    truth : (n,) ndarray of bool
    scores : (n,) ndarray of float
    units : (n,) ndarray of int
        Unit of each row, from 0.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    if len(starts) > _MOST_GROUPS:
        ranks = np.unique(np.geomspace(1, len(scores), _MOST_GROUPS).astype(np.intp)) - 1
        starts = np.unique(starts[np.searchsorted(starts, ranks, side="right") - 1])
    group = np.empty(len(scores), dtype=np.intp)
    group[order] = np.searchsorted(starts, np.arange(len(scores)), side="right") - 1
    shape = (len(starts), int(units.max()) + 1)

    def counts(rows: BoolArray) -> Any:
        where = (group[rows], units[rows])
        return sparse.coo_array((np.ones(int(rows.sum())), where), shape=shape).tocsr()

    return Counted(counts(truth), counts(~truth), ordered[np.r_[starts[1:], len(scores)] - 1])


def weighted_auroc(sums: Sums) -> FloatArray:
    """Area under the ROC of each copy; equal scores count half (Mann and Whitney 1947)."""
    pos, neg = sums.positive.sum(axis=1), sums.negative.sum(axis=1)
    below = neg[:, None] - np.cumsum(sums.negative, axis=1)
    won = (sums.positive * (below + sums.negative / 2)).sum(axis=1)
    return _divided(won, pos * neg)


def weighted_average_precision(sums: Sums) -> FloatArray:
    """Average precision of each copy."""
    found = np.cumsum(sums.positive, axis=1)
    alarms = found + np.cumsum(sums.negative, axis=1)
    precision = np.divide(found, alarms, out=np.zeros_like(found), where=alarms > 0)
    return _divided((sums.positive * precision).sum(axis=1), found[:, -1])


def weighted_recall(threshold: float) -> WeightedMeasure:
    """Recall over a fixed threshold."""

    def measure(sums: Sums) -> FloatArray:
        hits = sums.positive[:, sums.lowest > threshold].sum(axis=1)
        return _divided(hits, sums.positive.sum(axis=1))

    return measure


def weighted_recall_at(per_days: float) -> WeightedMeasure:
    """Recall where 1 in `per_days` of a copy's own negatives are alarms, or fewer."""

    def measure(sums: Sums) -> FloatArray:
        found = np.cumsum(sums.positive, axis=1)
        false = np.cumsum(sums.negative, axis=1)
        # Sums of whole numbers are exact; a fraction of them is not.
        allowed = false[:, -1] / per_days * (1 + 1e-12)
        last = (false <= allowed[:, None]).sum(axis=1) - 1
        hits = found[np.arange(len(found)), np.maximum(last, 0)]
        return _divided(np.where(last >= 0, hits, 0.0), found[:, -1])

    return measure


def _divided(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)
