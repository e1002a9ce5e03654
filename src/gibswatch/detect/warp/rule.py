"""Displaced granules and warped edges, as findings."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import Region, score_of_ratio
from gibswatch.detect.missing.granules import Granules, granules_of
from gibswatch.detect.swath.pixels import from_track_km, swath_pixels
from gibswatch.detect.warp.clear_sky import every_pixel
from gibswatch.detect.warp.colours import find_colour_shifts
from gibswatch.detect.warp.evidence import Displacement, Shift
from gibswatch.detect.warp.gaps import find_gap_shifts
from gibswatch.detect.words import area_words, granule_words, place_words
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

__all__ = ["find_warps"]

_Singles = NDArray[np.float32]

_LEAST_PX = 24


def find_warps(
    scene: Scene, observed: BoolArray, expectation: Expectation, clear: _Singles | None
) -> tuple[list[Region], float]:
    """Find granules that lie off their place (kind 4).

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation
    clear : (2, rows, cols) ndarray of float32 or None
        Colours of clear sky (`ClearSky.without`).

    Returns
    -------
    regions : list of Region
    score : float
        0-1, 0.5 is the threshold: of the likeliest, found or not.
    """
    granules = granules_of(expectation)
    shifts, in_gaps = find_gap_shifts(observed, expectation, granules)
    known = {number for shift in shifts for number in shift.granules}
    reach_km = _reach_km(expectation)
    every = every_pixel(scene.georeference)
    pixels = None if clear is None else swath_pixels(scene, observed, expectation, every=every)
    if pixels is not None and clear is not None:
        satellite = SATELLITES[expectation.satellite]
        found = find_colour_shifts(scene, pixels, clear, granules, satellite)
        shifts += [shift for shift in found if not known & set(shift.granules)]
    regions = []
    for shift in shifts:
        if shift.ratio >= 1.0:
            mask = _shown(shift, expectation, granules, reach_km) & ~observed
            if shift.displacement.outward_km:
                mask |= np.isin(in_gaps, shift.granules)
            if mask.sum() >= _LEAST_PX:
                regions.append(_region(shift, mask, granules, scene.georeference))
    return regions, max((score_of_ratio(shift.ratio) for shift in shifts), default=0.0)


def _reach_km(expectation: Expectation) -> float:
    """Half of the width of a swath on the ground."""
    scan = expectation.cross_track_deg[expectation.covered]
    away = from_track_km(scan, SATELLITES[expectation.satellite])
    return float(np.abs(away).max(initial=0.0))


def _shown(
    shift: Shift, expectation: Expectation, granules: Granules, reach_km: float
) -> BoolArray:
    """What of the picture lies off."""
    own = np.zeros(granules.start_s.size + 1, dtype=bool)
    own[list(shift.granules)] = True
    mask = own[granules.index] & expectation.covered  # -1, none, is the last
    moved = shift.displacement
    if moved.outward_km:
        away = from_track_km(expectation.cross_track_deg, SATELLITES[expectation.satellite])
        with np.errstate(invalid="ignore"):
            mask &= np.abs(away) > (1.0 - moved.share) * reach_km
    return np.asarray(mask)


def _region(
    shift: Shift, mask: BoolArray, granules: Granules, georeference: Georeference
) -> Region:
    """Make a finding of it."""
    names = granules.names(shift.granules)
    place = f"{area_words(mask, georeference)} {place_words(mask, georeference)}"
    reason = (
        f"Edge warping: the pass at {granule_words(names)} {_way(shift.displacement)}: {place}; "
        f"{shift.proof}."
    )
    return Region(Kind.EDGE_WARPING, mask, score_of_ratio(shift.ratio), reason, names)


def _way(moved: Displacement) -> str:
    """By how much, and where to."""
    if moved.outward_km:
        way = "outwards" if moved.outward_km > 0 else "inwards"
        return f"is displaced {way} towards its edges, by {abs(moved.outward_km):.0f} km there"
    parts = [
        f"{abs(distance):.0f} km {names[distance < 0]}"
        for distance, names in (
            (moved.ahead_km, ("ahead", "back along its track")),
            (moved.left_km, ("to the left", "to the right")),
        )
        if distance
    ]
    total = math.hypot(moved.ahead_km, moved.left_km)
    return f"lies {total:.0f} km off its place ({' and '.join(parts)})"
