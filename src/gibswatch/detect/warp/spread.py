"""Whether the evidence for a displacement lies in more than one place of a granule.

Coasts tell of it all over a granule; a cloud that happens to look like land tells in one place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.warp.cells import GranuleCells, SwathCells
from gibswatch.detect.warp.evidence import Displacement

__all__ = ["rest_of_evidence"]

_Singles = NDArray[np.float32]

_BLOCKS, _BLOCKS_EDGE = (4, 4), (8, 2)
"""Along and beside the track: where edges warp all lies in the outermost beams."""


def rest_of_evidence(cells: SwathCells, granule: GranuleCells, moved: Displacement) -> float:
    """Share of the evidence for a displacement that remains without its best part.

    Parameters
    ----------
    cells : SwathCells
    granule : GranuleCells
    moved : Displacement

    Returns
    -------
    float
        0-1; of 16 parts of the granule the best is left out.
    """
    now = cells.now[:, granule.pass_index, granule.first : granule.last]
    there = cells.clear[:, granule.pass_index, granule.first : granule.last]
    shown = _from(cells, granule, moved)
    both = np.isfinite(now) & np.isfinite(shown) & np.isfinite(there)
    now, shown, there = (np.where(both, one, np.float32(0.0)) for one in (now, shown, there))
    power = np.sqrt((now**2).sum(axis=(1, 2)) * (shown**2).sum(axis=(1, 2))) + 1e-6
    # A colour counts as in the likelihood, which grows with the square of its correlation.
    weight = np.maximum((now * shown).sum(axis=(1, 2)) / power, 0.0) / power
    gain = np.einsum("c,cij->ij", weight, now * (shown - there))
    along, beside = _BLOCKS_EDGE if moved.outward_km else _BLOCKS
    beams = np.array_split(np.arange(gain.shape[1]), beside)
    parts = [part[:, some].sum() for part in np.array_split(gain, along) for some in beams]
    total = float(np.sum(parts))
    return max(0.0, 1.0 - float(np.max(parts)) / total) if total > 0 else 0.0


def _from(cells: SwathCells, granule: GranuleCells, moved: Displacement) -> _Singles:
    """Clear sky of the places that a granule shows if it is displaced."""
    lines, beams = cells.clear.shape[2:]
    line = np.arange(granule.first, granule.last) - round(moved.ahead_km / cells.cell_km)
    beam = np.arange(beams)
    beside = (beam + 0.5 - beams / 2) / (beams / 2)
    outer = np.clip((np.abs(beside) - (1.0 - moved.share)) / moved.share, 0.0, None)
    away_km = moved.left_km + np.sign(beside) * outer**2 * moved.outward_km
    beam = np.rint(beam - away_km / cells.cell_km).astype(np.intp)
    shown = np.full((2, len(line), beams), np.nan, dtype=np.float32)
    on, within = (line >= 0) & (line < lines), (beam >= 0) & (beam < beams)
    if moved.outward_km:
        within &= np.abs(beside) > 1.0 - moved.share
    clear = cells.clear[:, granule.pass_index]
    shown[np.ix_((True, True), on, within)] = clear[np.ix_((0, 1), line[on], beam[within])]
    return shown
