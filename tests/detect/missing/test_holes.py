"""Holes: what is evidence, how far a hole grows, and how it is scored."""

from __future__ import annotations

import numpy as np
import pytest

from gibswatch.detect.missing.granules import Granules
from gibswatch.detect.missing.holes import ENOUGH_PX, Ground, find_holes, grown
from gibswatch.types import BoolArray

_SHAPE = (60, 80)


def _plane(*parts: tuple[slice, slice]) -> BoolArray:
    plane = np.zeros(_SHAPE, dtype=bool)
    for part in parts:
        plane[part] = True
    return plane


def _granules() -> Granules:
    """Two granules, side by side; columns 70-79 are seen by none."""
    index = np.zeros(_SHAPE, dtype=np.int32)
    index[:, 40:] = 1
    index[:, 70:] = -1
    start = np.array([0.0, 300.0])
    return Granules(index, start, np.zeros(2, np.int32), np.full(2, 40.0, np.float32))


_NONE = np.zeros(_SHAPE, dtype=bool)


def _ground(
    black: BoolArray,
    explained: BoolArray = _NONE,
    near: BoolArray = _NONE,
    *,
    low_sun: BoolArray = _NONE,
    night: BoolArray = _NONE,
) -> Ground:
    return Ground(black, black, explained, near, low_sun, night)


def test_under_a_low_sun_only_what_hangs_on_the_night_may_be_night() -> None:
    night, low_sun = _plane((slice(0, 10), slice(None))), _plane((slice(0, 30), slice(None)))
    hanging = _plane((slice(10, 20), slice(20, 40)))
    free = _plane((slice(18, 28), slice(20, 40)))
    deep = _plane((slice(10, 45), slice(20, 40)))
    for black, found in ((hanging, False), (free, True), (deep, True)):
        ground = _ground(black | night, night, low_sun=low_sun, night=night)
        holes, score = find_holes(ground, _granules())
        assert bool(holes) is found
        assert score < 0.5
        if found:
            np.testing.assert_array_equal(holes[0].mask, black)


@pytest.mark.parametrize(
    ("rows", "cols", "found"),
    [(4, 4, True), (3, 5, False), (2, 8, True), (1, 60, False), (4, 60, True)],
)
def test_enough_solid_black_is_a_hole(rows: int, cols: int, found: bool) -> None:
    black = _plane((slice(10, 10 + rows), slice(5, 5 + cols)))
    holes, score = find_holes(_ground(black), _granules())
    assert bool(holes) is found
    assert score == (0.0 if found or rows == 1 else 15 / 31)
    if found:
        np.testing.assert_array_equal(holes[0].mask, black)
        assert holes[0].evidence_px == rows * cols >= ENOUGH_PX
        assert holes[0].score == rows * cols / (rows * cols + ENOUGH_PX) >= 0.5


def test_specks_and_threads_are_none() -> None:
    black = np.zeros(_SHAPE, dtype=bool)
    black[::3, ::3] = True
    black[30] = True
    assert find_holes(_ground(black), _granules()) == ([], 0.0)


def test_black_beside_what_is_explained_is_no_evidence_but_part_of_a_hole() -> None:
    explained = _plane((slice(None), slice(0, 10)))
    near = _plane((slice(None), slice(10, 13)))
    fringe = _plane((slice(None), slice(10, 12)))
    holes, score = find_holes(_ground(explained | fringe, explained, near), _granules())
    assert not holes
    assert score == 0.0
    hole = _plane((slice(20, 30), slice(10, 30)))
    (found,), _ = find_holes(_ground(explained | hole, explained, near), _granules())
    np.testing.assert_array_equal(found.mask, hole)


def test_a_hole_does_not_creep_along_a_gap() -> None:
    explained = _plane((slice(None), slice(0, 10)))
    near = _plane((slice(None), slice(10, 13)))
    thread = _plane((slice(None), slice(10, 11)))
    hole = _plane((slice(20, 30), slice(10, 30)))
    (found,), _ = find_holes(_ground(explained | hole | thread, explained, near), _granules())
    assert found.mask.sum() <= hole.sum() + 2 * 4


def test_a_granule_that_is_black_as_a_whole_is_filled_where_it_is_undecided() -> None:
    near = _plane((slice(0, 30), slice(None)))  # the night edge: undecided
    black = _plane((slice(None), slice(0, 40)))
    (found,), _ = find_holes(_ground(black, near=near), _granules())
    np.testing.assert_array_equal(found.mask, black)
    assert found.granules == (0,)
    part = _plane((slice(None), slice(0, 15)))
    (found,), _ = find_holes(_ground(part, near=near), _granules())
    assert found.mask[30:].sum() == part[30:].sum()
    assert found.mask[:26].sum() == 0


def test_rims_that_are_dim_belong_to_a_hole() -> None:
    black = _plane((slice(20, 30), slice(20, 40)))
    dim = grown(black, 1)
    ground = Ground(black, dim, _NONE, _NONE, _NONE, _NONE)
    (found,), _ = find_holes(ground, _granules())
    np.testing.assert_array_equal(found.mask, dim)


def test_holes_come_by_their_evidence_with_their_granules() -> None:
    speck = (slice(50, 52), slice(60, 62))
    black = _plane((slice(2, 8), slice(2, 8)), (slice(20, 40), slice(30, 50)), speck)
    (first, second), score = find_holes(_ground(black), _granules())
    assert first.evidence_px == 400
    assert first.granules == (0, 1)
    assert second.granules == (0,)
    assert first.score > second.score > 0.5
    assert score == 4 / (4 + ENOUGH_PX)  # of the speck, which is no hole
    (lone,), _ = find_holes(_ground(_plane((slice(5, 15), slice(71, 79)))), _granules())
    assert lone.granules == ()


@pytest.mark.parametrize("pixels", [0, 1, 3, 100])
def test_grown_is_a_square(pixels: int) -> None:
    mask = _plane((slice(30, 31), slice(40, 41)))
    wide = grown(mask, pixels)
    rows, cols = np.nonzero(wide)
    assert (rows.min(), rows.max()) == (max(30 - pixels, 0), min(30 + pixels, 59))
    assert (cols.min(), cols.max()) == (max(40 - pixels, 0), min(40 + pixels, 79))
    assert wide.sum() == (np.ptp(rows) + 1) * (np.ptp(cols) + 1)
