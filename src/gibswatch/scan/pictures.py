"""References to pictures: small records that can travel to a worker and be read there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from gibswatch.archive.reader import Archive
from gibswatch.catalogue.layers import Layer
from gibswatch.raster.codec import read_picture
from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture
from gibswatch.scan.model_scores import ModelFile
from gibswatch.scan.outputs.rasters import DayFiles
from gibswatch.types import BBox, BoolArray, DateSource, Epsg, Georeference, ImageFormat

__all__ = ["ArchivedDay", "Picture", "PictureFile", "PictureRef", "date_in_name"]

_MERCATOR_LIMIT_DEG = 85.1
"""EPSG:3857 ends at 85.05; what lies half a pixel beyond is resampled."""
_BLACK_LEVEL = 12

_DATE = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


class PictureRef(Protocol):
    """Something that can be read as a scene, here or in another process."""

    @property
    def date(self) -> dt.date | None:
        """Day of the picture, if it is known."""
        ...

    def read(self) -> Scene:
        """Read it."""
        ...


@dataclass(frozen=True, slots=True)
class ArchivedDay:
    """One day of one layer in an archive."""

    root: Path
    layer: str
    epsg: Epsg
    date: dt.date

    def read(self) -> Scene:
        """Read the day; see `Archive.scene`."""
        return Archive(self.root).scene(self.layer, self.date, self.epsg)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """One picture that lies anywhere."""

    path: Path
    layer: Layer
    date: dt.date | None
    epsg: Epsg
    bounds: BBox
    """Of the picture, in units of the projection."""

    def read(self) -> Scene:
        """Read the file.

        A picture of a JPEG layer that someone saved as PNG is judged as the JPEG it was; where it
        is transparent it is black.

        Raises
        ------
        DecodeError
            If it is not a whole JPEG or PNG.
        """
        pixels, found = read_picture(self.path)
        image_format: ImageFormat = (
            "png" if found == "png" and self.layer.format == "png" else "jpg"
        )
        if found == "png" and image_format == "jpg":
            pixels = np.where(pixels[..., 3:] == 0, 0, pixels[..., :3])
        rows, cols = pixels.shape[:2]
        scene = scene_from_picture(
            pixels,
            layer=self.layer.identifier,
            date=self.date,
            image_format=image_format,
            georeference=self.georeference(rows, cols),
            provenance=str(self.path),
        )
        scene.state[_beyond_mercator(scene)] = STATE_CODES["server-empty"]
        return scene

    def georeference(self, rows: int, cols: int) -> Georeference:
        """Where pixels of the picture lie, if it has so many."""
        b = self.bounds
        width, height = (b.east - b.west) / cols, (b.north - b.south) / rows
        return Georeference(self.epsg, b.west, b.north, width, height, rows, cols)


def _beyond_mercator(scene: Scene) -> BoolArray:
    """Mark rows that a Web Mercator picture lacked before it was converted to EPSG:4326.

    They are black around both poles, where the Sun never leaves both dark.
    """
    g = scene.georeference
    latitude = g.north - (np.arange(g.rows) + 0.5) * g.pixel_height
    beyond = (np.abs(latitude) > _MERCATOR_LIMIT_DEG) & (np.abs(latitude) < 90.0)
    both = (latitude[beyond] > 0).any() and (latitude[beyond] < 0).any()
    if g.epsg != 4326 or scene.image_format != "jpg" or not both:
        return np.zeros(g.rows, dtype=bool)
    dark = scene.pixels[beyond].max() <= _BLACK_LEVEL
    return np.asarray(beyond & dark)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to be judged, and what is known of it beforehand."""

    ref: PictureRef
    layer: str
    file: str
    date_source: DateSource
    tiles: Mapping[str, int] = field(default_factory=dict)
    """Number of tiles by state; empty for a file."""
    mask_path: Path | None = None
    """Where to write the mask of what is found, or None."""
    files: DayFiles | None = None
    """What else is written of it, and where."""
    model: ModelFile | None = None
    """What scores it beside the verdict."""


def date_in_name(path: Path) -> dt.date | None:
    """Date in a file's name (YYYY-MM-DD or YYYYMMDD), else in its folder's; None if there is none.

    Examples
    --------
    >>> str(date_in_name(Path("Terra_2023-08-07.jpg")))
    '2023-08-07'
    """
    for text in (path.stem, path.parent.name):
        for match in _DATE.finditer(text):
            try:
                return dt.date(*(int(part) for part in match.groups()))
            except ValueError:
                continue
    return None
