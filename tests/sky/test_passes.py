"""Passes per pixel against the direct formula, pixel by pixel, on every projection."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gibswatch.sky.orbit import Orbit, anchor_orbit
from gibswatch.sky.passes import PassGeometry, pass_geometry
from gibswatch.sky.places import pixel_places
from gibswatch.sky.satellites import SATELLITES
from gibswatch.sky.sun import glint_angle, solar_angles
from gibswatch.sky.swath import (
    earth_radius_km,
    edge_longitudes,
    elapsed_turns,
    geocentric_latitude,
    half_width_deg,
    orbit_radius_km,
)
from gibswatch.sky.timescale import DAY_S, day_start_s
from gibswatch.types import Georeference

HALF_M = 20037508.342789244
POLAR_M = 4194304.0
GLOBE = Georeference(4326, -180.0, 90.0, 360 / 2048, 180 / 1024, 1024, 2048)
SMALL = Georeference(4326, -180.0, 90.0, 360 / 512, 180 / 256, 256, 512)
GRIDS = {
    "globe": GLOBE,
    "small": SMALL,
    "coarse": Georeference(4326, -180.0, 90.0, 5.0, 5.0, 36, 72),
    "tile": Georeference(4326, -36.0, 18.0, 36 / 512, 36 / 512, 512, 512),
    "overhanging": Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 512, 512),
    "box": Georeference(4326, 150.0, 80.0, 30 / 700, 12 / 300, 300, 700),
    "pixel": Georeference(4326, 10.0, 50.0, 1.0, 1.0, 1, 1),
    "arctic": Georeference(3413, -POLAR_M, POLAR_M, 16384.0, 16384.0, 512, 512),
    "antarctic": Georeference(3031, -POLAR_M, POLAR_M, 16384.0, 16384.0, 512, 512),
    "mercator": Georeference(3857, -HALF_M, HALF_M, 2 * HALF_M / 512, 2 * HALF_M / 512, 512, 512),
}
CUT = 86.5


class Direct:
    """The direct formula at some pixels: every pass, twelve iterations, double precision."""

    def __init__(self, orbit: Orbit, day: dt.date, lon: np.ndarray, lat: np.ndarray) -> None:
        self.count = np.zeros(lon.shape, int)
        self.index = np.full(lon.shape, -1)
        self.scan = np.full(lon.shape, np.inf)
        self.time = np.full(lon.shape, np.nan)
        self.doubt = np.full(lon.shape, np.inf)
        """Degrees to the nearest edge of a swath, of the day or of the light."""
        tilt = np.radians(orbit.inclination_deg)
        phi = np.radians(geocentric_latitude(lat))
        middle = 0.0 if orbit.record.day_node == "ascending" else np.pi
        for number in range(-1, 40):
            u = np.full(lon.shape, middle)
            for _ in range(12):
                turned = elapsed_turns(orbit, u) * orbit.spacing_deg
                along = np.radians(lon - orbit.node_longitude(number) + turned)
                x, y = np.cos(phi) * np.cos(along), np.cos(phi) * np.sin(along)
                u = np.arctan2(y * np.cos(tilt) + np.sin(phi) * np.sin(tilt), x)
                u = middle + (u - middle + np.pi) % (2 * np.pi) - np.pi
            beside = np.sin(phi) * np.cos(tilt) - y * np.sin(tilt)
            self._add(orbit, day, lon, lat, number, u, beside)

    def _add(  # noqa: PLR0917
        self,
        orbit: Orbit,
        day: dt.date,
        lon: np.ndarray,
        lat: np.ndarray,
        number: int,
        u: np.ndarray,
        beside: np.ndarray,
    ) -> None:
        geocentric = geocentric_latitude(lat)
        time = orbit.node_time(number) + elapsed_turns(orbit, u) * orbit.period_s
        local = time + 240.0 * lon - day_start_s(day)
        zenith = solar_angles(lon, lat, time).zenith_deg
        inside = half_width_deg(orbit, np.degrees(u), geocentric) - np.degrees(
            np.abs(np.arcsin(beside))
        )
        hours = np.minimum(local, DAY_S - local) / 240.0
        margins = np.stack([inside, hours, CUT - zenith])
        worst = margins.min(axis=0)
        # How near a small change is to making or ending this pass.
        self.doubt = np.minimum(self.doubt, np.abs(worst))
        seen = worst >= 0.0
        ground, radius = earth_radius_km(geocentric), orbit_radius_km(orbit, np.degrees(u))
        depth = radius - ground * np.sqrt(1 - beside**2)
        scan = np.degrees(np.arctan2(ground * beside, depth))
        better = seen & (np.abs(scan) < np.abs(self.scan))
        self.count += seen
        self.index[better] = number
        self.scan[better] = scan[better]
        self.time[better] = time[better]


def some_pixels(georeference: Georeference, count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    rows = generator.integers(0, georeference.rows, count)
    cols = generator.integers(0, georeference.cols, count)
    lon, lat = pixel_places(georeference)
    real = (np.abs(lat[rows, cols]) <= 90) & (np.abs(lon[rows, cols]) <= 180)
    return rows[real], cols[real]


def geometry_of(name: str, georeference: Georeference, day: dt.date) -> PassGeometry:
    orbit = anchor_orbit(SATELLITES[name], day)
    return pass_geometry(orbit, georeference, day, sza_limit_deg=CUT)


@pytest.mark.parametrize("grid", sorted(GRIDS))
@pytest.mark.parametrize(
    ("name", "day"),
    [("Terra", dt.date(2017, 1, 1)), ("SNPP", dt.date(2016, 6, 20)), ("Aqua", dt.date(2016, 3, 9))],
)
def test_every_projection_agrees_with_the_direct_formula(
    grid: str, name: str, day: dt.date
) -> None:
    georeference = GRIDS[grid]
    found = geometry_of(name, georeference, day)
    rows, cols = some_pixels(georeference, 4000)
    lon, lat = (plane[rows, cols].astype(float) for plane in pixel_places(georeference))
    direct = Direct(found.orbit, day, lon, lat)
    metres = 1.0 if georeference.epsg == 4326 else 1 / 111_320.0
    wrong = direct.count != found.covered_passes[rows, cols]
    assert np.all(direct.doubt[wrong] < 0.1 * georeference.pixel_width * metres)
    assert wrong.mean() < 0.002
    same = (direct.index == found.pass_index[rows, cols]) & (direct.index >= 0)
    assert np.all((direct.index >= 0)[~wrong] == (found.pass_index[rows, cols] >= 0)[~wrong])
    assert np.abs(direct.time - found.time_s[rows, cols])[same].max(initial=0) < 0.1
    assert np.abs(direct.scan - found.cross_track_deg[rows, cols])[same].max(initial=0) < 0.02
    # Another pass was chosen only where both see it alike.
    swapped = ~same & ~wrong & (direct.index >= 0)
    unlike = np.abs(direct.scan) - np.abs(found.cross_track_deg[rows, cols])
    assert np.all((np.abs(unlike) < 0.05)[swapped] | (direct.doubt < 0.02)[swapped])


def test_angles_agree_with_vectors() -> None:
    """View, Sun and glint against directions worked out from the track on the globe."""
    found = geometry_of("SNPP", SMALL, dt.date(2016, 6, 20))
    rows, cols = some_pixels(SMALL, 4000)
    keep = found.covered[rows, cols]
    rows, cols = rows[keep], cols[keep]
    lon, lat = (plane[rows, cols].astype(float) for plane in pixel_places(SMALL))
    time = found.time_s[rows, cols]
    orbit = found.orbit
    turns = (time - orbit.node_time_s) / orbit.period_s
    number = found.pass_index[rows, cols]
    u = 2 * np.pi * (turns - number)
    for _ in range(4):
        u += 2 * np.pi * (turns - number - elapsed_turns(orbit, u))
    tilt = np.radians(orbit.inclination_deg)
    theta = np.radians(orbit.node_lon_deg - turns * orbit.spacing_deg)
    radius = orbit_radius_km(orbit, np.degrees(u))
    x, y = np.cos(u), np.sin(u) * np.cos(tilt)
    place = np.stack(
        [
            radius * (x * np.cos(theta) - y * np.sin(theta)),
            radius * (x * np.sin(theta) + y * np.cos(theta)),
            radius * np.sin(u) * np.sin(tilt),
        ]
    )
    phi, lam = np.radians(geocentric_latitude(lat)), np.radians(lon)
    up = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    east = np.stack([-np.sin(lam), np.cos(lam), np.zeros_like(lam)])
    north = np.cross(up, east, axis=0)
    view = place - earth_radius_km(np.degrees(phi)) * up
    view /= np.linalg.norm(view, axis=0)
    zenith = np.degrees(np.arccos((view * up).sum(axis=0)))
    azimuth = np.degrees(np.arctan2((view * east).sum(axis=0), (view * north).sum(axis=0)))
    sun = solar_angles(lon, lat, time)
    glint = glint_angle(sun.zenith_deg, sun.azimuth_deg, zenith, azimuth)
    assert np.abs(zenith - found.view_zenith_deg[rows, cols]).max() < 0.15
    assert np.abs(sun.zenith_deg - found.solar_zenith_deg[rows, cols]).max() < 0.02
    assert np.abs(glint - found.glint_deg[rows, cols]).max() < 0.3
    assert np.median(np.abs(glint - found.glint_deg[rows, cols])) < 0.05
    assert glint.min() < 3


def test_edges_are_those_of_the_edge_formula() -> None:
    day = dt.date(2017, 1, 1)
    found = geometry_of("Terra", GLOBE, day)
    row = 500
    lon, lat = pixel_places(GLOBE)
    gaps = np.flatnonzero(np.diff((found.covered_passes[row] == 0).astype(int)))
    edges = np.concatenate(
        [
            edge_longitudes(found.orbit, np.arange(40), lat[row, 0], side)
            for side in ("east", "west")
        ]
    )
    assert gaps.size >= 26
    for gap in gaps:
        between = (lon[row, gap] + lon[row, gap + 1]) / 2
        assert np.abs((edges - between + 180) % 360 - 180).min() < 0.6 * GLOBE.pixel_width


def test_viirs_sees_every_pixel_of_the_middle_latitudes() -> None:
    _, lat = pixel_places(SMALL)
    for name in ("SNPP", "NOAA-20"):
        for offset in range(0, 16, 5):
            found = geometry_of(name, SMALL, dt.date(2018, 3, 20) + dt.timedelta(days=offset))
            assert found.covered[np.abs(lat) < 80].all()


def test_modis_leaves_gaps_in_the_tropics_alone() -> None:
    lon, lat = pixel_places(GLOBE)
    found = geometry_of("Terra", GLOBE, dt.date(2018, 3, 20))
    gap = ~found.covered & (np.abs(lat) < 75)
    assert 0.11 < gap[(np.abs(lat) < 0.5)].mean() < 0.14  # about 12 % of the equator
    assert 28.0 < np.abs(lat[gap]).max() < 30.0
    assert lon.shape == lat.shape


def test_sixteen_days_later_the_same_is_covered() -> None:
    for name in ("Terra", "Aqua", "SNPP"):
        day = dt.date(2017, 3, 12)
        one, other = (
            geometry_of(name, SMALL, day + dt.timedelta(days=days)).covered[60:196]
            for days in (0, 16)
        )
        shifted = geometry_of(name, SMALL, day + dt.timedelta(days=7)).covered[60:196]
        assert (one != other).mean() < 0.001
        assert name == "SNPP" or (one != shifted).mean() > 0.05


def test_the_day_is_cut_at_the_antimeridian() -> None:
    found = geometry_of("Terra", SMALL, dt.date(2017, 3, 1))
    row = SMALL.rows // 2
    times = found.time_s[row]
    finite = np.isfinite(times)
    assert found.pass_index[row][finite][-1] < found.pass_index[row][finite][0]
    apart = times[finite][0] - times[finite][-1]
    assert apart == pytest.approx(DAY_S, abs=1.2 * found.orbit.period_s)
    lon, _ = pixel_places(SMALL)
    local = times + 240.0 * lon[row] - day_start_s(dt.date(2017, 3, 1))
    assert np.all((local >= 0)[finite])
    assert np.all((local < DAY_S)[finite])


def test_many_passes_cover_a_pixel_near_the_pole_in_summer_and_none_in_winter() -> None:
    arctic = GRIDS["arctic"]
    _, lat = pixel_places(arctic)
    high = (lat > 82) & (lat < 86)
    summer = geometry_of("Terra", arctic, dt.date(2017, 6, 21))
    assert summer.covered_passes[high].min() >= 6
    assert not geometry_of("Terra", arctic, dt.date(2017, 12, 21)).covered[high].any()


def test_the_second_choice_is_less_steep() -> None:
    day = dt.date(2017, 6, 21)
    orbit = anchor_orbit(SATELLITES["SNPP"], day)
    found = pass_geometry(orbit, SMALL, day, second=True)
    assert found.second_index is not None
    assert np.array_equal(found.second_index >= 0, found.covered_passes >= 2)
    two = found.second_index >= 0
    assert np.all(found.second_index[two] != found.pass_index[two])
    plain = pass_geometry(orbit, SMALL, day)
    assert plain.second_index is None
    assert np.array_equal(plain.pass_index, found.pass_index)


def test_a_pass_is_not_followed_into_the_night() -> None:
    orbit = anchor_orbit(SATELLITES["SNPP"], dt.date(2017, 6, 21))
    with pytest.raises(ValueError, match="sza_limit_deg=120"):
        pass_geometry(orbit, SMALL, dt.date(2017, 6, 21), sza_limit_deg=120.0)
