"""Granules that show what clear days show elsewhere: by the colours of coasts and deserts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.missing.granules import Granules
from gibswatch.detect.swath.pixels import SwathPixels
from gibswatch.detect.warp.cells import SwathCells, granules_in, swath_cells
from gibswatch.detect.warp.clear_sky import every_pixel
from gibswatch.detect.warp.edges import edge_evidence, edge_warps
from gibswatch.detect.warp.evidence import Run, Shift, best_runs
from gibswatch.detect.warp.offset import offset_evidence, offsets
from gibswatch.detect.warp.spread import rest_of_evidence
from gibswatch.raster.scene import Scene
from gibswatch.sky.satellites import Satellite

__all__ = ["find_colour_shifts"]

_Singles = NDArray[np.float32]

_ENOUGH, _REST = 25.0, 7.5
"""Evidence, in log likelihood: of a run of granules, and what must remain of it without the best
sixteenth of each.  Of the clean granules of the tiles of Terra 2023 (454 days, of all seasons) one
has more: Bands721 of 2023-04-17."""
_LOOK = 5.0
"""Evidence from which a run is looked at closely."""
_PROOF = "there its colours are those of clear days"


def find_colour_shifts(
    scene: Scene, pixels: SwathPixels, clear: _Singles, granules: Granules, satellite: Satellite
) -> list[Shift]:
    """Find granules whose colours are those of another place.

    Parameters
    ----------
    scene : Scene
    pixels : SwathPixels
        Of the thinned picture.
    clear : (2, rows, cols) ndarray of float32
        `ClearSky.without` of it.
    granules : Granules
        Of the whole picture.
    satellite : Satellite

    Returns
    -------
    list of Shift
        Strongest evidence first; a ratio of 1 is just enough.
    """
    degrees = scene.georeference.pixel_deg * every_pixel(scene.georeference)
    cells = swath_cells(scene, pixels, clear, satellite, degrees)
    there = granules_in(cells, satellite.granule_s)
    if not there:
        return []
    evidence = np.hstack([offset_evidence(cells, there), edge_evidence(cells, there)])
    displacements = [*offsets(cells.cell_km), *edge_warps()]
    runs = best_runs(there, evidence, displacements, _LOOK)
    numbers = _numbers(granules, satellite.granule_s)
    shifts = []
    for run in runs:
        own = [numbers.get((one.pass_index, one.number), -1) for one in run.granules]
        shown = tuple(number for number in own if number >= 0)
        if shown:
            shifts.append(Shift(shown, run.displacement, _ratio(cells, run), _PROOF))
    return shifts


def _numbers(granules: Granules, length_s: float) -> dict[tuple[int, int], int]:
    """Numbers of granules by their pass and by how many lengths they begin after 2000-01-01."""
    count = np.rint(granules.start_s / length_s).astype(np.int64)
    pairs: Sequence[tuple[int, int]] = list(
        zip(granules.pass_index.tolist(), count.tolist(), strict=True)
    )
    return {pair: number for number, pair in enumerate(pairs)}


def _ratio(cells: SwathCells, run: Run) -> float:
    """1 where both the evidence and the rest without its best part are just enough."""
    rest = sum(
        evidence * rest_of_evidence(cells, granule, run.displacement)
        for granule, evidence in zip(run.granules, run.by_granule, strict=True)
    )
    return min(run.evidence / _ENOUGH, rest / _REST)
