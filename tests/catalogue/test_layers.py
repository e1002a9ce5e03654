"""The catalogue: its facts against the documented ones, and finding a layer by any of its names."""

from __future__ import annotations

import datetime as dt
import pickle
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gibswatch.catalogue.domains import gaps
from gibswatch.catalogue.grids import tile_matrix_set
from gibswatch.catalogue.layers import (
    PREDEFINED,
    Layer,
    find_layer,
    load_catalogue,
    retired_names,
    search_layers,
)
from gibswatch.errors import RenamedLayerWarning, UnknownGridError, UnknownLayerError

TERRA = (
    "2000-04-26..2000-04-27 2000-08-07..2000-08-17 2001-06-16..2001-07-02 2002-03-20..2002-03-27 "
    "2003-12-17..2003-12-23 2008-12-21..2008-12-22 2016-02-19..2016-02-26 2022-10-11..2022-10-22"
)
AQUA = "2002-07-31..2002-08-06 2002-09-13 2022-04-01..2022-04-16"
SNPP = (
    "2022-07-28..2022-08-09 2024-06-01..2024-06-03 2024-07-12..2024-07-15 "
    "2024-07-25..2024-07-28 2024-11-04..2024-11-05 2026-04-29"
)
NOAA20 = "2018-02-22..2018-02-23 2018-03-13 2020-01-01 2022-01-13"
CORRECTED_REFLECTANCE = {
    "MODIS_Terra_CorrectedReflectance_TrueColor": ("2000-02-24", TERRA),
    "MODIS_Terra_Data_No_Data": ("2000-02-24", TERRA),
    "MODIS_Terra_CorrectedReflectance_Bands721": ("2000-02-24", TERRA + " 2022-12-17"),
    "MODIS_Aqua_CorrectedReflectance_TrueColor": ("2002-07-03", AQUA),
    "MODIS_Aqua_Data_No_Data": ("2002-07-03", AQUA),
    "MODIS_Aqua_CorrectedReflectance_Bands721": ("2002-07-03", AQUA + " 2022-10-22"),
    "VIIRS_SNPP_CorrectedReflectance_TrueColor": ("2015-11-24", SNPP),
    "VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1": ("2015-11-24", SNPP),
    "VIIRS_SNPP_CorrectedReflectance_BandsM3-I3-M11": ("2015-11-24", SNPP),
    "VIIRS_NOAA20_CorrectedReflectance_TrueColor": ("2018-01-05", NOAA20),
    "VIIRS_NOAA20_CorrectedReflectance_BandsM11-I2-I1": ("2018-01-05", NOAA20),
    "VIIRS_NOAA20_CorrectedReflectance_BandsM3-I3-M11": ("2018-01-05", NOAA20),
    "VIIRS_NOAA21_CorrectedReflectance_TrueColor": (
        "2023-02-10",
        "2023-02-24 2023-03-10 2024-02-27..2024-02-28",
    ),
    "VIIRS_NOAA21_CorrectedReflectance_BandsM11-I2-I1": (
        "2023-02-10",
        "2023-02-24 2023-03-04 2024-02-27..2024-02-28",
    ),
    "VIIRS_NOAA21_CorrectedReflectance_BandsM3-I3-M11": (
        "2023-02-10",
        "2023-02-24 2024-02-27..2024-02-28",
    ),
}


def written(layer: Layer) -> str:
    """Gaps as the table above writes them."""
    return " ".join(str(a) if a == b else f"{a}..{b}" for a, b in gaps(layer.periods))


@pytest.mark.parametrize("name", CORRECTED_REFLECTANCE)
def test_corrected_reflectance_start_and_gaps(name: str) -> None:
    layer = find_layer(name)
    start, missing = CORRECTED_REFLECTANCE[name]
    assert str(layer.start_date) == start
    assert written(layer) == missing
    assert layer.last_known_date == dt.date(2026, 6, 23)
    assert layer.domain_source == "2026-06"
    assert (layer.ongoing, layer.end_date, layer.cadence) == (True, None, "P1D")
    assert layer.format == ("png" if name.endswith("No_Data") else "jpg")


@pytest.mark.parametrize("name", [n for n in CORRECTED_REFLECTANCE if "No_Data" not in n])
def test_corrected_reflectance_grids(name: str) -> None:
    layer = find_layer(name)
    assert [layer.matrix_set(epsg) for epsg in (4326, 3413, 3031)] == ["250m"] * 3
    assert layer.matrix_set(3857) == "GoogleMapsCompatible_Level9"


def test_number_of_layers() -> None:
    catalogue = load_catalogue()
    added = [n for n in catalogue if "NOAA21" in n or n.endswith("_Granule")]
    assert len(added) == 9
    assert len(catalogue) == 1012 + len(added)
    assert list(catalogue) == sorted(catalogue)
    services = [layer.service for layer in catalogue.values()]
    assert [services.count(s) for s in ("wmts", "wms", "vector", "variable")] == [943, 57, 20, 1]


def test_granule_layers() -> None:
    for platform in ("SNPP", "NOAA20"):
        layer = find_layer(f"VIIRS_{platform}_CorrectedReflectance_BandsM3-I3-M11_Granule")
        assert (layer.cadence, layer.is_sub_daily, layer.format) == ("PT6M", True, "jpg")
        assert layer.start_date == dt.date(2026, 3, 25)


def test_every_layer_is_whole() -> None:
    for layer in load_catalogue().values():
        for epsg, name in layer.projections.items():
            if name:
                assert tile_matrix_set(epsg, name).identifier == name
        assert layer.projections
        assert (layer.cadence is None) == (not layer.domain) == (layer.domain_source is None)
        assert bool(layer.periods) == (layer.start_date is not None)
        assert not (layer.ongoing and layer.end_date)
        if layer.service == "wmts" and 4326 in layer.projections:
            assert 3857 in layer.projections


def test_layers_can_be_hashed_and_sent_to_processes() -> None:
    layer = find_layer("MODIS_Terra_Data_No_Data")
    assert {layer} == {pickle.loads(pickle.dumps(layer))}


def test_static_layer_has_no_days() -> None:
    layer = find_layer("BlueMarble_NextGeneration")
    assert (layer.periods, layer.start_date, layer.end_date, layer.cadence) == (
        (),
        None,
        None,
        None,
    )
    assert not layer.is_sub_daily
    assert not layer.ongoing


def test_layer_that_has_ended() -> None:
    layer = find_layer("VIIRS_CrIS_SNPP_BT_Band33_Fusion_Day")
    assert (layer.ongoing, layer.end_date) == (False, dt.date(2023, 8, 13))


def test_polar_name_on_the_server() -> None:
    layer = find_layer("Coastlines_15m")
    assert [layer.name_in(e) for e in (4326, 3413)] == ["Coastlines_15m", "Coastlines"]


def test_matrix_set_that_is_not_there() -> None:
    layer = find_layer("MODIS_Terra_Land_Surface_Temp_Day")
    with pytest.raises(UnknownGridError, match=r"not offered in EPSG:3413: use EPSG:4326, EPSG:38"):
        layer.matrix_set(3413)
    with pytest.raises(UnknownGridError, match="vector shapes"):
        find_layer("MODIS_Combined_Thermal_Anomalies_All").matrix_set(4326)
    with pytest.raises(UnknownGridError, match="WMS"):
        find_layer("OrbitTracks_Terra_Ascending").matrix_set(4326)
    graticule = find_layer("Graticule")
    assert graticule.matrix_set(3413) == "250m"
    with pytest.raises(UnknownGridError, match="use EPSG:3413, EPSG:3031"):
        graticule.matrix_set(4326)


def test_predefined_layers_are_all_found() -> None:
    assert len(set(PREDEFINED)) == 18
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = {name: find_layer(name).identifier for name in PREDEFINED}
    assert len({*found.values()}) == 18
    assert len(caught) == 4
    assert found["MODIS_Fires_All"] == "MODIS_Combined_Thermal_Anomalies_All"
    assert found["MODIS_Terra_Chlorophyll_A"] == "MODIS_Terra_L2_Chlorophyll_A"
    assert found["VIIRS_SNPP_Fires_375m_Night"] == "VIIRS_SNPP_Thermal_Anomalies_375m_Night"
    assert (
        found["VIIRS_SNPP_CorrectedReflectance_BandsM3_I3_M11"]
        == "VIIRS_SNPP_CorrectedReflectance_BandsM3-I3-M11"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Aqua_Orbit_Asc", "OrbitTracks_Aqua_Ascending"),
        ("GCOM_W1_Orbit_Dsc", "OrbitTracks_GCOM-W1_Descending"),
        ("Reference_Labels", "Reference_Labels_15m"),
        ("MODIS_Terra_Snow_Cover", "MODIS_Terra_NDSI_Snow_Cover"),
        ("AMSR2_Wind_Speed_Day", "AMSRU2_Wind_Speed_Day"),
        ("AIRS_Temperature_500hPa_Day", "AIRS_L2_Temperature_500hPa_Day"),
        ("grand-v1-dams-rev01", "GRanD_Dams"),
        ("MODIS_Aqua_Chlorophyll_A", "MODIS_Aqua_L2_Chlorophyll_A"),
    ],
)
def test_retired_names_warn(old: str, new: str) -> None:
    with pytest.warns(RenamedLayerWarning, match=new):
        assert find_layer(old).identifier == new


def test_retired_names_lead_to_layers() -> None:
    assert set(retired_names().values()) <= set(load_catalogue())
    assert not set(retired_names().values()) & set(retired_names())


def test_underscores_stand_for_one_layer() -> None:
    written_so = [name.replace("-", "_") for name in load_catalogue()]
    assert len(set(written_so)) == len(written_so)


def test_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownLayerError) as caught:
        find_layer("viirs_snpp_correctedreflectance_truecolour")
    message = str(caught.value)
    assert "did you mean VIIRS_SNPP_CorrectedReflectance_TrueColor, " in message
    assert "layers list --search" in message
    assert message.count("VIIRS_") == 3


@pytest.mark.parametrize(
    "name", ["../../x", "a\0b", "x" * 300, "", "\u202egpj", "é\n" * 99, "A" * 10**6]
)
def test_hostile_names_end_in_the_same_error(name: str) -> None:
    with pytest.raises(UnknownLayerError) as caught:
        find_layer(name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@given(st.text(max_size=60))
def test_any_other_text_is_an_unknown_layer(name: str) -> None:
    if name in load_catalogue():
        return
    with pytest.raises(UnknownLayerError) as caught:
        find_layer(name)
    assert str(caught.value).isprintable()


def test_search_needs_every_word() -> None:
    names = [layer.identifier for layer in search_layers("noaa-21 CORRECTED m11-i2")]
    assert names == ["VIIRS_NOAA21_CorrectedReflectance_BandsM11-I2-I1"]
    assert search_layers("terra nosuchword") == []
    assert len(search_layers("")) == len(load_catalogue())
