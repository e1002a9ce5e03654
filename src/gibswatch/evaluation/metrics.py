"""What scores are worth: curves, areas, confusion, by scikit-learn.

A row is an alarm if it scores *more* than a threshold, as in `gibswatch.scan.budget`.  Where a
measure needs both classes and only one is there, it is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gibswatch.errors import MissingExtraError
from gibswatch.types import BoolArray, FloatArray

__all__ = [
    "Confusion",
    "Curve",
    "auroc",
    "average_precision",
    "confusion",
    "precision_recall_curve",
    "recall",
    "roc_curve",
]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve over all thresholds."""

    x: FloatArray
    """(m,) 0-1: false-alarm rate (ROC) or recall (PR)."""
    y: FloatArray
    """(m,) 0-1: recall (ROC) or precision (PR)."""

    def thinned(self, most: int = 400) -> Curve:
        """Leave out points so that `most` are left, the first and the last among them."""
        if len(self.x) <= most:
            return self
        kept = np.unique(np.linspace(0, len(self.x) - 1, most).round().astype(np.intp))
        return Curve(self.x[kept], self.y[kept])


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows by truth and alarm."""

    hits: int
    """Positive, alarm."""
    misses: int
    """Positive, no alarm."""
    false_alarms: int
    """Negative, alarm."""
    quiet: int
    """Negative, no alarm."""

    @property
    def recall(self) -> float | None:
        """Share of the positives that are alarms, 0-1."""
        return _share(self.hits, self.hits + self.misses)

    @property
    def precision(self) -> float | None:
        """Share of the alarms that are positives, 0-1."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def false_alarm_rate(self) -> float | None:
        """Share of the negatives that are alarms, 0-1."""
        return _share(self.false_alarms, self.false_alarms + self.quiet)


def roc_curve(truth: BoolArray, scores: FloatArray) -> Curve | None:
    """Receiver operating characteristic, as `sklearn.metrics.roc_curve`.

    Parameters
    ----------
    truth : (n,) ndarray of bool
    scores : (n,) ndarray of float
        Higher is more anomalous.

    Raises
    ------
    MissingExtraError
        Without scikit-learn; so do all functions here but `recall`.
    """
    metrics = _sklearn_metrics()
    if not _has_both(truth):
        return None
    x, y, _ = metrics.roc_curve(truth, scores)
    return Curve(x, y)


def precision_recall_curve(truth: BoolArray, scores: FloatArray) -> Curve | None:
    """Precision over recall, as `sklearn.metrics.precision_recall_curve`; recall descends."""
    metrics = _sklearn_metrics()
    if not _has_both(truth):
        return None
    precision, found, _ = metrics.precision_recall_curve(truth, scores, drop_intermediate=True)
    return Curve(found, precision)


def auroc(truth: BoolArray, scores: FloatArray) -> float | None:
    """Area under the ROC: the chance that a positive row scores over a negative one."""
    metrics = _sklearn_metrics()
    return float(metrics.roc_auc_score(truth, scores)) if _has_both(truth) else None


def average_precision(truth: BoolArray, scores: FloatArray) -> float | None:
    """Mean precision weighted by the steps of recall; chance gives the base rate."""
    metrics = _sklearn_metrics()
    return float(metrics.average_precision_score(truth, scores)) if _has_both(truth) else None


def confusion(truth: BoolArray, scores: FloatArray, threshold: float) -> Confusion:
    """Confusion matrix at a threshold."""
    metrics = _sklearn_metrics()
    counts = metrics.confusion_matrix(truth, scores > threshold, labels=[True, False])
    (hits, misses), (false_alarms, quiet) = counts.tolist()
    return Confusion(hits, misses, false_alarms, quiet)


def recall(truth: BoolArray, scores: FloatArray, threshold: float) -> float | None:
    """Share of the positive rows that score more than a threshold."""
    return _share(int((scores[truth] > threshold).sum()), int(truth.sum()))


def _has_both(truth: BoolArray) -> bool:
    return bool(truth.any()) and not bool(np.all(truth))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _sklearn_metrics() -> Any:
    """Import scikit-learn's metrics, which only commands with models pay for."""
    try:
        from sklearn import metrics  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            'evaluation needs scikit-learn, which is not installed: pip install "gibswatch[models]"'
        ) from error
    return metrics
