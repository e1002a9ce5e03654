"""Other pictures of the day settle whether a colour is the Earth's or the instrument's."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from numpy.typing import NDArray

from gibswatch.detect.colour import rule as colour
from gibswatch.detect.colour.others import settle_by_others
from gibswatch.detect.context import Context, OtherPicture
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2018, 4, 10)
_SNPP = SATELLITES["SNPP"]
_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 720, 180 / 360, 360, 720)
_TRUE = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
_NOAA20 = "VIIRS_NOAA20_CorrectedReflectance_TrueColor"
_M11 = "VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1"
_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(_SNPP, _GLOBE, _DAY, anchor_orbit(_SNPP, _DAY))


def _bands(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    cloud = np.kron(rng.uniform(0.0, 1.0, (45, 90)), np.ones((8, 8))) ** 2
    sea = np.stack([np.full(cloud.shape, v) for v in (0.04, 0.06, 0.09)])
    stack = sea * (1 - cloud) + 0.85 * cloud
    return np.asarray(stack * np.exp(rng.normal(0.0, 0.02, stack.shape)))


def _faulty(expected: Expectation) -> BoolArray:
    number = int(expected.pass_index[180, 360])
    near = np.abs(expected.time_s - float(expected.time_s[180, 360])) < 180.0
    return np.asarray(near & (expected.pass_index == number) & expected.covered)


def _scene(layer: str, seed: int, tinted: BoolArray | None) -> Scene:
    bands = _bands(seed)
    if tinted is not None:
        bands[1, tinted] *= 0.6
    shown = np.rint(np.interp(np.clip(bands, 0, 1.1) / 1.1 * 255, *_KNOTS)).astype(np.uint8)
    return scene_from_picture(
        np.moveaxis(shown, 0, -1).copy(), layer=layer, date=_DAY, image_format="jpg",
        georeference=_GLOBE, provenance="test",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "tinted", "sentence"),
    [
        (_NOAA20, True, None),
        (_NOAA20, False, "NOAA-20 does not show it on the same day: it is not the Earth"),
        (
            _M11,
            True,
            "BandsM11-I2-I1 of the same satellite differs there too: it is the instrument",
        ),
        (_M11, False, "BandsM11-I2-I1 of the same satellite shows nothing there"),
    ],
)
def test_another_picture_of_the_day_settles_it(
    expected: Expectation, layer: str, tinted: bool, sentence: str | None
) -> None:
    fault = _faulty(expected)
    scene = _scene(_TRUE, 11, fault)
    other = _scene(layer, 12, fault if tinted else None)
    observation, black = observe(scene)
    alone = Context(observation)
    shown = colour.detect(scene, black, expected, alone)
    assert any(region.kind is Kind.MISCOLORATION for region in shown.regions)
    assert settle_by_others(shown, scene, black, expected, alone) is shown
    beside = Context(
        observation, same_day=lambda: (OtherPicture(other, np.zeros(_GLOBE.shape, dtype=bool)),)
    )
    settled = settle_by_others(shown, scene, black, expected, beside)
    if sentence is None:
        assert settled.regions == ()
        assert settled.score < 0.5
        assert "NOAA-20 shows the same colour on the same day" in settled.note
    else:
        assert sentence in settled.regions[0].reason
        assert settled.score == shown.score


def test_a_day_without_strange_colours_asks_nobody(expected: Expectation) -> None:
    scene = _scene(_TRUE, 11, None)
    observation, black = observe(scene)
    shown = colour.detect(scene, black, expected, Context(observation))
    assert shown.regions == ()

    def never() -> tuple[OtherPicture, ...]:
        raise AssertionError("asked")

    asked = Context(observation, same_day=never)
    assert settle_by_others(shown, scene, black, expected, asked) is shown
