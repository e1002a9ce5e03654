"""PaDiM: at each place of the grid a Gaussian of what normal days look like there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from gibswatch.models.estimators._days import Days, days_at_once, measure, standardise
from gibswatch.models.estimators._grids import (
    Form,
    GridDetector,
    LeftOut,
    Scores,
    check_bound,
    check_least,
    check_scale,
)

__all__ = ["PaDiM"]

_FIXED_SHARE = 0.75
"""Of the memory, for the Gaussians; the rest is for days in work."""


class PaDiM(GridDetector):
    """Mahalanobis distance of each patch from the normal days at its place.

    After Defard, Setkov, Loesch and Audigier (2020), "PaDiM: a Patch Distribution Modeling
    Framework for Anomaly Detection and Localization".

    Parameters
    ----------
    patch_length : int, default 0
        Numbers of a patch (d); 0: the whole row is one patch.
    dimensions : int, default 100
        Most numbers of a patch that are kept, drawn at random once for all places as in the
        paper; fewer where the covariances would not fit into `memory_mb`.
    eps : float, default 0.01
        Added to the diagonal of every covariance, as in the paper; here in units of the spread
        over all patches, squared.
    memory_mb : int, default 256
        Most MiB that fitted arrays and work take.
    top : int, default 8
        Patches, the highest, whose mean is the score of a day.
    outlier_share : float, default 0.0
        Share of the training days that `predict` may call outliers, each scored as if it had not
        been there; 0: the highest of them is normal.
    random_state : int

    Attributes
    ----------
    selected_ : (k,) ndarray of int64
        Numbers of a patch that are kept, in rising order.
    centre_, scale_ : (k,) ndarray of float64
        Mean and standard deviation of each over all places and days.
    location_ : (P, k) ndarray of float64
        Mean of each place, standardised.
    whitening_ : (P, k, k) ndarray of float64
        Inverse of the lower Cholesky factor of each place's covariance.
    offset_ : float

    Notes
    -----
    The paper takes the sample covariance S; with n days and k numbers it is here
    ``(n S + k diag(S)) / (n + k) + eps I``, as if k more days had been seen in which no two numbers
    vary together (the target of Schaefer and Strimmer 2005, without an estimated intensity): few
    days tell a spread, but not 41 x 41 covariances.

    The scores of training days that `offset_` is made of leave each day out, by the rank-one update
    of Sherman and Morrison (1950); ``diag(S)`` stays as it is.
    """

    kept = ("selected", "centre", "scale", "location", "whitening")

    def __init__(
        self,
        patch_length: int = 0,
        *,
        dimensions: int = 100,
        eps: float = 0.01,
        memory_mb: int = 256,
        top: int = 8,
        outlier_share: float = 0.0,
        random_state: Any = 0,
    ) -> None:
        self.patch_length = patch_length
        self.dimensions = dimensions
        self.eps = eps
        self.memory_mb = memory_mb
        self.top = top
        self.outlier_share = outlier_share
        self.random_state = random_state

    def _learn(self, days: Days) -> LeftOut:
        patches, length = self._shape(days.width)
        count = self._dimensions(patches, length)
        at_once = days_at_once(days.width, self.memory_mb)
        drawn = self._chance().permutation(length)[:count]
        self.selected_ = np.sort(drawn).astype(np.int64)
        centre, scale = measure(days.blocks(length, at_once), length)
        self.centre_, self.scale_ = centre[self.selected_], scale[self.selected_]
        self.location_, spreads = self._gather(days, patches, at_once)
        own = days.count / (days.count + count)
        for place in range(patches):  # in place: there is no memory for all of them twice
            covariance = spreads[place] * (own / (days.count - 1))
            np.fill_diagonal(covariance, covariance.diagonal() / own + self.eps)
            factor = np.linalg.cholesky(covariance)
            spreads[place] = solve_triangular(factor, np.eye(count), lower=True)
        self.whitening_ = spreads
        return self._left_out(days.count, own)

    def _gather(
        self, days: Days, patches: int, at_once: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (P, k) and sum of outer products about it (P, k, k), as `measure` does it."""
        count = len(self.selected_)
        location, spreads = np.zeros((patches, count)), np.zeros((patches, count, count))
        seen = 0
        for block in days.blocks(self._shape(days.width)[1], at_once):
            scaled = self._standardised(block)
            own = scaled.mean(axis=0)
            scaled -= own
            step, total = own - location, seen + len(block)
            weight = seen * len(block) / total
            for place in range(patches):
                rows = np.ascontiguousarray(scaled[:, place])
                spreads[place] += rows.T @ rows
                spreads[place] += np.outer(step[place] * weight, step[place])
            location += step * (len(block) / total)
            seen = total
        return location, spreads

    def _left_out(self, days: int, own: float) -> LeftOut:
        """Make what scores a day as if it had not been among the `days`."""
        lifted = days / (days - 1)  # its deviation from the mean of the others
        lost = own * days / (days - 1) ** 2  # what it added to the covariance

        def scores(_: int, grid: NDArray[Any]) -> Scores:
            squares = self._scores(grid) ** 2
            # Below 1 but for rounding: the covariance holds that part of the day and eps more.
            rest = np.maximum(1.0 - lost * squares, 1e-9)
            return np.asarray(lifted * np.sqrt(squares / rest))

        return scores

    def _scores(self, grid: NDArray[Any]) -> Scores:
        apart = self._standardised(grid) - self.location_
        white = (self.whitening_ @ apart[:, :, np.newaxis])[:, :, 0]
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", white, white)))

    def _standardised(self, patches: NDArray[Any]) -> NDArray[np.float64]:
        return standardise(patches[..., self.selected_], self.centre_, self.scale_)

    def _dimensions(self, patches: int, length: int) -> int:
        """Numbers of a patch to keep: k for which P (k k + 3 k) float64 fit, and no more than d.

        Beside the covariances there are three arrays as large as the means in work.
        """
        check_least("dimensions", self.dimensions, 1)
        if not 0.0 < self.eps < np.inf:
            raise ValueError(f"eps={self.eps} is not above 0 and finite")
        room = self._bytes * _FIXED_SHARE / (8 * patches)
        fitting = int((np.sqrt(9 + 4 * room) - 3) / 2)
        if fitting < 1:
            raise ValueError(
                f"memory_mb={self.memory_mb} is too little for the Gaussians of {patches} patches"
            )
        return min(int(self.dimensions), length, fitting)

    def _form(self, patches: int, length: int, weights: Mapping[str, Any]) -> Form:  # noqa: ARG002
        count = self._dimensions(patches, length)
        return {
            "selected": (np.int64, (count,)),
            "centre": (np.float64, (count,)),
            "scale": (np.float64, (count,)),
            "location": (np.float64, (patches, count)),
            "whitening": (np.float64, (patches, count, count)),
        }

    def _check_numbers(self, weights: Mapping[str, NDArray[Any]], length: int) -> None:
        chosen = weights["selected"]
        if chosen[0] < 0 or chosen[-1] >= length or not (np.diff(chosen) > 0).all():
            raise ValueError(f"the weights' selected are no rising numbers from 0 to {length - 1}")
        check_scale(weights)
        check_bound("location", weights["location"])
        # No eigenvalue of a covariance is below eps.
        check_bound("whitening", weights["whitening"], 1.0 / np.sqrt(self.eps))
