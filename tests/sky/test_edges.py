"""Edges of gaps, found in masks that were drawn with known ones."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.sky.edges import find_edges
from gibswatch.types import BoolArray, Georeference

DAY = dt.date(2023, 3, 1)
TILE = Georeference(4326, -36.0, 18.0, 36 / 512, 36 / 512, 512, 512)


def one_gap(first: int = 200, stop: int = 240) -> BoolArray:
    """Black from column `first` to before `stop`, in every row."""
    mask = np.zeros(TILE.shape, dtype=bool)
    mask[:, first:stop] = True
    return mask


def test_both_edges_of_every_row() -> None:
    edges = find_edges(one_gap(), TILE, DAY)
    assert len(edges) == 2 * 512
    assert edges.day == DAY
    assert edges.pixel_deg == pytest.approx(TILE.pixel_width)
    east, west = edges.longitude_deg[edges.is_east], edges.longitude_deg[~edges.is_east]
    assert np.allclose(east, -36 + 200 * TILE.pixel_width)
    assert np.allclose(west, -36 + 240 * TILE.pixel_width)
    assert edges.latitude_deg[edges.is_east][0] == pytest.approx(18 - TILE.pixel_height / 2)


def test_specks_and_ragged_rims_move_edges_by_little() -> None:
    rng = np.random.default_rng(1)
    mask = one_gap()
    mask ^= rng.random(TILE.shape) < 0.01
    rim = rng.integers(-1, 2, 512)  # JPEG rings: rows that are a pixel longer or shorter
    for row, by in enumerate(rim):
        mask[row, 200 : 200 + max(by, 0)] = False
        mask[row, 200 + min(by, 0) : 200] = True
    edges = find_edges(mask, TILE, DAY)
    off = (edges.longitude_deg[edges.is_east] + 36) / TILE.pixel_width - 200
    assert len(off) > 480
    assert abs(np.mean(off)) < 0.1
    assert np.percentile(np.abs(off), 95) <= 2.0


def test_wide_black_and_thin_strips_are_no_gaps() -> None:
    assert len(find_edges(one_gap(100, 100 + 80), TILE, DAY)) == 0  # 5.6 degrees: missing data
    assert len(find_edges(one_gap(100, 102), TILE, DAY)) == 0
    strip = np.zeros(TILE.shape, dtype=bool)
    strip[250:258] = True  # missing scans
    assert len(find_edges(strip, TILE, DAY)) == 0


def test_only_the_inner_edge_of_a_gap_on_the_rim_counts() -> None:
    edges = find_edges(one_gap(0, 20), TILE, DAY)
    assert len(edges) == 512
    assert not edges.is_east.any()
    edges = find_edges(one_gap(490, 512), TILE, DAY)
    assert len(edges) == 512
    assert edges.is_east.all()


def test_a_mask_all_black_or_all_light_has_no_edges() -> None:
    for mask in (np.ones(TILE.shape, dtype=bool), np.zeros(TILE.shape, dtype=bool)):
        assert len(find_edges(mask, TILE, DAY)) == 0


@pytest.mark.parametrize(
    "place",
    [
        Georeference(3413, -4194304.0, 4194304.0, 8192.0, 8192.0, 512, 512),
        Georeference(4326, -36.0, 90.0, 36 / 512, 36 / 512, 512, 512),
    ],
    ids=["polar projection", "north of 45 degrees"],
)
def test_polar_pictures_have_no_edges(place: Georeference) -> None:
    assert len(find_edges(one_gap(), place, DAY)) == 0


def test_mercator_gives_the_same_longitudes() -> None:
    metres = 20037508.342789244 / 180.0
    place = Georeference(
        3857, -36 * metres, 18 * metres, 36 / 512 * metres, 36 / 512 * metres, 512, 512
    )
    edges = find_edges(one_gap(), place, DAY)
    assert edges.pixel_deg == pytest.approx(36 / 512)
    assert np.allclose(edges.longitude_deg[edges.is_east], -36 + 200 * 36 / 512)


def test_a_picture_of_a_few_pixels() -> None:
    place = Georeference(4326, 0.0, 1.0, 0.5, 0.5, 4, 4)
    assert len(find_edges(np.zeros((4, 4), dtype=bool), place, DAY)) == 0


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the mask is \(4, 4\)"):
        find_edges(np.zeros((4, 4), dtype=bool), TILE, DAY)
