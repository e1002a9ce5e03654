"""Findings of strange colours in words: one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibswatch.detect.colour.statistics import ties_green_to_blue
from gibswatch.detect.colour.steps import Span
from gibswatch.detect.words import area_words, granule_words, place_words
from gibswatch.types import BoolArray, Georeference

__all__ = ["cluster_sentence", "span_sentence"]


_LEAST_SHIFT = 0.02
"""Of green as a log ratio: what is found with less differs in another way."""


def span_sentence(
    mask: BoolArray, span: Span, granules: Sequence[str], georeference: Georeference, layer: str
) -> str:
    """Say which part of a pass is off colour, by how much, and how sure that is.

    Parameters
    ----------
    mask : (rows, cols) ndarray of bool
        Its footprint.
    span : Span
    granules : sequence of str
        Start times, UTC.
    georeference : Georeference
    layer : str
        Identifier.
    """
    which, verb = _which(granules)
    way = "higher" if span.shift > 0 else "lower"
    others = "blue" if ties_green_to_blue(layer) else "red and blue"
    if abs(span.shift) >= _LEAST_SHIFT:
        amount = f"green {abs(np.expm1(span.shift)):.0%} {way} against {others} than is usual there"
    else:
        amount = "of colours that are not seen there on other days or passes"
    lines = f"whole scan lines, {span.last_s - span.first_s:.0f} s apart"
    return (
        f"Miscoloration: {which} {verb} off colour, {amount}: "
        f"{_extent(mask, georeference)}; the colour steps "
        f"along {lines if span.closed else 'a whole scan line'} ({span.strength:.1f} standard "
        "deviations)."
    )


def cluster_sentence(
    mask: BoolArray, strange: int, granules: Sequence[str], georeference: Georeference
) -> str:
    """Say where pixels have a colour that nature does not have.

    Parameters
    ----------
    mask : (rows, cols) ndarray of bool
        All that their granules show there.
    strange : int
        Pixels of such colours.
    granules : sequence of str
        Start times, UTC.
    georeference : Georeference
    """
    which, verb = _which(granules)
    return (
        f"Miscoloration: {which} {verb} off colour, {strange} pixels of a colour that is "
        f"not seen elsewhere: {_extent(mask, georeference)}."
    )


def _which(granules: Sequence[str]) -> tuple[str, str]:
    """Who does it, and the verb that goes with it."""
    which = granule_words(granules)
    return (which, "is" if len(granules) == 1 else "are") if which else (
        "a part of the picture", "is",
    )  # fmt: skip


def _extent(mask: BoolArray, georeference: Georeference) -> str:
    return f"{area_words(mask, georeference)} {place_words(mask, georeference)}"
