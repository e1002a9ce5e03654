"""What validation days say of a model: its threshold, and how well it tells faulty days."""

from __future__ import annotations

import numpy as np

from gibswatch.types import BoolArray, FloatArray

__all__ = ["FALSE_ALARM_IN_DAYS", "average_precision", "choose_threshold", "measure"]

FALSE_ALARM_IN_DAYS = 30
"""Normal days of which one may be called anomalous."""


def choose_threshold(normal_scores: FloatArray, per_days: int = FALSE_ALARM_IN_DAYS) -> float:
    """Choose the lowest threshold by which at most 1 normal day in `per_days` is called.

    A day is called if it scores *more*.

    Parameters
    ----------
    normal_scores : (m,) ndarray
        One at least.
    per_days : int

    Examples
    --------
    >>> choose_threshold(np.arange(60.0))
    57.0
    """
    allowed = len(normal_scores) // per_days
    return float(np.sort(normal_scores)[len(normal_scores) - 1 - allowed])


def average_precision(scores: FloatArray, faulty: BoolArray) -> float:
    """Area under precision and recall, in steps; `faulty` must hold both."""
    from sklearn.metrics import average_precision_score  # noqa: PLC0415  (an extra)

    return float(average_precision_score(faulty, scores))


def measure(scores: FloatArray, faulty: BoolArray, threshold: float | None) -> dict[str, float]:
    """Measure scores against truth.

    Parameters
    ----------
    scores : (m,) ndarray
    faulty : (m,) ndarray of bool
    threshold : float, optional

    Returns
    -------
    dict
        ``base_rate``; ``auroc`` and ``average_precision`` where both classes occur; with a
        threshold ``recall`` and ``false_alarm_rate``, as far as they are defined.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    found = {"base_rate": float(faulty.mean())}
    if faulty.any() and not faulty.all():
        found["auroc"] = float(roc_auc_score(faulty, scores))
        found["average_precision"] = average_precision(scores, faulty)
    if threshold is not None:
        called = scores > threshold
        if faulty.any():
            found["recall"] = float(called[faulty].mean())
        if not faulty.all():
            found["false_alarm_rate"] = float(called[~faulty].mean())
    return found
