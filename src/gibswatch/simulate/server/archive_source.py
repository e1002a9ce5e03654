"""Tiles of what `gibswatch download` brought: an archive is served back as GIBS served it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from gibswatch.archive import Archive, Layout
from gibswatch.catalogue.grids import TileMatrix
from gibswatch.catalogue.layers import find_layer
from gibswatch.catalogue.windows import GridPlan, TileIndex, plan_grid
from gibswatch.errors import UnknownGridError, UsageError
from gibswatch.raster.codec import decode_picture
from gibswatch.simulate.server.cache import CACHE_BYTES, PictureCache
from gibswatch.simulate.server.cut import RasterFormat, cut_tile, encode_data
from gibswatch.simulate.server.exceptions import OwsError, invalid_parameter
from gibswatch.simulate.server.project import globe_tile, shrink
from gibswatch.simulate.server.sources import MAX_PIXELS
from gibswatch.types import EPSG_CODES, ByteArray

__all__ = ["ArchiveSource"]


@dataclass(frozen=True, slots=True)
class _Holding:
    """What the archive holds of the layer in one projection."""

    plan: GridPlan
    days: frozenset[dt.date]
    """Days with every tile; partial ones are left out."""

    @property
    def keeps_tiles(self) -> bool:
        """Whether the tiles lie there as they were served."""
        return self.plan.grid.tiled and self.plan.grid.kind == "native"

    @property
    def is_whole(self) -> bool:
        """Whether the pictures show the projection's whole extent."""
        return self.plan.georeference.bbox == self.plan.matrix_set.extent

    @property
    def fits_into_memory(self) -> bool:
        """Whether a day's picture is small enough to cut tiles of other levels out of it."""
        rows, cols = self.plan.window.shape
        return rows * cols <= MAX_PIXELS


class ArchiveSource:
    """Tiles of one layer of an archive; safe to use from many threads.

    Parameters
    ----------
    archive : Archive
    layer : str
        Identifier.
    image_format : {"jpg", "png"}
    cache_bytes : int
        Pictures are kept up to this size together (two at least).

    Raises
    ------
    UsageError
        If the archive holds no whole day of the layer that can be served.
    ArchiveError
        If a journal cannot be read.

    Notes
    -----
    Each projection is served from its own pictures.  Where the archive has whole globes in
    EPSG:4326, days and projections that it lacks are drawn from those.  Tiles that were kept as
    served go out byte for byte; tiles of other levels are cut from the day's picture.
    """

    def __init__(
        self,
        archive: Archive,
        layer: str,
        image_format: RasterFormat,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.image_format: RasterFormat = image_format
        self._archive = archive
        self._layer = find_layer(layer).identifier
        self._held = _holdings(archive, self._layer)
        if not self._held:
            raise UsageError(
                f"{archive.root} holds no whole day of {self._layer} that can be served: finish "
                f"the download, or use --tile-resolution 4km or coarser, or --grid native "
                f"--tiled-world (stitched pictures of more than {MAX_PIXELS:,} pixels are not)"
            )
        globe = self._held.get(4326)
        self._has_globes = globe is not None and globe.is_whole and globe.fits_into_memory
        self._pictures = PictureCache(self._read, cache_bytes)

    @property
    def projections(self) -> tuple[int, ...]:
        """EPSG codes that can be served: all where there are globes, else those held."""
        return EPSG_CODES if self._has_globes else tuple(self._held)

    def days(self) -> frozenset[dt.date]:
        """Days that the archive has whole: in EPSG:4326 where it has globes, else in any."""
        if self._has_globes:
            return self._held[4326].days
        return frozenset().union(*(held.days for held in self._held.values()))

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        """Read, or cut and encode, one tile; None if it has no data or is not in the archive.

        Raises
        ------
        OwsError
            If only the tiles of another level are there, and a day is too large to be put together.
        ArchiveError
            If a picture is not as the journal says.
        DecodeError
            If a picture is damaged.
        """
        held = self._held.get(epsg)
        if held is not None and day in held.days:
            if held.keeps_tiles and matrix.level == held.plan.source.level:
                return self._stored(held, day, TileIndex(row, col))
            if not held.fits_into_memory:
                text = "TILEMATRIX is invalid for LAYER"
                raise OwsError([invalid_parameter("TILEMATRIX", text)])
            picture = self._pictures.get((day, epsg, 1))
            pixels = cut_tile(picture, matrix, row, col, held.plan.georeference)
            return encode_data(pixels, self.image_format)
        if not self._has_globes or day not in self._held[4326].days:
            return None

        def globe(factor: int) -> ByteArray:
            return self._pictures.get((day, 4326, factor))

        return encode_data(globe_tile(globe, epsg, matrix, row, col), self.image_format)

    def _stored(self, held: _Holding, day: dt.date, tile: TileIndex) -> bytes | None:
        """Bytes of a kept tile; a blank one had no data when it was served either."""
        if tile not in held.plan.source_tiles():
            return None
        layout = Layout(self._archive.root, self._layer, held.plan.grid.epsg)
        data = layout.tile(day, held.plan, tile, self.image_format).read_bytes()
        pixels = decode_picture(data, image_format=self.image_format)
        has_data = (pixels[..., 3] if self.image_format == "png" else pixels).any()
        return data if has_data else None

    def _read(self, key: tuple[dt.date, int, int]) -> ByteArray:
        day, epsg, factor = key
        if factor > 1:
            return shrink(self._pictures.get((day, epsg, 1)), factor)
        return self._archive.scene(self._layer, day, epsg).pixels


def _holdings(archive: Archive, layer: str) -> Mapping[int, _Holding]:
    known = find_layer(layer)
    held = {}
    for epsg in EPSG_CODES:
        grid = archive.grid(layer, epsg)
        if grid is None:
            continue
        days = (day for day, record in archive.records(layer, epsg).items() if record.complete)
        try:
            holding = _Holding(plan_grid(grid, known.matrix_set(epsg)), frozenset(days))
        except UnknownGridError:  # the catalogue has changed since: GIBS serves it no longer there
            continue
        if holding.days and (holding.keeps_tiles or holding.fits_into_memory):
            held[epsg] = holding
    return held
