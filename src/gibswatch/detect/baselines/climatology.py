"""The archive's own climatology: a day's black share against its neighbours'.

For days whose orbit is not known, and a baseline for the others.  The neighbouring days say what is
usual: swath gaps and night cover about the same share every day, wherever they lie, and night
drifts with the season.
Usual is a line through the neighbours' shares (Theil-Sen: the median of all pairwise slopes, so
that bad days do not bend it).  A day is anomalous if its share is over the line by at least
`DEVIATIONS` robust standard deviations of the neighbours around it, and by at least `MARGIN` in
any case.  The excess is then given to the largest black regions that are not black on the
neighbouring days.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, stats

from gibswatch.detect.context import Context, Detection, Region
from gibswatch.raster.observe import Observation
from gibswatch.raster.regions import pixel_area_km2
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, Kind

__all__ = ["DEVIATIONS", "MARGIN", "MIN_NEIGHBOURS", "detect"]

DEVIATIONS = 4.0
"""Robust standard deviations (1.4826 x the median absolute deviation)."""
MARGIN = 0.004
"""Share of the picture under which no excess counts: of a globe half a MODIS granule."""
MIN_NEIGHBOURS = 5
"""Days that a median needs; with fewer only `ALONE` is left."""
ALONE = 0.5
"""Black share from which a day without neighbours is anomalous (as in Worldview's kiosk mode)."""


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Judge a day by its black share.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black (`gibswatch.raster.observed_black`).
    expectation : Expectation or None
        Not used.
    context : Context

    Returns
    -------
    Detection
        With at most one region, of kind 2.
    """
    share = context.observation.black
    if not np.isfinite(share):
        return Detection(0.0, "no pixel is usable")
    usual, threshold, note = _usual_share(context)
    score = _score(share - usual, threshold - usual)
    note = f"{share:.1%} of the picture is black {note}"
    if score < 0.5:
        return Detection(score, note)
    mask = _unusual_regions(scene, observed, context, share - usual)
    return Detection(score, note, (Region(Kind.MISSING_UNEXPECTED, mask, score, note),))


def _usual_share(context: Context) -> tuple[float, float, str]:
    """Share that the neighbours let expect, threshold, and how to say it."""
    known = [n for n in context.neighbours if np.isfinite(n.black)]
    if len(known) < MIN_NEIGHBOURS:
        count = f"only {len(known)}" if known else "no"
        unit = "day" if len(known) == 1 else "days"
        return 0.0, ALONE, f"({count} neighbouring {unit} to compare with: over {ALONE:.0%} counts)"
    shares = np.array([n.black for n in known])
    days = np.array([_days_from(context.observation, n) for n in known])
    slope = float(stats.theilslopes(shares, days).slope) if np.ptp(days) > 0 else 0.0
    level = float(np.median(shares - slope * days))  # at the day itself, which is day 0
    deviation = 1.4826 * float(np.median(np.abs(shares - slope * days - level)))
    usual = min(max(level, 0.0), 1.0)
    threshold = usual + max(DEVIATIONS * deviation, MARGIN)
    return usual, threshold, f"where {usual:.1%} is usual on the {len(known)} neighbouring days"


def _days_from(day: Observation, other: Observation) -> float:
    """Days from `day` to `other`; 0 where a date is not known, so that no line is drawn."""
    if day.date is None or other.date is None:
        return 0.0
    return float((other.date - day.date).days)


def _score(excess: float, threshold: float) -> float:
    """Excess over its threshold, from 0 to 1; 0.5 at the threshold."""
    if excess <= 0:
        return 0.0
    return excess / (excess + max(threshold, 1e-6))


def _unusual_regions(
    scene: Scene, observed: BoolArray, context: Context, excess: float
) -> BoolArray:
    """Take the largest black regions, where it is not black on other days, up to the excess."""
    usual = context.usual_black()
    candidates = observed if usual is None else observed & ~usual
    labels, count = ndimage.label(candidates, structure=np.ones((3, 3), dtype=bool))
    if count == 0:
        return observed
    area = pixel_area_km2(scene.georeference)
    areas = np.bincount(labels.ravel(), weights=area.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-areas)
    wanted = excess * float(area.sum(where=scene.usable, dtype=np.float64))
    enough = int(np.searchsorted(np.cumsum(areas[order]), 0.95 * wanted)) + 1
    return np.isin(labels, order[:enough] + 1)
