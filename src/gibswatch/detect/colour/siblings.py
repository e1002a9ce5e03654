"""Other pictures of the same day: whether a colour is the Earth's, the instrument's or a product's.

Where another satellite shows the same difference at the same place, it is dust, smoke or bloom, not
the instrument.  Where another product of the same satellite shows it too, the instrument or what
all products share is wrong; where none does, only this product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.colour.scores import Channels, Colours
from gibswatch.detect.context import Region
from gibswatch.types import BoolArray, Kind

__all__ = ["Difference", "see_difference", "settle"]

_FEWEST_PX = 20
_LEAST_SHARE = 0.3
"""Of a region that another picture must show to be asked."""
_AROUND_PX = 6
"""How far around a region its surroundings reach."""
_LEAST_SHIFT = 0.03
"""Own difference under which nothing can be compared: other colours tell such a region."""
_SAME = 0.5
"""Share of a difference from which another one is the same."""
_NONE = 0.25
"""Share under which it is none."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much of a region another picture, or the own one, shows, and how its colour differs."""

    layer: str
    satellite: str
    shown: float
    """Share of the region that is usable there, 0-1."""
    shift: float
    """`green` inside less around, as a log ratio: a gain shifts it alike in every product."""


def see_difference(
    mask: BoolArray, colours: Colours, channels: Channels, *, layer: str, satellite: str
) -> Difference:
    """Measure a region in a picture of the same grid.

    Parameters
    ----------
    mask : (rows, cols) ndarray of bool
        The region.
    colours : Colours
        Of any picture of the grid.
    channels : Channels
        Of the same, against the usual of its own layer.
    layer, satellite : str
        Whose picture it is.
    """
    first = colours.step // 2
    inside = mask[first :: colours.step, first :: colours.step]
    around = ndimage.binary_dilation(inside, np.ones((3, 3), dtype=bool), iterations=_AROUND_PX)
    around &= ~inside
    green = channels.green
    within, beside = green[inside[colours.usable]], green[around[colours.usable]]
    if within.size < _FEWEST_PX:
        return Difference(layer, satellite, 0.0, 0.0)
    shown = within.size / max(int(inside.sum()), 1)
    return Difference(layer, satellite, shown, _mean(within) - _mean(beside))


def _mean(values: NDArray[np.floating[Any]]) -> float:
    return float(values.mean()) if values.size else 0.0


def settle(
    region: Region, own: Difference, others: Sequence[Difference]
) -> tuple[Region | None, str]:
    """Say of a miscoloured region whose colour it is.

    Parameters
    ----------
    region : Region
        Of kind 3; others are returned as they are.
    own : Difference
        The region in its own picture.
    others : sequence of Difference
        The same region in pictures of the same day and grid.

    Returns
    -------
    region : Region or None
        With a sentence more; None if it is the Earth that has this colour.
    sentence : str
        What was settled, empty if nothing.
    """
    told = own.shown >= _LEAST_SHARE and abs(own.shift) >= _LEAST_SHIFT
    if region.kind is not Kind.MISCOLORATION or not told:
        return region, ""
    asked = [other for other in others if other.shown >= _LEAST_SHARE and other.layer != own.layer]
    elsewhere = [other for other in asked if other.satellite != own.satellite]
    alike = [other for other in elsewhere if _same(own, other)]
    against = max((other.shown for other in elsewhere if _none(own, other)), default=0.0)
    if alike and max(other.shown for other in alike) >= against:
        who = max(alike, key=lambda other: other.shown)
        return None, f"{who.satellite} shows the same colour on the same day: it is the Earth's."
    sentence = " ".join(
        part for part in (_of_sensors(own, elsewhere), _of_products(own, asked)) if part
    )
    if not sentence:
        return region, ""
    return replace(region, reason=f"{region.reason} {sentence}"), sentence


def _of_sensors(own: Difference, elsewhere: Sequence[Difference]) -> str:
    clear = [other for other in elsewhere if _none(own, other)]
    if not clear:
        return ""
    return f"{clear[0].satellite} does not show it on the same day: it is not the Earth."


def _of_products(own: Difference, asked: Sequence[Difference]) -> str:
    products = [other for other in asked if other.satellite == own.satellite]
    alike = [other for other in products if abs(other.shift) >= _SAME * abs(own.shift)]
    if alike:
        names = ", ".join(_product(other.layer) for other in alike)
        return f"{names} of the same satellite differs there too: it is the instrument."
    if products and all(_none(own, other) for other in products):
        names = ", ".join(_product(other.layer) for other in products)
        return (
            f"{names} of the same satellite shows nothing there: "
            "it is this product, or a band that it alone has."
        )
    return ""


def _same(own: Difference, other: Difference) -> bool:
    return own.shift * other.shift > 0 and abs(other.shift) >= _SAME * abs(own.shift)


def _none(own: Difference, other: Difference) -> bool:
    return abs(other.shift) < _NONE * abs(own.shift)


def _product(layer: str) -> str:
    """Last part of a layer's name.

    >>> _product("VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1")
    'BandsM11-I2-I1'
    """
    return layer.rpartition("_")[2]
