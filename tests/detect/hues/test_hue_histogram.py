"""Hues of normal days: what is counted, what is left out, and the memory that it takes."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.detect.hues import histogram as hue_histogram
from gibswatch.detect.hues.counting import hues
from gibswatch.detect.hues.histogram import DayHues, HueHistogram, day_hues
from gibswatch.errors import UsageError
from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture
from gibswatch.types import ByteArray, Georeference

_SHAPE = (30, 40)
_NOTHING = np.zeros(_SHAPE, dtype=bool)


def scene_of(pixels: ByteArray, degrees: float = 0.1) -> Scene:
    georeference = Georeference(4326, -180.0, 90.0, degrees, degrees, *pixels.shape[:2])
    return scene_from_picture(
        pixels, layer="A_Layer", date=dt.date(2023, 8, 7), image_format="jpg",
        georeference=georeference, provenance="drawn",
    )  # fmt: skip


def drawn(seed: int, shape: tuple[int, int] = _SHAPE) -> ByteArray:
    return np.random.default_rng(seed).integers(1, 256, (*shape, 3), dtype=np.uint8)


def days_of(count: int) -> list[DayHues]:
    return [day_hues(scene_of(drawn(seed)), _NOTHING, places=True) for seed in range(count)]


def test_every_pixel_that_shows_something_counts() -> None:
    pixels, observed = drawn(1), _NOTHING.copy()
    pixels[0, :7] = 0  # black by its value
    observed[5] = True
    state = np.full(_SHAPE, STATE_CODES["ok"], dtype=np.uint8)
    state[20:] = STATE_CODES["failed"]
    scene = replace(scene_of(pixels), state=state)
    day = day_hues(scene, observed, places=True)
    assert day.pixels == 20 * 40
    assert day.counts.sum() == 20 * 40 - 7 - 40
    assert day.plane is not None
    shown = day.plane < 360
    assert shown.sum() == day.counts.sum()
    assert not shown[20:].any()
    np.testing.assert_array_equal(day.plane[shown], hues(pixels)[shown])
    np.testing.assert_array_equal(np.bincount(day.plane[shown], minlength=360), day.counts)
    assert day_hues(scene, observed).plane is None


def test_a_globe_is_counted_at_the_notebooks_size() -> None:
    scene = scene_of(drawn(1, (180, 360)), 1.0)
    assert day_hues(scene, np.zeros((180, 360), dtype=bool)).pixels == 1024 * 2048


def test_places_sum_up_to_all_pixels() -> None:
    histogram = HueHistogram(per_pixel=True)
    for day in days_of(5):
        histogram.add(day)
    assert histogram.places is not None
    assert histogram.places.dtype == np.uint16
    np.testing.assert_array_equal(histogram.places.sum(axis=(0, 1)), histogram.counts)
    assert (histogram.days, histogram.pixels) == (5, 5 * 30 * 40)


def test_moments_of_places_are_those_of_their_hues() -> None:
    histogram, days = HueHistogram(per_pixel=True), days_of(6)
    for day in days:
        histogram.add(day)
    planes = np.stack([day.plane for day in days if day.plane is not None]).astype(float)
    mean, deviation = histogram.moments()
    np.testing.assert_allclose(mean, planes.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, planes.std(axis=0), atol=1e-3)
    mean, deviation = histogram.moments(without=days[2])
    rest = np.delete(planes, 2, axis=0)
    np.testing.assert_allclose(mean, rest.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, rest.std(axis=0), atol=1e-3)


def test_moments_follow_each_new_day() -> None:
    histogram, (first, second) = HueHistogram(per_pixel=True), days_of(2)
    histogram.add(first)
    assert np.isinf(histogram.moments()[1]).all()  # one day has no deviation
    histogram.add(second)
    assert np.isfinite(histogram.moments()[1]).all()


def test_a_day_can_be_left_out() -> None:
    one, other = HueHistogram(), HueHistogram()
    first, *rest = days_of(4)
    for day in rest:
        one.add(day)
        other.add(day)
    other.add(first)
    for share in (0.001, 0.003):
        np.testing.assert_array_equal(one.is_rare(share), other.is_rare(share, without=first))
    np.testing.assert_array_equal(one.moments(), other.moments(without=first))


def test_memory_does_not_grow_with_the_days() -> None:
    histogram = HueHistogram()
    (day,) = days_of(1)
    histogram.add(day)
    tracemalloc.start()
    for _ in range(3650):
        histogram.add(day)
    grown, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert histogram.days == 3651
    assert grown < 20_000


def test_what_cannot_be_counted_place_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    histogram = HueHistogram(per_pixel=True)
    (day,) = days_of(1)
    with pytest.raises(UsageError, match="without the hues of its places"):
        histogram.add(replace(day, plane=None))
    histogram.add(day)
    small = day_hues(scene_of(drawn(1, (20, 40))), np.zeros((20, 40), dtype=bool), places=True)
    with pytest.raises(UsageError, match=r"\(20, 40\).*\(30, 40\)"):
        histogram.add(small)
    histogram.days = 65_535
    with pytest.raises(UsageError, match="begin a new histogram"):
        histogram.add(day)
    monkeypatch.setattr(hue_histogram, "_MOST_PLACES", 1000)
    with pytest.raises(UsageError, match="40x30 pixels are too many"):
        HueHistogram(per_pixel=True).add(day)
