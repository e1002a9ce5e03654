"""The truth as files says what the record in memory says."""

import datetime as dt
import io
import json

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.io import MemoryFile

from gibswatch.raster.codec import decode_picture
from gibswatch.simulate.archiving import NO_VALUE, TRUTH_BANDS
from gibswatch.simulate.archiving.truth_files import (
    day_document,
    truth_files,
    truth_planes,
    truth_raster,
)
from gibswatch.simulate.days.day import simulate_day
from gibswatch.simulate.days.spec import DaySpec, FaultSpec, Perturbation, SimulatedDay
from gibswatch.sky.timescale import datetime_at, day_start_s
from gibswatch.types import Georeference

DAY = dt.date(2017, 4, 11)
TILE = Georeference(4326, -36.0, 18.0, 0.28125, 0.28125, 128, 128)
BAND = {band.name: number for number, band in enumerate(TRUTH_BANDS)}


def made(product: str = "TrueColor", *faults: FaultSpec, granule_s: float = 300.0) -> SimulatedDay:
    spec = DaySpec(
        "Terra", product, DAY, 3,
        perturbation=Perturbation(granule_s=granule_s), faults=faults, invented=True,
    )  # fmt: skip
    return simulate_day(spec, TILE)


HOLE = FaultSpec("missing-granules", DAY, place=(-15.0, 3.0))


@pytest.fixture(scope="module")
def holed() -> SimulatedDay:
    return made("TrueColor", HOLE)


def test_the_raster_reads_back_in_its_units(holed: SimulatedDay) -> None:
    planes = truth_planes(holed)
    with MemoryFile(truth_raster(planes, TILE)) as memory, memory.open() as raster:
        assert raster.crs.to_epsg() == 4326
        assert raster.bounds == (-36.0, -18.0, 0.0, 18.0)
        assert raster.descriptions == tuple(band.name for band in TRUTH_BANDS)
        values = raster.read().astype(np.float64)
        scaled = values * np.array(raster.scales)[:, None, None]
        scaled += np.array(raster.offsets)[:, None, None]
        assert raster.nodata == NO_VALUE
    truth = holed.truth
    seen = truth.granule >= 0
    assert seen.any()
    assert not seen.all()
    for name, plane in (("sza", truth.sza_deg), ("vza", truth.vza_deg), ("glint", truth.glint_deg)):
        found = scaled[BAND[name]]
        assert np.abs(found - plane)[np.isfinite(plane)].max() <= 0.0501, name
        assert (values[BAND[name]][~np.isfinite(plane)] == NO_VALUE).all(), name
    time = scaled[BAND["time"]][seen] + day_start_s(DAY)
    assert np.abs(time - truth.time_s[seen]).max() <= 1.51
    for name in ("label", "region", "visible", "substituted", "coverage"):
        assert np.array_equal(values[BAND[name]], getattr(truth, name)), name
    assert np.array_equal(values[BAND["pass"]][seen], truth.pass_index[seen])


@pytest.mark.parametrize("length", [300.0, 85.35])
def test_a_granules_start_comes_before_the_time_of_its_pixels(length: float) -> None:
    day = made(granule_s=length)
    planes = truth_planes(day)
    starts = day_document(day, planes)["granules"]
    index = planes[BAND["granule"]]
    assert set(np.unique(index)) - {NO_VALUE} == set(range(len(starts)))
    for number, name in enumerate(starts):
        times = day.truth.time_s[index == number]
        begin = dt.datetime.fromisoformat(name)
        assert (datetime_at(float(times.min())) - begin).total_seconds() >= -1.0
        assert (datetime_at(float(times.max())) - begin).total_seconds() <= length + 1.0


def test_the_label_picture_has_the_code_as_index(holed: SimulatedDay) -> None:
    files = truth_files(holed, {"clean": None})
    with Image.open(io.BytesIO(files["_Label.png"])) as label:
        assert label.mode == "P"
        assert np.array_equal(np.asarray(label), holed.truth.label)
    assert set(np.unique(holed.truth.label)) == {0, 2}
    assert "_Clean.png" not in files


def test_the_patch_over_the_picture_is_the_clean_picture(holed: SimulatedDay) -> None:
    document = day_document(holed, truth_planes(holed))
    files = truth_files(holed, document)
    patch = decode_picture(files["_Clean.png"], image_format="png")
    whole = np.where(patch[..., 3:] > 0, patch[..., :3], holed.pixels)
    assert np.array_equal(whole, holed.truth.clean)
    assert not np.array_equal(holed.pixels, holed.truth.clean)
    assert 0 < (patch[..., 3] > 0).mean() < 1


def test_a_day_without_a_fault_has_no_clean_picture_of_its_own() -> None:
    day = made()
    document = day_document(day, truth_planes(day))
    assert document["clean"] is None
    assert (document["codes"], document["regions"]) == ([], [])
    assert set(truth_files(day, document)) == {"_Label.png", ".json"}


def test_of_a_mask_layer_the_whole_clean_mask_is_kept() -> None:
    day = made("Data_No_Data", HOLE)
    files = truth_files(day, day_document(day, truth_planes(day)))
    clean = decode_picture(files["_Clean.png"], image_format="png")
    assert np.array_equal(clean, day.truth.clean)
    assert (clean[..., 3] > 0).sum() < (day.pixels[..., 3] > 0).sum()


def test_the_document_is_json_that_names_what_was_planted(holed: SimulatedDay) -> None:
    document = day_document(holed, truth_planes(holed))
    files = truth_files(holed, document)
    read = json.loads(files[".json"])
    assert read["codes"] == [2]
    assert read["regions"][0]["kind"] == "missing-granules"
    assert read["regions"][0]["granules"]
    assert read["parameters"]["seed"] == 3
    assert read["grid"]["bbox"] == [-36.0, -18.0, 0.0, 18.0]


def test_another_truth_has_another_hash(holed: SimulatedDay) -> None:
    clean = made()
    hashes = {
        day_document(day, truth_planes(day))["truth_sha256"] for day in (holed, clean, made())
    }
    assert len(hashes) == 2


def test_gdal_reads_it_from_disk(holed: SimulatedDay, tmp_path: object) -> None:
    planes = truth_planes(holed)
    path = f"{tmp_path}/truth.tif"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(truth_raster(planes, TILE))
    with rasterio.open(path) as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert np.array_equal(raster.read(), planes)
