"""Pictures of one or a few colours carry no information; dark and plain ones may."""

from __future__ import annotations

import numpy as np
import pytest

from gibswatch.raster.blank import FEW_COLOURS, blankness
from gibswatch.raster.codec import decode_picture, encode_picture
from gibswatch.types import ByteArray


def plain(*colour: int) -> ByteArray:
    return np.full((200, 300, 3), colour, dtype=np.uint8)


def noisy(levels: int) -> ByteArray:
    noise = np.random.default_rng(1).integers(0, levels, (200, 300, 1))
    return (plain(128, 128, 128) + noise).astype(np.uint8)


@pytest.mark.parametrize("colour", [(255, 255, 255), (128, 128, 128), (13, 13, 13), (0, 90, 200)])
def test_one_colour_is_named(colour: tuple[int, int, int]) -> None:
    encoded = decode_picture(encode_picture(plain(*colour), "jpg"), image_format="jpg")
    words = blankness(plain(*colour))
    assert words == "all of it is of one colour, RGB " + " ".join(map(str, colour))
    assert blankness(encoded).startswith("all of it is of one colour")


def test_a_few_colours_are_counted() -> None:
    assert blankness(noisy(3)) == "it has 3 colours in all, where imagery has thousands"
    assert blankness(noisy(FEW_COLOURS))
    assert not blankness(noisy(FEW_COLOURS + 4))


def test_stray_pixels_and_black_gaps_do_not_hide_it() -> None:
    picture = plain(200, 200, 200)
    picture[:, 100:150] = 0
    picture[7, 3:40] = np.arange(37)[:, np.newaxis] + 20
    assert blankness(picture).startswith("all of it is of one colour")


def test_what_is_nearly_all_black_is_a_matter_of_missing_data() -> None:
    picture = plain(0, 0, 0)
    assert not blankness(picture)
    picture[:5] = 255
    assert not blankness(picture)


def test_a_plain_ramp_carries_information() -> None:
    ramp = np.broadcast_to(np.linspace(20, 60, 300)[:, np.newaxis], (200, 300, 3))
    assert not blankness(ramp.astype(np.uint8))
