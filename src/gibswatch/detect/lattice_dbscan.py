"""DBSCAN of pixels: the labels of `sklearn.cluster.DBSCAN`, faster and in little memory.

Ester, Kriegel, Sander, Xu (1996), A Density-Based Algorithm for Discovering Clusters, KDD-96.  A
pixel is core if at least `min_samples` of the marked pixels, itself included, lie no farther than
`eps`; core pixels within `eps` of each other are one cluster; other pixels within `eps` of a core
pixel are its border; the rest is noise.  scikit-learn leaves two things to the order of the points,
which is row-major here: clusters are numbered by their first core pixel, and a border pixel within
reach of several clusters has the lowest of their labels.

Pixels have whole coordinates, so the neighbours of one are counted by sums over its disk, and no
list of neighbours is kept.  Two ways that give the same labels: compiled code
(`_lattice_kernels`), and NumPy with SciPy where numba cannot be loaded or the disk is huge.
"""

from __future__ import annotations

import math
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gibswatch.errors import UsageError
from gibswatch.types import BoolArray

__all__ = ["NOISE", "lattice_dbscan", "lattice_dbscan_plane"]

NOISE = -1
"""Label of a pixel that is in no cluster."""
_LARGEST = 2**16 - 1
"""The compiled way keeps columns and counts in two bytes: eps up to 143, 65,534 columns."""
_Ints = NDArray[np.int32]
_Longs = NDArray[np.int64]


def lattice_dbscan(mask: BoolArray, *, eps: float, min_samples: int) -> NDArray[np.int32]:
    """Cluster the marked pixels.

    Parameters
    ----------
    mask : (rows, cols) ndarray of bool
    eps : float
        Largest distance of neighbours in pixels, over 0; a distance d counts if d*d <= eps*eps in
        double precision, as in scikit-learn.
    min_samples : int
        Marked pixels within `eps` that make a pixel core, itself included; 1 or more.

    Returns
    -------
    (n,) ndarray of int32
        Label of each marked pixel in row-major order, that is in the order of
        ``numpy.argwhere(mask)``; `NOISE` for those in no cluster.

    Raises
    ------
    UsageError
        If `mask` is not a plane of bool, or `eps` or `min_samples` are out of range.

    Examples
    --------
    >>> mask = np.array([[True, True, False, False, False, False, True]])
    >>> lattice_dbscan(mask, eps=1.5, min_samples=2)
    array([ 0,  0, -1], dtype=int32)
    """
    _check(mask, eps, min_samples)
    half_widths = _disk(eps, mask.shape)
    kernels = _kernels()
    disk = 2 * (2 * half_widths + 1).sum()
    if kernels is None or max(disk, mask.shape[1]) >= _LARGEST:
        return _by_numpy(mask, half_widths, min_samples)
    return _by_kernels(kernels, mask, half_widths, min_samples)


def lattice_dbscan_plane(mask: BoolArray, *, eps: float, min_samples: int) -> NDArray[np.int32]:
    """Cluster the marked pixels, and give the labels in their places.

    Parameters
    ----------
    mask, eps, min_samples
        As for `lattice_dbscan`.

    Returns
    -------
    (rows, cols) ndarray of int32
        `NOISE` too where nothing is marked.

    Raises
    ------
    UsageError
        As from `lattice_dbscan`.
    """
    labels = lattice_dbscan(mask, eps=eps, min_samples=min_samples)
    plane = np.full(mask.shape, NOISE, dtype=np.int32)
    plane[mask] = labels
    return plane


def _check(mask: BoolArray, eps: float, min_samples: int) -> None:
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise UsageError(f"mask must be a plane of bool, not {mask.ndim}-d {mask.dtype}")
    if not 0 < eps < math.inf:
        raise UsageError(f"eps must be a number of pixels over 0, not {eps}")
    if min_samples < 1:
        raise UsageError(f"min_samples must be 1 or more, not {min_samples}")


def _disk(eps: float, shape: tuple[int, ...]) -> _Longs:
    """Half widths of the rows of the disk by their distance from its middle, cut to the picture."""
    rows, cols = shape
    widths = []
    for apart in range(max(rows, 1)):
        left = eps * eps - apart * apart
        if left < 0:
            break
        width = math.isqrt(int(min(left, cols * cols)))
        widths.append(min(width, max(cols - 1, 0)))
    return np.array(widths, dtype=np.int64)


@cache
def _kernels() -> ModuleType | None:
    try:
        from gibswatch.detect import _lattice_kernels  # noqa: PLC0415 (numba takes 0.4 s to import)
    except ImportError:
        return None
    return _lattice_kernels


def _by_kernels(
    kernels: ModuleType, mask: BoolArray, half_widths: _Longs, min_samples: int
) -> _Ints:
    pixels = np.ascontiguousarray(mask).view(np.uint8)
    flat = pixels.reshape(-1)
    words = np.require(flat[: flat.size // 8 * 8].view("<u8"), requirements="A")
    labels = np.empty(int(np.count_nonzero(mask)), dtype=np.int32)
    enough = min(min_samples, _LARGEST)  # more than any disk holds
    columns = np.empty(len(labels) + 8, dtype=np.uint16)
    core_columns = np.empty(len(labels) + 1, dtype=np.uint16)
    starts, core_starts = kernels.mark_points(
        pixels, words, half_widths, enough, labels, columns, core_columns
    )
    kernels.cluster_points(
        starts, columns, core_starts, core_columns, mask.shape[1], half_widths, labels
    )
    return labels


def _by_numpy(mask: BoolArray, half_widths: _Longs, min_samples: int) -> _Ints:
    rows, cols = np.nonzero(mask)
    core = _counts(mask, half_widths, rows, cols) >= min_samples
    core_rows, core_cols = rows[core], cols[core]
    labels = np.full(len(rows), NOISE, dtype=np.int32)
    if not core.any():
        return labels
    index = _CoreIndex(mask.shape, core_rows, core_cols)
    labels[core] = clusters = _joined(index, core_rows, core_cols, half_widths)
    lowest = np.full(len(rows) - len(core_rows), len(core_rows), dtype=np.int32)
    for apart in range(1 - len(half_widths), len(half_widths)):
        width = half_widths[abs(apart)]
        for near, found in index.nearest(rows[~core] + apart, cols[~core], width):
            lowest[found] = np.minimum(lowest[found], clusters[near])
    labels[~core] = np.where(lowest < len(core_rows), lowest, NOISE)
    return labels


def _counts(mask: BoolArray, half_widths: _Longs, rows: _Longs, cols: _Longs) -> _Longs:
    """Marked pixels in the disk around each point, by the prefix sums of whole rows."""
    sums = np.zeros((mask.shape[0], mask.shape[1] + 1), dtype=np.int32)
    np.cumsum(mask, axis=1, out=sums[:, 1:])
    counts = np.zeros(len(rows), dtype=np.int64)
    for apart in range(1 - len(half_widths), len(half_widths)):
        other = rows + apart
        inside = np.flatnonzero((other >= 0) & (other < mask.shape[0]))
        line, width = other[inside], half_widths[abs(apart)]
        ends = np.minimum(cols[inside] + width + 1, mask.shape[1])
        counts[inside] += sums[line, ends] - sums[line, np.maximum(cols[inside] - width, 0)]
    return counts


class _CoreIndex:
    """Finds the nearest core pixels of a row on either side of a column."""

    def __init__(self, shape: tuple[int, ...], rows: _Longs, cols: _Longs) -> None:
        self._rows, self._stride = shape[0], 3 * shape[1]
        # A gap of two rows' lengths: no window reaches from one row into the next.
        self._places = rows * self._stride + cols

    def nearest(self, rows: _Longs, cols: _Longs, width: int) -> list[tuple[_Longs, _Longs]]:
        """Core pixels on the left and on the right within a width.

        Returns
        -------
        list of (core, point)
            Indices of equal length; a point stands in none, one or both.
        """
        wanted = rows * self._stride + cols
        right = np.searchsorted(self._places, wanted)
        found = []
        for side in (right - 1, right):
            near = np.clip(side, 0, len(self._places) - 1)
            inside = np.abs(self._places[near] - wanted) <= width
            points = np.flatnonzero(inside)
            found.append((near[points], points))
        return found


def _joined(index: _CoreIndex, rows: _Longs, cols: _Longs, half_widths: _Longs) -> _Ints:
    """Cluster of each core pixel, numbered by the first one.

    Row by row of the disk: the more is joined already, the fewer links are left to look at.
    """
    count = len(rows)
    gap = (np.diff(rows) > 0) | (np.diff(cols) > half_widths[0])
    sets = np.concatenate([[0], np.cumsum(gap)])
    for apart in range(1, len(half_widths)):
        for near, points in index.nearest(rows + apart, cols, int(half_widths[apart])):
            one, other = sets[near], sets[points]
            differ = one != other
            links = sparse.coo_array(
                (np.ones(int(differ.sum()), np.int8), (one[differ], other[differ])),
                shape=(int(sets.max()) + 1,) * 2,
            )
            sets = sparse.csgraph.connected_components(links, directed=False)[1][sets]
    _, first, sets = np.unique(sets, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), dtype=np.int32)
    numbers[np.argsort(first)] = np.arange(len(first))
    if len(sets) != count:
        raise RuntimeError("a core pixel without a cluster")
    return np.asarray(numbers[sets])
