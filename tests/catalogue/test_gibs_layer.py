"""The predecessor's class under its old name."""

from __future__ import annotations

import datetime as dt
import warnings

import pytest

from gibswatch.catalogue.gibs_layer import GIBSLayer
from gibswatch.catalogue.layers import PREDEFINED
from gibswatch.catalogue.service_xml import service_xml
from gibswatch.errors import DateRangeError, RenamedLayerWarning, UnknownGridError


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


DAY = dt.date(2023, 8, 7)


def test_generate_xml_keeps_what_it_returns() -> None:
    layer = get("VIIRS_SNPP_CorrectedReflectance_TrueColor")
    assert layer.gibs_xml == ""
    xml = layer.generate_xml(
        protocol="tms", epsg="3413", tile_resolution="1km", datestring="2023-08-07"
    )
    assert xml == layer.gibs_xml
    assert xml == service_xml(layer.layer, "tms", epsg=3413, day=DAY, tile_resolution="1km")
    assert layer == get("VIIRS_SNPP_CorrectedReflectance_TrueColor")
    assert layer.generate_xml("wmts", 3857, None, "2023-08-07").startswith("<Capabilities")


def test_generate_xml_twms_takes_any_resolution_as_the_predecessor_did() -> None:
    layer = get("VIIRS_SNPP_CorrectedReflectance_TrueColor")
    layer.generate_xml("twms", "4326", "16km", "2023-08-07")
    assert layer.gibs_xml == service_xml(layer.layer, "twms", day=DAY)


def test_generate_xml_by_the_older_calls() -> None:
    layer = get("VIIRS_SNPP_CorrectedReflectance_TrueColor")
    assert layer.generate_xml("tms", "2023-08-07") == service_xml(layer.layer, "tms", day=DAY)
    polar = service_xml(layer.layer, "tms", epsg=3031, day=DAY)
    assert layer.generate_xml("tms", "3031", "2023-08-07") == polar
    assert layer.generate_xml("twms", datestring="2023-08-07") == layer.gibs_xml


def test_generate_xml_refuses_and_keeps_the_last() -> None:
    layer = get("VIIRS_SNPP_CorrectedReflectance_TrueColor")
    kept = layer.generate_xml("tms", "2023-08-07")
    with pytest.raises(DateRangeError, match="not in the calendar"):
        layer.generate_xml("tms", "4326", "16km", "2023-13-07")
    with pytest.raises(UnknownGridError, match="epsg 'polar' is not a number"):
        layer.generate_xml("tms", "polar", "16km", "2023-08-07")
    with pytest.raises(UnknownGridError, match="equator"):
        layer.generate_xml("twms", "3413", "16km", "2023-08-07")
    assert layer.gibs_xml == kept
