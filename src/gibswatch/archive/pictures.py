"""A day's pixels on disk: tiles as served, output tiles, or one stitched picture."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from gibswatch.archive.journal import DayRecord, TileRecord
from gibswatch.archive.layout import Layout
from gibswatch.catalogue.windows import GridPlan, TileIndex, TileRange
from gibswatch.download.client import TileResult
from gibswatch.errors import ArchiveError, UnknownGridError
from gibswatch.files import storage_errors, write_bytes
from gibswatch.raster.codec import encode_picture, read_picture
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

    def holds(self, record: DayRecord) -> bool:
        """Whether the files of a day are where the journal says."""
        if record.picture is not None:
            return (self.layout.root / record.picture).is_file()
        return all(self.tile_path(record.date, tile).is_file() for tile in self.stored_tiles())

    def holds_tile(self, record: TileRecord) -> bool:
        """Whether a kept tile is there in the length that was served."""
        path = self.tile_path(record.date, record.tile)
        return path.is_file() and path.stat().st_size == record.length

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
            If a picture has another size or format than the journal says.
        DecodeError
            If a file that the journal names cannot be read, or is damaged.
        UnknownGridError
            If the day would not fit into memory.
        """
        _check_memory(self.plan)
        mosaic = Mosaic(self.plan, self.image_format)
        for tile in tiles:
            kept = self.keeps_tiles and tile.state == "ok"
            path = self.tile_path(record.date, tile.tile)
            size = (self.plan.source.tile_size,) * 2
            mosaic.place(tile.tile, self._read_file(path, size) if kept else None, tile.state)
        state = mosaic.states()
        provenance = self.layout.day_folder(record.date)
        if record.picture is not None:
            provenance = self.layout.root / record.picture
            pixels = self._read_file(provenance, self.plan.window.shape)
        elif self.keeps_tiles:
            pixels, _ = mosaic.picture()
        else:
            pixels = self._read_output_tiles(record.date, state)
        return Scene(
            self.layout.layer,
            record.date,
            self.image_format,
            pixels,
            state,
            self.plan.georeference,
            str(provenance),
        )

    def _read_file(self, path: Path, shape: tuple[int, int]) -> ByteArray:
        pixels, found = read_picture(path)
        if pixels.shape[:2] != shape or found != self.image_format:
            raise ArchiveError(
                f"{path} is a {found} of {pixels.shape[1]}x{pixels.shape[0]} pixels, the journal "
                f"says {self.image_format}, {shape[1]}x{shape[0]}: delete it and run the download "
                "again"
            )
        return pixels

    def _read_output_tiles(self, day: dt.date, state: ByteArray) -> ByteArray:
        """Read the tiles that are whole; the others are not on disk: no pixel of theirs is ok."""
        bands = 3 if self.image_format == "jpg" else 4
        pixels: ByteArray = np.zeros((*state.shape, bands), dtype=np.uint8)
        for tile in self.stored_tiles():
            inner = _inner(self.plan, tile)
            bad = state[inner][state[inner] != STATE_CODES["ok"]]
            if bad.size:
                state[inner] = np.where(state[inner] == STATE_CODES["ok"], bad[0], state[inner])
            else:
                shape = state[inner].shape
                pixels[inner] = self._read_file(self.tile_path(day, tile), (shape[0], shape[1]))
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

    def finish(self, *, complete: bool) -> str | None:
        """Write what is left to write.

        Returns
        -------
        str or None
            The stitched picture's path relative to the archive's root; None where tiles are kept.
        """
        if self._mosaic is None:
            return None
        pixels, state = self._mosaic.picture()
        if self._store.plan.grid.tiled:
            self._write_output_tiles(pixels, state)
            return None
        return self._write_stitched(pixels, complete=complete)

    def _write_output_tiles(self, pixels: ByteArray, state: ByteArray) -> None:
        store = self._store
        for tile in store.stored_tiles():
            inner = _inner(store.plan, tile)
            path = store.tile_path(self._day, tile)
            if (state[inner] == STATE_CODES["ok"]).all():
                write_bytes(path, encode_picture(pixels[inner], store.image_format))
            else:
                _remove(path)

    def _write_stitched(self, pixels: ByteArray, *, complete: bool) -> str:
        layout, extension = self._store.layout, self._store.image_format
        path = layout.picture(self._day, extension, complete=complete)
        write_bytes(path, encode_picture(pixels, extension))
        write_bytes(layout.world_file(self._day), _world_file(self._store.plan.georeference))
        _remove(layout.picture(self._day, extension, complete=not complete))
        return path.relative_to(layout.root).as_posix()


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
