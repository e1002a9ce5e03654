"""The solar zenith angle at which imagery ends, from drawn nights and from real ones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from gibswatch.raster.codec import read_picture
from gibswatch.sky.night_edge import fit_night_cut, observe_night_edge
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference

SNPP, TERRA = SATELLITES["SNPP"], SATELLITES["Terra"]
DAY = dt.date(2016, 4, 12)
GLOBE = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 640)
POLAR = Georeference(3031, -4194304.0, 4194304.0, 32768.0, 32768.0, 256, 256)


def drawn(cut: float, place: Georeference = GLOBE) -> BoolArray:
    geometry = pass_geometry(anchor_orbit(SNPP, DAY), place, DAY, sza_limit_deg=cut)
    return ~geometry.covered


@pytest.mark.parametrize("place", [GLOBE, POLAR], ids=["globe", "antarctic"])
@pytest.mark.parametrize("cut", [85.6, 86.4, 87.3])
def test_the_cut_that_was_drawn(cut: float, place: Georeference) -> None:
    edge = observe_night_edge(drawn(cut, place), place, DAY, anchor_orbit(SNPP, DAY))
    found = fit_night_cut([edge])
    assert found is not None
    assert found.sza_cut_deg == pytest.approx(cut, abs=0.2)
    assert found.spread_deg < 0.5
    assert found.error < 0.02


def test_missing_granules_do_not_move_the_cut() -> None:
    black = drawn(86.4)
    black[:, 100:140] = True
    found = fit_night_cut([observe_night_edge(black, GLOBE, DAY, anchor_orbit(SNPP, DAY))])
    assert found is not None
    assert found.sza_cut_deg == pytest.approx(86.4, abs=0.2)


def test_days_add_up_and_a_wide_terminator_is_said_to_be_wide() -> None:
    orbit = anchor_orbit(SNPP, DAY)
    edges = [observe_night_edge(drawn(cut), GLOBE, DAY, orbit) for cut in (84.0, 86.0, 88.0)]
    found = fit_night_cut(edges)
    assert found is not None
    assert found.days == 3
    assert found.sza_cut_deg == pytest.approx(86.0, abs=1.0)
    assert 1.5 < found.spread_deg < 2.5


def test_no_night_no_cut() -> None:
    orbit = anchor_orbit(SNPP, DAY)
    light = np.zeros(GLOBE.shape, dtype=bool)
    assert fit_night_cut([]) is None
    assert fit_night_cut([observe_night_edge(light, GLOBE, DAY, orbit)]) is None
    assert fit_night_cut([observe_night_edge(~light, GLOBE, DAY, orbit)]) is None
    noise = np.random.default_rng(0).random(GLOBE.shape) < 0.5
    assert fit_night_cut([observe_night_edge(noise, GLOBE, DAY, orbit)]) is None


@pytest.mark.realdata
def test_terra_in_january(real_data: Path) -> None:
    """The tile hangs over the globe in the south: rows 0-319 hold data."""
    place = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 320, 512)
    edges = []
    for number in (1, 4, 7):
        day = dt.date(2017, 1, number)
        pixels, _ = read_picture(real_data / "real" / "terra_z0_2017" / f"{day}.png")
        black = np.asarray(pixels[:320, :, :3].max(axis=2) <= 12)
        edges.append(observe_night_edge(black, place, day, anchor_orbit(TERRA, day)))
    found = fit_night_cut(edges)
    assert found is not None
    assert found.sza_cut_deg == pytest.approx(86.5, abs=0.4)
    assert found.spread_deg < 0.3
