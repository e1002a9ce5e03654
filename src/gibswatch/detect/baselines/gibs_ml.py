"""The predecessor's labelling of one day, as a baseline: its hole rule, and its rule of hues.

After two notebooks of NASA's gibs-ml: image-level missing data of VIIRS (`hole_rule`), and
pixel-level miscoloration (`gibswatch.detect.hues.rule`).
"""

from __future__ import annotations

from gibswatch.detect.baselines import hole_rule
from gibswatch.detect.context import Context, Detection
from gibswatch.detect.hues.rule import HueRule, detect_hue
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray

__all__ = ["detect", "detect_by_deviation"]

_RARE = HueRule("rare")
_FAR = HueRule("deviation", eps=3.5, min_samples=30)
"""The earlier form, with the clusters of its time."""


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Look for holes, and for clusters of hues that are rare on the normal days.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black: its hues do not count.  Holes have a black of their own.
    expectation : Expectation or None
        Not used.
    context : Context
        Its hues of the normal days; without them the note says that colours were not judged.

    Returns
    -------
    Detection
        At most one region of kind 2 and one of kind 3; the higher of both scores.
    """
    return _both(scene, observed, expectation, context, _RARE)


def detect_by_deviation(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Look for holes, and for clusters of hues far from the mean of their own place.

    Parameters
    ----------
    scene, observed, expectation, context
        As for `detect`; the hues of each place are asked for.

    Returns
    -------
    Detection
        As from `detect`.
    """
    return _both(scene, observed, expectation, context, _FAR)


def _both(
    scene: Scene,
    observed: BoolArray,
    expectation: Expectation | None,
    context: Context,
    rule: HueRule,
) -> Detection:
    holes = hole_rule.detect(scene, observed, expectation, context)
    shown = detect_hue(scene, observed, context.hue_normals, rule)
    regions = sorted([*holes.regions, *shown.regions], key=lambda region: -int(region.mask.sum()))
    return Detection(max(holes.score, shown.score), f"{holes.note}; {shown.note}", tuple(regions))
