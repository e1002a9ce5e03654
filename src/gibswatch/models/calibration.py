"""Scores to shares of faulty days: Platt's sigmoid, or an isotonic staircase.

Kept as plain numbers in a model's card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gibswatch.types import BoolArray, FloatArray

__all__ = ["Calibration", "fit_calibration"]

_DAYS_FOR_STAIRS = 1000
"""Fewer days make a staircase of noise (Niculescu-Mizil and Caruana, 2005)."""
_CLOSEST = 1e-12
_MAX_STAIRS = 100_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rising function from scores to 0-1."""

    method: Literal["platt", "isotonic"]
    logit: bool
    """Whether scores are shares, of which the logit is taken first."""
    xs: tuple[float, ...]
    """Platt: slope and offset; isotonic: where the staircase has its corners, rising."""
    ys: tuple[float, ...] = ()
    """Isotonic: values at the corners, rising."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Calibration:
        """Read what a card holds.

        Raises
        ------
        ValueError
            If it is no rising function.
        """
        xs = tuple(map(float, document["xs"]))
        ys = tuple(map(float, document["ys"]))
        method: Any = document["method"]
        made = cls(method, bool(document["logit"]), xs, ys)
        finite = bool(np.isfinite([*xs, *ys]).all()) and len(xs) <= _MAX_STAIRS
        if method == "platt":
            fits = len(xs) == 2 and xs[0] > 0
        else:
            rising = bool((np.diff(xs) >= 0).all() and (np.diff(ys) >= 0).all())
            fits = method == "isotonic" and len(xs) == len(ys) > 0 and rising
        if not (finite and fits):
            raise ValueError(f"calibration {str(method)[:20]} does not rise")
        return made

    def apply(self, scores: FloatArray) -> FloatArray:
        """Map scores to shares.

        Parameters
        ----------
        scores : (m,) ndarray

        Returns
        -------
        (m,) ndarray of float64
            0-1.
        """
        values = _logit(scores) if self.logit else np.asarray(scores, dtype=np.float64)
        if self.method == "platt":
            return _sigmoid(self.xs[0] * values + self.xs[1])
        return np.interp(values, self.xs, self.ys)


def fit_calibration(scores: FloatArray, faulty: BoolArray, *, shares: bool) -> Calibration:
    """Fit to the scores of days that the model did not learn from.

    Platt's sigmoid for fewer than 1000 days, an isotonic staircase from there on.

    Parameters
    ----------
    scores : (m,) ndarray
    faulty : (m,) ndarray of bool
        Both must occur.
    shares : bool
        Whether scores are in 0-1: the logit is taken first.
    """
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415  (an extra)
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    values = _logit(scores) if shares else np.asarray(scores, dtype=np.float64)
    if len(values) >= _DAYS_FOR_STAIRS:
        stairs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(values, faulty)
        corners = tuple(map(float, stairs.X_thresholds_)), tuple(map(float, stairs.y_thresholds_))
        return Calibration("isotonic", shares, *corners)
    scale = float(values.std()) or 1.0
    fitted = LogisticRegression(C=1e3).fit(values[:, None] / scale, faulty)
    slope = max(float(fitted.coef_[0, 0]) / scale, _CLOSEST)  # a score never means the opposite
    return Calibration("platt", shares, (slope, float(fitted.intercept_[0])))


def _logit(shares: FloatArray) -> FloatArray:
    held = np.clip(np.asarray(shares, dtype=np.float64), _CLOSEST, 1 - _CLOSEST)
    return np.log(held) - np.log1p(-held)


def _sigmoid(values: FloatArray) -> FloatArray:
    # Both halves are exact: exp of a positive number may be too large.
    powers = np.exp(-np.abs(values))
    return np.where(values >= 0, 1 / (1 + powers), powers / (1 + powers))
