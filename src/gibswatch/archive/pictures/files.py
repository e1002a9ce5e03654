"""How the strips of a day become files: output tiles, one JPEG or PNG, one GeoTIFF.

Each takes finished strips in any order (`add`) and puts its files in place at the end (`finish`);
until then nothing of the archive is touched.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibswatch.archive.journal.records import WrittenFile
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.geotiff import GeotiffWriter
from gibswatch.archive.pictures.staging import StagedFiles
from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.files import replace_files, storage_errors, write_bytes
from gibswatch.raster.codec import encode_picture
from gibswatch.raster.scene import usable_states
from gibswatch.raster.strips import Strip
from gibswatch.types import ByteArray, Georeference, ImageFormat, PictureFormat

__all__ = ["DayFiles", "StoredAs", "day_files"]

_EXTENSION: dict[PictureFormat, str] = {"jpg": "jpg", "png": "png", "tif": "tif", "cog": "tif"}
_Finished = tuple[str | None, tuple[WrittenFile, ...]]


@dataclass(frozen=True, slots=True)
class StoredAs:
    """Where the pictures of a layer lie, and in which form."""

    layout: Layout
    plan: GridPlan
    image_format: ImageFormat
    """Of the layer."""
    stored: PictureFormat

    @property
    def extension(self) -> str:
        """Of the files' names."""
        return _EXTENSION[self.stored]

    @property
    def is_tiff(self) -> bool:
        """Whether files are GeoTIFF of one kind or the other."""
        return self.extension == "tif"

    def tile_path(self, day: dt.date, tile: TileIndex) -> Path:
        """Path of one tile."""
        return self.layout.tile(day, self.plan, tile, self.extension)

    def picture_path(self, day: dt.date, *, complete: bool) -> Path:
        """Path of the stitched picture."""
        return self.layout.picture(day, self.extension, complete=complete)

    def record(self, path: Path, written: Path | None = None) -> WrittenFile:
        """Describe a file that lies, or will lie, at `path`."""
        with (written or path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = path.relative_to(self.layout.root).as_posix()
        return WrittenFile(name, (written or path).stat().st_size, digest)

    def tile_bounds(self, tile: TileIndex) -> tuple[slice, slice]:
        """Rows and columns of the output picture that an output tile covers."""
        size, w = self.plan.source.tile_size, self.plan.window
        top, left = tile.row * size - w.row_start, tile.col * size - w.col_start
        return slice(top, top + size), slice(left, left + size)


class DayFiles(ABC):
    """The files of one day."""

    def __init__(self, place: StoredAs, day: dt.date) -> None:
        self._place = place
        self._day = day
        self._staged = StagedFiles(place.layout.day_folder(day), place.layout.layer)

    @abstractmethod
    def add(self, strip: Strip) -> None:
        """Take one strip."""

    @abstractmethod
    def finish(self, *, complete: bool) -> _Finished:
        """Put the files in place.

        Returns
        -------
        picture : str or None
            The stitched picture's path relative to the archive's root.
        files : tuple of WrittenFile
        """

    def discard(self) -> None:
        """Remove what is not in place yet."""
        self._staged.discard()


class _OutputTiles(DayFiles):
    """Tiles of the predecessor's grid; one that is not whole is not there."""

    def __init__(self, place: StoredAs, day: dt.date) -> None:
        super().__init__(place, day)
        self._written: dict[TileIndex, WrittenFile] = {}
        self._lacking: list[Path] = []

    def add(self, strip: Strip) -> None:
        place = self._place
        size = place.plan.source.tile_size
        row = (place.plan.window.row_start + strip.first_row) // size
        pixels, usable = strip.pixels(), usable_states(strip.states())
        for col in place.plan.output_tiles().cols:
            tile = TileIndex(row, col)
            _, cols = place.tile_bounds(tile)
            path = place.tile_path(self._day, tile)
            if usable[:, cols].all():
                self._write(tile, path, pixels[:, cols])
            else:
                self._lacking.append(path)

    def finish(self, *, complete: bool) -> _Finished:  # noqa: ARG002
        self._staged.commit()
        for path in self._lacking:
            _remove(path)
        return None, tuple(file for _, file in sorted(self._written.items()))

    def _write(self, tile: TileIndex, path: Path, pixels: ByteArray) -> None:
        staged, place = self._staged.path(path), self._place
        if place.is_tiff:
            writer = GeotiffWriter(
                staged,
                _part(place.plan.georeference, *place.tile_bounds(tile)),
                place.image_format,
                cloud_optimised=place.stored == "cog",
            )
            writer.write(0, pixels)
            writer.close()
        else:
            write_bytes(staged, _encode(pixels, place.stored), flush=False)
        self._written[tile] = place.record(path, staged)


class _StitchedPicture(DayFiles):
    """One JPEG or PNG: whole in memory, as its encoder wants it."""

    def __init__(self, place: StoredAs, day: dt.date) -> None:
        super().__init__(place, day)
        bands = 3 if place.image_format == "jpg" else 4
        self._pixels: ByteArray = np.zeros((*place.plan.window.shape, bands), dtype=np.uint8)

    def add(self, strip: Strip) -> None:
        part = strip.pixels()
        self._pixels[strip.first_row : strip.first_row + len(part)] = part

    def finish(self, *, complete: bool) -> _Finished:
        place, day = self._place, self._day
        path = place.picture_path(day, complete=complete)
        write_bytes(path, _encode(self._pixels, place.stored))
        file = place.record(path)
        write_bytes(place.layout.world_file(day), _world_file(place.plan.georeference))
        _remove(place.picture_path(day, complete=not complete))
        return file.path, (file,)


class _StitchedTiff(DayFiles):
    """One GeoTIFF, written strip by strip."""

    def __init__(self, place: StoredAs, day: dt.date) -> None:
        super().__init__(place, day)
        self._writer: GeotiffWriter | None = None

    def add(self, strip: Strip) -> None:
        if self._writer is None:
            self._writer = GeotiffWriter(
                self._staged.path(self._place.picture_path(self._day, complete=True)),
                self._place.plan.georeference,
                self._place.image_format,
                cloud_optimised=self._place.stored == "cog",
            )
        self._writer.write(strip.first_row, strip.pixels())

    def finish(self, *, complete: bool) -> _Finished:
        place, day = self._place, self._day
        staged = self._staged.path(place.picture_path(day, complete=True))
        path = place.picture_path(day, complete=complete)
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        file = place.record(path, staged)
        replace_files([(staged, path)])
        _remove(place.picture_path(day, complete=not complete))
        self._staged.discard()
        return file.path, (file,)

    def discard(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()
        super().discard()


def day_files(place: StoredAs, day: dt.date) -> DayFiles:
    """Start the files of a day that is not kept as tiles as served."""
    if place.plan.grid.tiled:
        return _OutputTiles(place, day)
    return (_StitchedTiff if place.is_tiff else _StitchedPicture)(place, day)


def _encode(pixels: ByteArray, stored: PictureFormat) -> bytes:
    return encode_picture(pixels, "jpg" if stored == "jpg" else "png")


def _remove(path: Path) -> None:
    with storage_errors(path):
        path.unlink(missing_ok=True)


def _part(g: Georeference, rows: slice, cols: slice) -> Georeference:
    return Georeference(
        g.epsg,
        g.west + cols.start * g.pixel_width,
        g.north - rows.start * g.pixel_height,
        g.pixel_width,
        g.pixel_height,
        rows.stop - rows.start,
        cols.stop - cols.start,
    )


def _world_file(g: Georeference) -> bytes:
    """Six lines: pixel width, two rotations, minus pixel height, centre of the first pixel."""
    values = (
        g.pixel_width,
        0.0,
        0.0,
        -g.pixel_height,
        g.west + g.pixel_width / 2,
        g.north - g.pixel_height / 2,
    )
    return "".join(f"{value:.12g}\n" for value in values).encode()
