"""The map of an expectation: colours mean reasons, tracks carry times."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import pytest
from PIL import Image

from gibswatch.report.sky_export import reason_shares
from gibswatch.report.sky_figure import REASON_COLOURS, sky_figure
from gibswatch.sky.expectation import REASONS, Expectation, expect
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import FloatArray, Georeference

GLOBE = Georeference(4326, -180.0, 90.0, 0.703125, 0.703125, 256, 512)


@pytest.fixture(scope="module")
def winter() -> Expectation:
    return expect(SATELLITES["Terra"], GLOBE, dt.date(2017, 12, 21))


def _pixels(
    expectation: Expectation, shares: list[tuple[str, float]], georeference: Georeference = GLOBE
) -> FloatArray:
    data = sky_figure(expectation, georeference, "a title", shares)
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float64)


def test_every_reason_has_a_colour_of_its_own() -> None:
    assert set(REASONS.values()) == set(REASON_COLOURS)
    colours = np.array(list(REASON_COLOURS.values()), dtype=float)
    apart = np.abs(colours[:, None] - colours[None]).sum(axis=2)
    assert apart[~np.eye(len(colours), dtype=bool)].min() > 60


def test_colours_fill_as_much_of_the_map_as_the_reasons(winter: Expectation) -> None:
    shares = list(reason_shares(winter, GLOBE).items())
    pixels = _pixels(winter, shares)[56:506, 46:946]  # the map: 900 x 450
    for code, name in REASONS.items():
        if name not in ("night", "swath gap"):
            continue
        near = np.abs(pixels - REASON_COLOURS[name]).sum(axis=2) < 12
        wanted = float((winter.reason == code).mean())
        assert wanted > 0.01
        assert float(near.mean()) == pytest.approx(wanted, rel=0.25)


def test_shares_are_of_area_and_sum_to_one(winter: Expectation) -> None:
    shares = reason_shares(winter, GLOBE)
    assert sum(shares.values()) == pytest.approx(1.0)
    dark = next(code for code, name in REASONS.items() if name == "night")
    assert shares["night"] < float((winter.reason == dark).mean()), "the poles are small"
    assert "outside" not in shares


def test_pixels_outside_the_globe_stay_white() -> None:
    tile = Georeference(4326, 36.0, -54.0, 1.125, 1.125, 64, 256)  # hangs over the south pole
    expectation = expect(SATELLITES["Terra"], tile, dt.date(2017, 12, 21))
    pixels = _pixels(expectation, list(reason_shares(expectation, tile).items()), tile)
    assert (pixels[56 + 200 : 56 + 220, 46 + 500 : 46 + 520] == 255).all()


def test_a_map_of_one_pixel_can_be_drawn() -> None:
    one = Georeference(4326, 10.0, 10.0, 1.0, 1.0, 1, 1)
    expectation = expect(SATELLITES["SNPP"], one, dt.date(2017, 6, 1))
    assert _pixels(expectation, [("visible", 1.0)], one).shape[1] > 500
