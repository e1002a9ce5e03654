"""Damage that decoders pass over in silence is told by the codes; sound JPEGs are left alone."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from gibswatch.errors import DecodeError
from gibswatch.raster.codec import decode_picture, encode_picture
from gibswatch.raster.jpeg_stream import stream_problem
from gibswatch.types import ByteArray

pytest.importorskip("numba")


def clouds(side: int = 256, seed: int = 3) -> ByteArray:
    """White clouds over a dark sea, in all sizes."""
    drawn = np.random.default_rng(seed)
    noise = sum(ndimage.gaussian_filter(drawn.normal(size=(side, side)), s) * s for s in (1, 4, 16))
    shade = np.clip(40 + 260 * noise, 0, 255)
    return np.dstack([shade, 0.9 * shade + 10, 0.8 * shade + 40]).clip(0, 255).astype(np.uint8)


def jpeg(pixels: ByteArray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def scrambled(body: bytes, place: float, length: int, seed: int) -> bytes:
    """Write other bytes, none of them a marker, at a share of the coded data."""
    start = body.index(b"\xff\xda") + 2
    start += int.from_bytes(body[start : start + 2], "big")
    at = start + int(place * (len(body) - 2 - length - start))
    other = np.random.default_rng(seed).integers(0, 255, length, dtype=np.uint8).tobytes()
    return body[:at] + other + body[at + length :]


def decodes(body: bytes) -> bool:
    try:
        decode_picture(body, image_format="jpg", known=True)
    except DecodeError:
        return False
    return True


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 90, "subsampling": 0},
        {"quality": 75, "subsampling": 1},
        {"quality": 75, "subsampling": 2},
        {"quality": 30, "optimize": True},
        {"quality": 100},
        {"quality": 80, "restart_marker_blocks": 3},
        {"quality": 80, "restart_marker_rows": 1},
        {"quality": 90, "progressive": True},
    ],
    ids=str,
)
def test_sound_jpegs_of_all_sorts_have_no_problem(options: dict[str, Any]) -> None:
    pixels = clouds()[:200, :150]
    assert not stream_problem(jpeg(pixels, **options))
    assert not stream_problem(jpeg(pixels[..., 0], **options))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), quality=st.integers(1, 100), blocks=st.integers(1, 8))
def test_no_picture_is_out_of_range_however_harsh(seed: int, quality: int, blocks: int) -> None:
    drawn = np.random.default_rng(seed)
    harsh = drawn.choice(np.array([0, 255], np.uint8), (64, 64, 3))
    pixels = np.kron(harsh[::blocks, ::blocks], np.ones((blocks, blocks, 1), np.uint8))
    assert not stream_problem(encode_picture(pixels, "jpg", quality=quality))
    assert not stream_problem(jpeg(pixels, quality=quality))


def test_most_scrambled_pictures_that_libjpeg_shows_are_refused() -> None:
    sound = clouds()
    shown = told = 0
    for seed in range(120):
        body = jpeg(sound, quality=75)
        bad = scrambled(body, seed / 120, 20, seed)
        if not decodes(bad):
            continue
        pixels = decode_picture(bad, image_format="jpg", known=True).astype(int)
        before = decode_picture(body, image_format="jpg").astype(int)
        if (np.abs(pixels - before).max(axis=2) > 8).mean() > 0.01:
            shown += 1
            told += bool(stream_problem(bad))
    assert shown >= 20
    assert told >= 0.7 * shown


def test_the_codec_refuses_it_and_says_where() -> None:
    body = jpeg(clouds(), quality=75)
    bad = next(
        one
        for seed in range(200)
        if decodes(one := scrambled(body, 0.5, 20, seed)) and stream_problem(one)
    )
    with pytest.raises(DecodeError, match=r"damaged JPEG: a block has .* \(row \d+\)"):
        decode_picture(bad, image_format="jpg")


def test_damage_after_a_restart_is_found_too() -> None:
    body = jpeg(clouds(), quality=75, restart_marker_rows=2)
    bad = [scrambled(body, 0.7, 12, seed) for seed in range(60)]
    assert any(stream_problem(one) for one in bad if decodes(one))


@pytest.mark.parametrize("cut", [2, 3, 20, 100, 180, 400, 620])
def test_a_stump_is_not_its_business(cut: int) -> None:
    body = jpeg(clouds()[:64, :64], quality=75)
    assert not stream_problem(body[:cut])
