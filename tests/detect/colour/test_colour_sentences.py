"""Sentences of strange colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gibswatch.detect.colour.sentences import cluster_sentence, span_sentence
from gibswatch.detect.colour.steps import Span
from gibswatch.types import Georeference

GLOBE = Georeference(4326, -180.0, 90.0, 1.0, 1.0, 180, 360)
MASK = np.zeros(GLOBE.shape, dtype=bool)
MASK[80:90, 100:120] = True
TRUE = "VIIRS_SNPP_CorrectedReflectance_TrueColor"


def _span(shift: float) -> Span:
    return Span(
        pass_index=3,
        first_s=100.0,
        last_s=460.0,
        shift=shift,
        strength=8.91,
        closed=True,
        noise=0.05,
    )


def test_a_span_says_who_how_much_where_and_how_sure() -> None:
    names = ("2019-04-14T12:06Z", "2019-04-14T12:12Z")
    assert span_sentence(MASK, _span(-0.446), names, GLOBE, TRUE) == (
        "Miscoloration: granules 12:06 and 12:12 UTC of 2019-04-14 are off colour, green 36% lower "
        "against red and blue than is usual there: 2.5 million km2 between 80W-60W, 0-10N; the "
        "colour steps along whole scan lines, 360 s apart (8.9 standard deviations)."
    )
    open_end = replace(_span(-0.446), closed=False)
    assert "along a whole scan line (8.9" in span_sentence(MASK, open_end, names, GLOBE, TRUE)


@pytest.mark.parametrize(
    ("layer", "words"),
    [(TRUE, "against red and blue"), ("MODIS_Terra_CorrectedReflectance_Bands367", "against blue")],
)
def test_bands_that_go_together_are_compared(layer: str, words: str) -> None:
    sentence = span_sentence(MASK, _span(0.1), (), GLOBE, layer)
    assert sentence.startswith(
        "Miscoloration: a part of the picture is off colour, green 11% higher "
    )
    assert words in sentence


def test_what_green_does_not_tell_is_said_otherwise() -> None:
    sentence = span_sentence(MASK, _span(-0.008), (), GLOBE, TRUE)
    assert "green" not in sentence
    assert "of colours that are not seen there on other days or passes" in sentence


def test_a_cluster_counts_its_pixels() -> None:
    assert cluster_sentence(MASK, 150, ("2019-04-14T12:06Z",), GLOBE) == (
        "Miscoloration: granule 12:06 UTC of 2019-04-14 is off colour, 150 pixels of a colour that "
        "is not seen elsewhere: 2.5 million km2 between 80W-60W, 0-10N."
    )
