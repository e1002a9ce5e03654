"""Miscoloration: bands of a granule whose calibration is wrong, before anything is composited."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibswatch.simulate.days.faults.stripes import stripe_factor
from gibswatch.simulate.days.spec import FaultSpec
from gibswatch.types import BoolArray

__all__ = ["COLOUR_KINDS", "miscolour"]

_Singles = NDArray[np.float32]

COLOUR_KINDS = ("colour", "stripes")
_FULL = np.float32(1.2)
"""Largest reflectance that the simulator draws."""


def miscolour(
    bands: _Singles,
    where: BoolArray,
    fault: FaultSpec,
    channels: Sequence[int],
    planes: tuple[_Singles, _Singles],
    *,
    seed: int,
) -> None:
    """Change reflectances in place.

    Parameters
    ----------
    bands : (rows, cols, bands) ndarray of float32
        Reflectance, 0-1.2.
    where : (rows, cols) ndarray of bool
        Pixels of the scans that are hit.
    fault : FaultSpec
        Of kind ``colour`` or ``stripes``.
    channels : sequence of int
        Band that is shown as red, as green and as blue.
    planes : tuple of two (rows, cols) ndarray
        Share of the half-width of the swath, and seconds since 0 h UTC.
    seed : int
        Of the stripes.

    Notes
    -----
    ``gain`` times `amount`; ``offset`` plus it; ``saturation`` shows what is over it as full;
    ``rollover`` what is over `above` as `amount` times it; ``swap`` exchanges two channels, or
    shifts all three around; ``stripes`` and ``ramp`` (from 1 at one edge of the swath to `amount`
    at the other) are factors.  Pixels darker than `above` in a band are left alone in it.
    """
    hit = [channels["RGB".index(letter)] for letter in dict.fromkeys(fault.channels)]
    if fault.kind == "colour" and fault.effect == "swap":
        _swap(bands, where, hit if len(hit) > 1 else [hit[0], channels[2 - channels.index(hit[0])]])
        return
    share, time = (plane[where] for plane in planes)
    for band in dict.fromkeys(channels if fault.kind == "stripes" else hit):
        values = bands[..., band][where]
        changed = _changed(values, fault, share, time, seed)
        touched = values >= np.float32(fault.above)
        bands[..., band][where] = np.clip(np.where(touched, changed, values), 0.0, _FULL)


def _swap(bands: _Singles, where: BoolArray, hit: list[int]) -> None:
    taken = [bands[..., band][where] for band in hit]
    for band, values in zip(hit, [*taken[1:], taken[0]], strict=True):
        bands[..., band][where] = values


def _changed(
    values: _Singles, fault: FaultSpec, share: _Singles, time: _Singles, seed: int
) -> _Singles:
    amount = np.float32(fault.amount)
    if fault.kind == "stripes" or fault.effect == "stripes":
        return np.asarray(values * stripe_factor(fault, time, seed=seed))
    if fault.effect == "offset":
        return np.asarray(values + amount)
    if fault.effect == "saturation":
        return np.where(values >= amount, _FULL, values)
    if fault.effect == "ramp":
        return np.asarray(values * (1.0 + (amount - 1.0) * (share + 1.0) / 2.0), dtype=np.float32)
    return np.asarray(values * amount)  # gain, and rollover, which differ by `above`
