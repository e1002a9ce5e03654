"""What a day may be asked for."""

from __future__ import annotations

import datetime as dt

import pytest

from gibswatch.errors import UsageError
from gibswatch.simulate.days.spec import (
    FAULT_CODES,
    FAULT_KINDS,
    DaySpec,
    generator,
    layer_of,
    parse_layer,
)

DAY = dt.date(2016, 4, 12)


@pytest.mark.parametrize(
    "layer",
    [
        "MODIS_Terra_CorrectedReflectance_Bands367",
        "MODIS_Aqua_Data_No_Data",
        "VIIRS_SNPP_CorrectedReflectance_TrueColor",
        "VIIRS_NOAA21_CorrectedReflectance_BandsM3-I3-M11",
    ],
)
def test_layers_and_products_are_one_to_one(layer: str) -> None:
    satellite, product = parse_layer(layer)
    assert layer_of(satellite, product) == layer
    assert DaySpec(satellite, product, DAY, 1).layer == layer


@pytest.mark.parametrize(
    "layer",
    ["VIIRS_SNPP_Data_No_Data", "VIIRS_SNPP_CorrectedReflectance_Bands721", "Coastlines", ""],
)
def test_a_layer_that_cannot_be_simulated_is_refused(layer: str) -> None:
    with pytest.raises(UsageError, match="cannot be simulated"):
        parse_layer(layer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"satellite": "Sputnik"}, "no satellite 'Sputnik'"),
        ({"product": "Bands721"}, "SNPP has no product 'Bands721'"),
        ({"day": dt.date(1999, 12, 31)}, "outside 2000-2030"),
        ({"quality": 0}, "from 1 to 100"),
        ({"tracks": "tle"}, "needs the text"),
    ],
)
def test_a_day_that_cannot_be_made_says_why(change: dict[str, object], message: str) -> None:
    given: dict[str, object] = {
        "satellite": "SNPP", "product": "TrueColor", "day": DAY, "seed": 1,
    }  # fmt: skip
    with pytest.raises(UsageError, match=message):
        DaySpec(**(given | change))  # type: ignore[arg-type]


def test_every_kind_of_fault_has_its_code() -> None:
    assert set(FAULT_CODES) == set(FAULT_KINDS)
    assert {code for code in FAULT_CODES.values() if code} == {1, 2, 3, 4, 7, 8, 9}


def test_random_numbers_belong_to_seed_and_purpose() -> None:
    first = generator(7, "a", 1).random()
    assert generator(7, "a", 1).random() == first
    others = {generator(*key).random() for key in ((8, "a", 1), (7, "a", 2), (7, "a1"), (7, "a"))}
    assert first not in others
    assert len(others) == 4
