"""`inspect` on pictures that lie anywhere: without a date, with a wrong one, and on no imagery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import gibswatch as gw
from gibswatch.errors import UsageError
from gibswatch.scan import items_to_json
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BBox, BoolArray, ByteArray, DayItem, Georeference, Kind

VIIRS = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
GLOBE = Georeference(4326, -180.0, 90.0, 1.0, 1.0, 180, 360)
TILE = Georeference(4326, -36.0, 18.0, 0.1875, 0.1875, 192, 192)
MAY, JANUARY = dt.date(2016, 5, 4), dt.date(2017, 1, 4)


def textured(black: BoolArray) -> ByteArray:
    """Clouds over sea, and black."""
    waves = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=black.shape), 3)
    grey = np.clip(110 + 500 * waves, 40, 250)
    return np.where(black[..., np.newaxis], 0, grey[..., np.newaxis] * (0.9, 0.95, 1)).astype("u1")


def seen(satellite: str, place: Georeference, day: dt.date) -> BoolArray:
    orbit = anchor_orbit(SATELLITES[satellite], day)
    return pass_geometry(orbit, place, day, sza_limit_deg=86.5).covered


@pytest.fixture(scope="module")
def may() -> ByteArray:
    """A globe of SNPP, with sand in the Sahara, in Arabia and in Australia."""
    picture = textured(~seen("SNPP", GLOBE, MAY))
    for rows, cols in (((60, 75), (170, 212)), ((60, 75), (220, 236)), ((109, 121), (300, 322))):
        picture[slice(*rows), slice(*cols)] = (200, 160, 110)
    return picture


@pytest.fixture(scope="module")
def tile() -> ByteArray:
    """A tropical tile of Terra: gaps, and no night."""
    return textured(~seen("Terra", TILE, JANUARY))


Judge = Callable[..., DayItem]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    def call(
        pixels: ByteArray, layer: str = VIIRS, name: str = "picture.png", **options: object
    ) -> DayItem:
        Image.fromarray(pixels).save(tmp_path / name)
        (item,) = gw.inspect(tmp_path / name, layer, **options).items  # type: ignore[arg-type]
        return item

    return call


def test_a_picture_without_a_date_has_two(judge: Judge, may: ByteArray) -> None:
    item = judge(may)
    assert (item.verdict, item.date_source) == ("clean", "fitted")
    assert item.date == item.date_candidates[0]
    assert [(day.month) for day in sorted(item.date_candidates)] == [5, 8]
    assert item.reason.startswith("Its night fits ")
    assert all(f" {name} " in item.reason for name in ("May", "August"))
    assert item.worldview is None
    document = items_to_json(VIIRS, [item])["items"][0]
    assert document["date_candidates"] == [str(day) for day in item.date_candidates]


def test_a_hole_is_found_without_a_date_and_no_time_is_made_up(
    judge: Judge, may: ByteArray, tmp_path: Path
) -> None:
    holed = may.copy()
    holed[60:100, 150:180] = 0
    item = judge(holed, mask_dir=tmp_path / "masks")
    assert item.verdict == "anomalous"
    assert {finding.kind for finding in item.findings} == {Kind.MISSING_UNEXPECTED}
    assert len(item.date_candidates) == 2
    assert item.mask == str(tmp_path / "masks/picture_mask.png")
    assert not any(finding.granules for finding in item.findings)
    said = " ".join([item.reason, *(finding.reason for finding in item.findings)])
    assert "UTC" not in said
    assert str(item.date_candidates[0].year) not in said


def test_a_wrong_date_is_said_with_the_dates_that_fit(judge: Judge, may: ByteArray) -> None:
    item = judge(may, date="2016-11-20", bounds=(-180, -90, 180, 90))
    assert (item.verdict, item.date) == ("anomalous", dt.date(2016, 11, 20))
    (finding,) = item.findings
    assert finding.kind is Kind.STALE
    assert [day.month for day in sorted(item.date_candidates)] == [5, 8]
    assert "The picture does not fit 2016-11-20: its night edge fits 2016-" in item.reason
    right = judge(may, date=MAY)
    assert (right.verdict, right.date_source) == ("clean", "option")


def test_gaps_tell_a_date_that_is_wrong_by_days(judge: Judge, tile: ByteArray) -> None:
    where = {"layer": TERRA, "bounds": (-36, -18, 0, 18)}
    wrong = judge(tile, name="2017-01-07.png", **where)
    assert wrong.verdict == "anomalous"
    assert JANUARY in wrong.date_candidates
    assert "its gaps lie" in wrong.reason
    right = judge(tile, name="2017-01-04.png", **where)
    assert (right.verdict, right.date_candidates) == ("clean", ())


def test_no_date_and_no_night_is_judged_by_its_own_gaps(judge: Judge, tile: ByteArray) -> None:
    item = judge(tile, layer=TERRA, bounds=(-36, -18, 0, 18))
    assert (item.verdict, item.date, item.date_source) == ("clean", None, "none")
    assert "no night is to be seen" in item.reason


def noise() -> ByteArray:
    return np.random.default_rng(2).integers(0, 256, (180, 360, 3), dtype=np.uint8)


def page() -> ByteArray:
    white = np.full((180, 360, 3), 255, dtype=np.uint8)
    for row in range(20, 160, 12):
        white[row : row + 2, 30:330] = 60
    return white


@pytest.mark.parametrize("date", [None, MAY], ids=["undated", "dated"])
@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (lambda _: np.zeros((180, 360, 3), dtype=np.uint8), "all of it is black"),
        (lambda _: np.full((180, 360, 3), 255, dtype=np.uint8), "all of it is of one colour"),
        (lambda _: noise(), "as in noise"),
        (lambda _: page(), "of one single colour"),
        (lambda may: np.pad(may, ((9, 9), (9, 9), (0, 0))), "a frame of 9 pixels"),
        (lambda _: textured(np.zeros((180, 360), dtype=bool)), "--bounds"),
        (lambda _: textured(seen("SNPP", GLOBE, MAY)), "--bounds"),
    ],
    ids=["black", "white", "noise", "page", "framed", "photograph", "negative"],
)
def test_what_is_no_imagery_cannot_be_judged(
    judge: Judge,
    may: ByteArray,
    picture: Callable[[ByteArray], ByteArray],
    says: str,
    date: dt.date | None,
) -> None:
    item = judge(picture(may), date=date)
    assert (item.verdict, item.incomplete_cause, item.score) == ("incomplete", None, 0.0)
    assert item.reason.startswith("The picture cannot be judged: ")
    assert says in item.reason
    assert item.findings == ()


def test_gaps_of_another_satellite_are_named(judge: Judge, tile: ByteArray) -> None:
    item = judge(tile, layer=VIIRS, bounds=(-36, -18, 0, 18), date=JANUARY)
    assert item.verdict == "incomplete"
    assert "those of Terra, not of SNPP" in item.reason
    flipped = judge(tile[:, ::-1], layer=TERRA, bounds=(-36, -18, 0, 18), date=JANUARY)
    assert flipped.verdict == "incomplete"


def test_a_screenshot_with_alpha_is_judged_as_the_jpeg_it_was(judge: Judge, may: ByteArray) -> None:
    alpha = np.where(may.max(axis=2) > 0, 255, 0).astype(np.uint8)
    grey = np.where(alpha[..., np.newaxis] > 0, may, 200).astype(np.uint8)
    assert judge(np.dstack([grey, alpha]), date=MAY).verdict == "clean"


def test_five_pictures_vouch_for_each_other(tmp_path: Path) -> None:
    box = (-36, -18, 0, 18)
    for number in range(1, 6):
        Image.fromarray(noise()[:96, :96]).save(tmp_path / f"2017-01-0{number}.png")
    files = sorted(tmp_path.iterdir())
    few = gw.inspect(files[:4], VIIRS, bounds=box).items
    assert {item.verdict for item in few} == {"incomplete"}
    many = gw.inspect(files, VIIRS, bounds=box).items
    assert {item.verdict for item in many} == {"clean"}


def test_what_mercator_lacked_is_not_missing(tmp_path: Path, may: ByteArray) -> None:
    cut = may.copy()
    cut[:5] = cut[-5:] = 0
    Image.fromarray(cut).save(tmp_path / "2016-05-04.png")
    (item,) = gw.inspect(tmp_path / "2016-05-04.png", VIIRS).items
    assert (item.verdict, item.findings) == ("clean", ())


def test_an_older_mask_goes_with_its_finding(judge: Judge, may: ByteArray, tmp_path: Path) -> None:
    mask = tmp_path / "picture_mask.png"
    mask.write_bytes(b"old")
    item = judge(may, date="2016-11-20", mask_dir=tmp_path)
    assert item.mask is None
    assert not mask.exists()


def test_a_picture_that_is_none_is_incomplete(tmp_path: Path) -> None:
    file = tmp_path / "2023-08-07.jpg"
    file.write_bytes(b"<html>not found</html>")
    (item,) = gw.inspect([str(file)], TERRA).items
    assert (item.verdict, item.incomplete_cause) == ("incomplete", None)
    assert "<html>" in item.reason


def test_what_cannot_be_done_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file"):
        gw.inspect([tmp_path / "none.jpg"], TERRA)
    with pytest.raises(UsageError, match="2 files"):
        gw.inspect([tmp_path, tmp_path], TERRA, date=MAY)
    with pytest.raises(UsageError, match="reaches outside"):
        gw.inspect([tmp_path], TERRA, bounds=BBox(-200, 0, 0, 10))
    with pytest.raises(UsageError, match="not one of"):
        gw.inspect([tmp_path], TERRA, method="best")


@pytest.mark.realdata
def test_small_real_pictures_without_a_date(real_data: Path) -> None:
    """Plots from the predecessor's notebooks, 289 and 300 pixels wide."""
    folder = real_data / "real" / "viirs_small"
    normal = gw.inspect(sorted(folder.glob("*_normal_[02]*")), VIIRS).items
    assert [item.verdict for item in normal] == ["clean"] * 2
    missing = gw.inspect(sorted(folder.glob("*_337f0c6e_*")), VIIRS).items
    assert [item.verdict for item in missing] == ["anomalous"] * 2
    for item in (*normal, *missing):
        assert (item.date_source, len(item.date_candidates)) == ("fitted", 2)


@pytest.mark.realdata
def test_one_real_picture_turned_over(real_data: Path, tmp_path: Path) -> None:
    name = "MODIS_Terra_CorrectedReflectance_TrueColor_2020-09-27.jpg"
    with Image.open(real_data / "real" / "global_days" / name) as whole:
        picture = np.asarray(whole.convert("RGB").resize((720, 360)))
    turns = {"upside down": picture[::-1], "mirrored": picture[:, ::-1]}
    for turned, pixels in turns.items():
        Image.fromarray(pixels).save(tmp_path / "2020-09-27.png")
        (item,) = gw.inspect(tmp_path / "2020-09-27.png", TERRA).items
        assert item.verdict == "incomplete"
        assert turned in item.reason
