"""What the days of a scan should have shown, worked out again from its small records."""

from __future__ import annotations

import datetime as dt

from gibswatch.archive.layout import Layout
from gibswatch.archive.reader import Archive
from gibswatch.catalogue.windows import plan_grid
from gibswatch.download.wms import find_picture_layer
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.raster.scene import Scene
from gibswatch.scan.judging.one_day import DayTask, look_at
from gibswatch.scan.outputs.rasters import read_reasons
from gibswatch.scan.pictures import ArchivedDay, Picture
from gibswatch.scan.result import ScanResult
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.types import ByteArray, DayItem, Georeference

__all__ = ["expectation_of", "georeference_of", "reasons_of", "scene_of"]

_NEAREST_DAYS = 3
"""To either side: where it is usually black is learned from them."""


def georeference_of(result: ScanResult) -> Georeference | None:
    """Where the pixels of a scan's pictures lie; None for loose files."""
    if result.grid is None:
        return None
    known = find_picture_layer(result.layer)
    return plan_grid(result.grid, known.matrix_set(result.grid.epsg)).georeference


def expectation_of(result: ScanResult, item: DayItem) -> Expectation | None:
    """Say what a day should have shown, as it was judged.

    Parameters
    ----------
    result : ScanResult
        Of a scan, or read back from disk.
    item : DayItem
        One of its items.

    Returns
    -------
    Expectation or None
        None where no orbit is known, or none was kept: days without a finding keep none.
    """
    georeference = georeference_of(result)
    if item.date is None or georeference is None or item.date not in result.skies:
        return None
    sky = result.skies[item.date]
    if item.date < sky.orbit.record.launch:
        return None
    return expect(sky.orbit.record, georeference, item.date, sky.orbit, sza_cut_deg=sky.sza_cut_deg)


def scene_of(result: ScanResult, item: DayItem) -> Scene | None:
    """Read the picture of a day from the archive; None if it is not there, or damaged."""
    if result.root is None or result.grid is None or item.date is None:
        return None
    try:
        return Archive(result.root).scene(item.layer, item.date, result.grid.epsg)
    except (ArchiveError, DecodeError):
        return None


def reasons_of(result: ScanResult, item: DayItem) -> ByteArray | None:
    """Say why each pixel of a day is black.

    Parameters
    ----------
    result : ScanResult
    item : DayItem

    Returns
    -------
    (rows, cols) ndarray of uint8, or None
        Codes of `gibswatch.detect.REASON_CODES`: of the raster that the scan wrote, else worked out
        again by its method.  None where the picture is not there, or the method gives no reasons.
    """
    if result.root is None or result.grid is None or item.date is None:
        return None
    stored = _stored_reasons(result, item.date)
    if stored is not None:
        return stored
    scene = scene_of(result, item)
    if scene is None:
        return None
    ref = ArchivedDay(result.root, item.layer, result.grid.epsg, item.date)
    picture = Picture(ref, item.layer, item.file or "", item.date_source, item.tiles)
    around = tuple(_beside(result, item.date))
    task = DayTask(picture, (), around, result.method, result.skies.get(item.date))
    detection = look_at(scene, task, partly=True).detection
    return None if detection is None else detection.reasons


def _stored_reasons(result: ScanResult, day: dt.date) -> ByteArray | None:
    if result.root is None or result.grid is None:
        return None
    layout = Layout(result.root, result.layer, result.grid.epsg)
    georeference = georeference_of(result)
    try:
        stored = read_reasons(layout.reason_tif(day))
    except ArchiveError:
        return None
    fits = stored is not None and georeference is not None and stored.shape == georeference.shape
    return stored if fits else None


def _beside(result: ScanResult, day: dt.date) -> list[ArchivedDay]:
    """Whole days of the archive around one, nearest first."""
    if result.root is None or result.grid is None:
        return []
    epsg = result.grid.epsg
    records = Archive(result.root).records(result.layer, epsg)
    days = [d for d, record in records.items() if record.complete and d != day]
    near = sorted(days, key=lambda d: abs((d - day).days))[: 2 * _NEAREST_DAYS]
    return [ArchivedDay(result.root, result.layer, epsg, d) for d in near]
