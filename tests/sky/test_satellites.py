"""Satellites by layer, and what their grid says of itself."""

from __future__ import annotations

import datetime as dt

import pytest

from gibswatch.catalogue import load_catalogue
from gibswatch.sky.satellites import SATELLITES, satellite_of


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("MODIS_Terra_CorrectedReflectance_TrueColor", "Terra"),
        ("MODIS_Aqua_CorrectedReflectance_Bands721", "Aqua"),
        ("VIIRS_SNPP_CorrectedReflectance_TrueColor", "SNPP"),
        ("VIIRS_NOAA20_CorrectedReflectance_TrueColor", "NOAA-20"),
        ("VIIRS_NOAA21_CorrectedReflectance_TrueColor", "NOAA-21"),
    ],
)
def test_a_layer_has_its_satellite(identifier: str, name: str) -> None:
    satellite = satellite_of(identifier)
    assert satellite is not None
    assert satellite.name == name


@pytest.mark.parametrize(
    "identifier", ["MODIS_Combined_Value-Added_AOD", "GOES-East_ABI_GeoColor", "", "MODIS_TerraX"]
)
def test_other_layers_have_none(identifier: str) -> None:
    assert satellite_of(identifier) is None


def test_every_true_colour_layer_of_the_catalogue_has_one() -> None:
    layers = [name for name in load_catalogue() if name.endswith("Reflectance_TrueColor")]
    assert len(layers) >= 5
    assert all(satellite_of(name) is not None for name in layers)


def test_periods_are_those_of_the_repeat_cycles() -> None:
    assert SATELLITES["Terra"].nodal_period_s == pytest.approx(5933.05, abs=0.01)
    assert SATELLITES["SNPP"].nodal_period_s == pytest.approx(6089.87, abs=0.01)
    for satellite in SATELLITES.values():  # a track of even steps: 240 s of time are a degree
        assert satellite.nodal_period_s == pytest.approx(240.0 * satellite.spacing_deg)
        assert satellite.launch > dt.date(1999, 1, 1)
