"""From an HTTP answer to the state of a tile: the one place that says what a tile is worth."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gibswatch.download.plan import TileRequest
from gibswatch.download.result import TileResult
from gibswatch.download.retry import RETRIED_STATUSES
from gibswatch.errors import DecodeError
from gibswatch.raster.codec import decode_picture
from gibswatch.raster.scene import single_value
from gibswatch.types import ByteArray, ImageFormat, TileState

__all__ = [
    "BLANK_TILES",
    "KEPT_HEADERS",
    "MAX_TILE_BYTES",
    "Answer",
    "judge_answer",
    "one_line",
    "state_of_status",
]

MAX_TILE_BYTES = 8 * 2**20
"""More is not read of one answer."""
KEPT_HEADERS = (
    "Content-Type",
    "ETag",
    "Layer-Identifier-Actual",
    "Layer-Time-Actual",
)
"""Headers of an answer that a result keeps."""
BLANK_TILES: frozenset[str] = frozenset(
    {
        "265cf11371c6a5c939dea302e1e2f331f38fa5e31946f2a02a56947e719af51e",  # Blank_RGB_512.jpg
        "3a1aa2dd6afc4459eedc567ae9f40d5ddcf59c40599d7aa62843a85a181f7e0b",  # Blank_RGB_256.jpg
        "cb07de0822728b753164a1fa4488c5bdee1f7e0eb981a2cf9863098ce8f0c302",  # Blank_RGBA_512.png
        "3c6c50f94ab35e9f96c772731fe6b7950048179bc81b8ab0396cc1edbde89163",  # Blank_RGBA_256.png
    }
)
"""SHA-256 of the tiles that GIBS sends where a day has no data (OnEarth, ``empty_tiles``)."""

_MEDIA_TYPES: Mapping[ImageFormat, frozenset[str]] = {
    "jpg": frozenset({"image/jpeg", "image/jpg"}),
    "png": frozenset({"image/png"}),
    "mvt": frozenset(),
}
_LAYER_HEADERS = (
    "Layer-Identifier-Actual",
    "Layer-Identifier-Request",
    "Layer-Time-Actual",
    "Layer-Time-Request",
)
"""Headers that OnEarth sends with a tile of data, and leaves out with a blank one (mod_mrf)."""
_SAYS_NOTHING = frozenset({"", "application/octet-stream"})
"""Media types of servers that do not know what they send."""
_MAX_TILE_PIXELS = 2**20
_QUOTED_BYTES = 4000
_QUOTED_CHARACTERS = 200
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request brought."""

    status: int | None
    """HTTP status; None if no whole answer came."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Any capitals (a CIMultiDict), or capitals as in `KEPT_HEADERS`."""
    body: bytes = b""
    """As served; at most a piece more than `MAX_TILE_BYTES`."""
    error: str = ""
    """What went wrong, where no whole answer came."""
    short: bool = False
    """Whether the connection ended before the announced length was there."""


def judge_answer(request: TileRequest, answer: Answer, attempt: int) -> TileResult:
    """Turn an answer into a tile with its state; decodes the picture, so call it in a thread.

    Parameters
    ----------
    request : TileRequest
    answer : Answer
    attempt : int
        Requests so far.
    """
    pixels = None
    state, message = _state_of(request, answer)
    if state == "ok" and _is_animated(answer.body):
        state, message = "corrupt", "not one PNG but several pictures"
    if state == "ok":
        size = (request.tile_size, request.tile_size)
        try:
            pixels = decode_picture(
                answer.body,
                image_format=request.image_format,
                shape=size,
                max_pixels=_MAX_TILE_PIXELS,
            )
        except DecodeError as error:
            state, message = "corrupt", f"{error}{_server_text(answer.body)}"
    sha256 = None if pixels is None else hashlib.sha256(answer.body).hexdigest()
    if pixels is not None and sha256 is not None:
        state, message = _state_of_picture(request, answer, pixels, sha256)
    kept = state in ("ok", "server-empty")
    return TileResult(
        request,
        state,
        message,
        dt.datetime.now(dt.UTC),
        attempt,
        answer.status,
        {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers},
        answer.body if kept else None,
        pixels if kept else None,
        sha256 if kept else None,
    )


def state_of_status(status: int) -> tuple[TileState, str]:
    """Return what an HTTP status says of a tile, and in words why it is not `ok`.

    Examples
    --------
    >>> state_of_status(404), state_of_status(503)
    (('absent', 'HTTP 404'), ('failed', 'HTTP 503'))
    """
    if status == 200:
        return "ok", ""
    if status == 204 or (400 <= status < 500 and status not in RETRIED_STATUSES):
        return "absent", f"HTTP {status}"
    return "failed", f"HTTP {status}"


def one_line(text: str) -> str:
    """Make a text fit to be shown: one line of at most 200 characters that can be printed."""
    words = " ".join(text.split())[:_QUOTED_CHARACTERS]
    return "".join(c if c.isprintable() else "." for c in words)


def _state_of(request: TileRequest, answer: Answer) -> tuple[TileState, str]:
    """Judge all but the picture."""
    if answer.status is None:
        return ("corrupt" if answer.short else "failed"), answer.error
    if answer.status != 200:
        state, message = state_of_status(answer.status)
        return state, message + _place(answer) + _server_text(answer.body)
    if len(answer.body) > MAX_TILE_BYTES:
        return "corrupt", f"a tile of more than {MAX_TILE_BYTES} bytes"
    packed = answer.headers.get("Content-Encoding", "").strip().lower()
    if packed not in ("", "identity"):
        # Unpacked unasked, the bytes would no longer be those whose length the server announced.
        return "corrupt", f"packed as {one_line(packed)}, which was not asked for"
    named = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if named not in _MEDIA_TYPES[request.image_format] | _SAYS_NOTHING:
        kind = f"Content-Type {one_line(named)} where {request.image_format} belongs"
        return "corrupt", kind + _server_text(answer.body)
    return "ok", ""


def _state_of_picture(
    request: TileRequest, answer: Answer, pixels: ByteArray, sha256: str
) -> tuple[TileState, str]:
    """Judge a whole picture: by its day, and whether it is the one that stands for no data."""
    served = answer.headers.get("Layer-Time-Actual", "")
    if served and not request.is_of(served[:10]):
        # 200 and a good picture, but of another day: a default day, or one step back.
        return "wrong-date", f"the server sent the tile of {one_line(served[:10])}"
    if request.drawn:  # by WMS, which has no Layer-* headers; empty means that nothing is there
        return "ok", ""
    told = any(name in answer.headers for name in _LAYER_HEADERS)
    if sha256 in BLANK_TILES or (not told and single_value(pixels)):
        return "server-empty", "the server's blank tile: it has no data here"
    return "ok", ""


def _is_animated(body: bytes) -> bool:
    """Whether a PNG says before its data that it is an animation; no tile of GIBS is one."""
    return body.startswith(b"\x89PNG") and b"acTL" in body[: max(0, body.find(b"IDAT"))]


def _place(answer: Answer) -> str:
    """Say where a redirect leads; none is followed."""
    place = answer.headers.get("Location", "")
    return f": redirects to {one_line(place)}, not followed" if place else ""


def _server_text(body: bytes) -> str:
    """Quote what a document in a picture's place says; its tags are cut off, nothing is parsed."""
    if not body[:64].lstrip().startswith(b"<"):
        return ""
    text = _TAG.sub(" ", body[:_QUOTED_BYTES].decode("utf-8", "replace"))
    return f"; the server says: {one_line(html.unescape(text))}"
