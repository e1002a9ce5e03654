"""R13: pictures that would take all memory: refused by their headers, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

_LIMIT_BYTES = 100 * 2**20

_CHILD = '''
import json, resource, struct, sys, zlib
import datetime as dt
from gibswatch.catalogue.windows import TileIndex
from gibswatch.download.plan import TileRequest
from gibswatch.download.states import MAX_TILE_BYTES, Answer, judge_answer
from gibswatch.raster.codec import encode_picture
import numpy as np

RAMP = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (2, 512, 3))
JPEG = encode_picture(RAMP, "jpg")
PNG = encode_picture(np.dstack((RAMP, RAMP[..., 0])), "png")


def chunk(kind, data):
    crc = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + crc


def after_header(*chunks):
    """The good PNG with chunks between its header and its data."""
    return PNG[:33] + b"".join(chunks) + PNG[33:]


def zeros(megabytes):
    packer = zlib.compressobj(1)
    piece = bytes(2**20)
    return b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()


def huge_jpeg():
    start = JPEG.index(b"\\xff\\xc0")
    return JPEG[: start + 5] + struct.pack(">HH", 60000, 60000) + JPEG[start + 9 :]


def huge_png():
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0)
    return PNG[:8] + chunk(b"IHDR", header) + PNG[33:]


def data_bomb():
    """The right header over 300 MB of image data."""
    return PNG[:33] + chunk(b"IDAT", zeros(300)) + chunk(b"IEND", b"")


def frames():
    frame = struct.pack(">IIIIHHBB", 512, 512, 0, 0, 1, 10, 0, 0)
    small = zlib.compress(bytes(512 * (1 + 512 * 4)))
    parts = [PNG[:33], chunk(b"acTL", struct.pack(">II", 5000, 0)), PNG[33:-12]]
    for n in range(5000):
        parts.append(chunk(b"fcTL", struct.pack(">I", 2 * n) + frame))
        parts.append(chunk(b"fdAT", struct.pack(">I", 2 * n + 1) + small))
    return b"".join([*parts, PNG[-12:]])


BOMBS = {
    "huge jpg": ("jpg", huge_jpeg),
    "huge png": ("png", huge_png),
    "png data": ("png", data_bomb),
    "zTXt": ("png", lambda: after_header(chunk(b"zTXt", b"Comment\\0\\0" + zeros(300)))),
    "iTXt": ("png", lambda: after_header(chunk(b"iTXt", b"Comment\\0\\1\\0\\0\\0" + zeros(300)))),
    "iCCP": ("png", lambda: after_header(chunk(b"iCCP", b"Profile\\0\\0" + zeros(300)))),
    "frames png": ("png", frames),
    "frames jpg": ("jpg", lambda: JPEG * (MAX_TILE_BYTES // len(JPEG))),
}


def judge(image_format, body):
    request = TileRequest(
        "L", dt.date(2023, 8, 7), TileIndex(0, 0), image_format, 512, "http://127.0.0.1/"
    )
    return judge_answer(request, Answer(200, {}, body), 1)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


image_format, make = BOMBS[sys.argv[1]]
body = make()
assert len(body) <= MAX_TILE_BYTES or sys.argv[1] == "frames png", len(body)
for good, one in (("jpg", JPEG), ("png", PNG)):  # what an ordinary tile needs is there already
    assert judge(good, one).state == "ok"
before = peak()
result = judge(image_format, body)
print(json.dumps([result.state, result.message, peak() - before, len(body)]))
'''


def judge_apart(bomb: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, bomb],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("bomb", "says"),
    [
        ("huge jpg", "60000x60000 pixels where 512x512 belong"),
        ("huge png", "60000x60000 pixels where 512x512 belong"),
        ("png data", "bytes of image data"),
        ("zTXt", ""),
        ("iTXt", ""),
        ("iCCP", ""),
        ("frames png", "several pictures"),
        ("frames jpg", ""),
    ],
)
def test_r13_image_bombs_are_refused_and_cost_nothing(bomb: str, says: str) -> None:
    state, message, grown_bytes, _ = judge_apart(bomb)
    assert state == "corrupt", message
    assert says in message
    assert grown_bytes < _LIMIT_BYTES
