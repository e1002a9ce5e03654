"""The predecessor's rule for MODIS, as a baseline: black against the mask layer.

After gibs-ml's notebooks for MODIS Terra and Aqua (see ``docs/sources.md``): pixels that are black
in the picture and have data in ``MODIS_*_Data_No_Data``, or the other way round, are counted at
8192x4096.  Differences: black is the picture's observed black, and the threshold is our own choice,
1000 pixels, scaled to the picture's size.
"""

from __future__ import annotations

import numpy as np

from gibswatch.detect.context import Context, Detection, Region
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, Kind

__all__ = ["DISAGREEING_PIXELS", "detect"]

DISAGREEING_PIXELS = 1000
"""On a globe of 8192x4096; scaled to the picture."""
_RULE_PIXELS = 8192 * 4096


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Count the pixels on which picture and mask layer disagree.

    Returns
    -------
    Detection
        Score 0, saying so, where the archive has no mask layer of the day.
    """
    witness = context.mask_layer()
    if witness is None:
        return Detection(0.0, "no mask layer in the archive: --with-mask fetches it")
    sent = scene.state == STATE_CODES["ok"]
    differ = (observed != witness.no_data) & sent
    count, pixels = int(differ.sum()), int(sent.sum())
    limit = DISAGREEING_PIXELS / _RULE_PIXELS * max(pixels, 1)
    score = count / (count + limit)
    note = f"picture and {witness.layer} disagree on {count} of {pixels} pixels"
    if score < 0.5:
        return Detection(score, note)
    region = Region(Kind.MISSING_UNEXPECTED, np.asarray(differ), score, note)
    return Detection(score, note, (region,))
