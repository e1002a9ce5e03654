"""Tests of picture references: files that lie anywhere, and the dates in their names."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gibswatch.catalogue import find_layer
from gibswatch.raster import observe
from gibswatch.scan import PictureFile, date_in_name
from gibswatch.types import BBox

_GLOBE = BBox(-180, -90, 180, 90)
_JPEG_LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
_PNG_LAYER = find_layer("MODIS_Terra_Data_No_Data")


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("2023-08-07.jpg", dt.date(2023, 8, 7)),
        ("MODIS_Terra_2020-09-27.jpg", dt.date(2020, 9, 27)),
        ("snapshot-20230807.png", dt.date(2023, 8, 7)),
        ("2023-08-07/VIIRS.jpg", dt.date(2023, 8, 7)),
        ("2023-13-07.jpg", None),
        ("120230807.jpg", None),
        ("2023-08-077.jpg", None),
        ("v1_2023-02-30_2023-02-28.jpg", dt.date(2023, 2, 28)),
        ("picture.jpg", None),
    ],
)
def test_date_in_name(name: str, date: dt.date | None) -> None:
    assert date_in_name(Path(name)) == date


def test_a_jpeg_layer_saved_as_png_keeps_the_rule_of_jpeg(tmp_path: Path) -> None:
    pixels = np.full((40, 80, 3), 90, dtype=np.uint8)
    pixels[:, :20] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    scene = PictureFile(tmp_path / "a.png", _JPEG_LAYER, None, 4326, _GLOBE).read()
    assert scene.image_format == "jpg"
    assert scene.pixels.shape == (40, 80, 3)
    assert observe(scene)[0].black == pytest.approx(0.25, abs=1e-6)


def test_a_png_layer_is_black_where_it_is_transparent(tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 4), dtype=np.uint8)
    pixels[:, 20:, 3] = 255  # opaque black is a colour of the map
    Image.fromarray(pixels).save(tmp_path / "a.png")
    scene = PictureFile(tmp_path / "a.png", _PNG_LAYER, None, 4326, _GLOBE).read()
    assert scene.image_format == "png"
    assert observe(scene)[0].black == pytest.approx(0.25, abs=1e-6)


def test_bounds_become_the_georeference(tmp_path: Path) -> None:
    Image.fromarray(np.full((36, 72, 3), 90, dtype=np.uint8)).save(tmp_path / "a.jpg")
    box = BBox(-36, -18, 0, 18)
    scene = PictureFile(tmp_path / "a.jpg", _JPEG_LAYER, None, 4326, box).read()
    assert scene.georeference.bbox == box
    assert (scene.georeference.pixel_width, scene.georeference.pixel_height) == (0.5, 1.0)
