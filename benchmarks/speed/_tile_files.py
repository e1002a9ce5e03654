"""The fifty tiles of a globe at level 3 of EPSG:4326, as files, for benchmarks of the download."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import numpy as np
import simplejpeg

from gibswatch.simulate import DrawnDays

ROWS, COLS, SIZE = 5, 10, 512
LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_DAY = dt.date(2023, 8, 1)
_QUALITY = 97
"""Gives drawn tiles about the bytes of real ones, which have 4:2:0 colours too."""


def write_drawn_tiles(folder: Path) -> int:
    """Cut a drawn globe into tiles; returns their mean length in bytes."""
    globe = DrawnDays(LAYER, 7, _DAY, 1, rows=ROWS * SIZE).globe(_DAY)
    for row, col in itertools.product(range(ROWS), range(COLS)):
        part = globe[row * SIZE : (row + 1) * SIZE, col * SIZE : (col + 1) * SIZE]
        data = simplejpeg.encode_jpeg(
            np.ascontiguousarray(part), quality=_QUALITY, colorsubsampling="420"
        )
        (folder / f"{row}-{col}.jpg").write_bytes(data)
    return mean_length(folder)


def write_real_tiles(folder: Path, source: Path) -> int:
    """Take fifty days of the one real Terra tile as if they were fifty tiles of a day."""
    days = sorted(source.glob("*.jpg"))
    places = itertools.product(range(ROWS), range(COLS))
    for (row, col), day in zip(places, days, strict=False):
        (folder / f"{row}-{col}.jpg").write_bytes(day.read_bytes())
    return mean_length(folder)


def mean_length(folder: Path) -> int:
    """Mean bytes a tile."""
    lengths = [file.stat().st_size for file in folder.glob("*.jpg")]
    return sum(lengths) // len(lengths)
