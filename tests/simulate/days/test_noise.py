"""Textures that are addressed by place."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from gibswatch.simulate.days import textures
from gibswatch.simulate.days.noise import Between, Charts, Layer, Texture, band_limited, fractal

LAYER = Layer(textures.swirls(), 72.0, 5.0, 0.3, 6.0, "test")
DAY_S = 86400.0


def read(
    lon: object, lat: object, *, seed: int = 3, pixel: float = 0.2, time: object = 0.0
) -> np.ndarray:
    charts = Charts(np.asarray(lon), np.asarray(lat), pixel, np.asarray(time), 0.0)
    return charts.sample(LAYER, seed)[0]


def test_a_place_has_one_value_on_every_grid() -> None:
    lon, lat = np.meshgrid(np.linspace(-170, 170, 60), np.linspace(-88, 88, 40))
    whole = read(lon, lat)
    np.testing.assert_array_equal(whole[5:9, 20:31], read(lon[5:9, 20:31], lat[5:9, 20:31]))
    np.testing.assert_array_equal(whole[30, 7], read(lon[30, 7], lat[30, 7]))


def test_the_antimeridian_has_no_seam() -> None:
    lat = np.linspace(-89, 89, 90)
    near = [read(np.full(90, lon), lat, pixel=0.01) for lon in (179.999, -179.999)]
    np.testing.assert_allclose(near[0], near[1], atol=0.02)


@pytest.mark.parametrize("pixel", [0.02, 0.5])
def test_places_in_rows_and_columns_give_what_each_alone_gives(pixel: float) -> None:
    lat, lon = np.linspace(88, -88, 40)[:, np.newaxis], np.linspace(-170, 170, 60)[np.newaxis, :]
    even = [np.broadcast_to(part.astype(np.float32), (40, 60)) for part in (lon, lat)]
    each = [part.copy() for part in even]
    for layer in (LAYER, Layer(textures.swirls(), 72.0, name="still")):
        alone, rows = (
            Charts(places[0], places[1], pixel, 7.0 * DAY_S, 3.0).sample(layer, 3)[0]
            for places in (each, even)
        )
        np.testing.assert_array_equal(rows, alone)
        assert rows.shape == (40, 60)


def test_between_pixels_is_what_scipy_has_there() -> None:
    drawn = np.random.default_rng(5)
    plane = drawn.normal(size=(48, 80)).astype(np.float32)
    down, across = drawn.uniform(-300, 300, (2, 30, 500)).astype(np.float32)
    down[:, 0], across[:, 1] = np.rint(down[:, 0]), np.rint(across[:, 1])
    theirs = map_coordinates(plane, (down, across), order=1, mode="grid-wrap", output=np.float32)
    np.testing.assert_array_equal(Between(down, across, plane.shape).read(plane), theirs)
    rows = Between(down[:, :1], across[:1], plane.shape).read(plane)
    whole = np.broadcast_arrays(down[:, :1], across[:1])
    np.testing.assert_array_equal(
        rows, map_coordinates(plane, whole, order=1, mode="grid-wrap", output=np.float32)
    )


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_the_pole_is_one_place(pole: float) -> None:
    around = read(np.linspace(-180, 180, 50), np.full(50, pole), pixel=0.01)
    assert np.ptp(around) < 1e-3


@pytest.mark.parametrize("latitude", [45.0, 49.0, 53.0, -45.0, -53.0])
def test_the_charts_meet_without_a_step(latitude: float) -> None:
    lon = np.linspace(-180, 180, 200)
    north, south = (read(lon, np.full(200, latitude + d), pixel=0.01) for d in (0.001, -0.001))
    np.testing.assert_allclose(north, south, atol=0.03)


def test_the_blend_keeps_the_strength() -> None:
    lon, lat = np.meshgrid(np.linspace(-180, 180, 300), np.linspace(47, 51, 30))
    assert 0.8 < read(lon, lat).std() < 1.2


def test_a_pixel_holds_nothing_finer_than_itself() -> None:
    lon, lat = np.meshgrid(np.linspace(0, 40, 400), np.linspace(-20, 20, 400))
    charts = Charts(lon, lat, 0.05), Charts(lon, lat, 2.0)
    (fine, fine_lost), (coarse, coarse_lost) = (c.sample(LAYER, 3) for c in charts)
    assert coarse.std() < 0.95 * fine.std()
    assert coarse_lost > fine_lost
    steps = [np.abs(np.diff(part, axis=1)).mean() for part in (fine, coarse)]
    assert steps[1] < 0.5 * steps[0]


def test_what_is_lost_and_what_is_kept_make_the_whole() -> None:
    for texels in (0.5, 3.0, 40.0):
        kept, lost = band_limited(textures.cells(), texels)
        assert np.hypot(kept.std(), lost) <= 1.01
    assert band_limited(textures.cells(), 0.1)[1] == 0.0


def test_time_carries_the_field_along() -> None:
    lon = np.linspace(-60, 60, 400)
    now = read(lon, np.zeros(400), pixel=0.01)
    later = read(lon + 5.0, np.full(400, 0.3), pixel=0.01, time=np.full(400, DAY_S))
    np.testing.assert_allclose(later, now, atol=0.02)
    assert np.abs(read(lon, np.zeros(400), time=np.full(400, DAY_S)) - now).mean() > 0.2


def test_seeds_and_names_lie_elsewhere() -> None:
    lon, lat = np.meshgrid(np.linspace(0, 60, 80), np.linspace(-30, 30, 80))
    charts = Charts(lon, lat, 0.5)
    first = charts.sample(LAYER, 3)[0].ravel()
    other = charts.sample(LAYER, 4)[0].ravel()
    named = charts.sample(Layer(LAYER.texture, 72.0, name="other"), 3)[0].ravel()
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.5
    assert abs(np.corrcoef(first, named)[0, 1]) < 0.5


def test_nan_times_count_as_any_time() -> None:
    values = read([1.0, 2.0], [3.0, 4.0], time=np.array([np.nan, 7.0]))
    assert np.isfinite(values).all()
    assert np.isfinite(Charts([1.0], [2.0], 0.1, [np.nan]).sample(LAYER, 1)[0]).all()


@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_fractals_have_the_slope_that_is_asked_for(slope: float) -> None:
    values = fractal("slope test", 256, slope, (2, 120))
    power = np.abs(np.fft.fft2(values)) ** 2
    wave = np.hypot(*np.meshgrid(*(np.fft.fftfreq(256, 1 / 256),) * 2))
    rings = [power[(wave >= k) & (wave < 2 * k)].mean() for k in (4, 8, 16, 32)]
    found = -np.polyfit(np.log(np.array((4, 8, 16, 32))), np.log(rings), 1)[0]
    assert found == pytest.approx(slope, abs=0.25)


def test_every_texture_is_standard_and_repeats() -> None:
    for make in (textures.swirls, textures.streaks, textures.cells, textures.grain):
        texture = make()
        assert isinstance(texture, Texture)
        assert texture.values.dtype == np.float32
        assert texture.values.std() == pytest.approx(1.0, abs=0.01)
        edge = np.abs(texture.values[:, 0] - texture.values[:, -1]).mean()
        inside = np.abs(np.diff(texture.values, axis=1)).mean()
        assert edge < 1.5 * inside, texture.name
