"""A picture finished strip by strip, so that no whole day need be in memory.

A strip is a band of output rows over the whole width.  It is done when the last source tile under
it has arrived, in whatever order; a tile on the border of two strips belongs to both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gibswatch.catalogue.windows import GridPlan, PixelWindow, TileIndex
from gibswatch.raster.mosaic import Mosaic
from gibswatch.types import ByteArray, ImageFormat, TileState

__all__ = ["STRIP_ROWS", "Strip", "StripMosaic", "strip_plans"]

STRIP_ROWS = 512
"""Output rows of a strip: one row of output tiles, and of the blocks of a GeoTIFF."""


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A finished band of rows."""

    first_row: int
    """Of the output picture."""
    mosaic: Mosaic

    def pixels(self) -> ByteArray:
        """(rows, cols, bands) uint8."""
        return self.mosaic.pixels()

    def states(self) -> ByteArray:
        """(rows, cols) uint8: `STATE_CODES`."""
        return self.mosaic.states()


class StripMosaic:
    """The tiles of one day, each placed as it arrives, in any order; once each.

    Parameters
    ----------
    plan : GridPlan
    image_format : {"jpg", "png"}
        Of the layer, as for `Mosaic`.
    """

    def __init__(self, plan: GridPlan, image_format: ImageFormat) -> None:
        self._format = image_format
        self._plans = strip_plans(plan)
        self._first_row = plan.window.row_start
        self._seen: set[TileIndex] = set()
        self._missing = [len(part.source_tiles()) for part in self._plans]
        self._rows = [part.source_tiles().rows for part in self._plans]
        self._open: dict[int, Mosaic] = {}

    def place(self, tile: TileIndex, pixels: ByteArray | None, state: TileState) -> Iterator[Strip]:
        """Put one tile where it belongs, and give the strips that it was the last one of.

        Without pixels only its state is noted.  A tile outside, or one that came before, is passed
        over.  A strip that is given is no longer held.
        """
        if tile in self._seen:
            return
        self._seen.add(tile)
        for number in self._strips_over(tile):
            mosaic = self._mosaic(number)
            mosaic.place(tile, pixels, state)
            self._missing[number] -= 1
            if not self._missing[number]:
                yield self._close(number)

    def rest(self) -> Iterator[Strip]:
        """Give the strips that wait for tiles still; what did not come is `failed`."""
        for number, missing in enumerate(self._missing):
            if missing:
                self._missing[number] = 0
                yield self._close(number)

    def _strips_over(self, tile: TileIndex) -> list[int]:
        return [
            number
            for number, rows in enumerate(self._rows)
            if tile.row in rows and tile in self._plans[number].source_tiles()
        ]

    def _mosaic(self, number: int) -> Mosaic:
        if number not in self._open:
            self._open[number] = Mosaic(self._plans[number], self._format)
        return self._open[number]

    def _close(self, number: int) -> Strip:
        mosaic = self._mosaic(number)
        del self._open[number]
        return Strip(self._plans[number].window.row_start - self._first_row, mosaic)


def strip_plans(plan: GridPlan) -> list[GridPlan]:
    """Cut a plan into strips of `STRIP_ROWS` output rows, from the top; the last may be lower.

    Where tiles are written the window begins on a tile's edge, and so does every strip.
    """
    w = plan.window
    starts = range(w.row_start, w.row_stop, STRIP_ROWS)
    windows = (
        PixelWindow(start, min(start + STRIP_ROWS, w.row_stop), w.col_start, w.col_stop)
        for start in starts
    )
    return [replace(plan, window=window) for window in windows]
