"""The packaged prior: which products it has, that it is small, and one picture judged by it."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from gibswatch.detect.colour.prior import prior_key, read_prior
from gibswatch.detect.colour.rule import find_colour
from gibswatch.raster import Scene, observe, scene_from_picture
from gibswatch.types import Georeference

_TILE = Georeference(4326, -36.0, 18.0, 36 / 256, 36 / 256, 256, 256)
_LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
_KNOTS = ((0, 30, 60, 120, 190, 255), (0, 110, 160, 210, 240, 255))


@pytest.mark.parametrize(
    "layer",
    [
        "MODIS_Terra_CorrectedReflectance_TrueColor",
        "MODIS_Aqua_CorrectedReflectance_Bands721",
        "MODIS_Terra_CorrectedReflectance_Bands367",
        "VIIRS_NOAA20_CorrectedReflectance_TrueColor",
        "VIIRS_SNPP_CorrectedReflectance_BandsM11-I2-I1",
        "VIIRS_SNPP_CorrectedReflectance_BandsM3-I3-M11",
    ],
)
def test_it_has_the_products_of_corrected_reflectance(layer: str) -> None:
    prior = read_prior(layer)
    assert prior is not None
    assert prior.units >= 8
    assert prior.places is None
    assert 0.0 < prior.spread < 1.0
    assert np.isfinite(prior.green).any()
    assert read_prior(layer) is prior


def test_it_has_no_others() -> None:
    assert read_prior("MODIS_Terra_Land_Surface_Temp_Day") is None


def test_satellites_of_an_instrument_share_a_key() -> None:
    assert prior_key(_LAYER) == prior_key(_LAYER.replace("Terra", "Aqua"))


def test_it_is_small() -> None:
    file = resources.files("gibswatch.detect") / "data" / "colour_prior.npz"
    assert len(file.read_bytes()) < 300_000


def _tile(green: float) -> Scene:
    """Clouds over the sea, with a corner whose green is multiplied."""
    rng = np.random.default_rng(3)
    cloud = np.kron(rng.uniform(0.0, 1.0, (32, 32)), np.ones((8, 8))) ** 2
    sea = np.array([0.04, 0.06, 0.09])[:, None, None]
    bands = (sea * (1 - cloud) + 0.8 * cloud) * np.exp(rng.normal(0.0, 0.02, (3, 256, 256)))
    bands[1, :80, :80] *= green
    shown = np.rint(np.interp(np.clip(bands, 0, 1.1) / 1.1 * 255, *_KNOTS)).astype(np.uint8)
    return scene_from_picture(
        np.moveaxis(shown, 0, -1).copy(), layer=_LAYER, date=None, image_format="jpg",
        georeference=_TILE, provenance="test",
    )  # fmt: skip


def test_one_tile_without_a_history_is_judged_by_it() -> None:
    clean, faulty = _tile(1.0), _tile(0.0)
    found = find_colour(clean, observe(clean)[1], None)
    assert found.known
    assert not found.regions
    found = find_colour(faulty, observe(faulty)[1], None)
    union = np.any([region.mask for region in found.regions], axis=0)
    assert union[:80, :80].mean() > 0.5
    assert union[100:, 100:].mean() < 0.01
