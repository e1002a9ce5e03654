"""A day's pixels on disk: tiles as served, output tiles, or one stitched picture."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from gibswatch.archive.journal.records import USABLE_STATES, DayRecord, TileRecord, WrittenFile
from gibswatch.archive.layout import Layout
from gibswatch.archive.pictures.files import StoredAs, day_files
from gibswatch.archive.pictures.geotiff import decode_geotiff, is_tiff
from gibswatch.archive.pictures.limits import (
    check_scene_fits,
    check_storable,
    day_bytes,
    stored_format,
)
from gibswatch.archive.pictures.staging import remove_leftovers
from gibswatch.catalogue.windows import GridPlan, TileIndex, TileRange
from gibswatch.download.result import TileResult
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.files import flush_files, write_bytes
from gibswatch.raster.codec import decode_picture, picture_format
from gibswatch.raster.mosaic import Mosaic
from gibswatch.raster.scene import Scene, usable_states
from gibswatch.raster.strips import StripMosaic
from gibswatch.types import ByteArray, ImageFormat

__all__ = ["DayPicture", "PictureStore", "decode_stored"]


class PictureStore:
    """Writes and reads the pictures of one layer on one grid.

    Parameters
    ----------
    layout : Layout
    plan : GridPlan
    image_format : {"jpg", "png"}
        Of the layer; `Grid.picture_format` says what its pictures are stored as.

    Raises
    ------
    UnknownGridError
        If one day would not fit into a JPEG or PNG (65,500 pixels a side) or into memory, or if the
        layer's pixels cannot be stored in the grid's format.
    """

    def __init__(self, layout: Layout, plan: GridPlan, image_format: ImageFormat) -> None:
        self.layout = layout
        self.plan = plan
        self.image_format = image_format
        self.keeps_tiles = plan.grid.tiled and plan.grid.kind == "native"
        """Whether tiles are kept byte for byte as served."""
        self.stored_as = StoredAs(layout, plan, image_format, stored_format(plan, image_format))
        check_storable(plan, self.stored_as.stored)

    @property
    def extension(self) -> str:
        """Of the files' names."""
        return self.stored_as.extension

    @property
    def day_bytes(self) -> int:
        """Memory that one day on its way to disk takes, at most."""
        return day_bytes(self.plan, self.stored_as.stored)

    def begin(self, day: dt.date) -> DayPicture:
        """Start a day; only for who holds the archive's lock."""
        return DayPicture(self, day)

    def holds(self, record: DayRecord, tiles: Callable[[], Iterable[TileRecord]]) -> bool:
        """Whether the files of a day are where the journal says, in the length that it says.

        Parameters
        ----------
        record : DayRecord
        tiles : callable
            Gives the day's tiles; called only where they are kept as served.
        """
        if self.keeps_tiles:
            return all(self.holds_tile(tile) for tile in tiles())
        return bool(record.files) and all(
            _has_length(self.layout.root / file.path, file.length) for file in record.files
        )

    def holds_tile(self, record: TileRecord) -> bool:
        """Whether a kept tile is there in the length that was served."""
        return _has_length(self.tile_path(record.date, record.tile), record.length)

    def stored_tiles(self) -> TileRange:
        """Tiles that a whole day has on disk, where tiles are kept."""
        return self.plan.source_tiles() if self.keeps_tiles else self.plan.output_tiles()

    def tile_path(self, day: dt.date, tile: TileIndex) -> Path:
        """Path of one tile."""
        return self.stored_as.tile_path(day, tile)

    def read(self, record: DayRecord, tiles: Iterable[TileRecord]) -> Scene:
        """Read a day as a scene: the same one whatever its files are stored as.

        Raises
        ------
        ArchiveError
            If a file is not there, or not the one that the journal knows by its SHA-256.
        DecodeError
            If a file is that one, but no picture of the grid's size.
        UnknownGridError
            If the day would not fit into memory.
        """
        check_scene_fits(self.plan)
        mosaic = Mosaic(self.plan, self.image_format)
        size = self.plan.source.tile_size
        for tile in tiles:
            pixels = None
            if self.keeps_tiles and tile.state in USABLE_STATES:
                path = self.tile_path(record.date, tile.tile)
                pixels = self._read(path, tile.sha256, (size, size))
            mosaic.place(tile.tile, pixels, tile.state)
        state = mosaic.states()
        provenance = self.layout.day_folder(record.date)
        if record.picture is not None:
            provenance = self.layout.root / record.picture
            known = _hash_of(record, record.picture)
            pixels = self._read(provenance, known, self.plan.window.shape)
        elif self.keeps_tiles:
            pixels = mosaic.pixels()
        else:
            pixels = self._read_output_tiles(record, state)
        return Scene(
            self.layout.layer,
            record.date,
            self.image_format,
            pixels,
            state,
            self.plan.georeference,
            str(provenance),
        )

    def _read(self, path: Path, sha256: str | None, shape: tuple[int, int]) -> ByteArray:
        """Decode a file if it is the one that was written; a swapped one is no finding."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ArchiveError(
                f"{path} cannot be read ({error.strerror or error}): run the download again"
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ArchiveError(
                f"{path} is not what was downloaded (another SHA-256 than the journal's): "
                "delete it and run the download again"
            )
        try:
            return decode_stored(data, self.image_format, shape=shape, known=True)
        except DecodeError as error:
            raise DecodeError(f"{path}: {error}") from error

    def _read_output_tiles(self, record: DayRecord, state: ByteArray) -> ByteArray:
        """Read the tiles that are whole; the others are not on disk: no pixel of theirs is ok."""
        bands = 3 if self.image_format == "jpg" else 4
        pixels: ByteArray = np.zeros((*state.shape, bands), dtype=np.uint8)
        size = self.plan.source.tile_size
        for tile in self.stored_tiles():
            inner = self.stored_as.tile_bounds(tile)
            usable = usable_states(state[inner])
            if not usable.all():
                state[inner] = np.where(usable, state[inner][~usable][0], state[inner])
            else:
                path = self.tile_path(record.date, tile)
                known = path.relative_to(self.layout.root).as_posix()
                pixels[inner] = self._read(path, _hash_of(record, known), (size, size))
        return pixels


class DayPicture:
    """One day on its way to disk: `put` every tile, then `finish`, or `discard`.

    A context manager: a block that is left without `finish` leaves nothing behind but kept tiles.

    Parameters
    ----------
    store : PictureStore
    day : date

    Notes
    -----
    Nothing that is in the archive is replaced before `finish`, but for tiles that are kept as
    served.  What `put` is doing in one thread is not disturbed by `discard` in another.
    """

    def __init__(self, store: PictureStore, day: dt.date) -> None:
        self._store = store
        self._day = day
        self._lock = threading.Lock()
        self._over = False
        self._unflushed: list[Path] = []
        self._cleared: set[Path] = set()
        self._clear_once(store.layout.day_folder(day))
        self._strips = None if store.keeps_tiles else StripMosaic(store.plan, store.image_format)
        self._files = None if store.keeps_tiles else day_files(store.stored_as, day)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def put(self, result: TileResult) -> None:
        """Take one tile, each once; after `discard` nothing is taken any more.

        A kept tile is in its place when this returns, and on disk after `flush`.
        """
        with self._lock:
            if self._over:
                return
            if self._strips is not None and self._files is not None:
                tile = result.request.tile
                for strip in self._strips.place(tile, result.pixels, result.state):
                    self._files.add(strip)
            elif result.body is not None:
                self._keep(self._store.tile_path(self._day, result.request.tile), result.body)

    def flush(self) -> None:
        """Bring kept tiles to disk: what the journal says must outlive a power failure.

        Before they are written down in the journal; does nothing where there is nothing to flush.
        """
        with self._lock:
            waiting, self._unflushed = self._unflushed, []
            if waiting:
                flush_files(waiting)

    def finish(self, *, complete: bool) -> tuple[str | None, tuple[WrittenFile, ...]]:
        """Write what is left to write; tiles that were never put are `failed`.

        Returns
        -------
        picture : str or None
            The stitched picture's path relative to the archive's root; None where tiles are kept.
        files : tuple of WrittenFile
            What was written: the picture, or the output tiles.
        """
        self.flush()
        if self._strips is None or self._files is None:
            return None, ()
        try:
            with self._lock:
                for strip in self._strips.rest():
                    self._files.add(strip)
                return self._files.finish(complete=complete)
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what is not in its place yet.  After `finish` it does nothing."""
        with self._lock:
            if not self._over and self._files is not None:
                self._files.discard()
            self._over = True

    def _keep(self, path: Path, body: bytes) -> None:
        self._clear_once(path.parent)
        write_bytes(path, body, flush=False)
        self._unflushed.append(path)

    def _clear_once(self, folder: Path) -> None:
        """Remove what a killed process left where this day is written."""
        if folder not in self._cleared:
            self._cleared.add(folder)
            remove_leftovers(folder, self._store.layout.layer)


def decode_stored(
    data: bytes,
    image_format: ImageFormat,
    *,
    shape: tuple[int, int] | None = None,
    known: bool = False,
) -> ByteArray:
    """Decode a picture of the archive by what its bytes are, whatever its name says.

    gibs-ml wrote GeoTIFFs under names that end in .jpg.

    Parameters
    ----------
    data : bytes
    image_format : {"jpg", "png"}
        Of the layer: decides the bands.
    shape : tuple of int, optional
        Rows and columns that it must have.
    known : bool
        As in `gibswatch.raster.decode_picture`.

    Returns
    -------
    (rows, cols, 3) or (rows, cols, 4) ndarray of uint8

    Raises
    ------
    DecodeError
        If it is no whole JPEG, PNG or TIFF, or of another size.
    """
    if is_tiff(data):
        pixels = decode_geotiff(data, image_format)
        if shape is not None and pixels.shape[:2] != shape:
            raise DecodeError(
                f"picture of {pixels.shape[1]}x{pixels.shape[0]} pixels where "
                f"{shape[1]}x{shape[0]} belong"
            )
        return pixels
    is_png = image_format == "jpg" and picture_format(data) == "png"
    form: ImageFormat = "png" if is_png else image_format
    pixels = decode_picture(data, image_format=form, shape=shape, known=known)
    return pixels[..., :3] if image_format == "jpg" else pixels


def _has_length(path: Path, length: int | None) -> bool:
    return path.is_file() and path.stat().st_size == length


def _hash_of(record: DayRecord, path: str) -> str | None:
    return next((file.sha256 for file in record.files if file.path == path), None)
