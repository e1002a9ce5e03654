"""Whole pictures without a fault."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.simulate.days.clear import clear_picture
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import Georeference

DAY = dt.date(2018, 4, 20)
ORBIT = anchor_orbit(SATELLITES["Terra"], DAY)
GLOBE = Georeference(4326, -180.0, 90.0, 1.0, 1.0, 180, 360)


def drawn(georeference: Georeference, seed: int = 8, product: str = "TrueColor") -> np.ndarray:
    return clear_picture(seed, ORBIT, georeference, DAY, product, invented=True)


def test_black_is_exactly_where_no_pass_sees() -> None:
    covered = pass_geometry(ORBIT, GLOBE, DAY, sza_limit_deg=86.5).covered
    np.testing.assert_array_equal(drawn(GLOBE).max(axis=2) > 0, covered)


def test_same_seed_same_picture() -> None:
    first = drawn(GLOBE)
    np.testing.assert_array_equal(first, drawn(GLOBE))
    assert (first != drawn(GLOBE, seed=9)).any(axis=2).mean() > 0.5


def test_two_parts_of_a_globe_are_the_globe() -> None:
    # 32 rows and columns keep to the lattice on which the geometry is worked out.
    tile = replace(GLOBE, west=-180.0 + 96, north=90.0 - 64, rows=64, cols=128)
    whole, part = drawn(GLOBE), drawn(tile)
    inside = whole[64:128, 96:224]
    assert (part != inside).any(axis=2).mean() < 0.01
    assert np.abs(part.astype(int) - inside).max(axis=2).mean() < 0.5


@pytest.mark.parametrize("epsg", [3413, 3031])
def test_polar_pictures_have_no_seam(epsg: int) -> None:
    half = 4194304.0
    size = 2 * half / 128
    georeference = Georeference(epsg, -half, half, size, size, 128, 128)  # type: ignore[arg-type]
    picture = drawn(georeference)
    assert picture.shape == (128, 128, 3)
    assert (picture.max(axis=2) > 0).mean() > 0.5
    assert georeference.pixel_deg == pytest.approx(0.589, abs=0.01)


@pytest.mark.parametrize("product", ["Bands721", "Bands367"])
def test_false_colours_differ_from_true_colour(product: str) -> None:
    true, false = drawn(GLOBE), drawn(GLOBE, product=product)
    seen, black = true.max(axis=2) > 0, false.max(axis=2) == 0
    assert black[~seen].all()
    if product == "Bands721":  # its darkest sea is exactly black, as GIBS's is
        assert black[seen].mean() < 0.05
        assert true[black & seen].max(initial=0) < 64
    else:
        np.testing.assert_array_equal(~black, seen)
    spread = [np.ptp(picture[seen].astype(int), axis=1).mean() for picture in (true, false)]
    assert spread[1] > spread[0] + 10
