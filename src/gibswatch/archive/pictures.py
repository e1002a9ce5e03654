"""A day's pixels on disk: tiles as served, output tiles, or one stitched picture."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from gibswatch.archive.journal import DayRecord, TileRecord, WrittenFile
from gibswatch.archive.layout import Layout
from gibswatch.catalogue.windows import GridPlan, TileIndex, TileRange
from gibswatch.download.client import TileResult
from gibswatch.errors import ArchiveError, UnknownGridError
from gibswatch.files import storage_errors, write_bytes
from gibswatch.raster.codec import decode_picture, encode_picture
from gibswatch.raster.mosaic import Mosaic
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.types import ByteArray, Georeference, ImageFormat

__all__ = ["DayPicture", "PictureStore"]

_JPEG_MAX_SIDE = 65_500
_MAX_CANVAS_BYTES = 6 * 2**30
"""Memory that the mosaic of one day may take."""


class PictureStore:
    """Writes and reads the pictures of one layer on one grid.

    Parameters
    ----------
    layout : Layout
    plan : GridPlan
    image_format : {"jpg", "png"}

    Raises
    ------
    UnknownGridError
        If one day would not fit into a JPEG (65,500 pixels a side) or into memory.
    """

    def __init__(self, layout: Layout, plan: GridPlan, image_format: ImageFormat) -> None:
        self.layout = layout
        self.plan = plan
        self.image_format = image_format
        self.keeps_tiles = plan.grid.tiled and plan.grid.kind == "native"
        """Whether tiles are kept byte for byte as served."""
        _check_size(plan, image_format)

    def begin(self, day: dt.date) -> DayPicture:
        """Start a day."""
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
        return self.layout.tile(day, self.plan, tile, self.image_format)

    def read(self, record: DayRecord, tiles: Iterable[TileRecord]) -> Scene:
        """Read a day as a scene.

        Raises
        ------
        ArchiveError
            If a file is not there, or not the one that the journal knows by its SHA-256.
        UnknownGridError
            If the day would not fit into memory.
        """
        _check_memory(self.plan)
        mosaic = Mosaic(self.plan, self.image_format)
        for tile in tiles:
            kept = self.keeps_tiles and tile.state == "ok"
            path = self.tile_path(record.date, tile.tile)
            mosaic.place(tile.tile, self._read(path, tile.sha256) if kept else None, tile.state)
        state = mosaic.states()
        provenance = self.layout.day_folder(record.date)
        if record.picture is not None:
            provenance = self.layout.root / record.picture
            pixels = self._read(provenance, _hash_of(record, record.picture))
        elif self.keeps_tiles:
            pixels, _ = mosaic.picture()
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

    def _read(self, path: Path, sha256: str | None) -> ByteArray:
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
        return decode_picture(data, image_format=self.image_format)

    def _read_output_tiles(self, record: DayRecord, state: ByteArray) -> ByteArray:
        """Read the tiles that are whole; the others are not on disk: no pixel of theirs is ok."""
        bands = 3 if self.image_format == "jpg" else 4
        pixels: ByteArray = np.zeros((*state.shape, bands), dtype=np.uint8)
        for tile in self.stored_tiles():
            inner = _inner(self.plan, tile)
            bad = state[inner][state[inner] != STATE_CODES["ok"]]
            if bad.size:
                state[inner] = np.where(state[inner] == STATE_CODES["ok"], bad[0], state[inner])
            else:
                path = self.tile_path(record.date, tile)
                known = path.relative_to(self.layout.root).as_posix()
                pixels[inner] = self._read(path, _hash_of(record, known))
        return pixels


class DayPicture:
    """One day on its way to disk: `put` every tile, then `finish`.

    Parameters
    ----------
    store : PictureStore
    day : date
    """

    def __init__(self, store: PictureStore, day: dt.date) -> None:
        self._store = store
        self._day = day
        self._mosaic = None if store.keeps_tiles else Mosaic(store.plan, store.image_format)

    def put(self, result: TileResult) -> None:
        """Take one tile; where tiles are kept it is on disk when this returns."""
        if self._mosaic is not None:
            self._mosaic.place(result.request.tile, result.pixels, result.state)
        elif result.body is not None:
            write_bytes(self._store.tile_path(self._day, result.request.tile), result.body)

    def finish(self, *, complete: bool) -> tuple[str | None, tuple[WrittenFile, ...]]:
        """Write what is left to write.

        Returns
        -------
        picture : str or None
            The stitched picture's path relative to the archive's root; None where tiles are kept.
        files : tuple of WrittenFile
            What was written: the picture, or the output tiles.
        """
        if self._mosaic is None:
            return None, ()
        pixels, state = self._mosaic.picture()
        if self._store.plan.grid.tiled:
            return None, tuple(self._write_output_tiles(pixels, state))
        file = self._write_stitched(pixels, complete=complete)
        return file.path, (file,)

    def _write_output_tiles(self, pixels: ByteArray, state: ByteArray) -> Iterator[WrittenFile]:
        store = self._store
        for tile in store.stored_tiles():
            inner = _inner(store.plan, tile)
            path = store.tile_path(self._day, tile)
            if (state[inner] == STATE_CODES["ok"]).all():
                yield self._write(path, encode_picture(pixels[inner], store.image_format))
            else:
                _remove(path)

    def _write_stitched(self, pixels: ByteArray, *, complete: bool) -> WrittenFile:
        layout, extension = self._store.layout, self._store.image_format
        path = layout.picture(self._day, extension, complete=complete)
        file = self._write(path, encode_picture(pixels, extension))
        write_bytes(layout.world_file(self._day), _world_file(self._store.plan.georeference))
        _remove(layout.picture(self._day, extension, complete=not complete))
        return file

    def _write(self, path: Path, data: bytes) -> WrittenFile:
        write_bytes(path, data)
        name = path.relative_to(self._store.layout.root).as_posix()
        return WrittenFile(name, len(data), hashlib.sha256(data).hexdigest())


def _has_length(path: Path, length: int | None) -> bool:
    return path.is_file() and path.stat().st_size == length


def _hash_of(record: DayRecord, path: str) -> str | None:
    return next((file.sha256 for file in record.files if file.path == path), None)


def _remove(path: Path) -> None:
    with storage_errors(path):
        path.unlink(missing_ok=True)


def _inner(plan: GridPlan, tile: TileIndex) -> tuple[slice, slice]:
    """Where an output tile lies in the window's pixels."""
    size, w = plan.source.tile_size, plan.window
    top, left = tile.row * size - w.row_start, tile.col * size - w.col_start
    return (slice(top, top + size), slice(left, left + size))


def _check_size(plan: GridPlan, image_format: ImageFormat) -> None:
    rows, cols = plan.window.shape
    if not plan.grid.tiled and image_format == "jpg" and max(rows, cols) > _JPEG_MAX_SIDE:
        raise UnknownGridError(
            f"one picture of {cols}x{rows} pixels is more than a JPEG can hold "
            f"({_JPEG_MAX_SIDE} a side): use --tiled-world, a --bbox or a coarser "
            "--tile-resolution"
        )
    if not (plan.grid.tiled and plan.grid.kind == "native"):
        _check_memory(plan)


def _check_memory(plan: GridPlan) -> None:
    rows, cols = plan.window.shape
    source_rows, source_cols = plan.source_window().shape
    needed = 4 * max(source_rows * source_cols, rows * cols)
    if needed > _MAX_CANVAS_BYTES:
        raise UnknownGridError(
            f"one day of {plan.grid} takes {needed / 2**30:.0f} GiB of memory: use --grid native "
            "--tiled-world, a --bbox or a coarser --tile-resolution"
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
