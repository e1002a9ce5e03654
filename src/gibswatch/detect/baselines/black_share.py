"""Worldview's kiosk rule, as a baseline: too many dark pixels, whatever the reason.

Worldview's kiosk mode steps back a day when 50-70 % of what is shown is black, a pixel being black
if R, G and B are all under 30 (see ``docs/sources.md``).  We take the lower bound.
"""

from __future__ import annotations

import numpy as np

from gibswatch.detect.context import Context, Detection, Region
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, Kind

__all__ = ["BLACK_BELOW", "KIOSK_SHARE", "detect"]

BLACK_BELOW = 30
KIOSK_SHARE = 0.5


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Compare the share of dark pixels with one half.

    Returns
    -------
    Detection
        The score is the share of usable pixels that are dark (transparent ones of a PNG count).
    """
    dark = np.asarray((scene.pixels[..., :3] < BLACK_BELOW).all(axis=2))
    if scene.image_format == "png":
        dark = dark | (scene.pixels[..., 3] == 0)
    dark &= scene.state == STATE_CODES["ok"]
    usable = int(scene.usable.sum())
    share = float(dark.sum()) / usable if usable else 0.0
    note = f"{share:.1%} of the pixels are darker than {BLACK_BELOW}"
    if share < KIOSK_SHARE:
        return Detection(share, note)
    return Detection(share, note, (Region(Kind.MISSING_UNEXPECTED, dark, share, note),))
