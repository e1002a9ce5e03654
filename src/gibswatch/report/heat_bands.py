"""The band under a picture of heat: what it shows, what was said of the day, what colours mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from gibswatch.report.palette import Colour

__all__ = ["LEAST_WIDTH", "Key", "with_band"]

LEAST_WIDTH = 200
"""A narrower picture has the band beside and under it, for its words need so many pixels."""

_PAPER, _INK = (255, 255, 255), (18, 32, 47)
_TEXT_PX = (12, 20)
_PER_PX = 70
"""Pixels of width for one of the height of a letter, between the bounds of `_TEXT_PX`."""

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Key:
    """A colour and what it means."""

    colour: Colour
    words: str


def with_band(image: Image.Image, lines: Sequence[str], keys: Sequence[Key]) -> Image.Image:
    """Put a picture over a band of words; no pixel of the picture is changed.

    Parameters
    ----------
    image : Image
        RGB; it lies in the upper left corner of the result.
    lines : sequence of str
        What the band says, before the colours; each begins a line, and is wrapped.
    keys : sequence of Key
        What the colours mean; as many in a line as fit.

    Returns
    -------
    Image
        At least `LEAST_WIDTH` wide.
    """
    width = max(image.width, LEAST_WIDTH)
    size = min(max(width // _PER_PX, _TEXT_PX[0]), _TEXT_PX[1])
    font = ImageFont.load_default(size)
    pitch, margin = round(1.45 * size), size // 2
    room = width - 2 * margin
    wrapped = [part for line in lines for part in _wrapped(line, font, room)]
    placed = _placed(keys, font, size, room)
    count = len(wrapped) + (placed[-1][1] + 1 if placed else 0)
    band = Image.new("RGB", (width, image.height + count * pitch + 2 * margin), _PAPER)
    band.paste(image, (0, 0))
    draw = ImageDraw.Draw(band)
    top = image.height + margin
    for row, words in enumerate(wrapped):
        draw.text((margin, top + row * pitch), words, _INK, font)
    top += len(wrapped) * pitch
    for key, (left, row) in zip(keys, placed, strict=True):
        x, y = margin + left, top + row * pitch
        draw.rectangle((x, y + size // 6, x + size - 1, y + size // 6 + size - 1), key.colour, _INK)
        draw.text((x + round(1.4 * size), y), key.words, _INK, font)
    return band


def _wrapped(line: str, font: _Font, room: int) -> list[str]:
    """Break a line at spaces, and names after an underscore, or anywhere if nothing else helps."""
    found = [""]
    for piece in re.findall(r"[^\s_]*_|[^\s_]+|\s+", line):
        if font.getlength((found[-1] + piece).rstrip()) > room and found[-1]:
            found.append("")
        for letter in piece if found[-1] or not piece.isspace() else "":
            if font.getlength((found[-1] + letter).rstrip()) > room:
                found.append("")
            found[-1] += letter
    return [part.rstrip() for part in found if part.strip()]


def _placed(keys: Sequence[Key], font: _Font, size: int, room: int) -> list[tuple[int, int]]:
    """Place each key: pixels from the left, and row."""
    found, left, row = [], 0, 0
    for key in keys:
        width = round(1.4 * size + font.getlength(key.words))
        if left and left + width > room:
            left, row = 0, row + 1
        found.append((left, row))
        left += width + size
    return found
