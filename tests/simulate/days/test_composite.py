"""Which input a pixel is taken from."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.simulate.days import composite
from gibswatch.simulate.days.composite import Composite, Gap, Mosaic, compose, tile_numbers
from gibswatch.simulate.days.passes import make_nodes, node_fields
from gibswatch.simulate.days.spec import CompositeRule, DaySpec, Perturbation
from gibswatch.simulate.days.tracks import track_of
from gibswatch.types import Georeference

GLOBE = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 640)
SPEC = DaySpec("SNPP", "TrueColor", dt.date(2016, 4, 12), 1)
FIELDS = node_fields(track_of(SPEC), make_nodes(GLOBE), SPEC)


def mosaic(rule: CompositeRule = "nadir", seed: int = 1) -> Mosaic:
    return Mosaic(GLOBE, FIELDS, Perturbation(rule=rule), seed, SPEC.day, tile_numbers(GLOBE))


def composed(rule: CompositeRule = "nadir", *gaps: Gap) -> Composite:
    return compose(mosaic(rule), gaps)


def test_each_rule_is_best_by_its_own_measure() -> None:
    rules: tuple[CompositeRule, ...] = ("nadir", "sun", "latest", "earliest")
    made = {rule: composed(rule) for rule in rules}
    seen = made["nadir"].covered
    measures = {
        "nadir": lambda c: -np.abs(c.share),
        "sun": lambda c: c.sun,
        "latest": lambda c: c.time,
        "earliest": lambda c: -c.time,
    }
    for rule, one in made.items():
        assert np.array_equal(one.covered, seen)
        assert np.array_equal(one.count, made["nadir"].count)
        for other in made.values():
            assert (measures[rule](one)[seen] >= measures[rule](other)[seen] - 1e-6).all()
    assert not np.array_equal(made["nadir"].pass_index, made["latest"].pass_index)


def test_inputs_that_came_too_late_show_only_where_nothing_else_does() -> None:
    late = Perturbation(dropped_share=0.5)
    made = compose(Mosaic(GLOBE, FIELDS, late, 1, SPEC.day, tile_numbers(GLOBE)))
    whole = composed()
    assert np.array_equal(made.covered, whole.covered)
    assert np.array_equal(made.count, whole.count)
    moved = made.pass_index != whole.pass_index
    assert moved.sum() > 500
    assert (whole.count[moved] > 1).all()
    assert (np.abs(made.share[moved]) >= np.abs(whole.share[moved])).all()
    again = compose(Mosaic(GLOBE, FIELDS, late, 1, SPEC.day, tile_numbers(GLOBE)))
    assert np.array_equal(made.pass_index, again.pass_index)
    all_late = Perturbation(dropped_share=1.0)
    same = compose(Mosaic(GLOBE, FIELDS, all_late, 1, SPEC.day, tile_numbers(GLOBE)))
    assert np.array_equal(same.pass_index, whole.pass_index)


@pytest.mark.parametrize("rows", [1, 4096])
def test_how_many_rows_are_laid_at_once_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    late = Perturbation(rule="by-tile", dropped_share=0.2)
    planned = Mosaic(GLOBE, FIELDS, late, 1, SPEC.day, tile_numbers(GLOBE))
    usual = compose(planned)
    monkeypatch.setattr(composite, "_ROWS", rows)
    other = compose(planned)
    for name in ("count", "pass_index", "time", "share", "sun", "east", "north"):
        mine, theirs = getattr(other, name), getattr(usual, name)
        assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"), name


def test_by_tile_is_one_of_the_rules_in_each_tile() -> None:
    by_tile = compose(mosaic("by-tile", 4))
    rules: tuple[CompositeRule, ...] = ("nadir", "sun", "latest", "earliest")
    singles = [composed(rule) for rule in rules]
    used = set()
    for row in range(0, 320, 32):
        for col in range(0, 640, 32):
            part = (slice(row, row + 32), slice(col, col + 32))
            matches = [
                number
                for number, single in enumerate(singles)
                if np.array_equal(single.pass_index[part], by_tile.pass_index[part])
            ]
            assert matches
            if len(matches) == 1:
                used.add(matches[0])
    assert len(used) >= 3


def test_what_is_missing_is_filled_by_neighbours_or_stays_black() -> None:
    whole = composed()
    time = float(np.nanmedian(whole.time))
    gap = Gap((time - 600.0, time + 600.0))
    holed = composed("nadir", gap)
    with np.errstate(invalid="ignore"):
        hit = (whole.time >= gap.span[0]) & (whole.time < gap.span[1])
    assert hit.any()
    assert np.array_equal(holed.pass_index[~hit], whole.pass_index[~hit])
    filled = hit & holed.covered
    assert filled.any()
    assert (holed.pass_index[filled] != whole.pass_index[filled]).all()
    assert (hit & ~holed.covered).any()
    assert (whole.count[hit] > holed.count[hit]).all()
    assert np.array_equal(hit & ~holed.covered, hit & (whole.count == 1))


def test_a_gap_of_one_tile_ends_at_its_edges() -> None:
    whole = composed()
    holed = composed("nadir", Gap((-1e9, 1e9), (4, 5)))
    changed = whole.covered & ~holed.covered
    assert changed.any()
    rows, cols = np.nonzero(changed)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (128, 159, 160, 191)


@pytest.mark.parametrize(
    ("picture", "tile"),
    [
        (Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 640), (9, 19)),
        (Georeference(4326, 108.0, -54.0, 0.140625, 0.140625, 512, 512), (11, 19)),
        (Georeference(3031, -4194304.0, 4194304.0, 16384.0, 16384.0, 512, 512), (15, 15)),
    ],
)
def test_tiles_are_counted_from_the_corner_of_the_projection(
    picture: Georeference, tile: tuple[int, int]
) -> None:
    rows, cols = tile_numbers(picture)
    assert rows[-1] == tile[0] or picture.epsg == 4326
    inside = (cols < 20).all() or picture.west > 0
    assert inside
    assert cols[0] == round(
        (picture.west - (-180.0 if picture.epsg == 4326 else -4194304.0))
        // (18.0 if picture.epsg == 4326 else 524288.0)
    )


def test_nothing_is_seen_beyond_the_globe_or_at_night() -> None:
    tile = Georeference(4326, 108.0, -54.0, 0.140625, 0.140625, 512, 512)
    fields = node_fields(track_of(SPEC), make_nodes(tile), SPEC)
    made = compose(Mosaic(tile, fields, SPEC.perturbation, 1, SPEC.day, tile_numbers(tile)))
    assert not made.covered[256:].any()
    assert made.covered[:100, :500].all()
    with np.errstate(invalid="ignore"):
        assert np.nanmin(composed().sun) >= np.cos(np.radians(86.5)) - 1e-6
    darker = replace(SPEC.perturbation, sza_cut_deg=80.0)
    earlier = compose(Mosaic(GLOBE, FIELDS, darker, 1, SPEC.day, tile_numbers(GLOBE)))
    assert earlier.covered.sum() < composed().covered.sum()
