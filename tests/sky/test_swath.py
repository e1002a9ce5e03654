"""Swaths against geodesy, and the facts of the instruments."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from pyproj import Geod

from gibswatch.sky.orbit import Orbit, anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.swath import (
    Side,
    earth_radius_km,
    edge_longitudes,
    geocentric_latitude,
    geodetic_latitude,
    ground_track,
    half_width_deg,
    orbit_radius_km,
    swath_point,
)

DAY = dt.date(2017, 1, 1)


def orbit_of(name: str) -> Orbit:
    return anchor_orbit(SATELLITES[name], DAY)


def test_latitudes_turn_into_each_other() -> None:
    latitudes = np.linspace(-90, 90, 181)
    assert np.allclose(geodetic_latitude(geocentric_latitude(latitudes)), latitudes, atol=1e-9)
    assert float(geocentric_latitude(45.0)) == pytest.approx(44.8076, abs=1e-4)


def test_radius_of_the_ellipsoid() -> None:
    assert float(earth_radius_km(0.0)) == pytest.approx(6378.137)
    assert float(earth_radius_km(90.0)) == pytest.approx(6356.752, abs=0.001)


def test_altitudes_are_the_published_ones() -> None:
    viirs = orbit_of("SNPP")
    at_15_north = orbit_radius_km(viirs, 15.2) - earth_radius_km(15.0)
    near_south_pole = orbit_radius_km(viirs, -90.0) - earth_radius_km(-81.3)
    assert float(at_15_north) == pytest.approx(828, abs=2)
    assert float(near_south_pole) == pytest.approx(856, abs=2)


@pytest.mark.parametrize(("name", "low", "high"), [("Terra", 2310, 2350), ("SNPP", 3030, 3075)])
def test_swaths_are_as_wide_as_published(name: str, low: float, high: float) -> None:
    orbit = orbit_of(name)
    width = float(half_width_deg(orbit, 0.0, 0.0))
    here, there = (swath_point(orbit, 0, 0.0, side * width) for side in (-1, 1))
    _, _, metres = Geod(ellps="WGS84").inv(here[1], here[0], there[1], there[0])
    assert low < metres / 1000 < high


@pytest.mark.parametrize("name", sorted(SATELLITES))
@pytest.mark.parametrize("side", ["east", "west"])
def test_edges_lie_half_a_swath_beside_the_track(name: str, side: Side) -> None:
    orbit = orbit_of(name)
    ascending = orbit.record.day_node == "ascending"
    latitudes = np.linspace(-55, 55, 23)
    edges = edge_longitudes(orbit, 3, latitudes, side)
    middle = 0.0 if ascending else 0.5
    times = orbit.node_time(3) + (middle + np.linspace(-0.24, 0.24, 20001)) * orbit.period_s
    track_lat, track_lon = ground_track(orbit, times)
    for latitude, edge in zip(latitudes, edges, strict=True):
        phi, theta = np.radians(geocentric_latitude(track_lat)), np.radians(track_lon)
        at = np.radians([float(geocentric_latitude(latitude)), edge])
        cosine = np.sin(phi) * np.sin(at[0])
        cosine += np.cos(phi) * np.cos(at[0]) * np.cos(theta - at[1])
        near = int(np.argmax(cosine))
        u = (times[near] - orbit.node_time(3)) / orbit.period_s * 360.0  # within 0.3 degree
        width = float(half_width_deg(orbit, u, np.degrees(at[0])))
        # The Earth turns on while the satellite passes: the nearest moment is not quite abeam.
        assert np.degrees(np.arccos(cosine[near])) == pytest.approx(width, abs=0.04)
        assert (np.gradient(track_lat)[near] > 0) == ascending


def test_east_lies_east_of_west() -> None:
    for name in SATELLITES:
        latitudes = np.linspace(-60, 60, 13)
        for ascending in (True, False):
            east, west = (
                edge_longitudes(orbit_of(name), 0, latitudes, side, ascending=ascending)
                for side in ("east", "west")
            )
            assert np.all((east - west) % 360 < 75)
            assert np.all((east - west) % 360 > 20)


def test_edges_beyond_the_last_latitude_are_nan() -> None:
    edges = edge_longitudes(orbit_of("Terra"), 0, [0.0, 89.9], "east")
    assert np.isfinite(edges[0])
    assert np.isnan(edges[1])


def test_without_the_eccentricity_the_swath_would_be_wrong() -> None:
    orbit = orbit_of("Terra")
    north, south = (float(half_width_deg(orbit, u, 0.0)) for u in (60.0, -60.0))
    assert south - north == pytest.approx(0.3, abs=0.1)


def test_modis_leaves_an_eighth_of_the_equator_and_viirs_nothing() -> None:
    for name, low, high in (("Terra", 0.11, 0.14), ("Aqua", 0.11, 0.14), ("SNPP", -1, 0)):
        orbit = orbit_of(name)
        width = edge_longitudes(orbit, 0, 0.0, "east") - edge_longitudes(orbit, 0, 0.0, "west")
        assert low < 1 - float(width % 360) / orbit.spacing_deg < high
