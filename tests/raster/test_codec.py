"""A picture is whole and what it claims to be, or it is refused; nothing in between."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gibswatch.errors import DecodeError
from gibswatch.raster.codec import (
    decode_picture,
    encode_mask,
    encode_picture,
    picture_format,
    read_picture,
)
from gibswatch.types import ByteArray, ImageFormat, Kind

SIDE = 64
JPEG_END = b"\xff\xd9"


def texture() -> ByteArray:
    """RGB picture with slopes and noise, so that no stretch of its file is empty."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    noise = np.random.default_rng(0).integers(0, 60, (SIDE, SIDE, 3))
    slopes = np.dstack([rows * 2, cols * 2, rows + cols])
    return (slopes + noise).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


PNG_END = chunk(b"IEND", b"")


def png(*chunks: bytes, size: tuple[int, int] = (SIDE, SIDE), bits: int = 8) -> bytes:
    """Build an RGB PNG of these chunks."""
    header = struct.pack(">IIBBBBB", size[1], size[0], bits, 2, 0, 0, 0)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *chunks, PNG_END])


RGB = texture()
RGBA = np.dstack([RGB, RGB[..., 0]])
ROWS = b"".join(b"\0" + row.tobytes() for row in RGB)
DATA = chunk(b"IDAT", zlib.compress(ROWS))
JPEGS = {
    "baseline": saved(Image.fromarray(RGB), "JPEG", quality=90),
    "progressive": saved(Image.fromarray(RGB), "JPEG", quality=90, progressive=True),
    "restarts": saved(Image.fromarray(RGB), "JPEG", quality=90, restart_marker_blocks=4),
    "420": saved(Image.fromarray(RGB), "JPEG", quality=75, subsampling=2),
}
PNGS = {
    "rgba": saved(Image.fromarray(RGBA), "PNG"),
    "built": png(DATA),
    "two data chunks": png(
        chunk(b"IDAT", zlib.compress(ROWS)[:1000]), chunk(b"IDAT", zlib.compress(ROWS)[1000:])
    ),
}
WHOLE: dict[str, tuple[bytes, ImageFormat]] = {
    **{name: (data, "jpg") for name, data in JPEGS.items()},
    **{name: (data, "png") for name, data in PNGS.items()},
}


def refused(data: bytes, image_format: ImageFormat, message: str = ".") -> None:
    with pytest.raises(DecodeError, match=message):
        decode_picture(data, image_format=image_format)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_pictures_pass(name: str) -> None:
    data, image_format = WHOLE[name]
    pixels = decode_picture(data, image_format=image_format, shape=(SIDE, SIDE))
    assert pixels.shape == (SIDE, SIDE, 3 if image_format == "jpg" else 4)
    assert pixels.dtype == np.uint8
    assert picture_format(data) == image_format
    difference = np.abs(pixels[..., :3].astype(int) - RGB).mean()
    assert difference < (25 if image_format == "jpg" else 1e-9)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("percent", range(0, 100, 5))
def test_every_truncation_is_refused(name: str, percent: int) -> None:
    data, image_format = WHOLE[name]
    cut = data[: len(data) * percent // 100]
    refused(cut, image_format)
    refused(cut + (JPEG_END if image_format == "jpg" else PNG_END), image_format)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("missing", [1, 2, 12, 200])
def test_a_missing_end_is_refused(name: str, missing: int) -> None:
    data, image_format = WHOLE[name]
    refused(data[:-missing], image_format, "short|damaged")


@pytest.mark.parametrize("name", WHOLE)
def test_what_follows_the_end_is_refused(name: str) -> None:
    data, image_format = WHOLE[name]
    refused(data + b"garbage", image_format)
    refused(data + b"\0", image_format)
    refused(data + data, image_format, "end")
    refused(data + b"x" + (JPEG_END if image_format == "jpg" else PNG_END), image_format)


@pytest.mark.parametrize("name", ["baseline", "progressive", "420"])
def test_a_hole_in_the_middle_of_a_jpeg_is_refused(name: str) -> None:
    data = JPEGS[name]
    middle = len(data) // 2
    refused(data[:middle] + data[middle + 300 :], "jpg", "damaged JPEG")


@pytest.mark.parametrize("name", PNGS)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_one_wrong_bit_in_a_png_is_refused(name: str, share: float) -> None:
    data = bytearray(PNGS[name])
    data[int(len(data) * share)] ^= 1
    refused(bytes(data), "png", "checksum")


def test_a_wrong_checksum_is_refused() -> None:
    for end in (33, len(PNGS["built"]) - 12):  # behind the header, behind the image data
        data = bytearray(PNGS["built"])
        data[end - 1] ^= 1
        refused(bytes(data), "png", "checksum of its b'(IHDR|IDAT)' chunk")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (zlib.compress(ROWS[: len(ROWS) // 2]), "image data"),  # rows missing, stream whole
        (zlib.compress(ROWS[:-1]), "image data"),
        (zlib.compress(ROWS + ROWS), "image data"),
        (zlib.compress(ROWS)[:1000], "image data"),
        (zlib.compress(ROWS)[:-4], "image data"),
        (zlib.compress(ROWS)[:-4] + b"abcd", "incorrect data check"),
        (b"not a stream", "damaged PNG"),
        (b"", "image data"),
    ],
)
def test_png_data_with_right_checksums_must_fill_the_picture(body: bytes, message: str) -> None:
    refused(png(chunk(b"IDAT", body)), "png", message)


def test_png_without_data_or_header() -> None:
    refused(png(), "png", "0 bytes of image data")
    refused(b"\x89PNG\r\n\x1a\n" + DATA + PNG_END, "png", "does not begin with its header")
    refused(png(DATA, size=(0, SIDE)), "png", "header is not one")


def test_interlaced_png() -> None:
    # Adam7 by hand: 3 x 2 pixels of grey, passes 1, 4, 5 and 7 (and 6) hold pixels.
    passes = [b"\0\x01", b"\0\x03", b"\0\x02", b"\0\x04\x05\x06"]
    header = struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 1)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    data = start + chunk(b"IDAT", zlib.compress(b"".join(passes))) + PNG_END
    pixels = decode_picture(data, image_format="png")
    np.testing.assert_array_equal(pixels[..., 0], [[1, 2, 3], [4, 5, 6]])
    short = start + chunk(b"IDAT", zlib.compress(b"".join(passes[:3]))) + PNG_END
    refused(short, "png", "image data")


def test_other_kinds_of_jpeg_come_out_as_rgb() -> None:
    grey = decode_picture(saved(Image.fromarray(RGB[..., 0]), "JPEG"), image_format="jpg")
    assert grey.shape == (SIDE, SIDE, 3)
    assert (grey[..., 0] == grey[..., 2]).all()
    cmyk = saved(Image.new("CMYK", (SIDE, SIDE), (0, 255, 255, 0)), "JPEG")
    try:
        pixels = decode_picture(cmyk, image_format="jpg")
    except DecodeError:
        return  # older libjpeg-turbo: refused is as good
    assert pixels.shape == (SIDE, SIDE, 3)


def test_16_bit_png_keeps_the_high_byte() -> None:
    grey = decode_picture(
        saved(Image.fromarray(RGB[..., 0].astype(np.uint16) * 257), "PNG"), image_format="png"
    )
    np.testing.assert_array_equal(grey[..., 1], RGB[..., 0])
    assert (grey[..., 3] == 255).all()
    deep = b"".join(b"\0" + row.tobytes() for row in RGB.astype(">u2") * 257)
    colour = decode_picture(png(chunk(b"IDAT", zlib.compress(deep)), bits=16), image_format="png")
    np.testing.assert_array_equal(colour[..., :3], RGB)


def test_16_bit_png_keeps_its_transparent_value() -> None:
    grey = np.full((SIDE, SIDE), 4000, dtype=np.uint16)
    grey[:10] = 0
    data = saved(Image.fromarray(grey), "PNG", transparency=0)
    alpha = decode_picture(data, image_format="png")[..., 3]
    assert (alpha[:10] == 0).all()
    assert (alpha[10:] == 255).all()


def test_palette_png_with_transparency() -> None:
    index = np.zeros((SIDE, SIDE), dtype=np.uint8)
    index[:, 20:] = 3
    image = Image.frombytes("P", (SIDE, SIDE), index.tobytes())
    image.putpalette([9, 9, 9, 0, 0, 0, 0, 0, 0, 200, 100, 50])
    pixels = decode_picture(saved(image, "PNG", transparency=0), image_format="png")
    assert (pixels[:, :20, 3] == 0).all()
    assert (pixels[:, 20:] == (200, 100, 50, 255)).all()


def test_animated_png_gives_its_first_picture() -> None:
    frames = [Image.fromarray(RGB), *(Image.fromarray(RGB + n) for n in range(1, 40))]
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode_picture(data, image_format="png")[..., :3], RGB)


BOMB = zlib.compress(bytes(100_000_000))


@pytest.mark.parametrize(
    "bomb",
    [
        png(chunk(b"zTXt", b"k\0\0" + BOMB), DATA),
        png(DATA, chunk(b"zTXt", b"k\0\0" + BOMB)),
        png(chunk(b"iTXt", b"k\0\1\0\0\0" + BOMB), DATA),
        png(chunk(b"iCCP", b"k\0\0" + BOMB), DATA),
        png(chunk(b"IDAT", BOMB)),
        png(DATA, size=(60_000, 60_000)),
        png(DATA, size=(2**31 - 1, 2**31 - 1)),
        JPEGS["baseline"].replace(
            b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", SIDE, SIDE),
            b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 60_000, 60_000),
        ),
    ],
    ids=["zTXt", "zTXt behind", "iTXt", "iCCP", "data", "60000 PNG", "2G PNG", "60000 JPEG"],
)
def test_bombs_are_refused_in_little_memory(bomb: bytes) -> None:
    image_format = picture_format(bomb)
    assert image_format is not None
    tracemalloc.start()
    try:
        refused(bomb, image_format)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_limit_smaller_than_the_picture() -> None:
    for data, image_format in WHOLE.values():
        with pytest.raises(DecodeError, match="64x64 pixels is over the limit of 4000"):
            decode_picture(data, image_format=image_format, max_pixels=4000)
        with pytest.raises(DecodeError, match="64x64 pixels where 512x256 belong"):
            decode_picture(data, image_format=image_format, shape=(256, 512))


def test_more_pixels_than_pillow_would_open() -> None:
    side = 13_500  # 182 million: Image.open refuses over 179
    rows = zlib.compress(bytes(side * (1 + side // 8 + 1)))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    refused(start + chunk(b"IDAT", rows[:-9]) + PNG_END, "png", "image data")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"<html><body>busy</body>", "23 bytes that begin '<html><body>busy"),
        (b'<?xml version="1.0"?>\n<ServiceExceptionReport>', "bytes that begin '<.xml"),
        (b"\0\1\x1b[31m" + b"x" * 500, r"507 bytes that begin '\.\.\.\[31mx"),
        (PNGS["rgba"], "not a JPEG but a PNG"),
    ],
)
def test_the_refusal_names_what_came_instead(body: bytes, message: str) -> None:
    refused(body, "jpg", message)


def test_a_jpeg_for_a_png_layer() -> None:
    refused(JPEGS["baseline"], "png", "not a PNG but a JPEG")


def test_read_picture(tmp_path: Path) -> None:
    path = tmp_path / "day.jpg"  # the bytes tell the format, not the name
    path.write_bytes(PNGS["rgba"])
    pixels, image_format = read_picture(path)
    assert image_format == "png"
    np.testing.assert_array_equal(pixels, RGBA)
    path.write_bytes(PNGS["rgba"][:100])
    with pytest.raises(DecodeError, match=r"day\.jpg: short PNG"):
        read_picture(path)
    path.write_bytes(b"")
    with pytest.raises(DecodeError, match=r"day\.jpg is no JPEG or PNG but empty"):
        read_picture(path)
    with pytest.raises(DecodeError, match="cannot be read: No such file"):
        read_picture(tmp_path / "none.jpg")


@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]), st.binary(max_size=300))
def test_random_bytes_are_refused(start: bytes, body: bytes) -> None:
    for image_format, end in (("jpg", JPEG_END), ("png", PNG_END)):
        for data in (start + body, start + body + end):
            with pytest.raises(DecodeError):
                decode_picture(data, image_format=image_format)  # type: ignore[arg-type]


@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=5),
)
def test_mutated_pictures_decode_to_the_shape_or_are_refused(
    name: str, changes: list[tuple[float, int]]
) -> None:
    data, image_format = WHOLE[name]
    mutated = bytearray(data)
    for share, mask in changes:
        mutated[int(share * len(mutated))] ^= mask
    try:
        pixels = decode_picture(bytes(mutated), image_format=image_format, shape=(SIDE, SIDE))
    except DecodeError:
        return
    assert pixels.shape == (SIDE, SIDE, 3 if image_format == "jpg" else 4)
    if image_format == "png":  # checksums let nothing through
        np.testing.assert_array_equal(pixels[..., :3], RGB)


def test_round_trips() -> None:
    np.testing.assert_array_equal(
        decode_picture(encode_picture(RGBA, "png"), image_format="png"), RGBA
    )
    opaque = decode_picture(encode_picture(RGB, "png"), image_format="png")
    np.testing.assert_array_equal(opaque[..., :3], RGB)
    flat = np.full((SIDE, SIDE, 4), (10, 200, 90, 255), dtype=np.uint8)
    jpeg = decode_picture(encode_picture(flat, "jpg"), image_format="jpg")
    assert np.abs(jpeg.astype(int) - flat[..., :3]).max() <= 2


def test_jpeg_keeps_the_edge_of_black_in_colour() -> None:
    red = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    red[:, SIDE // 2 :] = (200, 0, 0)
    good = decode_picture(encode_picture(red, "jpg", quality=95), image_format="jpg")
    assert good[:, : SIDE // 2].max() <= 8
    assert len(encode_picture(RGB, "jpg", quality=50)) < len(encode_picture(RGB, "jpg"))


def test_a_mask_is_a_palette_png_whose_indices_come_back() -> None:
    kinds = np.zeros((5, 7), dtype=np.uint8)
    kinds.ravel()[: len(Kind)] = [int(kind) for kind in Kind]
    for mask in (kinds, np.asfortranarray(kinds), kinds[:, ::-1], np.zeros_like(kinds)):
        data = encode_mask(mask)
        bits, colour_type = data[24], data[25]
        assert (bits, colour_type) == (8, 3)
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(np.asarray(image), mask)
            colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
    with Image.open(io.BytesIO(encode_mask(kinds))) as image:
        colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert len({tuple(colour) for colour in colours.tolist()}) == len(Kind) + 1
