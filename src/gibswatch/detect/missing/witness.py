"""Second witnesses: the mask layer, and true colour beside products whose sea is dark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import Context
from gibswatch.raster.observe import black_rule
from gibswatch.raster.scene import Scene, brightest_channel
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, ByteArray

__all__ = ["Dark", "dark_planes", "raw_black", "second_witness"]

BLACK_LEVEL = 12
"""Of the brightest channel.  No solid black is left on 120 real clean days up to here."""
_LOW_SUN_DEG = (74.0, 80.0)
_LOW_SUN_LEVEL = 1
"""From the second angle on; falling between them.  Shadows of clouds are as dark as 1-20 under a
low Sun (79 N on 2020-09-27), missing data are 0 but for their rims."""
_DIM_LEVEL = 20
_LINE_LEVEL = 1
_LINE_S = 4.43
"""Three scans of MODIS, two and a half of VIIRS."""
_LINE_PIXELS = 200
_LINE_SHARE = 0.98
"""Of the pixels of such a line: on a real tile the darkest of 120 days reached 0.97."""
_CONFIRMED = 0.8
_CONTRADICTED = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Dark:
    """Where a picture is dark; planes are (rows, cols)."""

    black: BoolArray
    """So dark that it is no imagery: evidence."""
    dim: BoolArray
    """Darker than imagery, `black` included: rims of holes after encoding."""
    edges: BoolArray
    """What the edges of gaps and of the night are measured on."""


def dark_planes(
    scene: Scene, observed: BoolArray, expectation: Expectation, context: Context
) -> Dark:
    """Say where a picture is dark.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.  It is opened and loses strips of a few scans, so that evidence is taken
        from the raw levels.
    expectation : Expectation
    context : Context
        In products whose sea is dark its true colour decides.  Where that shows imagery, or is not
        there, only scan lines count that are black over all of the swath's width.
    """
    if scene.image_format == "png":
        return Dark(observed, observed, observed)
    brightest = brightest_channel(scene.pixels)
    black, dim = brightest <= BLACK_LEVEL, brightest <= _DIM_LEVEL
    black &= brightest <= _level(expectation.sza_deg)
    if black_rule(scene.layer).min_pixels == 1:
        return Dark(black, dim, observed)
    lines = _black_lines(brightest, expectation)
    other = context.true_colour()
    if other is None:
        return Dark(black & lines, dim & lines, observed)
    wanted = other.no_data | lines
    return Dark(black & wanted, dim & wanted, other.no_data)


def raw_black(scene: Scene) -> BoolArray:
    """Mark black by its level alone, as evidence is taken: what true colour witnesses.

    Parameters
    ----------
    scene : Scene
        True colour; of a PNG what is fully transparent.
    """
    if scene.image_format == "png":
        return np.asarray(scene.pixels[..., 3] == 0)
    return np.asarray(brightest_channel(scene.pixels) <= BLACK_LEVEL)


def _level(sza_deg: NDArray[np.float32]) -> NDArray[np.float32]:
    """Up to which level a pixel is evidence, by its solar zenith angle; NaN is night."""
    level = np.interp(sza_deg, _LOW_SUN_DEG, (BLACK_LEVEL, _LOW_SUN_LEVEL))
    return np.nan_to_num(level, nan=_LOW_SUN_LEVEL).astype(np.float32)


def _black_lines(brightest: ByteArray, expectation: Expectation) -> BoolArray:
    """Mark the scan lines that are black over all of the swath that the picture shows."""
    seen = expectation.covered & (expectation.pass_index >= 0)
    lines = np.zeros(seen.shape, dtype=bool)
    if not seen.any():
        return lines
    line = _line_numbers(expectation, seen)
    count = np.bincount(line)
    dark = np.bincount(line, weights=brightest[seen] <= _LINE_LEVEL)
    black = (count >= _LINE_PIXELS) & (dark >= _LINE_SHARE * count)
    lines[seen] = black[line]
    return lines


def _line_numbers(expectation: Expectation, seen: BoolArray) -> NDArray[np.intp]:
    """Number of the scan line of each pixel that a pass sees, by pass and time."""
    time = expectation.time_s[seen]
    step = ((time - time.min()) / _LINE_S).astype(np.int64)
    code = expectation.pass_index[seen] * (int(step.max()) + 1) + step
    return np.asarray(code - code.min(), dtype=np.intp)


def second_witness(mask: BoolArray, context: Context) -> str:
    """Say what the mask layer has at a hole; empty if it has no say."""
    witness = context.mask_layer()
    if witness is None or not mask.any():
        return ""
    share = float(np.mean(witness.no_data[mask]))
    if share >= _CONFIRMED:
        return f" {witness.layer} says no data there too."
    if share <= _CONTRADICTED:
        return f" {witness.layer} has data there: the product, not the instrument."
    return f" {witness.layer} says no data on {share:.0%} of it."
