"""Granules of a day: which one should show each pixel, when it begins, how high its Sun stands.

A granule is a piece of one pass of a fixed length.  Lengths of 300 s (MODIS) and 360 s (VIIRS,
NASA's level 1) begin at whole minutes UTC; one of 85.35 s (VIIRS, as received) has no fixed phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.expectation import Expectation
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.sun import solar_zenith
from gibswatch.sky.swath import ground_track
from gibswatch.sky.timescale import datetime_at
from gibswatch.types import FloatArray

__all__ = ["Granules", "granules_of", "nadir_zenith_deg"]


@dataclass(frozen=True, slots=True, eq=False)
class Granules:
    """The granules that a picture should show, in the order of passes and of time."""

    index: NDArray[np.int32]
    """(rows, cols): number of the granule that should show the pixel, -1 where none does."""
    start_s: NDArray[np.float64]
    """(n,) epoch seconds at which each begins."""
    pass_index: NDArray[np.int32]
    """(n,) number of its pass, as in the expectation."""
    centre_sza_deg: NDArray[np.float32]
    """(n,) solar zenith angle under the satellite at its middle."""

    def names(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Start times of some granules, in the order of time.

        Parameters
        ----------
        numbers : iterable of int
            Indices; -1 and doubles are left out.

        Returns
        -------
        tuple of str
            E.g. ``2023-08-07T12:05Z``; with seconds where a granule begins within a minute.
        """
        wanted = sorted({int(n) for n in numbers if n >= 0}, key=lambda n: float(self.start_s[n]))
        return tuple(dict.fromkeys(_name(float(self.start_s[n])) for n in wanted))


def granules_of(expectation: Expectation, length_s: float | None = None) -> Granules:
    """Find the granule of every pixel.

    Parameters
    ----------
    expectation : Expectation
    length_s : float, optional
        Length of a granule in seconds; by default the instrument's.  Granules are counted from
        2000-01-01, 0 h UTC.

    Raises
    ------
    ValueError
        If the length is not positive.
    """
    length = SATELLITES[expectation.satellite].granule_s if length_s is None else length_s
    if not length > 0.0:
        raise ValueError(f"length_s={length:g} must be positive: 300 for MODIS, 360 for VIIRS")
    index = np.full(expectation.time_s.shape, -1, dtype=np.int32)
    seen = (expectation.pass_index >= 0) & np.isfinite(expectation.time_s)
    if not seen.any():
        empty = np.empty(0)
        return Granules(index, empty, empty.astype(np.int32), empty.astype(np.float32))
    count = np.floor(expectation.time_s[seen] / length).astype(np.int64)
    first = int(count.min())
    span = int(count.max()) - first + 1
    passes = expectation.pass_index[seen]
    code = passes * span + (count - first)
    # Few codes, many pixels: marking is ten times as fast as sorting.
    used = np.zeros((int(passes.max()) + 1) * span, dtype=bool)
    used[code] = True
    codes = np.flatnonzero(used)
    index[seen] = (np.cumsum(used) - 1).astype(np.int32)[code]
    start = np.asarray((codes % span + first) * length, dtype=np.float64)
    sza = nadir_zenith_deg(expectation.orbit, start + length / 2)
    return Granules(index, start, (codes // span).astype(np.int32), sza.astype(np.float32))


def nadir_zenith_deg(
    orbit: Orbit, time_s: FloatArray, *, late_s: float = 0.0
) -> NDArray[np.float64]:
    """Solar zenith angle under a satellite.

    Parameters
    ----------
    orbit : Orbit
    time_s : ndarray of float
        Epoch seconds at which it is there by the orbit.
    late_s : float
        Seconds by which it is there later.

    Returns
    -------
    ndarray of float64
        Degrees.
    """
    if not time_s.size:
        return np.empty(0)
    latitude, longitude = ground_track(orbit, time_s)
    return np.asarray(solar_zenith(longitude, latitude, time_s + late_s), dtype=np.float64)


def _name(start_s: float) -> str:
    moment = datetime_at(round(start_s, 3))
    return moment.strftime("%Y-%m-%dT%H:%MZ" if moment.second == 0 else "%Y-%m-%dT%H:%M:%SZ")
