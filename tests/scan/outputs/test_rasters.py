"""What a judged day leaves on disk: masks, reasons, and nothing of an earlier judgement."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from PIL import Image

from gibswatch.archive.layout import Layout
from gibswatch.detect.context import REASON_CODES, Region
from gibswatch.errors import ArchiveError, UsageError
from gibswatch.scan.outputs.rasters import (
    OUTPUTS,
    REASON_COLOURS,
    DayFiles,
    check_outputs,
    mask_of,
    read_reasons,
    write_rasters,
)
from gibswatch.types import BoolArray, ByteArray, Georeference, Kind

LAYER = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
DAY = dt.date(2016, 4, 12)
GRID = Georeference(4326, -36.0, 18.0, 0.5, 0.5, 40, 60)


def _block(rows: slice, cols: slice) -> BoolArray:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[rows, cols] = True
    return mask


HOLE = Region(Kind.MISSING_UNEXPECTED, _block(slice(5, 15), slice(5, 25)), 0.9, "a hole")
ECLIPSE = Region(Kind.ECLIPSE_MISSING, _block(slice(10, 30), slice(20, 40)), 0.2, "an eclipse")
REASONS: ByteArray = np.full(GRID.shape, REASON_CODES["visible"], dtype=np.uint8)
REASONS[:4] = REASON_CODES["night"]
REASONS[HOLE.mask] = REASON_CODES["unexpected"]
REASONS[:, -1] = REASON_CODES["outside"]


def _write(layout: Layout, regions: list[Region], *outputs: str) -> None:
    files = DayFiles(layout, DAY, check_outputs(outputs))
    kinds = mask_of(regions, GRID.shape)
    write_rasters(layout.mask(DAY), files, kinds, REASONS, GRID)


def test_faults_lie_over_what_only_explains() -> None:
    mask = mask_of([HOLE, ECLIPSE], GRID.shape)
    assert (mask[HOLE.mask] == 2).all()
    assert (mask[ECLIPSE.mask & ~HOLE.mask] == 5).all()
    assert not mask[~(HOLE.mask | ECLIPSE.mask)].any()


def test_all_that_was_asked_for_is_written_and_says_the_same(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    _write(layout, [HOLE, ECLIPSE], *OUTPUTS)
    with Image.open(layout.mask(DAY)) as image:
        mask = np.asarray(image)
    with rasterio.open(layout.mask_tif(DAY)) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (dataset.crs.to_epsg(), dataset.transform.c, dataset.transform.f) == (4326, -36, 18)
        assert np.array_equal(dataset.read(1), mask)
        assert dataset.colormap(1)[2][:3] == (230, 25, 75)
    folder = layout.day_folder(DAY)
    with Image.open(folder / "VIIRS_SNPP_CorrectedReflectance_Missing_Data.png") as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), np.where(mask > 0, 255, 0))
    assert not (folder / "VIIRS_SNPP_CorrectedReflectance_Miscoloration.png").exists()


def test_reasons_have_their_colours_and_names(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    _write(layout, [HOLE], "reasons")
    path = layout.reason_tif(DAY)
    read = read_reasons(path)
    assert read is not None
    assert np.array_equal(read, REASONS)
    with rasterio.open(path) as dataset:
        colours = dataset.colormap(1)
        tags = dataset.tags(1)
    for name, code in REASON_CODES.items():
        assert colours[code][:3] == REASON_COLOURS[name]
        assert tags[f"VALUE_{code}"] == name
    names = ET.parse(f"{path}.aux.xml").getroot().findall("./PAMRasterBand/CategoryNames/Category")
    assert {n: e.text for n, e in enumerate(names) if e.text} == {
        code: name for name, code in REASON_CODES.items()
    }


def test_what_no_longer_holds_goes(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    _write(layout, [HOLE], *OUTPUTS)
    own = layout.day_folder(DAY) / "by_hand.png"
    own.write_bytes(b"kept")
    _write(layout, [], "compat-masks")
    assert [path.name for path in layout.day_folder(DAY).iterdir()] == ["by_hand.png"]


def test_the_predecessors_masks_stay_where_they_are_not_asked_for(tmp_path: Path) -> None:
    layout = Layout(tmp_path, LAYER, 4326)
    theirs = layout.compat_mask(DAY, "Missing_Data")
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"of the predecessor")
    _write(layout, [])
    assert theirs.read_bytes() == b"of the predecessor"


def test_another_products_compat_mask_has_a_name_of_its_own(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "MODIS_Terra_CorrectedReflectance_Bands721", 4326)
    name = layout.compat_mask(DAY, "Missing_Data").name
    assert name == "MODIS_Terra_CorrectedReflectance_Bands721_Missing_Data.png"


def test_a_damaged_raster_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    assert read_reasons(path) is None
    path.write_bytes(b"II*\0 and then nothing")
    with pytest.raises(ArchiveError, match="scan again"):
        read_reasons(path)


def test_an_unknown_output_is_refused() -> None:
    assert check_outputs("cog") == {"cog"}
    with pytest.raises(UsageError, match=r"'gif' is not one of cog"):
        check_outputs(["gif"])
