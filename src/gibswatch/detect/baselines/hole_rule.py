"""The predecessor's rule for VIIRS, as a baseline: holes that do not hang on an edge.

After the notebook *image_labeling_missing_data_viirs* of NASA's gibs-ml (see ``docs/sources.md``):
grey == 0, erode 4x4, dilate 30x30, drop what touches the top or bottom edge, count what is left.
One hole or more is missing data; none, but a black share over 0.165, is a large hole.  Differences:
grey weighs R, G, B by ITU-R BT.601 (the notebook passed RGB where BGR was meant), and a picture of
the globe is brought to 4096x2048 only if it has another size; parts of the globe keep their pixels.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from gibswatch.detect.context import Context, Detection, Region
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, ByteArray, Kind

__all__ = ["LARGE_HOLE_SHARE", "detect"]

LARGE_HOLE_SHARE = 0.165
_RULE_SHAPE = (2048, 4096)
_ERODE, _DILATE = 4, 30


def detect(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, context: Context
) -> Detection:
    """Count holes.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Not used: the rule has its own black.
    expectation : Expectation or None
        Not used.
    context : Context
        Not used: every day is judged alone.

    Returns
    -------
    Detection
        Score 1 if anything was found, else the black share over twice `LARGE_HOLE_SHARE`.
    """
    pixels = _at_rule_size(scene)
    sent = _nearest(scene.state == STATE_CODES["ok"], pixels.shape[:2])
    black = (np.asarray(Image.fromarray(pixels).convert("L")) == 0) & sent
    eroded = ndimage.minimum_filter(black.view(np.uint8), _ERODE, mode="constant", cval=1)
    grown = ndimage.maximum_filter(eroded, _DILATE, mode="constant", cval=0)
    labels, count = ndimage.label(grown)
    hanging = np.union1d(labels[0], labels[-1])
    holes = [label for label in range(1, count + 1) if label not in hanging]
    share = float(black.mean())
    if holes:
        note = f"{len(holes)} black hole(s) hang on neither the top nor the bottom edge"
        mask = np.isin(labels, holes) & black
    elif share > LARGE_HOLE_SHARE:
        note = f"a large hole: {share:.1%} of the pixels are black, over {LARGE_HOLE_SHARE:.1%}"
        mask = black
    else:
        score = min(share / (2 * LARGE_HOLE_SHARE), 0.499)
        return Detection(score, f"no hole, {share:.1%} of the pixels are black")
    region = Region(Kind.MISSING_UNEXPECTED, _nearest(mask, scene.state.shape), 1.0, note)
    return Detection(1.0, note, (region,))


def _at_rule_size(scene: Scene) -> ByteArray:
    pixels = np.ascontiguousarray(scene.pixels[..., :3])
    g = scene.georeference
    is_globe = g.epsg == 4326 and np.isclose(g.cols * g.pixel_width, 360.0)
    is_globe = is_globe and np.isclose(g.rows * g.pixel_height, 180.0)
    if not is_globe or pixels.shape[:2] == _RULE_SHAPE:
        return pixels
    rows, cols = _RULE_SHAPE
    return np.asarray(Image.fromarray(pixels).resize((cols, rows), Image.Resampling.BILINEAR))


def _nearest(mask: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    if mask.shape == shape:
        return mask
    rows = (np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]
    cols = (np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]
    return mask[np.ix_(rows.astype(int), cols.astype(int))]
