"""Days of a matrix that may not fit into memory: read and checked a few at a time, one scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, validate_data

from gibswatch.models.estimators._wrapped import KEPT_TYPES

__all__ = ["FARTHEST", "Days", "days_at_once", "measure", "standardise"]

FARTHEST = 1e6
"""Standard deviations beyond which a number is cut off, so that nothing overflows later."""
_MOST_AT_ONCE = 64
_BYTES_PER_NUMBER = 32
"""Of a day in work: as it was read, less its mean, squared, and one to spare; float64 each."""
_DAYS_SHARE = 8
_CONSTANT = 1e-7
"""A spread so small beside the mean is the rounding of float32, and no spread."""


class Days:
    """The rows of `X`, one a day, each a grid of patches; never more than a few are read at once.

    Parameters
    ----------
    estimator : BaseEstimator
        Keeps, or compares, the width of `X`.
    X : (m, n) array_like
        Whatever has `shape`, `dtype` and slices of rows, as ndarray or memmap, is read by slices;
        anything else becomes an array first.
    reset : bool
        Keep the width rather than compare it.

    Raises
    ------
    ValueError
        If `X` is no matrix of real numbers, is empty, or has another width.
    """

    def __init__(self, estimator: Any, X: Any, *, reset: bool) -> None:
        sliced = _is_sliced(X)
        options = {"skip_check_array": True} if sliced else {"dtype": KEPT_TYPES}
        self.rows: Any = validate_data(estimator, X, reset=reset, **options)
        self.count, self.width = (int(size) for size in self.rows.shape)

    def blocks(self, length: int, count: int) -> Iterator[NDArray[Any]]:
        """Read days in order.

        Parameters
        ----------
        length : int
            Numbers of a patch; divides the width.
        count : int
            Days at once.

        Yields
        ------
        (b, patches, length) ndarray of float32 or float64
            b is `count` at most.

        Raises
        ------
        ValueError
            If a number is not finite.
        """
        for at in range(0, self.count, count):
            with np.errstate(over="ignore", invalid="ignore"):  # of sums of enormous numbers
                block = check_array(self.rows[at : at + count], dtype=KEPT_TYPES, input_name="X")
            yield block.reshape(len(block), -1, length)

    def grids(self, length: int, count: int) -> Iterator[NDArray[Any]]:
        """One (patches, length) ndarray a day, read `count` days at once as `blocks`."""
        for block in self.blocks(length, count):
            yield from block


def days_at_once(width: int, memory_mb: int) -> int:
    """How many days of `width` numbers may be in work: an eighth of the memory is for them.

    Raises
    ------
    ValueError
        If not even one.
    """
    limit, one = memory_mb * 2**20 / _DAYS_SHARE, width * _BYTES_PER_NUMBER
    if one > limit:
        raise ValueError(
            f"memory_mb={memory_mb} is too little: one day of {width} numbers takes "
            f"{one / 2**20:.1f} MiB in work, and {limit / 2**20:.1f} MiB are for that"
        )
    return int(min(limit // one, _MOST_AT_ONCE))


def _is_sliced(X: Any) -> bool:
    """Whether rows can be read from it a few at a time."""
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    shape = getattr(X, "shape", ())
    return (
        kind in tuple("biuf")  # no text, no complex numbers, no objects
        and isinstance(shape, tuple)
        and len(shape) == 2
        and min(shape) > 0
        and hasattr(X, "__getitem__")
        and not issparse(X)
    )


def measure(
    blocks: Iterator[NDArray[Any]], length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each number over all patches of all days.

    By the pairwise update of Chan, Golub and LeVeque (1983): one pass, and no difference of large
    sums.

    Parameters
    ----------
    blocks : iterator of (b, patches, length) ndarray
    length : int

    Returns
    -------
    centre, scale : (length,) ndarray of float64
        The scale of a number that never varies is 1.

    Raises
    ------
    ValueError
        If numbers are so large that their squares overflow.
    """
    seen, centre, squares = 0, np.zeros(length), np.zeros(length)
    with np.errstate(over="ignore", invalid="ignore"):
        for block in blocks:
            patches = block.reshape(-1, length).astype(np.float64)
            own = patches.mean(axis=0)
            patches -= own
            total, step = seen + len(patches), own - centre
            squares += np.einsum("ij,ij->j", patches, patches)
            squares += step**2 * (seen * len(patches) / total)
            centre += step * (len(patches) / total)
            seen = total
        scale = np.sqrt(squares / seen)
    if not np.isfinite(scale).all():
        raise ValueError("X has numbers too large to be squared: bring them to another unit")
    scale[scale <= _CONSTANT * np.abs(centre)] = 1.0
    return centre, scale


def standardise(
    patches: NDArray[Any], centre: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bring (..., d) patches to one scale, none farther than `FARTHEST` from its mean."""
    with np.errstate(over="ignore"):  # what overflows is cut off next
        scaled: NDArray[np.float64] = np.subtract(patches, centre, dtype=np.float64)
        scaled /= scale
    np.clip(scaled, -FARTHEST, FARTHEST, out=scaled)
    return scaled
