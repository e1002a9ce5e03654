"""The simulator's own geometry against that of `gibswatch.sky`."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.simulate.days.composite import Mosaic, compose, tile_numbers
from gibswatch.simulate.days.paint import angles_of
from gibswatch.simulate.days.passes import between, earth_fixed, geographic, make_nodes, node_fields
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.simulate.days.tracks import track_of
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.timescale import day_start_s
from gibswatch.types import Georeference

DAY = dt.date(2016, 4, 12)
PICTURES = [
    Georeference(4326, -36.0, 18.0, 0.0703125, 0.0703125, 512, 512),
    Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 640),
    Georeference(3413, -4194304.0, 4194304.0, 16384.0, 16384.0, 512, 512),
    Georeference(3857, -20037508.34, 20037508.34, 78271.517, 78271.517, 512, 512),
]


@pytest.mark.parametrize("satellite", ["Terra", "SNPP"])
@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: f"{p.epsg}-{p.cols}")
def test_coverage_time_and_angles_are_those_of_the_other_geometry(
    satellite: str, picture: Georeference
) -> None:
    spec = DaySpec(satellite, "TrueColor", DAY, 1)
    fields = node_fields(track_of(spec), make_nodes(picture), spec)
    mosaic = Mosaic(picture, fields, spec.perturbation, 1, spec.day, tile_numbers(picture))
    ours = compose(mosaic)
    orbit = anchor_orbit(SATELLITES[satellite], DAY)
    theirs = pass_geometry(orbit, picture, DAY, sza_limit_deg=86.5)
    assert np.mean(ours.covered != theirs.covered) < 0.002
    both = ours.covered & theirs.covered
    time = np.abs(ours.time[both] - (theirs.time_s[both] - day_start_s(DAY)))
    assert np.mean(time < 3.0) > 0.99  # elsewhere two passes see it as steeply
    angles = angles_of(ours, fields)
    same = np.zeros_like(both)
    same[both] = time < 3.0
    # Up to 0.2 degree is the ellipsoid: there the satellite's height is from the Earth's centre.
    for mine, other, limit in (
        (angles.sza, theirs.solar_zenith_deg, 0.05),
        (angles.vza, theirs.view_zenith_deg, 1.0),
        (angles.glint, theirs.glint_deg, 1.0),
    ):
        assert np.percentile(np.abs(mine[same] - other[same]), 99) < limit


def test_a_wider_swath_covers_more() -> None:
    picture = PICTURES[0]
    shares = []
    for factor in (0.99, 1.0, 1.01):
        spec = DaySpec("Terra", "TrueColor", DAY, 1)
        spec = replace(spec, perturbation=replace(spec.perturbation, swath_factor=factor))
        fields = node_fields(track_of(spec), make_nodes(picture), spec)
        mosaic = Mosaic(picture, fields, spec.perturbation, 1, spec.day, tile_numbers(picture))
        shares.append(float(compose(mosaic).covered.mean()))
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] - shares[0] == pytest.approx(0.02 * shares[1], rel=0.5)


def test_places_go_there_and_back() -> None:
    longitude, latitude = np.array([0.0, 179.5, -90.0, 12.3]), np.array([0.0, 89.0, -45.0, 60.0])
    back = geographic(earth_fixed(longitude, latitude)[0])
    assert np.allclose(back, (longitude, latitude), atol=1e-9)


def test_between_nodes_is_a_straight_line_whatever_the_window() -> None:
    down, across = np.mgrid[0:5, 0:7]
    nodes = (3.0 * down + 0.5 * across + down * across)[np.newaxis].astype(np.float32)
    whole = between(nodes, 8, slice(0, 30), slice(0, 45))[0]
    rows, cols = np.mgrid[0:30, 0:45] / 8.0
    assert np.allclose(whole, 3.0 * rows + 0.5 * cols + rows * cols, atol=1e-4)
    part = between(nodes, 8, slice(8, 30), slice(16, 21))[0]
    assert np.array_equal(part, whole[8:30, 16:21])
