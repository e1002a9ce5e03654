"""The predecessor's class under its old name."""

from __future__ import annotations

import warnings

import pytest

from gibswatch.catalogue.gibs_layer import GIBSLayer
from gibswatch.catalogue.layers import PREDEFINED
from gibswatch.errors import RenamedLayerWarning


def get(name: str) -> GIBSLayer:
    layer = GIBSLayer.get_gibs_layer(name)
    assert layer is not None
    return layer


def test_attributes_in_the_predecessors_words() -> None:
    layer = get("VIIRS_SNPP_CorrectedReflectance_BandsM11_I2_I1")
    assert layer.layer_name == "VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1"
    assert layer.title == "Corrected Reflectance (Bands M11-I2-I1)"
    assert (layer.epsg, layer.format, layer.format_suffix) == ("4326", "JPEG", "jpg")
    assert (layer.tilematrixset, layer.time, layer.date_min) == ("250m", "2026-06-23", "2015-11-24")
    assert layer.layer.platform == "Suomi NPP"


def test_unknown_name_gives_none() -> None:
    assert GIBSLayer.get_gibs_layer("No_Such_Layer") is None


def test_vector_layer_has_its_set() -> None:
    with pytest.warns(RenamedLayerWarning):
        layer = get("MODIS_Fires_All")
    assert (layer.format, layer.format_suffix, layer.tilematrixset) == ("MVT", "mvt", "1km")


def test_layer_without_time() -> None:
    layer = get("BlueMarble_NextGeneration")
    assert (layer.time, layer.date_min) == ("", "")


@pytest.mark.parametrize("name", PREDEFINED)
def test_every_predefined_layer(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RenamedLayerWarning)
        layer = get(name)
    assert layer.format in ("JPEG", "PNG", "MVT")
    assert layer.date_min >= "2000-02-24"
    assert layer.tilematrixset
