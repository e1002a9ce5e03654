"""Missing data against what should be visible: clean days, holes, explanations, fallbacks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.detect import REASON_CODES, Context, Detection, Witness
from gibswatch.detect.missing.rule import detect
from gibswatch.raster import Observation, Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2018, 4, 10)
_TERRA, _AQUA = SATELLITES["Terra"], SATELLITES["Aqua"]
_TILE = Georeference(4326, -40.0, 20.0, 40 / 256, 40 / 256, 256, 256)
_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(_TERRA, _TILE, _DAY)


def _scene(black: BoolArray, *, layer: str = _LAYER, day: dt.date | None = _DAY) -> Scene:
    rng = np.random.default_rng(7)
    pixels = rng.integers(40, 200, (*black.shape, 3)).astype(np.uint8)
    pixels[black] = 0
    return scene_from_picture(
        pixels, layer=layer, date=day, image_format="jpg", georeference=_TILE, provenance="test"
    )


def _judge(
    scene: Scene, expectation: Expectation | None, context: Context | None = None
) -> Detection:
    observation, black = observe(scene)
    context = replace(context, observation=observation) if context else Context(observation)
    return detect(scene, black, expectation, context)


def _hole(expected: Expectation, number: int, seconds: tuple[float, float]) -> BoolArray:
    """A part of a pass; seconds count from when it comes into the picture."""
    seen = (expected.pass_index == number) & expected.covered
    start = float(expected.time_s[seen].min())
    time = expected.time_s - start
    return np.asarray(seen & (time >= seconds[0]) & (time < seconds[1]))


def _fullest(expected: Expectation) -> int:
    return int(np.bincount(expected.pass_index[expected.covered]).argmax())


def test_a_day_with_its_gaps_is_clean_and_says_what_is_black(expected: Expectation) -> None:
    detection = _judge(_scene(~expected.covered), expected)
    assert detection.score < 0.5
    assert not detection.regions
    assert detection.fits_date
    assert "all of it swath gaps" in detection.note
    assert detection.reasons is not None
    gaps = detection.reasons == REASON_CODES["swath gap"]
    np.testing.assert_array_equal(gaps, ~expected.covered)


@pytest.mark.parametrize("seconds", [(20.0, 140.0), (60.0, 66.0)], ids=["granule", "four scans"])
def test_a_hole_is_found_to_its_edges(expected: Expectation, seconds: tuple[float, float]) -> None:
    hole = _hole(expected, _fullest(expected), seconds)
    detection = _judge(_scene(~expected.covered | hole), expected)
    (region,) = detection.regions
    assert region.kind is Kind.MISSING_UNEXPECTED
    assert (region.mask & hole).sum() > 0.95 * (region.mask | hole).sum()
    assert detection.score == region.score > 0.5
    assert region.granules
    assert region.granules[0].startswith("2018-04-10T")
    assert region.reason.startswith("Missing data: granule")
    assert detection.reasons is not None
    np.testing.assert_array_equal(detection.reasons == REASON_CODES["unexpected"], region.mask)


def test_the_score_grows_with_the_evidence(expected: Expectation) -> None:
    scores = []
    for length in (0.0, 1.0, 4.0, 20.0, 100.0):
        hole = _hole(expected, _fullest(expected), (60.0, 60.0 + length))
        scores.append(_judge(_scene(~expected.covered | hole), expected).score)
    assert scores == sorted(scores)
    assert scores[0] < 0.5 < scores[-1] < 1.0


def test_specks_of_dark_water_are_no_hole(expected: Expectation) -> None:
    specks = np.zeros(_TILE.shape, dtype=bool)
    specks[5::9, 4::9] = specks[5::9, 5::9] = True
    detection = _judge(_scene(~expected.covered | specks), expected)
    assert detection.score < 0.5


@pytest.mark.parametrize("lon_deg", [-0.3, 0.25])
def test_a_shifted_orbit_is_set_right_by_the_day(expected: Expectation, lon_deg: float) -> None:
    orbit = anchor_orbit(_TERRA, _DAY)
    off = replace(orbit, node_lon_deg=orbit.node_lon_deg + lon_deg)
    hole = _hole(expected, _fullest(expected), (20.0, 140.0))
    clean = _judge(_scene(~expected.covered), expect(_TERRA, _TILE, _DAY, off))
    assert clean.score < 0.5
    found = _judge(_scene(~expected.covered | hole), expect(_TERRA, _TILE, _DAY, off))
    mask = found.regions[0].mask
    assert (mask & hole).sum() > 0.95 * (mask | hole).sum()


def test_without_an_orbit_the_neighbours_stand_in_and_the_finding_says_so() -> None:
    black = np.zeros(_TILE.shape, dtype=bool)
    black[50:150, 50:200] = True
    neighbours = tuple(
        Observation(_DAY + dt.timedelta(days=n), 0.02, 1.0) for n in range(-5, 6) if n
    )
    context = Context(Observation(_DAY, 0.0, 1.0), neighbours)
    detection = _judge(_scene(black), None, context)
    (region,) = detection.regions
    assert "no orbit is known" in region.reason
    assert "the archive's own days stand in" in region.reason
    assert detection.reasons is None
    alone = _judge(_scene(black), None)
    assert alone.score < 0.5
    assert not alone.regions


def test_an_orbit_that_nobody_knows_explains_nothing(expected: Expectation) -> None:
    lost = expect(_TERRA, _TILE, dt.date(2023, 8, 7))  # Terra left its grid in 2022
    detection = _judge(_scene(~expected.covered, day=dt.date(2023, 8, 7)), lost)
    assert "left its 16-day grid" in detection.note
    assert detection.fits_date


def test_imagery_in_the_gaps_is_another_day(expected: Expectation) -> None:
    other = expect(_TERRA, _TILE, _DAY + dt.timedelta(days=3))
    detection = _judge(_scene(~other.covered), expected)
    assert not detection.fits_date
    assert "does not fit" in detection.note
    assert detection.score < 0.5  # 12 % black, and no days to compare with


def test_layers_of_parts_of_swaths_are_left_to_the_climatology(expected: Expectation) -> None:
    scene = _scene(np.ones(_TILE.shape, dtype=bool), layer="MODIS_Terra_Land_Surface_Temp_Day")
    detection = _judge(scene, expected)
    assert "not imagery of whole swaths" in detection.note
    assert detection.score > 0.5


def test_a_picture_that_is_all_black_is_missing_but_for_its_gaps(expected: Expectation) -> None:
    detection = _judge(_scene(np.ones(_TILE.shape, dtype=bool)), expected)
    found = sum(region.mask for region in detection.regions)
    assert (found & expected.covered).sum() > 0.98 * expected.covered.sum()
    assert not (found & ~expected.covered).sum() > 0.01 * expected.covered.sum()


def test_what_was_not_fetched_is_no_hole(expected: Expectation) -> None:
    scene = _scene(~expected.covered | (np.arange(256) < 128))
    scene.state[:, :128] = 3
    detection = _judge(scene, expected)
    assert detection.score < 0.5
    assert detection.reasons is not None
    assert (detection.reasons[:, :128] == REASON_CODES["not fetched"]).all()


def test_the_mask_layer_confirms_or_contradicts_but_does_not_overrule(
    expected: Expectation,
) -> None:
    hole = _hole(expected, _fullest(expected), (20.0, 140.0))
    scene = _scene(~expected.covered | hole)
    said = []
    for no_data in (~expected.covered | hole, ~expected.covered):
        witness = Witness("MODIS_Terra_Data_No_Data", no_data)
        context = Context(Observation(_DAY, 0.0, 1.0), mask_layer=lambda w=witness: w)  # type: ignore[misc]
        (region,) = _judge(scene, expected, context).regions
        said.append(region.reason)
    assert said[0].endswith("MODIS_Terra_Data_No_Data says no data there too.")
    assert said[1].endswith("the product, not the instrument.")
