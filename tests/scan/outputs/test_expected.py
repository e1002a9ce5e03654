"""A scan of days on Terra's true orbit: expectation, witnesses, reasons, and reading it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gibswatch as gw
from gibswatch.archive import Layout, read_labels
from gibswatch.archive.labels import label_path
from gibswatch.detect import REASON_CODES
from gibswatch.errors import GridMismatchError, UsageError
from gibswatch.scan import (
    ScanResult,
    expectation_of,
    georeference_of,
    read_scan,
    reasons_of,
    scan_folder,
    scene_of,
)
from gibswatch.scan.judging.same_day import pictures_of
from gibswatch.scan.judging.siblings import mask_layer_name, mask_layer_of, siblings, true_colour_of
from gibswatch.scan.outputs.rasters import read_reasons
from gibswatch.scan.pictures import ArchivedDay
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer
from gibswatch.simulate.server import FaultPlan, FaultRule, embedded_server
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, ByteArray, Georeference

TRUE = "MODIS_Terra_CorrectedReflectance_TrueColor"
BANDS = "MODIS_Terra_CorrectedReflectance_Bands721"
MASK = "MODIS_Terra_Data_No_Data"
TERRA = SATELLITES["Terra"]
START, STOP = dt.date(2017, 3, 1), dt.date(2017, 3, 6)
HOLE_DAY = dt.date(2017, 3, 3)
LOST_DAY = dt.date(2017, 3, 5)
"""One of its two tiles does not come, nor does its mask."""
BOX = (-36.0, -36.0, 36.0, 36.0)
GRID = Georeference(4326, -36.0, 36.0, 0.140625, 0.140625, 512, 512)
_GLOBE = (1280, 2560)
_AT = np.s_[384:896, 1024:1536]
"""Of the box in a globe."""


def hole_of(day: dt.date) -> BoolArray:
    """Mark two granules of one pass on the day of the hole."""
    if day != HOLE_DAY:
        return np.zeros(GRID.shape, dtype=bool)
    geometry = pass_geometry(anchor_orbit(TERRA, day), GRID, day)
    middle = float(geometry.time_s[256, 256])
    start = np.floor(middle / 300.0) * 300.0
    return np.asarray((geometry.time_s >= start) & (geometry.time_s < start + 600.0))


def covered(day: dt.date) -> BoolArray:
    seen = pass_geometry(anchor_orbit(TERRA, day), GRID, day).covered
    return np.asarray(seen & ~hole_of(day))


def draw(day: dt.date) -> ByteArray:
    globe = np.zeros((*_GLOBE, 3), dtype=np.uint8)
    waves = np.sin(np.arange(512)[:, None] / 9.0) + np.cos(np.arange(512) / 13.0 + day.day)
    grey = (110 + 25 * waves).astype(np.uint8)
    globe[_AT] = np.where(covered(day), grey, 0)[..., np.newaxis]
    return globe


def draw_mask(day: dt.date) -> ByteArray:
    globe = np.zeros((*_GLOBE, 4), dtype=np.uint8)
    globe[_AT][~covered(day)] = (202, 170, 86, 255)
    return globe


@pytest.fixture(scope="module")
def true_orbit() -> Iterator[EmbeddedServer]:
    days = [START + dt.timedelta(days=n) for n in range(5)]
    jpeg, png = GlobeSource(draw, days, "jpg"), GlobeSource(draw_mask, days[:4], "png")
    layers = {
        TRUE: (ServedLayer(TRUE, "jpg", {4326: "250m"}), jpeg),
        BANDS: (ServedLayer(BANDS, "jpg", {4326: "250m"}), jpeg),
        MASK: (ServedLayer(MASK, "png", {4326: "250m"}), png),
    }
    lost = FaultRule("status", layer=(TRUE,), date=(LOST_DAY, LOST_DAY), row=(1, 1), status=404)
    with embedded_server(layers, FaultPlan((lost,))) as server:
        yield server


@pytest.fixture(scope="module")
def scanned(true_orbit: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> ScanResult:
    return gw.scan(
        TRUE, START, STOP,
        root=tmp_path_factory.mktemp("data"), bbox=BOX, with_mask=True,
        outputs=["reasons", "labels"], settings=Settings(base_url=true_orbit.base_url),
    )  # fmt: skip


def test_the_hole_is_found_with_its_granules(scanned: ScanResult) -> None:
    assert [i.date for i in scanned.items if i.verdict == "anomalous"] == [HOLE_DAY]
    assert scanned.verdicts["clean"] == 3
    (item,) = (i for i in scanned.items if i.verdict == "anomalous")
    granules = {name for finding in item.findings if finding.kind == 2 for name in finding.granules}
    assert any(name.startswith("2017-03-03T") for name in granules)
    assert item.shares is not None
    truth = hole_of(HOLE_DAY) & pass_geometry(anchor_orbit(TERRA, HOLE_DAY), GRID, HOLE_DAY).covered
    assert item.shares.unexpected == pytest.approx(float(truth.mean()), rel=0.15)


def test_a_scan_that_was_read_back_expects_the_same(scanned: ScanResult) -> None:
    assert scanned.root is not None
    again = read_scan(scan_folder(scanned.root, TRUE, 4326))
    (item,) = (i for i in again.items if i.verdict == "anomalous")
    assert georeference_of(again) == GRID
    expectation = expectation_of(again, item)
    assert expectation is not None
    truth = pass_geometry(anchor_orbit(TERRA, HOLE_DAY), GRID, HOLE_DAY).covered
    assert (expectation.covered == truth).mean() > 0.99
    assert expectation_of(again, again.items[0]) is None  # a clean day keeps no orbit


def test_reasons_are_those_of_the_raster_and_can_be_worked_out_again(scanned: ScanResult) -> None:
    (item,) = (i for i in scanned.items if i.verdict == "anomalous")
    stored = reasons_of(scanned, item)
    assert stored is not None
    marked = stored == REASON_CODES["unexpected"]
    truth = hole_of(HOLE_DAY) & pass_geometry(anchor_orbit(TERRA, HOLE_DAY), GRID, HOLE_DAY).covered
    assert (marked & truth).sum() / (marked | truth).sum() > 0.9
    assert (stored == REASON_CODES["swath gap"]).any()
    assert scanned.root is not None
    path = Layout(scanned.root, TRUE, 4326).reason_tif(HOLE_DAY)
    aside = path.rename(path.with_suffix(".aside"))
    try:
        again = reasons_of(scanned, item)
    finally:
        aside.rename(path)
    assert again is not None
    assert (again == stored).mean() > 0.999


def test_labels_name_the_hole(scanned: ScanResult) -> None:
    assert scanned.root is not None
    labels = read_labels(label_path(Layout(scanned.root, TRUE, 4326))).labels
    assert {day for day, line in labels.items() if 2 in line.codes} == {HOLE_DAY}
    assert set(labels) == {START + dt.timedelta(days=n) for n in range(4)}


def test_a_day_that_is_partly_there_has_reasons_and_no_finding(scanned: ScanResult) -> None:
    item = scanned.items[-1]
    assert (item.date, item.verdict, item.incomplete_cause) == (LOST_DAY, "incomplete", "server")
    assert (item.findings, item.mask) == ((), None)
    assert scanned.root is not None
    reasons = read_reasons(Layout(scanned.root, TRUE, 4326).reason_tif(LOST_DAY))
    assert reasons is not None
    lost = np.arange(512)[:, np.newaxis] * np.ones(512) >= 128
    assert np.array_equal(reasons == REASON_CODES["not fetched"], lost)
    assert not (reasons == REASON_CODES["unexpected"]).any()
    assert (reasons == REASON_CODES["swath gap"]).any()


def test_the_mask_layer_came_and_is_a_witness(scanned: ScanResult) -> None:
    assert scanned.root is not None
    assert any(line.startswith(f"{MASK} is not whole on 1 day") for line in scanned.notes)
    archive = gw.open_archive(scanned.root)
    assert len(archive.days(MASK)) == 5
    scene = archive.scene(TRUE, HOLE_DAY)
    ask, ask_true_colour = siblings(ArchivedDay(scanned.root, TRUE, 4326, HOLE_DAY), scene)
    witness = ask()
    assert witness is not None
    assert (witness.layer, witness.no_data.shape) == (MASK, GRID.shape)
    assert np.array_equal(witness.no_data, ~covered(HOLE_DAY))
    assert ask() is witness
    assert ask_true_colour() is None  # it is the layer itself
    lost = archive.scene(TRUE, LOST_DAY)
    without, _ = siblings(ArchivedDay(scanned.root, TRUE, 4326, LOST_DAY), lost)
    assert without() is None


def test_true_colour_is_a_witness_of_other_bands(
    scanned: ScanResult, true_orbit: EmbeddedServer
) -> None:
    assert scanned.root is not None
    result = gw.scan(
        BANDS, HOLE_DAY, HOLE_DAY + dt.timedelta(days=1),
        root=scanned.root, bbox=BOX, settings=Settings(base_url=true_orbit.base_url),
    )  # fmt: skip
    scene = scene_of(result, result.items[0])
    assert scene is not None
    _, ask = siblings(ArchivedDay(scanned.root, BANDS, 4326, HOLE_DAY), scene)
    witness = ask()
    assert witness is not None
    assert witness.layer == TRUE
    assert (witness.no_data == ~covered(HOLE_DAY)).mean() > 0.99
    (other,) = pictures_of(ArchivedDay(scanned.root, BANDS, 4326, HOLE_DAY), scene)
    assert (other.scene.layer, other.scene.date) == (TRUE, HOLE_DAY)
    assert (other.observed == ~covered(HOLE_DAY)).mean() > 0.98


def test_siblings_have_their_names() -> None:
    assert mask_layer_name("MODIS_Aqua_CorrectedReflectance_TrueColor") == "MODIS_Aqua_Data_No_Data"
    assert mask_layer_name(MASK) is None
    assert mask_layer_name("VIIRS_SNPP_CorrectedReflectance_TrueColor") is None
    assert true_colour_of("VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1") == (
        "VIIRS_SNPP_CorrectedReflectance_TrueColor"
    )
    assert true_colour_of("MODIS_Terra_NDVI_8Day") is None
    with pytest.raises(UsageError, match=r"no MODIS_Terra_Data_No_Data in EPSG:3413 \(only in"):
        mask_layer_of(TRUE, 3413)


def test_what_cannot_be_done_is_said_before_anything_is_downloaded(
    scanned: ScanResult, true_orbit: EmbeddedServer, tmp_path: Path
) -> None:
    asked = len(true_orbit.requests)

    def refused(layer: str = TRUE, root: Path = tmp_path, **options: object) -> None:
        settings = Settings(base_url=true_orbit.base_url)
        gw.scan(layer, START, STOP, root=root, settings=settings, **options)  # type: ignore[arg-type]

    with pytest.raises(UsageError, match="for MODIS on Terra and Aqua alone"):
        refused("VIIRS_SNPP_CorrectedReflectance_TrueColor", with_mask=True)
    with pytest.raises(UsageError, match=r"reasons .* by method gibswatch alone, not by gibs-ml"):
        refused(method="gibs-ml", outputs=["reasons"])
    with pytest.raises(UsageError, match="not one of cog"):
        refused(outputs=["gif"])
    label_path(Layout(tmp_path, TRUE, 4326)).parent.mkdir(parents=True)
    label_path(Layout(tmp_path, TRUE, 4326)).write_text("tuesday\n")
    with pytest.raises(UsageError, match="line 1 cannot be read"):
        refused(outputs=["labels"])
    assert scanned.root is not None
    other = gw.open_archive(scanned.root)
    assert other.grid(MASK) is not None
    with pytest.raises(GridMismatchError, match=f"holds {MASK} on another grid"):
        refused(BANDS, scanned.root, tile_resolution="8km", bbox=BOX, with_mask=True)
    assert len(true_orbit.requests) == asked
