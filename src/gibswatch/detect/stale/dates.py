"""Of which of two days a picture is: by its black, and by the seams between its passes."""

from __future__ import annotations

import datetime as dt

import numpy as np
from scipy import ndimage

from gibswatch.detect.context import REASON_CODES
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.places import pixel_places
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray

__all__ = ["fits_better"]

_BLACK_APART = 0.002
"""Share of the picture by which black must fit one day better."""
_SEAM_APART = 1.005
"""Factor by which seams must stand out more by one day's passes."""
_MOST_STEP = 60.0
"""Levels: coasts say nothing of passes."""
_BESIDE_PX = 6
_MOST_LATITUDE_DEG = 55.0


def fits_better(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, other: dt.date | None
) -> bool:
    """Say whether a picture is of its own date rather than of another.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation or None
        Of its own date.
    other : datetime.date or None

    Returns
    -------
    bool
        Without an orbit, or where both fit alike, whether its date is the earlier: a service
        that has no picture shows the last one that it had.
    """
    if other is None or scene.date is None:
        return True
    earlier = scene.date < other
    if expectation is None or other < SATELLITES[expectation.satellite].launch:
        return earlier
    own, its = expectation, _of_day(expectation, other)
    black = _misfit(own, observed) - _misfit(its, observed)
    if abs(black) >= _BLACK_APART:
        return black < 0
    mine, theirs = _seams(scene, observed, own), _seams(scene, observed, its)
    if max(mine, theirs) >= _SEAM_APART * min(mine, theirs):
        return mine > theirs
    return earlier


def _of_day(expectation: Expectation, day: dt.date) -> Expectation:
    """What the same orbit shows on another day."""
    record = SATELLITES[expectation.satellite]
    return expect(
        record, expectation.georeference, day, expectation.orbit,
        sza_cut_deg=expectation.sza_cut_deg,
    )  # fmt: skip


def _misfit(expectation: Expectation, observed: BoolArray) -> float:
    """Share of the pixels that are black and should not be, or the other way round."""
    clear = expectation.reason != REASON_CODES["terminator"]  # there nobody knows
    return float((expectation.covered ^ ~observed)[clear].mean()) if clear.any() else 0.0


def _seams(scene: Scene, observed: BoolArray, expectation: Expectation) -> float:
    """By how much the picture steps more where the passes of a day meet than beside it.

    They meet where another one sees more steeply, or where the swath of one ends: which of the two
    depends on how the picture was put together.
    """
    geometry = expectation.geometry()
    grey = scene.pixels[..., :3].mean(axis=2, dtype=np.float32)
    step = np.minimum(np.abs(np.diff(grey, axis=1)), _MOST_STEP)
    lit = ~observed & expectation.covered
    lit &= np.abs(pixel_places(expectation.georeference)[1]) < _MOST_LATITUDE_DEG
    good = lit[:, 1:] & lit[:, :-1]
    best = 0.0
    for plane in (geometry.pass_index, geometry.covered_passes.astype(np.int32)):
        meet = np.diff(plane, axis=1) != 0
        near = ndimage.binary_dilation(meet, np.ones((1, 2 * _BESIDE_PX + 1), dtype=bool))
        beside = good & near & ~ndimage.binary_dilation(meet, np.ones((1, 3), dtype=bool))
        meet = good & ndimage.binary_dilation(meet, np.ones((1, 3), dtype=bool))
        if meet.any() and beside.any():
            best = max(best, float(step[meet].mean() / max(float(step[beside].mean()), 1e-6)))
    return best
