"""Heat laid over pictures: where it lies, of what colour, of what size."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import pytest
from PIL import Image

from gibswatch.models.explain import HeatMap
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.report import heat_maps
from gibswatch.report.heat_bands import Key
from gibswatch.report.heat_maps import (
    HEAT_STEPS,
    MOST_PX,
    heat_colours,
    heat_picture,
    step_colour,
)
from gibswatch.types import ByteArray, Georeference, ModelScore


def _scene(pixels: ByteArray) -> Scene:
    rows, cols = pixels.shape[:2]
    return scene_from_picture(
        pixels,
        layer="A_Layer",
        date=dt.date(2023, 8, 7),
        image_format="jpg" if pixels.shape[2] == 3 else "png",
        georeference=Georeference(4326, -180.0, 90.0, 360 / cols, 180 / rows, rows, cols),
        provenance="made up",
    )


def _drawn(scene: Scene, values: np.ndarray, score: ModelScore | None = None) -> np.ndarray:
    data = heat_picture(scene, HeatMap(values.astype(np.float32), "Grad-CAM"), score)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def test_the_picture_is_as_it_was_but_where_the_heat_lies() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (60, 120, 3), dtype=np.uint8)
    values = np.zeros((60, 120))
    values[10:20, 30:50] = 1.0
    drawn = _drawn(_scene(pixels), values)
    cold = values == 0
    assert drawn.shape == pixels.shape
    assert np.array_equal(drawn[cold], pixels[cold])
    assert (np.abs(drawn[~cold].astype(int) - pixels[~cold]).max(axis=1) > 20).all()
    assert drawn[~cold].std(axis=0).min() > 10  # the picture shows through


def test_weak_heat_is_not_drawn() -> None:
    pixels = np.full((20, 40, 3), 90, np.uint8)
    assert np.array_equal(_drawn(_scene(pixels), np.full((20, 40), 0.2)), pixels)


@pytest.mark.parametrize(("shape", "size"), [((40, 80), (40, 80)), ((1000, 2000), (800, MOST_PX)),
                                             ((1, 3200), (1, MOST_PX))])  # fmt: skip
def test_it_is_reduced_but_never_enlarged(shape: tuple[int, int], size: tuple[int, int]) -> None:
    drawn = _drawn(_scene(np.zeros((*shape, 3), np.uint8)), np.ones(shape))
    assert drawn.shape == (*size, 3)
    assert (drawn == drawn[0, 0]).all()


def test_what_is_transparent_is_black() -> None:
    pixels = np.full((20, 40, 4), 200, np.uint8)
    pixels[:, :20, 3] = 0
    drawn = _drawn(_scene(pixels), np.zeros((20, 40)))
    assert (drawn[:, :20] == 0).all()
    assert (drawn[:, 20:] == 200).all()


def test_more_heat_is_darker_and_denser_so_that_colour_is_not_needed() -> None:
    levels = np.linspace(0.4, 1.0, 60, dtype=np.float32)
    red, green, blue, opacity = heat_colours(levels).astype(float).T
    assert (np.diff(0.2126 * red + 0.7152 * green + 0.0722 * blue) <= 0).all()
    assert (np.diff(opacity) >= 0).all()
    assert heat_colours(np.array([0, 0.24], np.float32))[:, 3].tolist() == [0, 0]


def test_heat_beyond_its_range_is_that_of_the_end() -> None:
    ends = heat_colours(np.array([-3.0, 0.0, 1.0, 9.0], np.float32))
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[2], ends[3])


def test_heat_of_another_shape_is_refused() -> None:
    scene = _scene(np.zeros((20, 40, 3), np.uint8))
    with pytest.raises(ValueError, match="does not lie on a picture"):
        heat_picture(scene, HeatMap(np.zeros((20, 41), np.float32), "Grad-CAM"))


@pytest.mark.parametrize("width", [20, 240, 800, MOST_PX])
def test_the_words_stand_under_the_picture_and_change_nothing_of_it(width: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (30, width, 3), dtype=np.uint8)
    values = np.tile(np.linspace(0, 1, width), (30, 1))
    drawn = _drawn(_scene(pixels), values, ModelScore("cnn", 0.9, 0.5, called=True))
    assert np.array_equal(drawn[:30, :width], _drawn(_scene(pixels), values))
    assert drawn.shape[1] == max(width, 200)
    band = drawn[30:]
    assert len(band) < 250
    for step in HEAT_STEPS:
        assert (band == step_colour(step)).all(axis=2).sum() > 60


@pytest.mark.parametrize(
    ("score", "hottest", "words"),
    [
        (
            ModelScore("cnn", 0.713, 0.7156, called=False),
            0.4,
            [
                "A_Layer, 2023-08-07",
                "Model cnn: not called, score 0.713, not over its threshold of 0.716",
                "Colour: how much a place speaks for a fault, of whatever kind (Grad-CAM)",
            ],
        ),
        (
            ModelScore("padim", 12821.5, 207.5, called=True),
            0.2,
            [
                "A_Layer, 2023-08-07",
                "Model padim: called, score 12,822, over its threshold of 208",
                "No place speaks enough for a fault to be coloured (Grad-CAM)",
            ],
        ),
    ],
)
def test_the_band_says_what_was_said_of_the_day(
    monkeypatch: pytest.MonkeyPatch, score: ModelScore, hottest: float, words: list[str]
) -> None:
    told: list[object] = []

    def keep(image: Image.Image, lines: list[str], keys: list[Key]) -> Image.Image:
        told.extend((lines, [key.words for key in keys]))
        return image

    monkeypatch.setattr(heat_maps, "with_band", keep)
    _drawn(_scene(np.zeros((20, 40, 3), np.uint8)), np.full((20, 40), hottest), score)
    steps = ["weak: heat from 0.25", "clear: heat from 0.5", "strong: heat from 0.8"]
    assert told == [words, steps]


def test_steps_begin_where_the_colours_do_and_leave_no_gap() -> None:
    lowest = np.array([HEAT_STEPS[0].low - 0.01, HEAT_STEPS[0].low + 0.01], np.float32)
    assert (heat_colours(lowest)[:, 3] > 0).tolist() == [False, True]
    assert [step.low for step in HEAT_STEPS[1:]] == [step.high for step in HEAT_STEPS[:-1]]
    assert HEAT_STEPS[-1].high > 1
