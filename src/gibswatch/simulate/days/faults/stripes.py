"""Stripes along the scans of a granule: detectors that are calibrated unlike their neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.simulate.days.spec import FaultSpec, generator

__all__ = ["stripe_factor"]

_SHORTEST_S = 2.0


def stripe_factor(fault: FaultSpec, time: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """Factor by which stripes change reflectance.

    Parameters
    ----------
    fault : FaultSpec
        Its `amount` is the relative depth, 0.03-0.2; `seconds` the time from a stripe to the next.
    time : ndarray of float32
        Seconds since 0 h UTC at which each pixel was scanned.
    seed : int
        Of the stripes' strengths.

    Returns
    -------
    ndarray of float32
        Between 1 - amount and 1 + amount; whole scans have one value.
    """
    period = max(fault.seconds, _SHORTEST_S)
    place = np.floor(time * np.float32(2.0 / period)).astype(np.int64) % 64
    drawn = generator(seed, "stripes", fault.amount, fault.seconds)
    strength = np.where(np.arange(64) % 2 == 0, 1.0, -1.0) * drawn.uniform(0.6, 1.0, 64)
    return np.asarray((1.0 + fault.amount * strength[place]), dtype=np.float32)
