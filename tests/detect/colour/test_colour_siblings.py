"""Other pictures of the day: Earth, instrument or product, by what they show of a region."""

from __future__ import annotations

import numpy as np
import pytest

from gibswatch.detect.colour.scores import Channels, Colours
from gibswatch.detect.colour.siblings import Difference, see_difference, settle
from gibswatch.detect.colour.statistics import chroma_of
from gibswatch.detect.context import Region
from gibswatch.types import Kind

_OWN = Difference("VIIRS_SNPP_CorrectedReflectance_TrueColor", "SNPP", 1.0, -0.10)
_MASK = np.ones((4, 4), dtype=bool)
_REGION = Region(Kind.MISCOLORATION, _MASK, 0.7, "Miscoloration: green is lower.")


def _other(satellite: str, product: str, shift: float, shown: float = 1.0) -> Difference:
    layer = f"VIIRS_{satellite}_CorrectedReflectance_{product}"
    return Difference(layer, satellite, shown, shift)


def test_what_another_satellite_shows_too_is_the_earth() -> None:
    region, sentence = settle(_REGION, _OWN, [_other("NOAA20", "TrueColor", -0.08)])
    assert region is None
    assert sentence == "NOAA20 shows the same colour on the same day: it is the Earth's."


@pytest.mark.parametrize("shift", [0.1, 0.0, -0.02])
def test_what_it_does_not_show_is_not_the_earth(shift: float) -> None:
    region, sentence = settle(_REGION, _OWN, [_other("NOAA20", "TrueColor", shift)])
    assert region is not None
    assert region.mask is _REGION.mask
    if abs(shift) < 0.025:
        assert sentence == "NOAA20 does not show it on the same day: it is not the Earth."
        assert region.reason == f"{_REGION.reason} {sentence}"
    else:
        assert sentence == ""


def test_what_it_shows_too_little_of_settles_nothing() -> None:
    assert settle(_REGION, _OWN, [_other("NOAA20", "TrueColor", -0.1, shown=0.2)]) == (_REGION, "")


def test_a_region_that_green_does_not_tell_is_left_alone() -> None:
    faint = Difference(_OWN.layer, "SNPP", 1.0, -0.008)
    assert settle(_REGION, faint, [_other("NOAA20", "TrueColor", -0.005)]) == (_REGION, "")
    unseen = Difference(_OWN.layer, "SNPP", 0.0, 0.0)
    assert settle(_REGION, unseen, [_other("SNPP", "BandsM11-I2-I1", 0.0001)]) == (_REGION, "")


def test_who_shows_all_of_it_goes_before_who_shows_a_part() -> None:
    others = [_other("Aqua", "TrueColor", -0.06, shown=0.3), _other("NOAA20", "TrueColor", 0.0)]
    region, sentence = settle(_REGION, _OWN, others)
    assert region is not None
    assert sentence == "NOAA20 does not show it on the same day: it is not the Earth."


def test_two_products_of_one_satellite_name_the_instrument() -> None:
    _, sentence = settle(_REGION, _OWN, [_other("SNPP", "BandsM11-I2-I1", 0.09)])
    assert sentence == (
        "BandsM11-I2-I1 of the same satellite differs there too: it is the instrument."
    )


def test_one_product_alone_is_named() -> None:
    _, sentence = settle(_REGION, _OWN, [_other("SNPP", "BandsM11-I2-I1", 0.0)])
    assert sentence.endswith("it is this product, or a band that it alone has.")


def test_sensors_and_products_are_said_together() -> None:
    others = [_other("NOAA20", "TrueColor", 0.0), _other("SNPP", "BandsM11-I2-I1", 0.09)]
    region, sentence = settle(_REGION, _OWN, others)
    assert region is not None
    assert "not the Earth" in sentence
    assert "the instrument" in sentence


def test_other_kinds_and_itself_are_left_alone() -> None:
    missing = Region(Kind.MISSING_UNEXPECTED, _MASK, 0.7, "Missing.")
    assert settle(missing, _OWN, [_other("NOAA20", "TrueColor", -0.1)]) == (missing, "")
    assert settle(_REGION, _OWN, [_OWN]) == (_REGION, "")


def test_a_difference_is_inside_less_around() -> None:
    shape = (40, 60)
    inside = np.zeros(shape, dtype=bool)
    inside[10:20, 20:40] = True
    usable = np.ones(shape, dtype=bool)
    usable[10:15] = False
    lat, lon = (plane[usable] for plane in np.indices(shape).astype(float))
    pixels = np.full((int(usable.sum()), 3), 120, dtype=np.uint8)
    chroma = chroma_of(pixels, lon, lat)
    bright = np.zeros(lon.size, dtype=bool)
    colours = Colours(1, usable, lon, lat, chroma, (bright, bright))
    green = np.where(inside[usable], 0.22, 0.02)
    channels = Channels(green, np.zeros(lon.size), np.full(lon.size, 0.03), bright, 2.0)
    seen = see_difference(inside, colours, channels, layer="A", satellite="S")
    assert seen.shown == pytest.approx(0.5)
    assert seen.shift == pytest.approx(0.2)  # whatever the scale of its product
    nothing = see_difference(~usable, colours, channels, layer="A", satellite="S")
    assert (nothing.shown, nothing.shift) == (0.0, 0.0)
