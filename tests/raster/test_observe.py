"""The one definition of black, on drawn pictures and on a real tile."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from gibswatch.raster.codec import decode_picture, encode_picture, read_picture
from gibswatch.raster.observe import BlackRule, black_rule, observe, observed_black
from gibswatch.raster.scene import STATE_CODES, Scene, scene_from_picture
from gibswatch.types import BoolArray, ByteArray, Georeference

TRUE_COLOR = "MODIS_Terra_CorrectedReflectance_TrueColor"
BANDS721 = "MODIS_Terra_CorrectedReflectance_Bands721"
SIDE = 256


def clouds(seed: int = 0) -> ByteArray:
    """RGB picture of smooth clouds over a bluish sea that is dark, not black."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 256, (SIDE // 16 + 2, SIDE // 16 + 2)).astype(float)
    smooth = ndimage.zoom(coarse, 16, order=1)[:SIDE, :SIDE, np.newaxis]
    return np.asarray((smooth * 0.9 + (0, 6, 25)).clip(0, 255).astype(np.uint8))


def gap() -> BoolArray:
    """A slanting swath gap and a missing granule."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    slanting = np.abs(cols - 60 - rows // 4) < 15
    granule = (rows > 150) & (rows < 220) & (cols > 150) & (cols < 230)
    return np.asarray(slanting | granule)


@pytest.mark.parametrize("quality", [75, 80, 85, 90, 95])
def test_gaps_are_counted_through_the_ringing_of_jpeg(quality: int) -> None:
    truth = gap()
    picture = clouds()
    picture[truth] = 0
    jpeg = decode_picture(encode_picture(picture, "jpg", quality=quality), image_format="jpg")
    black = observed_black(jpeg, layer=TRUE_COLOR, image_format="jpg")
    inside = ndimage.binary_erosion(truth, iterations=2, border_value=1)
    # Ringing over 12 leaves single holes in strongly compressed pictures, never more.
    missed = (inside & ~black).sum() / inside.sum()
    assert missed <= (0.0 if quality >= 90 else 0.005)
    assert not black[~ndimage.binary_dilation(truth, iterations=1)].any()
    assert black.sum() == pytest.approx(truth.sum(), rel=0.01 if quality >= 90 else 0.02)


def test_speckle_is_not_black() -> None:
    picture = clouds()
    picture[np.random.default_rng(1).random((SIDE, SIDE)) < 0.02] = 0
    picture[5:200, 100] = 0
    black = observed_black(picture, layer=TRUE_COLOR, image_format="jpg")
    assert black.mean() < 0.001


def test_black_touching_the_edge_of_the_picture_is_black() -> None:
    picture = clouds()
    picture[:, :2] = 0
    picture[-2:, :] = 0
    black = observed_black(picture, layer=TRUE_COLOR, image_format="jpg")
    assert black[:, :2].all()
    assert black[-2:].all()
    assert black.sum() == 4 * SIDE - 4


def test_all_black_and_none() -> None:
    for layer in (TRUE_COLOR, BANDS721):
        none = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
        assert observed_black(none, layer=layer, image_format="jpg").all()
        assert not observed_black(clouds(), layer=layer, image_format="jpg").any()


def test_the_dark_sea_of_the_short_wave_infrared_is_not_black() -> None:
    noise = np.random.default_rng(2).integers(0, 7, (SIDE, SIDE, 3), dtype=np.uint8)
    assert not observed_black(noise, layer=BANDS721, image_format="jpg").any()
    blocks = noise.copy()
    blocks[64:72, 64:72] = 0  # one JPEG block of zeros
    assert not observed_black(blocks, layer=BANDS721, image_format="jpg").any()


def test_a_gap_in_the_short_wave_infrared_is_black() -> None:
    picture = np.random.default_rng(3).integers(20, 90, (SIDE, SIDE, 3), dtype=np.uint8)
    picture[40:120, 60:140] = 0
    black = observed_black(picture, layer=BANDS721, image_format="jpg")
    assert black.sum() == 80 * 80
    assert black[40:120, 60:140].all()


def test_one_bright_band_is_enough_to_be_imagery() -> None:
    picture = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    picture[..., 2] = 40
    assert not observed_black(picture, layer=TRUE_COLOR, image_format="jpg").any()


def test_png_is_black_where_it_is_transparent_only() -> None:
    picture = np.zeros((4, 6, 4), dtype=np.uint8)
    picture[..., 3] = 255
    picture[1, 2, 3] = 0
    picture[2, 3, 3] = 1
    picture[0, 0] = (255, 255, 255, 0)
    black = observed_black(picture, layer="MODIS_Terra_Data_No_Data", image_format="png")
    assert np.argwhere(black).tolist() == [[0, 0], [1, 2]]


@pytest.mark.parametrize(
    ("layer", "rule"),
    [
        (TRUE_COLOR, BlackRule()),
        ("VIIRS_SNPP_CorrectedReflectance_TrueColor", BlackRule()),
        ("VIIRS_SNPP_CorrectedReflectance_BandsM3-I3-M11", BlackRule()),
        (BANDS721, BlackRule(0, 6, 12, 8, 256)),
        ("VIIRS_NOAA20_CorrectedReflectance_BandsM11-I2-I1", BlackRule(0, 6, 12, 8, 256)),
    ],
)
def test_rules_are_the_tables(layer: str, rule: BlackRule) -> None:
    assert black_rule(layer) == rule
    assert BlackRule() == BlackRule(8, 1, 12, 8, 1)


def scene(pixels: ByteArray, state: ByteArray) -> Scene:
    rows, cols = state.shape
    place = Georeference(4326, -180.0, 90.0, 360 / cols, 180 / rows, rows, cols)
    return Scene(TRUE_COLOR, dt.date(2023, 8, 7), "jpg", pixels, state, place, "memory")


def test_shares_are_of_the_area_and_of_what_is_usable() -> None:
    pixels = np.full((120, 240, 3), 200, dtype=np.uint8)
    pixels[:20] = 0  # north of 60: (1 - sin 60) / 2 of the globe
    pixels[100:] = 0
    state = np.full((120, 240), STATE_CODES["ok"], dtype=np.uint8)
    state[60:] = STATE_CODES["failed"]  # the black of the south was never fetched
    observation, black = observe(scene(pixels, state))
    assert observation.date == dt.date(2023, 8, 7)
    assert observation.usable == pytest.approx(0.5, abs=1e-6)
    assert observation.black == pytest.approx(1 - np.sin(np.radians(60)), abs=1e-6)
    assert black[:20].all()
    assert not black[20:].any()


def test_nothing_usable_has_no_share() -> None:
    state = np.full((120, 240), STATE_CODES["corrupt"], dtype=np.uint8)
    observation, black = observe(scene(np.zeros((120, 240, 3), dtype=np.uint8), state))
    assert np.isnan(observation.black)
    assert observation.usable == 0
    assert not black.any()


@lru_cache(maxsize=1)
def real_tile(folder: Path) -> list[tuple[float, float, float]]:
    """Share of black, IoU and surplus of Bands721 against TrueColor, on every tenth day."""
    figures = []
    for path in sorted((folder / "TrueColor").glob("*.jpg"))[::10]:
        colour, _ = read_picture(path)
        infrared, _ = read_picture(folder / "Bands721" / path.name)
        truth = observed_black(colour, layer=TRUE_COLOR, image_format="jpg")
        found = observed_black(infrared, layer=BANDS721, image_format="jpg")
        union = (truth | found).sum()
        iou = (truth & found).sum() / union if union else 1.0
        figures.append((float(truth.mean()), float(iou), float((found & ~truth).mean())))
    return figures


@pytest.mark.realdata
def test_the_black_of_a_real_tile(real_data: Path) -> None:
    folder = real_data / "real" / "terra_tile_2023"
    pixels, _ = read_picture(folder / "TrueColor" / "2023-08-07.jpg")
    black = observed_black(pixels, layer=TRUE_COLOR, image_format="jpg")
    assert black.mean() == pytest.approx(0.52, abs=0.005)
    shares = [share for share, _, _ in real_tile(folder)]
    assert len(shares) == 23
    assert np.median(shares) == pytest.approx(0.12, abs=0.015)


@pytest.mark.realdata
def test_both_band_combinations_of_a_real_tile_agree(real_data: Path) -> None:
    figures = real_tile(real_data / "real" / "terra_tile_2023")
    assert np.median([iou for _, iou, _ in figures]) >= 0.88
    assert max(surplus for _, _, surplus in figures) <= 0.07


def test_a_narrow_gap_counts_where_pixels_are_coarse() -> None:
    picture = np.full((32, 32, 3), 90, dtype=np.uint8)
    picture[:, 10:12] = 3
    fine = observed_black(picture, layer=TRUE_COLOR, image_format="jpg")
    coarse = observed_black(picture, layer=TRUE_COLOR, image_format="jpg", pixel_deg=0.5625)
    assert not fine.any()
    assert np.array_equal(coarse, picture[..., 0] == 3)


def test_a_scene_tells_how_coarse_its_pixels_are() -> None:
    picture = np.full((64, 64, 3), 90, dtype=np.uint8)
    picture[:, 20:22] = 3
    for pixel, epsg, seen in ((0.5625, 4326, True), (0.07, 4326, False), (40_000.0, 3413, True)):
        place = Georeference(epsg, -18.0, 18.0, pixel, pixel, 64, 64)  # type: ignore[arg-type]
        scene = scene_from_picture(
            picture, layer=TRUE_COLOR, date=None, image_format="jpg",
            georeference=place, provenance="here",
        )  # fmt: skip
        assert observe(scene)[1].any() == seen
