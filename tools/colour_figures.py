"""The sheet of miscoloured days and what is marked on them: real ones, reduced, and simulated ones.

Real pictures are those of the folder `viirs_small` of the real data; without it the sheet stays as
it is.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from gibswatch.catalogue import find_layer
from gibswatch.detect.colour.rule import find_colour
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.scan.pictures import PictureFile
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.spec import DaySpec, FaultSpec
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BBox, ByteArray, Georeference

__all__ = ["colour_sheet", "small_folder"]

LAYER = "VIIRS_SNPP_CorrectedReflectance_"
GLOBE = Georeference(4326, -180.0, 90.0, 0.28125, 0.28125, 640, 1280)
WHOLE = BBox(-180.0, -90.0, 180.0, 90.0)
REAL = (
    ("linear_classifier_a3f3adb3_c14_truth-abnormal_1.png", "TrueColor", "real, spring 2016"),
    ("linear_classifier_a3f3adb3_c14_truth-abnormal_4.png", "TrueColor", "real, spring 2016"),
    ("random_forest_60d1e90f_c8_truth-abnormal_1.png", "BandsM3-I3-M11", "real, false colour"),
    ("random_forest_60d1e90f_c2_normal_0.png", "TrueColor", "real, normal"),
)
FAULTS = (
    (FaultSpec("colour", place=(-60.0, 0.0), amount=0.5, count=2), "simulated, green x 0.5"),
    (FaultSpec("colour", place=(20.0, 10.0), amount=0.8, channels="RB"), "red and blue x 0.8"),
)
SHOWN = (480, 240)
_OUTLINE = (0, 110, 255)
_WIDE_PX = 2


def small_folder() -> Path | None:
    """Folder of the small real VIIRS pictures, if it is there."""
    data = Path(os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data"))
    folder = data / "real" / "viirs_small"
    return folder if folder.is_dir() else None


def colour_sheet(folder: Path) -> ByteArray:
    """Each day beside itself with what is found: marked as it is, and outlined."""
    rows = []
    for name, product, title in REAL:
        known = find_layer(LAYER + product)
        scene = PictureFile(folder / name, known, None, 4326, WHOLE).read()
        rows.append(_row(scene, None, title))
    day = dt.date(2018, 4, 10)
    orbit = anchor_orbit(SATELLITES["SNPP"], day)
    expectation = expect(SATELLITES["SNPP"], GLOBE, day, orbit)
    for number, (fault, title) in enumerate(FAULTS):
        spec = DaySpec("SNPP", "TrueColor", day, 900 + number, faults=(fault,))
        scene = scene_from_picture(
            simulate_day(spec, GLOBE).pixels[..., :3], layer=f"{LAYER}TrueColor", date=day,
            image_format="jpg", georeference=GLOBE, provenance="simulated",
        )  # fmt: skip
        rows.append(_row(scene, expectation, title))
    return np.vstack(rows)


def _row(scene: Scene, expectation: Expectation | None, title: str) -> ByteArray:
    found = find_colour(scene, observe(scene)[1], expectation)
    picture = _shown(scene.pixels[..., :3])
    marked = picture.copy()
    for region in found.regions:
        mask = _shown(np.where(region.mask, 255, 0).astype(np.uint8)) > 0
        wide = ndimage.binary_dilation(mask, iterations=_WIDE_PX)
        marked[wide & ~mask] = _OUTLINE
    canvas = Image.fromarray(np.hstack([picture, marked]))
    said = f"{title}: {len(found.regions)} regions" if found.regions else f"{title}: nothing"
    _label(canvas, [said])
    return np.asarray(canvas)


def _shown(pixels: ByteArray) -> ByteArray:
    return np.asarray(Image.fromarray(pixels).resize(SHOWN, Image.Resampling.NEAREST))


def _label(canvas: Image.Image, texts: Sequence[str]) -> None:
    drawing = ImageDraw.Draw(canvas)
    for number, text in enumerate(texts):
        width = drawing.textlength(text)
        drawing.rectangle((0, 14 * number, width + 8, 14 * number + 14), fill=(0, 0, 0))
        drawing.text((4, 14 * number + 2), text, fill=(255, 255, 255))
