"""Pictures as GIBS serves them."""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from PIL import Image

from gibswatch.raster.codec import decode_picture
from gibswatch.simulate.days.encode import (
    NO_DATA_COLOUR,
    decode_jpeg,
    encode_jpeg,
    encode_no_data,
    no_data_picture,
)


def test_jpeg_has_the_chroma_of_the_service() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    data = encode_jpeg(rgb, 80)
    assert simplejpeg.decode_jpeg_header(data)[3] == "420"
    assert decode_jpeg(data).shape == rgb.shape
    assert len(encode_jpeg(rgb, 95)) > len(data)


def test_black_stays_black() -> None:
    rgb = np.zeros((64, 64, 3), dtype=np.uint8)
    rgb[:, 32:] = 200
    assert not decode_jpeg(encode_jpeg(rgb, 75))[:, :16].any()


def test_mask_layers_are_palette_png_in_the_colours_of_the_service() -> None:
    covered = np.zeros((30, 40), dtype=bool)
    covered[5:20, 10:30] = True
    data = encode_no_data(covered)
    image = Image.open(io.BytesIO(data))
    assert image.mode == "P"
    pixels = decode_picture(data, image_format="png")
    assert np.array_equal(pixels, no_data_picture(covered))
    assert tuple(pixels[0, 0]) == (*NO_DATA_COLOUR, 255) == (202, 170, 86, 255)
    assert tuple(pixels[6, 12]) == (0, 0, 0, 0)
