"""Another day's pixels: what tells that two pictures are one, and whose it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from gibswatch.detect.stale.dates import fits_better
from gibswatch.detect.stale.likeness import (
    alike_cells,
    take_likeness,
    usual_cells,
)
from gibswatch.detect.stale.rule import find_stale, same_pixels
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import ByteArray, Georeference, Kind

_GLOBE = Georeference(4326, -180.0, 90.0, 360 / 1024, 180 / 512, 512, 1024)
_TERRA = SATELLITES["Terra"]
_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_FIRST = dt.date(2012, 5, 1)


def _day(number: int) -> dt.date:
    return _FIRST + dt.timedelta(days=number)


def _expected(number: int) -> Expectation:
    return expect(_TERRA, _GLOBE, _day(number), anchor_orbit(_TERRA, _day(number)))


def _picture(number: int, *, noise: int = 0) -> ByteArray:
    """Clouds of a day over a ground that stays; black where no pass shows anything."""
    rng, ground = np.random.default_rng(number), np.random.default_rng(999)
    land = ndimage.gaussian_filter(ground.normal(size=_GLOBE.shape), 20)
    fields = [
        ndimage.gaussian_filter(rng.normal(size=_GLOBE.shape), size) * size for size in (1, 3, 9)
    ]
    cloud = np.clip(np.sum(fields, axis=0) / 0.4, 0.0, 1.0)
    grey = np.where(land > 0, 90.0, 45.0) * (1 - cloud) + 230.0 * cloud
    grey += np.random.default_rng(noise).normal(0.0, 4.0, _GLOBE.shape) if noise else 0.0
    pixels = np.repeat(np.clip(grey, 13, 255)[..., np.newaxis], 3, axis=2).astype(np.uint8)
    pixels[~_expected(number).covered] = 0
    return pixels


def _scene(pixels: ByteArray, number: int) -> Scene:
    return scene_from_picture(
        pixels, layer=_LAYER, date=_day(number), image_format="jpg",
        georeference=_GLOBE, provenance="test",
    )  # fmt: skip


def _find(scene: Scene, number: int, others: list[Scene]) -> list[tuple[Kind, float]]:
    found = find_stale(scene, observe(scene)[1], _expected(number), others)
    return [(region.kind, float(region.mask.mean())) for region in found]


def test_a_record_is_small() -> None:
    record = take_likeness(_scene(_picture(0), 0))
    assert record.dtype == np.uint8
    assert record.shape == (64, 128)
    tiny = Georeference(4326, 0.0, 3.0, 1.0, 1.0, 3, 3)
    scene = scene_from_picture(
        _picture(0)[:3, :3], layer=_LAYER, date=_day(0), image_format="jpg",
        georeference=tiny, provenance="test",
    )  # fmt: skip
    assert take_likeness(scene).size == 0


def test_days_differ_and_copies_do_not() -> None:
    records = [take_likeness(_scene(_picture(n), n)) for n in range(5)]
    usual = usual_cells(records)
    assert all(alike_cells(records[0], other, usual) == 0 for other in records[1:])
    again = take_likeness(_scene(_picture(0, noise=7), 0))
    assert alike_cells(records[0], again, usual) > 0.5 * records[0].size


def test_ground_without_weather_says_nothing() -> None:
    ground = np.repeat(np.arange(64, dtype=np.uint8)[:, np.newaxis] * 3, 128, axis=1)
    assert alike_cells(ground, ground, ground.astype(np.float32)) == 0
    white = np.full((64, 128), 250, dtype=np.uint8)
    assert alike_cells(white, white, np.full((64, 128), 100, dtype=np.float32)) == 0


def test_records_of_other_sizes_are_never_alike() -> None:
    one, other = np.zeros((4, 8), dtype=np.uint8), np.zeros((8, 8), dtype=np.uint8)
    assert alike_cells(one, other, one.astype(np.float32)) == 0


@pytest.mark.parametrize(("copied", "asked"), [(2, 3), (3, 2), (0, 3)])
def test_a_whole_picture_of_another_day_is_stale_on_the_day_that_it_does_not_fit(
    copied: int, asked: int
) -> None:
    stale, own = _scene(_picture(copied, noise=1), asked), _scene(_picture(copied), copied)
    ((kind, share),) = _find(stale, asked, [own])
    assert kind is Kind.STALE
    assert share > 0.8
    assert _find(own, copied, [stale]) == []


def test_a_part_betrays_itself_by_its_edges() -> None:
    own, other = _picture(3), _picture(2)
    box = (slice(128, 256), slice(256, 384))
    mixed = own.copy()
    mixed[box] = other[box]
    stale, source = _scene(mixed, 3), _scene(other, 2)
    (region,) = find_stale(stale, observe(stale)[1], _expected(3), [source])
    truth = np.zeros(_GLOBE.shape, dtype=bool)
    truth[box] = True
    truth &= ~(observe(stale)[1] & observe(source)[1])
    assert (region.mask & truth).sum() > 0.75 * (region.mask | truth).sum()
    assert "of 2012-05-03" in region.reason
    copy = _scene(other, 4)
    assert len(find_stale(stale, observe(stale)[1], _expected(3), [source, copy])) == 1
    assert _find(source, 2, [stale]) == []


def test_a_part_of_a_fine_picture_is_told_by_the_same_surroundings() -> None:
    """Pixels of a third: what lies around a pixel is as wide on the ground."""
    own, other = _picture(3), _picture(2)
    mixed = own.copy()
    mixed[128:256, 256:384] = other[128:256, 256:384]
    fine = Georeference(4326, -180.0, 90.0, 360 / 3073, 180 / 1538, 1538, 3073)  # no multiple

    def scene(pixels: ByteArray, number: int) -> Scene:
        large = np.repeat(np.repeat(pixels, 3, axis=0), 3, axis=1)
        large = np.pad(large, ((0, 2), (0, 1), (0, 0)), mode="edge")
        small = _scene(pixels, number)
        return replace(
            small, pixels=large, state=np.zeros(fine.shape, dtype=np.uint8), georeference=fine
        )

    stale, source = scene(mixed, 3), scene(other, 2)
    (region,) = find_stale(stale, observe(stale)[1], None, [source])
    assert region.mask.shape == fine.shape
    truth = np.zeros(fine.shape, dtype=bool)
    truth[384:768, 768:1152] = True
    truth &= ~observe(stale)[1]
    assert (region.mask & truth).sum() > 0.75 * (region.mask | truth).sum()
    own_scene = scene(own, 3)
    assert find_stale(own_scene, observe(own_scene)[1], None, [source]) == []


def test_two_days_of_weather_share_no_pixels() -> None:
    one, other = _scene(_picture(1), 1), _scene(_picture(2), 2)
    assert _find(one, 1, [other]) == []
    same, shown = same_pixels(one, observe(one)[1], other, observe(other)[1])
    assert same.sum() < 0.2 * shown.sum()


def test_pictures_of_another_size_are_left_alone() -> None:
    small = Georeference(4326, -180.0, 90.0, 1.0, 1.0, 180, 360)
    other = scene_from_picture(
        np.full((180, 360, 3), 90, dtype=np.uint8), layer=_LAYER, date=_day(2),
        image_format="jpg", georeference=small, provenance="test",
    )  # fmt: skip
    assert _find(_scene(_picture(1), 1), 1, [other]) == []


def test_without_an_orbit_the_later_is_the_copy() -> None:
    scene = _scene(_picture(2), 3)
    black = observe(scene)[1]
    assert not fits_better(scene, black, None, _day(2))
    assert fits_better(scene, black, None, _day(4))
    assert fits_better(scene, black, None, None)
