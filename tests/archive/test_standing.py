"""What the states of a day's tiles alone say of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.archive.standing import is_whole, missing_tiles, standing_name, verdict_of_tiles
from gibswatch.types import TILE_STATES


@pytest.mark.parametrize(
    ("tiles", "verdict", "cause", "name"),
    [
        ({"ok": 50}, None, None, "complete"),
        ({}, None, None, "complete"),
        ({"ok": 1, "server-empty": 49}, None, None, "complete"),
        ({"server-empty": 50}, "incomplete", "server", "incomplete-server"),
        ({"ok": 0, "server-empty": 50}, "incomplete", "server", "incomplete-server"),
        ({"server-empty": 49, "absent": 1}, "incomplete", "server", "incomplete-server"),
        ({"ok": 49, "suspect": 1}, "incomplete", "network", "incomplete-network"),
        ({"ok": 48, "suspect": 1, "absent": 1}, "incomplete", "mixed", "incomplete-mixed"),
        ({"wrong-date": 50}, "wrong-date", None, "wrong-date"),
        ({"wrong-date": 49, "ok": 1}, "incomplete", "server", "incomplete-server"),
        ({"not-yet": 50}, "no-data", None, "no-data"),
    ],
)
def test_table(tiles: dict[str, int], verdict: str, cause: str, name: str) -> None:
    assert verdict_of_tiles(tiles) == (verdict, cause)
    assert standing_name(tiles) == name


@given(st.dictionaries(st.sampled_from(TILE_STATES), st.integers(0, 60)))
def test_only_a_day_without_missing_tiles_is_whole(tiles: dict[str, int]) -> None:
    verdict, cause = verdict_of_tiles(tiles)
    assert (cause is not None) is (verdict == "incomplete")
    blank = {state for state, n in tiles.items() if n} == {"server-empty"}
    assert is_whole(tiles) is (not missing_tiles(tiles) and not blank)
