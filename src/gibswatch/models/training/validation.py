"""Judging the validation days: calibration, threshold, and measures for the card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import SkippedDay, read_whole_scene
from gibswatch.models.calibration import Calibration, fit_calibration
from gibswatch.models.judging import FALSE_ALARM_IN_DAYS, choose_threshold, measure
from gibswatch.models.rows.matrix import FeatureMatrix
from gibswatch.models.scoring import Scorer
from gibswatch.models.training.dataset import LabelledDays

__all__ = ["Validation", "judge_validation"]

ProgressCallback = Callable[[str, int, int], None]
Dates = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Validation:
    """What the validation days said."""

    threshold: float
    calibration: Calibration | None
    metrics: dict[str, float]
    notes: tuple[str, ...]


def judge_validation(
    scorer: Scorer,
    days: LabelledDays,
    matrix: FeatureMatrix,
    training: int,
    *,
    calibrate: bool,
    shares: bool,
    pixels: bool,
    on_progress: ProgressCallback | None = None,
) -> Validation:
    """Calibrate, if asked for, and choose the threshold by the normal validation days.

    Parameters
    ----------
    scorer : Scorer
        Not calibrated.
    days : LabelledDays
    matrix : FeatureMatrix
        Training rows, then validation rows.
    training : int
        Number of training rows.
    calibrate : bool
    shares : bool
        Whether the estimator's scores are in 0-1.
    pixels : bool
        Whether rows are patches: days are then scored as wholes, each read again.
    on_progress : callable, optional

    Raises
    ------
    UsageError
        If no normal validation day can be read.
    """
    rest = slice(training, None)
    truth = matrix.classes[rest] > 0
    scores = scorer.rows(matrix.features[rest])
    calibration = fit_calibration(scores, truth, shares=shares) if calibrate else None
    scores = scores if calibration is None else np.asarray(calibration.apply(scores), np.float64)
    dates, metrics = matrix.dates[rest], {}
    if pixels:
        found = measure(scores, truth, None)
        metrics = {f"pixel_{name}": value for name, value in found.items()}
        dates, scores = _score_days(replace(scorer, calibration=calibration), days, on_progress)
        faulty = [day.date for day in days.of("val") if day.number > 0]
        truth = np.isin(dates, np.array(faulty, "M8[D]"))
    normal = [day.date for day in days.of("val") if not day.codes]
    normals = scores[np.isin(dates, np.array(normal, "M8[D]"))]
    if not len(normals):
        raise UsageError(
            f"no validation day without a code can be read, and the threshold rests on them: run "
            f"`gibswatch split {days.layer}` with another --seed"
        )
    threshold = choose_threshold(normals)
    metrics |= measure(scores, truth, threshold) | {"normal_days": float(len(normals))}
    return Validation(threshold, calibration, metrics, _notes(len(normals)))


def _notes(normals: int) -> tuple[str, ...]:
    if normals >= FALSE_ALARM_IN_DAYS:
        return ()
    few = (
        f"the threshold rests on {normals} normal validation days, so false alarms may come more "
        f"often than once in {FALSE_ALARM_IN_DAYS} days: label more days"
    )
    return (few,)


def _score_days(
    scorer: Scorer, days: LabelledDays, on_progress: ProgressCallback | None
) -> tuple[Dates, NDArray[np.float64]]:
    """Score whole validation days, patch by patch."""
    dates: list[dt.date] = []
    scores: list[float] = []
    wanted = days.of("val")
    for done, day in enumerate(wanted, start=1):
        scene = read_whole_scene(days.root, days.layer, day.date, days.epsg)
        if not isinstance(scene, SkippedDay):
            dates.append(day.date)
            scores.append(scorer.judge(scene).score)
        if on_progress is not None:
            on_progress("score", done, len(wanted))
    return np.array(dates, dtype="M8[D]"), np.array(scores)
