"""Words under a picture of heat: wrapped, and none cut off."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFont

from gibswatch.report.heat_bands import LEAST_WIDTH, Key, _placed, _wrapped, with_band

_LINES = [
    "VIIRS_SNPP_CorrectedReflectance_TrueColor, 2016-03-18",
    "Model densenet: not called, score 0.713, not over its threshold of 0.716",
    "Colour: how much a place speaks for a fault, of whatever kind (scores of places)",
]
_KEYS = [Key((255, 0, 0), "weak: heat from 0.25"), Key((0, 255, 0), "strong: heat from 0.8")]


@pytest.mark.parametrize("width", [1, 200, 333, 512, 1000, 1600])
def test_no_word_reaches_the_edge(width: int) -> None:
    picture = Image.new("RGB", (width, 10), (9, 9, 9))
    drawn = np.asarray(with_band(picture, _LINES, _KEYS))
    assert (drawn[:10, :width] == 9).all()
    assert drawn.shape[1] == max(width, LEAST_WIDTH)
    assert (drawn[10:, [0, 1, -2, -1]] == 255).all()
    assert (drawn[[-2, -1]] == 255).all()
    dark = drawn[10:].max(axis=2) < 100
    assert np.count_nonzero(dark.any(axis=1)) > 20


@pytest.mark.parametrize("room", [60, 190, 500, 2000])
def test_wrapped_lines_fit_and_lose_no_letter(room: int) -> None:
    font = ImageFont.load_default(12)
    for line in [*_LINES, "x" * 300, ""]:
        parts = _wrapped(line, font, room)
        assert all(font.getlength(part) <= room for part in parts)
        assert "".join("".join(parts).split()) == "".join(line.split())
    assert len(_wrapped(_LINES[0], font, 2000)) == 1


def test_keys_go_to_the_next_line_where_there_is_no_room() -> None:
    font = ImageFont.load_default(12)
    assert [row for _left, row in _placed(_KEYS, font, 12, 190)] == [0, 1]
    assert [row for _left, row in _placed(_KEYS, font, 12, 600)] == [0, 0]
