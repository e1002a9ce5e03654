"""Figures of the documents that show real imagery: reduced, from the folder of the real data.

They are drawn anew where ``../shared/data`` (or GIBSWATCH_REAL_DATA) is there; docs/sources.md says
whose imagery it is.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from gibswatch.scan import inspect
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.spec import DaySpec
from gibswatch.types import BBox, ByteArray, Georeference

__all__ = ["alarms_sheet", "likeness_sheet", "tiles_folder"]

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
BOX = BBox(-36.0, -18.0, 0.0, 18.0)
TILE = Georeference(4326, -36.0, 18.0, 36 / 512, 36 / 512, 512, 512)
SHOWN = 256
"""Pixels a side of a tile on the sheets."""
DAYS = tuple(dt.date(2023, month, 15) for month in (2, 4, 6, 8))
SEED = 700
_OUTLINE = (255, 64, 96)


def tiles_folder() -> Path | None:
    """Folder of the real tiles, if it is there."""
    data = Path(os.environ.get("GIBSWATCH_REAL_DATA", "../shared/data"))
    folder = data / "real" / "terra_tile_2023"
    return folder if folder.is_dir() else None


def likeness_sheet(folder: Path) -> ByteArray:
    """Real tiles above simulated ones of the same days, true colour above Bands721."""
    rows = []
    for product in ("TrueColor", "Bands721"):
        real = [_read(folder / product / f"{day}.jpg") for day in DAYS]
        drawn = [
            simulate_day(DaySpec("Terra", product, day, SEED + n), TILE).pixels
            for n, day in enumerate(DAYS)
        ]
        rows += [_row(real, f"real, {product}"), _row(drawn, f"simulated, {product}")]
    return np.vstack(rows)


def alarms_sheet(folder: Path, masks: Path) -> ByteArray:
    """Every day of the real tiles that a scan calls anomalous: picture, and what it marks."""
    files = sorted((folder / "TrueColor").glob("*.jpg"))
    result = inspect(files, LAYER, bounds=BOX, mask_dir=masks)
    flagged = {i.date: i.mask for i in result.items if i.verdict == "anomalous" and i.date}
    return np.vstack([_alarm(folder, day, flagged) for day in sorted(flagged)])


def _alarm(folder: Path, day: dt.date, flagged: Mapping[dt.date, str | None]) -> ByteArray:
    picture = _read(folder / "TrueColor" / f"{day}.jpg")
    marked = picture.copy()
    path = flagged[day]
    if path is not None:
        with Image.open(path) as image:
            found = np.asarray(image) > 0
        marked[found & ~ndimage.binary_erosion(found, iterations=3)] = _OUTLINE
    return _row([picture, marked], str(day), size=2 * SHOWN)


def _read(path: Path) -> ByteArray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _row(pictures: Sequence[ByteArray], title: str, *, size: int = SHOWN) -> ByteArray:
    small = [
        np.asarray(Image.fromarray(p[..., :3]).resize((size, size), Image.Resampling.BOX))
        for p in pictures
    ]
    canvas = Image.fromarray(np.hstack(small))
    drawing = ImageDraw.Draw(canvas)
    width = drawing.textlength(title)
    drawing.rectangle((0, 0, width + 8, 14), fill=(0, 0, 0))
    drawing.text((4, 2), title, fill=(255, 255, 255))
    return np.asarray(canvas)
