"""Where the server's tiles come from: globes that are drawn or lie in a folder, or stored tiles."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from gibswatch.catalogue.domains import Period
from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set
from gibswatch.errors import UsageError
from gibswatch.simulate.server.cache import CACHE_BYTES, PictureCache
from gibswatch.simulate.server.cut import RasterFormat, encode_data
from gibswatch.simulate.server.project import globe_tile, shrink
from gibswatch.types import ByteArray

__all__ = [
    "MAX_PIXELS",
    "FolderSource",
    "GlobeSource",
    "MatrixLimits",
    "ServedLayer",
    "TileAddress",
    "TileFolderSource",
    "TileSource",
    "dated_pictures",
]

_SUFFIXES: Mapping[RasterFormat, tuple[str, ...]] = {"jpg": (".jpg", ".jpeg"), "png": (".png",)}
_ANY_SUFFIX = (*_SUFFIXES["jpg"], *_SUFFIXES["png"])
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MAX_PIXELS = 80_000_000
"""Largest picture that is kept in memory to cut tiles out of."""


@dataclass(frozen=True, slots=True)
class MatrixLimits:
    """The tiles of one level that a layer has at all; all four numbers included."""

    level: int
    min_row: int
    max_row: int
    min_col: int
    max_col: int


@dataclass(frozen=True, slots=True)
class ServedLayer:
    """What the server must know of a layer to answer for it."""

    identifier: str
    image_format: RasterFormat
    matrix_sets: Mapping[int, str]
    """EPSG code to the identifier of the layer's tile matrix set there."""
    version: str = "v6_STD"
    """What GIBS appends to the identifier in ``Layer-Identifier-Actual``."""
    periods: tuple[Period, ...] = ()
    """The layer's time domain, by start; empty where it is the source's days."""
    title: str = ""
    """What the layer shows, in words; empty where that is the identifier."""
    is_static: bool = False
    """Whether the layer has no time: its one picture is the source's latest."""
    limits: tuple[MatrixLimits, ...] = ()
    """The part of EPSG:4326 that a geostationary layer has tiles of; empty for all of it."""


@dataclass(frozen=True, slots=True)
class TileAddress:
    """One tile of EPSG:4326."""

    matrix_set: str
    level: int
    row: int
    col: int

    def __str__(self) -> str:
        return f"{self.matrix_set}/{self.level}/{self.row}/{self.col}"


class TileSource(Protocol):
    """The tiles of one layer."""

    def days(self) -> Collection[dt.date]:
        """Days that the layer's time domain lists; quick to ask whether one is in it."""
        ...

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        """Encoded tile of a listed day, or None where GIBS would store none (it has no data)."""
        ...


class GlobeSource:
    """Tiles of every projection, from pictures of the whole globe; safe to use from many threads.

    Parameters
    ----------
    function : Callable[[date], ndarray]
        Returns a day's globe in EPSG:4326, (rows, cols, 3 or 4) uint8; black (RGB) or alpha 0 is
        no data.
        Called once a day as long as the day stays in the cache, by one thread at a time.
    days : Collection of date
        Days that can be asked for, at least one.
    image_format : {"jpg", "png"}
    cache_bytes : int
        Globes are kept up to this size together (two at least).

    Raises
    ------
    UsageError
        If there are no days.

    Notes
    -----
    Where a tile is coarser than the globe its pixels are means of those that have data, as in
    GIBS's own overviews (so gaps lose up to a pixel at their edges); where it is finer, nearest
    neighbours.  EPSG:3857, 3413 and 3031 are drawn from the globe (see `project_tile`).
    """

    def __init__(
        self,
        function: Callable[[dt.date], ByteArray],
        days: Collection[dt.date],
        image_format: RasterFormat,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        if not days:
            raise UsageError("no days to serve: give at least one date")
        self.image_format: RasterFormat = image_format
        self._function = function
        self._days = frozenset(days)
        self._globes = PictureCache(self._make_globe, cache_bytes)

    def days(self) -> frozenset[dt.date]:
        """Days that can be asked for."""
        return self._days

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        """Draw and encode one tile; None if it has no data at all."""

        def globe(factor: int) -> ByteArray:
            return self._globes.get((day, factor))

        return encode_data(globe_tile(globe, epsg, matrix, row, col), self.image_format)

    def _make_globe(self, key: tuple[dt.date, int]) -> ByteArray:
        day, factor = key
        if factor > 1:
            return shrink(self._globes.get((day, 1)), factor)
        return _with_channels_of(self._function(day), self.image_format)


class FolderSource(GlobeSource):
    """Tiles cut out of a folder of globes, one picture a day.

    Parameters
    ----------
    folder : Path
        Holds ``YYYY-MM-DD.jpg|png``, or, as an archive does, ``YYYY-MM-DD/{layer}.jpg|png``.
    image_format : {"jpg", "png"}
        Of the tiles; the pictures may have the other one.
    layer : str, optional
        Identifier, for the second layout.

    Raises
    ------
    UsageError
        If the folder is missing, holds no dated picture, or one that is not a whole globe.
    """

    def __init__(
        self, folder: Path, image_format: RasterFormat, *, layer: str | None = None
    ) -> None:
        pictures = dated_pictures(folder, layer=layer)
        for path in pictures.values():
            _check_globe(path)
        super().__init__(lambda day: _read_picture(pictures[day]), pictures.keys(), image_format)


class TileFolderSource:
    """One stored tile a day, served byte for byte; every other tile is blank.

    Parameters
    ----------
    folder : Path
        Holds ``YYYY-MM-DD.jpg|png`` (or ``YYYY-MM-DD/{layer}.jpg|png``), each the tile of that day.
    matrix_set, level, row, col
        Where the tile lies in EPSG:4326, e.g. ``250m``, 3, 2, 4.
    image_format : {"jpg", "png"}
    layer : str, optional

    Raises
    ------
    UsageError
        If the folder is missing or holds no dated picture of that format, or there is no such tile.
    """

    def __init__(
        self,
        folder: Path,
        matrix_set: str,
        level: int,
        row: int,
        col: int,
        *,
        image_format: RasterFormat = "jpg",
        layer: str | None = None,
    ) -> None:
        matrix = tile_matrix_set(4326, matrix_set).matrix(level)
        if not (0 <= row < matrix.matrix_rows and 0 <= col < matrix.matrix_cols):
            raise UsageError(
                f"tile row {row}, column {col} is outside {matrix_set}/{level}: rows are 0 to "
                f"{matrix.matrix_rows - 1}, columns 0 to {matrix.matrix_cols - 1} (ROW comes first)"
            )
        self.address = TileAddress(matrix_set, level, row, col)
        self._pictures = dated_pictures(folder, layer=layer, suffixes=_SUFFIXES[image_format])

    def days(self) -> Collection[dt.date]:
        """Days for which a tile lies in the folder."""
        return self._pictures.keys()

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        """Bytes of the one tile, None for all others."""
        here = self.address
        if epsg != 4326 or (matrix.level, row, col) != (here.level, here.row, here.col):
            return None
        return self._pictures[day].read_bytes()


def dated_pictures(
    folder: Path, *, layer: str | None = None, suffixes: tuple[str, ...] = _ANY_SUFFIX
) -> dict[dt.date, Path]:
    """Find the pictures of a folder by their dates, in order of date.

    Raises
    ------
    UsageError
        If the folder is missing or has no dated picture.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: give one that holds YYYY-MM-DD.jpg or .png")
    flat = [path for path in folder.iterdir() if _DATE.fullmatch(path.stem) and path.suffix]
    nested = folder.glob(f"[0-9]*/{layer}.*") if layer else ()
    found = [(path.stem, path) for path in flat] + [(path.parent.name, path) for path in nested]
    pictures = {
        day: path
        for name, path in found
        if path.suffix.lower() in suffixes
        and not path.stem.endswith(".partial")
        and (day := _parse_date(name)) is not None
    }
    if not pictures:
        nested_form = f" or YYYY-MM-DD/{layer}{suffixes[0]}" if layer else ""
        raise UsageError(
            f"{folder} holds no dated picture: name them YYYY-MM-DD{suffixes[0]}{nested_form} "
            f"(accepted: {', '.join(suffixes)})"
        )
    return dict(sorted(pictures.items()))


def _with_channels_of(picture: ByteArray, image_format: RasterFormat) -> ByteArray:
    """RGB for JPEG, RGBA for PNG; what is no data in one is no data in the other."""
    channels = picture.shape[2]
    if image_format == "png" and channels == 3:
        alpha = np.where(picture.any(axis=2), np.uint8(255), np.uint8(0))
        return np.dstack((picture, alpha))
    if image_format == "jpg" and channels == 4:
        return np.where(picture[..., 3:] > 0, picture[..., :3], np.uint8(0))
    return picture


def _parse_date(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(name) if _DATE.fullmatch(name) else None
    except ValueError:
        return None


def _check_globe(path: Path) -> None:
    try:
        with Image.open(path) as picture:
            cols, rows = picture.size
    except (UnidentifiedImageError, OSError) as error:
        raise UsageError(f"{path} is not a picture that can be read: remove it") from error
    if cols != 2 * rows or cols * rows > MAX_PIXELS:
        raise UsageError(
            f"{path} is {cols} x {rows} pixels: a whole globe (EPSG:4326) is twice as wide as high "
            f"and has at most {MAX_PIXELS:,} pixels; serve single tiles with --tile"
        )


def _read_picture(path: Path) -> ByteArray:
    if path.suffix.lower() in _SUFFIXES["jpg"]:
        pixels: ByteArray = simplejpeg.decode_jpeg(path.read_bytes(), "RGB")
        return pixels
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGBA"))
