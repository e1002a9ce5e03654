"""Displaced granules and warped edges, as findings."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import Region
from gibswatch.detect.missing.granules import Granules, granules_of
from gibswatch.detect.swath.pixels import SwathPixels, from_track_km, swath_pixels
from gibswatch.detect.warp.cells import SwathCells, granules_in, swath_cells
from gibswatch.detect.warp.clear_sky import every_pixel
from gibswatch.detect.warp.edges import edge_evidence, edge_warps
from gibswatch.detect.warp.evidence import Displacement, Run, best_runs
from gibswatch.detect.warp.offset import offset_evidence, offsets
from gibswatch.detect.warp.spread import rest_of_evidence
from gibswatch.detect.words import area_words, granule_words, place_words
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

__all__ = ["find_warps"]

_Singles = NDArray[np.float32]

_ENOUGH, _REST = 20.0, 6.0
"""Evidence, in log likelihood: of a run of granules, and what must remain of it without the best
sixteenth of each.  Of 9,000 clean granules of the tuning years (2560x1280) none has more than 0.77
of both, of the tiles of Terra 2023 (450 days, of all seasons) one has 0.87."""
_LOOK = 5.0
"""Evidence from which a run is looked at closely."""
_METRES_PER_DEGREE = 111_320.0
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
    every = every_pixel(scene.georeference)
    pixels = None if clear is None else swath_pixels(scene, observed, expectation, every=every)
    if pixels is None or clear is None:
        return [], 0.0
    runs = _runs(scene, pixels, clear, expectation)
    granules = granules_of(expectation) if runs else None
    regions = []
    for run, ratio in runs:
        if ratio < 1.0 or granules is None:
            continue
        mask = _shown(run, expectation, granules, pixels.reach_km) & ~observed
        if mask.sum() >= _LEAST_PX:
            regions.append(_region(run, ratio, mask, granules, scene.georeference))
    return regions, max((_score(ratio) for _, ratio in runs), default=0.0)


def _runs(
    scene: Scene, pixels: SwathPixels, clear: _Singles, expectation: Expectation
) -> list[tuple[Run, float]]:
    """Displacements that explain granules best, each with its evidence by what is enough."""
    satellite = SATELLITES[expectation.satellite]
    size = scene.georeference.pixel_height * every_pixel(scene.georeference)
    degrees = size if scene.georeference.epsg == 4326 else size / _METRES_PER_DEGREE
    cells = swath_cells(scene, pixels, clear, satellite, degrees)
    granules = granules_in(cells, satellite.granule_s)
    if not granules:
        return []
    evidence = np.hstack([offset_evidence(cells, granules), edge_evidence(cells, granules)])
    displacements = [*offsets(cells.cell_km), *edge_warps()]
    runs = best_runs(granules, evidence, displacements, _LOOK)
    return [(run, _ratio(cells, run)) for run in runs]


def _ratio(cells: SwathCells, run: Run) -> float:
    """1 where both the evidence and the rest without its best part are just enough."""
    rest = sum(
        evidence * rest_of_evidence(cells, granule, run.displacement)
        for granule, evidence in zip(run.granules, run.by_granule, strict=True)
    )
    return min(run.evidence / _ENOUGH, rest / _REST)


def _shown(run: Run, expectation: Expectation, granules: Granules, reach_km: float) -> BoolArray:
    """What of the picture a run displaces."""
    length = SATELLITES[expectation.satellite].granule_s
    number = np.rint(granules.start_s / length).astype(np.int64)
    wanted = {one.number for one in run.granules}
    own = np.isin(number, list(wanted)) & (granules.pass_index == run.granules[0].pass_index)
    mask = np.append(own, False)[granules.index] & expectation.covered  # -1: none
    moved = run.displacement
    if moved.outward_km:
        away = from_track_km(expectation.cross_track_deg, SATELLITES[expectation.satellite])
        with np.errstate(invalid="ignore"):
            mask &= np.abs(away) > (1.0 - moved.share) * reach_km
    return np.asarray(mask)


def _region(
    run: Run, ratio: float, mask: BoolArray, granules: Granules, georeference: Georeference
) -> Region:
    """Make a finding of it."""
    names = granules.names(np.unique(granules.index[mask]))
    place = f"{area_words(mask, georeference)} {place_words(mask, georeference)}"
    reason = (
        f"Edge warping: the pass at {granule_words(names)} {_way(run.displacement)}: {place}; "
        "there its colours are those of clear days."
    )
    return Region(Kind.EDGE_WARPING, mask, _score(ratio), reason, names)


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


def _score(ratio: float) -> float:
    """0.5 where it is just enough."""
    return max(ratio, 0.0) / (1.0 + max(ratio, 0.0))
