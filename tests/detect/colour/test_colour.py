"""Miscoloration: a part of a pass, gross clusters without an orbit, clean days and the Moon."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gibswatch.detect.colour.rule import detect, find_colour
from gibswatch.detect.colour.scores import Channels, observe_scene, own_normals, see_colours
from gibswatch.detect.colour.spans import footprint, scored_spans
from gibswatch.detect.colour.statistics import learn_normals
from gibswatch.detect.context import Context
from gibswatch.detect.missing.granules import granules_of
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

_DAY = dt.date(2018, 4, 10)
_SNPP = SATELLITES["SNPP"]
_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 720, 180 / 360, 360, 720)
_LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expect(_SNPP, _GLOBE, _DAY, anchor_orbit(_SNPP, _DAY))


@pytest.fixture(scope="module")
def bands() -> NDArray[np.float64]:
    """Reflectances of an Earth of clouds and sea."""
    rng = np.random.default_rng(11)
    cloud = np.kron(rng.uniform(0.0, 1.0, (45, 90)), np.ones((8, 8))) ** 2
    sea = np.stack([np.full(cloud.shape, v) for v in (0.04, 0.06, 0.09)])
    stack = sea * (1 - cloud) + 0.85 * cloud
    return np.asarray(stack * np.exp(rng.normal(0.0, 0.02, stack.shape)))


def _scene(bands: NDArray[np.float64], expected: Expectation) -> Scene:
    shown = np.rint(np.interp(np.clip(bands, 0, 1.1) / 1.1 * 255, *_KNOTS)).astype(np.uint8)
    pixels = np.moveaxis(shown, 0, -1).copy()
    pixels[~expected.covered] = 0
    return scene_from_picture(
        pixels, layer=_LAYER, date=_DAY, image_format="jpg", georeference=_GLOBE, provenance="test"
    )


def _span(expected: Expectation, seconds: float) -> BoolArray:
    """A part of a pass around the equator."""
    number = int(expected.pass_index[180, 360])
    middle = float(expected.time_s[180, 360])
    near = np.abs(expected.time_s - middle) < seconds / 2
    return np.asarray(near & (expected.pass_index == number) & expected.covered)


@pytest.mark.parametrize(("gain", "seconds"), [(0.0, 60.0), (0.5, 360.0), (0.9, 360.0)])
def test_a_faulty_part_of_a_pass_is_found_and_filled(
    expected: Expectation, bands: NDArray[np.float64], gain: float, seconds: float
) -> None:
    fault = _span(expected, seconds)
    scene = _scene(
        np.where(fault & (np.arange(3) == 1)[:, None, None], bands * gain, bands), expected
    )
    observation, black = observe(scene)
    detection = detect(scene, black, expected, Context(observation))
    region = detection.regions[0]
    assert detection.score >= 0.5
    assert region.kind is Kind.MISCOLORATION
    assert (region.mask & fault).sum() > 0.85 * (region.mask | fault).sum()
    assert region.granules
    assert region.reason.startswith("Miscoloration: ")
    assert "lower" in region.reason or "not seen" in region.reason


def test_a_clean_day_is_clean(expected: Expectation, bands: NDArray[np.float64]) -> None:
    scene = _scene(bands, expected)
    observation, black = observe(scene)
    detection = detect(scene, black, expected, Context(observation))
    assert not detection.regions
    assert detection.score < 0.5


def test_gross_colours_are_found_without_an_orbit(
    expected: Expectation, bands: NDArray[np.float64]
) -> None:
    fault = _span(expected, 200.0)
    scene = _scene(np.where(fault & (np.arange(3) == 1)[:, None, None], 0.0, bands), expected)
    found = find_colour(scene, observe(scene)[1], None)
    union = np.any([region.mask for region in found.regions], axis=0)
    assert (union & fault).sum() > 0.8 * (union | fault).sum()
    assert found.visible[fault].mean() > 0.5
    clean = _scene(bands, expected)
    assert not find_colour(clean, observe(clean)[1], None).regions


def test_what_the_moon_shades_is_not_miscoloured(
    expected: Expectation, bands: NDArray[np.float64]
) -> None:
    fault = _span(expected, 360.0)
    shaded = replace(expected, obscuration=np.where(fault, np.float32(0.4), np.float32(0.0)))
    scene = _scene(
        np.where(fault & (np.arange(3) == 1)[:, None, None], bands * 0.8, bands), expected
    )
    assert not find_colour(scene, observe(scene)[1], shaded).regions


def test_a_black_picture_cannot_be_judged(expected: Expectation) -> None:
    scene = _scene(np.zeros((3, *_GLOBE.shape)), expected)
    observation, black = observe(scene)
    detection = detect(scene, black, expected, Context(observation))
    assert detection.score == 0.0
    assert "too little imagery" in detection.note


def test_many_clusters_are_told_together(expected: Expectation, bands: NDArray[np.float64]) -> None:
    """Each region is a whole plane: a hostile picture must not take all memory."""
    blocks = np.zeros(_GLOBE.shape, dtype=bool)
    for row in range(60, 300, 30):
        for col in range(20, 700, 40):
            blocks[row : row + 12, col : col + 12] = True
    scene = _scene(np.where(blocks & (np.arange(3) == 1)[:, None, None], 0.0, bands), expected)
    _, black = observe(scene)
    clean = _scene(bands, expected)
    usual = own_normals(see_colours(clean, observe(clean)[1], None))
    found = find_colour(scene, black, None, usual)
    assert len(found.regions) == 13
    union = np.any([region.mask for region in found.regions], axis=0)
    assert (union & blocks).sum() > 0.5 * (blocks & ~black).sum()


def test_a_band_lost_where_few_surfaces_show_it_fills_its_granule(
    expected: Expectation, bands: NDArray[np.float64]
) -> None:
    """The strange pixels of a granule vote for all of it, from their first scan line on."""
    index = granules_of(expected).index
    fault = (index == index[180, 360]) & expected.covered
    islands = np.kron(np.random.default_rng(3).random((45, 90)) < 0.2, np.ones((8, 8))) > 0
    lost = fault & islands
    scene = _scene(
        np.where(lost & (np.arange(3) == 1)[:, None, None], bands * 0.1, bands), expected
    )
    found = find_colour(scene, observe(scene)[1], expected)
    union = np.any([region.mask for region in found.regions], axis=0)
    assert (union & fault).sum() > 0.6 * fault.sum()
    assert (union & ~fault).sum() < 0.6 * fault.sum()
    assert found.visible.sum() < 0.5 * union.sum()


def test_colours_that_no_other_day_showed_count_along_scan_lines(
    expected: Expectation, bands: NDArray[np.float64]
) -> None:
    """A fifth of a part of a pass, which `green` and `far` do not tell, are enough."""
    fault = _span(expected, 300.0)
    scene = _scene(bands, expected)
    colours = see_colours(scene, observe(scene)[1], expected)
    nothing = np.zeros(colours.longitude.shape, dtype=np.float32)
    fifth = fault & (np.random.default_rng(4).random(fault.shape) < 0.2)
    channels = Channels(nothing, nothing, nothing + np.float32(0.03), fifth[colours.usable], 5.0)
    (span, score), *rest = scored_spans(scene, expected, colours, channels, placed=True)
    assert score > 0.5
    part = footprint(span, expected)
    assert (part & fault).sum() > 0.85 * (part | fault).sum()
    assert not [other for other in rest if other[1] >= 0.5]


def test_a_colour_that_no_other_day_showed_is_one(
    expected: Expectation, bands: NDArray[np.float64]
) -> None:
    rng = np.random.default_rng(5)
    days = [bands * np.exp(rng.normal(0.0, 0.02, bands.shape)) for _ in range(7)]
    seen = [_scene(day, expected) for day in days]
    usual = learn_normals([observe_scene(scene, observe(scene)[1]) for scene in seen])
    fault = _span(expected, 300.0)
    scene = _scene(
        np.where(fault & (np.arange(3) == 1)[:, None, None], bands * 0.6, bands), expected
    )
    colours = see_colours(scene, observe(scene)[1], expected)
    never = colours.plane(colours.channels(usual).never.astype(np.float32)) > 0
    assert never[fault].mean() > 0.1
    assert never[~fault].mean() < 0.001
    alone = colours.channels(replace(usual, places=None))
    assert not alone.never.any()  # too few days say so
