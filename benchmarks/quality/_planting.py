"""Holes planted into real tiles: where they lie, and the pictures with them."""

from __future__ import annotations

import datetime as dt
import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from gibswatch.raster.codec import read_picture
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.sky.orbit import Orbit
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference

__all__ = ["FAULTY", "TILE", "Planted", "draw_hole", "expected", "plan_holes", "write_planted"]

TILE = Georeference(4326, -36.0, 18.0, 36 / 512, 36 / 512, 512, 512)
FAULTY = dt.date(2023, 8, 7)
TERRA = SATELLITES["Terra"]
SCAN_S = 1.4771
"""Time of one scan of MODIS: ten kilometres of ground."""
GRANULE_S = TERRA.granule_s
FEWEST_PIXELS = 64

Form = Literal["touching", "inside", "strip"]
FORMS: tuple[Form, ...] = ("touching", "inside", "strip")


@dataclass(frozen=True, eq=False)
class Planted:
    """One hole."""

    day: dt.date
    form: Form
    mask: BoolArray
    """(512, 512): set to black."""


def expected(day: dt.date, orbit: Orbit) -> Expectation:
    """What the tile should show."""
    return expect(TERRA, TILE, day, orbit)


def plan_holes(
    orbits: Mapping[dt.date, Orbit], days: Sequence[dt.date], seed: int, count: int = 60
) -> list[Planted]:
    """Draw days and holes: a third each of the three forms, shuffled.

    Parameters
    ----------
    orbits : mapping
        Orbit of each day, by the others.
    days : sequence of date
        From which to draw; no two neighbouring holes share a day.
    seed : int
    count : int
    """
    rng = np.random.default_rng(seed)
    chosen = sorted(int(n) for n in rng.choice(len(days), size=count, replace=False))
    forms = [FORMS[n % len(FORMS)] for n in range(count)]
    rng.shuffle(forms)
    holes = []
    for index, form in zip(chosen, forms, strict=True):
        day = days[index]
        holes.append(Planted(day, form, draw_hole(expected(day, orbits[day]), form, rng)))
    return holes


def draw_hole(expectation: Expectation, form: Form, rng: np.random.Generator) -> BoolArray:
    """Draw a hole of a form; at least `FEWEST_PIXELS` of it show imagery.

    `touching` and `inside`: 30-100 % of a granule's length of one pass, at any place along it;
    `touching` reaches from gap to gap (or to the picture's edge), `inside` keeps away from both.
    `strip`: 3-20 scans from gap to gap.
    """
    for _ in range(1000):
        passes = np.unique(expectation.pass_index[expectation.covered])
        number = int(rng.choice(passes))
        seen = expectation.covered & (expectation.pass_index == number)
        times = expectation.time_s[seen]
        length = (
            SCAN_S * rng.integers(3, 21) if form == "strip" else GRANULE_S * rng.uniform(0.3, 1)
        )
        start = rng.uniform(times.min() - 0.5 * length, times.max() - 0.5 * length)
        mask = seen & (expectation.time_s >= start) & (expectation.time_s < start + length)
        if form == "inside":
            mask = _inset(mask, seen, int(rng.integers(8, 40)))
        if mask.sum() >= FEWEST_PIXELS * (1 if form == "strip" else 4):
            return np.asarray(mask)
    raise RuntimeError("no hole of this form fits the tile")


def _inset(mask: BoolArray, seen: BoolArray, pixels: int) -> BoolArray:
    """Part of a mask that keeps `pixels` away from the swath's edges and from the picture's."""
    from scipy import ndimage  # noqa: PLC0415

    inner = ndimage.minimum_filter(seen.view(np.uint8), 2 * pixels + 1, mode="constant", cval=0)
    return np.asarray(mask & inner.view(np.bool_))


def write_planted(source: Path, folder: Path, holes: Sequence[Planted]) -> None:
    """Copy the tiles of a folder, with the holes set to black and encoded as the tile was."""
    folder.mkdir(parents=True, exist_ok=True)
    planted = {hole.day: hole.mask for hole in holes}
    for path in sorted(source.glob("*.jpg")):
        mask = planted.get(dt.date.fromisoformat(path.stem))
        if mask is None:
            shutil.copyfile(path, folder / path.name)
        else:
            (folder / path.name).write_bytes(_blackened(path, mask))


def _blackened(path: Path, mask: BoolArray) -> bytes:
    pixels: NDArray[np.uint8] = read_picture(path)[0][..., :3].copy()
    pixels[mask] = 0
    buffer = io.BytesIO()
    with Image.open(path) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        Image.fromarray(pixels).save(
            buffer,
            "JPEG",
            qtables=image.quantization,
            subsampling=JpegImagePlugin.get_sampling(image),
        )
    return buffer.getvalue()
