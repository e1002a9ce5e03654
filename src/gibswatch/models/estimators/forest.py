"""A random forest of shallow trees."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.ensemble import RandomForestClassifier

from gibswatch.models.estimators._wrapped import ProbabilityClassifier

__all__ = ["RandomForest"]


class RandomForest(ProbabilityClassifier):
    """Random forest of depth 5, the predecessor's; for pictures and for patches.

    Parameters
    ----------
    n_estimators : int, default 200
    max_depth : int, default 5
    min_samples_leaf : int, default 1
    class_weight : "balanced", "balanced_subsample", dict or None
    random_state : int
    """

    scales: ClassVar[bool] = False

    def __init__(
        self,
        n_estimators: int = 200,
        *,
        max_depth: int = 5,
        min_samples_leaf: int = 1,
        class_weight: Any = "balanced",
        random_state: Any = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.class_weight = class_weight
        self.random_state = random_state

    def _make(self, count: int) -> Any:  # noqa: ARG002
        return RandomForestClassifier(
            self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            class_weight=self.class_weight,
            random_state=self.random_state,
        )
