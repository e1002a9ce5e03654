"""Black that an eclipse explains: the Moon's shadow darkens a picture until nothing is left of it.

How much of the Sun must be covered for black depends on the ground: the sea is black at a half,
clouds only close to totality.  So the day itself says from which obscuration on black appears.  A
black area that reaches well out of the shadow is not the shadow's: granules are missing there.

Where two passes see a pixel, nobody tells which one the service takes: either's shadow explains.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from gibswatch.sky.expectation import Expectation
from gibswatch.sky.obscuration import obscuration
from gibswatch.sky.places import places_at
from gibswatch.types import BoolArray, FloatArray

__all__ = ["eclipse_black"]

_LEAST, _STEP = 0.35, 0.05
"""Obscuration under which nothing turns black: a third of the light is a small step."""
_USUAL = 0.5
"""Obscuration from which black is believed where the day has too few pixels to say it."""
_FEWEST = 50
_MORE = 0.02
"""Share of black, over that outside of the shadow, at which the shadow's begins."""
_MARGIN = 0.1
"""Single pixels of the darkest ground turn black before their share shows."""
_FULL = 0.9
"""Obscuration from which everything may be black."""
_OUTSIDE = 0.3
"""Share of a black area outside of the shadow from which it is not the shadow's."""
_SOLID_PX = 64


def eclipse_black(observed: BoolArray, expectation: Expectation) -> BoolArray:
    """Mark the black pixels that predicted obscuration explains.

    Parameters
    ----------
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation

    Returns
    -------
    (rows, cols) ndarray of bool
        Part of `observed`; without what belongs to a missing granule that the shadow only touches.
    """
    shade, dark = expectation.obscuration, observed & expectation.covered
    if not (dark.any() and shade.any()):
        return np.zeros(observed.shape, dtype=bool)
    deepest = np.maximum(shade, _second_shade(expectation, dark))
    if not (deepest >= _LEAST).any():
        return np.zeros(observed.shape, dtype=bool)
    begins = _begin(dark, shade, expectation.covered)
    if begins is None:
        begins = _begin(dark, deepest, expectation.covered)
    if begins is None:
        return np.zeros(observed.shape, dtype=bool)
    explained = dark & (deepest >= begins)
    return np.asarray(explained & ~_reaching_out(dark, explained, deepest))


def _second_shade(expectation: Expectation, dark: BoolArray) -> FloatArray:
    """Obscuration of black pixels at the next steepest pass; 0 where there is none."""
    shade = np.zeros(dark.shape, dtype=np.float32)
    g = expectation.georeference
    geometry = expectation.geometry(second=True)
    if geometry.second_index is None:
        return shade
    twice = dark & (geometry.second_index >= 0) & (geometry.covered_passes > 1)
    rows, cols = np.nonzero(twice)
    later = (geometry.second_index - geometry.pass_index)[twice]
    # One revolution on, the same place is seen within a minute of the period: the shadow of the
    # Moon changes over many.
    time_s = geometry.time_s[twice] + later * expectation.orbit.period_s
    longitude, latitude = places_at(g, rows, cols)
    shade[twice] = obscuration(longitude, latitude, time_s)
    return shade


def _begin(dark: BoolArray, shade: FloatArray, covered: BoolArray) -> float | None:
    """Obscuration from which the day has more black than outside of the shadow."""
    edges = np.arange(_LEAST, 1.0 + _STEP, _STEP)
    outside = covered & (shade < 0.2) & (shade > 0.0)
    usual = float(dark[outside].mean()) if np.count_nonzero(outside) >= _FEWEST else 0.0
    index = np.floor((shade - _LEAST) / _STEP).astype(np.intp)
    inside = covered & (index >= 0)
    count = np.bincount(index[inside], minlength=edges.size)
    black = np.bincount(index[inside & dark], minlength=edges.size)
    if count.sum() < _FEWEST:
        return _USUAL if black.any() else None
    share = black / np.maximum(count, 1)
    more = (share > usual + _MORE) & (count >= _FEWEST // 5)
    if not more.any():
        return None
    # From the deepest shade outwards, as long as there is more than usual.
    last = int(np.flatnonzero(more)[-1])
    quiet = np.flatnonzero(~more[:last])
    first = int(quiet[-1]) + 1 if quiet.size else 0
    return max(float(edges[first]) - _MARGIN, _LEAST)


def _reaching_out(dark: BoolArray, explained: BoolArray, shade: FloatArray) -> BoolArray:
    """Black of areas that lie outside of the shadow for a good part."""
    labels, count = ndimage.label(dark, structure=np.ones((3, 3), dtype=bool))
    whole = np.bincount(labels.ravel(), minlength=count + 1)
    within = np.bincount(labels[explained], minlength=count + 1)
    beyond = whole - within
    foreign = (beyond >= _SOLID_PX) & (beyond >= _OUTSIDE * whole)
    foreign[0] = False
    return np.asarray(foreign[labels] & (shade < _FULL))
