"""Fitting an estimator to the training rows, with checkpoints where there are epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.models.checkpoints import TrainingFolder
from gibswatch.models.judging import average_precision
from gibswatch.models.matrix import FeatureMatrix
from gibswatch.models.registry import ModelEntry

__all__ = ["fit_estimator"]

ProgressCallback = Callable[[str, int, int], None]
_JUDGED = "average_precision"
"""Of the validation days: what the best checkpoint has most of."""


def fit_estimator(
    estimator: Any,
    entry: ModelEntry,
    matrix: FeatureMatrix,
    training: int,
    *,
    folder: TrainingFolder,
    on_progress: ProgressCallback | None = None,
) -> None:
    """Fit to the first rows of a matrix.

    A model with epochs is left as it was after the epoch that judged the other rows best; it goes
    on from the folder's last checkpoint.

    Parameters
    ----------
    estimator : estimator
        Unfitted.
    entry : ModelEntry
    matrix : FeatureMatrix
        Training rows, then validation rows.
    training : int
        Number of training rows.
    folder : TrainingFolder
    on_progress : callable, optional
        Told (pass, done, total).

    Raises
    ------
    UsageError
        If the estimator refuses the rows, or a checkpoint does not fit to them.
    """
    rows, classes = matrix.features[:training], matrix.classes[:training]
    try:
        if not entry.supervised:
            estimator.fit(rows[classes == 0])
        elif entry.epochs:
            _Epochs(estimator, matrix, training, folder, on_progress).run()
        else:
            estimator.fit(rows, classes)
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{entry.name} cannot be trained: {str(error)[:200]}: give other parameters, or leave "
            "--resume out to begin anew"
        ) from error


class _Epochs:
    """A training in epochs: after each, checkpoints are written and validation days judged."""

    def __init__(
        self,
        estimator: Any,
        matrix: FeatureMatrix,
        training: int,
        folder: TrainingFolder,
        on_progress: ProgressCallback | None,
    ) -> None:
        self._estimator = estimator
        self._matrix, self._training = matrix, training
        self._folder, self._on_progress = folder, on_progress
        self._best = -1.0

    def run(self) -> None:
        """Train from the last checkpoint to the last epoch, and go back to the best one."""
        best, last = self._folder.load("best"), self._folder.load("last")
        if last is None or best is None:
            last = None
        else:
            self._best = _judged(best)
        rows = slice(0, self._training)
        features, classes = self._matrix.features[rows], self._matrix.classes[rows]
        self._estimator.fit_from(features, classes, last, self._after_epoch)
        best = self._folder.load("best")
        if best is not None:
            self._estimator.restore(best)

    def _after_epoch(self, estimator: Any) -> None:
        rest = slice(self._training, None)
        scores = estimator.anomaly_score(self._matrix.features[rest])
        reached = average_precision(scores, self._matrix.classes[rest] > 0)
        state = {**estimator.state(), _JUDGED: np.array(reached)}
        if reached > self._best:
            self._best = reached
            self._folder.save("best", state)
        self._folder.save("last", state)  # after the best one: what it names is there
        if self._on_progress is not None:
            self._on_progress("train", estimator.epoch_, estimator.num_epochs)


def _judged(state: dict[str, NDArray[Any]]) -> float:
    value = state.get(_JUDGED, np.array(np.nan))
    if value.shape != () or not np.isfinite(value):
        raise ValueError("the best checkpoint is damaged")
    return float(value)
