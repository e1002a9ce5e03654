"""Reflectance to the colours of the corrected-reflectance layers."""

import numpy as np
import pytest

from gibswatch.errors import UsageError
from gibswatch.simulate.days.products import (
    BAND_TRIPLES,
    BANDS,
    bands_of,
    brightness_of,
    reflectance_of,
    to_rgb,
)

WHITE = {"Bands721": 1.18, "BandsM11-I2-I1": 1.18}
"""Reflectance that a product shows as white, where it is not 1.1."""


def test_the_stretch_is_steep_in_the_dark() -> None:
    levels = brightness_of(np.array([0.0, 30 / 255 * 1.1, 1.1, 2.0]))
    np.testing.assert_allclose(levels, [0, 110, 255, 255], atol=0.2)


def test_the_stretch_never_falls() -> None:
    assert (np.diff(brightness_of(np.linspace(-0.1, 1.3, 500))) >= 0).all()


def test_the_inverse_returns_the_reflectance() -> None:
    levels = np.arange(256)
    np.testing.assert_allclose(brightness_of(reflectance_of(levels)), levels, atol=0.6)


@pytest.mark.parametrize("product", BAND_TRIPLES)
def test_each_channel_shows_its_band(product: str) -> None:
    for channel, band in enumerate(BAND_TRIPLES[product]):
        stack = np.zeros((2, 3, len(BANDS)), np.float32)
        stack[..., BANDS.index(band)] = WHITE.get(product, 1.1)
        rgb = to_rgb(stack, product)
        assert rgb.dtype == np.uint8
        assert (rgb[..., channel] == 255).all()
        assert (np.delete(rgb, channel, axis=-1) == 0).all()


def test_a_subset_of_bands_gives_the_same_picture() -> None:
    stack = np.random.default_rng(1).random((4, 5, len(BANDS)), dtype=np.float32)
    names = bands_of("Bands721")
    chosen = stack[..., [BANDS.index(name) for name in names]]
    assert names == ("red", "nir", "swir21")
    np.testing.assert_array_equal(to_rgb(chosen, "Bands721", names), to_rgb(stack, "Bands721"))


def test_darkest_data_is_not_no_data() -> None:
    assert (to_rgb(np.full((1, 1, 6), 1e-3), "TrueColor") > 0).all()
    assert (to_rgb(np.zeros((1, 1, 6)), "TrueColor") == 0).all()


def test_dark_sea_is_black_in_the_false_colour_of_the_near_infrared() -> None:
    levels = np.tile(np.array([0.01, 0.0, 0.10, 0.8])[:, np.newaxis], len(BANDS))
    true, false = (to_rgb(levels, product) for product in ("TrueColor", "Bands721"))
    assert (false[:2] == 0).all()
    assert (true[0] > 5).all()
    # Red of the same scenes of Terra, in true colour and as the blue channel of Bands721.
    np.testing.assert_allclose(true[2:, 0], [85, 238], atol=2)
    np.testing.assert_allclose(false[2:, 2], [60, 232], atol=2)


def test_hostile_values_are_shown_as_black_or_white() -> None:
    stack = np.zeros((1, 4, 6), np.float32)
    stack[0, :, :] = np.array([np.nan, -1.0, np.inf, -np.inf])[:, np.newaxis]
    before = stack.copy()
    np.testing.assert_array_equal(to_rgb(stack, "TrueColor")[0, :, 0], [0, 0, 255, 0])
    np.testing.assert_array_equal(stack, before)


def test_an_unknown_product_names_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"'Bands143'.*TrueColor"):
        bands_of("Bands143")


def test_a_missing_band_is_named() -> None:
    with pytest.raises(UsageError, match="nir"):
        to_rgb(np.zeros((1, 1, 2)), "Bands721", ("red", "swir21"))
