"""Gradients of a picture pooled over its cells: what they are like, wherever that is.

A vector of gradients says where on the map each texture lies.  A hole lies elsewhere every time, so
of a few hundred days a model learns the places of the holes that it saw.  Pooled, a picture is
described by how many of its cells have how much gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gibswatch.errors import UsageError
from gibswatch.features import FeatureDefinition

__all__ = ["POOL_VERSION", "PooledDefinition", "pool_gradients"]

POOL_VERSION = 1
"""Raised whenever pooled numbers change for the same vector."""
_PERCENTILES = (0, 1, 2, 5, 10, 25, 50, 75, 90, 95, 98, 99, 100)
_ORIENTATIONS = 9
_NO_GRADIENT = 1e-6
_KEY = "pool"


@dataclass(frozen=True, slots=True)
class PooledDefinition:
    """A definition of features whose gradients are pooled."""

    base: FeatureDefinition
    """With gradients."""

    @property
    def length(self) -> int:
        """Numbers in a vector: pooled gradients, then hues."""
        pooled = len(_PERCENTILES) * (_ORIENTATIONS + 1) + 1
        return pooled + self.base.length - self.base.hog_length

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` makes an equal record of them."""
        return {**self.base.to_json(), _KEY: POOL_VERSION}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises
        ------
        UsageError
            If it is of another version, or no such document.
        """
        if document.get(_KEY) != POOL_VERSION:
            raise UsageError(
                f"the model was trained on features pooled in way {str(document.get(_KEY))[:20]}, "
                f"this Gibswatch pools in way {POOL_VERSION}: train it again"
            )
        rest = {name: value for name, value in document.items() if name != _KEY}
        base = FeatureDefinition.from_json(rest)
        if not base.hog_length:
            raise UsageError("the model's card pools gradients and has none: train it again")
        return cls(base)


def pool_gradients(
    vector: NDArray[np.float32], definition: PooledDefinition
) -> NDArray[np.float32]:
    """Pool the gradients of a vector over its cells.

    Parameters
    ----------
    vector : (base length,) ndarray of float32
    definition : PooledDefinition

    Returns
    -------
    (definition.length,) ndarray of float32
        Percentiles (0, 1, 2, 5, 10, 25, 50, 75, 90, 95, 98, 99, 100) over the cells of each of the
        nine directions, of their sum, the share of cells without a gradient, then the hues.
    """
    cells = vector[: definition.base.hog_length].reshape(-1, _ORIENTATIONS).astype(np.float64)
    total = cells.sum(axis=1)
    both = np.column_stack([cells, total])
    pooled = np.percentile(both, _PERCENTILES, axis=0).T.ravel()
    empty = float((total <= _NO_GRADIENT).mean())
    hues = vector[definition.base.hog_length :]
    return np.concatenate([pooled, [empty], hues]).astype(np.float32)
