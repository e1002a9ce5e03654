"""What the report shows of one day: its pixels, what was expected, why pixels are black."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gibswatch.archive.reader import Archive
from gibswatch.detect.context import REASON_CODES
from gibswatch.errors import GibswatchError
from gibswatch.raster.observe import observe
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.scan.outputs.expected import expectation_of, reasons_of
from gibswatch.scan.result import ScanResult
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, ByteArray, DayItem, Kind

__all__ = ["DIFFERENCE_CODES", "DayPlanes", "read_planes", "read_scene"]

DIFFERENCE_CODES: Mapping[str, int] = {
    "black, not expected": 1,
    "imagery, not expected": 2,
    "colours, not expected": 3,
}


@dataclass(frozen=True, slots=True, eq=False)
class DayPlanes:
    """One day, read again; all planes are (rows, cols)."""

    scene: Scene
    black: BoolArray
    """Observed black."""
    expectation: Expectation | None
    """None where no orbit is known."""
    reasons: ByteArray | None
    """Codes of `REASON_CODES`; None where the method explains nothing."""
    kinds: ByteArray | None
    """Kind of what was found, 0 elsewhere; None without a mask."""

    def expected(self) -> ByteArray | None:
        """Codes of `REASON_CODES` that the day should show."""
        return None if self.expectation is None else self.expectation.reason

    def difference(self) -> ByteArray | None:
        """Codes of `DIFFERENCE_CODES`: where the picture is not as expected, 0 where it is.

        Nothing is said where the expectation is undecided, and of tiles that did not come.
        """
        if self.expectation is None:
            return None
        reason = self.expectation.reason
        sent = self.scene.state == STATE_CODES["ok"]
        dark = (reason == REASON_CODES["night"]) | (reason == REASON_CODES["swath gap"])
        codes = np.zeros(reason.shape, dtype=np.uint8)
        codes[self.black & (reason == REASON_CODES["visible"])] = 1
        codes[sent & ~self.black & dark] = 2
        if self.kinds is not None:
            codes[self.kinds == Kind.MISCOLORATION] = 3
        return codes


def read_planes(result: ScanResult, item: DayItem) -> DayPlanes | str:
    """Read one day of a scan again, with what was expected of it.

    Parameters
    ----------
    result : ScanResult
        With root and grid.
    item : DayItem
        With a date.

    Returns
    -------
    DayPlanes or str
        The reason in words where the picture cannot be read.
    """
    scene = read_scene(result, item)
    if isinstance(scene, str):
        return scene
    shape = scene.state.shape
    expectation, reasons = _explained(result, item, shape)
    return DayPlanes(scene, observe(scene)[1], expectation, reasons, _mask(item.mask, shape))


def read_scene(result: ScanResult, item: DayItem) -> Scene | str:
    """Read the picture of one day; the reason in words where that cannot be done."""
    if result.root is None or result.grid is None or item.date is None:
        return "it is not in an archive"
    try:
        return Archive(result.root).scene(item.layer, item.date, result.grid.epsg)
    except GibswatchError as error:
        return str(error)


def _explained(
    result: ScanResult, item: DayItem, shape: tuple[int, ...]
) -> tuple[Expectation | None, ByteArray | None]:
    """Expectation and reasons of a day, where the scan has them and they fit the picture."""
    expectation, reasons = expectation_of(result, item), reasons_of(result, item)
    if expectation is not None and expectation.reason.shape != shape:
        expectation = None
    if reasons is not None and reasons.shape != shape:
        reasons = None
    return expectation, reasons


def _mask(path: str | None, shape: tuple[int, ...]) -> ByteArray | None:
    """Kinds of a mask; None where there is none of this shape."""
    if path is None:
        return None
    try:
        with Image.open(Path(path)) as image:
            kinds = np.asarray(image)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return kinds.astype(np.uint8) if kinds.shape == shape else None
