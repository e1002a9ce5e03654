"""References to pictures: small records that can travel to a worker and be read there."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from gibswatch.archive.reader import Archive
from gibswatch.catalogue.layers import Layer
from gibswatch.raster.codec import read_picture
from gibswatch.raster.scene import Scene, scene_from_picture
from gibswatch.types import BBox, Epsg, Georeference, ImageFormat

__all__ = ["ArchivedDay", "PictureFile", "PictureRef", "date_in_name"]

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
        b = self.bounds
        georeference = Georeference(
            self.epsg,
            b.west,
            b.north,
            (b.east - b.west) / cols,
            (b.north - b.south) / rows,
            rows,
            cols,
        )
        return scene_from_picture(
            pixels,
            layer=self.layer.identifier,
            date=self.date,
            image_format=image_format,
            georeference=georeference,
            provenance=str(self.path),
        )


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
