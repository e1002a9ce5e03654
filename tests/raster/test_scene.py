"""`Scene`: shapes must agree, and only two states are usable."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture
from gibswatch.types import TILE_STATES, Georeference

PLACE = Georeference(4326, 0.0, 8.0, 1.0, 1.0, 8, 4)


def test_a_whole_picture_is_usable() -> None:
    scene = scene_from_picture(
        np.zeros((8, 4, 3), dtype=np.uint8),
        layer="L",
        date=dt.date(2023, 8, 7),
        image_format="jpg",
        georeference=PLACE,
        provenance="memory",
    )
    assert scene.usable.all()
    assert scene.usable.dtype == np.bool_


def test_only_ok_and_server_empty_are_usable() -> None:
    state = np.resize(np.arange(8, dtype=np.uint8), (8, 4))
    scene = Scene("L", None, "jpg", np.zeros((8, 4, 3), dtype=np.uint8), state, PLACE, "memory")
    usable = {TILE_STATES[code] for code in state[scene.usable]}
    assert usable == {"ok", "server-empty"}
    assert {TILE_STATES[code] for code in state[~scene.usable]} == set(TILE_STATES) - usable


def test_codes_are_fixed() -> None:
    assert dict(STATE_CODES) == {state: code for code, state in enumerate(TILE_STATES)}
    with pytest.raises(TypeError):
        STATE_CODES["ok"] = 9  # type: ignore[index]


@pytest.mark.parametrize(("pixels", "state"), [((4, 8), (8, 4)), ((8, 4), (4, 8))])
def test_shapes_must_agree(pixels: tuple[int, int], state: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"must have the georeference's shape \(8, 4\)"):
        Scene(
            "L",
            None,
            "jpg",
            np.zeros((*pixels, 3), dtype=np.uint8),
            np.zeros(state, dtype=np.uint8),
            PLACE,
            "memory",
        )
