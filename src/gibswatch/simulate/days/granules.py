"""Granules: pieces of a pass of one length, counted from 2000-01-01, 0 h UTC.

Lengths of 300 and 360 s begin at whole minutes of every day.  One of 85.35 s does not divide a day:
counted from its own beginning, each day would cut one and the same pass otherwise.
"""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.timescale import datetime_at

__all__ = ["granule_name", "granule_number", "granule_start_s"]


@overload
def granule_number(time_s: float, length_s: float) -> np.float64: ...
@overload
def granule_number(time_s: NDArray[np.float64], length_s: float) -> NDArray[np.float64]: ...
def granule_number(
    time_s: float | NDArray[np.float64], length_s: float
) -> np.float64 | NDArray[np.float64]:
    """Return the number of the granule in which a moment lies, as a whole float.

    Parameters
    ----------
    time_s : float or ndarray of float64
        Epoch seconds.
    length_s : float

    Examples
    --------
    >>> int(granule_number(86400.0, 85.35))
    1012
    """
    number: np.float64 | NDArray[np.float64] = np.floor(np.asarray(time_s) / length_s)
    return number


def granule_start_s(number: float, length_s: float) -> float:
    """Return the first moment of a granule, epoch seconds."""
    return float(number) * length_s


def granule_name(start_s: float) -> str:
    """Name a granule by its first moment, with seconds where it does not begin at a minute.

    >>> granule_name(300.0)
    '2000-01-01T00:05Z'
    >>> granule_name(granule_start_s(1012, 85.35))
    '2000-01-01T23:59:34Z'
    """
    moment = datetime_at(round(start_s, 3))
    return moment.strftime("%Y-%m-%dT%H:%MZ" if moment.second == 0 else "%Y-%m-%dT%H:%M:%SZ")
