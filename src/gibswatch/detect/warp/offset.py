"""Whole granules off their place: where clear sky looks like what they show.

Masked normalized cross-correlation by Fourier transforms (Padfield 2012, "Masked Object
Registration in the Fourier Domain"), of values that are differences already: means are left in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from gibswatch.detect.warp.cells import GranuleCells, SwathCells
from gibswatch.detect.warp.evidence import LEAST_SHARED, Displacement, log_likelihood

__all__ = ["offset_evidence", "offsets"]

_Singles = NDArray[np.float32]

_FARTHEST_KM = 310.0


def offsets(cell_km: float) -> list[Displacement]:
    """All displacements that are looked at: whole cells, up to 310 km."""
    reach = _reach(cell_km)
    steps = np.arange(-reach, reach + 1) * cell_km
    # Imagery lies off by the opposite of where its scene belongs.
    return [Displacement(-float(along), -float(beside)) for along in steps for beside in steps]


def offset_evidence(cells: SwathCells, granules: Sequence[GranuleCells]) -> _Singles:
    """How much better each displacement explains each granule than none of a cell or less does.

    Parameters
    ----------
    cells : SwathCells
    granules : sequence of GranuleCells

    Returns
    -------
    (granules, displacements) ndarray of float32
        In the order of `offsets`.
    """
    reach = _reach(cells.cell_km)
    away = np.arange(-reach, reach + 1)
    far = np.hypot(*np.meshgrid(away, away, indexing="ij"))
    none, within = far <= 1.0, far * cells.cell_km <= _FARTHEST_KM
    found = np.zeros((len(granules), (2 * reach + 1) ** 2), dtype=np.float32)
    for row, granule in enumerate(granules):
        correlations, shared = _correlations(cells, granule, reach)
        belongs = within & (shared >= LEAST_SHARED * shared[reach, reach])
        alike = log_likelihood(correlations, float(shared[reach, reach])).sum(axis=0)
        likelihood = np.where(belongs, alike, 0.0)
        found[row] = (likelihood - likelihood[none].max()).ravel()
    return found


def _reach(cell_km: float) -> int:
    return int(_FARTHEST_KM / cell_km) + 1


def _correlations(
    cells: SwathCells, granule: GranuleCells, reach: int
) -> tuple[_Singles, _Singles]:
    """Correlation of each colour and number of shared cells.

    (2, 2 reach + 1, 2 reach + 1) and without the first: lines, beams.
    """
    first = max(granule.first - reach, 0)
    clear = cells.clear[:, granule.pass_index, first : granule.last + reach]
    now = np.full(clear.shape, np.nan, dtype=np.float32)
    own = slice(granule.first - first, granule.last - first)
    now[:, own] = cells.now[:, granule.pass_index, granule.first : granule.last]
    size = [fft.next_fast_len(length + 2 * reach, real=True) for length in clear.shape[1:]]
    mine, its = _spectra(now, size), _spectra(clear, size)

    def at_shifts(one: NDArray[np.complex64], other: NDArray[np.complex64]) -> _Singles:
        full = fft.irfft2(np.conj(one) * other, size)
        rolled = np.roll(full, (reach, reach), (-2, -1))
        return np.asarray(rolled[..., : 2 * reach + 1, : 2 * reach + 1])

    shared = np.maximum(at_shifts(mine[0], its[0]), 1.0)
    power = at_shifts(mine[2], its[0]) * at_shifts(mine[0], its[2])
    return at_shifts(mine[1], its[1]) / np.sqrt(np.maximum(power, 1e-6)), shared


def _spectra(values: _Singles, size: Sequence[int]) -> list[NDArray[np.complex64]]:
    """Of where values are, of the values and of their squares; of the last two by colour."""
    there = np.isfinite(values)
    value = np.where(there, values, np.float32(0.0))
    return [fft.rfft2(part, size) for part in (there[0].astype(np.float32), value, value * value)]
