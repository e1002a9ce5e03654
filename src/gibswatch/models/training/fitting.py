"""Fitting an estimator to the training rows, with checkpoints where there are epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.models.card import EpochRecord
from gibswatch.models.judging import average_precision
from gibswatch.models.registry import ModelEntry
from gibswatch.models.rows.matrix import FeatureMatrix
from gibswatch.models.training.checkpoints import HISTORY, TrainingFolder

__all__ = ["fit_estimator"]

ProgressCallback = Callable[[str, int, int], None]


def fit_estimator(
    estimator: Any,
    entry: ModelEntry,
    matrix: FeatureMatrix,
    training: int,
    *,
    folder: TrainingFolder,
    resume: bool = False,
    on_progress: ProgressCallback | None = None,
) -> tuple[EpochRecord, ...]:
    """Fit to the first rows of a matrix.

    A model with epochs is left as it was after the epoch that judged the other rows best, and ends
    early where its patience does.

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
        Begun, and locked.
    resume : bool
        Go on from the folder's last checkpoint, if it has one.
    on_progress : callable, optional
        Told (pass, done, total).

    Returns
    -------
    tuple of EpochRecord
        Empty for a model without epochs.

    Raises
    ------
    UsageError
        If the estimator refuses the rows, or a checkpoint does not fit to them.
    """
    rows, classes = matrix.features[:training], matrix.classes[:training]
    try:
        if entry.epochs:
            return _Epochs(estimator, matrix, training, folder, on_progress).run(resume=resume)
        if entry.supervised:
            estimator.fit(rows, classes)
        else:  # all rows are those of normal days
            estimator.fit(rows)
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{entry.name} cannot be trained: {str(error)[:200]}: give other parameters, or leave "
            "--resume out to begin anew"
        ) from error
    return ()


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
        self._history: list[tuple[float, float]] = []
        self._patience = getattr(estimator, "patience", None)

    def run(self, *, resume: bool) -> tuple[EpochRecord, ...]:
        """Train to the last epoch, on from the last checkpoint or anew; go back to the best one."""
        last = self._folder.load("last") if resume and self._folder.load("best") else None
        if last is not None:
            self._history = _history(last)
        rows = slice(0, self._training)
        features, classes = self._matrix.features[rows], self._matrix.classes[rows]
        self._estimator.fit_from(features, classes, last, self._after_epoch, self._is_over)
        best = self._folder.load("best") if self._history else None
        if best is not None:
            self._estimator.restore(best)
        return tuple(
            EpochRecord(number, loss, reached)
            for number, (loss, reached) in enumerate(self._history, start=1)
        )

    def _after_epoch(self, estimator: Any) -> None:
        rest = slice(self._training, None)
        scores = estimator.anomaly_score(self._matrix.features[rest])
        reached = average_precision(scores, self._matrix.classes[rest] > 0)
        # Of equal epochs the later one: few faulty validation days are soon told, and told better.
        better = reached >= max((found for _, found in self._history), default=-1.0)
        self._history.append((estimator.loss_, reached))
        state = {**estimator.state(), HISTORY: np.array(self._history)}
        if better:
            self._folder.save("best", state)
        self._folder.save("last", state)  # after the best one: what it names is there
        if self._on_progress is not None:
            self._on_progress("train", estimator.epoch_, estimator.num_epochs)

    def _is_over(self) -> bool:
        """Whether so many epochs brought nothing that it should end."""
        if self._patience is None or not self._history:
            return False
        reached = [found for _, found in self._history]
        return bool(len(reached) - 1 - reached.index(max(reached)) >= self._patience)


def _history(state: dict[str, NDArray[Any]]) -> list[tuple[float, float]]:
    found = state.get(HISTORY, np.empty(0))
    if found.ndim != 2 or found.shape[1] != 2 or not np.isfinite(found).all():
        raise ValueError("the last checkpoint is damaged")
    return [(float(loss), float(reached)) for loss, reached in found]
