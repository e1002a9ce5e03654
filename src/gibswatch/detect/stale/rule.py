"""Stale pixels: a picture, or a part of one, that is another day's.

Two pictures that show the same weather cannot both be of their date.  Of a whole picture it is told
by black and by seams between passes whose date it fits; a part betrays itself by its edges, where
it does not go on in what is around it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.context import Region
from gibswatch.detect.stale.dates import fits_better
from gibswatch.detect.words import area_words, place_words
from gibswatch.raster.observe import observe
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, FloatArray, Kind

__all__ = ["find_stale", "same_pixels"]

_USUAL_PX = 1280 * 640
"""Pixels of the pictures on which all this was tuned; much finer ones are averaged to about so
many."""
_AROUND_PX = 9
_APART = 11.0
"""Levels by which pixels may differ on the average of 9 x 9: JPEG of another quality."""
_VARIED = 10.0
"""Standard deviation of the levels of a part that shows anything."""
_FEWEST_PX = 600
_CORRELATED = 0.85
"""Correlation of the fine structure of a part with that of the other day."""
_WHOLE_SHARE = 0.6
"""Of what both pictures show, from which they are one picture."""
_FILLS = 0.75
"""Of its box, that a part has to fill."""
_EIGHT = np.ones((3, 3), dtype=bool)
_EDGE_PX = 7
"""Pixels without a part at which its edge is, at most."""
_EDGE_RATIO = 1.15
"""By how much more a part must break off from what is around it than on the other day."""


def find_stale(
    scene: Scene, observed: BoolArray, expectation: Expectation | None, others: Sequence[Scene]
) -> list[Region]:
    """Find the parts of a picture that are another day's.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation or None
        Tells whose date a whole picture fits; without it the later of two is taken for the copy.
    others : sequence of Scene
        Pictures of the same layer and grid, of other days, that may be the same.

    Returns
    -------
    list of Region
        Of kind 8, largest first.
    """
    found: list[Region] = []
    small, black = _reduced(scene, observed)
    for other in others:
        if other.pixels.shape != scene.pixels.shape or other.date == scene.date:
            continue
        its, its_black = _reduced(other, observe(other)[1])
        same, shown = same_pixels(small, black, its, its_black)
        if same.sum() >= _WHOLE_SHARE * shown.sum() > 0:
            if not fits_better(scene, observed, expectation, other.date):
                whole = _enlarged(np.asarray(shown | black), scene)
                found.append(_region(whole, scene, other.date, whole=True))
            continue
        for part in _stale_boxes(small, black, its, its_black, same):
            mask = _enlarged(part, scene) & ~observed
            if any((mask & region.mask).sum() >= 0.5 * mask.sum() for region in found):
                continue  # the other day is a copy itself
            found.append(_region(mask, scene, other.date, whole=False))
    return sorted(found, key=lambda region: -int(region.mask.sum()))


def _stale_boxes(
    scene: Scene, observed: BoolArray, other: Scene, black: BoolArray, same: BoolArray
) -> list[BoolArray]:
    """Boxes that are the same on two days, and break off from what is around on the first."""
    found = []
    for part in _boxes(same, scene):
        here, out = _edge(scene, observed, part)
        there, _ = _edge(other, black, part)
        alike = _correlation(scene, other, part) >= _CORRELATED
        if alike and out <= _EDGE_PX and here > _EDGE_RATIO * there:
            whole = ndimage.binary_dilation(part, _EIGHT, iterations=out) if out else part
            found.append(np.asarray(whole & ~(observed & black)))
    return found


def _reduced(scene: Scene, observed: BoolArray) -> tuple[Scene, BoolArray]:
    """Average a picture to about the usual size: what is around a pixel is one scale then."""
    factor = max(1, round(math.sqrt(observed.size / _USUAL_PX)))
    if factor == 1:
        return scene, observed
    rows, cols = (size // factor for size in observed.shape)

    def blocks(plane: NDArray[np.generic]) -> NDArray[np.generic]:
        part = plane[: rows * factor, : cols * factor]
        return part.reshape(rows, factor, cols, factor, *plane.shape[2:])

    levels = blocks(scene.pixels).mean(axis=(1, 3), dtype=np.float32)
    g = scene.georeference
    coarse = replace(
        g, rows=rows, cols=cols,
        pixel_width=g.pixel_width * factor, pixel_height=g.pixel_height * factor,
    )  # fmt: skip
    usable = (blocks(scene.state) == STATE_CODES["ok"]).all(axis=(1, 3))
    state = np.where(usable, STATE_CODES["ok"], STATE_CODES["failed"]).astype(np.uint8)
    small = replace(
        scene, pixels=np.rint(levels).astype(np.uint8), state=state, georeference=coarse
    )
    return small, np.asarray(blocks(observed).mean(axis=(1, 3)) > 0.5)


def _enlarged(mask: BoolArray, scene: Scene) -> BoolArray:
    """Give a mask of the reduced picture the size of the whole one."""
    rows, cols = scene.state.shape
    factor = max(1, rows // mask.shape[0])
    large = np.repeat(np.repeat(mask, factor, axis=0), factor, axis=1)
    beyond = ((0, rows - large.shape[0]), (0, cols - large.shape[1]))
    return np.pad(large, beyond, mode="edge") if beyond != ((0, 0), (0, 0)) else large


def same_pixels(
    scene: Scene, observed: BoolArray, other: Scene, black: BoolArray
) -> tuple[BoolArray, BoolArray]:
    """Where two pictures show the same, and where both show anything; (rows, cols) each."""
    usable = scene.state == STATE_CODES["ok"]
    usable &= other.state == STATE_CODES["ok"]
    shown = usable & ~(observed & black)
    one, two = (part.pixels[..., :3].mean(axis=2, dtype=np.float32) for part in (scene, other))
    mean = ndimage.uniform_filter(np.where(shown, np.abs(one - two), np.float32(0)), _AROUND_PX)
    weight = ndimage.uniform_filter(shown.astype(np.float32), _AROUND_PX)
    return shown & (mean <= _APART * np.maximum(weight, 0.2)), shown


def _boxes(same: BoolArray, scene: Scene) -> list[BoolArray]:
    """Boxes of parts that are large, fill their box and show something.

    What goes stale is a tile, or a part of one; ice that is the same on many days is no box.
    """
    solid = ndimage.binary_opening(same, np.ones((_AROUND_PX, _AROUND_PX), dtype=bool))
    labels, _ = ndimage.label(solid)
    found = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        its = labels[box] == number
        shown = scene.pixels[box][..., 1][its]
        if shown.size < _FEWEST_PX or its.mean() < _FILLS or shown.std() < _VARIED:
            continue
        whole = np.zeros_like(same)
        whole[box] = True
        found.append(whole)
    return found


def _correlation(scene: Scene, other: Scene, part: BoolArray) -> float:
    """Of the fine structure of two pictures in a part: ground is alike, clouds only if the same."""
    fine = []
    for picture in (scene, other):
        grey = picture.pixels[..., :3].mean(axis=2, dtype=np.float32)
        fine.append((grey - ndimage.uniform_filter(grey, _AROUND_PX))[part])
    return float(np.corrcoef(fine[0], fine[1])[0, 1])


def _edge(scene: Scene, observed: BoolArray, part: BoolArray) -> tuple[float, int]:
    """How much a part breaks off from what is around it, and how many pixels without.

    The likeness of pixels is told by their surroundings, so that the edge lies some pixels off.
    """
    grey = scene.pixels[..., :3].mean(axis=2, dtype=np.float32)
    step = _steps(grey, observed)
    apart = ndimage.distance_transform_cdt(~part, "chessboard")
    apart -= ndimage.distance_transform_cdt(part, "chessboard")
    rings = range(-2 * _AROUND_PX, 2 * _AROUND_PX + 1)
    means = {}
    for ring in rings:
        there = step[(apart == ring) & np.isfinite(step)]
        if there.size:
            means[ring] = float(there.mean())
    near = {ring: mean for ring, mean in means.items() if -2 <= ring <= _AROUND_PX}
    if not near:
        return 1.0, 0
    top = max(near, key=lambda ring: near[ring])
    return near[top] / max(float(np.median(list(means.values()))), 1e-3), max(top, 0)


def _steps(grey: FloatArray, observed: BoolArray) -> NDArray[np.float32]:
    """Steps to the next row and column, (rows, cols); NaN at black."""
    down, across = np.zeros_like(grey), np.zeros_like(grey)
    down[:-1] = np.abs(np.diff(grey, axis=0))
    across[:, :-1] = np.abs(np.diff(grey, axis=1))
    step = np.maximum(down, across)
    return np.where(ndimage.binary_dilation(observed, iterations=1), np.nan, step).astype(
        np.float32
    )


def _region(mask: BoolArray, scene: Scene, other: dt.date | None, *, whole: bool) -> Region:
    place = f"{area_words(mask, scene.georeference)} {place_words(mask, scene.georeference)}"
    what = "the whole picture" if whole else f"a part of the picture, {place},"
    of = f"of {other}" if other is not None else "of another picture"
    reason = f"Stale pixels: {what} shows the same clouds as the picture {of}."
    return Region(Kind.STALE, mask, 1.0 if whole else 0.95, reason)
